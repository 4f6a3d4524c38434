"""Binding of a ladder: its rungs in order, and what a retry asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .bound import Bound, plain_map
from .diagnostics import Diagnostic
from .document import List, Map, Node, plain
from .schema import FORM_REASONS
from .scope import Binding

LAST_RUNGS = ("fallback", "route", "reject")


def bind_ladder(node: Node, binding: Binding, bound: Bound) -> list[dict[str, Any]]:
    """A ladder's rungs up to the first that ends it; one that ends nowhere rejects."""
    rungs: list[dict[str, Any]] = []
    items: Sequence[Node] = node.items if isinstance(node, List) else (node,)
    for item in items:
        word, body = _rung(item)
        if word in LAST_RUNGS:
            rungs.append({"rung": word})
            return rungs  # what comes after has its diagnostic from `shape`
        if word == "retry":
            rungs.append(_retry(body, binding, bound))
    return [*rungs, {"rung": "reject"}]


def _rung(item: Node) -> tuple[str, Node | None]:
    if isinstance(item, Map) and item.entries:
        key, value = item.entries[0]
        return str(key.value), value
    return str(plain(item)), None


def _retry(body: Node | None, binding: Binding, bound: Bound) -> dict[str, Any]:
    times = body.get("times") if isinstance(body, Map) else body
    value = plain(times) if times else 1
    value = value if type(value) is int else 1  # the shape has its diagnostic
    rung: dict[str, Any] = {"rung": "retry", "times": value, "sampling": {}, "for": []}
    if isinstance(body, Map):
        rung["sampling"] = plain_map(sampling) if (sampling := body.get("sampling")) else {}
        wanted = plain(reasons) if (reasons := body.get("for")) else []
        rung["for"] = sorted({str(name) for name in wanted}) if isinstance(wanted, list) else []
        if reasons is not None and not bound.params.get("checks"):
            _refuse_reasons(reasons, rung["for"], binding, bound)
    if is_greedy({**(bound.params.get("sampling") or {}), **rung["sampling"]}):
        span = body.span if body is not None else bound.model.span if bound.model else None
        binding.add(
            Diagnostic(
                "M253",
                "a retry at temperature 0 gives the same reply again",
                span,
                help="write `retry: { times: 1, sampling: { temperature: 0.8 } }`",
            )
        )
    return rung


def _refuse_reasons(node: Node, reasons: Sequence[str], binding: Binding, bound: Bound) -> None:
    """Names of checks where there is none; where there are some, `shape` compares them."""
    unknown = [name for name in reasons if name not in FORM_REASONS]
    if unknown and not bound.incomplete:
        help = f"give the step `checks: {{ {unknown[0]}: … }}`, or take `for` out"
        binding.add(Diagnostic("S010", f"unknown check '{unknown[0]}'", node.span, help=help))


def is_greedy(sampling: Mapping[str, Any]) -> bool:
    """Whether every draw is the same text."""
    temperature = sampling.get("temperature")
    return not isinstance(temperature, bool) and temperature == 0
