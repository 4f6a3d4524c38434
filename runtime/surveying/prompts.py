"""First attempts as they would be sent: rendered, and counted with the model's chat template."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ..catalog import load_catalog
from ..pipeline import build_row_op
from ..prompting import RenderError
from ..requests import Message
from .effort import CHAT, TOKENISED

if TYPE_CHECKING:
    from ...compiler.plan import PlanNode
    from ..engines.base import Tokens
    from ..tools import Tools

Chat = tuple[Message, ...]

MOST_SECONDS, ALL_SECONDS = 3.0, 9.0
"""Of work, by step and for all steps together, that tokenising prompts is to take."""
FEWEST_ROWS = 32
"""Rows whose prompts are tokenised, however long they are."""

COUNTED = 100
"""Rows whose text to be rewritten is counted; the rest is taken to have as many tokens a byte."""
NEAR = 0.75
"""Characters by token of the room there is, above which a prompt may not fit."""


@dataclass(slots=True)
class Prompts:
    """Prompts of rows, in their order.

    Attributes:
        units: By row, prompts of its first attempts.
        tokens: By row, their tokens.
        source: By row, tokens of the text that is to be rewritten; zeros where nothing is.
        longest: Tokens of the longest prompt.
        overlong: Share of prompts that do not fit the model's context as they are.
        prefix_share: Share of the tokens that all prompts begin with, and that are not the first's.
    """

    units: list[int] = field(default_factory=list)
    tokens: list[int] = field(default_factory=list)
    source: list[float] = field(default_factory=list)
    longest: int = 0
    overlong: float = 0.0
    prefix_share: float = 0.0

    @property
    def rows(self) -> int:
        """How many rows were looked at."""
        return len(self.units)


def prompts_of(
    node: PlanNode, tools: Tools, rows: Sequence[Mapping[str, Any]], steps: int = 1
) -> Prompts:
    """What the first attempts of a step ask of rows: of the first where there is too much of them.

    Args:
        node: The step.
        tools: Its tools.
        rows: What it is asked about.
        steps: How many steps share the work that there is.
    """
    operator = load_catalog().steps[node.op]
    op = build_row_op(node, operator, tools)
    unbound = build_row_op(node, operator, replace(tools, context=None))
    room = _room(node, tools)
    made = Prompts()
    asked: list[list[Chat]] = []
    wanted: list[list[Chat]] = []
    left = min(MOST_SECONDS, ALL_SECONDS / max(steps, 1))
    for row in rows:
        chats = _rendered(op, row)
        size = sum(len(m.content) for chat in chats for m in chat)
        most = max(size, len(str(row.get("text") or "")))  # of a text that is cut, all is counted
        work = TOKENISED * most + CHAT * len(chats)
        if left < work and len(asked) >= FEWEST_ROWS:
            break
        left -= work
        asked.append(chats)
        # Short prompts fit, and need not be rendered anew to see it.
        near = room is not None and (not chats or size / len(chats) > NEAR * room)
        wanted.append(_rendered(unbound, row) if near else chats)
    each = _counted(asked, tools.tokens)
    made.units = [len(chats) for chats in asked]
    made.tokens = [sum(tokens) for tokens in each]
    made.longest = max((n for tokens in each for n in tokens), default=0)
    made.source = [0.0] * made.rows
    if node.op == "rewrite":
        made.source = _source(rows[: made.rows], tools)
    if room is not None:
        whole = [
            tokens if chats == full else _counted([full], tools.tokens)[0]
            for tokens, chats, full in zip(each, asked, wanted, strict=True)
        ]
        sizes = [n for tokens in whole for n in tokens]
        made.overlong = sum(n > room for n in sizes) / max(len(sizes), 1)
    flat = [chat for chats in asked for chat in chats]
    made.prefix_share = _prefix_share(flat, sum(made.tokens), tools.tokens)
    return made


def _source(rows: Sequence[Mapping[str, Any]], tools: Tools) -> list[float]:
    """Tokens of the texts of rows: of the first counted, of the others by their bytes."""
    texts = [str(r.get("text") or "") for r in rows]
    sizes = [len(t.encode("utf-8", "replace")) for t in texts]
    counted = tools.count(texts[:COUNTED])
    rate = sum(counted) / max(sum(sizes[:COUNTED]), 1)
    return [*map(float, counted), *(size * rate for size in sizes[COUNTED:])]


def _counted(asked: Sequence[Sequence[Chat]], tokenizer: Tokens) -> list[list[int]]:
    """Tokens of each prompt of each row."""
    flat = [chat for chats in asked for chat in chats]
    counts = iter(tokenizer.count_chat(flat) if flat else ())
    return [[next(counts) for _ in chats] for chats in asked]


def _room(node: PlanNode, tools: Tools) -> int | None:
    """Tokens that a prompt may have; None where the context is not known."""
    sampling = node.definition["params"].get("sampling")
    if tools.context is None or not sampling:
        return None
    return tools.context - int(sampling["max_tokens"])


def _rendered(op: Any, row: Mapping[str, Any]) -> list[Chat]:
    with suppress(RenderError):
        return list(op.prompts(row))
    return []


def _prefix_share(chats: Sequence[Chat], tokens: int, tokenizer: Tokens) -> float:
    """Of all tokens, those that a server with a prefix cache need not read again."""
    if len(chats) < 2 or not tokens:
        return 0.0
    common = _common(chats)
    seen = tokenizer.count_chat([common])[0] - tokenizer.count_chat([_emptied(common)])[0]
    return min(1.0, seen * (len(chats) - 1) / tokens) if seen > 0 else 0.0


def _common(chats: Iterable[Chat]) -> Chat:
    """What all chats begin with."""
    turns = []
    for messages in zip(*chats, strict=False):
        role = messages[0].role
        if any(m.role != role for m in messages):
            break
        same = _shared([m.content for m in messages])
        turns.append(Message(role, same))
        if any(len(m.content) > len(same) for m in messages):
            break
    return tuple(turns)


def _shared(texts: Sequence[str]) -> str:
    """What all texts begin with: what the first and the last of them in order do."""
    first, last = min(texts), max(texts)
    alike = next((k for k, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), None)
    return first if alike is None else first[:alike]


def _emptied(chat: Chat) -> Chat:
    return tuple(Message(m.role, "") for m in chat)
