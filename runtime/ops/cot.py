"""Several replies to one prompt, each a row: chains of thought to choose from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ...compiler.params import Checks, Ladder, Sampling, Until
from ...compiler.registry import Count, Model, Prompt, Template, step
from ..outcome import Outcome, all_of
from ..overlong import Overlong
from ..requests import Message
from ..tools import Tools
from ..voting.stops import Stop, stop_of
from .generate import Generate, generate

if TYPE_CHECKING:
    from ...compiler.prompts.text_template import TextTemplate

SAMPLES = Count(8)


@dataclass(frozen=True, slots=True)
class Cot:
    """A built `cot` step.

    Attributes:
        inner: Asks for one draw.
        stop: Says when there are enough.
        render: Turns the fields of a draw into its text; None leaves the text.
    """

    inner: Generate
    stop: Stop
    render: TextTemplate | None

    def prompts(self, row: Mapping[str, Any]) -> list[tuple[Message, ...]]:
        """What the first attempts ask of a row at most."""
        return self.inner.prompts(row)

    async def run(self, row: Mapping[str, Any]) -> tuple[Outcome, ...]:
        """Draw until there are enough. Raises `EngineError`: nothing is decided without a draw.

        Draws come in waves of no more than must be made in any case, so that the number of calls
        is that of the shortest prefix, and never depends on which reply comes first.
        """
        asked = self.inner.fitted(row)
        drawn: list[Outcome] = []
        while more := self.stop.more(drawn):
            wave = range(len(drawn), len(drawn) + more)
            drawn += await all_of(self.inner.sample(row, asked, sample) for sample in wave)
        return tuple(map(self._rendered, self.stop.kept(drawn)))

    def _rendered(self, outcome: Outcome) -> Outcome:
        if self.render is None or outcome.end != "out" or outcome.units[0].end != "accepted":
            return outcome
        from ..rendering import text_of

        special = self.inner.tools.tokens.special
        rows = [
            {
                **row,
                "text": text_of(self.render, row, special),
                "input.text": row.get("input.text", row.get("text")),
                "_origin": "synthetic",
            }
            for row in outcome.rows
        ]
        return replace(outcome, rows=tuple(rows))


@step(stage="generate", version=2, cost="model")
def cot(
    model: Model,
    prompt: Prompt,
    samples: Count = SAMPLES,
    until: Until | None = None,
    render: Template | None = None,
    overlong: Overlong = "reject",
    sampling: Sampling | None = None,
    checks: Checks | None = None,
    on_fail: Ladder | None = None,
) -> Any:
    """Draw several replies to one prompt; each is a row of its own with the same `_doc`.

    The prompt's `reply` says what a chain of thought is made of: `{ reasoning: text, answer: boxed
    }`, sections, fences, tags, or a JSON schema. `_draw` numbers the draws of a row from 0.

    `until: { accepted: 4 }` draws until 4 replies have passed `checks`, `samples` at most: as many
    correct ones of each row, where a fixed number of draws has most of the easy rows (uniform
    allocation of DART-Math, arXiv 2407.13690). `until: { accepted: 4, spread: hard, pilot: 4 }`
    wants `max(1, ceil(4 × failed / pilot))` of a row, where `failed` counts the first `pilot` draws
    that did not pass: 4 of one that fails them all, 1 of one that passes them all (Prop2Diff, ib.:
    in proportion to the failure rate, at least one). `until: { vote: answer, agree: 0.5 }` draws
    until no further draw can change which answer wins, nor whether half of all `samples` agree.

    What is kept rests on the draws in their order, never on which reply comes first: it is settled
    by the shortest prefix that settles it, and no draw behind that is asked for.

    Args:
        model: The model that replies.
        prompt: The file that says what it is asked.
        samples: Draws of a row; with `until`, at most.
        until: When to stop earlier: `{ accepted, spread: uniform | hard, pilot }`, or `{ vote,
            agree, compare: answer | text }`; see `select` for how votes are counted.
        render: A template that turns the fields of a reply into the row's `text`; without one,
            `text` stays what the row had, unless the reply makes it.
        overlong: What to do where prompt and longest reply do not fit the model's context: reject
            the row before anything is sent, or truncate its text behind a sentence until they fit.
        sampling: How replies are drawn, laid over the model's own `sampling`.
        checks: What each reply is held to, by name.
        on_fail: What to do when a check fails, rung by rung; at the end the draw is rejected.
    """
    ask = generate(model, prompt, samples, overlong, sampling, checks, on_fail)
    stop = stop_of(until, samples)  # type: ignore[arg-type]

    def build(tools: Tools) -> Cot:
        return Cot(ask(tools), stop, render)  # type: ignore[arg-type]

    return build
