"""Two meanings compared: which steps run again, and what of them changed, in the recipe's words.

`plan`, `run`, `why` and `diff` all decide with `compare`: a step runs again if and only if its
fingerprint is another one; everything else here only finds out why.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from .identity import differences
from .meaning import Meaning, StepMeaning

Symbol = Literal["=", "+", "~", "↻", "-"]
"""Unchanged, new, changed itself, fed by a change, dropped."""

Kind = Literal["field", "prompt", "model", "data", "package", "operator", "inputs"]


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that decides a step's rows and differs.

    Attributes:
        kind: What sort of thing.
        field: Where, as a dotted path of the recipe's words; blocks of a prompt by their names.
        old: What stood there; None for nothing.
        new: What stands there.
    """

    kind: Kind
    field: str
    old: Any = None
    new: Any = None


@dataclass(frozen=True, slots=True)
class StepChange:
    """What became of a step.

    Attributes:
        name: Its name.
        symbol: In one character.
        changes: What differs in its own definition and in what it is told to read.
        upstream: Steps that it reads whose rows change.
        was: Its name before, if that is all that changed.
    """

    name: str
    symbol: Symbol
    changes: tuple[Change, ...] = ()
    upstream: tuple[str, ...] = ()
    was: str | None = None


def compare(old: Meaning | None, new: Meaning) -> dict[str, StepChange]:
    """What becomes of every step, in the order of the new ones; dropped ones come last.

    Args:
        old: What ran last; None if nothing did.
        new: What would run.
    """
    if old is None:
        return {name: StepChange(name, "+") for name in new.steps}
    was = _renamed(old, new)
    found = {name: _compare_step(was.get(name, name), name, old, new, was) for name in new.steps}
    for name in old.steps:
        if name not in new.steps and name not in was.values():
            found[name] = StepChange(name, "-")
    return found


def roots(changes: Mapping[str, StepChange], name: str) -> tuple[str, ...]:
    """The steps whose own change makes a step run again, nearest first; itself if it is one."""
    seen: dict[str, None] = {}
    todo = [name]
    found: list[str] = []
    while todo:
        step = todo.pop(0)
        if step in seen or step not in changes:
            continue
        seen[step] = None
        if changes[step].symbol in "~+":
            found.append(step)
        todo.extend(changes[step].upstream)
    return tuple(found)


def changed_data(old: Meaning, new: Meaning) -> tuple[Change, ...]:
    """What differs in how the data set is made of the steps' rows: mix, output, tokenizer, seed."""
    apart = ("results", "renders")
    parts = [{k: v for k, v in m.data.items() if k not in apart} for m in (old, new)]
    found = [
        _render_change(render[1], before, after)
        if (render := _RENDER.match(path))
        else Change("field", path, before, after)
        for path, before, after in differences(parts[0], parts[1])
    ]
    return tuple({change.field: change for change in found}.values())


def _renamed(old: Meaning, new: Meaning) -> dict[str, str]:
    """New names of steps that are otherwise the same, to their old ones."""
    gone = {s.fingerprint: s.name for s in old.steps.values() if s.name not in new.steps}
    return {
        step.name: gone.pop(step.fingerprint)
        for step in new.steps.values()
        if step.name not in old.steps and step.fingerprint in gone
    }


def _compare_step(
    before: str, name: str, old: Meaning, new: Meaning, was: Mapping[str, str]
) -> StepChange:
    if before not in old.steps:
        return StepChange(name, "+")
    then, now = old.steps[before], new.steps[name]
    if then.fingerprint == now.fingerprint:
        return StepChange(name, "=", was=before if before != name else None)
    own = list(_own_changes(then, now, old, new))
    named = sorted(_old_name(r, was) for r in now.reads)
    if named != sorted(then.reads) and _inputs(then, old) != _inputs(now, new):
        own.append(Change("inputs", "from", list(then.reads), list(now.reads)))
    upstream = [r.partition(".")[0] for r in now.reads]
    upstream = [u for u in dict.fromkeys(upstream) if _changed(u, was.get(u, u), old, new)]
    if not own and not upstream:
        own.append(Change("package", "package versions"))
    return StepChange(name, "~" if own else "↻", tuple(own), tuple(upstream))


def _old_name(read: str, was: Mapping[str, str]) -> str:
    node, dot, port = read.partition(".")
    return f"{was.get(node, node)}{dot}{port}"


def _inputs(step: StepMeaning, meaning: Meaning) -> list[str]:
    found = []
    for read in step.reads:
        node, _, port = read.partition(".")
        at = meaning.steps.get(node)
        found.append(f"{at.fingerprint if at else node}.{port}")
    return sorted(found)


def _changed(name: str, before: str, old: Meaning, new: Meaning) -> bool:
    then, now = old.steps.get(before), new.steps.get(name)
    return bool(then and now and then.fingerprint != now.fingerprint)


# -- one step


_RENDER = re.compile(r"^(.*\brender)(?:\.template\b.*)?$")
_PROMPT = re.compile(r"^((?:.+\.)?prompt)(?:\.|$)(.*)")
_ASKED = re.compile(r"^(checks\.\w+)\.models\.(\w+)(?:$|\.model\b)|^(on_fail\[\d+\]\.model)\b")
"""Models that checks and rungs ask."""
_VERSION = re.compile(r"^(?:operator version|checks\.\w+\.version)$")


