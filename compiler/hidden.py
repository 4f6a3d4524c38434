"""What is missed by others: regions that are mistyped or indented too far, names that are used.

What leans on such a region is not reported: the region itself is what has to be mended.
"""

from __future__ import annotations

import re

from .nodes import Map, Scalar, walk
from .schema import TOP
from .suggest import nearest


def hidden_regions(document: Map) -> frozenset[str]:
    """Keys of the top level that are absent there, and stand under another name or place."""
    known = TOP["properties"]
    strange = [name for name in document.names if name not in known]
    missing = [name for name in ("params", "models", "sources", "steps", "mix", "tokenizer")
               if name not in document]  # fmt: skip
    if not missing:
        return frozenset()
    meant = {nearest(name, missing) for name in strange}
    inner = {name for _, v in document.entries if isinstance(v, Map) for name in v.names}
    return frozenset(name for name in missing if name in meant or name in inner)


_PARAMETER = re.compile(r"\bparams\.\w+")


def used_names(document: Map) -> frozenset[str]:
    """Models, steps, sources and parameters that a recipe uses, as `models.writer`."""
    found: set[str] = set()
    for path, node in walk(document):
        value = node.value if isinstance(node, Scalar) else None
        if path[:1] == ("profiles",) or not isinstance(value, str):
            continue
        found.update(_PARAMETER.findall(value))
        match path:
            case (
                ("tokenizer",)
                | ("steps", _, "model")
                | ("steps", _, "checks", _, "model")
                | ("steps", _, "on_fail", *_, "model")
            ):
                found.add(f"models.{value}")
            case ("steps", _, "from") | ("steps", _, "from", _):
                name = value.partition(".")[0]
                found |= {f"steps.{name}", f"sources.{name}"}
    mix = document.get("mix")
    parts = mix.get("parts") if isinstance(mix, Map) else None
    for part in parts.names if isinstance(parts, Map) else ():
        name = part.partition(".")[0]
        found |= {f"steps.{name}", f"sources.{name}"}
    return frozenset(found)
