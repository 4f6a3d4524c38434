"""Which steps of a plan run programs, and whether this machine can shut them in well enough."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...compiler.plan import Plan


class NoSandboxError(Exception):
    """No sandbox of the wanted kind can be had here; the message says what to type."""


_OPERATORS = ("execute", "unit_tests", "compiles")


def wanted(plan: Plan) -> dict[str, bool]:
    """Steps that run programs, to whether bubblewrap is required."""
    found: dict[str, bool] = {}
    for node in plan.nodes:
        params = node.definition.get("params") or {}
        for kind, given in _running(node.op, params):
            if kind in _OPERATORS:
                strict = given.get("sandbox", "required") == "required"
                found[node.name] = found.get(node.name, False) or strict
    return found


def refuse_weak(plan: Plan) -> None:
    """Look, before anything is paid, whether every sandbox of a plan can be had.

    Raises:
        NoSandboxError: If one cannot; the message says what to type.
    """
    steps = wanted(plan)
    if steps:
        from .isolation import require

        for strict in sorted(set(steps.values()), reverse=True):
            require(strict)


def level_json(plan: Plan) -> dict[str, str]:
    """For the record of a run: at what level its programs ran; empty where it runs none."""
    if not wanted(plan):
        return {}
    from .isolation import isolation

    return {"sandbox": isolation().level or "none"}


def _running(op: str, params: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """A step's operator and its checks, with their parameters."""
    yield op, params
    for check in params.get("checks") or ():
        yield check["kind"], dict(check["params"])
