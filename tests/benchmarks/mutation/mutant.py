"""A recipe that is right, and what one slip makes of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from random import Random

from mashbill.compiler.document import Map, Node, Path, Scalar, parse_document, walk

RECIPE = "recipe.yaml"
Line = tuple[str, int]
"""A file and a line of it, from 1."""


@dataclass(frozen=True, eq=False)
class Base:
    """A recipe with nothing wrong in it: the files of its folder by name."""

    name: str
    files: Mapping[str, str]

    @property
    def recipe(self) -> str:
        """The text of the recipe."""
        return self.files[RECIPE]

    @property
    def prompts(self) -> dict[str, str]:
        """Its prompt files."""
        return {f: t for f, t in self.files.items() if f.endswith(".md.j2")}

    def document(self) -> Map:
        """The recipe, parsed."""
        return _document(self)


@dataclass(frozen=True)
class Mutant:
    """One slip.

    Attributes:
        kind: Its class.
        name: What was done, for lists: `steps.book.from: web → wbe`.
        base: What it was made of.
        file: The file that was changed.
        text: That file now.
        lines: Where the cause is, in the changed files: the mutated line and, where a name is
            declared in one place and used in another, the other end.
    """

    kind: str
    name: str
    base: Base
    file: str
    text: str
    lines: frozenset[Line]

    @property
    def files(self) -> dict[str, str]:
        """All files, with the slip."""
        return {**self.base.files, self.file: self.text}


@dataclass(frozen=True)
class Slip:
    """A replacement of characters of one file, of which a mutant is made."""

    file: str
    start: int
    end: int
    new: str
    name: str
    also: tuple[tuple[str, int], ...] = field(default=())
    """Other places, as offsets into the text before, that the cause may be told at."""

    def on(self, base: Base, kind: str) -> Mutant:
        """The mutant of a base."""
        old = base.files[self.file]
        text = old[: self.start] + self.new + old[self.end :]
        first = line_of(text, self.start)
        last = line_of(text, max(self.start, self.start + len(self.new.rstrip("\n")) - 1))
        lines = {(self.file, n) for n in range(first, last + 1)}
        shift = len(self.new) - (self.end - self.start)
        for file, at in self.also:
            moved = at if file != self.file or at < self.end else at + shift
            lines.add((file, line_of(text if file == self.file else base.files[file], moved)))
        return Mutant(kind, self.name, base, self.file, text, frozenset(lines))


@cache
def _document(base: Base) -> Map:
    return parsed(base.recipe, RECIPE)


def line_of(text: str, at: int) -> int:
    """The number of the line that holds a character."""
    return text.count("\n", 0, max(0, min(at, len(text)))) + 1


def parsed(text: str, file: str, within: tuple[int, int] | None = None) -> Map:
    """A map out of YAML that is right."""
    node, problems = parse_document(text, file, within=within)
    assert isinstance(node, Map) and not problems, (file, problems)
    return node


FRONT = re.compile(r"---[ \t]*\n(.*?)^---[ \t]*$", re.DOTALL | re.MULTILINE)


def front_matter(text: str, file: str) -> Map | None:
    """The front matter of a prompt; spans count from the start of the file."""
    found = FRONT.match(text)
    return parsed(text, file, found.span(1)) if found else None


@cache
def documents(base: Base) -> tuple[tuple[str, Map], ...]:
    """The recipe, and the front matter of each prompt."""
    fronts = ((file, front_matter(text, file)) for file, text in base.prompts.items())
    return (RECIPE, base.document()), *((file, front) for file, front in fronts if front)


def maps(root: Map) -> Iterator[tuple[Path, Map]]:
    """Every map of a document."""
    for path, node in walk(root):
        if isinstance(node, Map):
            yield path, node


def scalars(root: Map) -> Iterator[tuple[Path, Scalar]]:
    """Every value of a document that is no map and no list."""
    for path, node in walk(root):
        if isinstance(node, Scalar):
            yield path, node


def dotted(path: Path) -> str:
    """A path as one reads it."""
    return ".".join(map(str, path))


def misspelled(word: str, avoid: Iterable[str], seed: str, many: int = 1) -> list[str]:
    """Different slips of the fingers: a letter swapped, left out, doubled or another.

    A slip never gives a name that exists (`avoid`), which would be another meaning, not a slip.
    """
    random = Random(f"{seed}:{word}")
    taken = {word, *avoid}
    found: list[str] = []
    for _ in range(200):
        at = random.randrange(len(word))
        how = random.choice(("swap", "drop", "double", "other", "add"))
        if how == "swap" and at + 1 < len(word):
            new = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        elif how == "drop" and len(word) > 2:
            new = word[:at] + word[at + 1 :]
        elif how == "double":
            new = word[: at + 1] + word[at:]
        elif how == "other" and word[at].isalpha():
            new = word[:at] + random.choice("aeioursnt") + word[at + 1 :]
        elif how == "add":
            new = word + random.choice("sxed")
        else:
            continue
        if new not in taken and re.match(r"[A-Za-z]", new):
            taken.add(new)
            found.append(new)
            if len(found) == many:
                break
    return found


def mentions(base: Base, name: str) -> list[tuple[str, int]]:
    """Every place of the recipe and its prompts that holds a name as a word."""
    word = re.compile(rf"(?<![\w]){re.escape(name)}(?![\w])")
    return [
        (file, found.start())
        for file, text in base.files.items()
        if file.endswith((".yaml", ".j2"))
        for found in word.finditer(text)
    ]


def entry_range(text: str, node: Map, number: int) -> tuple[int, int]:
    """The characters of one entry of a map, with the comma or line end that goes with it."""
    key, value = node.entries[number]
    start, end = key.span.start, max(key.span.end, value_end(text, value))
    after = node.entries[number + 1][0].span.start if number + 1 < len(node.entries) else None
    if is_flow(text, node):
        if after is not None:
            return start, after
        before = text.rfind(",", node.span.start, start)
        return (before, end) if before >= 0 else (start, end)
    first = text.rfind("\n", 0, start) + 1
    if "-" in text[first:start]:  # the first entry of an item of a list
        return start, after or end
    last = text.find("\n", end)
    return first, len(text) if last < 0 else last + 1


def value_end(text: str, node: Node) -> int:
    """Where a value ends: that of a map or list in block style where its last part does."""
    if isinstance(node, Scalar) or is_flow(text, node):
        return node.span.end
    inner = [v for _, v in node.entries] if isinstance(node, Map) else list(node.items)
    return max([value_end(text, v) for v in inner], default=node.span.end)


def is_flow(text: str, node: Node) -> bool:
    """Whether a map or list is written with brackets."""
    return text[node.span.start : node.span.start + 1] in ("{", "[")
