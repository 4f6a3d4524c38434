"""Checks that ask models, as another package would bring them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mashbill.compiler.params import Sampling
from mashbill.compiler.registry import Column, Expression, Model, Prompt, check
from mashbill.runtime.consult import Consult
from mashbill.runtime.prompting import Renderer
from mashbill.runtime.replies import reader_of
from mashbill.runtime.requests import Message
from mashbill.runtime.verdict import Row, Verdict

TEXT = Column("text")


@check(version=1, cost="model", makes=("votes_cast",))
def jury(
    model: Model,
    prompt: Prompt,
    votes: int = 1,
    second: Model | None = None,
    pass_: Expression | None = None,
    sampling: Sampling | None = None,
) -> Any:
    """Ask a model about a row; a reply that says `good` is for it.

    Args:
        model: The first juror.
        prompt: What it is asked.
        votes: How often.
        second: A second juror, who must agree.
        pass_: What must hold of its reply.
        sampling: How replies are drawn.
    """
    made: Any = prompt

    async def judge(row: Row, consult: Consult) -> Verdict:
        renderer = Renderer(made, consult.tokens(model).special)
        messages = renderer.messages({**row, "votes_cast": votes})
        for param in filter(None, (model, second)):
            for draw in range(votes):
                entry = await consult.ask(str(param), messages, draw=draw)
                said = reader_of(made.shape, messages)(entry.text).values or {"text": entry.text}
                if "good" not in " ".join(map(str, said.values())):
                    return Verdict(False, f"{param}_against", {"said": entry.text})
        return Verdict(True)

    return judge


@check(version=1)
def careless(model: Model, fault: str = "swallows") -> Any:
    """Ask a model and do wrong with what comes.

    Args:
        model: Whom to ask.
        fault: What it does wrong.
    """

    async def judge(row: Row, consult: Consult) -> Any:
        if fault == "raises":
            raise KeyError("no such word")
        if fault == "forgets":
            return True
        try:
            await consult.ask(model, (Message("user", str(row["text"])),))
        except Exception:
            return Verdict(False, "lost")
        return Verdict(True)

    return judge


@check(version=1)
def either(got: Column = TEXT, model: Model | None = None) -> Any:
    """Look for a full stop, or have a model look at it.

    Args:
        got: What to look at.
        model: Who looks, if not we ourselves.
    """

    def own(row: Row) -> Verdict:
        found = str(row[got]).endswith(".")
        return Verdict(True) if found else Verdict(False, "open", {"end": str(row[got])[-5:]})

    async def asked(row: Row, consult: Consult) -> Verdict:
        entry = await consult.ask("model", (Message("user", str(row[got])),))
        shown = {**row, "text": entry.text, "input.text": row[got]}
        verdict = await consult.judge("length", {"min": 0.9}, shown)
        return verdict if verdict.passed else Verdict(False, "cut", verdict.evidence)

    return asked if model is not None else own


@dataclass(frozen=True, slots=True)
class Bench:
    """Judges who are asked one after the other, and the last of whom is against."""

    model: str
    size: int

    def prompts(self, row: Row) -> list[tuple[str, tuple[Message, ...]]]:
        """What it asks of a row."""
        said = str(row["text"])
        return [(self.model, (Message("user", f"{n}: {said}"),)) for n in range(self.size)]

    async def __call__(self, row: Row, consult: Consult) -> Verdict:
        """Ask all of them."""
        for param, messages in self.prompts(row):
            await consult.ask(param, messages)
        return Verdict(False, "overruled")


@check(version=1, cost="model")
def bench(model: Model, size: int = 3) -> Any:
    """Ask several judges, and refuse.

    Args:
        model: Who they are.
        size: How many there are.
    """
    return Bench(str(model), size)
