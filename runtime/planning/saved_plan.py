"""A plan in a file: what was planned, to be looked at, approved, and run as it is.

A saved plan runs if compiling its recipe again gives the very same plan, and is refused if not. So
what a file says of models, paths and prompts is compared and never trusted: what runs is what the
recipe says, and a file that somebody else wrote opens nothing that its recipe does not.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...compiler.meaning import Meaning
from ...compiler.plan import Plan as PlanRecord
from ..faults import RunError, said
from ..runs import write_whole

if TYPE_CHECKING:
    from ..api import Plan
    from ..locking import LockState

MARK = "mashbill_saved_plan"
FORMAT = 1
SUFFIX = ".plan"
LARGEST = 256 << 20


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
        "lock": pins_of(plan.lock),
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


def pins_of(lock: LockState | None) -> tuple[str, ...] | None:
    """What a lock pins, a line each; None without one."""
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
