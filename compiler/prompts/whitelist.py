"""The statements that a prompt may hold: output, `if`, `for` over a list, `include`, and blocks.

What is not listed here or in `expressions` is a diagnostic. Loops nest two deep at most, and
includes are files of the recipe.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from jinja2 import nodes

from ..diagnostics import Diagnostic, Edit, Span
from ..suggest import nearest
from ..types import ANY, Type
from ..world import OutsideError
from .expressions import MAX_DEPTH, Expressions, Findings
from .places import node_span, stray_text, word_span
from .record import Reader
from .source import MAX_CHARACTERS, open_source
from .template import Parsed, parse

BLOCKS = ("system", "user", "assistant")
MAX_LOOPS = 2
MAX_INCLUDES = 64


@dataclass(slots=True)
class Walk:
    """One pass over a prompt's tree and the files it includes.

    Attributes:
        inputs: Declared inputs.
        read: Reads included files.
        prefix: What the user sees before a path of the recipe.
        stack: Files that are being walked, the prompt first.
        found: What is found.
        includes: Path to text of the files included.
    """

    inputs: Mapping[str, Type]
    read: Reader
    prefix: str
    stack: list[str]
    found: Findings = field(default_factory=Findings)
    includes: dict[str, str] = field(default_factory=dict)
    count: int = 0

    def prompt(self, parsed: Parsed) -> None:
        """Check a whole prompt file: blocks at the top, everything else inside them."""
        seen: set[str] = set()
        body = parsed.tree.body
        blocks = [node for node in body if isinstance(node, nodes.Block)]
        for node in body:
            if isinstance(node, nodes.Block):
                self.block(parsed, node, seen)
            elif blocks and (span := stray_text(parsed, node)):
                message = "only what stands in a block is sent to the model"
                hint = "move it into `{% block user %}` or delete it"
                self.found.add("P211", message, span, help=hint)

    def block(self, parsed: Parsed, node: nodes.Block, seen: set[str]) -> None:
        """Check a block and its name."""
        span = word_span(parsed, node.name, node.lineno + len("block"))
        close = nearest(node.name, BLOCKS)
        if node.name in seen:
            message = f"block `{node.name}` appears twice"
            self.found.add("P211", message, span, help="keep one of them")
        elif node.name not in BLOCKS and close != "user":  # that one is the missing block
            hint = f"did you mean `{close}`?" if close else "blocks are system, user, assistant"
            fix = (Edit(span, close),) if close else ()
            self.found.add("P211", f"unknown block `{node.name}`", span, help=hint, fix=fix)
        seen.add(node.name)
        self.body(Expressions(parsed, self.inputs, self.found), node.body, 0, 0)

    def body(
        self, expressions: Expressions, body: Sequence[nodes.Node], depth: int, loops: int
    ) -> None:
        """Check statements in a scope."""
        for node in body:
            self.statement(expressions, node, depth + 1, loops)

    def statement(self, expressions: Expressions, node: nodes.Node, depth: int, loops: int) -> None:
        """Check one statement."""
        if depth > MAX_DEPTH:
            self.found.refuse_depth(expressions.parsed, node)
            return
        match node:
            case nodes.Output():
                for part in node.nodes:
                    if not isinstance(part, nodes.TemplateData):
                        expressions.check(part, depth)
            case nodes.If():
                expressions.check(node.test, depth)
                for body in (node.body, node.elif_, node.else_):
                    self.body(expressions, body, depth, loops)
            case nodes.For():
                self.loop(expressions, node, depth, loops)
            case nodes.Include():
                self.include(expressions, node, depth, loops)
            case nodes.Block():
                expressions.refuse(node, "a block stands at the top of a prompt file")
            case _:
                word = type(node).__name__.lower()
                expressions.refuse(node, f"`{word}` is not part of prompts")

    def loop(self, expressions: Expressions, node: nodes.For, depth: int, loops: int) -> None:
        """A loop over a list, with one variable."""
        kind = expressions.check(node.iter, depth)
        if kind.kind not in ("list", "any"):
            message = f"`for` goes over a list, not {kind}"
            expressions.refuse(node.iter, message, "declare it as `list[str]`, if it is one")
        if node.test is not None:
            message = "`for … if` is not part of prompts"
            expressions.refuse(node.test, message, "write `{% if … %}` inside the loop")
        if node.recursive:
            expressions.refuse(node, "recursive loops are not part of prompts")
        if loops >= MAX_LOOPS:
            expressions.refuse(node, f"loops nest at most {MAX_LOOPS} deep")
        elif isinstance(node.target, nodes.Name):
            item = kind.item or ANY
            inner = expressions.within(**{node.target.name: item, "loop": Type("struct")})
            self.body(inner, node.body, depth, loops + 1)
            self.body(expressions, node.else_, depth, loops)
        else:
            expressions.refuse(node.target, "a loop has one variable")

    def include(
        self, expressions: Expressions, node: nodes.Include, depth: int, loops: int
    ) -> None:
        """A file of the recipe, named in quotes; it sees what stands around it."""
        name = node.template
        if not isinstance(name, nodes.Const) or not isinstance(name.value, str):
            expressions.refuse(name, "`include` takes a path in quotes")
            return
        if node.ignore_missing or not node.with_context:
            expressions.refuse(node, "`include` takes a path and nothing else")
            return
        path, span = name.value, node_span(expressions.parsed, name)
        parts = PurePosixPath(path)
        self.count += 1
        if parts.is_absolute() or ".." in parts.parts or "\\" in path or ":" in path:
            self.found.add("R112", f"include `{path}` leaves the recipe", span)
        elif path in self.stack:
            self.found.add("P211", f"`{path}` includes itself", span)
        elif self.count > MAX_INCLUDES:
            self.found.add("P211", f"a prompt has at most {MAX_INCLUDES} includes", span)
        elif (text := self.text_of(path, span)) is not None:
            parsed, problems = parse(open_source(text, self.prefix + path))
            self.found.diagnostics.extend(problems)
            if parsed:
                self.stack.append(path)
                inner = Expressions(parsed, self.inputs, self.found, expressions.scope)
                self.body(inner, parsed.tree.body, depth, loops)
                self.stack.pop()

    def text_of(self, path: str, span: Span) -> str | None:
        """The text of an included file; reported if there is none."""
        if path not in self.includes:
            text = read_file(path, self.read, span, self.found.diagnostics)
            if text is None:
                return None
            self.includes[path] = text
        return self.includes[path]


def read_file(
    path: str, read: Reader, span: Span | None, diagnostics: list[Diagnostic]
) -> str | None:
    """The text of a file of the recipe; None, and a diagnostic, if there is none."""
    try:
        text = read(path)
    except FileNotFoundError:
        diagnostics.append(Diagnostic("R111", f"no such file: {path}", span))
    except OutsideError as error:
        diagnostics.append(Diagnostic("R112", str(error), span))
    except UnicodeDecodeError as error:
        message = f"{path} is not UTF-8 (byte {error.start})"
        diagnostics.append(Diagnostic("S001", message, span, help="save the file as UTF-8"))
    else:
        if len(text) <= MAX_CHARACTERS:
            return text
        size = f"{len(text) / 1e6:.1f}"
        message = f"{path} has {size} million characters; a file of a prompt has at most 1 million"
        diagnostics.append(Diagnostic("P211", message, span))
    return None
