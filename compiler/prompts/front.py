"""The front matter of a prompt file."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ..diagnostics import Diagnostic, Edit
from ..document import Map, Node, Scalar, parse_document
from ..suggest import nearest
from ..types import Type
from .examples import NO_EXAMPLES, Examples, read_examples
from .files import Files
from .kinds import type_of_node
from .record import REPLY
from .replies.declare import Declared, declare_reply
from .source import Source

KEYS = ("inputs", REPLY, "examples", "max_tokens")

_FRONT = re.compile(r"\ufeff?---[ \t]*\n(?P<yaml>.*?)(?P<close>^---[ \t]*$\n?)", re.DOTALL | re.M)
_OPEN = re.compile(r"\ufeff?---[ \t]*(?:\n|\Z)")
_UNOPENED = re.compile(
    r"\ufeff?\s*((?:inputs|reply|examples|max_tokens)):[^\n]*\n.*?^---[ \t]*$", re.DOTALL | re.M
)
_NAME = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*", re.ASCII)
_RESERVED = {"loop", "none", "true", "false", "None", "True", "False", "self", "not", "and", "or",
             "in", "is", "if", "else", "for"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Front:
    """What the front matter says, and where the template begins."""

    inputs: tuple[tuple[str, Type], ...] = ()
    keys: tuple[Scalar, ...] = ()
    reply: Declared = field(default_factory=Declared)
    examples: Examples = NO_EXAMPLES
    max_tokens: int | None = None
    body: int = 0
    unsure: bool = False
    """Whether its inputs cannot be read, so that nothing can be said to be none of them."""


def read_front(
    source: Source, text: str, files: Files
) -> tuple[Front | None, tuple[Diagnostic, ...]]:
    """Read it; None if it is not YAML or never ends. A file without it has no inputs.

    Args:
        source: The prompt file.
        text: Its text as read, into which spans point.
        files: Reads what `examples` and `reply` name.
    """
    opening = _OPEN.match(source.text)
    if not opening:
        if found := _UNOPENED.match(source.text):
            span = source.span(found.start(1), found.end(1))
            message = "the front matter does not begin with a line `---`"
            return None, (Diagnostic("P212", message, span, help="write `---` above it"),)
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
    reading = _Reading(files, list(problems))
    front = reading.front(node, found.end())
    return front, tuple(reading.diagnostics)


@dataclass(slots=True)
class _Reading:
    files: Files
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
        given = root.get("inputs")
        inputs, keys = self.inputs(given)
        unsure = not isinstance(given, Map) and not (given is None and set(root.names) <= {*KEYS})
        if unsure and (given is not None or any(nearest(k, ["inputs"]) for k in root.names)):
            return Front(reply=declare_reply(root.get(REPLY), self.files, self.diagnostics),
                         body=body, unsure=True)  # fmt: skip
        before = len(self.diagnostics)
        declared = declare_reply(root.get(REPLY), self.files, self.diagnostics)
        # An example is held to a shape that is known; a broken one has its diagnostic.
        shape = declared.reply if len(self.diagnostics) == before else None
        return Front(
            inputs,
            keys,
            declared,
            read_examples(root.get("examples"), dict(inputs), shape, self.files, self.diagnostics),
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

    def max_tokens(self, node: Node | None) -> int | None:
        if node is None:
            return None
        value = node.value if isinstance(node, Scalar) else None
        if type(value) is int and value > 0:
            return value
        self.add("S005", "`max_tokens` is a whole number above 0", node)
        return None
