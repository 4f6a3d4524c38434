"""Why a step will run again, in words and as JSON: what changed, what did not, what never does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from .changes import Change, StepChange, comparable, compare, excerpt, phrase, roots, values
from .diagnostics import Diagnostic, Span
from .document import Map
from .meaning import Meaning
from .places import Lines
from .recipe import Recipe
from .render import clean
from .reuse import usable
from .textdiff import FileDiff, diff_prompts
from .whereabouts import place_of

IGNORED = (
    "comments, key order, quoting, about, names, paths, licences, placement, concurrency, "
    "white space in prompts"
)
SHOWN_LINES = 6
"""Lines of a prompt that are shown; the rest is counted."""
WIDE = 44


@dataclass(frozen=True, slots=True)
class Why:
    """What is known of one step since a run.

    Attributes:
        step: What became of it.
        run: The run it is compared with; None if there is none.
        places: Where each of its changes is written, as `file:line`.
        prompts: What changed in the files of its prompt, if its prompt did.
        roots: The changes further up that make it run again, by step.
        unchanged: Fields of its definition that are as they were.
        asks: Whether it asks a model.
        source: Whether it is a source.
    """

    step: StepChange
    run: str | None
    places: Mapping[str, str]
    prompts: tuple[FileDiff, ...]
    roots: Mapping[str, tuple[Change, ...]]
    unchanged: tuple[str, ...]
    asks: bool
    source: bool

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        left = usable(self.step)
        return {
            "step": self.step.name,
            "symbol": self.step.symbol,
            "was": self.step.was,
            "compared_with": self.run,
            "changes": [
                {**asdict(c), "place": self.places.get(c.field)} for c in self.step.changes
            ],
            "upstream": list(self.step.upstream),
            "roots": {name: [asdict(c) for c in found] for name, found in self.roots.items()},
            "prompts": [
                {"path": f.path, "added": f.added, "removed": f.removed} for f in self.prompts
            ],
            "unchanged": list(self.unchanged),
            "usable": {"share": left.share, "because": left.because} if self.asks else None,
        }


def explain_step(
    name: str, run: str | None, old: Meaning | None, new: Meaning, document: Map | None,
    files: Mapping[str, str],
) -> Why:  # fmt: skip
    """Find out why a step will run again.

    Args:
        name: A step or source of either side.
        run: Id of the last run.
        old: What decided its results; None if there is no run.
        new: What decides those to come.
        document: The recipe, its layers applied, for places.
        files: Texts by the names of spans.

    Raises:
        KeyError: Neither side has the step.
    """
    changes = compare(old, new)
    change = changes[name]
    now = new.steps.get(name)
    then = old.steps.get(change.was or name) if old else None
    prompted = any(c.kind == "prompt" for c in change.changes)
    above = [r for r in roots(changes, name) if r != name]
    return Why(
        step=change,
        run=run,
        places=_places(change, document, files),
        prompts=diff_prompts(then.prompt, now.prompt) if prompted and then and now else (),
        roots={r: changes[r].changes for r in above} if change.upstream else {},
        unchanged=_unchanged(change, comparable(now)) if now else (),
        asks=bool(now and (now.model or now.models)),
        source=bool(now and now.op == "source"),
    )


def _places(
    change: StepChange, document: Map | None, files: Mapping[str, str]
) -> dict[str, str]:  # fmt: skip
    found = {}
    for c in change.changes:
        span = place_of(document, change.name, c.field) if document else None
        if span and span.file in files:
            found[c.field] = _line(span, files[span.file])
    return found


def _line(span: Span, text: str) -> str:
    if span.file.startswith("--set"):
        return span.file
    return f"{span.file}:{Lines(text).at(span.start)[0] + 1}"


def _unchanged(change: StepChange, fields: Mapping[str, Any]) -> tuple[str, ...]:
    touched = {c.field.partition(".")[0].partition("[")[0] for c in change.changes}
    if "prompt" in touched and any(c.field == "prompt.max_tokens" for c in change.changes):
        touched.add("sampling")
    told = {"operator version": "operator", "set_after": "set"}
    names = {
        told.get(k, k)
        for k, v in fields.items()
        if v not in (None, "", [], {}) and k not in ("op", "site") and not (k == "seed" and v == 0)
    }
    return tuple(sorted(names - touched))


def changed_code(changes: Mapping[str, StepChange], recipe: Recipe) -> Iterator[Diagnostic]:
    """A note for each step that runs again because its operator or one of its checks changed."""
    spans = {s.name: s.op_span for s in recipe.steps}
    for name, step in changes.items():
        for change in step.changes:
            if change.kind == "operator" and change.field != "op" and name in spans:
                below = sum(name in roots(changes, other) for other in changes) - 1
                more = f", and {below} more below it" if below else ""
                yield Diagnostic(
                    "L605",
                    f"{change.field} {change.old} → {change.new}: `{name}` runs again{more}",
                    spans[name],
                )


# -- in words


def tell(why: Why, reused: float | None = None) -> list[str]:
    """Lines for a terminal.

    Args:
        why: What was found out.
        reused: The share of its calls that the ledger holds, if that was counted.
    """
    change = why.step
    lines = [_head(why)]
    for c in change.changes:
        lines += _change(c, why)
    for name, found in why.roots.items():
        told = "; ".join(phrase(c, WIDE) for c in found) or "new"
        lines.append(f"   upstream {name}   {told}")
    if change.symbol in "~↻" and why.unchanged:
        lines.append(f"unchanged: {', '.join(why.unchanged)}")
    if change.symbol in "~↻":
        lines.append(f"ignored for identity: {IGNORED}")
    if why.asks and change.symbol in "~↻":
        counted = "" if reused is None else f"; the ledger holds {reused:.0%} of its calls"
        lines.append(f"completions that stay usable: {usable(change)}{counted}")
    return [clean(line) for line in lines]


def _head(why: Why) -> str:
    name, run = why.step.name, why.run
    what = "source" if why.source else "step"
    match why.step.symbol:
        case "+" if run is None:
            return f"{name} has not run yet: there is no run of this recipe"
        case "+":
            return f"{name} will run: the {what} is new since {run}"
        case "-":
            return f"{name} will not run: the recipe no longer has or needs it; {run} did"
        case "=" if why.step.was:
            return f"{name} is unchanged since {run}, where it was called {why.step.was}"
        case "=":
            return f"{name} is unchanged since {run}: nothing that it made is made again"
        case "~" if why.source:
            return f"{name} will be read again: it changed since {run}"
        case "~":
            return f"{name} will run again: its definition changed since {run}"
        case _:
            return f"{name} will run again: what it reads changed since {run}"


def _change(change: Change, why: Why) -> Iterator[str]:
    place = why.places.get(change.field)
    shown = f"   {place}" if place else ""
    if change.kind != "prompt":
        told = "changed" if change.kind == "data" else values(change, WIDE)
        if change.kind == "model" and change.old == change.new:
            told = f"{written_model(change)}: other weights"
        if change.field == "package versions":
            shown, told = "", "changed"
        yield f"   {change.field}{shown}   {told}"
        return
    first = next(c for c in why.step.changes if c.kind == "prompt")
    told = f"   {values(change, WIDE)}" if change.old is not change.new else ""
    yield f"   {phrase(change, WIDE)}{told}"
    if change is first:
        yield from _files(why.prompts)


def written_model(change: Change) -> str:
    """The model that a change is about."""
    return str(change.new or change.old)


def _files(found: Sequence[FileDiff]) -> Iterator[str]:
    for file in found:
        yield f"      {file}"
        for line in file.lines[:SHOWN_LINES]:
            yield f"      {line.number:>4} {line.sign} {excerpt(line.text, line.at, 64)}".rstrip()
        if (more := len(file.lines) - SHOWN_LINES) > 0:
            yield f"           … {more} more lines"
