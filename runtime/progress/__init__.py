"""Progress of a run: for people as it goes, for programs as events, for `status` as a file."""

from __future__ import annotations

from .journal import Journal, begin_journal, is_alive
from .snapshot import Snapshot
from .watch import listener, watcher

__all__ = ["Journal", "Snapshot", "begin_journal", "is_alive", "listener", "watcher"]
