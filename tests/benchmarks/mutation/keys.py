"""Keys: misspelled, left out, written twice; names that are declared under another name."""

from __future__ import annotations

from collections.abc import Iterator

from mashbill.compiler.document import Map, Node, Path, find

from .mutant import RECIPE, Base, Mutant, Slip, documents, dotted, entry_range, maps, misspelled
from .places import chosen_by_user, declared, format_keys, uses_of


def misspelled_keys(base: Base) -> Iterator[Mutant]:
    """Each key of the format, twice."""
    for file, path, node, _, key in format_keys(base):
        word = str(key.value)
        for new in misspelled(word, node.names, f"{base.name}{path}", 2):
            name = f"{dotted((*path, word))} → {new}"
            yield Slip(file, key.span.start, key.span.end, new, name).on(base, "key misspelled")


def renamed_declarations(base: Base) -> Iterator[Mutant]:
    """Each name that something uses, declared under another name: either end may be told of."""
    for file, path, node, _, key in declared(base):
        name = str(key.value)
        if path[2:] == ("columns",) and _elsewhere(base, path, name):
            continue
        if uses := uses_of(base, file, path, name):
            for new in misspelled(name, node.names, f"{base.name}{path}", 2):
                what = f"{file}: {dotted((*path, name))} → {new}"
                slip = Slip(file, key.span.start, key.span.end, new, what, tuple(uses))
                yield slip.on(base, "name declared otherwise")


NEEDED: dict[str, tuple[str, ...]] = {
    "": ("mashbill", "name", "sources", "models"),
    "models.*": ("use",),
    "sources.*": ("path", "license", "origin"),
    "steps.*": ("op", "from", "model", "prompt"),
    "steps.*.chunk": ("by", "max"),
    "mix": ("total", "parts"),
    "mix.parts.*": ("weight",),
    "params.*": ("default",),
    "inputs": (),
}
"""What the format demands at a place, by its own words; the rest may be absent."""


def dropped_keys(base: Base) -> Iterator[Mutant]:
    """Each key that the format demands, and each name that something else uses."""
    for file, root in documents(base):
        for path, node in maps(root):
            for number, (key, _) in enumerate(node.entries):
                name = str(key.value)
                if len(node.entries) == 1 and path:
                    continue  # an empty map is another slip
                also = _uses(base, file, path, node, name)
                if also is None:
                    continue
                start, end = entry_range(base.files[file], node, number)
                parent = _parent(root, path)
                slip = Slip(file, start, end, "", f"{file}: {dotted((*path, name))} dropped",
                            ((file, parent), *also))  # fmt: skip
                yield slip.on(base, "key dropped")


def _uses(
    base: Base, file: str, path: Path, node: Map, name: str
) -> tuple[tuple[str, int], ...] | None:
    """Where a key that is gone is missed; None where the format does without it."""
    if file == RECIPE:
        place = _general(path)
        if name in NEEDED.get(place, ()):
            if name == "model" and not path:
                return None
            return _of_all(base, file, node.get(name) if not path else None, name)
        if path == ("mix", "parts") or (path == ("split",) and name != "by"):
            return tuple((file, k.span.start) for k, _ in node.entries)  # the rest does not sum
        checks = path[:1] == ("steps",) and path[2:3] == ("checks",) and len(path) == 4
        if checks and name in ("kind", "pass"):
            return ()
        if checks and name in ("forbid", "require") and not {"forbid", "require"} <= {*node.names}:
            return ()
        if len(path) == 2 and name == "checks" and _value(node, "op") == "verify":
            return ()
        if len(path) == 2 and name == "acknowledge" and _value(node, "license") == "unknown":
            return ((file, node.entries[0][0].span.start),)
        if name == "times":
            return ()
    elif path[:1] == ("examples",) and (name in ("reply", "file") or len(path) == 2):
        return ()
    elif path == () and name in ("inputs", "reply"):
        return _of_all(base, file, node.get(name), name) or None
    if path[2:] == ("columns",) and _elsewhere(base, path, name):
        return None  # where sources meet, a column that one lacks is null
    if chosen_by_user(file, path):
        return tuple(uses_of(base, file, path, name)) or None
    return None


def _of_all(base: Base, file: str, region: Node | None, name: str) -> tuple[tuple[str, int], ...]:
    """Where any name of a region is used."""
    names = region.names if isinstance(region, Map) else ()
    return tuple(use for each in names for use in uses_of(base, file, (name,), each))


def _elsewhere(base: Base, path: Path, name: str) -> bool:
    """Whether another source has a column of this name too."""
    sources = base.document().get("sources")
    assert isinstance(sources, Map)
    return any(
        key.value != path[1] and name in getattr(find(source, ("columns",)), "names", ())
        for key, source in sources.entries
    )


def _value(node: Map, key: str) -> object:
    return getattr(node.get(key), "value", None)


def _general(path: Path) -> str:
    words = [str(p) for p in path]
    if len(words) > 1 and words[0] in ("models", "sources", "steps", "params"):
        words[1] = "*"
    if words[:2] == ["mix", "parts"] and len(words) > 2:
        words[2] = "*"
    return ".".join(words)


def _parent(root: Map, path: Path) -> int:
    """Where the key stands under which a map stands; of the root, its first key."""
    if path and isinstance(path[-1], int) and (item := find(root, path)):
        return item.span.start
    while path:
        above = find(root, path[:-1])
        if isinstance(above, Map) and (key := above.key(str(path[-1]))):
            return key.span.start
        path = path[:-1]
    return root.entries[0][0].span.start


def optional_keys(base: Base) -> int:
    """Keys that may be left out by the format's own words: a default holds."""
    return sum(
        _uses(base, file, path, node, str(key.value)) is None
        for file, root in documents(base)
        for path, node in maps(root)
        for key, _ in node.entries
    )


def duplicated_keys(base: Base) -> Iterator[Mutant]:
    """Each key with its value, twice in a row."""
    for file, root in documents(base):
        for path, node in maps(root):
            for number, (key, _) in enumerate(node.entries):
                text = base.files[file]
                start, end = entry_range(text, node, number)
                entry = text[start:end]
                if text[key.span.start - 2 : key.span.start] == "- ":
                    continue  # twice the first key of an item is the next line's business
                new = entry + entry
                if entry.startswith(","):
                    pass
                elif end < len(text) and not entry.endswith("\n") and "," not in entry[-3:]:
                    new = entry.rstrip() + ", " + entry
                name = f"{file}: {dotted((*path, str(key.value)))} twice"
                yield Slip(file, start, end, new, name).on(base, "key duplicated")
