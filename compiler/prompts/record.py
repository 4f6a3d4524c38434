"""A prompt file that has been read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..diagnostics import Span
from ..types import Type
from .replies.shapes import Reply

Reader = Callable[[str], str]
"""Path to text. Raises FileNotFoundError, UnicodeDecodeError, `world.OutsideError`."""

REPLY = "reply"
"""The key of an example's reply."""

Example = tuple[tuple[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Use:
    """A variable that the prompt uses, and one place where it does, to the character."""

    name: str
    span: Span


@dataclass(frozen=True, slots=True)
class PromptFile:
    """A prompt file.

    Attributes:
        path: As the recipe names it.
        text: The whole file.
        inputs: Name and type of what a row must have; a dotted name is a column of that name.
        shape: What the model's reply is made of; without parts where the front matter says
            nothing.
        examples: Few-shot turns: the inputs and `reply` of each, frozen (`rows` thaws them).
        example_k: How many of them a row gets; None for all.
        max_tokens: The longest reply; None where the front matter says nothing.
        blocks: Block name to its Jinja source, line ends as line feeds.
        uses: All places where inputs are used, included files too, in order.
        includes: Path to text of included files.
        fewest_tokens: Fewer tokens than these no rendered prompt can have (`overflow`).
    """

    path: str
    text: str
    inputs: tuple[tuple[str, Type], ...]
    shape: Reply
    examples: tuple[Example, ...]
    example_k: int | None
    max_tokens: int | None
    blocks: tuple[tuple[str, str], ...]
    uses: tuple[Use, ...]
    includes: tuple[tuple[str, str], ...]
    fewest_tokens: int = 0

    @property
    def reply(self) -> tuple[tuple[str, Type], ...]:
        """Columns that the reply becomes, and their types; empty where none are declared."""
        return self.shape.columns

    def rows(self) -> tuple[dict[str, Any], ...]:
        """The examples as rows: structs are dicts, lists are tuples."""
        types = dict(self.inputs)
        return tuple({n: thaw(v, types.get(n)) for n, v in e} for e in self.examples)

    def canonical(self) -> dict[str, Any]:
        """What decides the rendered turns, JSON-like, for identity.

        Comments, spaces inside tags, line ends, blank lines around a block, the order of blocks and
        keys, and inputs that are never used change nothing in it.
        """
        from .canonical import canonical_block

        used = {u.name for u in self.uses} | {REPLY}
        includes = dict(self.includes)
        return {
            "blocks": {name: canonical_block(source, includes) for name, source in self.blocks},
            "reply": self.shape.canonical(),
            "examples": [
                {n: _jsonable(v) for n, v in sorted(e) if n in used} for e in self.examples
            ],
            "example_k": self.example_k,
            "max_tokens": self.max_tokens,
        }


def freeze(value: Any) -> Any:
    """A value that cannot be changed and has a hash: lists as tuples, maps as tuples of pairs."""
    if isinstance(value, Mapping):
        return tuple((str(k), freeze(v)) for k, v in value.items())
    if isinstance(value, list | tuple):
        return tuple(freeze(v) for v in value)
    return value


def thaw(value: Any, kind: Type | None) -> Any:
    """Undo `freeze`; the type tells maps from lists."""
    if kind is None or not isinstance(value, tuple):
        return value
    if kind.kind == "struct":
        fields = dict(kind.fields)
        return {n: thaw(v, fields.get(n)) for n, v in value}
    return tuple(thaw(v, kind.item) for v in value)


def _jsonable(value: Any) -> Any:
    return [_jsonable(v) for v in value] if isinstance(value, tuple) else value
