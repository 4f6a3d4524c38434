"""The name that was probably meant, and silence where nothing is near."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mashbill.compiler.suggest import distance, nearest


@pytest.mark.parametrize(
    ("word", "candidates", "found"),
    [
        ("temprature", ["top_p", "temperature"], "temperature"),
        ("scroe", ["score", "source"], "score"),
        ("writter", ["writer", "solver", "judge"], "writer"),
        ("form", ["format", "from"], "from"),
        ("opp", ["op", "from"], "op"),
        ("Model", ["model"], "model"),
        ("on-fail", ["on_fail"], "on_fail"),
        ("abc", ["xyz"], None),
        ("cat", ["dog", "cot"], "cot"),
        ("cat", ["dig", "act"], "act"),
        ("cut", ["dog", "act"], None),
        ("a", ["b"], None),
        ("x", [], None),
        ("same", ["same"], None),
        ("ba", ["ab"], None),
        ("mode", ["model", "modes"], "model"),
    ],
)
def test_nearest(word: str, candidates: list[str], found: str | None) -> None:
    assert nearest(word, candidates) == found


WORD = st.text("abc", max_size=7)


@given(WORD, WORD)
def test_distance_is_that_of_the_textbook(a: str, b: str) -> None:
    """Against the recurrence written out, and cut off where asked."""

    def osa(i: int, j: int) -> int:
        if not i or not j:
            return i + j
        best = min(osa(i - 1, j) + 1, osa(i, j - 1) + 1, osa(i - 1, j - 1) + (a[i - 1] != b[j - 1]))
        if i > 1 and j > 1 and a[i - 1] == b[j - 2] and a[i - 2] == b[j - 1]:
            best = min(best, osa(i - 2, j - 2) + 1)
        return best

    if len(a) + len(b) > 9:
        return
    true = osa(len(a), len(b))
    assert [distance(a, b, limit) for limit in range(5)] == [min(true, n + 1) for n in range(5)]
