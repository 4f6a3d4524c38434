"""Quantities: what is read, what is refused and in which words, what is shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mashbill.compiler import quantities as q


@pytest.mark.parametrize(
    ("read", "written", "value"),
    [
        (q.parse_tokens, "600M tokens", 600_000_000),
        (q.parse_tokens, "1k tokens", 1000),
        (q.parse_tokens, "1.5B tokens", 1_500_000_000),
        (q.parse_tokens, "60 tokens", 60),
        (q.parse_tokens, "1 token", 1),
        (q.parse_count, "10k", 10_000),
        (q.parse_count, 500, 500),
        (q.parse_share, "50%", 0.5),
        (q.parse_share, "0.2%", 0.002),
        (q.parse_share, 0.25, 0.25),
        (q.parse_share, 1e-7, 1e-7),
        (q.parse_share, 1, 1.0),
        (q.parse_share, 0, 0.0),
        (q.parse_bytes, "256MB", 256_000_000),
        (q.parse_bytes, "1GiB", 2**30),
        (q.parse_bytes, "1.5 kB", 1500),
        (q.parse_duration, "10s", 10.0),
        (q.parse_duration, "24h", 86_400.0),
        (q.parse_duration, "500ms", 0.5),
        (q.parse_money, "$150", 150.0),
        (q.parse_money, 0.5, 0.5),
    ],
)
def test_read(read: object, written: object, value: float) -> None:
    assert callable(read)
    found = read(written)
    assert found == pytest.approx(value) and type(found) is type(value)


@pytest.mark.parametrize(
    ("read", "written", "words"),
    [
        (q.parse_tokens, 600, "got 600; did you mean 600 tokens?"),
        (q.parse_tokens, "600M", 'got "600M"; did you mean 600M tokens?'),
        (q.parse_tokens, "600m tokens", "did you mean 600M tokens?"),
        (q.parse_tokens, "0 tokens", "too small"),
        (q.parse_tokens, "99999999T tokens", "too large"),
        (q.parse_tokens, "-5 tokens", "expected a number of tokens like 600M tokens"),
        (q.parse_tokens, True, "got true"),
        (q.parse_tokens, None, "got nothing"),
        (q.parse_tokens, {}, "got a map"),
        (q.parse_count, "5 tokens", "expected a count"),
        (q.parse_share, 50, "did you mean 50%?"),
        (q.parse_share, "150%", "at most 100%"),
        (q.parse_share, -0.1, "expected a share like 50% or 0.5, got -0.1"),
        (q.parse_share, float("nan"), "expected a share"),
        (q.parse_share, "half", 'got "half"'),
        (q.parse_bytes, 256, "no unit"),
        (q.parse_bytes, "256mb", "did you mean 256MB?"),
        (q.parse_bytes, "1 stone", "units are B, kB, MB"),
        (q.parse_duration, "10", "no unit"),
        (q.parse_duration, "0s", "too small"),
        (q.parse_money, "150 EUR", "expected US dollars like $150"),
    ],
)
def test_refused_in_words(read: object, written: object, words: str) -> None:
    assert callable(read)
    found = read(written)
    assert isinstance(found, str) and words in found


READERS = [q.parse_tokens, q.parse_count, q.parse_share, q.parse_bytes, q.parse_duration]
ANYTHING: st.SearchStrategy[object] = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just([])
)


@given(st.sampled_from(READERS), ANYTHING)
def test_no_value_raises(read: object, value: object) -> None:
    assert callable(read)
    assert isinstance(read(value), int | float | str)


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (0, "0"), (7, "7"), (999, "999"), (1000, "1.00k"), (9_996, "10.0k"), (48_000, "48.0k"),
        (409_000, "409k"), (999_499, "999k"), (999_500, "1.00M"), (1.2e6, "1.20M"), (3e9, "3.00B"),
        (0.5, "0.5"),
    ],
)  # fmt: skip
def test_show_count(number: float, shown: str) -> None:
    assert q.show_count(number) == shown


@given(st.integers(1, 10**15))
def test_what_is_shown_reads_back_within_its_digits(number: int) -> None:
    read = q.parse_tokens(q.show_tokens(number))
    assert isinstance(read, int) and abs(read - number) <= number * 0.00501


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.21, "0.21 s"),
        (6, "6 s"),
        (59.6, "1m 00s"),
        (542, "9m 02s"),
        (16_980, "4h 43m"),
        (183_600, "2d 03h"),
    ],
)
def test_show_duration(seconds: float, shown: str) -> None:
    assert q.show_duration(seconds) == shown


def test_show_the_rest() -> None:
    assert [q.show_share(s) for s in (0.5, 0.125, 0.002, 1)] == ["50%", "12.5%", "0.2%", "100%"]
    assert [q.show_bytes(b) for b in (12, 256e6, 1500, 999.6e3)] == [
        "12 B",
        "256 MB",
        "1.5 kB",
        "1.0 MB",
    ]
    assert [q.show_money(m) for m in (150, 8.57, 0.00006)] == ["$150", "$8.57", "$0.00006"]
    assert q.show_tokens(1) == "1 token"
