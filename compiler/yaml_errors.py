"""The YAML parser's complaints in the user's words: what was expected, where, and what to type."""

from __future__ import annotations

import re
from typing import Any

import yaml

from .diagnostics import Diagnostic, Label, Span
from .misplaced_lines import misplaced_line
from .torn import torn_value

_QUOTE = "quote text that holds `: ` or ` #`, or starts with one of @ ` % & * ! | > { [ # -"

_ESCAPE = "write a backslash as `\\\\`, or use single quotes: '\\d+'"
_CLOSE = "end the text with the quote it began with"

_WORDS: tuple[tuple[str, str, str], ...] = (
    # part of the parser's problem, message, help
    (
        "mapping values are not allowed",
        "unexpected ':'",
        'quote text that holds a colon: `about: "one: two"`',
    ),
    (
        "block sequence entries are not allowed",
        "a list cannot start here",
        "put `- item` on a line of its own, below its key; inside a line write `[a, b]`",
    ),
    (
        "mapping keys are not allowed",
        "a key cannot start here",
        "put `key: value` on a line of its own",
    ),
    (
        "did not find expected key",
        "expected `key: value` here",
        "the keys of one map start in the same column",
    ),
    (
        "did not find expected '-'",
        "expected `- item` here",
        "the items of one list start in the same column",
    ),
    ("',' or ']'", "expected ',' or ']' in a list", "write `[a, b]`"),
    ("',' or '}'", "expected ',' or '}' in a map", "write `{ a: 1, b: 2 }`"),
    ("expected node content", "expected a value here", _QUOTE),
    ("cannot start any token", "unexpected character", _QUOTE),
    ("unexpected end of stream", "the quote is never closed", _CLOSE),
    ("unexpected document", "the quote is never closed", _CLOSE),
    ("unknown escape", "unknown escape in double quotes", _ESCAPE),
    ("escape", "bad escape in double quotes", _ESCAPE),
    ("hexdecimal", "bad escape in double quotes", _ESCAPE),
    (
        "document start",
        "unexpected text after the end of the document",
        "a file holds one map: `key: value` on each line, from the first column",
    ),
    ("found unexpected ':'", "unexpected ':'", "put a blank after the colon: `key: value`"),
    ("undefined alias", "aliases are not part of the recipe format", "write the value out"),
)


def diagnose(
    error: yaml.YAMLError, text: str, file: str, within: tuple[int, int], bracket: int | None
) -> Diagnostic:
    """One diagnostic for what the parser says of a stretch of text.

    Args:
        error: Of the C or the Python parser.
        text: The whole file.
        file: Its name.
        within: The stretch that was parsed.
        bracket: Where the innermost open `{` or `[` stands, if one is open.
    """
    start, end = within
    problem = str(getattr(error, "problem", None) or "")
    at = _index(getattr(error, "problem_mark", None), start, end)
    opened = _index(getattr(error, "context_mark", None), start, end)
    if at is None:
        return Diagnostic("S001", "this is not YAML", Span(file, start, start))
    if _tab(text, at, start):
        line = text.rfind("\n", start, at) + 1
        tab = text.index("\t", max(line, start))
        hint = "use spaces: two for each level"
        return Diagnostic("S001", "a tab cannot indent", Span(file, tab, tab + 1), help=hint)
    if bracket is not None and (torn := torn_value(text, file, bracket, at)):
        return torn
    other = "}" if bracket is not None and text[bracket] == "[" else "]"
    if bracket is not None and text[at : at + 1] == other and "expected ','" in _said(problem)[0]:
        return _never_closed(text, file, bracket)
    if bracket is not None and _left_open(text, bracket, at):
        return _never_closed(text, file, bracket)
    if key := _key_without_colon(text, problem, at, opened, start):
        name = text[key[0] : key[1]]
        if text[key[1] : key[1] + 1] == ":":
            message = f"expected a blank after the colon of '{name}'"
            return Diagnostic("S001", message, Span(file, *key), help=f"write `{name}: …`")
        message = f"expected ':' after key '{name}'"
        return Diagnostic("S001", message, Span(file, *key), help=f"write `{name}: …`")
    if bracket is None and text[at : at + 1] in ("}", "]"):
        message = f"this '{text[at]}' closes nothing"
        return Diagnostic("S001", message, Span(file, at, at + 1), help="take it out")
    if bracket is None and (moved := misplaced_line(text, file, at, within)):
        return moved
    message, hint = _said(problem)
    if "never closed" in message and opened is not None:
        return Diagnostic("S001", message, Span(file, opened, opened + 1), help=hint)
    if at >= end and bracket is not None:
        return _never_closed(text, file, bracket)
    if "unexpected character" in message and at < end:
        message = f"unexpected character {text[at]!r}"
    if bracket is not None and "${" in text[max(bracket, at - 80) : at + 1]:
        hint = "inside { } and [ ] quote a variable: '${NAME}'"
    secondary: tuple[Label, ...] = ()
    if bracket is not None and bracket != at and "expected ','" in message:
        secondary = (Label(Span(file, bracket, bracket + 1), "opened here"),)
    return Diagnostic(
        "S001", message, _seen(text, file, at, start, end), secondary=secondary, help=hint
    )


