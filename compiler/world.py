"""What the compiler is handed from outside, since it opens no file and asks no system itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


class OutsideError(Exception):
    """A path leaves the recipe's project."""


class World(Protocol):
    """Files of the recipe's project, and judgements that need a library of the runtime."""

    def read(self, path: str) -> str:
        """Text of a file of the recipe.

        Raises:
            FileNotFoundError: No such file.
            OutsideError: The path, links followed, leaves the project.
            UnicodeDecodeError: The file is not UTF-8.
        """
        ...

    def shown(self, path: str) -> str:
        """The path as the user should see it."""
        ...

    def match(self, pattern: str, *, typed: bool) -> tuple[str, ...]:
        """Files that a source's path names, sorted; `typed` patterns start from the current folder.

        Raises:
            OutsideError: The path leaves the project and was not typed by the user.
        """
        ...

    def regex_problem(self, pattern: str) -> str | None:
        """Why the runtime's regular expressions refuse a pattern; None if they take it."""
        ...


@dataclass(frozen=True, slots=True)
class Pins:
    """What the runtime found out about models and data, for identity. Absent names are unpinned.

    Attributes:
        models: Model name to the digest of weights, tokenizer and chat template.
        sources: Source name to the digest of its manifest.
    """

    models: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
