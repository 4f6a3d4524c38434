"""Edits made from the catalogue: each parameter of each operator and check, each key of a place.

The recipe is built of every operator and check that there is, and edited wherever their schemas
say that something can be written. A new parameter is edited without a line here; a new type of
parameter has no value here, and building the corpus fails until it gets one.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mashbill.compiler.bind import PERMISSIONS
from mashbill.compiler.registry import Catalog, Operator, Param
from mashbill.compiler.schema import CHUNK_SCHEMA, SAMPLING_SCHEMA, STEP_KEYS
from mashbill.compiler.world import Pins
from mashbill.runtime.catalog import load_catalog

from .edits import operator_changed

CATALOG = load_catalog()
Json = Any
Path = tuple[str | int, ...]

PROMPT = """\
---
inputs: { text: str }
examples: { file: prompts/shots.jsonl, k: 1 }
max_tokens: 400
---
{% block system %}Rewrite the text. {% include 'prompts/rules.j2' %}{% endblock %}
{% block user %}{{ text }}{% endblock %}
"""
SHOTS = """\
{"text": "Two and two is four.", "reply": "2 + 2 = 4."}
{"text": "One and one is two.", "reply": "1 + 1 = 2."}
"""
TWO = """\
---
inputs: { note: str, lang: str }
---
{% block user %}{{ note }} or {{ lang }}?{% endblock %}
"""
SUPPORTED = """\
---
inputs: { passage: str, sentence: str }
reply: { supported: tag }
---
{% block system %}Write <supported>yes</supported> or <supported>no</supported>.{% endblock %}
{% block user %}{{ passage }}: {{ sentence }}{% endblock %}
"""
OTHER = PROMPT.replace("Rewrite", "Rephrase")
FILES = {
    "docs.jsonl": "",
    "web.jsonl": "",
    "prompts/a.md.j2": PROMPT,
    "prompts/b.md.j2": OTHER,
    "prompts/rules.j2": "Keep all facts.",
    "prompts/shots.jsonl": SHOTS,
    "prompts/two.md.j2": TWO,
    "prompts/supported.md.j2": SUPPORTED,
    "prompts/out.j2": "Text: {{ text }}",
    "prompts/out2.j2": "So: {{ text }}",
}
PINS = Pins({"writer": "w1", "other": "o1"}, {"docs": "d1", "web": "e1"})


@dataclass(frozen=True)
class Generated:
    """An edit: the recipe and files after it, and the names whose fingerprints must change.

    Attributes:
        kind: Class of the edit, for the table.
        name: What was edited.
        text: The recipe.
        changed: Exactly the steps and sources that must run again.
        data: Whether the data set changes though no step does (mix, output).
    """

    kind: str
    name: str
    text: str
    changed: frozenset[str]
    files: Mapping[str, str] = field(default_factory=lambda: FILES)
    pins: Pins = PINS
    catalog: Catalog = CATALOG
    data: bool = False

    @property
    def semantic(self) -> bool:
        return bool(self.changed) or self.data


# -- the recipe


def values(schema: Mapping[str, Any]) -> list[Json]:
    """Values that a recipe can write for a parameter: no two of them mean the same."""
    form, kind = schema.get("format"), schema.get("type")
    by_format: dict[str, list[Json]] = {
        "share": [0.55, 0.65],
        "expression": ["words(text) > 3", "words(text) > 4"],
        "pattern": ["maren", "marlow"],
        "prompt": ["prompts/a.md.j2", "prompts/b.md.j2"],
        "model": ["writer", "other"],
        "column": ["note", "lang"],
        "tokens": ["60 tokens", "70 tokens"],
        "bytes": ["3MB", "2MB"],
        "duration": ["20s", "40s"],
        "size": ["100MB", "200MB"],
        "json_schema": [{"type": "string"}, {"type": "object"}],
        "columns": ["note", ["note", "lang"]],
        "until": [{"vote": "text"}, {"accepted": 2}],
        "template": ["prompts/out.j2", "prompts/out2.j2"],
    }
    if form == "expression" and "boolean" not in schema["type"]:
        return ["words(text)", "chars(text)"]
    if isinstance(form, str) and form in by_format:
        return by_format[form]
    if "enum" in schema:
        return list(schema["enum"])
    kinds = [kind] if isinstance(kind, str) else list(kind or ())
    if "boolean" in kinds:
        return [True, False]
    if "integer" in kinds:
        return [3, 4]
    if "number" in kinds:
        low, high = schema.get("minimum", 0), schema.get("maximum", 1)
        return [low + (high - low) * 0.4, low + (high - low) * 0.6]
    if "string" in kinds:
        return ["some words", "other words"]
    if "array" in kinds:
        return [[value] for value in values(schema["items"])]
    raise AssertionError(f"the edit corpus has no values for {schema}: give it two here")


def values_of(operator: Operator, param: Param) -> list[Json]:
    """The same for a parameter of an operator: models of the task that it wants, odd votes."""
    if param.name in operator.tasks:
        return RATERS[operator.tasks[param.name][0]]
    return [3, 5] if param.name == "votes" else values(param.schema)


def usual_columns(operator: Operator) -> dict[str, Json]:
    """Columns of the sources for those that an operator takes by itself and they lack."""
    kinds = {p.name: p.schema.get("format") for p in operator.params}
    wanted = {p.name: p.default for p in operator.params if kinds[p.name] in ("column", "columns")}
    lacking = {n: d for n, d in wanted.items() if d not in (None, "text", "source.text")}
    return {n: "source.text" if d == "input.text" else "note" for n, d in lacking.items()}


RATERS: dict[str, list[Json]] = {
    "reward": ["rater", "rater2"],
    "embed": ["near", "near2"],
    "nli": ["infers", "infers2"],
}
"""Models by their task."""


def check_step(operator: Operator) -> Json:
    """A step that verifies by one check, whatever a check needs."""
    needed = operator.needs[:1]
    params = {
        p.name: values_of(operator, p)[0] for p in operator.params if p.required or p.name in needed
    }
    checks = {"it": {"kind": operator.name, **usual_columns(operator), **params}}
    return {"op": "verify", "from": "docs", "checks": checks}


def step_of(operator: Operator) -> Json:
    """A step with what its operator requires."""
    made: dict[str, Json] = {"op": operator.name, "from": "docs", **usual_columns(operator)}
    if operator.stage == "gather":
        return {**made, "from": "draws", "vote": "text", "rows": 2, "candidates": 20}
    for param in operator.params:
        form = param.schema.get("format")
        if form == "ladder":
            made[param.name] = [{"retry": 2}, "route"] if operator.cost == "model" else "route"
        elif form == "checks":
            sourced = {} if operator.cost == "model" else {"source": "source.text"}
            made[param.name] = {"length": {"min": 0.25, **sourced}}
        elif form == "chunk":
            made[param.name] = {"by": "sentence", "max": "60 tokens"}
        elif param.required:
            made[param.name] = values_of(operator, param)[0]
    return made


def build() -> dict[str, Json]:
    """The recipe, with a step that reads each of the steps under test."""
    steps = {f"s_{o.name}": step_of(o) for o in CATALOG.steps.values()}
    draws = {"op": "cot", "from": "docs", "model": "writer", "prompt": "prompts/a.md.j2"}
    steps |= {f"c_{o.name}": check_step(o) for o in CATALOG.checks.values()}
    below: dict[str, Json] = {
        f"after_{name}": {"op": "filter", "from": name, "keep": "words(text) > 1"} for name in steps
    }
    below["drawn"] = {"op": "filter", "from": "docs", "keep": "hash01(_doc) < 0.5"}
    below["free"] = {"op": "filter", "from": "web", "set": {"style": "= choose(['a', 'b'])"}}
    below["counted"] = {"op": "filter", "from": "web", "keep": "tokens(text) > 5"}
    below["tuned"] = {
        "op": "filter",
        "from": "web",
        "keep": "words(text) > params.least",
        "set": {"style": "= params.style"},
    }
    share = 1 / len(below)
    return {
        "mashbill": 1,
        "name": "corpus",
        "about": "All there is.",
        "seed": 7,
        "params": {"least": 1, "style": "plain"},
        "tokenizer": "writer",
        "models": {
            "writer": "fake/rewrite",
            "other": {"use": "http/x", "url": "${URL}"},
            **{
                name: {"use": f"fake/{('words', 'echo')[n]}", "task": task}
                for task, names in RATERS.items()
                for n, name in enumerate(names)
            },
        },
        "sources": {
            name: {
                "path": f"{name}.jsonl",
                "columns": {"note": "note", "lang": "lang"},
                "license": "CC0-1.0",
                "origin": "human",
            }
            for name in ("docs", "web")
        },
        "steps": {"draws": draws, **steps, **below},
        "mix": {"total": "2M tokens", "parts": dict.fromkeys(below, share)},
        "output": {"path": "out/corpus"},
    }


BASE = build()


def show(recipe: Json) -> str:
    """JSON is YAML, and easily edited."""
    return json.dumps(recipe, indent=1, ensure_ascii=False)


def below(name: str, recipe: Json | None = None) -> frozenset[str]:
    """A step or source and all that reads it."""
    steps = (recipe or BASE)["steps"]
    found = {name}
    for step, body in steps.items():  # each comes after what it reads
        read = body["from"]
        if found & {r.partition(".")[0] for r in ([read] if isinstance(read, str) else read)}:
            found.add(step)
    return frozenset(found)


def changed(path: Path, value: Json) -> dict[str, Json]:
    """The recipe with a value at a path; None takes the key out."""
    recipe = copy.deepcopy(BASE)
    at: Any = recipe
    for part in path[:-1]:
        at = at.setdefault(part, {}) if isinstance(at, dict) else at[part]
    if value is None:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return recipe


def edit(kind: str, path: Path, value: Json, names: frozenset[str]) -> Generated:
    written = json.dumps(value, ensure_ascii=False)
    name = f"{'.'.join(map(str, path))} = {written[:50]}"
    return Generated(kind, name, show(changed(path, value)), names)


# -- edits that run steps again


def semantic() -> Iterator[Generated]:
    """Every field that enters identity, edited at least once."""
    for operator in CATALOG.steps.values():
        yield from step_edits(f"s_{operator.name}", operator)
    for operator in CATALOG.checks.values():
        yield from check_edits(f"c_{operator.name}", operator)
    yield from source_edits()
    yield from model_edits()
    yield from prompt_edits()
    yield from version_edits()
    yield edit("seed", ("seed",), 8, frozenset({"drawn", "free"}))
    yield edit("tokenizer", ("tokenizer",), "other", frozenset({"counted"}))
    for name, value in (("least", 2), ("style", "fine"), ("least", {"default": 2, "min": 1})):
        yield edit("param", ("params", name), value, frozenset({"tuned"}))
    late = {"sure": "= _accepted"}
    yield edit("set", ("steps", "s_rewrite", "set"), late, below("s_rewrite"))
    other = {"op": "clean", "from": "s_filter"}
    yield edit("operator", ("steps", "after_s_filter"), other, below("after_s_filter"))
    yield from data_edits()


def step_edits(name: str, operator: Operator) -> Iterator[Generated]:
    again = below(name)
    body = BASE["steps"][name]
    for param in operator.params:
        form, path = param.schema.get("format"), ("steps", name, param.name)
        if param.name in PERMISSIONS:
            continue
        if form == "sampling":
            yield from fields("sampling", path, SAMPLING_SCHEMA, again)
        elif form == "chunk":
            for key, inner in CHUNK_SCHEMA["properties"].items():
                for value in (v for v in values(inner) if v != body[param.name][key]):
                    yield edit("chunk", (*path, key), value, again)
        elif form == "checks":
            yield from checks_edits(path, body[param.name], again)
        elif form == "ladder":
            yield from ladder_edits(path, body[param.name], again)
        elif param.name in operator.later:
            continue
        else:
            now = body.get(param.name, param.default)
            for value in (v for v in values_of(operator, param) if v != now):
                yield edit("parameter", path, value, again)
    if operator.name == "verify":
        yield from audit_edits(name, again)
    place = ("steps", name)
    yield edit("set", (*place, "set"), {"made": "plain"}, again)
    yield edit("set", (*place, "set"), {"made": "= upper(text)"}, again)
    yield edit("set", (*place, "set"), {"other": 3}, again)
    yield edit("limit", (*place, "limit"), 9, again)
    if operator.stage != "gather":  # a source has nothing to choose from
        yield edit("input", (*place, "from"), "web", again)
        yield edit("input", (*place, "from"), ["docs", "web"], again)
    for key, schema in STEP_KEYS.items():
        if schema.get("format") == "expression":
            yield edit("when", (*place, key), "words(text) > 7", again)


def fields(
    kind: str, path: Path, schema: Mapping[str, Any], again: frozenset[str]
) -> Iterator[Generated]:
    """Each property of a map, alone."""
    for key, inner in schema["properties"].items():
        if key != "temperature":
            yield edit(kind, path, {key: values(inner)[0]}, again)
    yield edit(kind, path, {"temperature": 0.2}, again)


def checks_edits(path: Path, given: Json, again: frozenset[str]) -> Iterator[Generated]:
    name, body = next(iter(given.items()))
    yield edit("checks", path, {name: {**body, "min": 0.3}}, again)
    yield edit("checks", path, {"renamed": {**body, "kind": "length"}}, again)
    yield edit(
        "checks", path, {**given, "more": {"kind": "expr", "pass": "words(text) > 1"}}, again
    )


def audit_edits(name: str, again: frozenset[str]) -> Iterator[Generated]:
    """An audit has no ladder, and its sample goes with it."""
    for more in ({"mode": "audit"}, {"mode": "audit", "sample": "5%"}):
        recipe = copy.deepcopy(BASE)
        del recipe["steps"][name]["on_fail"]
        recipe["steps"][name] |= more
        yield Generated("parameter", f"{name} {more}", show(recipe), again)


def ladder_edits(path: Path, given: Json, again: frozenset[str]) -> Iterator[Generated]:
    repair: Json = {"prompt": "prompts/a.md.j2", "model": "other"}
    yield edit("ladder", path, [{"repair": repair}, "route"], again)
    yield edit("ladder", path, [{"repair": {**repair, "times": 2}}, "route"], again)
    yield edit("ladder", path, [{"repair": {**repair, "prompt": "prompts/b.md.j2"}}], again)
    if given == "route":
        yield edit("ladder", path, "reject", again)
        return
    yield edit("ladder", path, [{"repair": "prompts/a.md.j2"}, "route"], again)
    yield edit("ladder", path, [{"repair": {**repair, "for": ["length"]}}, "route"], again)
    yield edit("ladder", path, [{"retry": 3}, "route"], again)
    yield edit("ladder", path, [{"retry": 2}], again)
    yield edit("ladder", path, [{"retry": 2}, {"fallback": "input"}], again)
    yield edit("ladder", path, "route", again)
    yield edit("ladder", path, [{"retry": {"times": 2, "for": ["length"]}}, "route"], again)
    for key, inner in SAMPLING_SCHEMA["properties"].items():
        own = {key: values(inner)[0]}
        yield edit("ladder", path, [{"retry": {"times": 2, "sampling": own}}, "route"], again)


def check_edits(name: str, operator: Operator) -> Iterator[Generated]:
    again = below(name)
    given = BASE["steps"][name]["checks"]["it"]
    place = ("steps", name, "checks", "it")
    for param in operator.params:
        if param.name in TOGETHER.get(operator.name, ()):
            continue
        now = given.get(param.name, param.default)
        for value in (v for v in values_of(operator, param) if v != now):
            yield edit("check", (*place, param.name), value, again)
    for more in TOGETHERS.get(operator.name, ()):
        yield edit("check", place, {**given, **more}, again)


_NEAR = {"embedder": "near", "similarity": [0.5, 1]}
_SWAP = {"prompt": "prompts/two.md.j2", "swap": ["note", "lang"]}
TOGETHERS: Mapping[str, Sequence[Mapping[str, Json]]] = {
    "judge": (
        *({"sampling": {k: values(s)[0]}} for k, s in SAMPLING_SCHEMA["properties"].items()),
        _SWAP,
        {**_SWAP, "swap": ["lang", "note"]},
        {**_SWAP, "pass_swapped": "words(text) > 8"},
    ),
    "facts": (
        _NEAR,
        {**_NEAR, "embedder": "near2"},
        {**_NEAR, "similarity": [0.6, 1]},
        {"nli": "infers"},
        {"nli": "infers2"},
        {"judge": "other"},
        {"judge": "other", "key_points": 0.5},
        {"judge": "other", "judge_prompt": "prompts/supported.md.j2"},
    ),
}
"""Parameters of checks that cannot be given alone."""
TOGETHER = {
    "judge": {"sampling", "swap", "pass_swapped"},
    "facts": {"embedder", "similarity", "nli", "judge", "judge_prompt", "key_points"},
}


def source_edits() -> Iterator[Generated]:
    again = below("web")
    for key, value in {
        "text": "body",
        "columns": {"note": "remark", "lang": "lang"},
        "key": "url",
        "limit": 9,
    }.items():
        yield edit("source", ("sources", "web", key), value, again)
    yield edit("source", ("sources", "web", "columns"), {"note": "note"}, again)
    pins = Pins(PINS.models, {**PINS.sources, "web": "e2"})
    yield Generated("source", "data of web", show(BASE), again, pins=pins)
    recipe = changed(("sources", "web", "origin"), "synthetic")
    yield Generated("source", "origin of web", show(recipe), again)


def asking(model: str, recipe: Json = BASE) -> frozenset[str]:
    """Steps that ask a model, and what reads them."""
    found: frozenset[str] = frozenset()
    for name, body in recipe["steps"].items():
        asked = (c.get("model") for c in body.get("checks", {}).values())
        if model in (body.get("model"), *asked):
            found |= below(name)
    return found


def model_edits() -> Iterator[Generated]:
    again = asking("writer")
    pins = Pins({**PINS.models, "writer": "w2"}, PINS.sources)
    # Weights come with their tokenizer, by which a step counts.
    yield Generated("model", "weights of writer", show(BASE), again | {"counted"}, pins=pins)
    for key, inner in SAMPLING_SCHEMA["properties"].items():
        value = 0.2 if key == "temperature" else values(inner)[0]
        # What the prompt says of the longest reply goes before what the model says.
        names = frozenset() if key == "max_tokens" else again
        long = {"use": "fake/rewrite", "sampling": {key: value}}
        yield edit("model", ("models", "writer"), long, names)


def prompt_edits() -> Iterator[Generated]:
    again = asking("writer")
    edits = {
        "a word of the system block": ("Rewrite", "Redo"),
        "a word of the user block": ("{{ text }}{% endb", "Text: {{ text }}{% endb"),
        "a filter": ("{{ text }}", "{{ text | upper }}"),
        "examples a row": ("k: 1", "k: 2"),
        "no examples": ("examples: { file: prompts/shots.jsonl, k: 1 }\n", ""),
        "the longest reply": ("max_tokens: 400", "max_tokens: 300"),
        "white space inside a line": ("Rewrite the", "Rewrite  the"),
        "a new assistant block": (
            "{% block user %}",
            "{% block assistant %}So:{% endblock %}\n{% block user %}",
        ),
    }
    for name, (old, new) in edits.items():
        assert old in PROMPT, old
        yield prompt_edit("prompt", name, PROMPT.replace(old, new, 1), again)
    files = {
        "an included file": ("prompts/rules.j2", "Keep every fact."),
        "an example": ("prompts/shots.jsonl", SHOTS.replace("2 + 2 = 4", "2 + 2 is 4")),
        "an example's input": ("prompts/shots.jsonl", SHOTS.replace("One and", "One with")),
        "one example fewer": ("prompts/shots.jsonl", SHOTS.partition("\n")[0] + "\n"),
        "order of examples": ("prompts/shots.jsonl", "".join(reversed(SHOTS.splitlines(True)))),
    }
    for name, (path, text) in files.items():
        yield Generated("prompt", name, show(BASE), again, {**FILES, path: text})


def prompt_edit(kind: str, name: str, text: str, names: frozenset[str]) -> Generated:
    return Generated(kind, name, show(BASE), names, {**FILES, "prompts/a.md.j2": text})


def version_edits() -> Iterator[Generated]:
    for operator in CATALOG.steps.values():
        names: frozenset[str] = frozenset()
        for name, body in BASE["steps"].items():
            if body["op"] == operator.name:
                names |= below(name)
        newer = operator_changed(operator.name, version=operator.version + 1)
        package = operator_changed(operator.name, packages=(*operator.packages, "numpy"))
        yield Generated("version", operator.name, show(BASE), names, catalog=newer)
        yield Generated("package", operator.name, show(BASE), names, catalog=package)
    for operator in CATALOG.checks.values():
        names = frozenset()
        for name, body in BASE["steps"].items():
            kinds = {c.get("kind", key) for key, c in body.get("checks", {}).items()}
            names |= below(name) if operator.name in kinds else frozenset()
        newer = operator_changed(operator.name, version=operator.version + 1)
        package = operator_changed(operator.name, packages=(*operator.packages, "numpy"))
        yield Generated("version", operator.name, show(BASE), names, catalog=newer)
        yield Generated("package", operator.name, show(BASE), names, catalog=package)


def data_edits() -> Iterator[Generated]:
    """What makes another data set of the same rows."""
    first, second, *_ = BASE["mix"]["parts"]
    share = BASE["mix"]["parts"][first]
    parts = {**BASE["mix"]["parts"], first: share / 2, second: share * 1.5}
    for path, value in {
        ("mix", "total"): "3M tokens",
        ("mix", "parts"): parts,
        ("mix", "parts", first): {"weight": share, "max_epochs": 2},
        ("mix", "min_human"): 0.01,
        ("mix", "on_shortfall"): "shrink",
        ("output", "format"): "jsonl",
        ("output", "shard"): "1MB",
        ("output", "columns"): ["text"],
        ("mix", "max_source"): {"docs": 0.95},
        ("split",): {"train": 0.9, "validation": 0.1},
    }.items():
        made = show(changed(path, value))
        yield Generated("data set", ".".join(path), made, frozenset(), data=True)


# -- edits that run nothing again


def cosmetic() -> Iterator[Generated]:
    """What a person changes in a recipe without meaning anything by it."""
    text = show(BASE)
    nothing = frozenset[str]()

    def same(kind: str, name: str, made: str, files: Mapping[str, str] = FILES) -> Generated:
        return Generated(kind, name, made, nothing, files)

    lines = text.split("\n")
    for number in range(0, len(lines), 12):
        made = [*lines[: number + 1], "# a comment", *lines[number + 1 :]]
        yield same("comment", f"after line {number + 1}", "\n".join(made))
    yield same("comment", "at the end of every line", "\n".join(f"{at}  # why" for at in lines))
    yield same("layout", "line ends of Windows", text.replace("\n", "\r\n"))
    yield same("layout", "blank lines", text.replace("\n", "\n\n"))
    yield same("layout", "one line", json.dumps(BASE, ensure_ascii=False))
    yield same("layout", "deep indentation", json.dumps(BASE, indent=7, ensure_ascii=False))
    yield same("layout", "block style", block(BASE))
    yield same("layout", "block style, quoted", block(BASE, "'"))
    yield same("layout", "no line break at the end", text.rstrip("\n"))
    for path in maps(BASE):
        recipe = copy.deepcopy(BASE)
        at: Any = recipe
        for part in path:
            at = at[part]
        items = list(reversed(list(at.items())))
        at.clear()
        at.update(items)
        if len(items) > 1:
            yield same("key order", ".".join(map(str, path)) or "all", show(recipe))
    for path, value in written_out():
        yield edit("default", path, value, nothing)
    for path, value in {
        ("params", "least"): {"default": 1, "min": 0, "max": 9, "about": "Words at least."},
        ("params", "style"): {"default": "plain", "one_of": ["plain", "fine"]},
        ("about",): "Something else.",
        ("version",): "1.2.0",
        ("license",): "CC0-1.0",
        ("name",): "renamed",
        ("output", "path"): "out/elsewhere",
        ("profiles",): {"small": {"sources.web.limit": 3}},
        ("models", "third"): "fake/echo",
        ("models", "other", "url"): "${ELSEWHERE}",
        ("models", "other", "key"): "${SECRET}",
        ("models", "writer"): {"use": "fake/rewrite"},
        ("models", "other", "use"): "http/y",
        ("sources", "web", "license"): "MIT",
        ("sources", "web", "acknowledge"): ["G702"],
        ("mix", "total"): "2000k tokens",
        ("output", "shard"): "256MB",
        ("output", "format"): "parquet",
    }.items():
        yield edit("outside identity", path, value, nothing)
    spoken = text.replace("words(text) > params.least", "words(text) > 1")
    unused = spoken.replace('  "least": 1,\n', "")
    assert unused not in (text, spoken)
    yield same("outside identity", "a param's value in its place", unused)
    renamed = text.replace('"least"', '"fewest"').replace("params.least", "params.fewest")
    yield same("outside identity", "a param's name", renamed)
    for model, use in (("writer", "fake/rewrite"), ("other", "http/x")):
        engine = use.partition("/")[0]
        for setting in CATALOG.engines[engine]:
            value = {"concurrency": 9, "slots": 9}.get(setting, "9ms")
            long = {"use": use, "placement": {setting: value}}
            if engine == "http":
                long["url"] = "${URL}"
            if setting not in ("tokenizer", "fault_rate", "journal"):
                yield edit("placement", ("models", model), long, nothing)
    yield from cosmetic_units()
    yield from cosmetic_prompts()


def cosmetic_units() -> Iterator[Generated]:
    """`0.55` and `55%`, `60 tokens` and `60`: each against itself in the other spelling."""
    first = next(iter(BASE["mix"]["parts"]))
    share = BASE["mix"]["parts"][first]
    part = ("mix", "parts", first)
    yield edit("units", part, f"{share * 100!r}%", frozenset())
    yield edit("units", part, {"weight": share}, frozenset())
    yield edit("units", ("steps", "s_rewrite", "chunk", "max"), "0.06k tokens", frozenset())
    for operator in CATALOG.steps.values():
        for param in operator.params:
            if param.schema.get("format") == "share" and param.default is not None:
                path = ("steps", f"s_{operator.name}", param.name)
                yield edit("units", path, f"{param.default * 100:g}%", frozenset())
    for operator in CATALOG.checks.values():
        for param in operator.params:
            if param.schema.get("format") == "share" and param.default is not None:
                path = ("steps", f"c_{operator.name}", "checks", "it", param.name)
                yield edit("units", path, f"{param.default * 100:g}%", frozenset())


def cosmetic_prompts() -> Iterator[Generated]:
    head, front, body = PROMPT.split("---\n")
    system, user = body.splitlines(keepends=True)
    reversed_front = "".join(reversed(front.splitlines(keepends=True)))
    edits = {
        "a comment before a block": PROMPT.replace("{% block u", "{# why #}\n{% block u"),
        "a comment inside a block": PROMPT.replace("{{ text }}", "{# why #}{{ text }}"),
        "a comment in the front matter": PROMPT.replace("inputs:", "# why\ninputs:"),
        "line ends of Windows": PROMPT.replace("\n", "\r\n"),
        "blank lines around blocks": PROMPT.replace("{% block", "\n\n{% block"),
        "blank lines at the edges of a block": PROMPT.replace("%}{{", "%}\n\n{{"),
        "spaces in tags": PROMPT.replace("{{ text }}", "{{text}}"),
        "more spaces in tags": PROMPT.replace("{% endblock %}", "{%   endblock   %}"),
        "order of the front matter": "---\n".join([head, reversed_front, body]),
        "order of blocks": "---\n".join([head, front, user + system]),
        "flow to block in the front matter": PROMPT.replace(
            "inputs: { text: str }", "inputs:\n  text: str"
        ),
        "quotes in the front matter": PROMPT.replace("text: str", '"text": "str"'),
        "quotes of an include": PROMPT.replace("'prompts/rules.j2'", '"prompts/rules.j2"'),
        "no line break at the end": PROMPT.rstrip("\n"),
    }
    for name, text in edits.items():
        assert text != PROMPT, name
        yield prompt_edit("prompt layout", name, text, frozenset())
    moved = {**FILES, "prompts/x/a.md.j2": PROMPT}
    recipe = show(BASE).replace("prompts/a.md.j2", "prompts/x/a.md.j2")
    yield Generated("prompt layout", "a moved prompt", recipe, frozenset(), moved)


def written_out() -> Iterator[tuple[Path, Json]]:
    """Each default, written where it holds anyway."""
    for operator in CATALOG.steps.values():
        for param in operator.params:
            lacking = param.name in usual_columns(operator)  # a default that these sources lack
            if param.default is not None and not param.required and not lacking:
                yield ("steps", f"s_{operator.name}", param.name), written(param)
            if param.name in PERMISSIONS:
                yield ("steps", f"s_{operator.name}", param.name), not param.default
    for operator in CATALOG.checks.values():
        given = BASE["steps"][f"c_{operator.name}"]["checks"]["it"]
        for param in operator.params:
            if param.default is not None and param.name not in given:
                yield ("steps", f"c_{operator.name}", "checks", "it", param.name), written(param)


def written(param: Param) -> Json:
    """A parameter's default as a recipe writes it."""
    units = {"duration": "s", "bytes": "B"}
    unit = units.get(str(param.schema.get("format")))
    return param.default if unit is None else f"{int(param.default)}{unit}"


def maps(value: Json, path: Path = ()) -> Iterator[Path]:
    """Paths of all maps."""
    if isinstance(value, dict):
        yield path
        for key, inner in value.items():
            yield from maps(inner, (*path, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from maps(inner, (*path, number))


def block(value: Json, quote: str = "", depth: int = 0) -> str:
    """YAML in block style; strings between single quotes if asked for."""
    lines = []
    for key, inner in value.items():
        lead = "  " * depth + key + ":"
        if isinstance(inner, dict):
            lines += [lead, block(inner, quote, depth + 1)]
        elif isinstance(inner, str) and quote:
            lines.append(f"{lead} '" + inner.replace("'", "''") + "'")
        else:
            lines.append(f"{lead} {json.dumps(inner, ensure_ascii=False)}")
    return "\n".join(lines)


SEMANTIC: Sequence[Generated] = tuple(semantic())
COSMETIC: Sequence[Generated] = tuple(cosmetic())
