"""A model as judge: the same question to several draws, in both orders, until it is decided."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..outcome import all_of
from ..verdict import Row, Verdict
from .ballots import agreement, deciding, fewest_more, majority

if TYPE_CHECKING:
    from ...compiler.prompts import PromptFile
    from ..consult import Consult
    from ..prompting import Renderer
    from ..requests import Message

SHOWN = 200
"""Characters of a judge's words that evidence repeats."""

Passes = Callable[[Row], bool]
"""Whether a reply's fields, laid over the row's columns, say yes."""


@dataclass(frozen=True, slots=True)
class Vote:
    """What one draw says: yes, no, or nothing that can be read.

    Attributes:
        yes: None where a reply has not the shape that was asked for.
        split: Whether the two orders do not agree.
        fields: The reply's, in the first order.
        problem: Why it cannot be read.
    """

    yes: bool | None
    split: bool = False
    fields: Mapping[str, Any] = field(default_factory=dict)
    problem: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Judge:
    """Judges rows by a rubric.

    Attributes:
        prompt: The rubric.
        passes: What makes a reply a yes.
        passes_swapped: The same where the two columns of `swap` stand in each other's place.
        votes: Draws at most.
        swap: Two columns that the prompt shows, and that are shown in both orders.
        score: The reply's field whose mean stands in the evidence; None for none.
    """

    prompt: PromptFile
    passes: Passes
    passes_swapped: Passes
    votes: int = 1
    swap: tuple[str, str] | None = None
    score: str | None = None
    _renderer: Renderer | None = None

    async def __call__(self, row: Row, consult: Consult) -> Verdict:
        """Judge a row. Raises `EngineError`."""
        votes: list[Vote] = []
        while more := fewest_more([v.yes for v in votes], self.votes):
            drawn = range(len(votes), len(votes) + more)
            votes += await all_of(self._vote(row, consult, draw) for draw in drawn)
        # Fewer than `more` would not have decided it, but some of them may not have been needed.
        return self._verdict(votes[: deciding([v.yes for v in votes], self.votes)])

    def prompts(self, row: Row) -> list[tuple[str, tuple[Message, ...]]]:
        """All that it asks of a row at worst."""
        renderer = self._renderer or self._compiled(())
        asked = [("model", renderer.messages(order, _doc(row))) for order in self._orders(row)]
        return asked * self.votes

    def _compiled(self, special: Sequence[str]) -> Renderer:
        from ..prompting import Renderer

        return Renderer(self.prompt, special)

    def _orders(self, row: Row) -> tuple[Row, ...]:
        if self.swap is None:
            return (row,)
        one, other = self.swap
        return (row, {**row, one: row[other], other: row[one]})

    async def _vote(self, row: Row, consult: Consult, draw: int) -> Vote:
        found = await all_of(self._asked(order, consult, draw) for order in self._orders(row))
        problem = next((misfit for _, misfit in found if misfit), None)
        if problem is not None:
            return Vote(None, problem=problem)
        fields = found[0][0]
        # The row as it is: what is exchanged is only what the judge is shown.
        said = [self.passes({**row, **fields})]
        said += [self.passes_swapped({**row, **values}) for values, _ in found[1:]]
        return Vote(all(said), len(set(said)) > 1, fields)

    async def _asked(
        self, row: Row, consult: Consult, draw: int
    ) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """The fields of a reply, or what it lacks."""
        from ..replies import reader_of, schema_of

        if self._renderer is None:
            self._renderer = self._compiled(consult.tokens("model").special)
        messages = self._renderer.messages(row, _doc(row))
        schema = schema_of(self.prompt)
        held = {"schema": schema} if schema else None
        entry = await consult.ask("model", messages, draw=draw, sampling=held)
        if entry.finish == "length":
            return {}, {"truncated": _short(entry.text)}
        reading = reader_of(self.prompt.shape, messages)(entry.text)
        if reading.misfit:
            return {}, {**reading.misfit, "reply": _short(entry.text)}
        return reading.values, {}

    def _verdict(self, votes: Sequence[Vote]) -> Verdict:
        said = [v.yes for v in votes]
        read = [v for v in votes if v.yes is not None]
        if not read:
            return Verdict(False, "unparsed", votes[0].problem if votes else {})
        passed = majority(said)
        evidence: dict[str, Any] = {"yes": said.count(True), "no": said.count(False)}
        if unread := len(votes) - len(read):
            evidence["unparsed"] = unread
        if splits := sum(v.split for v in votes):
            evidence["position"] = splits
        evidence["agreement"] = round(agreement(said), 3)
        if marks := [m for v in read if (m := _number(v.fields.get(self.score or ""))) is not None]:
            evidence |= {"score": round(sum(marks) / len(marks), 3)}
            if len(marks) > 1:
                evidence["scores"] = marks
        of_majority = next((v for v in read if v.yes is passed), read[0])
        evidence |= {name: _short(value) for name, value in of_majority.fields.items()
                     if name not in evidence}  # fmt: skip
        if passed:
            return Verdict(True, evidence=evidence)
        plain = said.count(False) - splits
        return Verdict(False, "position" if splits > plain else "judge", evidence)


def _doc(row: Row) -> str:
    return str(row.get("_doc", ""))


def _number(value: Any) -> float | None:
    """A number, also one that stands as text in a tag; None for anything else."""
    if isinstance(value, bool) or value is None:
        return None
    try:
        found = float(value)
    except (TypeError, ValueError):
        return None
    return round(found, 6) if abs(found) < float("inf") else None


def _short(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    text = " ".join(str(value).split())
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"
