"""What a change costs: differences of two plans, estimated with the same chance."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

import mashbill as mb
from mashbill.compiler.changes import Change
from mashbill.compiler.comparing import Subject, compare_costs
from mashbill.compiler.comparing_words import difference
from mashbill.compiler.comparison import STILL, Comparison, Move, StepMove
from mashbill.compiler.estimating.estimates import Spending
from mashbill.compiler.estimating.facts import Facts, Moments, NodeFacts, Price, SourceFacts
from mashbill.compiler.estimating.numbers import UNKNOWN, Number
from mashbill.compiler.quantities import show_count
from mashbill.compiler.textdiff import FileDiff, Line
from tests.runtime.conftest import MODELS, PROMPT, Spine, make_spine

RECIPE = (
    MODELS
    + """\
steps:
  long: { op: filter, from: docs, keep: words(text) > 8 }
  book:
    op: rewrite
    from: long
    model: writer
    prompt: prompts/book.md.j2
    checks: { kept: { kind: expr, pass: "not contains(text, 'Maren')" } }
    on_fail: [{ retry: 2 }]
"""
)
BYTES = 400.0


def seen(
    mean: Mapping[str, float], spread: float = 0.0, rows: int = 400, degrees: float = 399.0
) -> Moments:
    """Moments of outcomes that do not depend on size, with about this relative standard error."""
    names = tuple(mean)
    cov = tuple(
        tuple((spread * (1 + i / 10) * mean[a]) ** 2 if a == b else 0.0 for b in names)
        for i, a in enumerate(names)
    )
    return Moments(
        rows, degrees, BYTES, names, tuple(mean.values()), tuple(0.0 for _ in names), cov
    )


def facts(
    *,
    rows: float = 10_000,
    kept: float = 0.5,
    prompt: float = 120.0,
    reply: float = 100.0,
    calls: float = 1.1,
    spread: float = 0.02,
    step: str = "book",
    held: float = 0.0,
    priced: bool = True,
) -> Facts:
    """A source of so many rows, a filter that keeps some, and a piloted step."""
    size = rows * BYTES
    settled = seen(
        {
            "units": 1.0, "rows_out": 0.95, "size_out": 0.9 * BYTES,
            "calls:writer": calls, "prompt:writer": calls * prompt, "reply:writer": calls * reply,
        },
        spread,
        rows=256,
    )  # fmt: skip
    return Facts(
        sources={"docs": SourceFacts(rows, size, exact=True, sampled=1000)},
        nodes={
            "long": NodeFacts(
                rows_in=1000,
                reached=seen({"rows_out": kept, "size_out": kept * BYTES}, spread),
            ),
            step: NodeFacts(
                rows_in=500,
                reached=seen({"units": 1.0, "prompt": prompt, "source": 90.0}, spread),
                settled=settled,
                settled_rows=256,
                held=held,
            ),
        },
        prices={"writer": Price(1e-6, 2e-6)} if priced else {},
        unpriced=frozenset() if priced else frozenset({"writer"}),
    )


@pytest.fixture
def project(tmp_path: Path) -> Spine:
    return make_spine(tmp_path / "edu", ["One two three."], recipe=RECIPE)


def side(spine: Spine, given: Facts, label: str = "now") -> Subject:
    plan = mb.load(spine.folder).plan(survey=False)
    return Subject(label, plan.record, plan.meaning, given)


def compared(
    spine: Spine, change: Callable[[Spine], None], before: Facts, after: Facts
) -> Comparison:
    old = side(spine, before, "r-0004")
    change(spine)
    return compare_costs(old, side(spine, after, "recipe.yaml"))


def edit_prompt(spine: Spine) -> None:
    (spine.folder / "prompts/book.md.j2").write_text(
        PROMPT.replace("Keep all facts.", "Keep all facts.\nUse short words.")
    )


def nothing(_: Spine) -> None:
    """No change."""


def step_of(found: Comparison, name: str) -> Mapping[str, Move]:
    return next(s.moves for s in found.steps if s.name == name)


def test_nothing_changed_costs_nothing_however_uncertain(project: Spine) -> None:
    found = compared(project, nothing, facts(spread=0.2), facts(spread=0.2))
    assert not found.changed
    assert all(move.still for step in found.steps for move in step.moves.values())
    assert all(move.still for move in found.total.values())
    total = found.total["usd"]
    assert total.before.value == total.after.value == pytest.approx(1.76, rel=0.1)
    assert total.before.interval is not None


def test_what_the_ledger_holds_says_nothing_of_what_a_change_costs(project: Spine) -> None:
    paid = compared(project, nothing, facts(held=5000), facts())
    assert paid.total["calls"].before.value == pytest.approx(5500, rel=0.02)
    assert paid.total["calls"].still


def test_an_unchanged_step_is_the_same_though_other_rows_of_it_were_seen(project: Spine) -> None:
    found = compared(project, nothing, facts(reply=97), facts(reply=100))
    assert found.total["reply"].still


def test_a_changed_filter_moves_what_is_below_it(project: Spine) -> None:
    found = compared(
        project,
        lambda s: s.edit("words(text) > 8", "words(text) > 9"),
        facts(kept=0.5),
        facts(kept=0.4),
    )
    assert [(s.name, s.symbol) for s in found.changed] == [("long", "~"), ("book", "↻")]
    calls = step_of(found, "book")["calls"].difference
    assert calls.value == pytest.approx(-1100, rel=0.03)
    assert calls.interval is not None
    assert calls.interval[0] < -1100 < calls.interval[1]


def test_what_both_share_cancels(project: Spine) -> None:
    """How many rows reach a changed step is uncertain on both sides in the same way."""
    before, after = facts(), facts(calls=1.21)
    wide = seen({"rows_out": 0.5, "size_out": 0.5 * BYTES}, 0.2)
    before, after = (
        replace(f, nodes={**f.nodes, "long": replace(f.nodes["long"], reached=wide)})
        for f in (before, after)
    )
    move = step_of(compared(project, edit_prompt, before, after), "book")["calls"]
    assert move.difference.value == pytest.approx(550, rel=0.1)
    assert move.before.interval is not None and move.difference.interval is not None
    whole, off = (high - low for low, high in (move.before.interval, move.difference.interval))
    assert off < whole / 3


def test_what_a_change_makes_uncertain_does_not_cancel(project: Spine) -> None:
    """The replies to another prompt are other replies, however alike their means."""
    found = compared(project, edit_prompt, facts(spread=0.1), facts(spread=0.1))
    move = step_of(found, "book")["reply"]
    assert move.before.interval is not None and move.difference.interval is not None
    before, off = (high - low for low, high in (move.before.interval, move.difference.interval))
    assert off > before
    assert move.difference.low is not None and move.difference.high is not None
    assert move.difference.low < 0 < move.difference.high


def test_how_often_a_model_is_asked_changes_no_reply(project: Spine) -> None:
    """More attempts of the same request: what one is like is as uncertain as it was, on both."""
    before = facts(spread=0.1)
    found = compared(
        project, lambda s: s.edit("retry: 2", "retry: 5"), before, facts(calls=1.21, spread=0.1)
    )
    move = step_of(found, "book")["reply"]
    assert move.difference.value == pytest.approx(55_000, rel=0.1)
    assert move.before.interval is not None and move.difference.interval is not None
    whole, off = (high - low for low, high in (move.before.interval, move.difference.interval))
    assert off < whole / 5


def test_new_and_dropped_steps(project: Spine) -> None:
    def rename(spine: Spine) -> None:
        spine.edit("  book:\n    op: rewrite\n", "  text:\n    op: rewrite\n")
        spine.edit("retry: 2", "retry: 3")

    found = compared(project, rename, facts(), facts(step="text"))
    assert [(s.name, s.symbol) for s in found.changed] == [("text", "+"), ("book", "-")]
    new, gone = step_of(found, "text")["calls"], step_of(found, "book")["calls"]
    assert new.before.value == gone.after.value == 0
    assert new.difference.value == pytest.approx(5500, rel=0.02)
    assert gone.difference.value == pytest.approx(-5500, rel=0.02)
    assert found.total["calls"].difference.value == pytest.approx(0, abs=200)


def test_a_step_that_is_only_called_otherwise_costs_the_same(project: Spine) -> None:
    found = compared(
        project,
        lambda s: s.edit("  book:\n    op: rewrite\n", "  text:\n    op: rewrite\n"),
        facts(spread=0.1),
        facts(step="text", spread=0.1),
    )
    assert not found.changed
    assert found.total["calls"].still


def test_an_unknown_price_is_no_zero(project: Spine) -> None:
    found = compared(project, edit_prompt, facts(priced=False), facts(priced=False))
    assert found.total["usd"] == Move(UNKNOWN, UNKNOWN, UNKNOWN)
    assert "USD             ? → ?      ?" in found.text()
    found = compared(project, nothing, facts(priced=False), facts())
    assert found.total["usd"].before == found.total["usd"].after


def test_what_all_rows_have_been_asked_is_known(project: Spine) -> None:
    given = facts(spread=0.3)
    node = replace(given.nodes["book"], whole=True, rows_in=256, settled_rows=256)
    given = replace(given, nodes={**given.nodes, "book": node})
    found = compared(project, nothing, given, given)
    per_row = found.total["calls"].before
    assert per_row.interval is not None, "the filter before it is sampled"
    narrow = per_row.interval[1] - per_row.interval[0]
    wide = compared(project, nothing, facts(spread=0.3), facts(spread=0.3)).total["calls"].before
    assert wide.interval is not None
    assert narrow < wide.interval[1] - wide.interval[0]


# -- in words


def num(value: float, low: float | None = None, high: float | None = None) -> Number:
    return Number(value, "e" if low is None else "p", low, high)


def moved(before: Number, after: Number, *off: float) -> Move:
    return Move(before, after, num(*off))


CALLS = moved(num(434e3), num(434e3), 0)
IN = moved(num(569e6, 560e6, 578e6), num(602e6, 592e6, 612e6), 33e6, 10e6, 56e6)
OUT = moved(num(322e6, 310e6, 334e6), num(298e6, 250e6, 346e6), -24e6, -60e6, 12e6)
HOURS = moved(num(7.6), num(8.25), 0.65, 0.1, 1.2)
USD = moved(num(24.1), num(25.3), 1.2, 0.4, 2.0)
BOOK = {"calls": CALLS, "prompt": IN, "reply": OUT, "hours": HOURS, "usd": USD}
PROMPT_DIFF = FileDiff(
    "prompts/book.md.j2",
    (Line("-", 2, "Keep all facts."), Line("+", 2, "Keep all facts."), Line("+", 3, "Be `short`.")),
)
COMPARISON = Comparison(
    "edu",
    "r-0004",
    "recipe.yaml",
    (
        StepMove("docs", "=", ("unchanged",), (), STILL),
        StepMove(
            "web_quality", "~", ("keep: score > 2.5 → score > 3",), (),
            moved(num(465e3), num(409e3), -56e3, -60e3, -52e3),
        ),
        StepMove("book", "~", ("prompt: system block",), (PROMPT_DIFF,), STILL, BOOK),
        StepMove("old", "-", ("dropped",), (), moved(num(12), num(0), -12),
                 {"calls": moved(num(12), num(0), -12)}),
    ),
    (Change("field", "mix.total", 4000, 5000),),
    {**BOOK, "calls": moved(num(434012), num(434e3), -12)},
    Spending(calls=num(126e3), usd=num(12, 10.5, 13.5), gpu_hours=UNKNOWN),
    ("r-0004 sent 434k calls.",),
)  # fmt: skip


GOLDEN = Path(__file__).parent / "golden"


def golden(name: str, text: str) -> None:
    """Hold a text against a file; `MASHBILL_UPDATE=1` writes it."""
    if os.environ.get("MASHBILL_UPDATE") == "1":
        (GOLDEN / name).write_text(text, "utf-8")
    assert text == (GOLDEN / name).read_text("utf-8")


def test_the_text() -> None:
    golden("compare.txt", COMPARISON.text() + "\n")
    assert str(COMPARISON) == COMPARISON.text()
    for width in (60, 80, 120):
        assert all(len(line) <= width for line in COMPARISON.text(width).splitlines())


def exact(prompt: float = 120.0) -> Facts:
    return facts(spread=0.002, prompt=prompt)


def test_nothing_has_changed(project: Spine) -> None:
    found = compared(project, nothing, exact(), exact())
    assert "   Nothing has changed: the cost is the same.\n" in found.text()
    assert "calls       5.50k → 5.50k  the same" in found.text()
    assert found.markdown() == (
        "**spine**: `r-0004` → `recipe.yaml`\n\nNothing has changed: the cost is the same.\n"
    )


def test_how_the_data_set_is_made_is_told_too(project: Spine) -> None:
    found = compared(
        project,
        lambda s: s.edit("steps:\n", "output: { format: jsonl }\nsteps:\n"),
        exact(),
        exact(),
    )
    assert " ~ data set\n     output.format: parquet → jsonl\n" in found.text()
    assert "Nothing that a step does has changed: the cost is the same." in found.text()


def test_markdown() -> None:
    golden("compare.md", COMPARISON.markdown())


def test_no_prompt_puts_markup_into_a_pull_request(project: Spine) -> None:
    def edit(spine: Spine) -> None:
        (spine.folder / "prompts/book.md.j2").write_text(
            PROMPT.replace("Keep all facts.", "Keep.\n```\n</details><b>gone</b> \x1b[31m")
        )

    told = compared(project, edit, exact(), exact()).markdown()
    body = told.partition("````diff\n")[2].partition("\n````\n")[0]
    assert "</details><b>gone</b>" in body, "inside of a fence that it cannot end"
    assert "\x1b" not in told


def test_json(project: Spine) -> None:
    found = compared(project, edit_prompt, exact(), exact(prompt=130.0))
    value = json.loads(json.dumps(found.to_json()))
    assert value["mashbill_comparison"] == 1
    assert (value["old"], value["new"]) == ("r-0004", "recipe.yaml")
    book = value["steps"]["book"]
    assert book["symbol"] == "~" and book["said"] == ["prompt: system block"]
    assert book["prompts"] == [{"path": "prompts/book.md.j2", "added": 2, "removed": 1}]
    move = value["total"]["prompt"]
    assert move["difference"]["value"] == pytest.approx(
        move["after"]["value"] - move["before"]["value"]
    )
    assert move["difference"]["low"] < move["difference"]["value"] < move["difference"]["high"]


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (Number(1200.0, "e"), "+1.20k"),
        (Number(-1200.0, "s", -1300.0, -1100.0), "-1.20k [-1.30k to -1.10k]"),
        (Number(0.0, "s", -5.0, 5.0), "0 [-5 to +5]"),
        (Number(0.0, "e"), "the same"),
        (UNKNOWN, "?"),
    ],
)
def test_differences(number: Number, told: str) -> None:
    assert difference(Move(UNKNOWN, UNKNOWN, number), show_count) == told
