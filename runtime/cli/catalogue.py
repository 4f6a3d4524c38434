"""The operators as a user looks them up: plain data, from signatures, docstrings and cases."""

from __future__ import annotations

import inspect
import re
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal, get_args, get_origin

from ...compiler.docstrings import parameter_docs
from ...compiler.params import Checks, Chunk, Ladder, Sampling
from ...compiler.registry import (
    Case,
    Catalog,
    Column,
    Count,
    Duration,
    Expression,
    Model,
    Operator,
    Param,
    Pattern,
    Prompt,
    Rank,
    Ratio,
    Share,
    Size,
    Template,
)
from ...compiler.schema import SOURCE, STEP_KEYS
from ..sources.formats import FORMATS, PACKED
from .specimen import excerpt

_SECTION = re.compile(r"^(?:Args|Returns|Yields|Raises|Examples?|Notes?):\s*$", re.MULTILINE)

Kind = Literal["step", "check", "engine", "source"]

COSTS = {
    "free": "free: computed column by column",
    "cpu": "cpu: a worker process does it",
    "model": "model: every row is a paid call",
}
_WORDS: dict[Any, str] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    Column: "column",
    Expression: "expression",
    Rank: "expression: a number",
    Pattern: "regular expression",
    Share: "share: 0.5 or 50%",
    Duration: "time: 10s or 2m",
    Size: "size: 64MB",
    Count: "whole number from 1",
    Ratio: "number from 0",
    Prompt: "prompt file",
    Template: "render template",
    Model: "model",
    Sampling: "map: temperature, top_p, max_tokens, …",
    Chunk: "map: by, max",
    Checks: "map: name → parameters of a check",
    Ladder: "list: retry, fallback, route, reject",
}


@dataclass(frozen=True, slots=True)
class Key:
    """One thing to write: its name, type in words, default as JSON, and meaning."""

    name: str
    type: str
    about: str
    default: Any = None
    required: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """One operator, check, engine or kind of source.

    Attributes:
        name: What a recipe writes.
        kind: What it is.
        about: One line.
        more: Further paragraphs.
        keys: Its parameters or settings.
        cost: A word of `COSTS`; empty for what is no operator.
        version: Of an operator.
        ports: Ports beside the rows that go on.
        example: The least of a recipe that uses it, as YAML; empty for engines.
        cases: What it makes of rows.
    """

    name: str
    kind: Kind
    about: str
    more: str = ""
    keys: tuple[Key, ...] = ()
    cost: str = ""
    version: int | None = None
    ports: tuple[str, ...] = ()
    example: str = ""
    cases: tuple[Case, ...] = ()


def entries(catalog: Catalog) -> Iterator[Entry]:
    """Everything that a recipe can name, steps first."""
    for operators in (catalog.steps, catalog.checks):
        for name in sorted(operators):
            yield _operator(operators[name])
    for name in sorted(catalog.engines):
        yield _engine(name, catalog.engines[name])
    yield _source()


def common_keys() -> tuple[Key, ...]:
    """The keys that every step takes."""
    return tuple(
        Key(name, _schema_words(schema), schema.get("description", ""), required=name == "from")
        for name, schema in STEP_KEYS.items()
        if name != "op"
    )


def _operator(operator: Operator) -> Entry:
    about, more = _prose(operator.build.__doc__)
    docs = parameter_docs(operator)
    return Entry(
        name=operator.name,
        kind=operator.kind,
        about=about,
        more=more,
        keys=tuple(_key(param, docs) for param in operator.params),
        cost=operator.cost,
        version=operator.version,
        ports=_ports(operator),
        example=excerpt(operator),
        cases=operator.cases,
    )


def _prose(docstring: str | None) -> tuple[str, str]:
    """The first line of a docstring, and the paragraphs up to its first section."""
    about, _, rest = inspect.cleandoc(docstring or "").partition("\n")
    return about, _SECTION.split(f"{rest}\n", maxsplit=1)[0].strip()


def _ports(operator: Operator) -> tuple[str, ...]:
    """As `mixing.check_input` knows them."""
    if operator.kind == "check":
        return ()
    if operator.stage == "map":
        return ("rejected",) if operator.drops else ()
    if operator.stage == "gather":
        return ("rejected", "errors")
    return ("rejected", "routed", "errors")


def _key(param: Param, docs: Mapping[str, str]) -> Key:
    return Key(
        param.name, type_words(param.type), docs.get(param.name, ""), param.default, param.required
    )


def type_words(hint: Any) -> str:
    """The type of a parameter in the words of a recipe.

    >>> type_words(Literal["rewrite", "sentence"])
    'rewrite | sentence'
    """
    if hint in _WORDS:
        return _WORDS[hint]
    origin, args = get_origin(hint), get_args(hint)
    if origin is Literal:
        return " | ".join(map(str, args))
    if type(None) in args:
        return " or ".join(type_words(arg) for arg in args if arg is not type(None))
    if origin in (list, tuple) and args:
        return f"list of {type_words(args[0])}"
    if args and isinstance(origin, type) and issubclass(origin, Mapping):
        return f"map: name → {type_words(args[1])}"
    described = getattr(hint, "__schema__", {}).get("description")
    return str(described or typing.cast("object", getattr(hint, "__name__", hint)))


def _engine(name: str, placement: Mapping[str, str]) -> Entry:
    root = __package__.rpartition(".")[0] if __package__ else "mashbill.runtime"
    about, more = _prose(import_module(f"{root}.engines.{name}").__doc__)
    keys = tuple(Key(key, "setting", meaning) for key, meaning in placement.items())
    return Entry(name, "engine", about, more, keys)


def _source() -> Entry:
    keys = tuple(
        Key(name, _schema_words(s), s.get("description", ""), required=name in SOURCE["required"])
        for name, s in SOURCE["properties"].items()
    )
    more = "\n\n".join(
        f"{f.name} ({', '.join((*f.suffixes, *PACKED[: 2 * f.packed]))}): {f.about}."
        for f in FORMATS.values()
    )
    example = "sources:\n  docs: { path: docs.jsonl, license: CC0-1.0, origin: human }"
    return Entry("source", "source", SOURCE["description"], more, keys, example=example)


def _schema_words(schema: Mapping[str, Any]) -> str:
    if "enum" in schema and len(schema["enum"]) < 7:
        return " | ".join(map(str, schema["enum"]))
    words = {
        "string": "text",
        "integer": "whole number",
        "number": "number",
        "boolean": "true or false",
        "object": "map",
        "array": "list",
        "null": "null",
    }
    if schema.get("format") in ("expression", "when"):
        return "expression"
    named = schema.get("type", [])
    kinds = [named] if isinstance(named, str) else named
    return " or ".join(words[kind] for kind in kinds) or "value"
