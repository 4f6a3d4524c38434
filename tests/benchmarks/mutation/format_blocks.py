"""The recipes of the format's description, with what later versions bring taken out.

`format.md` shows the whole of the format. What this version does not execute is removed by the
rules of `_prune`, in this order, until nothing is left to remove:

1. whole regions of later versions (`hardware`, `budget`), keys of models, sources, parts and output
   that are not known yet (`revision`, `thinking`, `price`, `extract`, `render`, `provenance`, …);
2. sources with a `role:` or no origin;
3. steps of an operator that is not there yet, and `verify` steps none of whose checks are there:
   what read them reads what they read, and their part of the mix goes to that step;
4. parameters that an operator does not have, checks that are not there, repairs;
5. `hf://…` and `*.warc.gz` become JSONL files, `vllm/…` a model of `local`, or of `fake` if it
   rates, the hub's tokenizer that of a model of the recipe.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from mashbill.compiler.document import List, Map, Node, Scalar, find
from mashbill.compiler.registry import Catalog
from mashbill.runtime.catalog import load_catalog

from .mutant import RECIPE, Base, entry_range, parsed

FORMAT = Path("/work/shared/design/format.md")
_BLOCK = re.compile(r"^```(yaml|text)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_LATER = {
    (): ("hardware", "budget"),
    ("models", "*"): ("revision", "thinking", "price", "placement"),
    ("sources", "*"): ("extract", "chunk"),
    ("mix", "parts", "*"): ("render",),
    ("output",): ("provenance",),
    ("profiles",): ("h200",),
}
_PROMPTS = {
    "prompts/cot_math.md.j2": """\
---
inputs: { text: str }
reply: { reasoning: text, answer: boxed }
---
{% block system %}Solve the problem. Put the answer into a box: \\boxed{…}.{% endblock %}
{% block user %}{{ text }}{% endblock %}
""",
    "prompts/tests.md.j2": """\
---
inputs: { text: str }
reply: { tests: fence python }
---
{% block system %}Write tests for the task, in a code block of Python.{% endblock %}
{% block user %}{{ text }}{% endblock %}
""",
    "prompts/cot_code.md.j2": """\
---
inputs: { text: str, tests: str }
reply: { plan: section, code: fence python }
---
{% block system %}Write a plan under the heading `# Plan`, then the code in a Python block.
{% endblock %}
{% block user %}
<task>
{{ text }}
</task>
<tests>
{{ tests }}
</tests>
{% endblock %}
""",
    "prompts/judge.md.j2": """\
---
inputs: { text: str, input.text: str }
reply: { json: schemas/score.json }
---
{% block system %}Rate from 1 to 5 how well the rewrite keeps to its source, as JSON: `score`.
{% endblock %}
{% block user %}
<source>
{{ input.text }}
</source>
<rewrite>
{{ text }}
</rewrite>
{% endblock %}
""",
    "prompts/corner.md.j2": """\
---
inputs: { text: str }
---
{% block system %}Describe a rare case for the persona.{% endblock %}
{% block user %}{{ text }}{% endblock %}
""",
}

_SCORE = '{"type": "object", "properties": {"score": {"type": "integer"}}, "required": ["score"]}'


def format_bases() -> Iterator[Base]:
    """Each recipe among the blocks, with the prompt of section 3 for all."""
    if not FORMAT.exists():
        return
    blocks = _BLOCK.findall(FORMAT.read_text("utf-8"))
    book = next(text for kind, text in blocks if kind == "text")
    plain = book.replace(", audience: str", "").replace(", audience: pupil", "")
    plain = plain.replace("for a {{ audience }}", "")
    for kind, text in blocks:
        if kind == "yaml" and text.startswith(("mashbill:", "#")):
            first = "audience" not in text
            prompts = {**_PROMPTS, "prompts/book.md.j2": plain if first else book}
            pruned = _prune(text, load_catalog())
            used = {f: t for f, t in prompts.items() if f in pruned}
            if "prompts/judge.md.j2" in used:
                used["schemas/score.json"] = _SCORE
            name = re.search(r"^name: (\w+)", pruned, re.MULTILINE)
            yield Base(f"format.md/{name[1] if name else '?'}", {RECIPE: pruned, **used})


def _prune(text: str, catalog: Catalog) -> str:
    text = re.sub(r"hf://\S+?(?=,)", "data/fineweb/*.jsonl", text)
    text = re.sub(
        r"use: vllm/\S+(?=, task:)", "use: fake/rater", text.replace("*.warc.gz", "*.jsonl")
    )
    text = text.replace("use: vllm/", "use: local/")
    text = text.replace("tokenizer: Qwen/Qwen3-8B", "tokenizer: writer")
    while (shorter := _shorter(text, catalog)) is not None:
        text = shorter
    return text


def _shorter(text: str, catalog: Catalog) -> str | None:
    """The text with one thing less; None if nothing is left to take out."""
    root = parsed(text, RECIPE)
    for path, names in _LATER.items():
        for place in _places(root, path):
            for number, (key, _) in enumerate(place.entries):
                if key.value in names:
                    return _without(text, place, number)
    for place in _places(root, ("sources",)):
        for number, (_, body) in enumerate(place.entries):
            if isinstance(body, Map) and "role" in body:
                return _without(text, place, number)
    steps = root.get("steps")
    assert isinstance(steps, Map)
    for number, (key, step) in enumerate(steps.entries):
        assert isinstance(step, Map)
        op = getattr(step.get("op"), "value", "")
        checks = step.get("checks")
        empty = op == "verify" and not (isinstance(checks, Map) and checks.entries)
        if op not in catalog.steps or empty:
            return _bypassed(_without(text, steps, number), str(key.value), step.get("from"))
        known = {p.name for p in catalog.steps[str(op)].params}
        for at, (name, _) in enumerate(step.entries):
            if name.value not in known | {"op", "from", "set", "when", "limit"}:
                return _without(text, step, at)
        for at, (name, check) in enumerate(checks.entries if isinstance(checks, Map) else ()):
            kind = check.get("kind") if isinstance(check, Map) else None
            if str(getattr(kind, "value", name.value)) not in catalog.checks:
                assert isinstance(checks, Map)
                return _without(text, checks, at)
        for rung in _items(step.get("on_fail")):
            if isinstance(rung, Map) and "repair" in rung:
                first = text.rfind("\n", 0, rung.span.start) + 1
                last = text.index("\n", rung.span.start) + 1
                return text[:first] + text[last:]
    return None


def _places(root: Map, path: tuple[str, ...]) -> Iterator[Map]:
    if "*" in path:
        at = path.index("*")
        found = find(root, path[:at])
        for _, inner in found.entries if isinstance(found, Map) else ():
            if isinstance(inner, Map):
                yield from _places(inner, path[at + 1 :])
    elif isinstance(found := find(root, path), Map):
        yield found


def _items(node: Node | None) -> tuple[Node, ...]:
    return node.items if isinstance(node, List) else ()


def _without(text: str, node: Map, number: int) -> str:
    start, end = entry_range(text, node, number)
    return text[:start] + text[end:]


def _bypassed(text: str, name: str, read: Node | None) -> str:
    """What read a step that is gone reads what that one read."""
    first: Node | None = read
    if isinstance(read, Map):
        first = read.entries[0][1]
    elif isinstance(read, List):
        first = read.items[0]
    assert isinstance(first, Scalar)
    text = re.sub(rf"(from: \[?){name}\b", rf"\g<1>{first.value}", text)
    return re.sub(rf"(?m)^(    ){name}:", rf"\g<1>{first.value}:", text)
