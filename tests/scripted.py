"""Models that say what a test tells them to, for checks that ask models."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, get_args

from mashbill.compiler.prompts import PromptFile, read_prompt
from mashbill.compiler.registry import Model, Operator
from mashbill.runtime.checkpool import CheckSpec
from mashbill.runtime.checkworker import Builder, judge
from mashbill.runtime.consult import Consult
from mashbill.runtime.engines._estimate import EstimatedTokens
from mashbill.runtime.ledger import Entry, key_of
from mashbill.runtime.requests import Finish, Message, Request
from mashbill.runtime.tools import Line
from mashbill.runtime.verdict import Row, Verdict
from mashbill.runtime.window.window import sampling_of

Says = Callable[[str, tuple[Message, ...], int], str]
"""Parameter, messages and draw to a reply."""


def prompt_of(text: str) -> PromptFile:
    """A prompt from the text of its file."""
    prompt, problems = read_prompt("prompt.md.j2", {"prompt.md.j2": text}.__getitem__)
    assert prompt is not None, problems
    return prompt


@dataclass
class Script:
    """Replies, in the order of the questions, or what makes them; and a record of the questions.

    Attributes:
        replies: One a question, for every model alike; or a function.
        finish: How each ends.
        asked: Parameter, messages and draw of each question.
        sampled: How each was sampled.
    """

    replies: Sequence[str] | Says
    finish: Finish = "stop"
    context: int | None = None
    asked: list[tuple[str, tuple[Message, ...], int]] = field(default_factory=list)
    sampled: list[Mapping[str, Any]] = field(default_factory=list)

    def consult(self, operator: Operator | None = None, *params: str) -> Consult:
        """Whom a check asks, about one row."""
        names = [
            *params,
            *(p.name for p in (operator.params if operator else ())
              if Model in (p.type, *get_args(p.type))),
        ]  # fmt: skip
        lines = {n: Line(self._asker(n), EstimatedTokens(), self.context) for n in names}
        usual = {"temperature": 0.7, "top_p": 1.0, "max_tokens": 64}
        return Consult(lines, dict.fromkeys(names, usual), _workers)

    def _asker(self, param: str) -> Any:
        async def ask(
            messages: tuple[Message, ...], sampling: Mapping[str, Any], draw: int
        ) -> Entry:
            self.asked.append((param, messages, draw))
            self.sampled.append(sampling)
            if callable(self.replies):
                text = self.replies(param, messages, draw)
            else:
                text = self.replies[len(self.asked) - 1]
            request = Request("m", messages, sampling_of(sampling), draw)
            return Entry(
                key=key_of(request),
                text=text,
                finish=self.finish,
                prompt_tokens=1,
                completion_tokens=1,
                max_tokens=64,
                seed=0,
                engine="script",
                model=param,
                time=0.0,
                seconds=0.0,
            )

        return ask


async def _workers(specs: tuple[CheckSpec, ...], row: Row) -> tuple[Verdict, ...]:
    """Checks that ask nobody, in this process."""
    import pickle

    return judge(Builder().build([pickle.dumps(spec) for spec in specs]), row)
