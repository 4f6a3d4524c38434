"""A recipe as git holds it at a revision: read by `git cat-file` alone, nothing of it is run.

Data is not read from git: sources are those of the working tree, as they are now.
"""

from __future__ import annotations

import os
import posixpath
import subprocess
from dataclasses import dataclass
from pathlib import Path

from ..compiler.world import OutsideError
from .project import RECIPE, Project

SECONDS = 30.0
LARGEST = 16 << 20
"""A file of a recipe at a revision is text for people; larger ones are refused."""


class RevisionError(Exception):
    """No such revision, or no recipe at it; the message says what to type."""


@dataclass(frozen=True, slots=True)
class Revision:
    """A recipe at a commit; a `World` of its files.

    Attributes:
        project: The same recipe in the working tree, for data and for paths.
        commit: Full hash.
        recipe: The recipe's path from the repository's root.
        label: As the user wrote it.
    """

    project: Project
    commit: str
    recipe: str
    label: str

    def text(self) -> bytes:
        """The recipe. Raises `FileNotFoundError`."""
        return self._blob(self.recipe)

    def read(self, path: str) -> str:
        """See `World.read`."""
        full = posixpath.normpath(posixpath.join(posixpath.dirname(self.recipe), path))
        if full.startswith(("../", "/")) or full == "..":
            raise OutsideError(f"{path} is outside the repository")
        return self._blob(full).decode("utf-8")

    def shown(self, path: str) -> str:
        """See `World.shown`."""
        folder = posixpath.dirname(self.recipe)
        return f"{self.label}:{posixpath.normpath(posixpath.join(folder, path))}"

    def match(self, pattern: str, *, typed: bool) -> tuple[str, ...]:
        """Data is not in git: the working tree's, or the pattern itself, since nothing is read."""
        try:
            return self.project.match(pattern, typed=typed) or (pattern,)
        except OutsideError:
            return (pattern,)

    def regex_problem(self, pattern: str) -> str | None:
        """See `World.regex_problem`."""
        return self.project.regex_problem(pattern)

    def _blob(self, path: str) -> bytes:
        found = _git(self.project.folder, "cat-file", "-s", f"{self.commit}:{path}")
        if found is None:
            raise FileNotFoundError(path)
        if int(found) > LARGEST:
            raise RevisionError(f"{path} is too large at {self.label}")
        data = _git(self.project.folder, "cat-file", "blob", f"{self.commit}:{path}")
        if data is None:
            raise FileNotFoundError(path)
        return data


def find_revision(project: Project, name: str) -> Revision | None:
    """The recipe at `REV` or `REV:path`; None if git knows no such revision.

    Args:
        project: The recipe in the working tree: without a path, the same one is meant.
        name: What the user typed.

    Raises:
        RevisionError: The revision holds no recipe there.
    """
    rev, _, path = name.partition(":")
    if not rev or rev.startswith("-"):
        return None
    commit = _git(
        project.folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{rev}^{{commit}}"
    )
    top = _git(project.folder, "rev-parse", "--show-toplevel")
    if commit is None or top is None:
        return None
    root = Path(top.decode().rstrip("\n"))
    if path:
        recipe = posixpath.normpath(path)
    else:
        try:
            recipe = project.recipe.resolve().relative_to(root.resolve()).as_posix()
        except ValueError:
            return None
    hash = commit.decode().strip()
    kind = _git(project.folder, "cat-file", "-t", f"{hash}:{recipe}")
    if kind is not None and kind.strip() == b"tree":
        recipe = posixpath.join(recipe, RECIPE)
    found = Revision(project, hash, recipe, rev)
    try:
        found.text()
    except FileNotFoundError as error:
        raise RevisionError(f"there is no {recipe} at {rev}") from error
    return found


def _git(folder: Path, *arguments: str) -> bytes | None:
    """What a git command prints; None if it fails, or there is no git."""
    command = ["git", "-C", str(folder), "--no-pager", "-c", "core.fsmonitor=false", *arguments]
    try:
        done = subprocess.run(
            command,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0", "GIT_NO_LAZY_FETCH": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
