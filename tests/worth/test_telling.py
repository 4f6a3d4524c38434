"""What is printed: exact at 80 and 120 columns, never wider, and a summary of two lines.

`MASHBILL_UPDATE=1 pytest tests/worth/test_telling.py` writes the texts anew.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mashbill.compiler.estimating.estimates import Estimates, Spending
from mashbill.compiler.estimating.numbers import Number
from mashbill.compiler.plan import Plan
from mashbill.compiler.worth import GateRates, Worth, worth, worth_summary, worth_text
from mashbill.compiler.worth.caveats import sized
from mashbill.compiler.worth.figure import Figure
from mashbill.compiler.worth.layout import table
from mashbill.compiler.worth.words import counted, flops, rough, share

from .plans import MIX, around, calls, estimates_of, exact, plan_of

GOLDEN = Path(__file__).parent / "golden"
RATES = {"book.facts": GateRates(52, 63, 4, 97, "labelled.jsonl, 63 good and 97 bad rows")}
ROWS = {"web": 1e6, "notes": 1e6, "clean": 1e6, "book": 1e6}


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    return plan_of(tmp_path_factory.mktemp("told"))


def small(plan: Plan) -> Plan:
    return replace(plan, mix={**(plan.mix or {}), "total": 20_000})


def estimated(plan: Plan, clean: Number, book: Number) -> Estimates:
    return estimates_of(
        plan, ROWS, {"clean": clean, "book": book}, {"book": calls(30e9, 8e9, 900.0)}
    )


def made(plan: Plan, name: str) -> Worth:
    if name == "large":
        given = estimated(plan, around(9e9), around(9e9))
        return worth(plan, given, gates=RATES, sizes={"writer": 1.7e9})
    if name == "small":
        given = estimated(small(plan), exact(12e3), around(8e3))
        return worth(small(plan), given, student=7e9)
    given = estimated(plan, exact(12e9), Number(None, "?"))
    return worth(plan, given, gates=RATES, sizes={"writer": 1.7e9})


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("name", ["large", "small", "unknown"])
def test_the_text(plan: Plan, name: str, width: int) -> None:
    found = made(plan, name)
    lines = [*worth_text(found, width), "", *worth_summary(found)]
    assert max(map(len, worth_text(found, width))) <= width
    assert max(map(len, worth_summary(found))) <= 80
    assert not any(line != line.rstrip() for line in lines)
    file = GOLDEN / f"{name}-{width}.txt"
    text = "\n".join(lines) + "\n"
    if os.environ.get("MASHBILL_UPDATE"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    assert text == file.read_text()


def test_people_alone(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, "", MIX.replace("book:", "notes:"))
    given = estimates_of(plan, ROWS, {"clean": exact(12e9), "notes": exact(8e9)})
    text = "\n".join(worth_text(worth(plan, given)))
    for absent in ("synthetic", "making it", "gate", "novelty", "quality", "collapse"):
        assert absent not in text
    assert "100% of the tokens" in text


def test_a_gate_that_bears_less_is_told(plan: Plan) -> None:
    bad = {"book.facts": GateRates(30, 100, 90, 900, "rows")}
    given = estimated(plan, exact(12e9), exact(8e9))
    text = " ".join(" ".join(worth_text(worth(plan, given, gates=bad))).split())
    assert "more wrong than it bears: make the check stricter, or the model better" in text


@pytest.mark.parametrize("name", ["large", "small", "unknown"])
def test_no_plan_is_told_without_its_caveats(plan: Plan, name: str) -> None:
    found = made(plan, name)
    text = " ".join(" ".join(worth_text(found)).split())
    for caveat in found.caveats:
        assert caveat in text
    assert "the laws are of models trained on web text alone" in text
    assert ("extrapolated" in text) == bool(found.extrapolated)


@given(
    names=st.lists(st.text("abcdefgh_", min_size=1, max_size=60), min_size=1, max_size=4),
    width=st.integers(80, 120),
)
def test_long_names_fit(names: list[str], width: int) -> None:
    head = ("part", "origin", "tokens", "epochs", "quality", "novelty", "effective", "band")
    rows = [(n, "synthetic", "999M", "12.0", "0.93", "0.12", "888M", "1.00M–999M") for n in names]
    assert max(map(len, table([head, *rows], width, left=2))) <= width


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "?"), (0.0, "0%"), (1e-9, "under a millionth"), (2e-5, "0.002%"), (0.0042, "0.4%"),
        (0.5, "50%"), (1.0, "100%"), (1.5, "1.5 times"), (46.7, "47 times"),
        (46_700, "46,700 times"),
    ],
)  # fmt: skip
def test_shares(value: float | None, said: str) -> None:
    assert share(value) == said


@pytest.mark.parametrize(
    ("value", "said"), [(0.3249, "32%"), (0.04, "4%"), (0.995, "99.5%"), (0.0333, "3.3%")]
)
def test_rough_shares(value: float, said: str) -> None:
    assert rough(value) == said


def test_numbers() -> None:
    assert (flops(5.71e13), flops(None)) == ("5.7e13", "?")
    assert [sized(n) for n in (1.7e9, 7e9, 135e6, 1.25e9)] == ["1.7B", "7B", "135M", "1.25B"]
    assert counted(None) == "?"
    assert Figure(1.0, 1.0, 1.0).band is None


BANDED = st.one_of(
    st.just(Number(None, "?")),
    st.just(exact(0.0)),
    st.tuples(st.floats(1, 1e14), st.floats(0, 1), st.floats(1, 10)).map(
        lambda n: Number(n[0], "p", n[0] * n[1], n[0] * n[2])
    ),
)


@given(
    clean=BANDED,
    book=BANDED,
    prompt=BANDED,
    reply=BANDED,
    rows=st.sampled_from([0.0, 1.0, 1e6]),
    reused=st.sampled_from([0.0, 0.5, 1.0]),
    student=st.floats(1e5, 1e13),
    width=st.sampled_from([80, 120]),
)
@settings(max_examples=50)
def test_whatever_is_estimated_something_sound_is_told(
    plan: Plan,
    clean: Number,
    book: Number,
    prompt: Number,
    reply: Number,
    rows: float,
    reused: float,
    student: float,
    width: int,
) -> None:
    spent = {"book": Spending(prompt_tokens=prompt, reply_tokens=reply)}
    given = estimates_of(plan, dict.fromkeys(ROWS, rows), {"clean": clean, "book": book}, spent)
    steps = {n: replace(s, reused=reused) for n, s in given.steps.items()}
    found = worth(
        plan, replace(given, steps=steps), student=student, gates=RATES, sizes={"writer": 1e9}
    )
    assert max(map(len, worth_text(found, width))) <= width
    assert max(map(len, worth_summary(found))) <= 80
    json.dumps(found.to_json(), allow_nan=False)
    for figure in (found.tokens, found.unique, found.effective, found.speed_up):
        if figure.value is not None:
            low, high = figure.ends
            assert low is not None and high is not None
            assert 0 <= low <= figure.value * (1 + 1e-9) <= high * (1 + 1e-9) + 1e-9
    if found.effective.value is not None and found.tokens.value is not None:
        assert found.effective.value <= found.tokens.value * (1 + 1e-9)
