"""For how many rows those stand whose calls are in the ledger."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import polars as pl
import pytest

from mashbill.runtime.outcome import Outcome
from mashbill.runtime.surveying import looking
from mashbill.runtime.surveying.looking import Beyond, Looked
from mashbill.runtime.surveying.replies import UNKNOWN, Found, Paid
from mashbill.runtime.surveying.settled import settled
from tests.runtime.conftest import documents

from .conftest import surveyed

PAID = Found(Paid(Counter({"m": 1})), (Outcome("out", ({},)),))
FREE = Found(Paid(), (Outcome("rejected", ({},)),))


def looked(
    found: list[Found], weight: float, beyond: Beyond | None = None, draws: int = 1
) -> Looked:
    count = len(found)
    frame = pl.DataFrame(
        {
            "_order": [i // draws for i in range(count)],
            "_weight": [weight] * count,
            "_there": [weight] * count,
        }
    )
    return Looked(frame, [{} for _ in found], None, found, False, beyond)


def test_rows_of_a_pilot_are_there_by_themselves() -> None:
    known = settled(looked([PAID] * 64 + [UNKNOWN] * 936, 1000.0))
    assert known.held == pytest.approx(64)
    assert known.there == (1.0,) * 64
    assert sum(known.stands) * 1000 == pytest.approx(1_000_000)


def test_one_that_failed_does_not_spoil_it() -> None:
    """Else the 61 behind it would be 6 % of a million rows."""
    found = [PAID] * 2 + [UNKNOWN] + [PAID] * 61 + [UNKNOWN] * 936
    assert settled(looked(found, 1000.0)).held == pytest.approx(63)


def test_rows_of_a_run_that_was_cut_short_are_anywhere() -> None:
    found = [PAID if i % 10 in (1, 4, 6, 7) else UNKNOWN for i in range(1000)]
    known = settled(looked(found, 50.0))
    assert known.held == pytest.approx(0.4 * 50_000)
    assert known.there == (50.0,) * 400


def test_a_pilot_over_a_run_that_was_cut_short() -> None:
    found = [PAID] * 200 + [PAID if i % 4 == 0 else UNKNOWN for i in range(800)]
    assert settled(looked(found, 10.0)).held == pytest.approx(200 + 0.25 * 9800, rel=0.01)


def test_rows_that_ask_nobody_are_no_sign_of_a_run() -> None:
    found = [PAID, FREE] * 30 + [UNKNOWN, FREE] * 300
    known = settled(looked(found, 100.0))
    assert known.held == pytest.approx(60, abs=1)
    assert known.asking == 30
    grown = {s for s, i in zip(known.stands, known.rows, strict=True) if found[i] is PAID}
    assert grown == {11.0}
    assert settled(looked([FREE] * 9 + [UNKNOWN] * 9, 1.0)).known is False


def test_of_a_document_all_draws_or_none() -> None:
    found = [PAID, PAID, PAID, UNKNOWN, UNKNOWN, UNKNOWN]
    assert settled(looked(found, 1.0, draws=2)).rows == (0, 1)


def test_everything() -> None:
    assert settled(looked([PAID] * 50, 3.0)).held == pytest.approx(150)
    assert settled(looked([PAID] * 50, 3.0, Beyond(500, 1.0))).held == pytest.approx(150)


def test_a_pilot_of_more_than_was_looked_at() -> None:
    known = settled(looked([PAID] * 1000, 30.0, Beyond(2500, 0.0)))
    assert known.held == pytest.approx(2500)
    assert sum(known.there) == pytest.approx(2500)


MADE = """\
steps:
  made: { op: generate, from: docs, model: writer, prompt: prompts/book.md.j2 }
"""


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few rows are looked at."""
    monkeypatch.setattr(looking, "ROWS", 40)
    monkeypatch.setattr(looking, "MOST_ROWS", 60)
    monkeypatch.setattr(looking, "BLOCK", 20)


@pytest.mark.usefixtures("short")
def test_how_far_a_long_pilot_got_is_found(tmp_path: Path) -> None:
    project = surveyed(tmp_path, documents(600, 1), MADE)
    project.pilot(230)
    assert project.node("made").held == pytest.approx(230, abs=5)


@pytest.mark.usefixtures("short")
def test_a_finished_run_is_seen_to_be_one(tmp_path: Path) -> None:
    project = surveyed(tmp_path, documents(300, 1), MADE)
    project.spine.good_run()
    made = project.node("made")
    assert made.held == pytest.approx(300)
    assert made.settled_rows == 60
