"""Equality on the pairs of `cases/`: right on every one, and mostly without SymPy."""

from __future__ import annotations

from collections import Counter

import pytest

from mashbill.runtime.maths.comparing import compare
from mashbill.runtime.maths.equality import Comparison, equal
from mashbill.runtime.maths.reading import read

from .table import Pair, pairs

PAIRS = pairs()


def test_there_are_many_and_half_of_them_near_misses() -> None:
    many = Counter(pair.equal for pair in PAIRS)
    assert sum(many.values()) >= 800
    assert 0.45 < many[False] / len(PAIRS) < 0.55
    assert len({(p.gold, p.got) for p in PAIRS}) >= 0.99 * len(PAIRS)


@pytest.mark.parametrize("pair", [pytest.param(p, id=p.id) for p in PAIRS])
def test_pair(pair: Pair) -> None:
    found = equal(pair.gold, pair.got)
    assert isinstance(found, Comparison)
    assert found.equal is pair.equal, (found, read(pair.gold), read(pair.got))


def test_exact_arithmetic_is_never_wrong_and_decides_nearly_all() -> None:
    verdicts = [(pair, compare(read(pair.gold), read(pair.got))) for pair in PAIRS]
    assert [pair.id for pair, verdict in verdicts if verdict not in (pair.equal, None)] == []
    told = sum(verdict is not None for _, verdict in verdicts)
    assert told >= 0.94 * len(PAIRS)


@pytest.mark.parametrize("kind", sorted({p.kind for p in PAIRS}))
def test_what_is_equal_one_way_is_the_other(kind: str) -> None:
    # Only a year that the wanted date leaves out makes a difference.
    for pair in PAIRS:
        if pair.kind == kind:
            forth = compare(read(pair.gold), read(pair.got))
            back = compare(read(pair.got), read(pair.gold))
            assert forth == back, pair.id


def test_every_answer_equals_itself() -> None:
    for pair in PAIRS:
        if pair.gold.strip():
            assert equal(pair.gold, pair.gold).equal, pair.gold
