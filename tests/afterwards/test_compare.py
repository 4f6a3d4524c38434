"""Estimated against actual: ratios, intervals, and errors split without a remainder."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mashbill.compiler.estimating.estimates import Estimates, Spending, StepEstimate
from mashbill.compiler.estimating.facts import Price
from mashbill.compiler.estimating.numbers import UNKNOWN, Basis, Number
from mashbill.runtime.afterwards import compare
from mashbill.runtime.afterwards.words import block, rounded
from mashbill.runtime.planning.planned import planned_steps, planned_total


def about(value: float, share: float = 0.1, basis: Basis = "s") -> Number:
    return Number(value, basis, value * (1 - share), value * (1 + share))


def spending(calls: float, prompt: float, reply: float, **more: Number) -> Spending:
    return Spending(about(calls), about(prompt), about(reply), **more)


def account(rows: int, out: int | None = None, **more: Any) -> dict[str, Any]:
    return {"in": rows, "out": rows if out is None else out, "pending": 0, "rejected": {}, **more}


def spent(calls: int, prompt: int, reply: int, **more: Any) -> dict[str, Any]:
    made = {"calls": calls, "prompt_tokens": prompt, "reply_tokens": reply, "cached_tokens": 0}
    return {**made, "usd": 0.0, "gpu_hours": 0.0, **more}


def paid(rows: float, **models: dict[str, Any]) -> dict[str, Any]:
    return {"rows": rows, "held": 0.0, "models": models}


BOOK = StepEstimate(
    Number(1000.0, "e"),
    about(900),
    spending(1200, 240_000, 120_000),
    {"writer": spending(1200, 240_000, 120_000)},
)
SENT = paid(980, writer=spent(1240, 245_000, 129_600))


def held_against(
    estimates: Estimates, actual: dict[str, Any], *, complete: bool = True
) -> dict[str, Any]:
    accounts = {name: account(round(p["rows"]), 900) for name, p in actual.items()}
    found = compare(estimates.to_json(), accounts, actual, complete=complete)
    assert found is not None
    return found


def one_step(**more: Any) -> dict[str, Any]:
    return held_against(Estimates({"book": BOOK}, BOOK.spending), {"book": SENT}, **more)


def shares_add_up(found: dict[str, Any]) -> int:
    """How many errors have causes, which add up to the error, everywhere."""
    count = 0
    for part in (found["total"], *found["steps"].values()):
        for amount in part.values():
            if "causes" in amount:
                count += 1
                assert sum(amount["causes"].values()) == pytest.approx(amount["ratio"] - 1)
    return count


def test_each_error_is_split_without_a_remainder() -> None:
    found = one_step()
    assert shares_add_up(found) == 6
    total = found["total"]
    assert total["calls"]["actual"] == 1240 and total["calls"]["inside"]
    assert total["reply_tokens"]["ratio"] == pytest.approx(1.08)
    causes = total["reply_tokens"]["causes"]
    assert list(causes) == ["rows", "calls", "reply"]
    # 2 % fewer rows, 1240/980 calls a row instead of 1.2, 104.5 tokens a call instead of 100
    assert causes["rows"] == pytest.approx(-0.0210, abs=5e-4)
    assert causes["calls"] == pytest.approx(0.0551, abs=5e-4)
    assert causes["reply"] == pytest.approx(0.0460, abs=5e-4)


def test_what_is_said() -> None:
    found = one_step()
    assert block(found) == [
        "",
        "Estimated → actual",
        "   calls       1.20k [1.08k–1.32k] → 1.24k  +3%  inside",
        "               = rows −2%, calls a row +5%",
        "   tokens in   240k [216k–264k]    → 245k   +2%  inside",
        "               = rows −2%, calls a row +5%, tokens a call −1%",
        "   tokens out  120k [108k–132k]    → 130k   +8%  inside",
        "               = rows −2%, calls a row +5%, tokens a call +5%",
    ]
    assert max(map(len, block(found))) <= 80


def test_what_lies_outside_is_said_to() -> None:
    far = replace(BOOK, spending=spending(600, 240_000, 120_000), by_model={})
    found = held_against(Estimates({"book": far}, far.spending), {"book": SENT})
    assert found["total"]["calls"]["inside"] is False
    assert "+107%  outside the 90% interval" in block(found)[2]


def test_a_run_that_paused_is_held_against_nothing() -> None:
    found = one_step(complete=False)
    assert {a["inside"] for a in found["total"].values()} == {None}
    assert block(found)[1] == "Estimated → actual, up to the pause"
    assert shares_add_up(found) == 6


def test_exact_numbers_are_met_or_not() -> None:
    exact = Number(1240.0, "e")
    book = replace(BOOK, spending=replace(spending(1, 1, 1), calls=exact), by_model={})
    found = held_against(Estimates({"book": book}, book.spending), {"book": SENT})
    assert found["total"]["calls"]["inside"] is True
    assert "inside" not in block(found)[2], "there is no interval to be inside of"
    assert found["steps"]["book"]["rows_in"]["inside"] is False, "1000 rows were not 980"


def test_money_is_split_by_what_each_kind_of_token_costs() -> None:
    price = Price(0.5e-6, 2e-6, cached_input=0.1e-6)
    usd = 240_000 * 0.5e-6 + 120_000 * 2e-6
    expected = replace(BOOK.by_model["writer"], usd=about(usd))
    book = replace(BOOK, spending=expected, by_model={"writer": expected})
    cost = 245_000 * 0.5e-6 + 129_600 * 2e-6 - 50_000 * 0.4e-6
    actual = paid(980, writer=spent(1240, 245_000, 129_600, usd=cost, cached_tokens=50_000))
    estimates = Estimates({"book": book}, expected, prices={"writer": price})
    found = held_against(estimates, {"book": actual})
    assert shares_add_up(found) == 8
    causes = found["total"]["usd"]["causes"]
    assert list(causes) == ["rows", "calls", "prompt", "reply", "price"]
    assert causes["price"] == pytest.approx(-0.02 / usd, rel=0.1), "a cache spared two cents"
    assert block(found)[-2:] == [
        "   USD         $0.36 [$0.32–$0.40] → $0.36  ±0%  inside",
        "               = rows −2%, calls a row +5%, tokens out a call +3%, price −6%",
    ]


def test_hours_are_split_into_tokens_and_throughput() -> None:
    hours = 120_000 / 600 / 3600  # 600 tokens a second
    usd = about(hours * 3.2)
    expected = replace(BOOK.by_model["writer"], gpu_hours=about(hours), usd=usd)
    book = replace(BOOK, spending=expected, by_model={"writer": expected})
    took = 129_600 / 500 / 3600
    model = spent(1240, 245_000, 129_600, gpu_hours=took, usd=took * 3.2)
    found = held_against(Estimates({"book": book}, expected), {"book": paid(980, writer=model)})
    assert shares_add_up(found) == 10
    causes = found["total"]["gpu_hours"]["causes"]
    assert list(causes) == ["rows", "calls", "reply", "throughput"]
    assert causes["throughput"] > 0.19, "a fifth slower takes longer"
    assert found["total"]["gpu_hours"]["inside"] is False, "by seconds, not by whole hours"
    assert block(found)[-2].split("  ")[1:] == [
        " busy time", " 3m 20s [3m 00s–3m 40s] → 4m 19s", "+30%", "outside the 90% interval",
    ]  # fmt: skip
    assert found["total"]["usd"]["causes"]["throughput"] == pytest.approx(causes["throughput"])
    assert found["total"]["usd"]["causes"]["price"] == pytest.approx(0)


def test_several_steps_and_models_are_split_each_for_itself() -> None:
    judged = StepEstimate(
        about(900),
        about(800),
        spending(900, 90_000, 9_000),
        {"judge": spending(900, 90_000, 9_000)},
    )
    book = replace(
        BOOK,
        spending=spending(1400, 260_000, 124_000),
        by_model={
            "writer": spending(1200, 240_000, 120_000),
            "judge": spending(200, 20_000, 4_000),
        },
    )
    estimates = Estimates({"book": book, "good": judged}, spending(2300, 350_000, 133_000))
    actual = {
        "book": paid(
            980, writer=spent(1240, 245_000, 129_600), judge=spent(0, 0, 0), other=spent(3, 30, 40)
        ),
        "good": paid(850, judge=spent(850, 80_000, 9_500)),
    }
    found = held_against(estimates, actual)
    assert shares_add_up(found) == 9
    assert found["total"]["calls"]["actual"] == 2093
    assert block(found)[-2:] == [
        "   book  rows −2%  calls −11%  tokens in −6%  tokens out +5%",
        "   good  rows −6%  calls −6%  tokens in −11%  tokens out +6%",
    ]


def test_rows_that_the_ledger_answers_are_not_waited_for() -> None:
    """Of a run that goes on, 400 of 1000 rows were paid for before it began."""
    rest = spending(720, 144_000, 72_000)
    book = replace(BOOK, reused=0.4, spending=rest, by_model={"writer": rest})
    actual = {"rows": 600.0, "held": 400.0, "models": {"writer": spent(720, 144_000, 79_200)}}
    found = compare(
        Estimates({"book": book}, rest).to_json(), {"book": account(1000, 900)}, {"book": actual}
    )
    assert found is not None
    causes = found["total"]["reply_tokens"]["causes"]
    assert causes["rows"] == pytest.approx(0) and causes["calls"] == pytest.approx(0)
    assert causes["reply"] == pytest.approx(0.1)


def test_what_was_not_known_has_no_causes() -> None:
    book = replace(BOOK, spending=replace(spending(1, 1, 1), calls=UNKNOWN), by_model={})
    found = held_against(Estimates({"book": book}, book.spending), {"book": SENT})
    calls = found["total"]["calls"]
    assert (calls["estimated"], calls["ratio"], calls["inside"]) == (None, None, None)
    assert "causes" not in found["total"]["reply_tokens"]
    assert block(found)[2] == "   calls       ?           → 1.24k           ?"


def test_nothing_sent_is_owed_to_rows() -> None:
    found = held_against(Estimates({"book": BOOK}, BOOK.spending), {"book": paid(0)})
    assert found["total"]["calls"]["causes"] == {"rows": -1.0, "calls": 0.0}
    assert shares_add_up(found) == 6


def test_a_run_that_paused_before_a_row_was_done() -> None:
    actual = {"book": paid(0, writer=spent(12, 2_400, 1_200))}
    found = held_against(Estimates({"book": BOOK}, BOOK.spending), actual, complete=False)
    assert shares_add_up(found) == 6
    assert found["total"]["calls"]["causes"]["rows"] == pytest.approx(-0.99)


def test_a_recipe_that_asks_nobody_has_no_total() -> None:
    rows = StepEstimate(Number(10.0, "e"), Number(8.0, "e"))
    found = compare(Estimates({"keep": rows}).to_json(), {"keep": account(10, 8)}, {})
    assert found is not None and "total" not in found
    assert found["steps"]["keep"]["rows_out"]["ratio"] == 1
    assert block(found) == [] and compare(None, {}, {}) is None and block(None) == []


OLD = {
    "steps": {
        "docs": {"rows_in": {"value": 9.0, "basis": "e"}, "rows_out": {"value": 9.0, "basis": "e"},
                 "calls": None, "by_model": {}, "reused": 0.0},
        "book": {"rows_in": {"value": 9.0, "basis": "e"}, "rows_out": {"value": 9.0, "basis": "a"},
                 "calls": {"value": 18.0, "basis": "l"},
                 "prompt_tokens": {"value": 180.0, "basis": "s"},
                 "reply_tokens": {"value": 90.0, "basis": "a"}, "by_model": {}, "reused": 0.5},
    },
    "supply": {},
}  # fmt: skip


def test_records_of_before_are_read_too() -> None:
    steps = planned_steps(OLD)
    assert steps["docs"].spending == {} and steps["book"].reused == 0.5
    assert steps["book"].spending["calls"] == Number(18.0, "p")
    assert planned_total(OLD)["reply_tokens"] == Number(90.0, "a")
    found = compare(OLD, {"book": account(9)}, {"book": paid(4.5, writer=spent(20, 180, 90))})
    assert found is not None
    assert found["total"]["calls"]["causes"]["calls"] == pytest.approx(1 / 9)
    assert shares_add_up(found) == 6


@pytest.mark.parametrize("broken", [{}, {"steps": 3}, {"steps": {}}, None])
def test_no_estimate_is_no_comparison(broken: Any) -> None:
    assert compare(broken, {}, {}) is None


def test_shown_shares_add_up_to_the_shown_error() -> None:
    assert rounded([0.0749, 0.0049, 0.0002], 8) == [7, 1, 0]
    assert rounded([-0.021, 0.0551, 0.046], 8) == [-2, 5, 5]
    assert rounded([0.004, 0.004, 0.004], 1) == [1, 0, 0]
    assert rounded([-0.006, -0.006], -1) == [0, -1] or rounded([-0.006, -0.006], -1) == [-1, 0]
