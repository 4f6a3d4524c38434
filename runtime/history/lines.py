"""The file `.mashbill/history.jsonl`: a line a step of each run, appended as the run ends.

A line is one write; a torn one, as a kill leaves it, is passed over, and the next begins on a line
of its own. Beyond `MOST_LINES` the oldest half is let go. The file is a memory, not a record: a
project without it estimates as a new one does.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..runs import write_whole
from .keys import Key

HISTORY = "history.jsonl"
LOCK = "history.lock"
MOST_LINES = 10_000


@dataclass(frozen=True, slots=True)
class Line:
    """What a run showed of a step.

    Attributes:
        run: Its id.
        time: When it ended, in seconds since 1970.
        step: By its name.
        key: What the step is like.
        rows: Rows that new replies alone settled.
        calls: Calls by unit of such a row, of the step's own model.
        reply: Tokens of a reply.
        prompt: Tokens of a prompt.
        rows_out: Rows out by row in.
        seconds: Time between sending and reply of a call, of the step's own model.
    """

    run: str
    time: float
    step: str
    key: Key
    rows: int
    calls: float
    reply: float
    prompt: float
    rows_out: float
    seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """As the file holds it."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Line:
        """Read one; keys that this version does not know are passed over.

        Raises:
            TypeError: What is no line, as `KeyError`, `ValueError` and `AttributeError`.
        """
        key = Key(**{k: str(value["key"][k]) for k in Key.__dataclass_fields__})
        names = ("time", "calls", "reply", "prompt", "rows_out", "seconds")
        numbers = {k: float(value[k]) for k in names}
        return cls(
            run=str(value["run"]),
            step=str(value["step"]),
            key=key,
            rows=int(value["rows"]),
            **numbers,
        )


def read_lines(state: Path) -> list[Line]:
    """All lines, the oldest first; none without a file. What cannot be read is passed over.

    Args:
        state: The project's `.mashbill`.
    """
    return list(_parsed(_raw(state)))


def append_lines(state: Path, lines: Sequence[Line]) -> None:
    """Add lines. Raises `OSError`.

    Args:
        state: The project's `.mashbill`.
        lines: Of one run, or of many.
    """
    if not lines:
        return
    text = b"".join(json.dumps(line.to_json()).encode() + b"\n" for line in lines)
    with _locked(state):
        with (state / HISTORY).open("ab+", buffering=0) as out:
            if out.tell():
                out.seek(-1, 2)
                text = text if out.read(1) == b"\n" else b"\n" + text
            out.write(text)
        raw = _raw(state)
        if len(raw) > MOST_LINES:
            kept = [r.decode("utf-8", "replace") for r in raw[-MOST_LINES // 2 :]]
            write_whole(state / HISTORY, "\n".join(kept) + "\n")


def _raw(state: Path) -> list[bytes]:
    try:
        return (state / HISTORY).read_bytes().splitlines()
    except OSError:
        return []


def _parsed(raw: Sequence[bytes]) -> Iterator[Line]:
    for text in raw:
        try:
            yield Line.from_json(json.loads(text))
        except (TypeError, KeyError, ValueError, AttributeError):
            continue


@contextmanager
def _locked(state: Path) -> Iterator[None]:
    """Two runs that end together must not lose each other's lines when one lets old ones go."""
    with (state / LOCK).open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