def _own_changes(
    then: StepMeaning, now: StepMeaning, old: Meaning, new: Meaning
) -> Iterator[Change]:
    if then.op != now.op:  # nothing else can be compared
        yield Change("operator", "op", then.op, now.op)
        return
    seen: set[str] = set()
    fields = [comparable(step) for step in (then, now)]
    for path, before, after in differences(fields[0], fields[1]):
        change = _change_at(path, before, after)
        if change.kind == "model":
            change = _model_change(change.field, then, now, old, new)
        if change.field not in seen and not _repeats(change, seen):
            seen.add(change.field)
            yield change
    if then.packages is not None and now.packages is not None:
        for name, before, after in differences(then.packages, now.packages):
            yield Change("package", f"package {name}", before, after)


def _repeats(change: Change, seen: set[str]) -> bool:
    """The longest reply that a prompt asks for is told as the prompt's, and not as sampling too."""
    return change.field == "sampling.max_tokens" and "prompt.max_tokens" in seen


def _change_at(path: str, before: Any, after: Any) -> Change:
    if path == "data":
        return Change("data", "data", before, after)
    if path.partition(".")[0] == "model":
        return Change("model", "model")
    if found := _ASKED.match(path):
        return Change("model", ".".join(word for word in found.groups() if word))
    if _VERSION.match(path):
        return Change("operator", path, before, after)
    if found := _PROMPT.match(path):
        words = found[2].partition("[")[0].split(".")
        word = words[1] if words[0] == "blocks" and words[1:] else words[0]
        field = f"{found[1]}.{word}" if word else found[1]
        scalar = word in ("max_tokens", "example_k")
        return Change("prompt", field, before if scalar else None, after if scalar else None)
    if found := _RENDER.match(path):
        return _render_change(found[1], before, after)
    field = path.removesuffix(".=").replace("set_after.", "set.")
    if field == "site":  # draws of `choose` are told apart by the step's name
        field = "name"
    return Change("field", field, before, after)


def _render_change(field: str, before: Any, after: Any) -> Change:
    """Of a template that changed its lines are told elsewhere; one that came or went is a field."""
    if before is None or after is None:
        was, is_ = ("none" if value is None else "a template" for value in (before, after))
        return Change("field", field, was, is_)
    return Change("prompt", f"{field}.template")


def comparable(step: StepMeaning) -> dict[str, Any]:
    """What decides a step's rows, with names for keys wherever the recipe has names."""
    definition = dict(step.definition)
    params = dict(definition.pop("params", {}))
    named = {c["name"]: {**c, **c["params"], "params": None} for c in params.pop("checks", ())}
    checks = {"checks": named} if named else {}
    return {"op": step.op, "operator version": step.version, **definition, **params, **checks}


def _model_change(
    field: str, then: StepMeaning, now: StepMeaning, old: Meaning, new: Meaning
) -> Change:
    was, is_ = _model(field, then, old), _model(field, now, new)
    if was == is_ and not new.models.get(_name_of(field, now), {}).get("digest"):
        is_ += " (cannot be described on this machine)"
    return Change("model", field, was, is_)


def _name_of(field: str, step: StepMeaning) -> str:
    """The model that stands at `model`, `checks.judge.model` or `on_fail[1].model`."""
    place = field.replace("[", ".").replace("]", "")
    return (step.model if field == "model" else step.models.get(place)) or ""


def _model(field: str, step: StepMeaning, meaning: Meaning) -> str:
    name = _name_of(field, step)
    if not name and field != "model":
        return "none"
    model = meaning.models.get(name, {})
    return f"{model.get('engine', '?')}/{model.get('model', '?')}"


# -- in words


def reason(change: StepChange, *, source: bool = False) -> str:
    """Why a step runs, or that it does not, in a few words."""
    if change.symbol == "=":
        return f"unchanged, was `{change.was}`" if change.was else "unchanged"
    if change.symbol == "+":
        return "new source" if source else "new step"
    if change.symbol == "-":
        return "dropped"
    if not change.changes:
        return f"upstream {', '.join(change.upstream)}"
    first, *more = change.changes
    return phrase(first) + (f" (+{len(more)} more)" if more else "")


def phrase(change: Change, size: int = 18) -> str:
    """A change in a few words: `keep: score > 2 → score > 3`."""
    if change.kind == "data":
        return "data changed"
    if change.kind == "model" and change.old == change.new:
        return "model: other weights"
    if change.field == "package versions":
        return "other package versions"
    if change.kind == "prompt" and change.old is None and change.new is None:
        prompt, _, word = change.field.rpartition(".")
        told = word in ("examples", "reply", "example_k", "max_tokens", "template")
        return f"{prompt}: {word}" if told else f"{prompt}: {word} block"
    if change.kind == "prompt":
        prompt, _, word = change.field.rpartition(".")
        return f"{prompt}: {word}"
    return f"{change.field}: {values(change, size)}"


def values(change: Change, size: int = 18) -> str:
    """`old → new`, long ones cut around where they begin to differ."""
    was, now = written(change.old), written(change.new)
    alike = next((i for i, (a, b) in enumerate(zip(was, now, strict=False)) if a != b), 0)
    return f"{excerpt(was, alike, size)} → {excerpt(now, alike, size)}"


def written(value: object) -> str:
    """A value as a recipe would say it, in one line."""
    if isinstance(value, Mapping) and "=" in value:
        value = value["="]
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{k}: {written(v)}' for k, v in value.items())} }}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(map(written, value)) or "none"
    if isinstance(value, bool):
        return str(value).lower()
    return " ".join(str("none" if value is None else value).split())


def excerpt(text: str, at: int, size: int = 18) -> str:
    """A text in few characters, `at` among them."""
    if len(text) <= size:
        return text
    start = max(0, min(at - size // 2, len(text) - size))
    cut = text[start:]
    room = size - bool(start)
    return f"{'…' if start else ''}{cut if len(cut) <= room else cut[: room - 1] + '…'}"
