"""What runs and recipes need of a ledger: what runs have noted, and what recipes would ask for.

A recipe is sent through the runtime as `run --replay` does it, with a ledger that notes what it is
asked; rows whose completions it does not hold end there.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from ..requests import EngineError
from .entries import Entry
from .ledger import Ledger
from .notes import NOTES, ended, noted

if TYPE_CHECKING:
    from ..api import Plan, Recipe
    from ..runs import RunFolder


class UnknownNeedsError(Exception):
    """What a recipe or run needs cannot be found out; the message says why and what to do."""


class Asked(Ledger):
    """A ledger that counts what it is asked for and does not hold."""

    absent = 0

    def get(self, key: bytes, max_tokens: int) -> Entry | None:
        """As `Ledger.get`. Raises `EngineError`, which ends the row, where that finds nothing."""
        if (found := super().get(key, max_tokens)) is not None:
            return found
        self.absent += 1
        raise EngineError("absent", "the ledger does not hold it", retryable=False)


def walk(plan: Plan, notes: Path) -> int:
    """Note all completions that a plan asks for and the ledger holds.

    Returns:
        How many it lacks; there may be more behind those.

    Raises:
        UnknownNeedsError: If the plan cannot be carried out here.
    """
    from ..engine_room import room_of
    from ..execution import Execution
    from ..faults import RunError
    from ..interrupts import interruptible, run_async
    from ..runs import RunFolder

    project = plan.recipe.project
    shown = project.shown_path(project.recipe)
    if plan.missing:
        raise UnknownNeedsError(f"{shown}: {'; '.join(plan.missing.values())}")
    with TemporaryDirectory(prefix="mashbill-") as folder, interruptible():
        made = RunFolder(Path(folder))
        spool = made.path / "spool"
        room = room_of(plan.record, project)
        with Asked.open(project.state / "ledger", write=False, notes=notes) as ledger:
            run = Execution(plan.record, project, made, spool, room, ledger, replay=True)

            async def work() -> None:
                try:
                    await run.work()
                finally:
                    await run.close()

            try:
                run_async(work())
            except (RunError, EngineError, OSError) as error:
                raise UnknownNeedsError(f"{shown}: {error}") from error
            return ledger.absent


def needs_of_recipe(recipe: Recipe, notes: Path) -> int:
    """`walk` for a recipe that may not even compile.

    Raises:
        UnknownNeedsError: Then, or if its models or data are not here.
    """
    from ...compiler.diagnostics import RecipeError
    from ...compiler.world import OutsideError

    shown = recipe.project.shown_path(recipe.project.recipe)
    try:
        plan = recipe.plan(survey=False)
    except (RecipeError, OutsideError) as error:
        raise UnknownNeedsError(f"{shown} does not compile: mashbill check {shown}") from error
    return walk(plan, notes)


@dataclass(frozen=True, slots=True)
class RunNeeds:
    """What runs have used.

    Attributes:
        notes: Files of notes.
        until: When the last run ended that made no notes, Unix nanoseconds; what was committed
            before may be its. 0 if there is none.
        unnoted: The names of those runs.
    """

    notes: tuple[Path, ...]
    until: int
    unnoted: tuple[str, ...]


def needs_of_runs(state: Path) -> RunNeeds:
    """What the runs of a project have used, so far as they are kept. Raises `OSError`."""
    notes, until, unnoted = [], 0, []
    for folder in sorted((state / "runs").glob("r-*")):
        if (folder / NOTES).is_file():
            notes.append(folder / NOTES)
        elif (folder / "plan.json").is_file():  # else it failed before it asked for anything
            unnoted.append(folder.name)
            last = max((p.stat().st_mtime for p in folder.iterdir()), default=time.time())
            until = max(until, int((last + 1) * 1e9))
    return RunNeeds(tuple(notes), until, tuple(unnoted))


def keys_of_run(run: RunFolder) -> Iterator[bytes]:
    """The keys of all completions that a run has used.

    Raises:
        UnknownNeedsError: If it was killed, or made by a Mashbill that noted none.
    """
    path = run.path / NOTES
    if not ended(path):
        what = "was killed before it noted" if path.exists() else "did not note"
        raise UnknownNeedsError(
            f"{run.id} {what} all that it used; type: mashbill run --replay, and name its run"
        )
    return noted(path)


def recipes_in(root: Path) -> list[tuple[Path, tuple[str | None, ...]]]:
    """The recipes below a folder and their profiles; hidden folders and data sets are left out."""
    from ...compiler.document import decode, parse_document
    from ...compiler.layers import profiles_of
    from ...compiler.nodes import Map

    found: list[tuple[Path, tuple[str | None, ...]]] = []
    for path in sorted((*root.rglob("*.yaml"), *root.rglob("*.yml"))):
        hidden = any(part.startswith(".") for part in path.relative_to(root).parts)
        copied = path.parent.name == "recipe" and (path.parent.parent / "run.json").is_file()
        if hidden or copied or not path.is_file():
            continue
        text, _ = decode(path.read_bytes(), str(path))
        if text is None or not re.search(r"^mashbill\s*:", text, re.MULTILINE):
            continue
        document, _ = parse_document(text, str(path))
        profiles = profiles_of(document) if isinstance(document, Map) else ()
        found.append((path, (None, *profiles)))
    return found
