"""Prompts that begin alike are asked one after the other, for the engine's prefix cache."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import Any

from ..graph import Node
from .draft import Draft

OWN = frozenset({"text", "source.text", "input.text", "_doc", "_id"})
"""Columns that hardly two rows share: behind them no prompt goes on like another."""

_NAME = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")


def group_by_prefix(draft: Draft) -> Iterator[str]:
    """Hand rows to a model step grouped by the inputs that its prompt begins with.

    Example:
        A prompt whose system block names an `audience` and whose user block holds the text is asked
        for all pupils of a frame, then for all students.

    Legal for every model step: rows are asked about one by one, and neither keys of completions nor
    the order of the output depend on which comes first. Of use where the prompt's first inputs are
    shared by many rows; it goes as far as the first that no two rows share, the text above all.
    Rows are put in order inside the frame that they come in, so none waits for another.

    Servers keep what they computed of a prompt for the next one that begins with it (vLLM,
    Automatic Prefix Caching; SGLang, arXiv 2312.07104).
    """
    for node in draft.in_order():
        prefix = _shared_inputs(node)
        if prefix and node.tuning.prefix != prefix:
            draft.tune(node.name, replace(node.tuning, prefix=prefix))
            names = ", ".join(f"`{name}`" for name in prefix)
            yield f"`{node.name}` takes rows of one {names} together: their prompts begin alike"


def _shared_inputs(node: Node) -> tuple[str, ...]:
    """The inputs that a prompt begins with, as far as rows can share them."""
    prompt = node.definition.get("params", {}).get("prompt")
    if node.traits.cost != "model" or node.traits.reads is None or not prompt:
        return ()
    found: dict[str, None] = {}
    for name in _inputs_in_order(prompt, node.traits.reads):
        if name in OWN:
            break
        found[name] = None
    return tuple(found)


def _inputs_in_order(prompt: Any, reads: Collection[str]) -> Iterator[str]:
    """Columns that a canonical prompt uses, in the order of the turns."""
    blocks = prompt["blocks"]
    yield from _inputs(blocks.get("system", ()), reads)
    if _draws_examples(prompt):
        yield "_doc"  # the examples are drawn by it, and stand before what the user says
    for block in ("user", "assistant"):
        yield from _inputs(blocks.get(block, ()), reads)


def _draws_examples(prompt: Any) -> bool:
    k = prompt.get("example_k")
    return k is not None and k < len(prompt.get("examples", ()))


def _inputs(parts: Sequence[Any], reads: Collection[str]) -> Iterator[str]:
    """Columns in the tags of a block. What is quoted is no name, a loop's variable no column."""
    for part in parts:
        if isinstance(part, str):
            continue
        if part[0] == "include":
            yield from _inputs(part[1:], reads)
        else:
            words = " ".join(w for w in part if w[:1] not in "'\"").replace(" . ", ".")
            for name in _NAME.findall(words):
                while name and name not in reads:  # a field of a struct
                    name = name.rpartition(".")[0]
                if name:
                    yield name
