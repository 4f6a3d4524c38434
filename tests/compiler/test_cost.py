"""Estimates by hand: small facts, each number and the letter of where it came from."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from mashbill.compiler.cost import (
    Basis,
    Estimates,
    Facts,
    NodeFacts,
    Number,
    Past,
    SourceFacts,
    StepEstimate,
    estimate,
    total,
    weakest,
)
from mashbill.compiler.plan import Plan

from .world import plan_of

HEAD = """\
mashbill: 1
name: cost
models: { writer: fake/rewrite }
sources:
  docs: { path: docs.jsonl, license: CC0-1.0, origin: human }
  web: { path: web.jsonl, license: CC0-1.0, origin: human }
steps:
"""
BOOK = """\
  book:
    op: rewrite
    from: docs
    model: writer
    prompt: prompts/book.md.j2
    sampling: { max_tokens: 100 }
"""
ASKED = BOOK.replace("book:", "asked:").replace("rewrite", "generate")
CHECKS = "    checks: { length: {} }\n"
PAGES = "  pages: { op: filter, from: docs, keep: words(text) > 3 }\n"
SOURCES = {"docs": SourceFacts(1000, True), "web": SourceFacts(500, False)}


def plan(steps: str) -> Plan:
    return plan_of(HEAD + steps)


def step(steps: str, name: str, nodes: dict[str, NodeFacts], **facts: Any) -> StepEstimate:
    return estimate(plan(steps), Facts(SOURCES, nodes, **facts)).steps[name]


def number(value: float, basis: Basis) -> Number:
    """A number that is right to a few bits."""
    about: Any = pytest.approx(value)
    return Number(about, basis)


UNKNOWN = Number(None, "?")


def test_the_weakest_basis_stands() -> None:
    order = ["e", "l", "s", "h", "a", "?"]
    for i, one in enumerate(order):
        for other in order[i:]:
            assert weakest(one, other) == weakest(other, one) == other  # type: ignore[arg-type]


def test_an_unknown_number_stays_unknown() -> None:
    assert Number(3, "e").times(None, "s") == UNKNOWN
    assert UNKNOWN.times(2, "e") == UNKNOWN
    assert total([Number(3, "e"), UNKNOWN]) == UNKNOWN
    assert total([Number(3, "e"), Number(4, "h")]) == Number(7, "h")


# -- rows


def test_rows_of_a_source() -> None:
    found = estimate(plan("  both: { op: filter, from: [docs, web] }\n"), Facts(SOURCES))
    assert found.steps["docs"] == StepEstimate(Number(1000, "e"), Number(1000, "e"))
    assert found.steps["web"].rows_out == Number(500, "s")
    assert found.steps["both"].rows_in == Number(1500, "s")
    assert estimate(plan(PAGES), Facts()).steps["docs"].rows_out == UNKNOWN


def test_rows_of_a_filter() -> None:
    seen = {"pages": NodeFacts(rows_in=40, rows_out=10)}
    assert step(PAGES, "pages", seen).rows_out == Number(250, "s")
    assert step(PAGES, "pages", seen, exact=True).rows_out == Number(250, "e")
    assumed = {"pages": NodeFacts(rows_in=40, rows_out=10, assumed=True)}
    assert step(PAGES, "pages", assumed).rows_out == Number(250, "a")


def test_a_filter_that_was_not_measured_is_unknown_and_so_is_what_follows() -> None:
    steps = PAGES + BOOK.replace("from: docs", "from: pages")
    found = estimate(plan(steps), Facts(SOURCES, {"book": NodeFacts(rows_in=4, calls=8)})).steps
    assert found["pages"].rows_in == Number(1000, "e")
    assert found["pages"].rows_out == UNKNOWN
    book = found["book"]
    assert (book.rows_in, book.calls, book.worst_reply) == (UNKNOWN, UNKNOWN, UNKNOWN)


def test_nothing_kept_in_the_sample_is_a_measured_nothing() -> None:
    assert step(PAGES, "pages", {"pages": NodeFacts(rows_in=40)}).rows_out == Number(0, "s")


def test_a_limit() -> None:
    steps = "  few: { op: filter, from: docs, limit: 30 }\n"
    seen = {"few": NodeFacts(rows_in=30, rows_out=30)}
    assert step(steps, "few", seen).rows_in == Number(30, "e")
    loose = steps.replace("30", "3000")
    assert step(loose, "few", seen).rows_in == Number(1000, "e")
    unknown = PAGES + steps.replace("from: docs", "from: pages")
    assert step(unknown, "few", seen).rows_in == UNKNOWN


@pytest.mark.parametrize("inputs", ["pages.rejected", "[docs, pages.rejected]"])
def test_rows_that_leave_aside_are_unknown(inputs: str) -> None:
    steps = f"{PAGES}  rest: {{ op: filter, from: {inputs} }}\n"
    seen = {"pages": NodeFacts(40, 10), "rest": NodeFacts(5, 5)}
    assert step(steps, "rest", seen).rows_in == UNKNOWN


# -- calls and tokens

MEASURED = NodeFacts(rows_in=10, calls=20, prompt_tokens=1000, source_tokens=400)
"""Two chunks a row, 50 prompt tokens a call, 20 of them the chunk."""


def test_one_attempt() -> None:
    found = step(BOOK, "book", {"book": MEASURED})
    assert found.rows_in == Number(1000, "e")
    assert found.calls == number(2000, "s")
    assert found.prompt_tokens == number(100_000, "s")
    assert found.reply_tokens == number(2000 * 20, "a")
    assert found.worst_calls == number(2000, "s")
    assert found.worst_prompt == number(100_000, "s")
    assert found.worst_reply == number(200_000, "s")
    assert found.seconds == UNKNOWN
    assert found.rows_out == number(1000, "a")


def test_tokens_that_are_only_counted_roughly_are_assumed() -> None:
    found = step(BOOK, "book", {"book": MEASURED}, exact=True, exact_tokens=False)
    assert found.calls == number(2000, "e")
    assert found.prompt_tokens == number(100_000, "a")
    assert found.worst_reply == number(200_000, "e")


def test_a_reply_is_as_long_as_what_is_rewritten_and_never_longer_than_allowed() -> None:
    long = NodeFacts(rows_in=10, calls=10, prompt_tokens=9000, source_tokens=8000)
    assert step(BOOK, "book", {"book": long}).reply_tokens == number(1000 * 100, "a")
    asked = NodeFacts(rows_in=10, calls=10, prompt_tokens=500)
    assert step(ASKED, "asked", {"asked": asked}).reply_tokens == number(1000 * 50, "a")


def test_a_ladder_is_priced_rung_by_rung() -> None:
    """Half of the replies pass: 1 + 1/2 + 1/4 attempts, the last of them with its own limit."""
    ladder = """\
    on_fail:
      - retry: 1
      - retry: { times: 1, sampling: { max_tokens: 10 } }
