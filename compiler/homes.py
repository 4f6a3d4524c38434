"""Where a key belongs: every place of the format that has it, for a key found in the wrong one."""

from __future__ import annotations

from collections.abc import Iterator

from .nodes import Path
from .registry import Catalog
from .schema import TOP, Schema


def place(path: Path) -> str:
    """A place in words: `step 'book'`, `sampling`, `the recipe`.

    >>> place(("steps", "book")), place(("steps", "book", "chunk")), place(())
    ("step 'book'", 'chunk', 'the recipe')
    """
    match path:
        case ():
            return "the recipe"
        case ("models" | "sources" | "steps" | "profiles" as kind, str(name)):
            return f"{kind[:-1]} '{name}'"
        case ("mix", "parts", str(name)):
            return f"part '{name}'"
        case ("steps", _, "checks", str(name)):
            return f"check '{name}'"
    words = [p for p in path if isinstance(p, str)]
    return words[-1]


def homes(key: str, catalog: Catalog, here: Path) -> tuple[str, ...]:
    """The other places that have a key: `under mix.parts.NAME`, `in steps with op: filter`."""
    own = _general(here)
    fixed = dict.fromkeys(path for path, name in _keys(TOP, ()) if name == key and path != own)
    found = [f"under {'.'.join(path)}" if path else "at the top level" for path in fixed]
    if ops := sorted(n for n, op in catalog.steps.items() if any(p.name == key for p in op.params)):
        found.append(f"in steps with op: {' or '.join(ops[:3])}")
    return tuple(found)


def _general(path: Path) -> tuple[str, ...]:
    """A path with the user's names replaced by NAME, as `_keys` gives it."""
    words = [str(p) for p in path]
    if len(words) > 1 and words[0] in ("models", "sources", "profiles"):
        words[1] = "NAME"
    if words[:2] == ["mix", "parts"] and len(words) > 2:
        words[2] = "NAME"
    return tuple(words)


def _keys(schema: Schema, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    for name, value in schema.get("properties", {}).items():
        yield path, name
        yield from _keys(value, (*path, name))
    if isinstance(rest := schema.get("additionalProperties"), dict):
        yield from _keys(rest, (*path, "NAME"))
    for branch in schema.get("anyOf", ()):
        yield from _keys(branch, path)
