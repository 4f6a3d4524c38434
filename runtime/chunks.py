"""Long documents in chunks that a small model can be held to, without losing a character.

Every character of a text is in exactly one place: in a chunk, in the `lead` before it (white space,
a list mark, the hashes of a heading), or in the tail. What is not prose can so be passed through
untouched, and a list stays a list whatever the model does to its items.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from .sentences import sentence_ends

Count = Callable[[Sequence[str]], list[int]]

BATCH = 4096
"""Texts that are counted at once."""

SHORT = 3
"""Up to so many words without a terminal mark are a heading or a menu entry, not prose."""

_LINE = re.compile(r"[^\n\r\v\f\x85\u2028\u2029]+")
_END = r"(?:\r\n|\r(?!\n)|[\n\u2029])"
_BLANK = re.compile(rf"{_END}[^\S\n\r]*{_END}\s*")
_MARK = re.compile(
    r"\s*(?:(?:[-*+•‣◦▪●–—·>]|\(?\d{1,2}[.)]|\(?[a-z][)])[^\S\n\r]+)*(?P<heading>\#{1,6}[^\S\n\r]+)?"
)
_WORD = re.compile(r"[^\W\d_][\w’'-]*")
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")
_TERMINAL = re.compile(r"[.!?…。！？｡︒؟۔।॥։።။]['\"’”»›\)\]\}」』】）》]*\Z")


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a document.

    Attributes:
        text: What a model is given; begins and ends with a visible character.
        lead: What stands between the chunk before and this one.
        prose: False for headings, menu entries and what has no letters: nothing to rewrite.
        overlong: Whether it has more tokens than asked for and could not be cut at a sentence end.
    """

    text: str
    lead: str
    prose: bool = True
    overlong: bool = False


class Chunks(NamedTuple):
    """A text in pieces: `"".join(c.lead + c.text for c in chunks) + tail` is the text again."""

    chunks: tuple[Chunk, ...]
    tail: str


def split_chunks(
    text: str, *, by: Literal["sentence", "paragraph"], max_tokens: int, count: Count
) -> Chunks:
    """Cut a text into sentences or paragraphs.

    A line never shares a sentence with the next one, since web text has one block a line. By
    sentence, a chunk is one sentence. By paragraph, it is what stands between blank lines (or one
    line, in a text without blank lines), cut at sentence ends into pieces of at most `max_tokens`.
    No sentence is ever cut: one that is too long is kept whole and flagged `overlong`.

    Args:
        text: The document.
        by: The unit.
        max_tokens: The most tokens of a chunk.
        count: Tokens of each text of a batch, special tokens not counted.

    Returns:
        The chunks in order, and what stands behind the last one.
    """
    spans = _sentences(text) if by == "sentence" else _paragraphs(text, max_tokens, count)
    chunks: list[Chunk] = []
    at = 0
    for start, end, prose in spans:
        chunks.append(Chunk(text[start:end], text[at:start], prose))
        at = end
    sizes = _count(count, [c.text for c in chunks])
    return Chunks(
        tuple(
            replace(c, overlong=True) if size > max_tokens else c
            for c, size in zip(chunks, sizes, strict=True)
        ),
        text[at:],
    )


def cut_places(text: str) -> list[int]:
    """Offsets behind the sentences of a text, rising: where it can be cut and still end well."""
    pieces = (p for line in _LINE.finditer(text) for p in _plain_line(text, *line.span()))
    return [end for _, end in pieces]


