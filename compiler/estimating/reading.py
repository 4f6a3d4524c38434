"""Estimates read again from their JSON: of a run's record, or of a saved plan."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, TypeVar

from .estimates import Estimates, Leverage, Spending, StepEstimate
from .facts import Price, SourceFacts, Speed
from .numbers import BASES, Number

T = TypeVar("T")


def read_estimates(value: object) -> Estimates | None:
    """What `Estimates.to_json` wrote; None for anything else, as versions before this one wrote.

    Keys that this version does not know are passed over.
    """
    try:
        return _estimates(value)
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


def _estimates(value: Any) -> Estimates:
    made: dict[str, Any] = {
        "steps": _each(value["steps"], _step),
        "total": _spending(value["total"]) if value.get("total") else None,
        "unpriced": frozenset(value.get("unpriced") or ()),
        "hurried": frozenset(value.get("hurried") or ()),
    }
    readers: Mapping[str, Callable[[Any], Any]] = {
        "supply": _number,
        "epochs": _number,
        "taken": float,
        "sources": lambda v: _record(SourceFacts, v),
        "speeds": lambda v: _record(Speed, v),
        "prices": lambda v: _record(Price, v),
    }
    made |= {name: _each(value.get(name) or {}, read) for name, read in readers.items()}
    human, leverage = value.get("human_share"), value.get("leverage")
    made["human_share"] = _number(human) if human else None
    if leverage:
        narrowed = leverage.get("narrowed")
        given = {**leverage, "narrowed": _number(narrowed) if narrowed else None}
        made["leverage"] = _record(Leverage, given)
    return Estimates(**made)


def _each(values: Mapping[str, Any], read: Callable[[Any], T]) -> dict[str, T]:
    return {str(name): read(value) for name, value in values.items()}


def _step(value: Any) -> StepEstimate:
    spending = value.get("spending")
    given = {
        **value,
        "rows_in": _number(value["rows_in"]),
        "rows_out": _number(value["rows_out"]),
        "spending": _spending(spending) if spending else None,
        "by_model": _each(value.get("by_model") or {}, _spending),
    }
    if "calls" in value:
        raise ValueError("of an older version")
    return _record(StepEstimate, given)


def _spending(value: Any) -> Spending:
    return Spending(**{f.name: _number(value[f.name]) for f in fields(Spending) if f.name in value})


def _number(value: Any) -> Number:
    if value["basis"] not in BASES:
        raise ValueError("no basis")
    return Number(value["value"], value["basis"], value.get("low"), value.get("high"))


def _record(kind: Callable[..., T], value: Mapping[str, Any]) -> T:
    known = {f.name for f in fields(kind)}  # type: ignore[arg-type]
    return kind(**{name: v for name, v in value.items() if name in known})
