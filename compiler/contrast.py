"""Two recipes, revisions or runs side by side: what changed in meaning, and what that costs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from .changes import Change, StepChange, changed_data, compare, phrase, reason
from .meaning import Meaning
from .quantities import show_count, show_share
from .render import clean
from .reuse import Usable, usable
from .textdiff import FileDiff, diff_prompts

Record = Mapping[str, Any]
"""A run's record, as the run stores it."""

_GROUPS = {"model": "models", "data": "data", "operator": "operators", "package": "operators"}
_WIDE = 56


@dataclass(frozen=True, slots=True)
class Contrast:
    """What differs from one side to the other.

    Attributes:
        steps: What becomes of every step.
        data: What differs in how the data set is made of the steps' rows.
        prompts: Files of prompts that changed in meaning, each once.
        sources: Names of sources, which never run again but are read again.
        usable: Which completions of each model step that runs again stay usable.
    """

    steps: Mapping[str, StepChange]
    data: tuple[Change, ...]
    prompts: tuple[FileDiff, ...]
    sources: frozenset[str]
    usable: Mapping[str, Usable]

    @property
    def equal(self) -> bool:
        """Whether both sides make the same data set."""
        return not self.data and all(s.symbol == "=" for s in self.steps.values())

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        return {
            "equal": self.equal,
            "steps": {
                name: {
                    "symbol": s.symbol,
                    "was": s.was,
                    "changes": [asdict(c) for c in s.changes],
                    "upstream": list(s.upstream),
                }
                for name, s in self.steps.items()
            },
            "data": [asdict(c) for c in self.data],
            "prompts": [
                {"path": f.path, "added": f.added, "removed": f.removed} for f in self.prompts
            ],
            "usable": {
                name: {"share": u.share, "because": u.because} for name, u in self.usable.items()
            },
        }


def contrast(old: Meaning, new: Meaning) -> Contrast:
    """Compare two meanings."""
    steps = compare(old, new)
    prompts: dict[str, FileDiff] = {}
    for name, step in steps.items():
        if any(c.kind == "prompt" for c in step.changes):
            before = old.steps[step.was or name].prompt
            for file in diff_prompts(before, new.steps[name].prompt):
                prompts[file.path] = file
    data = changed_data(old, new)
    for change in data:
        if change.kind == "prompt":
            part = change.field.removeprefix("mix.parts.").removesuffix(".render.template")
            sides_of = [m.data.get("renders", {}).get(part) for m in (old, new)]
            for file in diff_prompts(*sides_of):
                prompts[file.path] = file
    sides = {**old.steps, **new.steps}
    return Contrast(
        steps=steps,
        data=data,
        prompts=tuple(prompts.values()),
        sources=frozenset(s.name for s in sides.values() if s.op == "source"),
        usable={
            name: usable(step)
            for name, step in steps.items()
            if step.symbol in "~↻" and new.steps[name].model
        },
    )


# -- in words


def tell(found: Contrast, reused: Mapping[str, float] | None = None) -> list[str]:
    """Lines for a terminal.

    Args:
        found: What differs.
        reused: The share of each step's calls that the ledger holds, where it was counted.
    """
    if found.equal:
        renamed = [f"{s.was} → {name}" for name, s in found.steps.items() if s.was]
        same = "nothing that decides the data set differs"
        return [same, *(_block("renamed", renamed))]
    told: dict[str, list[str]] = {}
    for name, step in found.steps.items():
        for change in step.changes:
            if change.kind == "prompt" and found.prompts and change.old is None:
                continue  # its lines are counted below
            group = _GROUPS.get(change.kind, "recipe")
            told.setdefault(group, []).append(
                f"{name}.{phrase(change, _WIDE)}"
                if group == "recipe"
                else f"{name}   {phrase(change, _WIDE)}"
            )
    told.setdefault("recipe", []).extend(phrase(c, _WIDE) for c in found.data)
    told["prompts"] = [str(f) for f in found.prompts]
    lines = [
        line
        for group in ("recipe", "prompts", "models", "data", "operators")
        for line in _block(group, told.get(group, []))
    ]
    lines += _block("steps", list(_steps(found)))
    lines += _block("usable", list(_usable(found, reused or {})))
    return [clean(line) for line in lines]


