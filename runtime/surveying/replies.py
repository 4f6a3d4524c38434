"""A step run on sampled rows against the ledger alone: nobody is asked."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..catalog import load_catalog
from ..hidden import hidden_tokens
from ..ledger import Entry, key_of
from ..mishaps import outcome_of
from ..pipeline import build_row_op
from ..requests import Message, Request
from ..toolbox import tools_of
from ..tools import Line
from ..window import MissingError, sampling_of
from .effort import LOOKUP, Effort
from .remembering import Remembering

if TYPE_CHECKING:
    from ...compiler.plan import PlanNode
    from ..checkpool import CheckPool, CheckSpec
    from ..counting import Count
    from ..engine_room import EngineRoom
    from ..engines.base import Tokens
    from ..ledger import Ledger
    from ..outcome import Outcome
    from ..tools import Tools
    from ..verdict import Verdict

Row = Mapping[str, Any]


@dataclass(slots=True)
class Paid:
    """Calls of one row that the ledger holds: by model, how many and their tokens."""

    calls: Counter[str] = field(default_factory=Counter)
    prompt: Counter[str] = field(default_factory=Counter)
    reply: Counter[str] = field(default_factory=Counter)
    hidden: Counter[str] = field(default_factory=Counter)
    truncated: int = 0

    def add(self, model: str, entry: Entry) -> None:
        """Note a call."""
        self.calls[model] += 1
        self.prompt[model] += entry.prompt_tokens
        self.reply[model] += entry.completion_tokens
        self.hidden[model] += hidden_tokens(entry)
        self.truncated += entry.finish == "length"


@dataclass(frozen=True, slots=True)
class Found:
    """What the ledger says of one row.

    Attributes:
        paid: The calls that it holds.
        outcomes: What comes of the row; empty where it lacks a call.
    """

    paid: Paid
    outcomes: tuple[Outcome, ...]

    @property
    def settled(self) -> bool:
        """Whether every call is there."""
        return bool(self.outcomes)

    @property
    def asks(self) -> bool:
        """Whether the row asks a model for anything."""
        return not self.outcomes or bool(self.paid.calls)

    @property
    def units(self) -> int:
        """What a model was asked about once; for a step without a model of its own, the row."""
        asked = sum(any(a.key for a in u.attempts) for o in self.outcomes for u in o.units)
        return asked or int(bool(self.paid.calls))

    @property
    def rows(self) -> list[Row]:
        """Rows that go on."""
        return [row for o in self.outcomes if o.end == "out" for row in o.rows]


PAID: ContextVar[Paid] = ContextVar("PAID")
"""Of the row that is being settled."""
UNKNOWN = Found(Paid(), ())
"""Of a row that was not looked up: the ledger lacks its calls."""


@dataclass(slots=True)
class Replies:
    """Runs steps against the ledger.

    Attributes:
        room: Their models.
        ledger: What was paid for.
        pool: Judges by checks that ask nobody.
        count: What expressions count tokens with.
        effort: What it took so far.
        hurried: Steps of which rows were left out, since that took too long by the clock.
    """

    room: EngineRoom
    ledger: Ledger
    pool: CheckPool
    count: Count | None
    effort: Effort = field(default_factory=Effort)
    hurried: set[str] = field(default_factory=set)
    _tokens: dict[str, Remembering] = field(default_factory=dict)

    def op(self, node: PlanNode) -> Any:
        """The built operator of a step, which asks the ledger."""
        operator = load_catalog().steps[node.op]
        return build_row_op(node, operator, self.tools_of(node), self.count)

    async def settle(self, op: Any, rows: Iterable[Row]) -> list[Found]:
        """Run an operator that `op` built on rows, side by side."""
        # A task each, so that each has a context of its own.
        return list(await asyncio.gather(*(self._settle(op, row) for row in rows)))

    async def _settle(self, op: Any, row: Row) -> Found:
        """Run an operator that `op` built on a row."""
        paid = Paid()
        PAID.set(paid)
        try:
            return Found(paid, await op.run(row))
        except MissingError:
            return Found(paid, ())
        except Exception as error:  # the run will say so of each such row
            return Found(paid, (outcome_of(row, error),))

    def tools_of(self, node: PlanNode) -> Tools:
        """The tools of a step."""
        return tools_of(node, self.line, self._judge)

    async def _judge(
        self, specs: tuple[CheckSpec, ...], row: Mapping[str, Any]
    ) -> tuple[Verdict, ...]:
        verdicts = await self.pool.judge(specs, row)
        self.effort.judging(specs[: len(verdicts)], row)
        return verdicts

    def line(self, name: str) -> Line:
        """A model, whose replies are those of the ledger."""
        info = self.room.info(name)

        async def ask(
            messages: tuple[Message, ...], sampling: Mapping[str, Any], draw: int
        ) -> Entry:
            request = Request(info.digest_for(messages), messages, sampling_of(sampling), draw)
            self.effort.add(LOOKUP)
            entry = self.ledger.get(key_of(request), request.sampling.max_tokens)
            if entry is None:
                raise MissingError
            PAID.get().add(name, entry)
            return entry

        return Line(ask, self.tokens(name), info.context)

    def tokens(self, name: str) -> Tokens:
        """The tokenizer of a model or of the mix."""
        if name not in self._tokens:
            self._tokens[name] = Remembering(self.room.tokens(name), self.effort)
        return self._tokens[name]
