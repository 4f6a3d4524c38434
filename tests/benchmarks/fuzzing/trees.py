"""Edits of what a recipe says: as data that is written anew, or value by value in its place."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from random import Random
from typing import Any

import yaml

from mashbill.compiler.nodes import Map, Scalar, walk
from tests.benchmarks.mutation.mutant import Base

from .text import NASTY

VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 3, 64, 2**63, 10**40, 0.5, 1e308, float("inf"), float("nan"), "",
    " ", "50%", "150%", "-1%", "2M tokens", "10 tokens", "256MB", "1s", "24h", "= params.x",
    "= words(text)", "= choose(['a', 'b'])", "= tokens(text) * 2", "=", "= (", "docs",
    "book.rejected", "mix", "output", "text", "_doc", "_id", "input.text", "source.text",
    "params.n", "${KEY}", "sk-" + "a" * 40, "local/smollm2-135m", "fake/words", "fake", "/", "//",
    "a.b.c", "..", "../x.jsonl", "*.jsonl", "**/*", "[", "prompts/book.md.j2", "prompts", ".",
    "regex", "expr", "human", "synthetic", "unknown", "CC0-1.0", "MIT", "CC-BY-ND-4.0", [], [[]],
    {}, ["docs"], ["docs", "docs"], [1, "a", None], {"a": 1}, {"default": 3, "min": 4, "max": 2},
    {"retry": 3}, [{"retry": 2}, {"fallback": "input"}],
    {"op": "filter", "from": "docs", "keep": "words(text) > 3"}, "x" * 300,
)  # fmt: skip
"""Values for any place."""

KEYS = (
    "mashbill", "name", "about", "version", "license", "seed", "params", "profiles", "tokenizer",
    "models", "sources", "steps", "mix", "split", "output", "op", "from", "model", "prompt",
    "set", "when", "limit", "checks", "on_fail", "samples", "sampling", "chunk", "keep", "preset",
    "use", "path", "origin", "columns", "key", "text", "total", "parts", "min_human",
    "max_source", "on_shortfall", "weight", "max_epochs", "train", "by", "default", "min", "max",
    "one_of", "type", "kind", "pass", "forbid", "retry", "for", "times", "placement",
    "acknowledge", "on", "y", "1", "", "_x", "A", "a.b", "é",
)  # fmt: skip
"""Keys for any place."""

Tree = Any


def mutate_tree(base: Base, random: Random, others: Sequence[Base]) -> str:
    """A recipe with some of its values, keys or entries changed; always YAML."""
    tree = yaml.safe_load(base.recipe)
    foreign = yaml.safe_load(random.choice(others).recipe)
    for _ in range(random.choice((1, 1, 1, 1, 2, 3))):
        _change(tree, foreign, random)
    text: str = yaml.safe_dump(
        tree,
        sort_keys=False,
        allow_unicode=random.random() < 0.5,
        default_flow_style=random.choice((None, False, True)),
        width=random.choice((60, 10_000)),
        line_break=random.choice(("\n", "\n", "\n", "\r\n")),
    )
    return text


def mutate_in_place(
    base: Base, random: Random, others: Sequence[Base], *, alike: bool = False
) -> str:
    """A recipe with values replaced by values of another one, all else as it was written.

    Args:
        base: The recipe.
        random: Of every choice.
        others: Where values come from.
        alike: Only by values that stand under the same key somewhere, so that most fit.
    """
    values = [(path, n) for path, n in walk(base.document()) if isinstance(n, Scalar) and n.raw]
    keys = [k for _, n in walk(base.document()) if isinstance(n, Map) for k, _ in n.entries]
    foreign = [
        (path, n.raw)
        for path, n in walk(random.choice(others).document())
        if isinstance(n, Scalar) and n.raw and "\n" not in n.raw
    ]
    changes: dict[Scalar, str] = {}
    for _ in range(random.choice((1, 1, 2, 3))):
        path, node = random.choice(values)
        match 7 if alike else random.randrange(8):
            case 0:
                changes[random.choice(keys)] = random.choice(KEYS)
            case 1:
                changes[random.choice(keys)] = str(random.choice(keys).value)
            case 2:
                changes[node] = _written(random)
            case 3:
                changes[node] = random.choice(foreign)[1]
            case 4 | 5:  # another value of the same recipe
                changes[node] = random.choice(values)[1].raw
            case _:  # what stands under the same key elsewhere
                near = [raw for where, raw in foreign if where[-1] == path[-1]]
                near += [n.raw for where, n in values if where[-1] == path[-1]]
                changes[node] = random.choice(near)
    text = base.recipe
    for node, new in sorted(changes.items(), key=lambda c: c[0].span, reverse=True):
        text = text[: node.span.start] + new + text[node.span.end :]
    return text


def _written(random: Random) -> str:
    value = random.choice(VALUES)
    style = random.choice((None, '"', "'"))
    written: str = yaml.safe_dump(value, default_flow_style=True, default_style=style, width=10_000)
    return written.removesuffix("\n").removesuffix("\n...")


def _change(tree: Tree, foreign: Tree, random: Random) -> None:
    """Change a tree in one place."""
    places = [p for p in _places(tree) if isinstance(p, dict | list) and p]
    if not places:
        return
    place = random.choice(places)
    keys = list(place) if isinstance(place, dict) else list(range(len(place)))
    key = random.choice(keys)
    given = random.choice([*_places(foreign)])
    match random.randrange(9):
        case 0:
            place[key] = copy.deepcopy(random.choice(VALUES))
        case 1:
            place[key] = copy.deepcopy(given)
        case 2:
            del place[key]
        case 3 if isinstance(place, dict):
            place[random.choice(KEYS)] = place.pop(key)
        case 4 if isinstance(place, dict):
            place[random.choice(KEYS)] = copy.deepcopy(
                random.choice((given, random.choice(VALUES)))
            )
        case 5:
            other = random.choice(keys)
            place[key], place[other] = place[other], place[key]
        case 6 if isinstance(place[key], str):
            at = random.randrange(len(place[key]) + 1)
            place[key] = place[key][:at] + random.choice(NASTY) + place[key][at:]
        case 7 if isinstance(place, dict) and isinstance(place[key], str | int | float):
            place[str(place[key])] = key
        case 8:
            place[key] = [place[key]] if random.random() < 0.5 else {str(key): place[key]}
        case _:
            place[key] = copy.deepcopy(given)


def _places(tree: Tree) -> list[Tree]:
    found, todo = [], [tree]
    while todo:
        node = todo.pop()
        found.append(node)
        if isinstance(node, dict):
            todo += node.values()
        elif isinstance(node, list):
            todo += node
    return found


def random_sets(base: Base, random: Random) -> tuple[str, ...]:
    """Arguments of `--set`: paths of the recipe and of none, with values that fit and others."""
    paths = [".".join(map(str, path)) for path, _ in walk(base.document()) if path]
    sets = []
    for _ in range(random.choice((1, 1, 2))):
        path = random.choice((random.choice(paths), random.choice(KEYS), random.choice(NASTY)))
        if random.random() < 0.3:
            path += "." + random.choice(KEYS)
        sets.append(
            random.choice((f"{path}={_written(random)}", path, f"{path}={random.choice(NASTY)}"))
        )
    return tuple(sets)
