"""The pairs of `cases/`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

CASES = Path(__file__).parent / "cases"
_LINE = re.compile(r"(?P<gold>.*?) {2,}(?P<sign>==|!=)(?: {2,}(?P<got>.*))?")


@dataclass(frozen=True, slots=True)
class Pair:
    """Two answers and whether they are equal."""

    kind: str
    gold: str
    got: str
    equal: bool

    @property
    def id(self) -> str:
        return f"{self.kind}: {self.gold[:30]} {'==' if self.equal else '!='} {self.got[:30]}"


def pairs() -> list[Pair]:
    """All pairs, in the order of their files."""
    made: list[Pair] = []
    for file in sorted(CASES.glob("*.txt")):
        for line in file.read_text("utf-8").splitlines():
            if line.startswith("# ") or not line:
                continue
            match = _LINE.fullmatch(line)
            assert match is not None, f"{file.name}: {line}"
            made.append(
                Pair(file.stem, match["gold"], (match["got"] or "").strip(), match["sign"] == "==")
            )
    return made
