"""Surveys of sources that are not looked at as a whole, and of ledgers that hold a part."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mashbill.runtime.catalog import load_catalog
from mashbill.runtime.surveying import drawing
from tests.runtime.conftest import MODELS, documents

from .conftest import Surveyed, surveyed

FILTERED = """\
steps:
  long: { op: filter, from: docs, keep: words(text) > 30 }
  made: { op: generate, from: long, model: writer, prompt: prompts/book.md.j2 }
"""


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """A survey is content with the first rows that it draws."""
    monkeypatch.setattr(drawing, "ENOUGH_ROWS", 100)
    monkeypatch.setattr(drawing, "ENOUGH_BYTES", 1)


def words(count: int, seed: int) -> list[str]:
    rng = np.random.default_rng(seed)
    return [f"{i} " + "word " * int(n) for i, n in enumerate(rng.lognormal(3.2, 0.8, count))]


@pytest.mark.usefixtures("few")
def test_a_sample_stands_for_all(tmp_path: Path) -> None:
    texts = sorted(words(5000, 1), key=len)
    facts = surveyed(tmp_path, texts, FILTERED).facts()
    long, made = facts.nodes["long"], facts.nodes["made"]
    assert not facts.exact
    assert 1000 <= long.rows_in < 3000
    assert not long.whole
    assert long.reached is not None
    assert made.reached is not None
    keeps = sum(len(t.split()) > 30 for t in texts) / len(texts)
    spread = long.reached.cov[0][0] ** 0.5
    assert abs(long.reached.mean[0] - keeps) < 4 * spread
    assert 0 < spread < 0.02
    assert made.rows_in == pytest.approx(long.rows_in * long.reached.mean[0])


@pytest.mark.usefixtures("few")
def test_a_pilot_of_a_sample_is_met_first(tmp_path: Path) -> None:
    project = surveyed(tmp_path, words(4000, 2), FILTERED)
    project.pilot(30)
    made = project.node("made")
    assert (made.settled_rows, made.held) == (30, pytest.approx(30))
    assert not made.whole


@pytest.mark.usefixtures("few")
def test_a_limit_of_a_sample(tmp_path: Path) -> None:
    """Of a sample, the rows that are the first by `_doc`: these are in the run for certain."""
    steps = FILTERED.replace("from: long,", "from: long, limit: 400,")
    project = surveyed(tmp_path, words(4000, 3), steps)
    made = project.pilot(25)
    assert made.sent == 25
    assert project.node("made").held == pytest.approx(25)
    record = project.spine.good_run()
    assert record["models"]["writer"]["reused"] == 25


def whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `filter` be a step that looks at all rows, as one that drops duplicates does."""
    steps = load_catalog().steps
    assert isinstance(steps, dict)
    monkeypatch.setitem(steps, "filter", replace(steps["filter"], whole=True))


@pytest.mark.usefixtures("few")
def test_what_needs_all_rows_is_not_extrapolated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole(monkeypatch)
    facts = surveyed(tmp_path, words(3000, 4), FILTERED).facts()
    long, made = facts.nodes["long"], facts.nodes["made"]
    assert long.reached is None
    assert not made.whole
    assert made.rows_in == 1000  # they go on as they came


def test_what_needs_all_rows_counts_where_they_are_all_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole(monkeypatch)
    texts = words(300, 5)
    long = surveyed(tmp_path, texts, FILTERED).node("long")
    assert long.whole
    assert long.reached is not None
    kept = sum(len(t.split()) > 30 for t in texts)
    assert long.reached.mean[0] * 300 == pytest.approx(kept)


CHAIN = """\
steps:
  made: { op: generate, from: docs, model: writer, prompt: prompts/book.md.j2 }
  more: { op: generate, from: made, model: writer, prompt: prompts/more.md.j2 }
"""


def half_paid(folder: Path, step: str) -> Surveyed:
    """A project of which half the documents have been through a run, before a step if any."""
    texts = documents(120)
    steps = CHAIN[: CHAIN.index(f"  {step}:")] if step else CHAIN
    project = surveyed(folder, texts[:60], steps)
    prompts = project.spine.folder / "prompts"
    told = (prompts / "book.md.j2").read_text().replace("all facts", "it short")
    (prompts / "more.md.j2").write_text(told)
    project.spine.good_run()
    project.spine.feed({"text": t} for t in texts)
    project.spine.write(MODELS + CHAIN)
    return project


def test_of_the_rows_behind_the_first_that_lacks_its_share_is_held(tmp_path: Path) -> None:
    facts = half_paid(tmp_path, "more").facts()
    made, more = facts.nodes["made"], facts.nodes["more"]
    assert (made.settled_rows, made.held) == (60, pytest.approx(60))
    assert (more.rows_in, more.assumed, more.held) == (60, False, 0)
    assert more.settled is None
    assert more.reached is not None
    assert more.reached.of("units") == pytest.approx(1)


def test_no_more_is_held_further_on_than_gets_there(tmp_path: Path) -> None:
    """All rows that reach the second step have their replies: they are half of those that will."""
    more = half_paid(tmp_path, "").node("more")
    assert (more.settled_rows, more.held) == (60, pytest.approx(60))


def test_rows_that_a_filter_sets_aside(tmp_path: Path) -> None:
    steps = """\
steps:
  long: { op: filter, from: docs, keep: words(text) > 30 }
  made: { op: generate, from: long.rejected, model: writer, prompt: prompts/book.md.j2 }
"""
    texts = words(300, 6)
    project = surveyed(tmp_path, texts, steps)
    made = project.node("made")
    assert made.rows_in == sum(len(t.split()) <= 30 for t in texts)
    assert project.pilot(10).sent == 10
    assert project.node("made").held == pytest.approx(10)


def test_draws_of_several_batches_and_of_two_sources_keep_their_places(tmp_path: Path) -> None:
    models = MODELS + "  others: { path: others.jsonl, license: CC0-1.0, origin: human }\n"
    steps = FILTERED.replace("from: docs", "from: [docs, others]")
    project = surveyed(tmp_path, words(2500, 7), steps, models)
    other = words(700, 8)
    project.spine.feed(({"text": t} for t in other), "others.jsonl")
    facts = project.facts()
    long = facts.nodes["long"]
    assert (long.rows_in, long.whole) == (3200, True)
    kept = sum(len(t.split()) > 30 for t in [*words(2500, 7), *other])
    assert long.reached is not None
    assert long.reached.mean[0] * 3200 == pytest.approx(kept)
    assert facts.sources["docs"].size + facts.sources["others"].size == pytest.approx(
        long.reached.size * 3200
    )
