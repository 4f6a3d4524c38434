"""Checks that ask models, and what they are handed.

Such a check runs on the event loop. It asks through the window of the engine, as steps do, so the
ledger, budgets, breakers and `--replay` hold for it; what is costly to compute it hands to the
workers.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from .requests import Message
from .specs import check_specs
from .verdict import Row, Verdict

if TYPE_CHECKING:
    from .engines.base import Tokens
    from .ledger import Entry
    from .tools import Judge, Line


@dataclass(slots=True)
class Consult:
    """Whom a check may ask about one row.

    Attributes:
        lines: Models by the parameter that names them.
        samplings: How each is asked.
        workers: Judges by checks that ask nobody.
        calls: Keys of the completions that were had, in order, each once.
        broke: What went wrong outside the check, whatever the check made of it.
    """

    lines: Mapping[str, Line]
    samplings: Mapping[str, Mapping[str, Any]]
    workers: Judge
    calls: dict[str, None] = field(default_factory=dict)
    broke: Exception | None = None

    async def ask(
        self,
        param: str,
        messages: tuple[Message, ...],
        *,
        draw: int = 0,
        sampling: Mapping[str, Any] | None = None,
    ) -> Entry:
        """A completion by the model that the recipe gave for a parameter.

        Args:
            param: The parameter's name.
            messages: What to ask.
            draw: Counts replies to the same messages.
            sampling: Laid over the model's own and what the recipe says.

        Raises:
            EngineError: It failed for good; whatever the check makes of that, the row is then an
                error, and not rejected.
        """
        asked = {**self.samplings[param], **(sampling or {})}
        try:
            entry = await self.lines[param].ask(messages, asked, draw)
        except Exception as error:
            self.broke = self.broke or error
            raise
        self.calls[entry.key.hex()] = None
        return entry

    async def judge(self, kind: str, params: Mapping[str, Any], row: Row) -> Verdict:
        """The verdict of a check that asks nobody, made in a worker. Raises `CheckError`."""
        spec = check_specs([{"name": kind, "kind": kind, "params": params}])
        try:
            (verdict,) = await self.workers(spec, row)
        except Exception as error:
            self.broke = self.broke or error
            raise
        return verdict

    def tokens(self, param: str) -> Tokens:
        """The tokenizer of a model."""
        return self.lines[param].tokens

    def context(self, param: str) -> int | None:
        """The context length of a model in tokens, if known."""
        return self.lines[param].context


ModelCheck = Callable[[Row, Consult], Awaitable[Verdict]]
"""A built check that asks models. It keeps nothing from one row to the next."""


@runtime_checkable
class Priced(Protocol):
    """A `ModelCheck` that can say ahead what it would ask of a row, for `plan`.

    What cannot is tried on sampled rows with empty replies, and what it then asks is counted.
    """

    def prompts(self, row: Row) -> list[tuple[str, tuple[Message, ...]]]:
        """All that it asks of a row at worst: the parameter and the messages of each call."""
        ...
