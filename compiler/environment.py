"""Variables of the environment: read in addresses and secrets, and nowhere else.

What decides a result must stand in the recipe, so that it reproduces; so `${NAME}` anywhere else is
no variable but a text that would be taken as it is written, in silence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from .diagnostics import Diagnostic, Span
from .nodes import Map, Path, Scalar, walk
from .registry import Catalog
from .schema import MODEL, TOP

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_READ = ("url", "key")
_CODE = ("expression", "pattern")


def misplaced_variables(document: Map, catalog: Catalog) -> Iterator[Diagnostic]:
    """L602 for every `${NAME}` that nothing would read."""
    formats = {
        p.name: p.schema.get("format", "")
        for o in (*catalog.steps.values(), *catalog.checks.values())
        for p in o.params
    }
    for path, node in walk(document):
        if not isinstance(node, Scalar) or not isinstance(node.value, str) or node.faulty:
            continue
        found = _VARIABLE.search(node.value)
        if found is None or _is_read(path) or formats.get(str(path[-1])) in _CODE:
            continue
        if not _has_place(path):  # the key is wrong, which has been said
            continue
        name = found[1]
        span: Span = node.within(*found.span())
        yield Diagnostic(
            "L602",
            f"`${{{name}}}` is read in `url` and `key` of a model only; here it is plain text",
            span,
            help=f"make it a parameter: `params: {{ {name.lower()}: … }}`, set with "
            f"--set params.{name.lower()}=…",
        )


def _has_place(path: Path) -> bool:
    """Whether the format has the region that a value stands in, and a model the key."""
    words = [str(p) for p in path]
    if words[0] not in TOP["properties"]:
        return False
    return words[0] != "models" or len(words) != 3 or words[2] in MODEL["properties"]


def _is_read(path: Path) -> bool:
    """Whether a place is one of a model's that takes a variable."""
    words = [str(p) for p in path]
    if words[:1] == ["profiles"] and len(words) > 2:
        words = [w for part in words[2:] for w in part.split(".")]
    return len(words) == 3 and words[0] == "models" and words[-1] in _READ
