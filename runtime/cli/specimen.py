"""The smallest recipe that uses an operator, made from its signature and its cases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from ...compiler.params import Checks
from ...compiler.raters import rates
from ...compiler.registry import (
    Column,
    Count,
    Duration,
    Expression,
    Model,
    Operator,
    Param,
    Pattern,
    Prompt,
    Share,
    Size,
)

WIDEST = 76
"""Characters of a step that is written on one line."""

PROMPT = "prompts/say.md.j2"
_PROMPT_TEXT = """\
---
inputs: { text: str }
---
{% block user %}Say it in plain words:

<text>
{{ text }}
</text>{% endblock %}
"""
WRITER = "writer"
_VALUES: dict[Any, Any] = {
    str: "text",
    int: 1,
    float: 1.0,
    bool: True,
    Column: "text",
    Expression: "words(text) >= 20",
    Pattern: "[0-9]",
    Share: 0.5,
    Duration: "10s",
    Size: "64MB",
    Count: 2,
    Prompt: PROMPT,
    Model: WRITER,
    Checks: {"short": {"kind": "expr", "pass": "words(text) <= 200"}},
}
"""What stands for a parameter that must be given and that no case gives."""


_DRAWS = {"op": "cot", "from": "docs", "model": WRITER, "prompt": PROMPT}
"""What a step that chooses among draws is given."""


@dataclass(frozen=True, slots=True)
class Specimen:
    """A whole recipe, and the prompts beside it, by path."""

    recipe: str
    files: Mapping[str, str]


def excerpt(operator: Operator) -> str:
    """The step that uses the operator, as it stands in a recipe."""
    step = _step(operator)
    above = f"  draws: {flow(_DRAWS)}\n" if step["from"] == "draws" else ""
    return f"steps:\n{above}" + "\n".join(_lines("example", step, "  "))


def _lines(key: str, value: Any, indent: str) -> Iterator[str]:
    """A key and its value, on one line if it is short enough."""
    line = f"{indent}{key}: {flow(value)}"
    if len(line) <= WIDEST or not isinstance(value, Mapping):
        yield line
        return
    yield f"{indent}{key}:"
    for name, inner in value.items():
        yield from _lines(name, inner, indent + "  ")


def specimen(operator: Operator) -> Specimen:
    """A recipe around that step, ready to be checked."""
    case = next(iter(operator.cases), None)
    taken = {p.default for p in operator.params if p.type is Column and p.default is not None}
    columns = sorted({*taken, *(case.row if case else ())} - {"text", "input.text", "source.text"})
    source: dict[str, Any] = {"path": "docs.jsonl", "license": "CC0-1.0", "origin": "human"}
    if columns:
        source["columns"] = {column: column for column in columns}
    step = _step(operator)
    lines = ["mashbill: 1", f"name: {operator.name}_example"]
    writes = step.get("model") == WRITER or step["from"] == "draws"
    models = [f"  {WRITER}: local/smollm2-135m"] if writes else []
    models += [f"  {name}: {flow(model)}" for name, model in _asked(operator).items()]
    if models:
        lines += ["models:", *models]
    lines += ["sources:", f"  docs: {flow(source)}", excerpt(operator)]
    files = {PROMPT: _PROMPT_TEXT} if writes else {}
    return Specimen("\n".join(lines) + "\n", {**files, **(case.files if case else {})})


def _asked(operator: Operator) -> dict[str, Any]:
    """The models that its parameters name, but for the one that writes."""
    found: dict[str, Any] = {}
    params = _params(operator)
    for param in operator.params:
        name = params.get(param.name)
        if Model in (param.type, *get_args(param.type)) and name not in (None, WRITER):
            task = operator.tasks.get(param.name, ("generate",))[0]
            model = {"use": f"http/some-{name}", "url": "http://localhost:8000"}
            found[str(name)] = model if task == "generate" else {**model, "task": task}
    return found


def _step(operator: Operator) -> dict[str, Any]:
    if operator.stage == "gather" or rates(operator):
        return {"op": operator.name, "from": "draws", **_params(operator)}
    if operator.kind == "step":
        return {"op": operator.name, "from": "docs", **_params(operator)}
    checks = {"checks": {operator.name: _params(operator)}}
    if any(param.default == "input.text" for param in operator.params):
        # What a check compares with is there once a model has replaced the text.
        return {"op": "rewrite", "from": "docs", "model": WRITER, "prompt": PROMPT, **checks}
    return {"op": "verify", "from": "docs", **checks}


def _params(operator: Operator) -> dict[str, Any]:
    """The parameters of the first case, and what must be given besides."""
    given = dict(operator.cases[0].params) if operator.cases else {}
    needed = {p.name: _value(p) for p in operator.params if p.required and p.name not in given}
    if rates(operator):
        needed["model"] = "rater"
    return {**needed, **given}


def _value(param: Param) -> Any:
    if param.type in _VALUES:
        return _VALUES[param.type]
    if get_origin(param.type) is Literal:
        return get_args(param.type)[0]
    return {}


def flow(value: Any) -> str:
    """A value as YAML on one line, with blanks inside the braces.

    >>> flow({"op": "filter", "keep": "a > 1", "for": ["x"]})
    '{ op: filter, keep: a > 1, for: [x] }'
    """
    import yaml

    if isinstance(value, Mapping):
        inside = ", ".join(f"{flow(k)}: {flow(v)}" for k, v in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(flow(item) for item in value)}]"
    shown: str = yaml.safe_dump([value], default_flow_style=True, width=10**6, allow_unicode=True)
    return shown.strip()[1:-1]
