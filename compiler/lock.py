"""`recipe.lock`: what a recipe rests on and does not say, one pin a line.

    mashbill-lock 1
    book operator rewrite@5
    book prompt 90c2f1… prompts/book.md.j2
    docs data 41aa07… docs.jsonl
    writer weights b179c9… local/smollm2-135m

A line is `name kind pin note`, and stands for itself: lines are sorted by name and hold neither
times nor absolute paths, so that two branches that pin different things merge line by line. git's
own `merge=union` does for the file; where both sides pinned the same thing differently, both lines
stay, `lock --check` names them, and `mashbill lock` writes the file anew without reading it.

A prompt is pinned by its canonical form, the one that identity rests on: a comment or a blank line
in a prompt file makes no lock stale. Notes are for people and are not compared.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from .suggest import nearest

FORMAT = 1
HEAD = f"mashbill-lock {FORMAT}"
ABOUT = """\
# What this recipe rests on, one pin a line. Made by `mashbill lock`; keep it in git.
# In .gitattributes, `recipe.lock merge=union` spares conflicts; `mashbill lock` mends any.
"""
OFFLINE = ("operator", "check", "package", "prompt")
"""Kinds of pins that can be compared without data and models."""

Key = tuple[str, str]
"""Name and kind."""


@dataclass(frozen=True, slots=True)
class Pin:
    """One thing that results rest on.

    Attributes:
        name: The recipe's name of the source, model or step.
        kind: `data`, `weights`, `tokenizer`, `template`, `prompt`, `operator`, `check.NAME` or
            `package.NAME`.
        value: A digest or a version, without spaces.
        note: For people: a path, a model.
    """

    name: str
    kind: str
    value: str
    note: str = ""

    @property
    def key(self) -> Key:
        """Name and kind."""
        return self.name, self.kind

    @property
    def offline(self) -> bool:
        """Whether it can be compared without data and models."""
        return self.kind.partition(".")[0] in OFFLINE

    def __str__(self) -> str:
        return f"{self.name} {self.kind} {self.value} {self.note}".rstrip()


Pinned = Mapping[Key, Pin]


class LockError(Exception):
    """A lock that cannot be read; the message says where."""


def pinned(pins: Iterable[Pin]) -> dict[Key, Pin]:
    """Pins by name and kind, in the order of the file."""
    return {p.key: p for p in sorted(pins, key=lambda p: p.key)}


def write_lock(pins: Iterable[Pin]) -> str:
    """The text of a lock, the same for the same pins."""
    return "".join([ABOUT, f"{HEAD}\n", *(f"{pin}\n" for pin in pinned(pins).values())])


_LINE = re.compile(r"(?P<name>\S+) (?P<kind>\S+) (?P<value>\S+)(?: (?P<note>.*))?")
_CONFLICT = ("<<<<<<<", "=======", ">>>>>>>", "|||||||")


def read_lock(text: str) -> dict[Key, Pin]:
    """Read a lock.

    Raises:
        LockError: It is of another format, holds a conflict, or pins one thing twice.
    """
    found: dict[Key, Pin] = {}
    headed = False
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith(_CONFLICT):
            raise LockError(f"line {number}: a merge left a conflict here")
        if line.startswith("mashbill-lock"):
            if line.strip() != HEAD:
                raise LockError(f"line {number}: another version of mashbill wrote this lock")
            headed = True
            continue
        match = _LINE.fullmatch(line.rstrip())
        if not headed or match is None:
            raise LockError(f"line {number}: not a pin: {line.strip()[:40]}")
        pin = Pin(match["name"], match["kind"], match["value"], match["note"] or "")
        if pin.key in found and found[pin.key].value != pin.value:
            raise LockError(f"line {number}: {pin.name} {pin.kind} is pinned twice, differently")
        found[pin.key] = pin
    if not headed:
        raise LockError(f"line 1: a lock begins with `{HEAD}`")
    return found


@dataclass(frozen=True, slots=True)
class Stale:
    """A pin that no longer holds: changed `~`, not in the lock `+`, in the lock alone `-`."""

    symbol: Literal["~", "+", "-"]
    old: Pin | None
    new: Pin | None

    @property
    def pin(self) -> Pin:
        """What it is about."""
        found = self.new or self.old
        assert found is not None
        return found


def compare_pins(
    locked: Pinned,
    now: Pinned,
    *,
    unknown: Iterable[str] = (),
    offline: bool = False,
    overlaid: bool = False,
) -> tuple[Stale, ...]:
    """The entries that differ, in the order of the lock.

    Args:
        locked: What the lock says.
        now: What holds.
        unknown: Names of sources and models about which nothing could be found out.
        offline: Compare only what needs no data and no model.
        overlaid: A profile or `--set` is in force. What it puts in the place of something else
            is not what the lock speaks of, so only things of the same note are compared.
    """
    skipped = set(unknown)
    found: list[Stale] = []
    for key in sorted({*locked, *now}):
        old, new = locked.get(key), now.get(key)
        pin = new or old
        assert pin is not None
        if offline and not pin.offline:
            continue
        if new is None and pin.name in skipped and not pin.offline:
            continue
        if overlaid and (old is None or new is None or old.note != new.note):
            continue
        if old is None or new is None or old.value != new.value:
            found.append(Stale("+" if old is None else "-" if new is None else "~", old, new))
    return tuple(found)


def upgraded(locked: Pinned, now: Pinned, name: str) -> dict[Key, Pin] | None:
    """The lock with the pins of one thing as they are now, all others as they were.

    Args:
        locked: What the lock says.
        now: What holds.
        name: A source, model or step; or a package, wherever it stands.

    Returns:
        None if nothing is called that.
    """

    def meant(key: Key) -> bool:
        return name in (key[0], f"{key[0]}.{key[1]}") or key[1] == f"package.{name}"

    if not any(meant(key) for key in (*locked, *now)):
        return None
    kept = {k: p for k, p in locked.items() if not meant(k)}
    return pinned([*kept.values(), *(p for k, p in now.items() if meant(k))])


def suggestion(locked: Pinned, now: Pinned, name: str) -> str | None:
    """The name in a lock that was probably meant."""
    return nearest(name, sorted({key[0] for key in (*locked, *now)}))


def show_stale(stale: Iterable[Stale], *, writing: bool = False) -> list[str]:
    """A line an entry: `~ prompt  book  90c2f1a… → e41b77c…  prompts/book.md.j2`.

    Args:
        stale: What differs.
        writing: Whether the lock is being written; else it says which side lacks an entry.
    """
    rows = [(s.symbol, s.pin.kind, s.pin.name, _values(s, writing), _note(s)) for s in stale]
    sizes = [max((len(r[i]) for r in rows), default=0) for i in range(5)]
    return [
        "  " + "  ".join(c.ljust(n) for c, n in zip(row, sizes, strict=True)).rstrip()
        for row in rows
    ]


def _values(stale: Stale, writing: bool) -> str:
    old, new = stale.old, stale.new
    if old and new:
        return f"{_short(old.value)} → {_short(new.value)}"
    if writing:
        return _short(stale.pin.value)
    return f"{_short(stale.pin.value)} ({'not in the lock' if new else 'in the lock alone'})"


def _short(value: str) -> str:
    digest = re.fullmatch(r"[0-9a-f]{16,}", value)
    return f"{value[:7]}…" if digest else value


def _note(stale: Stale) -> str:
    old, new = stale.old, stale.new
    if old and new and old.note != new.note and new.kind == "weights":
        return f"{old.note} → {new.note}"
    return stale.pin.note
