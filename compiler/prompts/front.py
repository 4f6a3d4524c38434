"""The front matter of a prompt file."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..diagnostics import Diagnostic, Edit
from ..document import Map, Node, Scalar, parse_document
from ..suggest import nearest
from ..types import Type
from .examples import NO_EXAMPLES, Examples, read_examples
from .kinds import type_of_node
from .record import REPLY, Reader
from .source import Source

KEYS = ("inputs", REPLY, "examples", "max_tokens")
SHAPES = ("text",)

_FRONT = re.compile(r"\ufeff?---[ \t]*\n(?P<yaml>.*?)(?P<close>^---[ \t]*$\n?)", re.DOTALL | re.M)
_OPEN = re.compile(r"\ufeff?---[ \t]*(?:\n|\Z)")
_NAME = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*", re.ASCII)
_RESERVED = {"loop", "none", "true", "false", "None", "True", "False", "self", "not", "and", "or",
             "in", "is", "if", "else", "for"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Front:
    """What the front matter says, and where the template begins."""

    inputs: tuple[tuple[str, Type], ...] = ()
    keys: tuple[Scalar, ...] = ()
    reply: tuple[tuple[str, str], ...] = ()
    examples: Examples = NO_EXAMPLES
    max_tokens: int | None = None
    body: int = 0


def read_front(
    source: Source, text: str, read: Reader, prefix: str
) -> tuple[Front | None, tuple[Diagnostic, ...]]:
    """Read it; None if it is not YAML or never ends. A file without it has no inputs.

    Args:
        source: The prompt file.
        text: Its text as read, into which spans point.
        read: Reads the file that `examples` names.
        prefix: What the user sees before a path of the recipe.
    """
    opening = _OPEN.match(source.text)
    if not opening:
        return Front(), ()
    found = _FRONT.match(source.text)
    if not found:
        return None, (
            Diagnostic(
                "P212",
                "the front matter has no end",
                source.span(opening.end() - len(opening[0].lstrip("\ufeff")), opening.end()),
                help="write a line `---` before the first block",
            ),
        )
    within = (source.at(found.start("yaml")), source.at(found.end("yaml")))
    node, problems = parse_document(text, source.shown, within=within)
    if node is None:
        return None, problems
    reading = _Reading(read, prefix, list(problems))
    front = reading.front(node, found.end())
    return front, tuple(reading.diagnostics)


@dataclass(slots=True)
class _Reading:
    read: Reader
    prefix: str
    diagnostics: list[Diagnostic]

    def add(self, code: str, message: str, node: Node, hint: str | None = None) -> None:
        """Report something about a node."""
        self.diagnostics.append(Diagnostic(code, message, node.span, help=hint))

    def front(self, root: Node, body: int) -> Front:
        if isinstance(root, Scalar) and root.value is None:
            return Front(body=body)
        if not isinstance(root, Map):
            self.add("S005", "front matter is a map", root, "write `inputs: { text: str }`")
            return Front(body=body)
        for key, _ in root.entries:
            if key.value not in KEYS:
                self.unknown(key, KEYS, "front matter")
        inputs, keys = self.inputs(root.get("inputs"))
        return Front(
            inputs,
            keys,
            self.reply(root.get(REPLY)),
            read_examples(
                root.get("examples"), dict(inputs), self.read, self.prefix, self.diagnostics
            ),
            self.max_tokens(root.get("max_tokens")),
            body,
        )

    def unknown(self, key: Scalar, known: tuple[str, ...], where: str) -> None:
        close = nearest(str(key.value), known)
        self.diagnostics.append(
            Diagnostic(
                "S002",
                f"unknown key `{key.value}` in {where}",
                key.span,
                help=f"did you mean `{close}`?" if close else "keys: " + ", ".join(known),
                fix=(Edit(key.span, close),) if close else (),
            )
        )

    def inputs(self, node: Node | None) -> tuple[tuple[tuple[str, Type], ...], tuple[Scalar, ...]]:
        if node is None or (isinstance(node, Scalar) and node.value is None):
            return (), ()
        if not isinstance(node, Map):
            self.add("S005", "`inputs` is a map of name to type", node, "write `{ text: str }`")
            return (), ()
        inputs: list[tuple[str, Type]] = []
        keys: list[Scalar] = []
        for key, value in node.entries:
            name = str(key.value)
            if not _NAME.fullmatch(name) or name in _RESERVED:
                self.add("P212", f"`{name}` cannot be the name of an input", key)
                continue
            inputs.append((name, type_of_node(value, self.diagnostics)))
            keys.append(key)
        return tuple(inputs), tuple(keys)

    def reply(self, node: Node | None) -> tuple[tuple[str, str], ...]:
        if node is None:
            return ()
        if not isinstance(node, Map) or not node.entries:
            self.add("S005", "`reply` is a map of column to shape", node, "write `{ text: text }`")
            return ()
        columns: list[tuple[str, str]] = []
        for key, value in node.entries:
            if not isinstance(value, Scalar) or value.value not in SHAPES:
                shape = value.value if isinstance(value, Scalar) else "a map"
                self.add("P212", f"unknown shape `{shape}` of a reply", value, "shapes: text")
            else:
                columns.append((str(key.value), str(value.value)))
        if len(columns) > 1:
            message = "the whole reply can become one column only"
            self.add("P212", message, node.entries[1][0], "keep one column")
        return tuple(columns)

    def max_tokens(self, node: Node | None) -> int | None:
        if node is None:
            return None
        value = node.value if isinstance(node, Scalar) else None
        if type(value) is int and value > 0:
            return value
        self.add("S005", "`max_tokens` is a whole number above 0", node)
        return None
