"""`fake/judge`: replies of the shape that a prompt asks for, with marks that the key decides.

Where the request brings a JSON Schema, the reply meets it; else each tag that the prompt shows on
one line (`<score>…</score>`) is written, or three points of a list where it shows none. A field
named after a mark gets 1 to 5, after a verdict `yes` or `no`, `label` `supported` or `omitted`, any
other a few words.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Mapping
from typing import Any

from . import _fake_text as fake_text

_TAG = re.compile(r"<([a-z][a-z0-9_]*)>[^<\n]*</\1>")
_MARK = re.compile(r"score|mark|grade|rating|points|confidence")
_VERDICT = re.compile(r"verdict|pass|ok|supported|faithful|answer")


def judgement(key: bytes, said: str, schema: str | None) -> str:
    """A reply to what was `said`, of the shape that it asks for."""
    random_ = random.Random(key)
    if schema is not None:
        return json.dumps(_instance(json.loads(schema), random_, ""))
    tags = dict.fromkeys(_TAG.findall(said))
    if not tags:
        return "\n".join(f"- {_word('', random_)}" for _ in range(3))
    return "\n".join(f"<{tag}>{_word(tag, random_)}</{tag}>" for tag in tags)


def _word(name: str, random_: random.Random) -> str:
    if _MARK.search(name):
        return str(random_.randint(1, 5))
    if _VERDICT.search(name):
        return random_.choice(("yes", "no"))
    if name == "label":
        return random_.choice(("supported", "supported", "supported", "omitted"))
    return " ".join(fake_text.babble(random_.randbytes(4)).split()[:6])


def _instance(schema: Mapping[str, Any], random_: random.Random, name: str) -> Any:
    """Something that meets a schema, as far as types, enums and bounds go."""
    if "enum" in schema:
        return random_.choice(schema["enum"])
    if "const" in schema:
        return schema["const"]
    kind = schema.get("type", "string")
    match kind[0] if isinstance(kind, list) else kind:
        case "object":
            inner: Mapping[str, Any] = schema.get("properties", {})
            return {n: _instance(s, random_, n) for n, s in inner.items()}
        case "array":
            few = max(1, schema.get("minItems", 1))
            return [_instance(schema.get("items", {}), random_, name) for _ in range(few)]
        case "integer" | "number":
            low = int(schema.get("minimum", 1))
            return random_.randint(low, int(schema.get("maximum", max(5, low))))
        case "boolean":
            return random_.random() < 0.5
        case "null":
            return None
        case _:
            return _word(name, random_)
