"""How YAML is written: indentation, quotes, brackets, colons, commas."""

from __future__ import annotations

import re
from collections.abc import Iterator
from random import Random

import yaml

from .mutant import FRONT, RECIPE, Base, Mutant, Slip, documents, line_of, scalars
from .places import is_expression


def _regions(base: Base) -> Iterator[tuple[str, int, int]]:
    """What is YAML: the recipe, and the front matter of prompts."""
    yield RECIPE, 0, len(base.recipe)
    for file, text in base.prompts.items():
        if found := FRONT.match(text):
            yield file, *found.span(1)


def _says(text: str) -> object:
    """What YAML reads, for equality; None if it cannot."""
    try:
        return yaml.load(text, Loader=getattr(yaml, "CBaseLoader", yaml.BaseLoader))
    except yaml.YAMLError:
        return None


def means_the_same(mutant: Mutant) -> bool:
    """Whether the file says what it said before: a slip of layout that changes nothing."""
    old, new = mutant.base.files[mutant.file], mutant.text
    if mutant.file != RECIPE:
        before, after = FRONT.match(old), FRONT.match(new)
        if not before or not after or old[before.end() :] != new[after.end() :]:
            return False
        old, new = before[1], after[1]
    meaning = _says(new)
    # White space inside a value is none of the layout's: expressions and prose bear more of it.
    return meaning is not None and _squeezed(meaning) == _squeezed(_says(old))


def _squeezed(says: object) -> str:
    return re.sub(r"(?:\s|\\n)+", " ", repr(says))


def broken_indentation(base: Base) -> Iterator[Mutant]:
    """Each line moved by a level or a space, or with a tab."""
    for file, start, end in _regions(base):
        text = base.files[file]
        at = start
        for line in text[start:end].splitlines(keepends=True):
            depth = len(line) - len(line.lstrip(" "))
            blank = not line.strip() or line.lstrip().startswith("#")
            random = Random(f"{base.name}{file}{at}")
            ways = {
                "in by a level": (at, at, "  "),
                "in by a space": (at, at, " "),
                "tab": (at, at + depth, "\t"),
            }
            if depth:
                ways |= {
                    "out by a level": (at, at + min(depth, 2), ""),
                    "out by a space": (at, at + 1, ""),
                }
            for how in [] if blank else random.sample(sorted(ways), 2):
                a, b, new = ways[how]
                name = f"{file}:{line_of(text, at)} {how}: {line.strip()[:40]}"
                if at > start or how == "tab" or "in" in how:
                    yield Slip(file, a, b, new, name).on(base, "indentation broken")
            at += len(line)


def _inside(base: Base, file: str) -> list[tuple[int, int]]:
    """What is no layout: prose, patterns and texts in expressions."""
    root = dict(documents(base))[file]
    found: list[tuple[int, int]] = []
    for path, node in scalars(root):
        start, end = node.span.start, node.span.end
        if file == RECIPE and is_expression(path, node.value):
            text = base.files[file]
            texts = _TEXTS.finditer(text, start + 1, end - 1)
            found += [(m.start() + 1, m.end() - 1) for m in texts]
        elif "${" not in node.raw:
            quoted = 1 if node.quoted else 0
            found.append((start + quoted, end - quoted))
    return found


_TEXTS = re.compile(r"'[^'\n]*'")
_SPOTS = re.compile(r"(?<=[\w\])]):(?= |$)|[\[\]{}'\"]|, (?=\w)|(?<=\w): (?=\S)", re.MULTILINE)


def broken_punctuation(base: Base) -> Iterator[Mutant]:
    """Each colon, bracket, quote and comma left out, or written twice or as another."""
    for file, start, end in _regions(base):
        text = base.files[file]
        inside = _inside(base, file)
        for found in _SPOTS.finditer(text, start, end):
            at, mark = found.start(), found[0]
            if any(a <= at < b for a, b in inside):
                continue
            line = text[text.rfind("\n", 0, at) + 1 : at]
            if "#" in line:
                continue  # a comment
            random = Random(f"{base.name}{file}{at}")
            if mark.startswith(":"):
                ways = [("", " no colon"), (":", " no space"), (" =", " = for :"), ("::", " twice")]
            elif mark == ", ":
                ways = [(" ", " no comma"), ("; ", " ; for ,")]
            else:
                ways = [("", " left out"), (mark * 2, " twice")]
            new, how = random.choice(ways)
            width = len(mark) + (1 if mark == ":" and new == ":" else 0)
            name = f"{file}:{line_of(text, at)} {mark!r}{how}: {line.strip()[-20:]}"
            yield Slip(file, at, at + width, new, name).on(base, "punctuation broken")
