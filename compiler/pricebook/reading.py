"""Reads a file of prices: a vendor's of the map, or a user's `prices.yaml`. Both have one form.

    as_of: 2026-11-01                    the day they were looked up; an entry may have its own
    source: https://…
    models:
      judge-large: { input: 0.40, output: 1.60, cached_input: 0.10, batch: 0.5 }

Prices are dollars a million tokens, unless `per` says otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from ..budgets import parse_day, parse_price
from ..diagnostics import Diagnostic
from ..document import parse_document
from ..nodes import List, Map, Node, Scalar
from ..prices import price_problems
from ..quantities import parse_tokens
from ..suggest import nearest
from .book import PER_MILLION, Book, Entry

Read: TypeAlias = Callable[[object], Any]


def _factor(value: object) -> float | str:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= 1:
        return float(value)
    return f"expected a factor like 0.5, got {value}"


def _flag(value: object) -> bool | str:
    return value if isinstance(value, bool) else f"expected true or false, got {value}"


def _whole(value: object) -> int | str:
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    return f"expected a number of tokens like 128000, got {value}"


def _text(value: object) -> tuple[str] | str:
    """In a tuple, since a bare text says what is wrong."""
    return (value,) if isinstance(value, str) else f"expected text, got {value}"


_SHARED: Mapping[str, Read] = {
    "as_of": parse_day,
    "source": _text,
    "batch": _factor,
    "stacks": _flag,
    "per": parse_tokens,
}
"""What a file may say once for all its models."""
_FILE: Mapping[str, Read] = {**_SHARED, "via": _text, "exclusive": _flag}
_ENTRY: Mapping[str, Read] = {
    **_SHARED,
    "input": parse_price,
    "output": parse_price,
    "cached_input": parse_price,
    "context": _whole,
    "max_output": _whole,
    "until": parse_day,
}


def read_book(
    text: str, file: str, name: str | None = None
) -> tuple[Book | None, tuple[Diagnostic, ...]]:
    """Read a file of prices.

    Args:
        text: All of it.
        file: Its path, as diagnostics show it.
        name: What to call it, where it is one of the map; its path otherwise.

    Returns:
        The book, without entries that cannot be read, and what is wrong with the file; no book
        where it is no such file at all.
    """
    document, found = parse_document(text, file)
    if document is None or found:
        return None, found
    if not isinstance(document, Map):
        said = "a file of prices is a map with `models:`"
        return None, (Diagnostic("B558", said, document.span, help=_HELP),)
    return _Reader(file, name).book(document)


_HELP = "write `models: { NAME: { input: 0.40, output: 1.60 } }`, dollars per 1M tokens"


class _Reader:
    def __init__(self, file: str, name: str | None) -> None:
        self.file, self.name = file, name
        self.found: list[Diagnostic] = []

    def book(self, document: Map) -> tuple[Book | None, tuple[Diagnostic, ...]]:
        shared = self.values(document, _FILE, ("models", "hosts"))
        models = document.get("models")
        entries: dict[str, Entry] = {}
        if isinstance(models, Map):
            for key, node in models.entries:
                entry = self.entry(str(key.value), node, shared)
                if entry is not None:
                    entries |= {other.lower(): entry for other in entry.names}
        else:
            place = document.span if models is None else models.span
            self.say("a file of prices needs `models:`, a map of names", place)
        book = Book(
            self.name or self.file,
            entries,
            hosts=tuple(self.texts(document.get("hosts"))),
            exclusive=bool(shared.get("exclusive")),
            shipped=self.name is not None,
        )
        return book, tuple(self.found)

    def entry(self, name: str, node: Node, shared: Mapping[str, Any]) -> Entry | None:
        if not isinstance(node, Map):
            self.say(f"the price of `{name}` is a map", node.span)
            return None
        before = len(self.found)
        said = {**shared, **self.values(node, _ENTRY, ("also",))}
        for needed in ("input", "output"):
            if needed not in node:
                self.say(f"the price of `{name}` needs {needed}", node.span)
        if len(self.found) > before:
            return None
        per = int(said.get("per") or PER_MILLION)
        spans = {str(key.value): value.span for key, value in node.entries}
        given = {key: said.get(key) for key in ("input", "output", "cached_input")}
        self.found += price_problems(f"{name}.", given, per, spans)
        each = {k: None if v is None else v / per * PER_MILLION for k, v in given.items()}
        return Entry(
            name,
            input=each["input"] or 0.0,
            output=each["output"] or 0.0,
            cached_input=each["cached_input"],
            batch=said.get("batch"),
            stacks=bool(said.get("stacks")),
            context=said.get("context"),
            max_output=said.get("max_output"),
            as_of=said.get("as_of"),
            until=said.get("until"),
            source=(said.get("source") or ("",))[0],
            also=tuple(self.texts(node.get("also"))),
        )

    def values(self, node: Map, known: Mapping[str, Read], more: tuple[str, ...]) -> dict[str, Any]:
        """Values of a map that can be read; those that are null stand as None."""
        made: dict[str, Any] = {}
        for key, value in node.entries:
            name = str(key.value)
            if name in more:
                continue
            if name not in known:
                meant = nearest(name, [*known, *more])
                hint = f"did you mean `{meant}`?" if meant else f"keys: {', '.join(known)}"
                self.found.append(
                    Diagnostic("B558", f"a file of prices has no `{name}`", key.span, help=hint)
                )
                continue
            raw = value.value if isinstance(value, Scalar) else "a map or list"
            read = None if raw is None else known[name](raw)
            if isinstance(read, str):
                self.say(f"{name}: {read}", value.span)
                continue
            made[name] = read
        return made

    def texts(self, node: Node | None) -> Iterator[str]:
        if node is None:
            return
        items = node.items if isinstance(node, List) else (node,)
        for item in items:
            if isinstance(item, Scalar) and isinstance(item.value, str):
                yield item.value
            else:
                self.say("expected a list of texts", item.span)

    def say(self, message: str, span: Any) -> None:
        self.found.append(Diagnostic("B558", message, span, help=_HELP))