def _said(problem: str) -> tuple[str, str]:
    """The parser's problem in the user's words, and what to do."""
    for part, words, hint in _WORDS:
        if part in problem:
            return words, hint
    return problem or "this is not YAML", _QUOTE


def _index(mark: Any, start: int, end: int) -> int | None:
    return None if mark is None else min(start + mark.index, end)


_UNSPLIT = re.compile(
    r"(?P<indent>[ ]*(?:- +)?)(?P<key>[A-Za-z_][\w.-]*)(?P<rest>[ ]*|[ =:][^\n]*)"
)
_BEFORE_BRACKET = re.compile(r"[ ]*(?:- +)?([A-Za-z_][\w-]*)[ ]+[\[{]")


def _never_closed(text: str, file: str, bracket: int) -> Diagnostic:
    message = f"'{text[bracket]}' is never closed"
    hint = f"end it with `{'}' if text[bracket] == '{' else ']'}`"
    return Diagnostic("S001", message, Span(file, bracket, bracket + 1), help=hint)


def _left_open(text: str, bracket: int, at: int) -> bool:
    """Whether the line of a problem is none of what the bracket holds: `key: …`, no deeper."""
    opened = text.rfind("\n", 0, bracket) + 1
    line = text.rfind("\n", 0, at) + 1
    here, there = _INDENTED.match(text, line), _INDENTED.match(text, opened)
    return bool(line > opened and here and there and len(here[1]) <= len(there[1]))


_INDENTED = re.compile(r"( *)(?:- +)?[^\s:#,\[\]{}]+(?::\s|$)?")


def _tab(text: str, at: int, start: int) -> bool:
    """Whether the line up to the problem is indented with a tab."""
    line = max(text.rfind("\n", start, at) + 1, start)
    return "\t" in text[line : at + 1] and not text[line : at + 1].strip()


def _key_without_colon(
    text: str, problem: str, at: int, opened: int | None, start: int
) -> tuple[int, int] | None:
    """The lone word that should have been a key, if that is what went wrong."""
    if "could not find expected ':'" in problem and opened is not None:
        found = re.compile(r"[^\s:#,\[\]{}]+").match(text, opened)
        return found.span() if found else None
    if "mapping values are not allowed" not in problem:
        return None
    if flow := _BEFORE_BRACKET.match(text, text.rfind("\n", 0, at) + 1, at):
        return flow.span(1)
    line = max(text.rfind("\n", start, at) + 1, start)
    before = text[start:line].rstrip()
    above = start + before.rfind("\n") + 1
    found = _UNSPLIT.fullmatch(text, above, start + len(before))
    if not found or ": " in found["rest"].partition(" #")[0]:
        return None
    alone = found["rest"].partition("#")[0].strip() in ("", "=")
    same = len(found["indent"]) == len(text[line:at]) - len(text[line:at].lstrip(" "))
    return found.span("key") if alone or same else None


def _seen(text: str, file: str, at: int, start: int, end: int) -> Span:
    """A span that shows something: the parser often stops past the end of what it read."""
    if at >= end or text[at] in "\r\n":
        back = len(text[start:at].rstrip())
        return Span(file, start + back, start + back)
    return Span(file, at, at + 1)
