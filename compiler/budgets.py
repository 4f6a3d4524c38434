"""Budgets, prices and hardware of a recipe, as records: none of it is identity.

Read leniently, as `recipe` does: what is of the wrong type has its diagnostic and reads as absent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from .diagnostics import Span
from .nodes import List, Map, Node, Scalar
from .quantities import parse_count, parse_duration, parse_money, parse_tokens

OWN_HARDWARE = frozenset({"local", "vllm"})
"""Engines that run where Mashbill runs: they take time of hardware."""
FREE = frozenset({"fake", "local"})
"""Engines that cost nothing unless the recipe says so."""
PER = 10**6
"""Tokens that a price is for, unless it says."""


def parse_cap(value: object) -> int | str:
    """`3B` or `3B tokens` → 3000000000; a `str` says what is wrong."""
    number = parse_tokens(value)
    return number if isinstance(number, int) else parse_count(value)


def parse_dollars(value: object) -> float | str:
    """`$150` or 150 → 150.0: a cap, so above zero."""
    number = parse_money(value)
    if number == 0:
        return f"expected US dollars above zero like $150, got {value}"
    return number


def parse_price(value: object) -> float | str:
    """`$0.40`, 0.4 or 4e-07 → US dollars, none included."""
    if isinstance(value, float) and value >= 0:
        return value
    return parse_money(value)


def parse_hours(value: object) -> float | str:
    """40 or `40h` → hours; above zero."""
    if isinstance(value, str):
        seconds = parse_duration(value)
        if isinstance(seconds, float):
            return seconds / 3600
    number = parse_money(value) if not str(value).startswith("$") else "no"
    sound = isinstance(number, float) and number > 0
    return number if sound else f"expected hours above zero like 40 or 40h, got {value}"


def parse_day(value: object) -> date | str:
    """`2026-11-01` → the day."""
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        return f"expected a day like 2026-11-01, got {value}"


CAPS: Mapping[str, Callable[[object], Any]] = {
    "usd": parse_dollars,
    "gpu_hours": parse_hours,
    "tokens": parse_cap,
    "input_tokens": parse_cap,
    "requests": parse_count,
    "wall": parse_duration,
}
"""What can be capped, and how its quantity is read: dollars, hours, counts, seconds."""


@dataclass(frozen=True, slots=True)
class SpendCap:
    """A cap of the run, or of a step. `value` is in dollars, hours, seconds, or a count."""

    kind: str
    value: float
    span: Span
    step: str | None = None

    @property
    def path(self) -> str:
        """What the user writes: `budget.usd`, `budget.steps.book.tokens`."""
        return (
            f"budget.{self.kind}" if self.step is None else f"budget.steps.{self.step}.{self.kind}"
        )


@dataclass(frozen=True, slots=True)
class BreakerDecl:
    """When to stop for what becomes of rows."""

    after: int | None
    when: Node | None
    span: Span
    step: str | None = None
    step_span: Span | None = None


@dataclass(frozen=True, slots=True)
class BudgetDecl:
    """What a data set may cost; `breakers` is None where the recipe leaves them to Mashbill."""

    span: Span
    caps: tuple[SpendCap, ...] = ()
    steps: tuple[tuple[str, Span], ...] = ()
    breakers: tuple[BreakerDecl, ...] | None = None


@dataclass(frozen=True, slots=True)
class PriceDecl:
    """What `per` tokens of a model cost, in dollars."""

    span: Span
    input: float
    output: float
    cached_input: float | None = None
    per: int = PER
    as_of: date | None = None
    spans: tuple[tuple[str, Span], ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As the plan holds it."""
        return {
            "input": self.input,
            "output": self.output,
            "cached_input": self.cached_input,
            "per": self.per,
            "as_of": self.as_of.isoformat() if self.as_of else None,
        }