"""
    found = step(BOOK + CHECKS + ladder, "book", {"book": MEASURED})
    assert found.calls == number(2000 * 1.75, "a")
    assert found.prompt_tokens == number(2000 * 1.75 * 50, "a")
    assert found.reply_tokens == number(2000 * (20 + 20 / 2 + 10 / 4), "a")
    assert found.worst_calls == number(2000 * 3, "s")
    assert found.worst_prompt == number(2000 * 3 * 50, "s")
    assert found.worst_reply == number(2000 * (100 + 100 + 10), "s")
    assert found.rows_out == number(1000 * 0.875, "a")


def test_the_worst_case_knows_that_a_retry_may_say_more() -> None:
    ladder = "    on_fail: [{ retry: { times: 2, sampling: { max_tokens: 400 } } }]\n"
    found = step(BOOK + CHECKS + ladder, "book", {"book": MEASURED})
    assert found.worst_reply == number(2000 * (100 + 400 + 400), "s")


def test_without_checks_nothing_is_assumed_to_fail() -> None:
    found = step(BOOK + "    on_fail: [{ retry: 3 }]\n", "book", {"book": MEASURED})
    assert found.calls == number(2000, "a")
    assert found.worst_calls == number(8000, "s")
    assert found.rows_out == number(1000, "a")


def test_samples() -> None:
    sampled = NodeFacts(rows_in=10, calls=40, prompt_tokens=2000)
    found = step(ASKED + CHECKS + "    samples: 4\n", "asked", {"asked": sampled})
    assert found.calls == number(4000, "s")
    assert found.rows_out == number(2000, "a")


def test_a_step_that_falls_back_loses_no_row() -> None:
    found = step(BOOK + CHECKS + "    on_fail: [{ fallback: input }]\n", "book", {"book": MEASURED})
    assert found.rows_out == number(1000, "e")


def test_the_ledger_knows_better() -> None:
    seen = NodeFacts(
        rows_in=10, rows_out=4, calls=20, prompt_tokens=1000, source_tokens=400,
        settled_rows=5, settled_units=10, settled_calls=15, settled_prompt=750, settled_reply=450,
    )  # fmt: skip
    found = step(BOOK + CHECKS + "    on_fail: [{ retry: 1 }]\n", "book", {"book": seen})
    assert found.reused == 0.5
    assert found.calls == number(1000 * 1.5, "s")
    assert found.reply_tokens == number(1000 * 45, "s")
    assert found.rows_out == number(800, "l")
    assert found.worst_calls == number(1000 * 2, "s")
    assert found.worst_reply == number(1000 * 200, "s")


def test_a_run_that_is_all_in_the_ledger_costs_nothing() -> None:
    seen = NodeFacts(rows_in=10, rows_out=10, calls=20, prompt_tokens=1000, settled_rows=10,
                     settled_units=20, settled_calls=20, settled_reply=400)  # fmt: skip
    found = step(BOOK, "book", {"book": seen}, exact=True)
    assert found.reused == 1.0
    assert found.calls == number(0, "l") and found.reply_tokens == number(0, "l")
    assert found.worst_calls == number(0, "e")


def test_the_last_run_knows_better_than_nothing() -> None:
    past = {
        "book": Past(attempts_per_unit=1.5, reply_tokens=30.0, yield_=0.9, tokens_per_second=500)
    }
    found = step(BOOK + CHECKS, "book", {"book": MEASURED}, past=past)
    assert found.calls == number(3000, "h")
    assert found.reply_tokens == number(90_000, "h")
    assert found.seconds == number(180, "h")
    assert found.rows_out == number(900, "h")
    slow = {"book": Past(1.5, 30.0, 0.9, None)}
    assert step(BOOK, "book", {"book": MEASURED}, past=slow).seconds == UNKNOWN


def test_what_was_not_rendered_is_unknown() -> None:
    found = step(BOOK, "book", {})
    assert found.rows_in == Number(1000, "e")
    assert (found.calls, found.prompt_tokens, found.reply_tokens) == (UNKNOWN,) * 3
    assert (found.worst_calls, found.worst_prompt, found.worst_reply) == (UNKNOWN,) * 3


def test_rows_without_anything_to_ask_about_cost_nothing() -> None:
    found = step(BOOK, "book", {"book": NodeFacts(rows_in=10, rows_out=10)})
    assert found.calls == Number(0, "s") and found.prompt_tokens == Number(0, "s")


# -- the mix


def mixed(parts: str, nodes: dict[str, NodeFacts], more: str = "") -> Estimates:
    mix = f"mix: {{ total: 10k tokens, parts: {{ {parts} }}, on_shortfall: shrink{more} }}\n"
    steps = PAGES + BOOK + "    on_fail: [{ fallback: input }]\n" + mix
    return estimate(plan(steps), Facts(SOURCES, nodes))


def test_supply_and_shares() -> None:
    nodes = {"pages": NodeFacts(10, 5, text_tokens=100), "book": NodeFacts(10, 10, text_tokens=60)}
    found = mixed("pages: 75%, book: 25%", nodes)
    assert found.supply == {"pages": number(10_000, "s"), "book": number(6000, "s")}
    assert found.taken == {"pages": 7500, "book": 2500}
    assert found.human_share == pytest.approx(0.75)


def test_a_rewrite_that_was_never_made_is_taken_to_be_as_long_as_its_text() -> None:
    nodes = {"pages": NodeFacts(10, 5, text_tokens=100), "book": MEASURED}
    assert mixed("pages: 75%, book: 25%", nodes).supply["book"] == number(40_000, "a")
    settled = replace(MEASURED, rows_out=10, settled_rows=10, text_tokens=60)
    nodes["book"] = settled
    assert mixed("pages: 75%, book: 25%", nodes).supply["book"] == number(6000, "s")


def test_an_unknown_part_leaves_the_mix_unknown() -> None:
    found = mixed("pages: 75%, book: 25%", {"pages": NodeFacts(10, 5, text_tokens=100)})
    assert found.supply["book"] == UNKNOWN
    assert found.taken == {} and found.human_share is None


def test_what_leaves_aside_is_unknown_in_the_mix_too() -> None:
    nodes = {"pages": NodeFacts(10, 5, text_tokens=100), "book": NodeFacts(10, 10, text_tokens=60)}
    found = mixed("pages.rejected: 75%, book: 25%", nodes)
    assert found.supply["pages.rejected"] == UNKNOWN
    assert found.taken == {}


def test_estimates_are_json() -> None:
    nodes = {"pages": NodeFacts(10, 5, text_tokens=100), "book": NodeFacts(10, 10, text_tokens=60)}
    value = json.loads(json.dumps(mixed("pages: 75%, book: 25%", nodes).to_json()))
    assert value["steps"]["pages"]["rows_out"] == {"value": 500.0, "basis": "s"}
