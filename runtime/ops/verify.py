"""Checks on rows: what passes goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from ...compiler.params import Checks, Ladder
from ...compiler.registry import Share, step
from ..draws import canonical, unit
from ..ladder import REPAIRS, STRIDE, judged, last_rung, misfit, replied, rungs_tried, text_of
from ..outcome import Attempt, Outcome, Unit, UnitEnd
from ..rows import derive
from ..specs import check_specs
from ..tools import Tools

if TYPE_CHECKING:
    from ..checkpool import CheckSpec

Mode = Literal["gate", "audit"]

AUDITED = 0x617564
"""Seed of the draw of audited rows: apart from `hash01(_doc)`, which a filter may have used."""


@dataclass(frozen=True, slots=True)
class Verify:
    """A built `verify` step."""

    params: Mapping[str, Any]
    tools: Tools
    checks: tuple[CheckSpec, ...]

    async def run(self, row: Mapping[str, Any]) -> tuple[Outcome, ...]:
        """Judge a row by each check in turn; the first failure decides."""
        if self.params["mode"] == "audit":
            return (await self._audit(row),)
        text = str(row.get("text") or "")
        first = await self._judge(Attempt(0, "", text, ""), row)
        if not first.failed:
            return (Outcome("out", (row,), calls=first.calls),)
        return (await self._mend(row, first),)

    async def _judge(self, attempt: Attempt, row: Mapping[str, Any]) -> Attempt:
        return judged(attempt, self.checks, await self.tools.judge(self.checks, row))

    async def _audit(self, row: Mapping[str, Any]) -> Outcome:
        """Have every check judge a row of the sample, each by itself; the row goes on anyway."""
        share = self.params["sample"]
        if share is not None and unit(canonical(row["_doc"]), AUDITED) >= share:
            return Outcome("out", (row,))
        found = [await self.tools.judge((spec,), row) for spec in self.checks]
        return Outcome("out", (row,), calls=tuple(k for vs in found for v in vs for k in v.calls))

    async def _mend(self, row: Mapping[str, Any], first: Attempt) -> Outcome:
        """Go down the ladder with a row that failed."""
        attempts, made, standing = [first], row, first

        def failed() -> str:
            return standing.failed

        for _ in range(self.tools.passes):
            for number in rungs_tried(self.params["on_fail"], failed):
                repair = self.tools.repairs[number]
                messages = repair.messages(made, standing)
                if not repair.fits(messages):
                    continue
                draw = (REPAIRS + len(attempts) - 1) * STRIDE
                entry, read = await repair.ask(messages, draw), repair.reader(messages)
                text = text_of(entry.text, messages, read)
                attempt = misfit(replied(entry, draw, "repair", text, messages), read)
                if not attempt.failed:
                    made = {**made, **read(attempt.text).values}
                    attempt = standing = await self._judge(attempt, made)
                attempts.append(attempt)
                if not attempt.failed:
                    return self._mended(row, made, tuple(attempts))
        routes = last_rung(self.params["on_fail"]) == "route"
        end: Literal["routed", "rejected"] = "routed" if routes else "rejected"
        evidence = {"check": standing.failed, **standing.evidence}
        units = (_unit(attempts, end),) if len(attempts) > 1 else ()
        return Outcome(end, (row,), standing.reason, evidence, units, first.calls)

    def _mended(
        self, row: Mapping[str, Any], made: Mapping[str, Any], attempts: tuple[Attempt, ...]
    ) -> Outcome:
        """A repaired row: it has an id of its own, and a new text is the model's."""
        changes = {name: value for name, value in made.items() if value != row.get(name)}
        if "text" in changes:
            changes["_origin"] = "synthetic"
        made = derive(row, self.tools.rule, 0, **changes)
        return Outcome("out", (made,), units=(_unit(attempts, "accepted"),))


def _unit(attempts: Sequence[Attempt], end: UnitEnd) -> Unit:
    """What was tried with a row; what it was is its first attempt, which nobody asked for."""
    return Unit(attempts[0].text, (), tuple(attempts), end, attempts[-1].text)


@step(stage="check", version=2, cost="cpu", later=("mode", "sample"))
def verify(
    checks: Checks,
    on_fail: Ladder | None = None,
    mode: Mode = "gate",
    sample: Share | None = None,
) -> Any:
    """Hold rows to checks; failed rows are repaired, rejected, or go to the port `.routed`.

    With `mode: audit` rows are measured and not held: all go on as they came, and the run's record
    and summary say what share of the sample each check passes. There each check judges by itself,
    whatever the others found.

    Args:
        checks: What each row is held to, by name.
        on_fail: `repair`, whose prompt is told what failed and whose reply takes the place of
            columns; then `reject` or `route`, which sends what failed to the port `.routed`.
        mode: `gate` holds rows to the checks; `audit` only measures.
        sample: Of an audit: the share of documents that is judged; all of them if absent.
    """
    bound: dict[str, Any] = {
        "checks": checks,
        "on_fail": on_fail or [],
        "mode": mode,
        "sample": sample,
    }

    def build(tools: Tools) -> Verify:
        return Verify(bound, tools, check_specs(bound["checks"]))

    return build
