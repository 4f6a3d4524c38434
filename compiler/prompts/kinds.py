"""Types as a prompt's front matter writes them: `str`, `float?`, `list[str]`, `{ name: str }`."""

from __future__ import annotations

import re

from ..diagnostics import Diagnostic, Edit
from ..document import Map, Node, Scalar
from ..suggest import nearest
from ..types import ANY, BOOL, FLOAT, INT, STR, Type, list_of

_NAMES = {"str": STR, "int": INT, "float": FLOAT, "bool": BOOL, "any": ANY}
_ALIASES = {
    "string": "str", "text": "str", "integer": "int", "number": "float", "double": "float",
    "boolean": "bool", "list": "list[str]", "array": "list[str]",
}  # fmt: skip
_LIST = re.compile(r"list\[(.*)\](\?)?")
MAX_DEPTH = 8


def read_type(text: str, depth: int = 0) -> Type | None:
    """A type from its text; None if it is none. The inverse of `str(type)` for what has no struct.

    >>> str(read_type("list[str]?"))
    'list[str]?'
    """
    text = text.strip()
    if found := _LIST.fullmatch(text):
        item = read_type(found[1], depth + 1) if depth < MAX_DEPTH else None
        return list_of(item).maybe(bool(found[2])) if item else None
    kind = _NAMES.get(text.removesuffix("?"))
    return kind.maybe(kind.nullable or text.endswith("?")) if kind else None


def type_of_node(node: Node, diagnostics: list[Diagnostic]) -> Type:
    """The type that a node writes; `any`, and a diagnostic, if it writes none."""
    if isinstance(node, Map):
        fields = ((str(k.value), type_of_node(v, diagnostics)) for k, v in node.entries)
        return Type("struct", fields=tuple(fields))
    word = str(node.value) if isinstance(node, Scalar) else ""
    kind = read_type(word)
    if kind is None:
        close = _ALIASES.get(word) or nearest(word, _NAMES)
        diagnostics.append(
            Diagnostic(
                "P212",
                f"`{word}` is not a type" if word else "expected a type",
                node.span,
                help=f"did you mean `{close}`?"
                if close
                else "types: str, int, float, bool, list[str]",
                fix=(Edit(node.span, close),) if close else (),
            )
        )
    return kind or ANY


def fits(value: object, kind: Type) -> bool:
    """Whether a plain value can stand for an input of a type."""
    if value is None or kind.kind == "any":
        return kind.nullable
    match kind.kind:
        case "str":
            return isinstance(value, str)
        case "bool":
            return isinstance(value, bool)
        case "int":
            return type(value) is int
        case "float":
            return type(value) in (int, float)
        case "list":
            item = kind.item or ANY
            return isinstance(value, list) and all(fits(v, item) for v in value)
        case _:
            return isinstance(value, dict) and all(fits(value.get(n), t) for n, t in kind.fields)
