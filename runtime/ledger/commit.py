"""Group commit: one write and one fsync for all records that arrive close together.

The method is that of databases since DeWitt et al., "Implementation techniques for main memory
database systems" (1984).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future

from .framing import HEAD_BYTES, Packed

GROUP_BYTES = 1 << 20


class Committer:
    """A thread that gathers records and hands them over in groups.

    Args:
        write: Makes a group durable; what it raises is raised to everyone who waits for the group.
        window: Seconds that the first record of a group waits for others; a group of `GROUP_BYTES`
            or one that somebody is blocked on goes at once.
    """

    def __init__(self, write: Callable[[list[Packed]], None], window: float) -> None:
        self._write, self._window = write, window
        self._changed = threading.Condition()
        self._waiting: list[tuple[Packed, Future[None]]] = []
        self._bytes = 0
        self._urgent = self._closed = False
        self._thread = threading.Thread(target=self._run, name="ledger-commit", daemon=True)
        self._thread.start()

    def submit(self, *records: Packed, urgent: bool = False) -> list[Future[None]]:
        """Queue records; each future is done once its record is durable.

        Raises:
            ValueError: After `close`.
        """
        futures: list[Future[None]] = [Future() for _ in records]
        for future in futures:
            # Whoever gives up waiting does not undo what was paid for.
            future.set_running_or_notify_cancel()
        with self._changed:
            if self._closed:
                raise ValueError("the ledger is closed")
            self._waiting += zip(records, futures, strict=True)
            self._bytes += sum(HEAD_BYTES + len(r.body) for r in records)
            self._urgent |= urgent
            self._changed.notify()
        return futures

    def close(self) -> None:
        """Commit what waits, and stop."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while group := self._gather():
            failure: BaseException | None = None
            try:
                self._write([packed for packed, _ in group])
            except BaseException as error:
                failure = error
            for _, future in group:
                if failure is None:
                    future.set_result(None)
                else:
                    future.set_exception(failure)

    def _gather(self) -> list[tuple[Packed, Future[None]]]:
        """Wait for a group; empty once closed."""
        with self._changed:
            while not self._waiting and not self._closed:
                self._changed.wait()
            deadline = time.monotonic() + self._window
            while not (self._urgent or self._closed or self._bytes >= GROUP_BYTES):
                left = deadline - time.monotonic()
                if left <= 0:
                    break
                self._changed.wait(left)
            group, self._waiting = self._waiting, []
            self._bytes, self._urgent = 0, False
            return group
