r"""From a reply to the values of its columns. Total: every text has a reading, none raises.

One rule decides between several candidates: the last one stands, since a model that writes a part
twice corrects itself. So it is with tags, sections, fences and boxes. A fence of no named language
takes no fence that another part names. A section ends at the next heading of its own level or above
it, or at any heading that the reply names; a fence or a tag in it that is a column of its own is
not said twice. `text` beside other parts is what lies outside of them, boxes excepted: those stand
within a sentence, which stays whole. A part without a word in it is missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...whitespace import indent_of, trim_part, trim_reply
from .json_object import find_object, read_object
from .marks import Fence, Heading, Mark, boxes, fences, headings, tags, title_of
from .shapes import Part, Reply


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reply says.

    Attributes:
        values: Column to value, null where an optional part is absent; empty for a misfit.
        misfit: What it lacks, as evidence: `{"missing": ["answer"]}`, or why its JSON object is
            none, `{"json": "…"}`; empty if it has its shape.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    misfit: Mapping[str, Any] = field(default_factory=dict)


def read_reply(reply: Reply, text: str) -> Reading:
    """Read a reply by its shape."""
    text = trim_reply(text)
    if (column := reply.whole) is not None:
        return Reading({column: text}) if text else Reading(misfit={"missing": [column]})
    if reply.schema is not None or any(p.shape == "section" for p in reply.parts):
        text = text.lstrip()  # a heading or a brace that opens the reply opens its line, too
    values: dict[str, Any] = {}
    cuts: list[Mark] = []
    if reply.schema is not None:
        found = find_object(text)
        if isinstance(found, str):
            return Reading(misfit={"json": found})
        cuts.append(found.mark)
        made = read_object(reply.schema, found.value)
        if isinstance(made, str):
            return Reading(misfit={"json": made})
        values |= made
    values |= _parts(reply.parts, text, cuts)
    missing = [p.column for p in reply.parts if not p.optional and values[p.column] is None]
    return Reading(misfit={"missing": missing}) if missing else Reading(values)


def _parts(parts: Iterable[Part], text: str, cuts: list[Mark]) -> dict[str, str | None]:
    """The value of each part; `cuts` holds what is taken already."""
    code = fences(text)
    heads = headings(text, code)
    named = {p.name for p in parts if p.shape == "fence" and p.name}
    titles = {title_of(p.name) for p in parts if p.shape == "section"}
    marks: dict[str, Mark | None] = {}
    for part in parts:
        match part.shape:
            case "tag":
                marks[part.column] = _last(tags(text, part.name))
            case "fence":
                marks[part.column] = _last(_of_language(code, part.name, named))
            case "boxed":
                marks[part.column] = _last(boxes(text))
            case "section":
                marks[part.column] = _section(heads, title_of(part.name), titles, len(text))
            case _:
                pass
    shapes = {p.column: p.shape for p in parts}
    inner = cuts + [m for c, m in marks.items() if m and shapes[c] in ("tag", "fence")]
    outer = inner + [m for c, m in marks.items() if m and shapes[c] == "section"]
    values: dict[str, str | None] = {}
    for part in parts:
        mark = marks.get(part.column)
        if part.shape == "text":
            value = _without(text, (0, len(text)), outer)
        elif mark is None:
            value = ""
        elif part.shape == "section":
            value = _without(text, mark.inner, inner)
        elif isinstance(mark, Fence):
            value = _dedented(text[slice(*mark.inner)], mark.indent)
        else:
            value = trim_part(text[slice(*mark.inner)])
        values[part.column] = value if value.strip() else None
    return values


def _last(marks: list[Mark]) -> Mark | None:
    return marks[-1] if marks else None


def _of_language(code: list[Fence], language: str, named: set[str]) -> list[Mark]:
    if language:
        return [f for f in code if f.language == language]
    return [f for f in code if f.language not in named]


def _section(heads: list[Heading], title: str, titles: set[str], end: int) -> Mark | None:
    at = next((i for i in reversed(range(len(heads))) if heads[i].title == title), None)
    if at is None:
        return None
    head = heads[at]
    after = (h.start for h in heads[at + 1 :] if h.level <= head.level or h.title in titles)
    stop = next(after, end)
    return Mark(head.start, stop, (head.end, stop))


def _without(text: str, within: tuple[int, int], cuts: Iterable[Mark]) -> str:
    """A range of the text without some parts of it, and without the blank lines they leave."""
    pieces: list[str] = []
    at, end = within
    for cut in sorted(cuts, key=lambda m: m.start):
        if cut.end > at and cut.start < end:
            pieces.append(text[at : max(at, cut.start)])
            at = cut.end
    left = ""
    for piece in (*pieces, text[at:end]):
        before, after = left.rstrip(), piece.lstrip()
        gap = left[len(before) :] + piece[: len(piece) - len(after)]
        if gap.count("\n") > 1 and left:
            gap = "\n\n" + indent_of(gap)
        left = before + gap + after
    return trim_reply(left)


def _dedented(code: str, indent: int) -> str:
    if indent:
        code = re.sub(rf"^[ \t]{{1,{indent}}}", "", code, flags=re.M)
    return code.strip("\n")
