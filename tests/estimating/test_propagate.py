"""Estimates by hand: exact totals, ladders rung by rung, intervals that hold, bounds never met."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from mashbill.compiler.estimating.estimates import Estimates, Spending
from mashbill.compiler.estimating.facts import (
    CheckFacts,
    Facts,
    NodeFacts,
    Price,
    Prior,
    SourceFacts,
    Speed,
)
from mashbill.compiler.estimating.propagate import estimate
from mashbill.compiler.outlook import outlook
from mashbill.compiler.plan import Plan

from ..compiler.world import compile_text, plan_of
from .population import asked, moments, still

HEAD = """\
mashbill: 1
name: cost
models: {{ writer: {use} }}
sources:
  docs: {{ path: docs.jsonl, license: CC0-1.0, origin: human }}
steps:
{steps}
"""
BOOK = """\
  book:
    op: {op}
    from: {before}
    model: writer
    prompt: prompts/book.md.j2
    sampling: {{ max_tokens: 100 }}
"""
PAGES = "  pages: { op: filter, from: docs, keep: words(text) > 3 }\n"
LADDER = "    checks: { length: {} }\n    on_fail: [ { retry: 2 }, reject ]\n"
REPAIR = """\
---
inputs: { reply: str }
---
{% block user %}Mend: {{ reply }}{% endblock %}
"""
JUDGE = """\
---
inputs: { text: str }
reply: { score: tag }
---
{% block user %}How good is it, in `<score>`?\n\n{{ text }}{% endblock %}
"""
DOCS = {"docs": SourceFacts(1000, 100_000)}


def plan(steps: str, use: str = "fake/rewrite") -> Plan:
    return plan_of(HEAD.format(use=use, steps=steps))


def book(before: str = "docs", op: str = "generate", more: str = "") -> str:
    return BOOK.format(op=op, before=before) + more


def spent(found: Estimates, step: str = "book") -> Spending:
    spending = found.steps[step].spending
    assert spending is not None
    return spending


# -- what is exact stays exact


def test_a_source_that_was_counted_is_exact() -> None:
    found = estimate(plan(PAGES), Facts(DOCS, {"pages": NodeFacts()}))
    assert found.steps["docs"].rows_out.value == 1000
    assert found.steps["docs"].rows_out.basis == "e"
    assert found.steps["docs"].rows_out.interval is None


def test_first_attempts_of_all_rows_are_exact() -> None:
    facts = Facts(DOCS, {"book": asked(1000, 100, whole=True, prompt=30.0)}, exact=True)
    found = spent(estimate(plan(book()), facts))
    assert (found.calls.value, found.calls.basis, found.calls.interval) == (1000, "e", None)
    assert found.prompt_tokens.value == pytest.approx(30_000)
    assert found.prompt_tokens.interval is None
    assert found.worst_calls.value == 1000
    assert found.worst_reply.value == 100_000


def test_tokens_that_a_rule_counts_are_assumed() -> None:
    nodes = {"book": asked(1000, 100, whole=True, prompt=30.0)}
    found = estimate(plan(book()), Facts(DOCS, nodes, exact=True, estimated=frozenset({"writer"})))
    assert spent(found).prompt_tokens.basis == "a"


def test_nothing_known_is_no_zero() -> None:
    found = estimate(plan(PAGES + book("pages")), Facts(DOCS, {}))
    assert found.steps["pages"].rows_in.value == 1000
    assert found.total is not None
    for number in (found.total.calls, found.total.prompt_tokens, found.total.worst_reply):
        assert number.value is None


# -- ladders


def test_a_ladder_is_priced_rung_by_rung() -> None:
    """With three tries and p of the replies passing, 1 + (1 - p) + (1 - p)^2 calls a unit."""
    nodes = {"book": asked(1000, 100, whole=True, prompt=30.0)}
    found = estimate(plan(book(more=LADDER)), Facts(DOCS, nodes, exact=True))
    calls = spent(found).calls
    share = 1 / (1 + np.exp(-(0.7 + 1.6 * np.random.default_rng(1).normal(size=400_000))))
    failing = 1 - share
    assert calls.value == pytest.approx(1000 * float((1 + failing + failing**2).mean()), rel=0.01)
    assert calls.basis == "a"
    assert calls.interval is not None
    assert spent(found).worst_calls.value == 3000
    kept = 1 - failing**3
    assert found.steps["book"].rows_out.value == pytest.approx(1000 * kept.mean(), rel=0.01)


def test_a_repair_has_its_own_prompt_and_its_worst_shows_the_longest_reply() -> None:
    ladder = (
        "    checks: { length: {} }\n"
        "    on_fail: [ { repair: { times: 1, prompt: prompts/repair.md.j2 } }, reject ]\n"
    )
    nodes = {"book": replace(asked(1000, 100, whole=True, prompt=30.0), repairs={0: 200.0})}
    facts = Facts(DOCS, nodes, exact=True)
    files = {"prompts/repair.md.j2": REPAIR}
    compiled = plan_of(HEAD.format(use="fake/rewrite", steps=book(more=ladder)), files)
    found = spent(estimate(compiled, facts))
    repairs = (found.calls.value or 0) - 1000
    assert found.prompt_tokens.value == pytest.approx(30_000 + 200 * repairs, rel=1e-6)
    assert found.worst_prompt.value == pytest.approx(1000 * (30 + 200 + 100))


def test_a_check_that_asks_a_model_is_priced() -> None:
    compiled = plan_of(
        HEAD.format(
            use="fake/rewrite",
            steps=book(
                more="    checks: { judge: { model: writer, prompt: prompts/judge.md.j2, "
                "pass: float(score) >= 4 } }\n"
            ),
        ),
        {"prompts/judge.md.j2": JUDGE},
    )
    nodes = {
        "book": replace(
            asked(1000, 100, whole=True, prompt=30.0),
            checks={"judge.model": CheckFacts(1.0, 50.0, 20.0)},
        )
    }
    found = spent(estimate(compiled, Facts(DOCS, nodes, exact=True)))
    assert found.calls.value == pytest.approx(2000)
    assert found.worst_calls.value == 2000
    assert found.prompt_tokens.value == pytest.approx(80_000)


# -- the pilot


def piloted(rows: int, *, held: float | None = None, **means: float) -> NodeFacts:
    given = {
        "units": 1.0,
        "rows_out": 0.9,
        "prompt": 30.0,
        "calls:writer": 1.25,
        "prompt:writer": 37.5,
        "reply:writer": 50.0,
        **means,
    }
    return replace(
        asked(1000, 100, whole=True, prompt=30.0),
        settled=still(rows, 100, **given),
        settled_rows=rows,
        held=float(rows) if held is None else held,
    )


def test_what_a_pilot_paid_for_is_not_asked_for_again() -> None:
    found = estimate(plan(book(more=LADDER)), Facts(DOCS, {"book": piloted(250)}, exact=True))
    assert spent(found).calls.value == pytest.approx(750 * 1.25, rel=1e-3)
    assert spent(found).calls.basis == "p"
    assert spent(found).prompt_tokens.value == pytest.approx(750 * 37.5, rel=1e-3)
    assert found.steps["book"].reused == pytest.approx(0.25)
    assert found.steps["book"].rows_out.value == pytest.approx(900, rel=1e-3)
    assert found.steps["book"].piloted == 250


def test_a_pilot_of_a_sample_is_not_taken_for_a_share_of_all_rows() -> None:
    """256 rows of a pilot among 1,000 that were looked at are 256 of a million, not a quarter."""
    sources = {"docs": SourceFacts(1_000_000, 1e8)}
    nodes = {"book": replace(piloted(256), whole=False)}
    found = estimate(plan(book(more=LADDER)), Facts(sources, nodes))
    assert spent(found).calls.value == pytest.approx((1_000_000 - 256) * 1.25, rel=1e-3)


def test_all_in_the_ledger_costs_nothing_and_is_exact() -> None:
    found = estimate(plan(book(more=LADDER)), Facts(DOCS, {"book": piloted(1000)}, exact=True))
    assert found.total is not None
    assert found.total.calls.value == 0
    assert found.total.worst_calls.value == 0
    assert found.steps["book"].rows_out.interval is None
    assert found.leverage is None


def test_earlier_runs_pull_a_small_pilot_and_leave_a_large_one() -> None:
    prior = {"book": Prior(3, 3000, 1.0, 50.0, 1.6, 0.9, spread=0.1)}
    noisy = np.random.default_rng(2)

    def calls(rows: int) -> float:
        outcomes = {
            "units": np.ones(rows),
            "rows_out": np.full(rows, 0.9),
            "calls:writer": noisy.choice([1.0, 2.0, 3.0], rows, p=[0.5, 0.25, 0.25]),
        }
        node = replace(piloted(rows), settled=moments(outcomes, np.full(rows, 100.0)), held=0.0)
        found = estimate(plan(book(more=LADDER)), Facts(DOCS, {"book": node}, prior, exact=True))
        return spent(found).calls.value or 0.0

    few, many = calls(8), calls(800)
    assert abs(few - 1750) > 150  # pulled toward 1,000
    assert many == pytest.approx(1750, rel=0.06)


def test_earlier_runs_stand_in_for_a_pilot() -> None:
    prior = {"book": Prior(2, 500, 1.3, 40.0, 0.0, 0.8)}
    nodes = {"book": asked(1000, 100, whole=True, prompt=30.0)}
    found = estimate(plan(book(more=LADDER)), Facts(DOCS, nodes, prior, exact=True))
    assert spent(found).calls.value == pytest.approx(1300, rel=0.02)
    assert spent(found).calls.basis == "h"
    assert spent(found).reply_tokens.value == pytest.approx(1300 * 40, rel=0.03)
    assert found.steps["book"].rows_out.value == pytest.approx(800, rel=0.05)


# -- intervals


@pytest.mark.parametrize("share", [0.5, 0.1])
def test_nine_in_ten_intervals_hold_the_truth(share: float) -> None:
    """A filter, then a model: over many samples of one population, calls and tokens are covered."""
    rng = np.random.default_rng(7)
    rows = 20_000
    size = rng.lognormal(7.0, 1.0, rows)
    kept = (rng.random(rows) < share).astype(float)
    prompt = 40 + 0.24 * size * rng.normal(1.0, 0.12, rows).clip(0.5)
    reply = rng.lognormal(4.0, 0.6, rows)
    compiled = plan(PAGES + book("pages"))
    source = {"docs": SourceFacts(rows, float(size.sum()))}
    inside = {"calls": 0, "prompt": 0, "reply": 0}
    rounds = 150
    for _ in range(rounds):
        chosen = rng.permutation(rows)[:2000]
        s = size[chosen]
        pages = moments({"rows_out": kept[chosen], "size_out": kept[chosen] * s}, s)
        reached = chosen[kept[chosen] > 0]
        ones = np.ones(len(reached))
        first = moments({"units": ones, "prompt": prompt[reached]}, size[reached])
        pilot = reached[:64]
        outcomes = {
            "units": np.ones(len(pilot)),
            "rows_out": np.ones(len(pilot)),
            "prompt": prompt[pilot],
            "calls:writer": np.ones(len(pilot)),
            "prompt:writer": prompt[pilot],
            "reply:writer": reply[pilot],
        }
        nodes = {
            "pages": NodeFacts(rows_in=2000, reached=pages),
            "book": NodeFacts(
                rows_in=len(reached),
                reached=first,
                settled=moments(outcomes, size[pilot]),
                settled_rows=len(pilot),
                held=float(len(pilot)),
            ),
        }
        found = spent(estimate(compiled, Facts(source, nodes)))
        left = kept.copy()
        left[pilot] = 0
        truth = {
            "calls": (found.calls, left.sum()),
            "prompt": (found.prompt_tokens, left @ prompt),
            "reply": (found.reply_tokens, left @ reply),
        }
        for name, (number, actual) in truth.items():
            assert number.interval is not None
            inside[name] += number.interval[0] <= actual <= number.interval[1]
        assert (found.worst_calls.value or 0) >= left.sum()
        assert (found.worst_prompt.value or 0) >= left @ prompt
    for name, count in inside.items():
        assert 0.84 <= count / rounds <= 0.98, (name, count / rounds)


def test_an_interval_of_a_sum_is_not_the_sum_of_intervals() -> None:
    told = book().replace("book:", "told:").replace("100 }", "100, temperature: 0.3 }")
    both = "  both: { op: filter, from: [book, told], keep: words(text) > 0 }\n"
    steps = book() + told + both
    nodes = {
        name: NodeFacts(
            rows_in=1000,
            whole=True,
            reached=still(1000, 100, units=1.0, prompt=30.0),
            settled=moments(
                {
                    "units": np.ones(100),
                    "rows_out": np.ones(100),
                    "calls:writer": np.ones(100),
                    "prompt:writer": np.full(100, 30.0),
                    "reply:writer": np.random.default_rng(3).lognormal(3, 0.8, 100),
                },
                np.full(100, 100.0),
            ),
            settled_rows=100,
            held=100.0,
        )
        for name in ("book", "told")
    }
    found = estimate(plan(steps), Facts(DOCS, nodes, exact=True))
    parts = [spent(found, name).reply_tokens.interval for name in ("book", "told")]
    assert found.total is not None
    whole = found.total.reply_tokens.interval
    assert whole is not None
    widths = [high - low for low, high in filter(None, parts)]
    assert max(widths) < whole[1] - whole[0] < 0.85 * sum(widths)


def test_the_same_facts_give_the_same_numbers() -> None:
    nodes = {"book": asked(400, 100, prompt=30.0)}
    facts = Facts({"docs": SourceFacts(1e6, 1e8, 0.02, exact=False)}, nodes)
    assert estimate(plan(book()), facts).to_json() == estimate(plan(book()), facts).to_json()


# -- rows that nobody can sample


def test_a_limit_lets_no_more_in() -> None:
    steps = book(more="    limit: 50\n")
    found = estimate(plan(steps), Facts(DOCS, {"book": asked(50, 100, prompt=30.0, whole=True)}))
    assert found.steps["book"].rows_in.value == 50
    assert spent(found).worst_calls.value == 50


def test_rows_below_a_filter_are_bounded_by_what_a_sample_can_miss() -> None:
    rng = np.random.default_rng(5)
    kept = (rng.random(1000) < 0.02).astype(float)
    pages = moments({"rows_out": kept, "size_out": kept * 100}, np.full(1000, 100.0))
    nodes = {
        "pages": NodeFacts(rows_in=1000, reached=pages),
        "book": asked(int(kept.sum()), 100, prompt=30.0),
    }
    sources = {"docs": SourceFacts(1_000_000, 1e8)}
    found = estimate(plan(PAGES + book("pages")), Facts(sources, nodes))
    worst = spent(found).worst_calls.value or 0
    assert 20_000 * 1.3 < worst < 100_000


# -- money and time


def priced(use: str, facts: Facts) -> Spending:
    return spent(estimate(plan(book(more=LADDER), use), facts))


def test_money_by_price() -> None:
    nodes = {"book": piloted(500, held=0.0)}
    prices = {"writer": Price(1e-6, 4e-6)}
    found = priced("fake/rewrite", Facts(DOCS, nodes, prices=prices, exact=True))
    expected = 1000 * (37.5 * 1e-6 + 50 * 4e-6)
    assert found.usd.value == pytest.approx(expected, rel=1e-2)
    assert found.worst_usd.value == pytest.approx(3000 * (30 * 1e-6 + 100 * 4e-6))


def test_a_cached_prefix_is_cheaper_as_expected_and_not_at_worst() -> None:
    nodes = {"book": replace(piloted(500, held=0.0), prefix_share=0.8)}

    def with_price(cached: float | None) -> Spending:
        price = Price(1e-6, 4e-6, cached_input=cached)
        return priced("fake/rewrite", Facts(DOCS, nodes, prices={"writer": price}, exact=True))

    plain, cached = with_price(None), with_price(1e-7)
    assert (cached.usd.value or 0) < (plain.usd.value or 0)
    assert cached.worst_usd.value == plain.worst_usd.value


def test_an_unknown_price_is_no_zero() -> None:
    nodes = {"book": piloted(500)}
    facts = Facts(DOCS, nodes, unpriced=frozenset({"writer"}), exact=True)
    found = estimate(plan(book()), facts)
    assert spent(found).usd.value is None
    assert found.total is not None
    assert found.total.usd.value is None
    assert found.total.worst_usd.value is None


def test_hours_by_speed_with_its_spread() -> None:
    nodes = {"book": piloted(500, held=0.0)}
    speeds = {"writer": Speed(100.0, None, 0.5, "a", "a guess")}
    found = priced("local/smollm2-135m", Facts(DOCS, nodes, speeds=speeds, exact=True))
    assert found.gpu_hours.value == pytest.approx(1000 * 50 / 100 / 3600, rel=0.02)
    low, high = found.gpu_hours.interval or (0, 0)
    assert high / low == pytest.approx(np.exp(2 * 1.645 * 0.5), rel=0.1)
    assert found.gpu_hours.basis == "a"
    assert (found.worst_hours.value or 0) > high


def test_no_speed_is_no_zero() -> None:
    found = priced("local/smollm2-135m", Facts(DOCS, {"book": piloted(500)}, exact=True))
    assert found.gpu_hours.value is None


# -- the largest uncertainty


def levers(use: str = "fake/rewrite", **facts: Any) -> Any:
    return estimate(plan(PAGES + book("pages", more=LADDER), use), Facts(**facts)).leverage


def sampled(kept: float) -> NodeFacts:
    rng = np.random.default_rng(11)
    passed = (rng.random(1000) < kept).astype(float)
    return NodeFacts(
        rows_in=1000,
        reached=moments({"rows_out": passed, "size_out": passed * 100}, np.full(1000, 100.0)),
    )


def test_an_assumption_asks_for_a_pilot() -> None:
    nodes = {"pages": sampled(0.5), "book": asked(500, 100, prompt=30.0)}
    found = levers(sources={"docs": SourceFacts(1e6, 1e8)}, nodes=nodes)
    assert (found.step, found.basis) == ("book", "a")
    assert found.what in ("checks", "reply tokens")
    assert found.action == "mashbill plan --pilot 256"
    assert found.narrowed is not None
    assert found.narrowed.interval is not None


def test_a_yield_that_was_sampled_asks_for_its_step() -> None:
    nodes = {"pages": sampled(0.01), "book": piloted(500, held=0.0)}
    found = levers(sources={"docs": SourceFacts(1e6, 1e8)}, nodes=nodes)
    assert (found.step, found.what, found.basis) == ("pages", "yield", "s")
    assert found.action == "mashbill run --until pages"


def test_a_speed_that_was_not_measured_asks_for_a_pilot() -> None:
    found = levers(
        "local/smollm2-135m",
        sources=DOCS,
        nodes={
            "pages": NodeFacts(rows_in=1000, whole=True, reached=still(1000, 100, rows_out=1.0)),
            "book": piloted(500, held=0.0),
        },
        speeds={"writer": Speed(100.0, None, 0.6, "a", "a guess")},
    )
    assert (found.step, found.what, found.quantity) == ("writer", "speed", "gpu_hours")
    assert found.action == "mashbill plan --pilot 16"


@pytest.mark.parametrize(
    ("rows", "seen", "action"),
    [
        (1000, 0, "mashbill plan --pilot 16"),
        (12, 0, "mashbill plan --pilot 6"),
        (1000, 64, "mashbill plan --pilot 256"),
        (100, 16, "mashbill plan --pilot 50"),
        (20, 16, ""),
    ],
)
def test_a_pilot_is_at_most_half_of_the_rows(rows: int, seen: int, action: str) -> None:
    """Beyond that, running tells as much."""
    source = {"docs": SourceFacts(float(rows), rows * 100.0, exact=True)}
    pages = NodeFacts(rows_in=rows, whole=True, reached=still(rows, 100, rows_out=1.0))
    rng = np.random.default_rng(3)
    book = asked(rows, 100, whole=True, prompt=30.0)
    if seen:
        reply = rng.lognormal(4, 1, seen)
        outcomes = {"units": 1.0, "rows_out": 1.0, "calls:writer": 1.0, "prompt": 30.0}
        given = {k: np.full(seen, v) for k, v in outcomes.items()}
        given |= {"prompt:writer": np.full(seen, 30.0), "reply:writer": reply}
        settled = moments(given, np.full(seen, 100.0))
        book = replace(book, settled=settled, settled_rows=seen, held=float(seen))
    found = levers(sources=source, nodes={"pages": pages, "book": book})
    assert (found.step, found.action) == ("book", action)


def test_what_other_rows_decide_is_bounded_and_never_taken_from_a_sample() -> None:
    nodes = {
        "pages": NodeFacts(rows_in=1000, reached=still(1000, 100)),
        "book": replace(piloted(500, held=0.0), whole=False),
    }
    compiled = compile_text(HEAD.format(use="fake/rewrite", steps=PAGES + book("pages")))
    assert compiled.plan and compiled.recipe
    facts = Facts({"docs": SourceFacts(1_000_000, 1e8)}, nodes)
    found = estimate(compiled.plan, facts)
    kept = found.steps["pages"].rows_out
    assert kept.basis == "a"
    assert kept.interval is not None
    assert 500_000 <= kept.interval[0] < 600_000
    assert 900_000 < kept.interval[1] <= 1_000_000
    assert spent(found).worst_calls.value == pytest.approx(1_000_000)
    assert found.leverage is not None
    assert found.leverage.action == "mashbill run --until pages"
    told = [d for d in outlook(compiled.plan, compiled.recipe, facts, found) if d.code == "D307"]
    assert [d.message for d in told] == [
        "how many rows `pages` keeps cannot be sampled; taken as half to all"
    ]
