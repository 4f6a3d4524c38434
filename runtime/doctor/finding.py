"""One line of the doctor's report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, and how it is.

    Attributes:
        level: ok; warn where something will be slower or weaker; fail where it will not work.
        what: What was looked at, in a word or two.
        said: How it is.
        help: What to type or do about it; empty where there is nothing to do.
    """

    level: Level
    what: str
    said: str
    help: str = ""
