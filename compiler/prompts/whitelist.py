"""The statements that a prompt may hold: output, `if`, `for` over a list, `include`, and blocks.

What is not listed here or in `expressions` is a diagnostic. Loops nest two deep at most, and
includes are files of the recipe.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from jinja2 import nodes

from ..diagnostics import Edit, Label, Span
from ..suggest import nearest
from ..types import ANY, Type
from .expressions import MAX_DEPTH, Expressions, Findings
from .files import Files
from .places import node_span, stray_text, word_span
from .source import open_source
from .template import Parsed, parse

BLOCKS = ("system", "user", "assistant")
MAX_LOOPS = 2
MAX_BRANCHES = 100
MAX_INCLUDES = 64
MAX_INCLUDE_DEPTH = 8

_FRONT = re.compile(r"\ufeff?---[ \t]*\n(?=[^\n]*:|---)")


@dataclass(slots=True)
class Walk:
    """One pass over a prompt's tree and the files it includes.

    Attributes:
        inputs: Declared inputs.
        files: Reads included files.
        stack: Files that are being walked, the prompt first.
        found: What is found.
        includes: Path to text of the files included.
        parsed: Path to syntax tree of those that can be read.
    """

    inputs: Mapping[str, Type]
    files: Files
    stack: list[str]
    found: Findings = field(default_factory=Findings)
    includes: dict[str, str] = field(default_factory=dict)
    parsed: dict[str, Parsed] = field(default_factory=dict)
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
                if len(node.elif_) > MAX_BRANCHES:
                    expressions.refuse(node, f"an `if` has at most {MAX_BRANCHES} branches")
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
            chain = [*self.stack[self.stack.index(path) :], path]
            notes = (" → ".join(chain),) if len(chain) > 2 else ()
            self.found.add("P211", f"`{path}` includes itself", span, notes=notes)
        elif len(self.stack) > MAX_INCLUDE_DEPTH:
            message = f"includes nest at most {MAX_INCLUDE_DEPTH} deep"
            self.found.add("P211", message, span, notes=(" → ".join([*self.stack, path]),))
        elif self.count > MAX_INCLUDES:
            self.found.add("P211", f"a prompt has at most {MAX_INCLUDES} includes", span)
        elif (parsed := self.parse(path, span)) is not None:
            self.stack.append(path)
            before = len(self.found.diagnostics)
            inner = Expressions(parsed, self.inputs, self.found, expressions.scope)
            self.body(inner, parsed.tree.body, depth, loops)
            self.told_from(span, before)
            self.stack.pop()

    def parse(self, path: str, span: Span) -> Parsed | None:
        """An included file; what cannot be read is reported once."""
        if path in self.includes:
            return self.parsed.get(path)
        before = len(self.found.diagnostics)
        text = self.files.text(path, span, self.found.diagnostics)
        if text is None:
            return None
        self.includes[path] = text
        source = open_source(text, self.files.prefix + path)
        if opening := _FRONT.match(source.text):
            message = "an included file has no front matter: it would be sent to the model"
            hint = "take it out; the file sees the inputs of the prompt that includes it"
            start = opening.end() - len(opening[0].lstrip("\ufeff"))
            self.found.add("P212", message, source.span(start, start + 3), help=hint)
        else:
            parsed, problems = parse(source)
            self.found.diagnostics.extend(problems)
            if parsed:
                self.parsed[path] = parsed
        self.told_from(span, before)
        return self.parsed.get(path)

    def told_from(self, span: Span, start: int) -> None:
        """Let what was found in an included file say where it is included."""
        found = self.found.diagnostics
        for i, d in enumerate(found[start:], start):
            if d.span and d.span.file != span.file and not d.secondary:
                found[i] = replace(d, secondary=(Label(span, "included here"),))
