"""New columns from a prompt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ...compiler.params import Checks, Ladder, Sampling
from ...compiler.registry import ONE, Count, Model, Prompt, step
from ..ladder import check_specs, settle
from ..outcome import End, Outcome, Unit, all_of
from ..overlong import Fitted, Overlong, Room, overlong_unit
from ..requests import Message
from ..rows import derive
from ..tools import Tools

if TYPE_CHECKING:
    from ..checkpool import CheckSpec
    from ..prompting import Renderer
    from ..replies import Read

Definition = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Generate:
    """A built `generate` step."""

    params: Definition
    renderer: Renderer
    tools: Tools
    room: Room
    checks: tuple[CheckSpec, ...]

    def prompts(self, row: Mapping[str, Any]) -> list[tuple[Message, ...]]:
        """What the first attempt asks of a row, sample by sample."""
        asked = self.fitted(row)
        return [asked.messages] * self.params["samples"] if asked.fits else []

    async def run(self, row: Mapping[str, Any]) -> tuple[Outcome, ...]:
        """Ask for each sample. Raises `EngineError`."""
        asked, samples = self.fitted(row), self.params["samples"]
        if samples == 1:  # no task of its own
            return (await self.sample(row, asked, 0),)
        return tuple(await all_of(self.sample(row, asked, s) for s in range(samples)))

    def fitted(self, row: Mapping[str, Any]) -> Fitted:
        """The prompt for a row, held against the model's context. Raises `RenderError`."""
        doc = str(row["_doc"])

        def render(text: str) -> tuple[Message, ...]:
            return self.renderer.messages({**row, "text": text}, doc)

        messages = self.renderer.messages(row, doc)
        return self.room.fit(str(row.get("text") or ""), messages, render)

    async def sample(self, row: Mapping[str, Any], asked: Fitted, sample: int) -> Outcome:
        """What comes of one sample of a row. Raises `EngineError`."""
        from ..replies import reader_of, schema_of

        shape, messages = self.params["prompt"].shape, asked.messages
        read = reader_of(shape, messages)
        if not asked.fits:
            unit = overlong_unit(asked.text, messages, self.params["on_fail"], asked.evidence)
            return outcome_of(unit, row, self.tools.rule, sample, read)
        given = asked.text if asked.evidence else row.get("text")
        sampling = self.params["sampling"]
        if schema := schema_of(self.params["prompt"]):
            sampling = {**sampling, "schema": schema}
        unit = await settle(
            self.tools,
            messages,
            lambda reply: {**row, "input.text": given, **read(reply).values},
            source=asked.text,
            sampling=sampling,
            ladder=self.params["on_fail"],
            checks=self.checks,
            sample=sample,
            read=read,
        )
        outcome = outcome_of(unit, row, self.tools.rule, sample, read, given)
        return replace(outcome, evidence={**asked.evidence, **outcome.evidence})


def outcome_of(
    unit: Unit,
    row: Mapping[str, Any],
    rule: str,
    sample: int,
    read: Read,
    given: Any = None,
) -> Outcome:
    """The outcome of a row that was asked about as a whole, with the text that was `given`."""
    if unit.end == "accepted":
        changes = dict(read(unit.text or "").values if unit.values is None else unit.values)
        if "text" in changes:
            changes |= {"_origin": "synthetic", "input.text": given}
        return Outcome("out", (derive(row, rule, sample, **changes),), units=(unit,))
    if unit.end == "fallback":
        return Outcome("out", (derive(row, rule, sample),), units=(unit,))
    last = unit.attempts[-1]
    end: End = "routed" if unit.end == "routed" else "rejected"
    return Outcome(end, (row,), last.reason, last.evidence, (unit,))


@step(stage="generate", version=4, cost="model")
def generate(
    model: Model,
    prompt: Prompt,
    samples: Count = ONE,
    overlong: Overlong = "reject",
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
        overlong: What to do where prompt and longest reply do not fit the model's context: reject
            the row before anything is sent, or truncate its text behind a sentence until they fit.
        sampling: How replies are drawn, laid over the model's own `sampling`.
        checks: What each reply is held to, by name.
        on_fail: What to do when a check fails, rung by rung; at the end the row is rejected.
    """
    bound: dict[str, Any] = {
        "prompt": prompt,
        "samples": samples,
        "overlong": overlong,
        "sampling": sampling,
        "checks": checks or [],
        "on_fail": on_fail or [],
    }

    def build(tools: Tools) -> Generate:
        from ..prompting import Renderer

        renderer = Renderer(bound["prompt"], tools.tokens.special)
        room = Room(tools, bound["sampling"]["max_tokens"], bound["overlong"])
        return Generate(bound, renderer, tools, room, check_specs(bound["checks"]))

    return build
