"""Nodes from the parser's events, and what the format refuses of YAML."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from .diagnostics import Diagnostic, Edit, Label, Span
from .nodes import List, Map, Node, Scalar
from .scalars import ambiguity, is_old_boolean, resolve
from .torn import torn_value

MAX_DEPTH = 64

_COLON = re.compile(r"[ \t]*:")
_PROPERTIES = re.compile(r"(?:[!&]\S*\s*)+")
_COMMENT_OR_TAB = re.compile(r"#[^\n]*|\t+")
_GROUPED = re.compile(r"[-+]?[1-9][0-9_]*[0-9]")
_FEATURES = "are not part of the recipe format"


@dataclass(slots=True)
class _Open:
    """A map or list that is being read."""

    start: int
    is_map: bool
    flow: bool
    items: list[Node] = field(default_factory=list)
    entries: list[tuple[Scalar, Node]] = field(default_factory=list)
    seen: dict[str, Scalar] = field(default_factory=dict)
    key: Scalar | None = None


@dataclass(slots=True)
class Builder:
    """Takes the events of one document in order.

    Attributes:
        text: The whole file.
        file: Its name.
        start: Where the parsed stretch begins; the marks of events count from there.
        end: Where it ends.
        root: The document, once its last event was taken.
        diagnostics: What is wrong with it.
        stack: Maps and lists that are open.
        scalars: Where scalars stand.
    """

    text: str
    file: str
    start: int
    end: int
    root: Node | None = None
    diagnostics: list[Diagnostic] = field(default_factory=list)
    stack: list[_Open] = field(default_factory=list)
    scalars: list[tuple[int, int]] = field(default_factory=list)

    def take(self, event: Any) -> bool:
        """Digest one event; False where going on would only mislead."""
        match event:
            case yaml.ScalarEvent():
                return self._place(self._scalar(event))
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                return self._open(event)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                return self._close(event)
            case yaml.AliasEvent():
                return self._alias(event)
            case yaml.DocumentStartEvent():
                return self._document(event)
        return True

    @property
    def open_bracket(self) -> int | None:
        """Where the innermost `{` or `[` stands that is still open."""
        return next((frame.start for frame in reversed(self.stack) if frame.flow), None)

    def _span(self, start: int, end: int) -> Span:
        return Span(self.file, start, end)

    def _report(self, code: str, message: str, span: Span, **facts: Any) -> None:
        self.diagnostics.append(Diagnostic(code, message, span, **facts))

    def _document(self, event: Any) -> bool:
        at = self.start + event.start_mark.index
        if self.root is not None:
            message = "a file holds one document; a second one starts here"
            self._report("S007", message, self._span(at, min(at + 3, self.end)))
            return False
        if event.version or event.tags:
            self._report("S007", f"directives {_FEATURES}", self._line_of(at))
        return True

    def _line_of(self, at: int) -> Span:
        stop = self.text.find("\n", at, self.end)
        return self._span(at, self.end if stop < 0 else stop)

    def _open(self, event: Any) -> bool:
        """A map or list begins."""
        start = self._properties(event)
        parent = self.stack[-1] if self.stack else None
        if parent and parent.is_map and parent.key is None:
            message = "a key is a name, not a map or a list"
            if re.match(r"\{\s*\{|\{\s*[^\n]*\}\}", self.text[max(0, start - 1) : start + 200]):
                twice = re.match(r"\{\s*[\w.]+\s*:", self.text[start : start + 200])
                hint = "write one `{`" if twice else "quote text that holds `{{`"
                self._report("S001", message, self._span(start, start + 1), help=hint)
            else:
                self._report("S001", message, self._span(start, start + 1))
            return False
        if len(self.stack) == MAX_DEPTH:
            message = f"nested more than {MAX_DEPTH} levels deep"
            self._report("S007", message, self._span(start, min(start + 1, self.end)))
            return False
        is_map = isinstance(event, yaml.MappingStartEvent)
        self.stack.append(_Open(start, is_map, bool(event.flow_style)))
        return True

    def _close(self, event: Any) -> bool:
        done = self.stack.pop()
        if done.flow and self.text[done.start : done.start + 1] in ("{", "["):
            end = self.start + event.end_mark.index
        elif done.is_map:
            end = done.entries[-1][1].span.end if done.entries else done.start
        else:
            end = done.items[-1].span.end if done.items else done.start
        span = self._span(done.start, max(done.start, end))
        return self._place(
            Map(tuple(done.entries), span) if done.is_map else List(tuple(done.items), span)
        )

    def _alias(self, event: Any) -> bool:
        start, end = self.start + event.start_mark.index, self.start + event.end_mark.index
        self._feature("aliases", start, end, "write the value out, or use a profile")
        raw = self.text[start:end]
        return self._place(Scalar(raw, self._span(start, end), raw=raw, faulty=True))

    def _feature(self, what: str, start: int, end: int, hint: str | None) -> None:
        self._report("S007", f"{what} {_FEATURES}", self._span(start, end), help=hint)

    def _properties(self, event: Any) -> int:
        """Refuse anchors and tags; where the node itself starts."""
        start: int = self.start + event.start_mark.index
        if event.anchor is None and event.tag is None:
            return start
        found = _PROPERTIES.match(self.text, start, self.end)
        stop = found.end() if found else start
        shown = start + len(self.text[start:stop].rstrip())
        what, hint = (
            ("tags", "remove it; the format knows the type of every value")
            if event.tag is not None
            else ("anchors", "write the value out, or use a profile")
        )
        self._feature(what, start, shown, hint)
        return stop

    def _scalar(self, event: Any) -> Scalar:
        problems = len(self.diagnostics)
        start, end = self._properties(event), self.start + event.end_mark.index
        tagged = len(self.diagnostics) > problems
        if event.style in ("|", ">"):
            end = start + len(self.text[start:end].rstrip())
        end = max(start, end)
        raw = self.text[start:end]
        self.scalars.append((start, end))
        span = self._span(start, end)
        frame = self.stack[-1] if self.stack else None
        if frame and frame.is_map and frame.key is None:
            return self._named(event, raw, span, tagged)
        if event.style:
            return Scalar(event.value, span, True, raw, tagged)
        if not raw:
            # The mark of an absent value is that of whatever follows; point behind the colon.
            at = self._after(frame.key) if frame and frame.key else start
            return Scalar(None, self._span(at, at), raw=raw, faulty=tagged)
        if reading := ambiguity(event.value):
            self._ambiguous(event.value, reading, span)
            return Scalar(event.value, span, raw=raw, faulty=True)
        try:
            return Scalar(resolve(event.value), span, raw=raw, faulty=tagged)
        except ValueError as error:
            shown = raw if len(raw) <= 24 else f"{raw[:20]}…"
            self._report("S005", f"{error}, got {shown}", span)
            return Scalar(event.value, span, raw=raw, faulty=True)

    def _named(self, event: Any, raw: str, span: Span, tagged: bool) -> Scalar:
        """A scalar in the place of a key."""
        if not event.style and event.value.endswith(":") and event.value != ":":
            more = len(event.value) - len(event.value.rstrip(": "))
            wrong = self._span(span.end - more, span.end)
            name = event.value.rstrip(": ")
            hint, fix = f"write `{name}: …`", (Edit(wrong, ""),)
            self._report("S001", f"one ':' too many after '{name}'", wrong, help=hint, fix=fix)
            return Scalar(name, self._span(span.start, span.end - more), raw=raw[:-more])
        reading = None if event.style else ambiguity(event.value, key=True)
        if reading and raw and is_old_boolean(event.value):
            message = f"'{raw}' cannot be a name: it is {reading} to some YAML readers"
            self._report("S006", message, span, help="choose another name")
        elif reading and raw:
            self._ambiguous(event.value, reading, span)
        faulty = tagged or reading is not None
        return Scalar(event.value, span, bool(event.style), raw, faulty)

    def _ambiguous(self, raw: str, reading: str, span: Span) -> None:
        better = raw.replace("_", "") if _GROUPED.fullmatch(raw) else f"'{raw}'"
        do = "quote it" if better.startswith("'") else f"write {better}"
        message = f"bare '{raw}' is {reading} to some YAML readers; {do}"
        self._report("S006", message, span, help=f"write {better}", fix=(Edit(span, better),))

    def _after(self, key: Scalar) -> int:
        colon = _COLON.match(self.text, key.span.end, self.end)
        return colon.end() if colon else key.span.end

    def _place(self, node: Node) -> bool:
        """Put a finished node where it belongs."""
        if not self.stack:
            self.root = node
            return True
        frame = self.stack[-1]
        if not frame.is_map:
            frame.items.append(node)
            return True
        if frame.key is None:
            return isinstance(node, Scalar) and self._take_key(frame, node)
        key, frame.key = frame.key, None
        name = str(key.value)
        if first := frame.seen.get(name):
            self._duplicate(name, first, key)
            return True
        frame.seen[name] = key
        frame.entries.append((key, node))
        return True

    def _take_key(self, frame: _Open, key: Scalar) -> bool:
        span = key.span
        if key.value == "<<" and not key.quoted:
            self._feature(
                "merge keys", span.start, span.end, "write the keys out, or use a profile"
            )
            return False
        if not _COLON.match(self.text, span.end, self.end):
            torn = torn_value(self.text, self.file, frame.start, span.start) if frame.flow else None
            if torn:
                self.diagnostics.append(torn)
            elif frame.flow:
                name, colon, value = str(key.value).partition(":")
                hint = f"write `{key.value}: …`; what has no keys is a list: `[…]`"
                if colon and value and not key.quoted:
                    hint = f"put a blank after the colon: `{name}: {value}`"
                self._report("S001", f"expected ':' after key '{key.value}'", span, help=hint)
            else:
                hint = f"write `{key.value}: …`"
                self._feature("keys marked with `?`", span.start, max(span.end, span.start), hint)
            return False
        frame.key = key
        return True

    def _duplicate(self, name: str, first: Scalar, second: Scalar) -> None:
        lines = [self.text.count("\n", 0, key.span.start) + 1 for key in (first, second)]
        where = f"lines {lines[0]} and {lines[1]}" if lines[0] != lines[1] else f"line {lines[0]}"
        self._report(
            "S004",
            f"key '{name}' appears twice ({where}); YAML readers keep only the last",
            second.span,
            secondary=(Label(first.span, "first here"),),
            help="keep one of them",
        )

    def refuse_tabs(self) -> None:
        """Tabs between tokens: YAML allows some of them, the format none."""
        for start, end in self._gaps():
            for found in _COMMENT_OR_TAB.finditer(self.text, start, end):
                if found[0][0] == "\t":
                    span = self._span(*found.span())
                    fix = (Edit(span, " "),)
                    message = "tabs are not part of the recipe format; use spaces"
                    self._report("S007", message, span, help="write a space", fix=fix)

    def _gaps(self) -> Iterator[tuple[int, int]]:
        """The stretches of text outside scalars."""
        if self.text.find("\t", self.start, self.end) < 0:
            return
        at = self.start
        for start, end in self.scalars:
            yield at, start
            at = max(at, end)
        yield at, self.end
