"""A document said anew, chunk by chunk, each chunk held to what it came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ...compiler.params import Checks, Chunk, Ladder, Sampling
from ...compiler.registry import ONE, Count, Model, Prompt, step
from ..judged import lean, looked_at
from ..ladder import check_specs, settle
from ..outcome import Outcome, Unit, all_of
from ..overlong import Fitted, Overlong, Render, Room, overlong_unit
from ..requests import Message
from ..rows import derive
from ..tools import Tools

if TYPE_CHECKING:
    from ..checkpool import CheckSpec
    from ..chunks import Chunk as Piece
    from ..prompting import Renderer


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A built `rewrite` step."""

    params: Mapping[str, Any]
    renderer: Renderer
    tools: Tools
    room: Room
    checks: tuple[CheckSpec, ...]
    words: str
    """See `judged`."""

    def prompts(self, row: Mapping[str, Any]) -> list[tuple[Message, ...]]:
        """What the first attempt asks of a row: one prompt a chunk and sample."""
        pieces, _ = self._split(row)
        asked = (self._asked(row, p) for p in pieces if p.prose and not p.overlong)
        samples: int = self.params["samples"]
        return [a.messages for a in asked if a.fits] * samples

    async def run(self, row: Mapping[str, Any]) -> tuple[Outcome, ...]:
        """Rewrite each chunk; one row a document and sample. Raises `EngineError`."""
        pieces, tail = self._split(row)
        samples = range(self.params["samples"])
        return tuple(await all_of(self._sample(row, pieces, tail, sample) for sample in samples))

    def _split(self, row: Mapping[str, Any]) -> tuple[tuple[Piece, ...], str]:
        """The document in chunks. What does not fit the context is cut smaller, if it may be."""
        from ..chunks import Chunk as Piece
        from ..chunks import split_chunks

        text, chunk = str(row["text"] or ""), self.params["chunk"]
        if chunk is None:
            return (Piece(text, ""),), ""
        found = split_chunks(text, by=chunk["by"], max_tokens=chunk["max"], count=self.tools.count)
        if self.room.tools.context is None:
            return found.chunks, found.tail
        pieces = [
            part
            for piece in found.chunks
            for part in (self.room.split(piece, self._render(row)) if piece.prose else (piece,))
        ]
        return tuple(pieces), found.tail

    def _render(self, row: Mapping[str, Any]) -> Render:
        doc = str(row["_doc"])
        return lambda text: self.renderer.messages({**row, "text": text}, doc)

    def _asked(self, row: Mapping[str, Any], piece: Piece) -> Fitted:
        render = self._render(row)
        asked = self.room.fit(piece.text, render(piece.text), render)
        if piece.overlong:  # as the recipe's `chunk.max` has it
            return replace(asked, fits=False, evidence={"max": self.params["chunk"]["max"]})
        return asked

    async def _sample(
        self, row: Mapping[str, Any], pieces: tuple[Piece, ...], tail: str, sample: int
    ) -> Outcome:
        from ..chunks import rejoin

        cuts: list[Mapping[str, Any]] = []
        judged = lean(row, self.words)
        units = await all_of(self._unit(row, judged, piece, sample, cuts) for piece in pieces)
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
        evidence = {n: sum(c[n] for c in cuts) for n in cuts[0]} if cuts else {}
        return Outcome("out", (made,), evidence=evidence, units=tuple(units))

    async def _unit(
        self,
        row: Mapping[str, Any],
        judged: Mapping[str, Any],
        piece: Piece,
        sample: int,
        cuts: list[Mapping[str, Any]],
    ) -> Unit:
        if not piece.prose:
            return Unit(piece.text, (), (), "kept", piece.text)
        asked = self._asked(row, piece)
        if not asked.fits:
            return overlong_unit(piece.text, asked.messages, self.params["on_fail"], asked.evidence)
        if asked.evidence:
            cuts.append(asked.evidence)
        unit = await settle(
            self.tools,
            asked.messages,
            lambda reply: {**judged, "text": reply, "input.text": asked.text},
            source=asked.text,
            sampling=self.params["sampling"],
            ladder=self.params["on_fail"],
            checks=self.checks,
            sample=sample,
        )
        return replace(unit, text=piece.text) if unit.end == "fallback" else unit


@step(stage="generate", version=4, cost="model", reads=("text",), writes=("text", "input.text"))
def rewrite(
    model: Model,
    prompt: Prompt,
    chunk: Chunk | None = None,
    samples: Count = ONE,
    again: bool = False,
    overlong: Overlong = "reject",
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
        overlong: What to do where prompt and longest reply do not fit the model's context: reject
            before anything is sent, or truncate the text behind a sentence until they fit. A chunk
            that does not fit is first cut into smaller ones.
        sampling: How replies are drawn, laid over the model's own `sampling`.
        checks: What each reply is held to, by name.
        on_fail: What to do when a check fails, rung by rung; at the end the row is rejected.
    """
    bound: dict[str, Any] = {
        "prompt": prompt,
        "chunk": chunk,
        "samples": samples,
        "overlong": overlong,
        "sampling": sampling,
        "checks": checks or [],
        "on_fail": on_fail or [],
    }

    def build(tools: Tools) -> Rewrite:
        from ..prompting import Renderer

        renderer = Renderer(bound["prompt"], tools.tokens.special)
        room = Room(tools, bound["sampling"]["max_tokens"], bound["overlong"])
        checks = check_specs(bound["checks"])
        words = looked_at(bound["checks"], bound["on_fail"])
        return Rewrite(bound, renderer, tools, room, checks, words)

    return build
