"""What the front matter says under `reply:`, checked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import cast

from ...diagnostics import Diagnostic, Edit, Label, Span
from ...document import Map, Node, Scalar
from ...suggest import nearest
from ..files import Files
from .marks import title_of
from .schema import read_schema
from .shapes import SHAPES, Part, Reply, Schema, Shape

JSON = "json"
"""The key that names a schema file instead of a column."""

_WRITTEN = re.compile(r"(?P<shape>[A-Za-z_]+)(?P<optional>\?)?(?:[ \t]+(?P<name>\S.*?))?[ \t]*")
_ALIASES = {
    "str": "text", "string": "text", "xml": "tag", "heading": "section", "header": "section",
    "code": "fence", "block": "fence", "box": "boxed",
}  # fmt: skip
_COLUMN = re.compile(r"[A-Za-z]\w*", re.ASCII)
_RESERVED = ("and", "or", "not", "in", "is", "if", "else", "null", "true", "false",
             "params", "input", "source")  # fmt: skip
_NAMES: Mapping[str, tuple[re.Pattern[str], str]] = {
    "tag": (re.compile(r"[A-Za-z_][\w.-]*"), "letters, digits, `_`, `-` and `.`"),
    "fence": (re.compile(r"[^\s`~{}]+"), "one word, as behind ```"),
    "section": (re.compile(r"[^\n]*"), ""),
}


@dataclass(frozen=True, slots=True)
class Declared:
    """A reply's shape, and where each of its columns was declared."""

    reply: Reply = field(default_factory=Reply)
    places: Mapping[str, Span] = field(default_factory=dict)


def declare_reply(node: Node | None, files: Files, diagnostics: list[Diagnostic]) -> Declared:
    """Read a `reply:`; what is wrong with it goes to `diagnostics`."""
    if node is None:
        return Declared()
    if not isinstance(node, Map) or not node.entries:
        hint = "write `{ answer: tag }`, `{ text: text }` or `{ json: schemas/answer.json }`"
        message = "`reply` is a map of column to shape"
        diagnostics.append(Diagnostic("S005", message, node.span, help=hint))
        return Declared()
    parts: list[Part] = []
    schema: Schema | None = None
    places: dict[str, Span] = {}
    for key, value in node.entries:
        column = str(key.value)
        if column == JSON and _is_path(value):
            schema = read_schema(str(cast(Scalar, value).value), value.span, files, diagnostics)
            places[JSON] = value.span
            continue
        wrong = list(_bad_column(column, key.span))
        part = None if wrong else _part(column, value, diagnostics)
        diagnostics.extend(wrong)
        if part is not None:
            parts.append(part)
            places[column] = value.span
    diagnostics.extend(_clashes(parts, schema, places))
    return Declared(Reply(tuple(parts), schema), places)


def _is_path(node: Node) -> bool:
    if not isinstance(node, Scalar) or not isinstance(node.value, str):
        return False
    found = _WRITTEN.fullmatch(node.value)
    return found is None or found["shape"] not in SHAPES


def _bad_column(column: str, span: Span) -> Iterator[Diagnostic]:
    if column.startswith("_"):
        message = f"the reply makes `{column}`: names that begin with _ are Mashbill's"
        better = column.strip("_") or "answer"
        yield Diagnostic("R114", message, span, help=f"write `{better}`", fix=(Edit(span, better),))
    elif not _COLUMN.fullmatch(column):
        message = f"`{column}` cannot be the name of a column"
        hint = "use letters, digits and _, a letter first"
        yield Diagnostic("S012", message, span, help=hint)
    elif column in _RESERVED:
        message = f"`{column}` cannot be the name of a column: it has a meaning in expressions"
        yield Diagnostic("S012", message, span)


