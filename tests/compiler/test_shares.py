"""How the mix is settled, for any weights, supplies and policies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mashbill.compiler.shares import REPEAT_AT_MOST, settle_shares

POLICIES = ["error", "reweight", "repeat", "shrink"]
NAMES = ["clean", "book", "math", "code", "faq"]


@dataclass(frozen=True)
class Case:
    """A mix, what its parts have, and which of them are human."""

    mix: dict[str, Any]
    supply: dict[str, float]
    human: dict[str, bool]

    @property
    def weights(self) -> dict[str, float]:
        return {name: part["weight"] for name, part in self.mix["parts"].items()}

    @property
    def most(self) -> dict[str, float]:
        """Tokens that each part can give at all."""
        repeats = self.mix["on_shortfall"] == "repeat" and self.mix["total"] is not None
        default = REPEAT_AT_MOST if repeats else 1.0
        return {
            name: self.supply[name] * (part["max_epochs"] or default)
            for name, part in self.mix["parts"].items()
        }


@st.composite
def cases(draw: st.DrawFn, policy: str | None = None) -> Case:
    names = NAMES[: draw(st.integers(1, len(NAMES)))]
    raw = [draw(st.integers(0, 100)) for _ in names]
    raw[0] = max(raw[0], 1)
    weights = {n: r / sum(raw) for n, r in zip(names, raw, strict=True)}
    human = {n: draw(st.booleans()) for n in names}
    reached = sum(w for n, w in weights.items() if human[n])
    parts = {
        n: {"weight": w, "max_epochs": draw(st.sampled_from([None, 1.0, 2.5, 4.0]))}
        for n, w in weights.items()
    }
    mix = {
        "total": draw(st.none() | st.integers(1, 10**9)),
        "parts": parts,
        "min_human": reached * draw(st.floats(0, 1)),
        "on_shortfall": policy or draw(st.sampled_from(POLICIES)),
    }
    supply = {n: float(draw(st.integers(0, 10**9))) for n in names}
    return Case(mix, supply, human)


ENOUGH = Case(
    {"total": 100, "parts": {"clean": {"weight": 1.0, "max_epochs": None}}, "min_human": 1.0,
     "on_shortfall": "error"},
    {"clean": 100.0},
    {"clean": True},
)  # fmt: skip


@settings(deadline=None)
@given(cases())
@example(ENOUGH)
def test_no_part_gives_more_than_it_has(case: Case) -> None:
    shares = settle_shares(case.mix, case.supply, case.human)
    for name, tokens in shares.targets.items():
        assert 0 <= tokens <= case.most[name] * (1 + 1e-8)
        if case.supply[name]:
            assert shares.epochs[name] == pytest.approx(tokens / case.supply[name])
        else:
            assert shares.epochs[name] == 0


@settings(deadline=None)
@given(cases())
@example(ENOUGH)
def test_the_human_share_holds_under_every_policy(case: Case) -> None:
    shares = settle_shares(case.mix, case.supply, case.human)
    human = sum(t for n, t in shares.targets.items() if case.human[n])
    assert human >= shares.total * case.mix["min_human"] * (1 - 1e-9)


@settings(deadline=None)
@given(cases())
@example(ENOUGH)
def test_the_total_is_met_in_the_shares_asked_for_when_there_is_enough(case: Case) -> None:
    total = case.mix["total"]
    shares = settle_shares(case.mix, case.supply, case.human)
    wanted = {n: (total or 0) * w for n, w in case.weights.items()}
    enough = total is not None and all(case.most[n] >= t for n, t in wanted.items())
    if enough:
        assert shares.short == {} and not shares.failed
        assert shares.total == pytest.approx(total)
        for name in case.weights:
            assert shares.targets.get(name, 0.0) == pytest.approx(wanted[name])
    if total is not None:
        assert shares.total <= total * (1 + 1e-8)
        assert bool(shares.short) == any(
            case.most[n] < total * w * (1 - 1e-9) for n, w in case.weights.items() if w
        )


@settings(deadline=None)
@given(cases("shrink"))
def test_shrinking_keeps_the_shares_and_empties_the_part_that_is_short(case: Case) -> None:
    shares = settle_shares(case.mix, case.supply, case.human)
    assert not shares.failed
    for name, weight in case.weights.items():
        assert shares.targets.get(name, 0.0) == pytest.approx(shares.total * weight, abs=1e-6)
    if shares.short or case.mix["total"] is None:
        spent = [n for n, t in shares.targets.items() if t >= case.most[n] * (1 - 1e-8)]
        assert spent


@settings(deadline=None)
@given(cases("reweight"))
def test_reweighting_takes_all_of_what_is_short_or_stays_human(case: Case) -> None:
    shares = settle_shares(case.mix, case.supply, case.human)
    assert not shares.failed
    human = sum(t for n, t in shares.targets.items() if case.human[n])
    least = case.mix["min_human"]
    bound = least > 0 and human <= shares.total * least * (1 + 1e-6)
    for name in shares.short:
        assert bound or shares.targets[name] == pytest.approx(case.most[name])


@pytest.mark.parametrize("policy", ["error", "repeat"])
@settings(deadline=None)
@given(data=st.data())
def test_a_shortfall_fails_where_nothing_may_give_way(policy: str, data: st.DataObject) -> None:
    case = data.draw(cases(policy))
    shares = settle_shares(case.mix, case.supply, case.human)
    assert shares.failed == (bool(shares.short) and case.mix["total"] is not None)


@settings(deadline=None)
@given(cases())
def test_order_of_the_parts_does_not_matter(case: Case) -> None:
    turned = {**case.mix, "parts": dict(reversed(case.mix["parts"].items()))}
    one = settle_shares(case.mix, case.supply, case.human)
    other = settle_shares(turned, case.supply, case.human)
    assert one.targets == pytest.approx(dict(other.targets))


def test_by_hand() -> None:
    parts = {
        "clean": {"weight": 0.5, "max_epochs": None},
        "book": {"weight": 0.3, "max_epochs": None},
        "math": {"weight": 0.2, "max_epochs": 2.0},
    }
    human = {"clean": True, "book": False, "math": False}
    supply = {"clean": 600.0, "book": 150.0, "math": 80.0}

    def settled(policy: str, min_human: float = 0.5) -> dict[str, float]:
        mix = {"total": 1000, "parts": parts, "min_human": min_human, "on_shortfall": policy}
        return {n: round(t, 6) for n, t in settle_shares(mix, supply, human).targets.items()}

    assert settled("shrink") == {"clean": 250.0, "book": 150.0, "math": 100.0}
    assert settled("repeat") == {"clean": 500.0, "book": 300.0, "math": 160.0}
    assert settled("error") == {"clean": 500.0, "book": 150.0, "math": 160.0}
    assert settled("reweight") == {"clean": 600.0, "book": 150.0, "math": 160.0}
    # 600 human tokens allow 66.7 others at 90%, of which both give in proportion.
    assert settled("reweight", 0.9) == {"clean": 600.0, "book": 32.258065, "math": 34.408602}


def test_a_part_without_weight_takes_no_part() -> None:
    parts = {
        "clean": {"weight": 1.0, "max_epochs": None},
        "book": {"weight": 0.0, "max_epochs": None},
    }
    mix = {"total": None, "parts": parts, "min_human": 0.0, "on_shortfall": "error"}
    shares = settle_shares(mix, {"clean": 70.0}, {})
    assert shares.targets == {"clean": 70.0} and not shares.failed