@dataclass(frozen=True, slots=True)
class HardwareDecl:
    """What the run's own engines run on."""

    gpu: str = "auto"
    count: int = 1
    usd_per_gpu_hour: float | None = None
    rate_span: Span | None = None

    def to_json(self) -> dict[str, Any]:
        """As the plan holds it."""
        return {"gpu": self.gpu, "count": self.count, "usd_per_gpu_hour": self.usd_per_gpu_hour}


def read_budget(node: Node | None) -> BudgetDecl | None:
    """Read `budget:`."""
    if not isinstance(node, Map):
        return None
    steps = node.get("steps")
    own = [(str(k.value), k, v) for k, v in (steps.entries if isinstance(steps, Map) else ())]
    breakers = node.get("breakers")
    return BudgetDecl(
        span=node.span,
        caps=(*_caps(node, None), *(cap for name, _, v in own for cap in _caps(v, name))),
        steps=tuple((name, key.span) for name, key, _ in own),
        breakers=tuple(_breaker(n) for n in breakers.items if isinstance(n, Map))
        if isinstance(breakers, List)
        else None,
    )


def budget_json(budget: BudgetDecl, breakers: Sequence[Mapping[str, Any]] | None) -> dict[str, Any]:
    """As the plan holds it: caps by kind, those of steps by step, and the breakers, bound."""
    steps: dict[str, dict[str, float]] = {}
    for cap in budget.caps:
        if cap.step is not None:
            steps.setdefault(cap.step, {})[cap.kind] = cap.value
    return {
        **{cap.kind: cap.value for cap in budget.caps if cap.step is None},
        "steps": steps,
        "breakers": [dict(b) for b in breakers] if breakers is not None else None,
    }


def _caps(node: Node, step: str | None) -> Iterator[SpendCap]:
    for kind, read in CAPS.items():
        value = _quantity(node, kind, read)
        found = node.get(kind) if isinstance(node, Map) else None
        if value is not None and found is not None:
            yield SpendCap(kind, value, found.span, step)


def _breaker(node: Map) -> BreakerDecl:
    step = node.get("step")
    name = step.value if isinstance(step, Scalar) and not step.faulty else None
    return BreakerDecl(
        after=_quantity(node, "after", parse_count),
        when=node.get("when"),
        span=node.span,
        step=name if isinstance(name, str) else None,
        step_span=step.span if step else None,
    )


def read_price(node: Node | None) -> PriceDecl | None:
    """Read `price:` of a model. What cannot be read is 0 here: a price was meant."""
    if node is None:
        return None
    entries = node.entries if isinstance(node, Map) else ()
    return PriceDecl(
        span=node.span,
        input=_quantity(node, "input", parse_price) or 0.0,
        output=_quantity(node, "output", parse_price) or 0.0,
        cached_input=_quantity(node, "cached_input", parse_price),
        per=_quantity(node, "per", parse_tokens) or PER,
        as_of=_quantity(node, "as_of", parse_day),
        spans=tuple((str(key.value), value.span) for key, value in entries),
    )


def read_hardware(node: Node | None) -> HardwareDecl | None:
    """Read `hardware:`."""
    if not isinstance(node, Map):
        return None
    gpu, count = node.get("gpu"), node.get("count")
    rate = node.get("usd_per_gpu_hour")
    kind = gpu.value if isinstance(gpu, Scalar) else None
    many = count.value if isinstance(count, Scalar) else None
    return HardwareDecl(
        gpu=kind if isinstance(kind, str) else "auto",
        count=many if type(many) is int and many > 0 else 1,
        usd_per_gpu_hour=_quantity(node, "usd_per_gpu_hour", parse_price),
        rate_span=rate.span if rate else None,
    )


def _quantity(node: Node | None, key: str, read: Callable[[object], Any]) -> Any:
    """A value that can be read; None where there is none, or where `shape` has its fault."""
    value = node.get(key) if isinstance(node, Map) else None
    if not isinstance(value, Scalar) or value.faulty or value.value is None:
        return None
    found = read(value.value)
    return None if isinstance(found, str) else found
