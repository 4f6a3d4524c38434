"""Collecting garbage: completions that no kept run and no present recipe refers to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .compaction import Keep, Removed, compact_folder, removable
from .framing import Head
from .layout import alone
from .marks import Marks
from .needs import RunNeeds, needs_of_recipe, needs_of_runs, recipes_in
from .notes import noted
from .view import View, survey


def note_recipes(root: Path, folder: Path) -> list[Path]:
    """Note what the recipes below a folder would ask for, under each of their profiles.

    Args:
        root: The project's.
        folder: Where to put the notes.

    Raises:
        UnknownNeedsError: If that of one cannot be found out.
    """
    from ..api import Recipe
    from ..project import Project

    made: list[Path] = []
    for path, profiles in recipes_in(root):
        for profile in profiles:
            made.append(folder / f"{len(made)}.keys")
            needs_of_recipe(Recipe(Project(path, root), profile), made[-1])
    return made


def collect(
    state: Path, recipes: Sequence[Path], since: int, *, remove: bool
) -> tuple[Removed, RunNeeds]:
    """Find what nothing refers to, and remove it.

    Args:
        state: The project's `.mashbill`.
        recipes: What `note_recipes` noted.
        since: When it began to, Unix nanoseconds; what was committed later is kept.
        remove: Whether to remove it; the ledger is compacted then.

    Returns:
        What is or would be removed, and what the runs said.

    Raises:
        LedgerError: If another process uses the ledger, and it is to be removed.
        OSError: If the disk is full; nothing is lost that something refers to.
    """
    folder = state / "ledger"
    if not remove:
        view = _read(folder)
        runs, keep = _kept(state, recipes, since, view)
        found, _ = removable(folder, view, keep)
        view.close()
        return found, runs
    with alone(folder):
        view = _read(folder)
        runs, keep = _kept(state, recipes, since, view)
        removed = compact_folder(folder, keep)
        view.close()
        return removed, runs


def _read(folder: Path) -> View:
    view = survey(folder, View())
    for table in view.tables:
        table.read_on(folder)
    return view


def _kept(state: Path, recipes: Sequence[Path], since: int, view: View) -> tuple[RunNeeds, Keep]:
    marks, runs = Marks(view), needs_of_runs(state)
    for path in (*runs.notes, *recipes):
        marks.add(noted(path))

    def keep(head: Head) -> bool:
        return head.key in marks or not runs.until < head.committed < since

    return runs, keep
