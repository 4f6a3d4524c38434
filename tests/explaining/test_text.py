"""A plan in the terminal: exact texts, no line too long, no number lost."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mashbill.compiler.cells import display_width
from mashbill.compiler.estimating.estimates import Estimates, Spending
from mashbill.compiler.estimating.numbers import Number
from mashbill.compiler.explaining import PilotSpent, Told, explain
from mashbill.compiler.explaining.folding import flow, fold
from mashbill.compiler.explaining.subject import subject_of

from ..compiler.world import plan_of
from .samples import FILES, SAMPLES, SMALL, about, between, exact, rows, spending

GOLDEN = Path(__file__).parent / "golden"
UPDATE = os.environ.get("MASHBILL_UPDATE") == "1"


@cache
def sample_of(name: str) -> Told:
    return SAMPLES[name]()


def text_of(sample: Told, width: int = 80, *, verbose: bool = False, **more: Any) -> str:
    return explain(replace(sample, **more), width=width, verbose=verbose)


def golden(name: str, text: str) -> None:
    file = GOLDEN / name
    if UPDATE:
        file.write_text(text, "utf-8")
    assert text == file.read_text("utf-8")


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("name", SAMPLES)
def test_the_golden_text(name: str, width: int) -> None:
    golden(f"{name}.{width}.txt", f"{text_of(sample_of(name), width=width)}\n")


@settings(deadline=None, max_examples=60)
@given(st.integers(40, 200), st.sampled_from(sorted(SAMPLES)), st.booleans())
@example(40, "many", True)
@example(40, "edu", True)
def test_no_line_is_longer_and_no_number_is_lost(width: int, name: str, verbose: bool) -> None:
    sample = sample_of(name)
    text = text_of(sample, width=width, verbose=verbose)
    for line in text.splitlines():
        assert display_width(line) <= width
        assert line == line.rstrip()
    assert "\n\n\n" not in text
    for shown in numbers_of(sample, verbose):
        assert shown in text


def numbers_of(sample: Told, verbose: bool) -> set[str]:
    """Every value, interval and bound that the tables hold."""
    told = sample.subject(verbose=verbose)
    found: set[str] = set()
    for step in told.shown if told.estimates else ():
        if step.estimate:
            for m in told.measures if step.spending and told.total else ():
                assert step.spending
                cell = m.cell(m.of(step.spending))
                found |= {cell.value, cell.spread}
            rows_out = told.measures[0].cell(step.estimate.rows_out)
            found |= {rows_out.value, rows_out.spread}
    for m in told.measures if told.total and told.shown else ():
        assert told.total
        found |= {m.cell(m.of(told.total)).value, m.interval(m.of(told.total))}
        found |= {m.cell(m.worst_of(told.total)).value}
    return found


# -- what is shown


def test_steps_with_nothing_left_to_do_are_counted() -> None:
    sample = sample_of("edu")
    text = text_of(sample)
    assert " = docs" not in text
    assert "3 unchanged (2 not shown: -v)" in text
    text = text_of(sample, verbose=True)
    assert " = docs" in text and " = web " in text
    assert "3 unchanged.\n" in f"{text}\n"


def test_an_unchanged_step_with_calls_left_is_shown() -> None:
    assert " = judged" in text_of(sample_of("edu"))
    assert " = judged" not in text_of(without_calls(sample_of("edu"), "judged"))


def without_calls(sample: Told, name: str) -> Told:
    assert sample.estimates
    nothing = spending(exact(0), exact(0), exact(0), (0, 0, 0))
    step = replace(sample.estimates.steps[name], spending=nothing)
    steps = {**sample.estimates.steps, name: step}
    return replace(sample, estimates=replace(sample.estimates, steps=steps))


def test_unknown_is_never_nothing() -> None:
    text = text_of(sample_of("unpriced"))
    assert "$0" not in text
    (expected,) = (line for line in text.splitlines() if line.startswith("   expected"))
    (worst,) = (line for line in text.splitlines() if line.startswith("   worst case "))
    assert expected.endswith("?") and worst.endswith("?")
    assert "? unknown" in text


def test_money_and_hours_are_shown_where_there_are_any() -> None:
    assert "USD" not in text_of(sample_of("ladder"))
    assert "GPU-h" not in text_of(sample_of("ladder"))
    assert "USD" in text_of(sample_of("ladder"), budget={"usd": 3})


def test_the_legend_has_the_letters_that_were_used_alone() -> None:
    (legend,) = (line for line in text_of(sample_of("ladder")).splitlines() if "no letter" in line)
    assert legend == "   no letter: exact   s sampled (2.00k rows)   h earlier runs"


def test_a_mean_outside_its_interval_is_no_error() -> None:
    step = rows(1, between(5, 1, 2, "a"))
    assert "5 [1–2] a" in text_of(Told(sample_of("plain").plan, Estimates({"long": step})))


def test_a_selection_is_summed_and_says_so() -> None:
    sample = sample_of("edu")
    told = subject_of(sample.plan, sample.estimates, selected=["judged", "code_cot"])
    assert told.total is not None
    assert told.total.calls.value == 150_000
    usd = told.total.usd
    assert usd.value == pytest.approx(14.42) and usd.basis == "a"
    assert usd.interval == pytest.approx((12.2 * 0.85 + 1.74, 12.2 * 1.15 + 3.24))
    text = text_of(sample, selected=["judged", "code_cot"])
    assert "ONLY 2 OF 8 STEPS" in text
    assert "web_rewrite" not in text.partition("Plan:")[0].replace("`web_rewrite`", "")
    assert "budget  " not in text


def test_a_sum_with_an_unknown_is_unknown() -> None:
    sample = sample_of("edu")
    assert sample.estimates
    cot = replace(sample.estimates.steps["code_cot"], spending=Spending(Number(None, "?")))
    steps = {**sample.estimates.steps, "code_cot": cot}
    told = subject_of(sample.plan, Estimates(steps), selected=["judged", "code_cot"])
    assert told.total is not None and told.total.calls.value is None


def test_what_changed_is_told_in_full_where_the_table_cuts_it() -> None:
    change = "keep: words(text) > 2 → words(text) > 3"
    for width in (80, 120):
        text = text_of(sample_of("edu"), width=width)
        assert "keep: words(te" in text.partition(f"   web_quality   {change}\n")[0]
        assert text.count(change) == 1


def test_a_pilot_says_what_it_spent_and_why_it_ended() -> None:
    sample = sample_of("edu")
    assert "p pilot (256 rows)" in text_of(sample, pilot=None)
    text = text_of(sample, pilot=PilotSpent(64, 64, None, "the budget of $1 is spent"))
    assert "p pilot (64 rows a step, kept for the run, sent 64 calls)" in text
    assert "The pilot ended early: the budget of $1 is spent" in text


# -- time of this machine


@pytest.mark.parametrize(
    ("hours", "head", "shown"),
    [(0.004, "seconds", "14.4"), (0.021, "minutes", "1.3"), (7.6, "hours", "7.6")],
)
def test_time_of_this_machine_is_told_in_a_unit_of_its_size(
    hours: float, head: str, shown: str
) -> None:
    spent = spending(exact(1), exact(1), exact(1), (1, 1, 1), exact(hours), worst_hours=hours * 2)
    estimates = Estimates({"book": rows(1, 1, spending=spent)}, spent)
    text = text_of(Told(plan_of(SMALL, FILES), estimates))
    (heads,) = (line for line in text.splitlines() if "calls" in line)
    (book,) = (line for line in text.splitlines() if line.startswith(" + book"))
    assert heads.endswith(head) and book.endswith(shown)


def test_a_cap_is_told_in_the_unit_of_its_column() -> None:
    text = text_of(sample_of("plain"), budget={"gpu_hours": 0.05})
    (line,) = (line for line in text.splitlines() if line.startswith("   budget"))
    assert line.endswith("3")
    assert "Worst case exceeds 1 cap (9.6 > 3 minutes): the run pauses there." in text


# -- caps

CAPS: Mapping[str, tuple[Mapping[str, Any], str]] = {
    "none": ({"requests": 41}, ""),
    "worst": ({"tokens": 20_000}, "Worst case exceeds 1 cap (21.0k > 20.0k tokens out)"),
    "expected": (
        {"tokens": 3_000, "gpu_hours": 0.1},
        "Expected exceeds 1 cap (3.10k > 3.00k tokens out): the run stops short there.",
    ),
    "two": (
        {"tokens": 3_200, "gpu_hours": 0.1},
        "Worst case exceeds 2 caps (21.0k > 3.20k tokens out, 9.6 > 6 minutes)",
    ),
    "step": (
        {"steps": {"book": {"requests": 40}}},
        "Expected exceeds 1 cap (41 > 40 calls of book)",
    ),
}


@pytest.mark.parametrize("case", CAPS)
def test_caps_that_are_exceeded(case: str) -> None:
    caps, told = CAPS[case]
    text = text_of(sample_of("plain"), budget=caps, width=120)
    assert told in text
    assert ("exceeds" in text) == bool(told)


def test_caps_without_a_column_are_told() -> None:
    text = text_of(sample_of("edu"), width=120)
    assert "also capped: 1d 00h of time, 30.0k calls of judged" in text


# -- strangers' text


def test_no_text_can_steer_the_terminal() -> None:
    recipe = SMALL.replace("words(text) > 3", "\"text != 'a\\\\u202eb\\\\u001b[31m'\"")
    bad = "\x1b[31mred\x07"
    text = explain(
        Told(plan_of(SMALL, FILES), None, ("r\x1b", plan_of(recipe, FILES)), lock=bad,
             missing={"m": bad})
    )  # fmt: skip
    assert not {"\x1b", "\x07", "\u202e"} & set(text)


@given(st.text("ab 日é", max_size=80), st.integers(4, 30))
def test_folding_loses_nothing(text: str, width: int) -> None:
    lines = fold(text, width)
    assert all(display_width(line) <= width for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())


def test_pieces_flow_into_lines() -> None:
    assert flow(["one", "two", "three"], 16) == ["   one   two", "   three"]
    assert flow(["one two three four"], 12) == ["   one two", "     three", "     four"]


def test_an_interval_is_told_where_half_of_it_is_below() -> None:
    """Wide intervals go below their numbers before a table is split."""
    number = about(465_000, 0.5, "a")
    estimates = Estimates({"docs": rows(1, 1), "long": rows(1, 1), "book": rows(1, number)})
    text = text_of(Told(plan_of(SMALL, FILES), estimates), width=42)
    lines = text.splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith(" + book"))
    assert lines[at].endswith("465k a") and lines[at + 1].strip() == "[232k–698k]"
