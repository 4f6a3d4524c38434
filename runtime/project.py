"""A recipe on disk: its folder, its project, and the files that it may reach."""

from __future__ import annotations

import glob
import os
from dataclasses import dataclass
from pathlib import Path

from ..compiler.world import OutsideError

STATE = ".mashbill"
RECIPE = "recipe.yaml"


class RecipeNotFoundError(Exception):
    """There is no recipe where one was expected."""


@dataclass(frozen=True, slots=True)
class Project:
    """Where a recipe stands.

    Attributes:
        recipe: The recipe file.
        root: The nearest folder above it that holds `.git` or `.mashbill`, else the recipe's own.
            Paths that the recipe writes are confined to it.
        allow_outside: Whether the user lifted that.
    """

    recipe: Path
    root: Path
    allow_outside: bool = False

    @property
    def folder(self) -> Path:
        """The recipe's folder; paths in the recipe start here."""
        return self.recipe.parent

    @property
    def lock(self) -> Path:
        """`recipe.lock` beside `recipe.yaml`."""
        return self.recipe.with_suffix(".lock")

    @property
    def state(self) -> Path:
        """Ledger and runs."""
        return self.root / STATE

    def confined(self, path: str) -> Path:
        """Resolve a path that the recipe wrote.

        Raises:
            OutsideError: It leaves the project, links followed.
        """
        full = self.folder / path
        if not self.allow_outside:
            real = full.resolve()
            if not real.is_relative_to(self.root.resolve()):
                raise OutsideError(f"{path} is outside the project ({self.shown_path(self.root)})")
        return full

    def shown_path(self, path: Path) -> str:
        """A path as the user would type it: relative to the current folder if that is shorter."""
        absolute = os.path.abspath(path)
        relative = os.path.relpath(absolute)
        return relative if not relative.startswith("../../..") else absolute

    def read(self, path: str) -> str:
        """See `World.read`."""
        return self.confined(path).read_bytes().decode("utf-8")

    def shown(self, path: str) -> str:
        """See `World.shown`."""
        return self.shown_path(self.folder / path)

    def match(self, pattern: str, *, typed: bool) -> tuple[str, ...]:
        """See `World.match`. Of an address nothing is asked before `plan`."""
        from .sources.remote import is_address

        if is_address(pattern):
            from .sources.locate import confine

            confine(self, pattern, typed=typed)
            return (pattern,)
        return tuple(str(p) for p in self.files(pattern, typed=typed))

    def files(self, pattern: str, *, typed: bool) -> tuple[Path, ...]:
        """Files that a source's path names, sorted by name.

        Raises:
            OutsideError: The path leaves the project and was not typed by the user.
        """
        base = Path.cwd() if typed else self.folder
        if not typed:  # before anything is listed out there
            self.confined(_fixed(pattern))
        found = sorted(glob.glob(pattern, root_dir=base, recursive=True))
        if not typed:
            for name in found or [pattern]:
                self.confined(name)
        return tuple(base / name for name in found if (base / name).is_file())

    def regex_problem(self, pattern: str) -> str | None:
        """See `World.regex_problem`."""
        from .frames import regex_problem

        return regex_problem(pattern)


def _fixed(pattern: str) -> str:
    """The folder that a pattern starts from: what stands before its first wildcard."""
    parts = Path(pattern).parts
    fixed = next((i for i, part in enumerate(parts) if glob.has_magic(part)), len(parts))
    return str(Path(*parts[:fixed]))


def find_project(path: str | Path | None = None, *, allow_outside: bool = False) -> Project:
    """Find the recipe that a path names: a file, a folder with `recipe.yaml`, or the current one.

    Raises:
        RecipeNotFoundError: Nothing is there; the message says what to type.
    """
    given = Path(path) if path is not None else Path()
    recipe = given / RECIPE if given.is_dir() else given
    if not recipe.is_file():
        where = f"{given}" if path is not None else "this folder"
        what = "no recipe.yaml in" if given.is_dir() else "no recipe at"
        raise RecipeNotFoundError(f"{what} {where}; name one: mashbill check FOLDER")
    folder = Path(os.path.abspath(recipe)).parent
    root = next(
        (p for p in (folder, *folder.parents) if (p / ".git").exists() or (p / STATE).is_dir()),
        folder,
    )
    return Project(Path(os.path.abspath(recipe)), root, allow_outside)
