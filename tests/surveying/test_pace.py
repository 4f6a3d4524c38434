"""The steady part of a short run."""

from __future__ import annotations

import pytest

from mashbill.runtime.piloting.pace import steady


def test_ramp_and_tail_are_left_out() -> None:
    """Four slots of 100 tokens a second each, which start one after the other and end likewise."""
    spans = [
        (slot * 0.5 + turn, slot * 0.5 + turn + 1.0, 100) for slot in range(4) for turn in range(10)
    ]
    found = steady(spans)
    assert found is not None
    assert found.reply == pytest.approx(400)
    assert found.seconds == pytest.approx(8.5)
    everything = 4000 / 11.5
    assert found.reply > 1.1 * everything


def test_one_reply() -> None:
    found = steady([(5.0, 7.0, 60)])
    assert found is not None
    assert (found.reply, found.seconds, found.requests) == (30.0, 2.0, 1)
    assert steady([]) is None
