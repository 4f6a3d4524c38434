"""The ledger as the rest of the runtime meets it: put, get, and what it adds up to."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self

from .claims import LINGER_SECONDS, Claims
from .commit import Committer
from .compaction import compact_folder
from .entries import Entry, usable
from .framing import Packed, pack, read_entry
from .layout import LedgerError, join
from .notes import Notes
from .runs import seal
from .segments import SEAL_RECORDS, OpenSegments, OwnSegment
from .verify import Problem, audit
from .view import View, survey, tidy

__all__ = ["Ledger", "LedgerError", "LedgerStats"]

COMMIT_WINDOW = 0.05
SEAL_BYTES = 64 << 20
REFRESH_SECONDS = 0.25
"""How often a writer that misses something looks what others have committed, at most …"""
REFRESH_SHARE = 0.02
"""… and which share of its time that may take."""


@dataclass(frozen=True, slots=True)
class LedgerStats:
    """What a ledger holds; `bytes` is its size on disk, index included."""

    completions: int
    prompt_tokens: int
    completion_tokens: int
    bytes: int
    segments: int
    packs: int = 0


class Ledger:
    """Every completion ever paid for. Made by `Ledger.open`; safe to use from several threads.

    A record is found in this object once its `put` has returned. What other living processes
    commit is found after `refresh`, which a ledger for writing does by itself, now and then, where
    it misses something.
    """

    def __init__(
        self, folder: Path, *, write: bool, window: float, seal_bytes: int, notes: Path | None
    ) -> None:
        self.folder = folder
        self._seal_bytes = seal_bytes
        self._guard = threading.Lock()  # over replacing the view, and reading tables on
        self._own: OwnSegment | None = None
        self._view = View()
        self._segments = OpenSegments(folder)
        self._claims, self._changes = Claims(folder), 0
        self._write, self._news, self._looked, self._next_look = write, 0, 0.0, 0.0
        self._closed = False
        self._use = join(folder, write=write)
        try:
            if write:
                tidy(folder)
            self.refresh()
            self._notes = None if notes is None else Notes(notes)
        except BaseException:
            self._leave()
            raise
        self._committer = Committer(self._commit, window) if write else None

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        write: bool = True,
        window: float = COMMIT_WINDOW,
        seal_bytes: int = SEAL_BYTES,
        notes: Path | None = None,
    ) -> Self:
        """Open a ledger, or for writing begin one.

        Args:
            folder: Where it lies; for reading it may be missing, which is an empty ledger.
            write: Whether records will be put. Segments that killed writers left are then sealed.
            window: Seconds that a record may wait for others to be committed with.
            seal_bytes: Size at which a segment is sealed and another begun.
            notes: A file in which to note the keys of all completions that are found or put.

        Raises:
            LedgerError: If a Mashbill with another ledger format wrote it, or `ledger gc` is at
                work there.
            OSError: If it cannot be read.
        """
        return cls(folder, write=write, window=window, seal_bytes=seal_bytes, notes=notes)

    def get(self, key: bytes, max_tokens: int) -> Entry | None:
        """The completion that answers a request, or None: the first committed of the usable ones.

        A damaged record is never returned.

        Raises:
            ValueError: After `close`.
        """
        if self._closed:
            raise ValueError("the ledger is closed")
        found = self._find(key, max_tokens)
        if found is None and self._look_again():
            found = self._find(key, max_tokens)
        if found is not None and self._notes:
            self._notes.add(key)
        return found

    def _find(self, key: bytes, max_tokens: int) -> Entry | None:
        view, found, gone = self._view, None, False
        for name, offset in set(view.find(key)):
            frame = view.read(self._segments, name, offset)
            if frame and frame[0].key != key:
                self._segments.forget(name)
                frame = view.read(self._segments, name, offset)
            if frame is None:
                gone = True
                continue
            head, data = frame
            if head.key == key and usable(
                head.finish, head.completion_tokens, head.max_tokens, max_tokens
            ):
                place = (head.committed, name, offset)
                if found is None or place < found[0]:
                    found = place, head, data
        if found is not None:
            (_, name, _), head, data = found
            return read_entry(head, view.raw(name, head, data))
        if gone:  # damaged, or packed by another process meanwhile
            self.refresh()
            if self._view.by_name.keys() != view.by_name.keys():
                return self._find(key, max_tokens)
        return None

    def get_many(self, asks: Iterable[tuple[bytes, int]]) -> list[Entry | None]:
        """`get` for each key and limit, in their order; looked up in the order of the index."""
        asked = list(asks)
        found: list[Entry | None] = [None] * len(asked)
        for i in sorted(range(len(asked)), key=lambda i: asked[i][0]):
            found[i] = self.get(*asked[i])
        return found

    async def put(self, entry: Entry) -> None:
        """Record a completion; returns once it is durable, even if the machine loses power.

        Raises:
            OSError: If its group could not be written, as on a full disk: nothing of the group is
                recorded, what was before stays readable, and a later put may succeed.
            ValueError: For an entry that no record can hold, or after `close`.
        """
        (future,) = self._writer.submit(pack(entry))
        await asyncio.wrap_future(future)

    def put_sync(self, *entries: Entry) -> None:
        """`put` for code without an event loop: commits all entries in one group, without waiting.

        Raises:
            OSError: As `put`.
            ValueError: As `put`.
        """
        for future in self._writer.submit(*map(pack, entries), urgent=True):
            future.result()

    def refresh(self) -> None:
        """See what other processes have committed since."""
        with self._guard:
            began, old = time.monotonic(), self._view
            view = survey(self.folder, old)
            own = self._own and self._own.table
            ends = [(t, t.extent.end) for t in old.tables if t is not own]
            for table in view.tables:
                if table is not own:
                    table.read_on(self.folder)
            self._view = view
            grown = ends != [(t, t.extent.end) for t in view.tables if t is not own]
            if grown or (view.runs, view.packs) != (old.runs, old.packs):
                self._news += 1
            # Of what was committed from here on, nothing is known to have been seen.
            self._looked, now = began, time.monotonic()
            self._next_look = now + max(REFRESH_SECONDS, (now - began) / REFRESH_SHARE)

    def claim(self, key: bytes, max_tokens: int) -> Entry | bool:
        """Take it upon this process to pay for a request, just before it is sent.

        Returns:
            True if nobody else does: send it, put its completion, and `release` it, whatever came
            of it. False if another living process has it under way: claim it again in a while. Or
            the completion, if another process has committed it meanwhile.

        Raises:
            ValueError: After `close`, or for a ledger opened for reading.
        """
        _ = self._writer
        try:
            mine = self._claims.take(key)
        except OSError:  # a full disk; what it is for is worth more than a claim
            return True
        changes = self._claims.changes
        old = self._claims.shared and time.monotonic() - self._looked > LINGER_SECONDS / 2
        if changes != self._changes or old:
            self._changes = changes
            with suppress(OSError, LedgerError):
                self.refresh()
        # Always, since what was refreshed for another key may hold the answer to this one.
        found = self.get(key, max_tokens)
        if found is not None and mine:
            self._claims.give_back(key)
        return mine if found is None else found

    def release(self, key: bytes) -> None:
        """Undo `claim`, also where that gave nothing.

        Others see it for a while longer, until they have seen what was committed.
        """
        self._claims.give_back(key)

    @property
    def news(self) -> int:
        """A number that changes when completions of other processes were found.

        It looks for them, now and then. Who has looked something up and waits before paying for it
        looks it up again where the number has changed since.
        """
        self._look_again()
        return self._news

    def _look_again(self) -> bool:
        """Refresh if the last time is some time ago; whether something was found."""
        if not self._write or self._closed or time.monotonic() < self._next_look:
            return False
        known = self._news
        with suppress(OSError, LedgerError):
            self.refresh()
        return self._news != known

    def compact(self) -> None:
        """Merge all index runs into one, and make packs of sealed segments.

        After very large runs it makes the ledger smaller and lookups faster; it takes about a
        minute per million draws, and is safe beside other processes.

        Raises:
            LedgerError: If another process tidies the ledger.
            OSError: If the disk is full; nothing is lost.
        """
        compact_folder(self.folder)
        self.refresh()

    def stats(self) -> LedgerStats:
        """What it holds, as of opening or the last `refresh`, and what this process has put."""
        view = self._view
        loose = [e for name, e in view.extents.items() if name not in view.by_name]
        extents = view.extents
        return LedgerStats(
            completions=sum(e.completions for e in extents.values()),
            prompt_tokens=sum(e.prompt_tokens for e in extents.values()),
            completion_tokens=sum(e.completion_tokens for e in extents.values()),
            bytes=sum(e.end for e in loose) + sum(f.bytes for f in view.indexes),
            segments=len(loose),
            packs=len(view.packs),
        )

    def verify(self) -> list[Problem]:
        """Read everything and say what is damaged; slow. A killed writer's torn tail is no problem.

        Nothing is repaired: damaged records are never returned by `get`, so they are paid again.
        """
        return audit(self.folder)

    def close(self) -> None:
        """Commit what waits, seal this process's segment, and give up all files."""
        if self._closed:
            return
        self._closed = True
        if self._committer:
            self._committer.close()
            self._seal()
        self._leave()
        if self._notes:
            self._notes.close()

    def _leave(self) -> None:
        self._view.close()
        self._segments.close()
        self._claims.close()
        if self._use is not None:
            os.close(self._use)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def _writer(self) -> Committer:
        if self._committer is None:
            raise ValueError("the ledger was opened for reading")
        return self._committer

    def _commit(self, group: list[Packed]) -> None:
        if self._notes:  # first, so that no run has committed what it has not noted
            for packed in group:
                self._notes.add(packed.entry.key)
            self._notes.flush()
        self._append(group)

    def _append(self, group: list[Packed]) -> None:
        if self._own is None:
            with self._guard:
                self._own = OwnSegment(self.folder)
                self._view = replace(self._view, tables=(*self._view.tables, self._own.table))
        self._own.append(group)
        extent = self._own.table.extent
        if extent.end >= self._seal_bytes or extent.completions >= SEAL_RECORDS:
            self._seal()
            with suppress(OSError, LedgerError):  # the group is durable, whatever becomes of this
                tidy(self.folder)
                self.refresh()

    def _seal(self) -> None:
        """Seal the own segment; if the disk is full it stays as it is, for the next who opens."""
        own, self._own = self._own, None
        if own is None:
            return
        with suppress(OSError):
            run = seal(self.folder, own.table)
            with self._guard:
                tables = tuple(t for t in self._view.tables if t is not own.table)
                self._view = replace(self._view, runs=(*self._view.runs, run), tables=tables)
        own.close()
