"""A model that thinks by default, from the plan over a pilot to the end of a run (M254)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.guarding.folders import project
from tests.runtime.conftest import Spine, checks_in_this_process

from .server import Report, Thinker, thinking

__all__ = ["checks_in_this_process"]

ROWS = 60
RECIPE = """\
mashbill: 1
name: costly
models:
  solver:
    use: http/large
    url: http://localhost:8000/v1
    price: { input: 1, output: 10 }
    sampling: { max_tokens: 400 }
    placement: { concurrency: 4 }
sources:
  web: { path: web.jsonl, license: CC0-1.0, origin: human }
steps:
  book: { op: generate, from: web, model: solver, prompt: prompts/book.md.j2 }
"""


class Case(Spine):
    """A folder and its server."""

    server: Thinker

    def plan(self, *options: str) -> tuple[dict[str, Any], str]:
        """The plan as JSON, and what was warned of."""
        said = self.do("plan", "--format", "json", *options)
        assert said.code == 0, said.text
        value: dict[str, Any] = json.loads(said.out)
        return value, said.err


def made(folder: Path, server: Thinker, recipe: str = RECIPE) -> Case:
    where = project(folder, recipe, solver=server.url)
    case = Case(where.folder)
    case.feed(({"text": f"Row {n} of a few words."} for n in range(ROWS)), "web.jsonl")
    return case


@pytest.fixture
def server() -> Iterator[Thinker]:
    with thinking(Thinker()) as server:
        yield server


WARNED = "warning[M254]: `solver` thinks by default; hidden tokens are billed and were 23× the"


def test_the_pilot_shows_it_the_run_stays_inside_and_says_it_once(
    tmp_path: Path, server: Thinker
) -> None:
    case = made(tmp_path, server)
    before, said = case.plan()
    assert "M254" not in said, "nobody has seen a reply"
    assert before["steps"][-1]["estimate"]["hidden"] == {}
    after, said = case.plan("--pilot", "16")
    words = " ".join(said.split())
    assert f"{WARNED} visible ones in `book` (95.8% of its reply tokens)" in words
    assert "recipe.yaml:5:" in words, "at the model"
    assert "switch it off: `thinking: false` in models.solver" in words
    (book,) = (s["estimate"] for s in after["steps"] if s["name"] == "book")
    assert book["hidden"] == {"solver": pytest.approx(23 / 24)}
    paid = server.hidden, server.visible
    run = case.do("run", "--format", "text")
    assert run.code == 0, run.text
    assert "warning[M254]" in run.err and "M254" not in run.out, "its plan says it, not its end"
    record = case.last()
    hidden, visible = server.hidden - paid[0], server.visible - paid[1]
    found = record["models"]["solver"]
    assert record["warnings"] == []
    assert (found["hidden_tokens"], found["completion_tokens"]) == (hidden, hidden + visible)
    assert record["paid"]["book"]["models"]["solver"]["hidden_tokens"] == hidden
    tokens = record["afterwards"]["total"]["reply_tokens"]
    assert tokens["actual"] == hidden + visible
    assert tokens["inside"] and tokens["ratio"] == pytest.approx(1, abs=0.1)
    assert record["afterwards"]["total"]["usd"]["actual"] == pytest.approx(
        (11 * (ROWS - 16) + 10 * (hidden + visible)) / 1e6
    )


def test_without_a_pilot_the_end_of_the_run_says_it(tmp_path: Path, server: Thinker) -> None:
    case = made(tmp_path, server)
    run = case.do("run", "--format", "text")
    assert run.code == 0, run.text
    assert "M254" not in run.err
    assert f"{WARNED} visible ones in this run (95.8% of its reply tokens)" in run.out
    assert "of the tokens out hidden: thoughts" in run.out
    (warning,) = case.last()["warnings"]
    assert warning["code"] == "M254" and "thinking: false" in warning["help"]
    (events,) = case.folder.glob(".mashbill/runs/*/events.ndjson")
    told = [json.loads(line) for line in events.read_text().splitlines()]
    assert [e["message"] for e in told if e.get("code") == "M254"] == [warning["message"]]
    assert "thinks by default" in case.do("status").out
    case.edit("max_tokens: 400", "max_tokens: 500")
    assert "M254" in case.plan()[1], "the replies of the run are in the ledger"


def test_history_holds_thoughts_too(tmp_path: Path, server: Thinker) -> None:
    case = made(tmp_path, server)
    assert case.do("run", "--format", "text").code == 0
    each = (server.hidden + server.visible) / ROWS
    # Other rows, so that no reply of the ledger answers; what is known is what the run noted.
    case.feed(({"text": f"Line {n} of a few words."} for n in range(ROWS)), "web.jsonl")
    (book,) = (s["estimate"] for s in case.plan()[0]["steps"] if s["name"] == "book")
    tokens = book["spending"]["reply_tokens"]
    assert tokens["basis"] == "h" and book["piloted"] == 0
    assert tokens["value"] == pytest.approx(each * ROWS, rel=0.15)


@pytest.mark.parametrize("report", ["apart", "whole", "text"])
def test_it_is_seen_however_it_is_reported(tmp_path: Path, report: Report) -> None:
    with thinking(Thinker(report=report)) as server:
        case = made(tmp_path, server, RECIPE.replace("max_tokens: 400", "max_tokens: 40"))
        plan, said = case.plan("--pilot", "8")
        assert "M254" in said
        asked = len(server.asked)
        (book,) = (s["estimate"] for s in plan["steps"] if s["name"] == "book")
        assert book["piloted"] == 8, "the ledger answers, though thoughts went past max_tokens"
        assert case.do("run", "--format", "text").code == 0
        assert len(server.asked) - asked == ROWS - 8 + 1, "the pilot's, and the probe"


@pytest.mark.parametrize(
    ("option", "heeds", "told"),
    [
        ("thinking: true", True, ""),
        ("thinking: false", True, ""),
        ("thinking: false", False, "in spite of `thinking: false`"),
    ],
)
def test_what_the_recipe_says_of_it(tmp_path: Path, option: str, heeds: bool, told: str) -> None:
    with thinking(Thinker(heeds=heeds)) as server:
        recipe = RECIPE.replace("    price:", f"    {option}\n    price:")
        _, said = made(tmp_path, server, recipe).plan("--pilot", "8")
    assert ("M254" in said) is bool(told)
    assert told in " ".join(said.split())
    if told:
        assert "take a model that does not think" in " ".join(said.split())


def test_a_model_that_does_not_think_is_not_spoken_of(tmp_path: Path) -> None:
    with thinking(Thinker(report="none")) as server:
        case = made(tmp_path, server)
        assert "M254" not in case.plan("--pilot", "8")[1]
        run = case.do("run", "--format", "text")
        assert "M254" not in run.text and "hidden" not in run.out
        assert case.last()["models"]["solver"]["hidden_tokens"] == 0


def test_a_few_thoughts_are_not_worth_a_word(tmp_path: Path) -> None:
    with thinking(Thinker(times=0)) as server:
        assert "M254" not in made(tmp_path, server).plan("--pilot", "8")[1]


def test_a_run_that_its_thoughts_have_paused_says_why(tmp_path: Path, server: Thinker) -> None:
    case = made(tmp_path, server, RECIPE + "budget: { tokens: 4k }\n")
    run = case.do("run", "--format", "text", "--over-budget")
    assert run.code != 0 and "Paused: " in run.err, run.text
    assert f"{WARNED} visible ones in this run" in run.err
