"""New columns from a prompt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...compiler.params import Checks, Ladder, Sampling
from ...compiler.registry import ONE, Count, Model, Prompt, step
from ..ladder import check_specs, settle
from ..outcome import End, Outcome, Unit, all_of
from ..requests import Message
from ..rows import derive
from ..tools import Tools

if TYPE_CHECKING:
    from ..prompting import Renderer

Definition = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Generate:
    """A built `generate` step."""

    params: Definition
    renderer: Renderer
    tools: Tools

    def prompts(self, row: Mapping[str, Any]) -> list[tuple[Message, ...]]:
        """What the first attempt asks of a row, sample by sample."""
        return [self.renderer.messages(row, str(row["_doc"]))] * self.params["samples"]

    async def run(self, row: Mapping[str, Any]) -> tuple[Outcome, ...]:
        """Ask for each sample. Raises `EngineError`."""
        messages = self.renderer.messages(row, str(row["_doc"]))
        samples = range(self.params["samples"])
        return tuple(await all_of(self._sample(row, messages, s) for s in samples))

    async def _sample(
        self, row: Mapping[str, Any], messages: tuple[Message, ...], sample: int
    ) -> Outcome:
        column = next((name for name, _ in self.params["prompt"].reply), "text")
        unit = await settle(
            self.tools,
            messages,
            lambda reply: {**row, "input.text": row.get("text"), column: reply},
            source=str(row.get("text") or ""),
            sampling=self.params["sampling"],
            ladder=self.params["on_fail"],
            checks=check_specs(self.params["checks"]),
            sample=sample,
        )
        return outcome_of(unit, row, self.tools.rule, sample, column)


def outcome_of(unit: Unit, row: Mapping[str, Any], rule: str, sample: int, column: str) -> Outcome:
    """The outcome of a row that was asked about as a whole."""
    if unit.end == "accepted":
        changes: dict[str, Any] = {column: unit.text}
        if column == "text":
            changes |= {"_origin": "synthetic", "input.text": row.get("text")}
        return Outcome("out", (derive(row, rule, sample, **changes),), units=(unit,))
    if unit.end == "fallback":
        return Outcome("out", (derive(row, rule, sample),), units=(unit,))
    last = unit.attempts[-1]
    end: End = "routed" if unit.end == "routed" else "rejected"
    return Outcome(end, (row,), last.reason, last.evidence, (unit,))


@step(stage="generate", version=1, cost="model")
def generate(
    model: Model,
    prompt: Prompt,
    samples: Count = ONE,
    sampling: Sampling | None = None,
    checks: Checks | None = None,
    on_fail: Ladder | None = None,
) -> Any:
    """Make new columns from a prompt: those that its `reply` declares, or `text`.

    Each sample is a row of its own with the same `_doc`. A reply that hits `max_tokens` is
    truncated and counts as failed; what fails goes down the ladder `on_fail`.
    """
    bound: dict[str, Any] = {
        "prompt": prompt,
        "samples": samples,
        "sampling": sampling,
        "checks": checks or [],
        "on_fail": on_fail or [],
    }

    def build(tools: Tools) -> Generate:
        from ..prompting import Renderer

        return Generate(bound, Renderer(bound["prompt"], tools.tokens.special), tools)

    return build
