"""A plan in a file: what was planned, to be looked at, approved, and run as it is.

A saved plan runs if compiling its recipe again gives the very same plan, and is refused if not. So
what a file says of models, paths and prompts is compared and never trusted: what runs is what the
recipe says, and a file that somebody else wrote opens nothing that its recipe does not.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..compiler.changes import changed_data, compare, phrase, reason, written
from ..compiler.identity import differences, digest
from ..compiler.meaning import Meaning
from ..compiler.plan import Plan as PlanRecord
from .faults import RunError, said
from .partway import early
from .runs import write_whole

if TYPE_CHECKING:
    from .api import Plan
    from .locking import LockState

MARK = "mashbill_saved_plan"
FORMAT = 1
SUFFIX = ".plan"
LARGEST = 256 << 20
STALE = 6
"""Exit code: what was pinned does not hold any more."""
WORDS = 3
"""Changes that are named in full; the others are counted."""


class SavedPlanError(RunError):
    """A saved plan that cannot be written, read or run; the message says what to type."""

    def __init__(self, message: str, *, code: int = 1, diagnostic: str = "L610") -> None:
        super().__init__(message, code=code, diagnostic=diagnostic)


@dataclass(frozen=True, slots=True)
class SavedPlan:
    """What a file of a saved plan holds.

    Attributes:
        path: The file.
        made: When, in UTC, as ISO 8601.
        version: Of Mashbill.
        recipe: The recipe file.
        profile: That was laid over it.
        sets: Settings laid over both.
        allow_outside: Whether its paths could leave the project.
        plan: What would run.
        meaning: What decides its results.
        lock: Pins of the lock, a line each; None without a lock.
        estimates: As JSON; None where nothing was measured.
    """

    path: Path
    made: str
    version: str
    recipe: Path
    profile: str | None
    sets: tuple[str, ...]
    allow_outside: bool
    plan: PlanRecord
    meaning: Meaning
    lock: tuple[str, ...] | None
    estimates: Mapping[str, Any] | None


def is_saved_plan(path: str | Path) -> bool:
    """Whether a word of a command line names a saved plan: by its suffix, or by how it begins."""
    file = Path(path)
    if file.suffix == SUFFIX:
        return True
    try:
        return _begins(file)
    except OSError:
        return False


def save_plan(plan: Plan, path: str | Path) -> Path:
    """Write a plan to a file, whole or not at all.

    Args:
        plan: Whose models can all be described.
        path: Where; what stands there must be a saved plan too.

    Raises:
        SavedPlanError: It cannot be written, and why.
    """
    from mashbill import __version__

    file = Path(path)
    if plan.missing:
        raise SavedPlanError(
            f"{file} is not written: a plan is whole once its models can be described; "
            + "; ".join(plan.missing.values()),
            diagnostic="M251",
        )
    if file.is_dir():
        name = plan.record.recipe["name"]
        raise SavedPlanError(f"{file} is a folder; name a file: -o {name}{SUFFIX}")
    if file.exists() and not _replaceable(file):
        raise SavedPlanError(f"{file} holds something else than a saved plan; name another file")
    recipe = plan.recipe
    estimates = plan.estimates.to_json() if plan.estimates else plan.quoted
    value = {
        MARK: FORMAT,
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "mashbill": __version__,
        "recipe": os.path.relpath(recipe.project.recipe, file.absolute().parent),
        "profile": recipe.profile,
        "set": list(recipe.sets),
        "allow_outside": recipe.project.allow_outside,
        "lock": _pins(plan.lock),
        "plan": plan.record.to_json(),
        "meaning": plan.meaning.to_json(),
        "estimates": estimates,
    }
    try:
        write_whole(file, json.dumps(value, indent=1, ensure_ascii=False) + "\n")
    except OSError as error:
        raise SavedPlanError(f"{file} cannot be written: {said(error)}") from error
    return file


def _replaceable(file: Path) -> bool:
    return file.is_file() and (not file.stat().st_size or _begins(file))


def _begins(file: Path) -> bool:
    """Whether a file begins as a saved plan does. Raises `OSError`."""
    with file.open("rb") as data:
        return MARK.encode() in data.read(64)


def _pins(lock: LockState | None) -> tuple[str, ...] | None:
    if lock is None or lock.pins is None:
        return None
    return tuple(f"{p.name} {p.kind} {p.value}" for p in lock.pins.values())


def read_plan(path: str | Path) -> SavedPlan:
    """Read a saved plan.

    Raises:
        SavedPlanError: It is not there, torn, or something else.
    """
    file = Path(path)
    try:
        if file.stat().st_size > LARGEST:
            raise SavedPlanError(f"{file} is larger than {LARGEST >> 20} MB: no saved plan is")
        text = file.read_text("utf-8")
    except OSError as error:
        raise SavedPlanError(f"{file} cannot be read: {said(error)}") from error
    except UnicodeDecodeError as error:
        raise SavedPlanError(f"{file} is no saved plan: byte {error.start} is no UTF-8") from error
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        torn = f"is torn: it ends, or is damaged, at line {error.lineno}"
        what = torn if MARK in text[:64] else "is no saved plan"
        raise SavedPlanError(f"{file} {what}; {_again(file)}") from error
    except RecursionError as error:
        raise SavedPlanError(f"{file} is no saved plan; {_again(file)}") from error
    if not isinstance(value, dict) or MARK not in value:
        raise SavedPlanError(f"{file} is no saved plan; {_again(file)}")
    if value[MARK] != FORMAT:
        version = value.get("mashbill")
        by = f" (mashbill {version})" if isinstance(version, str) else ""
        raise SavedPlanError(f"another version{by} wrote {file}; {_again(file)}")
    try:
        return _read(file, value)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise SavedPlanError(f"{file} is damaged; {_again(file)}") from error


def _again(file: Path) -> str:
    return f"make it again: mashbill plan -o {file}"


def _read(file: Path, value: Mapping[str, Any]) -> SavedPlan:
    profile, sets, lock = value["profile"], value["set"], value["lock"]
    datetime.fromisoformat(value["made"])
    texts = [value["made"], value["mashbill"], value["recipe"], *sets, *(lock or ())]
    if not all(isinstance(t, str) for t in texts) or not isinstance(profile, str | None):
        raise TypeError("no text")
    estimates = value["estimates"]
    if not isinstance(estimates, dict | None):
        raise TypeError("no estimates")
    return SavedPlan(
        path=file,
        made=value["made"],
        version=value["mashbill"],
        recipe=Path(os.path.normpath(file.absolute().parent / value["recipe"])),
        profile=profile,
        sets=tuple(sets),
        allow_outside=value["allow_outside"] is True,
        plan=PlanRecord.load(json.dumps(value["plan"])),
        meaning=Meaning.from_json(value["meaning"]),
        lock=None if lock is None else tuple(lock),
        estimates=estimates,
    )


# -- whether it still holds


def recompiled(saved: SavedPlan, *, allow_outside: bool = False) -> Plan:
    """The plan that its recipe gives now, under the same profile and settings.

    Args:
        saved: The saved plan.
        allow_outside: Whether the user has lifted confinement, now.

    Raises:
        RecipeError: The recipe does not compile any more.
        SavedPlanError: The recipe is gone, or reads outside its project and nobody has typed so.
    """
    from .api import Recipe
    from .project import RecipeNotFoundError, find_project

    try:
        project = find_project(saved.recipe, allow_outside=allow_outside)
    except RecipeNotFoundError as error:
        gone = f"{saved.path} was made from {_shown(saved.recipe)}, which is gone"
        raise SavedPlanError(gone, code=STALE, diagnostic="L603") from error
    if not allow_outside and (saved.allow_outside or _leaves(saved, project.root)):
        raise SavedPlanError(
            f"{saved.path} reads files outside its project; if it may, type it again: "
            f"mashbill run {saved.path} --allow-outside",
            diagnostic="R112",
        )
    plan = Recipe(project, saved.profile, saved.sets).plan(
        survey=False, until=early(saved.plan.recipe) or None
    )
    if not _run_since(saved, project.state, str(plan.record.recipe["name"])):
        plan.quoted = saved.estimates
    return plan


def _run_since(saved: SavedPlan, state: Path, recipe: str) -> bool:
    """Whether the recipe has run since, so that less is left to pay for than was quoted."""
    from .standing import find_runs, standing_of

    latest = find_runs(state, recipe)[:1]
    begun = [float(standing_of(folder).begun.get("started", 0.0)) for folder in latest]
    return any(at >= datetime.fromisoformat(saved.made).timestamp() for at in begun)


def _leaves(saved: SavedPlan, root: Path) -> bool:
    """Whether its settings name a path outside the project, which only a user may type."""
    typed = [s["path"] for s in saved.plan.sources.values() if s.get("typed")]
    if saved.plan.output.get("typed"):
        typed.append(saved.plan.output["path"])
    typed += [m["model"] for m in saved.plan.models.values() if m.get("typed")]
    paths = [Path.cwd() / path for path in typed if path and "://" not in path]
    return not all(p.resolve().is_relative_to(root.resolve()) for p in paths)


def refuse_stale(saved: SavedPlan, now: Plan) -> None:
    """Refuse a saved plan that is not what its recipe gives now.

    Raises:
        SavedPlanError: `L603`, with what changed.
    """
    if changed := tuple(changes_since(saved, now)):
        raise SavedPlanError(stale_words(saved, now, changed), code=STALE, diagnostic="L603")


def stale_words(saved: SavedPlan, now: Plan, changed: tuple[str, ...]) -> str:
    """What changed since a plan was saved, and what to type."""
    then, lock = saved.lock, _pins(now.lock)
    if (then or lock) and then != lock:
        made = f"lock {_short(then)}, now {_short(lock)}"
    else:
        made = f"plan {saved.plan.digest[:4]}…, now {now.record.digest[:4]}…"
    if saved.plan.digest == now.record.digest and then == lock:
        made = f"plan {saved.plan.digest[:4]}…"
    more = f" (+{len(changed) - WORDS} more)" if len(changed) > WORDS else ""
    words = f"changed: {'; '.join(changed[:WORDS])}{more}"
    return f"{saved.path} was made from {made}; {words}\n  = help: {command(saved)}"


def command(saved: SavedPlan) -> str:
    """What makes a saved plan again."""
    import shlex

    words = ["mashbill", "plan", _shown(saved.recipe)]
    words += ["--profile", saved.profile] if saved.profile else []
    for value in saved.sets:
        words += ["--set", value]
    words += ["--until", step] if (step := early(saved.plan.recipe)) else []
    words += ["--allow-outside"] if saved.allow_outside else []
    return shlex.join([*words, "-o", str(saved.path)])


def _short(pins: Sequence[str] | None) -> str:
    return "none" if pins is None else f"{digest(list(pins))[:4]}…"


def _shown(path: Path) -> str:
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("../../..") else relative


def changes_since(saved: SavedPlan, now: Plan) -> Iterator[str]:
    """What differs from what the recipe gives now, in its words; nothing where the plan holds."""
    told = list(_steps(saved.meaning, now.meaning))
    told += [phrase(c) for c in changed_data(saved.meaning, now.meaning)]
    told += _fields(saved.plan, now.record)
    told = told or list(_lock(saved.lock or (), _pins(now.lock) or ()))
    yield from told
    if not told and saved.plan.digest != now.record.digest:
        yield "how the data set is made"


def _steps(then: Meaning, now: Meaning) -> Iterator[str]:
    sources = {name for m in (then, now) for name, step in m.steps.items() if step.op == "source"}
    for name, step in compare(then, now).items():
        if step.changes:
            yield f"{name}: {', '.join(phrase(c) for c in step.changes)}"
        elif step.symbol in "+-":
            yield f"{name}: {reason(step, source=name in sources)}"
        elif step.was:
            yield f"{step.was}: called `{name}`"


APART = ("path", "typed", "urls", "key", "options", "placement", "price", "license")


def _fields(then: PlanRecord, now: PlanRecord) -> Iterator[str]:
    """What a run goes by and no fingerprint holds: budget, prices, addresses, output folder."""
    for path, before, after in differences(_beside(then), _beside(now)):
        yield f"{path}: {written(before)} → {written(after)}"


def _beside(plan: PlanRecord) -> dict[str, Any]:
    def some(values: Mapping[str, Any]) -> dict[str, Any]:
        return {k: v for k, v in values.items() if k in APART}

    return {
        "license": plan.recipe.get("license"),
        "budget": plan.budget or {},
        "hardware": plan.hardware or {},
        "output": some(plan.output),
        "models": {name: some(m) for name, m in plan.models.items()},
        "sources": {name: some(s) for name, s in plan.sources.items()},
    }


def _lock(then: Sequence[str], now: Sequence[str]) -> Iterator[str]:
    """Pins that only one of two locks holds, by name and kind."""
    sides = [dict(line.rsplit(" ", 1) for line in pins) for pins in (then, now)]
    for what in sorted({*sides[0], *sides[1]}):
        before, after = (side.get(what) for side in sides)
        if before != after:
            yield f"lock: {what} {_value(before)} → {_value(after)}"


def _value(pin: str | None) -> str:
    return "none" if pin is None else pin if len(pin) < 16 else f"{pin[:4]}…"
