"""One input of the compiler: the files of a recipe, a profile and settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from mashbill.compiler.world import OutsideError, World
from mashbill.runtime.project import Project
from tests.compiler.world import Memory

RECIPE = "recipe.yaml"


@dataclass(frozen=True, slots=True)
class Case:
    """What is compiled.

    Attributes:
        target: yaml, expressions or prompts.
        base: The valid recipe that it was made of.
        files: Its files by name.
        changed: The file that was mutated.
        profile: The profile that is asked for.
        sets: Arguments of `--set`.
        disk: A folder that holds the base, for paths that a real file system must judge.
    """

    target: str
    base: str
    files: Mapping[str, str]
    changed: str = RECIPE
    profile: str | None = None
    sets: tuple[str, ...] = ()
    disk: Path | None = None

    @property
    def text(self) -> str:
        """The file that was mutated."""
        return self.files[self.changed]

    def with_text(self, text: str) -> Case:
        """The same with another text of that file."""
        return replace(self, files={**self.files, self.changed: text})

    def world(self) -> World:
        """The project that the compiler sees."""
        if self.disk is None:
            return Memory(self.files)
        return Overlay(Project(self.disk / RECIPE, self.disk), self.files)


@dataclass(frozen=True, slots=True)
class Overlay:
    """A project on disk, over whose files others lie."""

    project: Project
    files: Mapping[str, str]

    def read(self, path: str) -> str:
        """See `World.read`; half of a surrogate pair is a byte that is no UTF-8."""
        if path not in self.files:
            return self.project.read(path)
        if path.startswith(("..", "/")):
            raise OutsideError(path)
        return self.files[path].encode("utf-8", "surrogatepass").decode("utf-8")

    def shown(self, path: str) -> str:
        """See `World.shown`."""
        return path if path in self.files else self.project.shown(path)

    def match(self, pattern: str, *, typed: bool) -> tuple[str, ...]:
        """See `World.match`."""
        return self.project.match(pattern, typed=typed)

    def regex_problem(self, pattern: str) -> str | None:
        """See `World.regex_problem`."""
        return self.project.regex_problem(pattern)
