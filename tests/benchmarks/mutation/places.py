"""Where things stand in a recipe: keys of the format, names, expressions, references."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from mashbill.compiler.document import Map, Path, Scalar

from .mutant import FRONT, RECIPE, Base, documents, maps, scalars

_KEYWORDS = {"and", "or", "not", "in", "is", "null", "none", "if", "else", "true", "false"}
_TAGS = {"block", "endblock", "if", "elif", "else", "endif", "for", "endfor", "include", "in"}
_WORD = re.compile(r"'[^']*'|\"[^\"]*\"|[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")


def chosen_by_user(file: str, path: Path) -> bool:
    """Whether the keys of a map are names that the user chose, not keys of the format."""
    if file != RECIPE:
        return path[:1] in (("inputs",), ("reply",)) or (
            len(path) == 2 and path[0] == "examples" and isinstance(path[1], int)
        )
    match path:
        case ("params",) | ("profiles",) | ("models",) | ("sources",) | ("steps",) | ("split",):
            return True
        case ("profiles", _) | ("mix", "parts") | ("mix", "max_source"):
            return True
        case ("sources", _, "columns") | ("steps", _, "set") | ("steps", _, "checks"):
            return True
    return False


def format_keys(base: Base) -> Iterator[tuple[str, Path, Map, int, Scalar]]:
    """Every key of the format: file, path of its map, the map, its number, the key."""
    for file, root in documents(base):
        for path, node in maps(root):
            for number, (key, _) in enumerate(node.entries):
                special = (*path, key.value) in (("split", "by"), ("reply", "json"))
                special = special or (path[:1] == ("examples",) and key.value == "reply")
                if special or not chosen_by_user(file, path):
                    yield file, path, node, number, key


@dataclass(frozen=True)
class Word:
    """A name as it is used: what it names, and the characters."""

    kind: str
    file: str
    start: int
    end: int
    text: str


def is_expression(path: Path, value: object) -> bool:
    """Whether a value of a recipe is an expression."""
    if not isinstance(value, str):
        return False
    if path and path[0] == "params":
        return False
    return path[-1] in ("keep", "when", "pass") or value.startswith("=")


def expressions(base: Base) -> Iterator[tuple[Path, Scalar]]:
    """Every expression of the recipe."""
    for path, node in scalars(base.document()):
        if is_expression(path, node.value):
            yield path, node


def expression_words(base: Base) -> Iterator[Word]:
    """Columns, functions and parameters in the recipe's expressions."""
    for _, node in expressions(base):
        text = str(node.value)
        for found in _WORD.finditer(text):
            word = found[0]
            if word[0] in "'\"" or word in _KEYWORDS:
                continue
            start, kind = found.start(), "column"
            if text[found.end() :].lstrip().startswith("("):
                kind = "function"
            elif word.startswith("params."):
                start, word, kind = start + len("params."), word[len("params.") :], "param"
            span = node.within(start, found.end())
            yield Word(kind, RECIPE, span.start, span.end, word)


_TAG = re.compile(r"\{\{(?P<value>.*?)\}\}|\{%-?\s*(?P<tag>\w+)(?P<rest>.*?)%\}", re.DOTALL)


def prompt_words(base: Base) -> Iterator[Word]:
    """Variables and filters in prompts and the files that they include."""
    for file, text in base.files.items():
        if not file.endswith(".j2"):
            continue
        front = FRONT.match(text)
        for tag in _TAG.finditer(text, front.end() if front else 0):
            if tag["tag"] in ("block", "endblock"):
                continue
            group = "value" if tag["value"] is not None else "rest"
            inside = tag[group]
            for found in _WORD.finditer(inside):
                word = found[0]
                if word[0] in "'\"" or word in _KEYWORDS | _TAGS:
                    continue
                before = inside[: found.start()].rstrip()
                kind = "filter" if before.endswith("|") else "variable"
                if tag["tag"] == "for" and not before:
                    kind = "loop variable"
                at = tag.start(group) + found.start()
                yield Word(kind, file, at, at + len(word), word)


