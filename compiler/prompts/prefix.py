"""Where a prompt begins to vary: engines keep what is equal at the beginning of every call."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from ..diagnostics import Diagnostic
from .examples import Examples
from .flow import Piece, blocks, names_in, pieces
from .places import node_span
from .record import REPLY
from .template import Parsed

LONG = 500
"""Characters of text that never changes, behind the first that does, which are worth a word: more
than 100 tokens, of which engines keep blocks of 16."""


def unstable_prefix(
    parsed: Parsed,
    inputs: Mapping[str, object],
    constant: Collection[str],
    examples: Examples,
    included: Mapping[str, Parsed],
) -> Iterator[Diagnostic]:
    """Report a value that varies before a long text that does not.

    Args:
        parsed: The prompt.
        inputs: Declared inputs.
        constant: Inputs that are equal in every row, as far as that is known.
        examples: Its few-shot turns; drawn ones vary themselves and count for nothing.
        included: Path to syntax tree.
    """
    first: tuple[Piece, str] | None = None
    before = after = 0
    found = blocks(parsed)
    for name in ("system", "examples", "user"):
        if name == "examples":
            length = 0 if examples.k else _length(examples)
            before, after = (before, after + length) if first else (before + length, after)
        elif name in found:
            for piece in pieces(parsed, found[name].body, included):
                varying = names_in(piece.node, inputs) - set(constant) if piece.node else set()
                if first is None and varying:
                    first = (piece, min(varying))
                elif first and piece.always:
                    after += len(piece.text)
                elif piece.always:
                    before += len(piece.text)
    if first is None or first[0].node is None or after < LONG:
        return
    piece, name = first
    assert piece.node is not None
    yield Diagnostic(
        "P209",
        f"`{name}` varies after {before:,} characters, before {after:,} that never change",
        node_span(piece.parsed, piece.node),
        help=f"put `{name}` behind them: engines read what is equal in every call only once",
    )


def _length(examples: Examples) -> int:
    return sum(
        len(v)
        for example in examples.examples
        for n, v in example
        if isinstance(v, str) or n == REPLY
    )
