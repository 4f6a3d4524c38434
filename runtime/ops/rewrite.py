"""A document said anew, chunk by chunk, each chunk held to what it came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...compiler.params import Checks, Chunk, Ladder, Sampling
from ...compiler.registry import ONE, Count, Model, Prompt, step
from ..ladder import check_specs, last_rung, settle
from ..outcome import Attempt, Outcome, Unit, UnitEnd, all_of
from ..requests import Message
from ..rows import derive
from ..tools import Tools

if TYPE_CHECKING:
    from ..chunks import Chunk as Piece
    from ..prompting import Renderer


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A built `rewrite` step."""

    params: Mapping[str, Any]
    renderer: Renderer
    tools: Tools

    def prompts(self, row: Mapping[str, Any]) -> list[tuple[Message, ...]]:
        """What the first attempt asks of a row: one prompt a chunk and sample."""
        pieces, _ = self._split(row)
        asked = [p.text for p in pieces if p.prose and not p.overlong]
        samples: int = self.params["samples"]
        return [self._messages(row, text) for text in asked] * samples

    async def run(self, row: Mapping[str, Any]) -> tuple[Outcome, ...]:
        """Rewrite each chunk; one row a document and sample. Raises `EngineError`."""
        pieces, tail = self._split(row)
        samples = range(self.params["samples"])
        return tuple(await all_of(self._sample(row, pieces, tail, sample) for sample in samples))

    def _split(self, row: Mapping[str, Any]) -> tuple[tuple[Piece, ...], str]:
        from ..chunks import Chunk as Piece
        from ..chunks import split_chunks

        text, chunk = str(row["text"] or ""), self.params["chunk"]
        if chunk is None:
            return (Piece(text, ""),), ""
        found = split_chunks(text, by=chunk["by"], max_tokens=chunk["max"], count=self.tools.count)
        return found.chunks, found.tail

    def _messages(self, row: Mapping[str, Any], text: str) -> tuple[Message, ...]:
        return self.renderer.messages({**row, "text": text}, str(row["_doc"]))

    async def _sample(
        self, row: Mapping[str, Any], pieces: tuple[Piece, ...], tail: str, sample: int
    ) -> Outcome:
        from ..chunks import rejoin

        units = await all_of(self._unit(row, piece, sample) for piece in pieces)
        for end in ("rejected", "routed"):
            if bad := next((u for u in units if u.end == end), None):
                last = bad.attempts[-1]
                return Outcome(end, (row,), last.reason, last.evidence, tuple(units))
        accepted = sum(u.end == "accepted" for u in units)
        text = rejoin(pieces, [u.text or "" for u in units], tail) if accepted else row["text"]
        asked = sum(u.end != "kept" for u in units)
        made = derive(
            row,
            self.tools.rule,
            sample,
            text=text,
            _accepted=accepted / asked if asked else 0.0,
            _origin="synthetic" if accepted else row["_origin"],
        )
        made["input.text"] = row["text"]
        return Outcome("out", (made,), units=tuple(units))

    async def _unit(self, row: Mapping[str, Any], piece: Piece, sample: int) -> Unit:
        if not piece.prose:
            return Unit(piece.text, (), (), "kept", piece.text)
        messages = self._messages(row, piece.text)
        if piece.overlong or not self.tools.fits(messages, self.params["sampling"]["max_tokens"]):
            return self._overlong(piece, messages)
        return await settle(
            self.tools,
            messages,
            lambda reply: {**row, "text": reply, "input.text": piece.text},
            source=piece.text,
            sampling=self.params["sampling"],
            ladder=self.params["on_fail"],
            checks=check_specs(self.params["checks"]),
            sample=sample,
        )

    def _overlong(self, piece: Piece, messages: tuple[Message, ...]) -> Unit:
        attempt = Attempt(0, "", "", "", "overlong", "overlong")
        ends: dict[str, UnitEnd] = {"fallback": "fallback", "route": "routed"}
        end = ends.get(last_rung(self.params["on_fail"]), "rejected")
        return Unit(
            piece.text, messages, (attempt,), end, piece.text if end == "fallback" else None
        )


@step(stage="generate", version=2, cost="model", reads=("text",), writes=("text", "input.text"))
def rewrite(
    model: Model,
    prompt: Prompt,
    chunk: Chunk | None = None,
    samples: Count = ONE,
    again: bool = False,
    sampling: Sampling | None = None,
    checks: Checks | None = None,
    on_fail: Ladder | None = None,
) -> Any:
    """Replace `text` by what a model makes of it: one row a document.

    With `chunk`, the document is cut into sentences or paragraphs, each is rewritten and held to
    its own input by `checks`, and the document is rejoined in order. Headings and other lines that
    are no prose are kept as they are. `_accepted` is the share of chunks that are the model's.

    Args:
        model: The model that replies.
        prompt: The file that says what it is asked.
        chunk: Where to cut a document, and how long a piece may be; without it, it is one piece.
        samples: Rewrites of a document, each a row of its own.
        again: Allow text that a model wrote already.
        sampling: How replies are drawn, laid over the model's own `sampling`.
        checks: What each reply is held to, by name.
        on_fail: What to do when a check fails, rung by rung; at the end the row is rejected.
    """
    bound: dict[str, Any] = {
        "prompt": prompt,
        "chunk": chunk,
        "samples": samples,
        "sampling": sampling,
        "checks": checks or [],
        "on_fail": on_fail or [],
    }

    def build(tools: Tools) -> Rewrite:
        from ..prompting import Renderer

        return Rewrite(bound, Renderer(bound["prompt"], tools.tokens.special), tools)

    return build
