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
    from ..replies import Read

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
        from ..replies import reader_of, schema_of

        shape = self.params["prompt"].shape
        read = reader_of(shape, messages)
        sampling = self.params["sampling"]
        if schema := schema_of(shape):
            sampling = {**sampling, "schema": schema}
        unit = await settle(
            self.tools,
            messages,
            lambda reply: {**row, "input.text": row.get("text"), **read(reply).values},
            source=str(row.get("text") or ""),
            sampling=sampling,
            ladder=self.params["on_fail"],
            checks=check_specs(self.params["checks"]),
            sample=sample,
            read=read,
        )
        return outcome_of(unit, row, self.tools.rule, sample, read)


def outcome_of(unit: Unit, row: Mapping[str, Any], rule: str, sample: int, read: Read) -> Outcome:
    """The outcome of a row that was asked about as a whole."""
    if unit.end == "accepted":
        changes = dict(read(unit.text or "").values)
        if "text" in changes:
            changes |= {"_origin": "synthetic", "input.text": row.get("text")}
        return Outcome("out", (derive(row, rule, sample, **changes),), units=(unit,))
    if unit.end == "fallback":
        return Outcome("out", (derive(row, rule, sample),), units=(unit,))
    last = unit.attempts[-1]
    end: End = "routed" if unit.end == "routed" else "rejected"
    return Outcome(end, (row,), last.reason, last.evidence, (unit,))


@step(stage="generate", version=2, cost="model")
def generate(
    model: Model,
    prompt: Prompt,
    samples: Count = ONE,
    sampling: Sampling | None = None,
    checks: Checks | None = None,
    on_fail: Ladder | None = None,
) -> Any:
    """Make new columns from a prompt: those that its `reply` declares, or `text`.

    A reply that has not the declared shape (a tag, a section, a fence, a box, a JSON object that
    meets its schema) fails as `unparsed`, before any check; one that hits `max_tokens` fails as
    `truncated`. What fails goes down the ladder `on_fail`. Each sample is a row of its own with the
    same `_doc`.

    Args:
        model: The model that replies.
        prompt: The file that says what it is asked.
        samples: Replies a row, each a row of its own.
        sampling: How replies are drawn, laid over the model's own `sampling`.
        checks: What each reply is held to, by name.
        on_fail: What to do when a check fails, rung by rung; at the end the row is rejected.
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
