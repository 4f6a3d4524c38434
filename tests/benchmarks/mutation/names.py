"""Names that are used, misspelled: references, columns, variables, functions, words of a choice."""

from __future__ import annotations

from collections.abc import Iterator

from mashbill.compiler.document import Scalar, find

from .mutant import RECIPE, Base, Mutant, Slip, documents, dotted, maps, misspelled, scalars
from .places import Word, expression_words, prompt_words, references


def misspelled_references(base: Base) -> Iterator[Mutant]:
    """Each step, source, port, model, file, check, parameter and column where it is named."""
    for word in references(base):
        if word.kind == "model" and "/" in word.text:
            continue  # a tokenizer by its name: not the recipe's to know
        yield from _slips(base, word, "reference misspelled", 1)


def misspelled_columns(base: Base) -> Iterator[Mutant]:
    """Each column that an expression reads."""
    for word in expression_words(base):
        if word.kind == "column":
            yield from _slips(base, word, "column misspelled", 2)


def misspelled_functions(base: Base) -> Iterator[Mutant]:
    """Each function that an expression calls."""
    for word in expression_words(base):
        if word.kind == "function":
            yield from _slips(base, word, "function misspelled", 3)


def misspelled_variables(base: Base) -> Iterator[Mutant]:
    """Each variable of a prompt where it is used."""
    for word in prompt_words(base):
        if word.kind == "variable":
            yield from _slips(base, word, "prompt variable misspelled", 3)


def _slips(base: Base, word: Word, kind: str, many: int) -> Iterator[Mutant]:
    seed = f"{base.name}{word.file}{word.start}"
    for new in misspelled(word.text, _NEIGHBOURS, seed, many):
        name = f"{word.file}: {word.kind} {word.text} → {new}"
        yield Slip(word.file, word.start, word.end, new, name).on(base, kind)


_NEIGHBOURS = ("text", "title", "min", "max", "any", "all", "str", "int", "len", "lower", "more")
"""Names that a slip must not turn into, since they exist."""

_CHOICES = {
    "origin": "people",
    "on_shortfall": "drop",
    "by": "line",
    "format": "csv",
    "style": "page",
    "fallback": "source",
    "op": "translate",
    "kind": "taste",
}


def misspelled_choices(base: Base) -> Iterator[Mutant]:
    """Each word of a fixed set: misspelled twice, and another word that is none of the set."""
    for file, start, word, key in _choices(base):
        news = misspelled(word, _TYPES, f"{base.name}{file}{start}", 2)
        if other := _CHOICES.get(key):
            news.append(other)
        for new in news:
            name = f"{file}: {key} {word} → {new}"
            yield Slip(file, start, start + len(word), new, name).on(base, "choice misspelled")


_TYPES = ("str", "any", "int", "text", "tag")


def _choices(base: Base) -> Iterator[tuple[str, int, str, str]]:
    root = base.document()
    for path, node in scalars(root):
        value, key = node.value, str(path[-1])
        if not isinstance(value, str) or not path:
            continue
        match path:
            case ("steps", *_) if key in ("op", "by", "style", "kind", "fallback"):
                if path[2:3] != ("set",):
                    yield RECIPE, node.span.start, value, key
            case ("sources", _, "origin") | ("mix", "on_shortfall") | ("split", "by"):
                yield RECIPE, node.span.start, value, key
            case ("output", "format"):
                yield RECIPE, node.span.start, value, key
            case ("steps", _, "on_fail", *_) if value in ("reject", "route"):
                yield RECIPE, node.span.start, value, "rung"
            case ("models", _) | ("models", _, "use"):
                yield RECIPE, node.span.start, value.split("/")[0], "engine"
    for path, node in maps(root):
        if path[:1] == ("steps",) and path[2:] == ("checks",):
            for key, body in node.entries:
                if not isinstance(find(body, ("kind",)), Scalar):
                    yield RECIPE, key.span.start, str(key.value), "check"
    for file, front in documents(base):
        if file == RECIPE:
            continue
        for path, node in scalars(front):
            if len(path) == 2 and path[0] in ("inputs", "reply") and path[1] != "json":
                word = str(node.value).strip("?").split(" ")[0].split("[")[0]
                at = node.span.start + (1 if node.quoted else 0)
                yield file, at, word, dotted(path)
