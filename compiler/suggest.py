"""The name that was probably meant."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache


def nearest(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate closest to a mistyped word, if one is close enough to be worth saying.

    Short words must be nearly right: one slip up to four letters, two up to eight, three beyond.
    Case, and `-` for `_`, cost nothing. Of equals the first is taken.

    >>> nearest("temprature", ["top_p", "temperature"])
    'temperature'
    """
    wanted, letters = _fold(word)
    limit = 1 if len(wanted) <= 4 else 2 if len(wanted) <= 8 else 3
    best: str | None = None
    for candidate in candidates:
        known, others = _fold(candidate)
        if (letters & ~others).bit_count() > limit or (others & ~letters).bit_count() > limit:
            continue
        short = min(len(known), len(wanted)) < 3
        if candidate == word or (short and known != wanted and not _extends(known, wanted)):
            continue
        cost = distance(wanted, known, limit)
        if cost <= limit:
            best, limit = candidate, cost - 1
    return best


def distance(a: str, b: str, limit: int) -> int:
    """Insertions, deletions, replacements and swaps of neighbours from `a` to `b`.

    The optimal string alignment distance; anything above `limit` is given as `limit + 1`.
    """
    if abs(len(a) - len(b)) > limit or limit < 0:
        return limit + 1
    two: list[int] = []
    one = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        row = [i]
        for j, y in enumerate(b, 1):
            cost = min(one[j] + 1, row[j - 1] + 1, one[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                cost = min(cost, two[j - 2] + 1)
            row.append(cost)
        if min(row) > limit:
            return limit + 1
        two, one = one, row
    return min(one[-1], limit + 1)


def _extends(a: str, b: str) -> bool:
    """Whether one of two words is the other, of two letters, and one more (`op`, `opp`)."""
    return min(len(a), len(b)) == 2 and (a.startswith(b) or b.startswith(a))


@lru_cache(maxsize=16_384)
def _fold(word: str) -> tuple[str, int]:
    """The word as it is compared, and the set of its letters as bits.

    Each slip brings in one letter at most, so that two sets that differ by more are far apart.
    """
    folded = word.lower().replace("-", "_")
    letters = 0
    for letter in folded:
        letters |= 1 << ord(letter) % 64
    return folded, letters