def _plain_line(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    for stop in (*sentence_ends(text, start, end), end):
        if piece := _trim(text, start, stop):
            yield piece
        start = stop


def rejoin(chunks: Sequence[Chunk], texts: Sequence[str], tail: str) -> str:
    """The document with each chunk's text replaced.

    Raises:
        ValueError: There is not one text for each chunk.
    """
    return "".join(c.lead + t for c, t in zip(chunks, texts, strict=True)) + tail


Piece = tuple[int, int, bool]
"""Start, end and whether it is prose."""


def _sentences(text: str) -> Iterator[Piece]:
    return (piece for line in _LINE.finditer(text) for piece in _line(text, *line.span()))


def _line(text: str, start: int, end: int) -> Iterator[Piece]:
    mark = _MARK.match(text, start, end)
    heading = bool(mark and mark["heading"])
    if mark and mark.end() < end:
        start = mark.end()
    for stop in (*sentence_ends(text, start, end), end):
        piece = _trim(text, start, stop)
        if piece:
            yield (*piece, not heading and _is_prose(text[piece[0] : piece[1]]))
        start = stop


def _trim(text: str, start: int, end: int) -> tuple[int, int] | None:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return (start, end) if end > start else None


def _is_prose(text: str) -> bool:
    if _TERMINAL.search(text[-12:]):
        return _WORD.search(text) is not None
    words = sum(1 for _ in zip(range(SHORT + 1), _WORD.finditer(text), strict=False))
    if 0 < words <= SHORT:
        # Scripts without spaces: about two characters to a word.
        return len(_UNSPACED.findall(text)) > 2 * SHORT
    return words > SHORT


def _paragraphs(text: str, max_tokens: int, count: Count) -> Iterator[Piece]:
    """Each paragraph whole if it fits, in runs of sentences if not."""
    blocks = list(_blocks(text))
    sizes = _count(count, [text[start:end] for start, end, _ in blocks])
    cut = [size > max_tokens and prose for (_, _, prose), size in zip(blocks, sizes, strict=True)]
    inner = [
        list(_sentences_within(text, start, end)) if split else []
        for (start, end, _), split in zip(blocks, cut, strict=True)
    ]
    # Each sentence is counted with the space before it, so a run never has more than the sum.
    counted = iter(_count(count, [text[a:b] for pieces in inner for a, b, _ in _abutting(pieces)]))
    for block, pieces in zip(blocks, inner, strict=True):
        if not pieces:
            yield block
            continue
        start, end, total = pieces[0][0], pieces[0][0], 0
        for piece in pieces:
            size = next(counted)
            if total and total + size > max_tokens:
                yield start, end, _is_prose(text[start:end])
                start, total = piece[0], 0
            end, total = piece[1], total + size
        yield start, end, _is_prose(text[start:end])


def _abutting(pieces: Sequence[Piece]) -> Iterator[Piece]:
    at = pieces[0][0] if pieces else 0
    for _, end, prose in pieces:
        yield at, end, prose
        at = end


def _blocks(text: str) -> Iterator[Piece]:
    if not _BLANK.search(text):
        for line in _LINE.finditer(text):
            yield from _block(text, *line.span())
        return
    at = 0
    for gap in _BLANK.finditer(text):
        yield from _block(text, at, gap.start())
        at = gap.end()
    yield from _block(text, at, len(text))


def _block(text: str, start: int, end: int) -> Iterator[Piece]:
    trimmed = _trim(text, start, end)
    if not trimmed:
        return
    start, end = trimmed
    mark = _MARK.match(text, start, end)
    heading = bool(mark and mark["heading"])
    if mark and mark.end() < end:
        start, end = _trim(text, mark.end(), end) or (start, end)
    yield start, end, not heading and _is_prose(text[start:end])


def _sentences_within(text: str, start: int, end: int) -> Iterator[Piece]:
    """Sentences of one paragraph. Lines that are not the first keep their marks inside."""
    for line in _LINE.finditer(text, start, end):
        at = line.start()
        for stop in (*sentence_ends(text, *line.span()), line.end()):
            piece = _trim(text, at, stop)
            if piece:
                yield (*piece, True)
            at = stop


def _count(count: Count, texts: Sequence[str]) -> Iterable[int]:
    sizes: list[int] = []
    for at in range(0, len(texts), BATCH):
        sizes.extend(count(texts[at : at + BATCH]))
    return sizes
