"""Checks on rows: what passes goes on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...compiler.params import Checks, Ladder
from ...compiler.registry import step
from ..ladder import check_specs, last_rung
from ..outcome import End, Outcome
from ..tools import Tools


@dataclass(frozen=True, slots=True)
class Verify:
    """A built `verify` step."""

    params: Mapping[str, Any]
    tools: Tools

    async def run(self, row: Mapping[str, Any]) -> tuple[Outcome, ...]:
        """Judge a row by each check in turn; the first failure decides."""
        specs = check_specs(self.params["checks"])
        verdicts = await self.tools.judge(specs, row)
        if not verdicts or verdicts[-1].passed:
            return (Outcome("out", (row,)),)
        bad = verdicts[-1]
        name = specs[len(verdicts) - 1].name
        end: End = "routed" if last_rung(self.params["on_fail"]) == "route" else "rejected"
        return (Outcome(end, (row,), bad.reason or name, {"check": name, **bad.evidence}),)


@step(stage="check", version=1, cost="cpu")
def verify(checks: Checks, on_fail: Ladder | None = None) -> Any:
    """Hold rows to checks; failed rows are rejected, or go to the port `.routed`.

    Args:
        checks: What each row is held to, by name.
        on_fail: `reject` or `route`, which sends what failed to the port `.routed`.
    """
    bound: dict[str, Any] = {"checks": checks, "on_fail": on_fail or []}

    def build(tools: Tools) -> Verify:
        return Verify(bound, tools)

    return build