def _block(head: str, lines: list[str]) -> list[str]:
    return [f"{head if i == 0 else '':<10}{line}" for i, line in enumerate(lines)]


def _steps(found: Contrast) -> Iterator[str]:
    for symbol in "+~↻-":
        for name, step in found.steps.items():
            if step.symbol == symbol:
                yield f"{symbol} {name}  {reason(step, source=name in found.sources)}"
    same = [f"{n} (was {s.was})" if s.was else n for n, s in found.steps.items() if s.symbol == "="]
    if same:
        yield f"= {', '.join(same)}"


def _usable(found: Contrast, reused: Mapping[str, float]) -> Iterator[str]:
    for name, left in found.usable.items():
        counted = f"; the ledger holds {reused[name]:.0%} of its calls" if name in reused else ""
        yield f"{name}: {left}{counted}"


# -- two runs


def tell_runs(old: Record, new: Record) -> list[str]:
    """What two runs made: rows of each step, the data set, calls and tokens."""
    rows = []
    for name, now in new.get("steps", {}).items():
        then = old.get("steps", {}).get(name)
        if then and then["out"] != now["out"]:
            rows.append(f"{name} {_move(then['out'], now['out'], ' rows')}")
    lines = _block("yield", rows)
    sides = [old, new]
    output = [s.get("output", {}).get("rows") for s in sides]
    made = [f"rows {_move(*output)}"] if None not in output else []
    mixes = [mix for s in sides if (mix := s.get("mix"))]
    if len(mixes) == 2:
        tokens = [m["tokens"] for m in mixes]
        human = [show_share(m["human_share"]) for m in mixes]
        made += [f"tokens {_move(*tokens)}", f"human share {' → '.join(dict.fromkeys(human))}"]
    lines += _block("output", [" · ".join(made)] if made else [])
    lines += _block("cost", [" · ".join(_costs(old, new))])
    lines += _block("pains", [" · ".join(told)] if (told := list(_pains(old, new))) else [])
    return [clean(line) for line in lines]


def runs_json(old: Record, new: Record) -> dict[str, Any]:
    """The same as plain JSON: pairs of old and new."""
    names = [n for n in new.get("steps", {}) if n in old.get("steps", {})]
    return {
        "rows": {n: [old["steps"][n]["out"], new["steps"][n]["out"]] for n in names},
        "output": [s.get("output", {}).get("rows") for s in (old, new)],
        "spent": {field: [_spent(s, field) for s in (old, new)] for field in _SPENT},
    }


_SPENT = {"sent": "calls", "prompt_tokens": "tokens in", "completion_tokens": "tokens out"}


def _costs(old: Record, new: Record) -> Iterator[str]:
    for field, told in _SPENT.items():
        yield f"{told} {_move(_spent(old, field), _spent(new, field))}"


def _pains(old: Record, new: Record) -> Iterator[str]:
    """Rows that ended in errors, calls sent again, passes over what was rejected."""
    errors = [int(s.get("errors") or 0) for s in (old, new)]
    if any(errors):
        yield f"errors {_move(errors[0], errors[1])}"
    again = [_spent(s, "retried") for s in (old, new)]
    if any(again):
        yield f"calls sent again {_move(again[0], again[1])}"
    passes = [int(s.get("passes", 1)) for s in (old, new)]
    if passes[0] != passes[1]:
        yield f"passes {passes[0]} → {passes[1]}"


def _spent(record: Record, field: str) -> int:
    return sum(m.get(field, 0) for m in record.get("models", {}).values())


def _move(then: int, now: int, unit: str = "") -> str:
    if then == now:
        return f"{show_count(now)}{unit}"
    off = f"  {(now - then) / then * 100:+.1f}%" if then else ""
    return f"{show_count(then)} → {show_count(now)}{unit}{off}"