def references(base: Base) -> Iterator[Word]:
    """Names of steps, sources, ports, models, files, checks and columns where they are used."""
    root = base.document()
    for path, node in scalars(root):
        if not isinstance(node.value, str) or is_expression(path, node.value):
            continue
        start = node.span.start + (1 if node.quoted else 0)
        kind = _kind(path)
        if kind == "input":
            name, _, port = node.value.partition(".")
            yield Word("step or source", RECIPE, start, start + len(name), name)
            if port:
                yield Word("port", RECIPE, start + len(name) + 1, start + len(node.value), port)
        elif kind:
            yield Word(kind, RECIPE, start, start + len(node.value), node.value)
    for path, node in maps(root):
        for key, _ in node.entries:
            at, text = key.span.start, str(key.value)
            if path == ("mix", "parts"):
                name, _, port = text.partition(".")
                yield Word("step or source", RECIPE, at, at + len(name), name)
                if port:
                    yield Word("port", RECIPE, at + len(name) + 1, at + len(text), port)
            elif path == ("mix", "max_source"):
                yield Word("capped source", RECIPE, at, at + len(text), text)
            elif len(path) == 2 and path[0] == "profiles":
                for part in re.finditer(r"\w+", text):
                    yield Word("profile path", RECIPE, at + part.start(), at + part.end(), part[0])
    for word in expression_words(base):
        if word.kind == "param":
            yield word
    for file, front in documents(base):
        if file != RECIPE:
            for path, node in scalars(front):
                if path in (("examples", "file"), ("reply", "json")):
                    value = str(node.value)
                    yield Word("file", file, node.span.start, node.span.start + len(value), value)


def _kind(path: Path) -> str:
    match path:
        case ("steps", _, "from") | ("steps", _, "from", _):
            return "input"
        case ("steps", _, "model") | ("tokenizer",):
            return "model"
        case ("steps", _, "prompt"):
            return "prompt"
        case ("steps", _, "on_fail", *_, "for", _):
            return "check"
        case ("steps", _, "checks", _, "got" | "source") | ("output", "columns", _):
            return "column"
    return ""


def declared(base: Base) -> Iterator[tuple[str, Path, Map, int, Scalar]]:
    """Every name that the user declares in a map: file, path, the map, its number, the key."""
    for file, root in documents(base):
        for path, node in maps(root):
            used_there = path[:1] in (("profiles",), ("mix",), ("split",), ("examples",))
            if chosen_by_user(file, path) and not used_there and len(path) < 4:
                for number, (key, _) in enumerate(node.entries):
                    if (*path, key.value) != ("reply", "json"):
                        yield file, path, node, number, key


@cache
def _words(base: Base) -> tuple[Word, ...]:
    return (*references(base), *expression_words(base), *prompt_words(base))


def uses_of(base: Base, file: str, path: Path, name: str) -> list[tuple[str, int]]:
    """Where a declared name is used, as file and offset; empty where nothing needs it."""
    wanted: tuple[str, ...]
    words = _words(base)
    match path:
        case ("params",):
            wanted = ("param",)
        case ("models",):
            wanted = ("model",)
        case ("sources",) | ("steps",):
            wanted = ("step or source", "capped source")
        case ("steps", _, "checks"):
            wanted = ("check",)
        case ("inputs",):
            return [(w.file, w.start) for w in words
                    if w.kind == "variable" and w.text.split(".")[0] == name
                    and (w.file == file or not w.file.endswith(".md.j2"))]  # fmt: skip
        case _:
            wanted = ("column", "variable")
    found = [(w.file, w.start) for w in words if w.kind in wanted and w.text == name]
    if path in (("models",), ("sources",), ("steps",), ("params",)):
        found += [(w.file, w.start) for w in words if w.kind == "profile path" and w.text == name]
    if path[-1:] in (("columns",), ("set",)) or path == ("reply",):
        # A column that a prompt takes is named under its `inputs` too.
        for other, root in documents(base):
            inputs = root.get("inputs") if other != RECIPE else None
            if isinstance(inputs, Map) and (key := inputs.key(name)):
                found.append((other, key.span.start))
    return found
