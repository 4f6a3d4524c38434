"""A model's reply at run time: with what the prompt began for it, read by the prompt's shape."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from ..compiler.prompts import PromptFile
from ..compiler.prompts.replies import Reading, Reply, read_reply
from ..compiler.types import Type
from ..compiler.whitespace import trim_reply
from .requests import Message, begun_of

if TYPE_CHECKING:
    import polars as pl

Read = Callable[[str], Reading]
"""A reply to its reading."""


def reader_of(shape: Reply, messages: Sequence[Message]) -> Read:
    """How replies to some turns are read.

    What an `assistant` block begins belongs to the reply, unless the reply is taken as it stands: a
    prompt that begins `<answer>` gets the rest of it from the model. A reasoning model's
    `<think>…</think>` is text as any other.
    """
    begun = begun_of(messages)
    if not begun:
        return partial(read_reply, shape)
    if shape.whole is not None:
        return lambda text: read_reply(shape, trim_reply(text, inside_line=True))
    return lambda text: read_reply(shape, begun + text)


def schema_of(prompt: PromptFile) -> str | None:
    """The JSON Schema that an engine can hold a reply to.

    None where a reply is more than that, or less: the rest of what the prompt begins is no object.
    """
    shape = prompt.shape
    if shape.schema is None or shape.parts or "assistant" in dict(prompt.blocks):
        return None
    return shape.schema.text


def dtypes_of(prompt: PromptFile) -> dict[str, pl.DataType]:
    """The types of a reply's columns, which no single row may tell."""
    return {name: _dtype(kind) for name, kind in prompt.reply}


def _dtype(kind: Type) -> pl.DataType:
    import polars as pl

    from .dtypes import dtype_of

    match kind.kind:
        case "list":
            return pl.List(_dtype(kind.item) if kind.item else pl.String())
        case "struct":
            return pl.Struct({name: _dtype(inner) for name, inner in kind.fields})
        case _:
            return dtype_of(kind) or pl.String()