def _part(column: str, node: Node, diagnostics: list[Diagnostic]) -> Part | None:
    """A column's part of the reply; None, and a diagnostic, if its shape is none."""
    value = node.value if isinstance(node, Scalar) else None
    found = _WRITTEN.fullmatch(value) if isinstance(value, str) else None

    def refuse(message: str, hint: str | None = None, fix: tuple[Edit, ...] = ()) -> None:
        diagnostics.append(Diagnostic("P212", message, node.span, help=hint, fix=fix))

    shapes = "shapes: text, tag, section, fence, boxed; or `json: FILE` for an object"
    if found is None:
        shown = "a map" if isinstance(node, Map) else "a list" if value is None else f"`{value}`"
        refuse(f"the shape of `{column}` is a word, not {shown}", shapes)
        return None
    shape, optional, name = found["shape"], bool(found["optional"]), found["name"] or ""
    if shape not in SHAPES:
        close = _ALIASES.get(shape.lower()) or nearest(shape, SHAPES)
        plainly = close and isinstance(node, Scalar) and not node.quoted
        written = str(value).replace(shape, close or "", 1)
        fix = (Edit(node.span, written),) if plainly else ()
        hint = f"did you mean `{close}`?" if close else shapes
        refuse(f"unknown shape `{shape}` of a reply", hint, fix)
        return None
    if shape not in _NAMES and name:
        refuse(f"`{shape}` takes no name", f"write `{column}: {shape}`")
        return None
    if shape == "tag":
        name = name or column
    elif shape == "section":
        name = name or column.replace("_", " ").strip().capitalize()
    if shape in _NAMES and name:
        pattern, made_of = _NAMES[shape]
        if not pattern.fullmatch(name):
            refuse(f"`{name}` cannot be the name of a {shape}: it is {made_of}")
            return None
        if shape == "section" and not title_of(name):
            refuse(f"`{name}` is no heading")
            return None
    if shape == "fence":
        name = name.lower()
    return Part(column, cast(Shape, shape), name, optional)


def _clashes(
    parts: list[Part], schema: Schema | None, places: Mapping[str, Span]
) -> Iterator[Diagnostic]:
    """Two columns of one part, two of one name, a document that may be null."""
    taken: dict[tuple[str, str], str] = {}
    for part in parts:
        name = title_of(part.name) if part.shape == "section" else part.name
        first = taken.setdefault((part.shape, name), part.column)
        if first != part.column:
            message = f"`{first}` and `{part.column}` are the same part of the reply"
            where = (Label(places[first], "taken here"),)
            yield Diagnostic("P212", message, places[part.column], secondary=where,
                             help="give each a name of its own, or keep one")  # fmt: skip
        if part.column == "text" and part.optional:
            message = "`text` is the document, and a document is never null"
            yield Diagnostic("P212", message, places["text"], help=f"write `{part.shape}`")
    made = dict(schema.columns) if schema else {}
    for name, kind in made.items():
        at = places[JSON]
        if name in places and name != JSON:
            message = f"the schema has `{name}` too"
            yield Diagnostic("P212", message, places[name], secondary=(Label(at, "in this file"),))
        yield from (
            Diagnostic(d.code, f"{d.message} (property of the schema)", at, help=d.help)
            for d in _bad_column(name, at)
        )
        if name == "text" and (kind.kind != "str" or kind.nullable):
            message = f"the schema's `text` is {kind}, and a document is a str that is never null"
            yield Diagnostic("P212", message, at, help="make it a required string, or rename it")


def unmentioned(declared: Declared, said: str) -> Iterator[Diagnostic]:
    """Parts that a prompt never asks for, so that hardly any reply will have them.

    Args:
        declared: The reply's shape.
        said: All that the prompt itself says, included files too.
    """
    reply = declared.reply
    low = said.casefold()
    for part in reply.parts:
        words = {
            "tag": (f"<{part.name}", f"{part.name} tag", f"`{part.name}` tag"),
            "section": (title_of(part.name),),
            "fence": ("```", "~~~", "code block", "fence", part.name or "```"),
            "boxed": ("boxed",),
        }.get(part.shape)
        if words and not any(w.casefold() in low for w in words):
            yield Diagnostic(
                "P213",
                f"`{part.column}` is read from `{part.wanted}`, and the prompt never asks for that",
                declared.places[part.column],
                help=f"tell the model to write `{part.wanted}`, or show it in an example",
            )
    if reply.schema is not None:
        names = [n for n, t in reply.schema.columns if not t.nullable] or [
            n for n, _ in reply.schema.columns
        ]
        named = all(re.search(rf"\b{re.escape(n.casefold())}\b", low) for n in names)
        if "json" not in low and not named:
            yield Diagnostic(
                "P213",
                "the reply is read as a JSON object, and the prompt never asks for one",
                declared.places[JSON],
                help=f"tell the model to answer in JSON with {', '.join(f'`{n}`' for n in names)}",
            )
