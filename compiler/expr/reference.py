"""The page of the language: `EXPRESSIONS.md` beside this file, and what `mashbill ops` may print.

The text is in `page.py`, the functions come from their table. `MASHBILL_UPDATE=1` with the tests
writes the page again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .function import Example, Function
from .functions import FUNCTIONS
from .page import HEAD
from .show import show_constant

_GROUPS: Mapping[str, tuple[str, ...]] = {
    "Lengths": ("len", "chars", "words", "lines", "tokens"),
    "Texts": (
        *("lower", "upper", "strip", "contains", "startswith", "endswith"),
        *("matches", "extract", "split"),
    ),
    "Matches and lists": ("count", "frac", "any", "all"),
    "Numbers and nulls": ("coalesce", "abs", "round", "min", "max"),
    "From type to type": ("int", "float", "str"),
    "Draws": ("hash01", "choose"),
}

_NULLS = {
    "propagates": "null for null",
    "may arise": "may be null",
    "first": "null if all are",
}


def reference() -> str:
    """The page of the language, as Markdown."""
    parts = [HEAD]
    for title, names in _GROUPS.items():
        parts.append(f"\n### {title}\n")
        parts.append("\n| function | gives | null | example |\n|---|---|---|---|\n")
        parts.extend(_row(FUNCTIONS[name]) for name in names)
    return "".join(parts)


def describe(function: Function) -> str:
    """A function in plain text: signature, type, when it is null, what it does, examples."""
    lines = [f"{function.signature} → {function.returns}   {_NULLS[function.nulls]}"]
    lines.append(f"  {function.about}")
    lines.extend(f"  {text} → {value}" for text, value in map(_use, function.examples))
    return "\n".join(lines)


def _row(function: Function) -> str:
    shown = "<br>".join(f"`{text}` → `{value}`" for text, value in map(_use, function.examples))
    first = f"`{function.signature}`<br>{function.about}"
    cells = (first, function.returns, _NULLS[function.nulls], shown)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def _use(example: Example) -> tuple[str, str]:
    """An example with the values of its row behind it, and its result."""
    given = ", ".join(f"{name} = {_value(v)}" for name, v in example.row.items() if name != "_doc")
    return example.text + (f"   where {given}" if given else ""), _value(example.expect)


def _value(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    return show_constant(value)
