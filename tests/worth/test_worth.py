"""What a plan's data is worth: parts, losses, shares, cost and bands together."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from mashbill.compiler.estimating.estimates import Estimates, Spending, StepEstimate
from mashbill.compiler.estimating.numbers import Number
from mashbill.compiler.plan import Plan
from mashbill.compiler.worth import GateRates, Worth, worth
from mashbill.compiler.worth.chinchilla import EPOCH, PRINTED
from mashbill.compiler.worth.making import generation_flops, training_flops
from mashbill.compiler.worth.quality import novelties
from mashbill.compiler.worth.repetition import multiple
from mashbill.compiler.worth.sizes import size_in

from .plans import BOOK, MIX, around, calls, estimates_of, exact, plan_of

RATES = {"book.facts": GateRates(52, 63, 4, 97, "labelled.jsonl")}
ROWS = {"web": 1e6, "notes": 1e6, "clean": 1e6, "book": 1e6}


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    return plan_of(tmp_path_factory.mktemp("worth"))


@pytest.fixture(scope="module")
def apart(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """Two parts of people, from two sources."""
    mix = MIX.replace("book:", "notes:")
    return plan_of(tmp_path_factory.mktemp("apart"), "", mix)


def estimated(plan: Plan, clean: Number, book: Number, **fields: object) -> Estimates:
    spending = {"book": calls(30e9, 8e9, 900.0)}
    return estimates_of(plan, ROWS, {"clean": clean, "book": book}, spending, **fields)


def part(found: Worth, name: str) -> float:
    value = next(p.effective.value for p in found.parts if p.name == name)
    assert value is not None
    return value


def test_new_text_by_people_is_worth_itself(apart: Plan) -> None:
    given = estimates_of(apart, ROWS, {"clean": exact(12e9), "notes": exact(8e9)})
    found = worth(apart, given, student=7e9)
    assert found.tokens.value == found.unique.value == found.effective.value == 20e9
    assert found.speed_up.value == 1.0
    assert [p.novelty.value for p in found.parts] == [1.0, 1.0]
    assert found.human_share.value == 1.0
    assert found.synthetic_share.value == 0.0
    assert found.making is None
    epoch, printed = found.losses
    assert epoch.loss.value == EPOCH.loss(7e9, 20e9)
    assert printed.loss.value == PRINTED.loss(7e9, 20e9)
    assert epoch.equivalent.value == pytest.approx(20e9)
    assert epoch.optimal == EPOCH.tokens_of(7e9)
    assert epoch.suited == EPOCH.size_of(20e9)
    assert found.extrapolated == ()
    assert found.stock.value == pytest.approx(20e9 / 300e12)


def test_repeated_text_is_worth_less_and_brings_the_law_of_repeated_data(apart: Plan) -> None:
    given = estimates_of(apart, ROWS, {"clean": exact(3e9), "notes": exact(8e9)})
    found = worth(apart, given, student=1e9)
    assert part(found, "clean") == pytest.approx(3e9 * multiple(4))
    assert part(found, "notes") == 8e9
    assert found.unique.value == 11e9
    assert found.tokens.value == 20e9
    assert len(found.losses) == 3
    repeated = found.losses[2]
    assert repeated.law.startswith("Muennighoff")
    assert repeated.equivalent.value is not None and repeated.equivalent.value < 20e9
    assert any("2404.07177" in c for c in found.caveats)


@pytest.mark.parametrize("supply", [2e9, 4e9, 8e9, 16e9])
def test_a_larger_supply_is_never_worth_less(apart: Plan, supply: float) -> None:
    small = estimates_of(apart, ROWS, {"clean": exact(supply), "notes": exact(8e9)})
    large = estimates_of(apart, ROWS, {"clean": exact(supply * 2), "notes": exact(8e9)})
    one, other = worth(apart, small), worth(apart, large)
    assert (one.effective.value or 0) <= (other.effective.value or 0)
    assert (one.losses[0].loss.value or 0) >= (other.losses[0].loss.value or 0)


def test_bands_come_from_the_supply(apart: Plan) -> None:
    given = estimates_of(apart, ROWS, {"clean": around(3e9), "notes": exact(8e9)})
    found = worth(apart, given)
    low = worth(apart, estimates_of(apart, ROWS, {"clean": exact(2.7e9), "notes": exact(8e9)}))
    high = worth(apart, estimates_of(apart, ROWS, {"clean": exact(3.3e9), "notes": exact(8e9)}))
    assert found.effective.low == pytest.approx(low.effective.value)
    assert found.effective.high == pytest.approx(high.effective.value)
    loss = found.losses[0].loss
    assert loss.low == pytest.approx(high.losses[0].loss.value)
    assert loss.high == pytest.approx(low.losses[0].loss.value)


def test_a_rewrite_counts_by_the_precision_of_its_gate_and_what_it_adds(plan: Plan) -> None:
    given = estimated(plan, exact(12e9), exact(8e9))
    found = worth(plan, given, gates=RATES)
    clean, book = found.parts
    assert (clean.name, clean.origin, book.origin) == ("clean", "human", "mixed")
    assert clean.effective.value == 12e9
    assert book.quality.value == pytest.approx(52 / 56)
    adds = novelties([(1.0, 1.0), (1.0, 1.0)], 0.5)[1]
    assert book.novelty.value == pytest.approx(adds)
    assert book.effective.value == pytest.approx(8e9 * 52 / 56 * adds)
    assert book.effective.high == pytest.approx(8e9 * (book.quality.high or 0) ** 0.7)
    assert found.losses[0].equivalent.value == pytest.approx(found.effective.value)
    assert found.speed_up.value == pytest.approx((found.effective.value or 0) / 20e9)


def test_an_unmeasured_rewrite_counts_as_text_by_people_and_is_said_to(plan: Plan) -> None:
    found = worth(plan, estimated(plan, exact(12e9), exact(8e9)))
    assert found.parts[1].quality.value is None
    assert "quality unknown" in found.parts[1].effective.origin
    assert any("no measured check tells how good `book` is" in c for c in found.caveats)
    assert found.making is not None
    assert found.making.unsized == ("writer",)
    assert found.making.once.value is None
    assert found.making.break_even.value is None


def test_what_is_not_known_yet_is_a_question_mark(plan: Plan) -> None:
    found = worth(plan, estimated(plan, exact(12e9), Number(None, "?")))
    assert found.effective.value is None
    assert found.losses == ()
    assert found.human_share.value == pytest.approx(0.6)
    assert "weights" in found.human_share.origin
    assert "`book`" in found.caveats[0] and "--pilot" in found.caveats[0]


def test_the_human_share_is_that_of_the_estimates(plan: Plan) -> None:
    share = Number(0.6, "p", 0.55, 0.65)
    found = worth(plan, estimated(plan, exact(12e9), exact(8e9), human_share=share))
    assert (found.human_share.value, found.least_human) == (0.6, 0.5)
    assert found.synthetic_share.value == pytest.approx(0.4)
    assert found.synthetic_share.ends == (pytest.approx(0.35), pytest.approx(0.45))
    assert found.floor.value == pytest.approx(0.16)
    assert found.beside.startswith("within what is on record")


def test_too_few_tokens_for_a_law(plan: Plan) -> None:
    mix = {**(plan.mix or {}), "total": 20_000}
    small = replace(plan, mix=mix)
    found = worth(small, estimated(small, exact(12e3), exact(8e3)))
    assert [one.loss.value for one in found.losses] == [None, None]
    assert found.losses[0].equivalent == found.effective
    assert "20.0k tokens are far below the 5B to 500B" in found.extrapolated[0]


@pytest.mark.parametrize(("student", "said"), [(20e6, "below"), (1.7e9, ""), (70e9, "above")])
def test_models_outside_of_what_was_fitted(plan: Plan, student: float, said: str) -> None:
    found = worth(plan, estimated(plan, exact(12e9), exact(8e9)), student=student)
    assert [said in one for one in found.extrapolated] == ([True] if said else [])
    assert any(c.startswith("extrapolated") for c in found.caveats) == bool(said)


def test_the_student_is_assumed_where_nobody_says(plan: Plan) -> None:
    given = estimated(plan, exact(12e9), exact(8e9))
    assert (worth(plan, given).student, worth(plan, given).assumed) == (1.7e9, True)
    assert not worth(plan, given, student=1.7e9).assumed


def test_generation_beside_training_as_published() -> None:
    """The two cases of the facts, with as many prompt tokens as reply tokens."""
    once = generation_flops(1.7e9, 1.0, 1.0)
    assert once == 6.8e9
    assert once / training_flops(7e9, 4.0) == pytest.approx(0.04, abs=5e-4)
    large = generation_flops(70e9, 1.0, 1.0)
    assert large / training_flops(1e9, 1.0) == pytest.approx(47, abs=0.5)


def test_break_even_and_cost_of_kept_tokens(plan: Plan) -> None:
    given = estimated(plan, exact(12e9), exact(8e9))
    making = worth(plan, given, student=7e9, sizes={"writer": 1.7e9}).making
    assert making is not None
    assert making.once.value == pytest.approx(2 * 1.7e9 * 38e9)
    assert making.training.value == pytest.approx(6 * 7e9 * 20e9)
    assert making.reuse.value == pytest.approx(6 * 7e9 * 8e9)
    assert making.break_even.value == pytest.approx(1.7e9 * 38 / (3 * 7e9 * 8))
    assert making.written.value == pytest.approx(1.0)
    assert making.usd.value == pytest.approx(900 / 8e3)
    assert making.gpu_hours.value == pytest.approx(1 / 8e3)
    assert making.once.band == (
        pytest.approx(2 * 1.7e9 * 37.2e9),
        pytest.approx(2 * 1.7e9 * 38.8e9),
    )


def test_what_the_ledger_holds_has_cost_as_much(plan: Plan) -> None:
    given = estimated(plan, exact(12e9), exact(8e9))
    half = replace(given.steps["book"], reused=0.5)
    steps = {**given.steps, "book": half}
    making = worth(plan, replace(given, steps=steps), sizes={"writer": 1e9}).making
    assert making is not None
    assert making.once.value == pytest.approx(2 * 1e9 * 76e9)
    held = replace(given, steps={**given.steps, "book": replace(half, reused=1.0)})
    making = worth(plan, held, sizes={"writer": 1e9}).making
    assert making is not None
    assert making.made and making.once.value is None


def test_several_models_of_a_step(plan: Plan) -> None:
    node = plan.node("book")
    both = replace(node, models={"checks.judge.model": "judge"})
    nodes = tuple(both if n.name == "book" else n for n in plan.nodes)
    models = {**plan.models, "judge": {"engine": "http", "model": "big-70b"}}
    wide = replace(plan, nodes=nodes, models=models)
    given = estimated(wide, exact(12e9), exact(8e9))
    by_model = {"writer": calls(30e9, 8e9), "judge": calls(10e9, 1e9)}
    step = StepEstimate(exact(1e6), exact(1e6), calls(40e9, 9e9), by_model)
    making = worth(
        wide, replace(given, steps={**given.steps, "book": step}), sizes={"writer": 1e9}
    ).making
    assert making is not None
    assert making.once.value == pytest.approx(2 * 1e9 * 38e9 + 2 * 70e9 * 11e9)


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("smollm2-135m", 135e6),
        ("SmolLM2-1.7B-Instruct-Q4_K_M.gguf", 1.7e9),
        ("Qwen/Qwen3-8B", 8e9),
        ("Qwen/Qwen3-30B-A3B", 3e9),
        ("models/qwen2.5-0.5b-instruct", 0.5e9),
        ("openai/gpt-oss-20b", 3.6e9),
        ("kimi-k2-1t", 1e12),
        ("gpt-4o", None),
        ("mistralai/Mixtral-8x7B-v0.1", None),
        ("fake", None),
    ],
)
def test_sizes_in_names(name: str, size: float | None) -> None:
    assert size_in(name) == size


def test_without_a_mix_all_that_leaves_counts_once(tmp_path: Path) -> None:
    alone = plan_of(tmp_path, BOOK, "")
    given = estimates_of(alone, ROWS, {"book": around(9e9)}, {"book": calls(1e9, 1e9)})
    found = worth(alone, given, gates=RATES)
    assert (found.tokens.value, found.tokens.low) == (9e9, pytest.approx(8.1e9))
    assert (found.mixed, found.least_human) == (False, None)
    assert found.synthetic_share.value == 1.0
    assert found.beside.startswith("above all")
    assert found.parts[0].novelty.value == 1.0


def test_several_draws_are_versions_of_one_text(tmp_path: Path) -> None:
    steps = """
  book: { op: cot, from: clean, model: writer, prompt: book.md.j2, samples: 4 }
