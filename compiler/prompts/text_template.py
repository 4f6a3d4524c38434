"""Render templates: `*.j2` files that turn the fields of a row into training text.

They have neither front matter nor blocks: all of the file is text, in the part of Jinja that
prompts have, and every column that reaches it can be printed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any

from jinja2 import nodes

from ..diagnostics import Diagnostic, Edit, in_order
from ..suggest import nearest
from ..types import Type
from .braces import single_braces
from .canonical import canonical_block
from .expressions import Expressions
from .files import Files, Siblings, no_siblings
from .places import skip_space, word_span
from .record import Reader, Use
from .source import drop_allowed, open_source
from .template import Parsed, parse
from .whitelist import Walk

_FRONT = re.compile(r"\ufeff?---[ \t]*\n(?:[^\n]*:[^\n]*\n|[ \t]*#[^\n]*\n|\n)*?---[ \t]*(?:\n|\Z)")


@dataclass(frozen=True, slots=True)
class TextTemplate:
    """A render template that has been read.

    Attributes:
        path: As the recipe names it.
        text: Its Jinja text, line ends as line feeds.
        uses: All places where columns are used, included files too, in order.
        includes: Path to text of included files.
    """

    path: str
    text: str
    uses: tuple[Use, ...]
    includes: tuple[tuple[str, str], ...]

    @property
    def reads(self) -> tuple[str, ...]:
        """The columns that it looks at, each once, sorted."""
        return tuple(sorted({use.name for use in self.uses}))

    def canonical(self) -> dict[str, Any]:
        """What decides the text of a row, JSON-like, for identity.

        Comments, spaces inside tags, line ends and blank lines around the whole change nothing.
        """
        return {"template": canonical_block(self.text, dict(self.includes))}


def read_template(
    path: str,
    read: Reader,
    columns: Mapping[str, Type],
    *,
    unsure: bool = False,
    shown: str | None = None,
    siblings: Siblings = no_siblings,
) -> tuple[TextTemplate | None, tuple[Diagnostic, ...]]:
    """Read and check a render template with what it includes.

    Args:
        path: As the recipe names it.
        read: Gives the text of a path; asked for includes too.
        columns: Of the rows that it is rendered for, with their types.
        unsure: Whether there may be columns that `columns` does not name.
        shown: The path as the user should see it; spans carry it.
        siblings: Lists a folder of the recipe, to name the file that was meant.

    Returns:
        The template, None where it cannot be relied on, and what is wrong. A file that cannot be
        read is `R111`, without a place: the caller knows who named it.
    """
    shown = shown or path
    prefix = shown.removesuffix(path) if shown.endswith(path) else ""
    files = Files(read, prefix, siblings, str(PurePosixPath(path).parent))
    lost: list[Diagnostic] = []
    text = files.text(path, None, lost)
    if text is None:
        return None, tuple(lost)
    source = open_source(text, shown)
    start = len(source.text) - len(source.text.removeprefix("\ufeff"))
    parsed, unreadable = parse(source, start)
    if parsed is None:
        return None, in_order(unreadable)
    if found := _prompt_parts(parsed):
        return None, in_order(found)
    walk = Walk(dict(columns), files, [path])
    walk.body(Expressions(parsed, walk.inputs, walk.found), parsed.tree.body, 0, 0)
    unknown = () if unsure else walk.found.unknown
    problems = [
        *walk.found.diagnostics,
        *(_undefined(use, columns) for use in unknown),
        *(
            _printed(d)
            for one in (parsed, *walk.parsed.values())
            for d in single_braces(one, walk.inputs)
        ),
    ]
    if not problems and not walk.found.uses and not walk.found.unknown:
        problems.append(_constant(parsed))
    texts = {shown: text, **{prefix + p: t for p, t in walk.includes.items()}}
    diagnostics = in_order(drop_allowed(problems, texts))
    if any(d.severity == "error" and d.code != "P203" for d in diagnostics):
        return None, diagnostics
    uses = (*walk.found.uses, *(walk.found.unknown if unsure else ()))
    includes = tuple(sorted(walk.includes.items()))
    return TextTemplate(path, source.text[start:], uses, includes), diagnostics


def _prompt_parts(parsed: Parsed) -> list[Diagnostic]:
    """Front matter and blocks, which a prompt has and a template prints or loses."""
    source, found = parsed.source, list[Diagnostic]()
    if opening := _FRONT.match(source.text):
        at = opening[0].find("---")
        message = "a render template has no front matter: it would be printed"
        hint = "take it out; every column that reaches the template can be printed"
        found.append(Diagnostic("P212", message, source.span(at, at + 3), help=hint))
    for node in parsed.tree.find_all(nodes.Block):
        span = word_span(parsed, node.name, node.lineno + len("block"))
        message = "a render template has no blocks: all of the file is text"
        found.append(Diagnostic("P211", message, span, help="take the block's tags out"))
        break
    return found


def _undefined(use: Use, columns: Mapping[str, Type]) -> Diagnostic:
    close = nearest(use.name, tuple(columns))
    shown = [c for c in columns if not c.startswith("_")]
    return Diagnostic(
        "P201",
        f"template uses `{use.name}`, which is no column of its rows",
        use.span,
        f"columns: {', '.join(shown) or 'none'}",
        help=f"did you mean `{close}`?" if close else None,
        fix=(Edit(use.span, close),) if close else (),
    )


def _printed(d: Diagnostic) -> Diagnostic:
    """A diagnostic of single braces, in the words that are true of training text."""
    message = "single braces are printed literally in a Jinja template"
    return replace(d, message=message, label="every row would hold these characters")


def _constant(parsed: Parsed) -> Diagnostic:
    text = parsed.source.text
    at = min(skip_space(text, 0), max(0, len(text) - 1))
    line = text[at:].split("\n", 1)[0].rstrip()
    return Diagnostic(
        "P215",
        "the template prints no column: every row would be the same text",
        parsed.source.span(at, at + max(1, len(line))),
        help="print one: `{{ text }}`",
    )
