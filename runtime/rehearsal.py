"""What checks and repairs would ask, found without asking: for `plan`.

A check that asks models is told of a sampled row, and says what it would ask (`Priced`), or is run
with every reply empty while what it asks is written down. Where the reply that it is to judge is
not there yet, the row's own text stands in its place.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..compiler.estimating.facts import CheckFacts
from .consult import Consult, Priced
from .judging import builder_of
from .outcome import Attempt
from .prompting import RenderError
from .requests import Message
from .specs import check_specs
from .toolbox import stored_prompt
from .tools import Line
from .verdict import Row, Verdict

if TYPE_CHECKING:
    from ..compiler.plan import PlanNode
    from .checkpool import CheckSpec
    from .ledger import Entry
    from .repairs import Repair

Chat = tuple[Message, ...]


@dataclass(slots=True)
class _Listener:
    """Stands in for a model: replies with nothing, and keeps what it was asked."""

    chats: list[tuple[Chat, int]] = field(default_factory=list)

    async def ask(self, messages: Chat, sampling: Mapping[str, Any], draw: int) -> Entry:
        from .ledger import Entry

        longest = int(sampling["max_tokens"])
        self.chats.append((messages, longest))
        return Entry(b"\0" * 16, "", "stop", 0, 0, longest, 0, "", "", 0.0)


async def _pass_all(specs: tuple[CheckSpec, ...], row: Row) -> tuple[Verdict, ...]:
    return tuple(Verdict(True) for _ in specs)


async def check_facts(
    node: PlanNode, rows: Sequence[Row], lines: Mapping[str, Line]
) -> dict[str, CheckFacts]:
    """What the checks of a step ask about a row, by check and parameter.

    Args:
        node: The step.
        rows: As its checks would see them.
        lines: Models by place.
    """
    prompts = {p: stored_prompt(s) for p, s in node.prompts.items() if p.startswith("checks.")}
    build = builder_of(prompts)
    found: dict[str, CheckFacts] = {}
    for spec in check_specs(node.definition["params"].get("checks") or ()):
        if not spec.models:
            continue
        asked: dict[str, list[tuple[Chat, int]]] = {param: [] for param, _ in spec.models}
        with suppress(Exception):  # the run will say what is wrong with the check
            check = build(spec)
            for row in rows:
                for param, chats in (await _asked(check, spec, row, lines)).items():
                    asked[param] += chats
        for param, chats in asked.items():
            tokens = lines[f"checks.{spec.name}.{param}"].tokens
            found[f"{spec.name}.{param}"] = CheckFacts(
                len(chats) / max(len(rows), 1),
                sum(tokens.count_chat([chat for chat, _ in chats])) / max(len(rows), 1),
                sum(longest for _, longest in chats) / max(len(rows), 1),
            )
    return found


async def _asked(
    check: Any, spec: CheckSpec, row: Row, lines: Mapping[str, Line]
) -> dict[str, list[tuple[Chat, int]]]:
    """What a check asks about one row."""
    samplings = {param: dict(sampling) for param, sampling in spec.models}
    if isinstance(check, Priced):
        said: dict[str, list[tuple[Chat, int]]] = {}
        for param, messages in check.prompts(row):
            longest = int(samplings[param]["max_tokens"])
            said.setdefault(param, []).append((messages, longest))
        return said
    listeners = {param: _Listener() for param in samplings}
    own = {p: lines[f"checks.{spec.name}.{p}"] for p in samplings}
    heard = {p: Line(listeners[p].ask, own[p].tokens, own[p].context) for p in samplings}
    with suppress(Exception):  # it may well not know what to make of an empty reply
        await check(row, Consult(heard, samplings, _pass_all))
    return {param: listener.chats for param, listener in listeners.items()}


def repair_facts(
    repairs: Mapping[int, Repair], rows: Sequence[Row], checks: Iterable[str]
) -> dict[int, float]:
    """Tokens of the prompts of repairs, on average, by their places in the ladder.

    What failed is not known: the evidence is left empty, and the row's text was the reply.
    """
    named = next(iter(checks), "")
    found: dict[int, float] = {}
    for place, repair in repairs.items():
        chats = []
        for row in rows:
            failure = Attempt(0, "", str(row.get("text") or ""), "stop", named, named)
            with suppress(RenderError):
                chats.append(repair.messages(row, failure))
        if chats:
            found[place] = sum(repair.line.tokens.count_chat(chats)) / len(chats)
    return found
