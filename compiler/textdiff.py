"""Lines that were added to and taken out of the files of a prompt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any


@dataclass(frozen=True, slots=True)
class Line:
    """A line that only one side has.

    Attributes:
        sign: `+` or `-`.
        number: Its number there, from 1.
        text: Without its end.
        at: Where it begins to differ from the line whose place it takes.
    """

    sign: str
    number: int
    text: str
    at: int = 0


@dataclass(frozen=True, slots=True)
class FileDiff:
    """What changed in a file; `path` is that of the new side, if there is one."""

    path: str
    lines: tuple[Line, ...]

    @property
    def added(self) -> int:
        """Lines that only the new side has."""
        return sum(line.sign == "+" for line in self.lines)

    @property
    def removed(self) -> int:
        """Lines that only the old side has."""
        return sum(line.sign == "-" for line in self.lines)

    def __str__(self) -> str:
        return f"{self.path}  +{self.added} -{self.removed}"


def diff_prompts(
    old: Mapping[str, Any] | None, new: Mapping[str, Any] | None
) -> tuple[FileDiff, ...]:
    """Compare the files of two prompts, `{path, files}`; a moved prompt with where it was."""
    before = dict((old or {}).get("files") or {})
    after = dict((new or {}).get("files") or {})
    if old and new and old["path"] != new["path"] and old["path"] not in after:
        before[new["path"]] = before.pop(old["path"], "")
    found = [
        FileDiff(path, diff_lines(before.get(path, ""), after.get(path, "")))
        for path in sorted({*before, *after})
    ]
    return tuple(f for f in found if f.lines)


def diff_lines(old: str, new: str) -> tuple[Line, ...]:
    """Lines that differ, in order; of a replaced block first the old ones."""
    a, b = old.splitlines(), new.splitlines()
    found: list[Line] = []
    for tag, i, i_end, j, j_end in SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if tag != "equal":
            at = [_alike(x, y) for x, y in zip(a[i:i_end], b[j:j_end], strict=False)]
            at += [0] * (max(i_end - i, j_end - j) - len(at))
            found += [Line("-", n + 1, a[n], at[n - i]) for n in range(i, i_end)]
            found += [Line("+", n + 1, b[n], at[n - j]) for n in range(j, j_end)]
    return tuple(found)


def _alike(a: str, b: str) -> int:
    """How many characters two lines begin with in common."""
    shortest = min(len(a), len(b))
    return next((i for i in range(shortest) if a[i] != b[i]), shortest)