"""
    prompt = "---\ninputs: { text: str }\nreply: { reasoning: text, answer: boxed }\n---\n"
    (tmp_path / "cot.md.j2").write_text(
        prompt + "{% block user %}{{ text }} Answer in \\boxed{}.{% endblock %}\n"
    )
    drawn = plan_of(tmp_path, steps.replace("book.md.j2", "cot.md.j2"), "")
    rows = {"web": 1e6, "clean": 1e6, "book": 4e6}
    given = estimates_of(drawn, rows, {"book": exact(8e9)}, {"book": calls(1e9, 1e9)})
    found = worth(drawn, given)
    (adds,) = novelties([(4.0, 1.0)], 0.5)
    assert found.parts[0].novelty.value == pytest.approx(adds)
    assert found.parts[0].novelty.ends[1] == 1.0


def test_the_record_is_plain_json(plan: Plan) -> None:
    given = estimated(plan, around(12e9), around(8e9))
    found = worth(plan, given, gates=RATES, sizes={"writer": 135e6})
    value = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert value["mashbill_worth"] == 1
    assert value["student"] == {"parameters": 1.7e9, "assumed": True}
    assert [p["name"] for p in value["parts"]] == ["clean", "book"]
    assert value["effective"]["low"] < value["effective"]["value"] < value["effective"]["high"]
    assert value["stock"]["used_up"] == [2026, 2032]
    assert {g["check"] for g in value["gates"]} == {"facts", "length"}
    assert value["making"]["unsized"] == []


def test_spending_that_is_not_known(plan: Plan) -> None:
    given = estimates_of(plan, ROWS, {"clean": exact(12e9), "book": exact(8e9)})
    making = worth(plan, given, sizes={"writer": 1e9}).making
    assert making is not None
    assert making.once.value is None and not making.made
    unknown = Spending(*[Number(None, "?")] * 5)
    priceless = {**given.steps, "book": replace(given.steps["book"], spending=unknown)}
    making = worth(plan, replace(given, steps=priceless), sizes={"writer": 1e9}).making
    assert making is not None and making.usd.value is None
