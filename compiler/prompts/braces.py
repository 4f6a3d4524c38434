"""Single braces, which a Jinja prompt sends to the model as they stand."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from itertools import islice, pairwise

from ..diagnostics import Diagnostic, Edit
from ..suggest import nearest
from ..types import Type
from .template import Parsed

_SINGLE = re.compile(
    r"(?<![{$#%\\])\{[ \t]*(?P<name>[A-Za-z_]\w*(?:\.\w+)*)"
    r"(?P<filters>[ \t]*\|[ \t]*[a-z][^{}\n]*)?[ \t]*\}",
    re.ASCII,
)
_FENCE = re.compile(r"^[ \t]*(```|~~~).*?(?:^[ \t]*\1|\Z)|`[^`\n]+`", re.DOTALL | re.M)
# `\frac{a}{b}`, `x^{n}`, `a_{i}`: braces of LaTeX.
_LATEX = re.compile(r"(?:\\[A-Za-z]+\*?(?:\[[^\]\n]*\])?(?:\{[^{}\n]*\})*|[\^_])\Z")


MOST = 20
"""Reported a file: whoever has more of them has understood by then."""


def single_braces(parsed: Parsed, inputs: Mapping[str, Type]) -> Iterator[Diagnostic]:
    """The first of a file's single braces."""
    tokens = [t.text for t in parsed.tokens if t.kind == "name"]
    loops = {name for tag, name in pairwise(tokens) if tag == "for"}
    return islice(_single_braces(parsed, {*inputs, *loops}), MOST)


def _single_braces(parsed: Parsed, inputs: Collection[str]) -> Iterator[Diagnostic]:
    """Report `{name}` outside code, LaTeX, JSON and raw blocks.

    Such a prompt is valid, gives plausible answers and never shows the model its row; shipped tasks
    of well-known tools had it for months (EleutherAI/lm-evaluation-harness#3930).
    """
    text = parsed.source.text
    code = [m.span() for m in _FENCE.finditer(text)]
    for start, end in _plain_text(parsed):
        for found in _SINGLE.finditer(text, start, end):
            at, name = found.start(), found["name"]
            if any(a <= at < b for a, b in code) or _LATEX.search(text, max(0, at - 60), at):
                continue
            declared = name in inputs
            if not declared and ("{" + name + "}" != found[0] or text[found.end() :][:1] == "}"):
                continue
            span = parsed.source.span(at, found.end())
            right = name if declared else nearest(name, inputs)
            filters = (found["filters"] or "").rstrip()
            shown = f"`{{{{ {right or name}{filters} }}}}`"
            yield Diagnostic(
                "P203",
                "single braces are printed literally in a Jinja prompt",
                span,
                "the model would see these characters",
                help=f"write {shown}, or add `{{# mashbill: allow P203 #}}` on this line",
                fix=(Edit(span, f"{{{{ {name}{filters} }}}}"),) if declared else (),
            )


def _plain_text(parsed: Parsed) -> Iterator[tuple[int, int]]:
    """Stretches of text that are sent as they stand, raw blocks left out."""
    raw = False
    for token in parsed.tokens:
        if token.kind in ("raw_begin", "raw_end"):
            raw = token.kind == "raw_begin"
        elif token.kind == "data" and not raw:
            yield token.at, token.end
