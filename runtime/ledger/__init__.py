"""The ledger: an append-only record of every completion ever paid for.

On disk, under one folder:

- `segments/<2 hex>/<name>.seg`: framed, checksummed records, written by one process each and never
  edited by another (`segments.py`, `framing.py`).
- `index/<name>.run`: sorted 16-byte keys with 8-byte places, 24 bytes a draw, mapped by readers
  (`runs.py`). A run is derived from segments and is also their seal: it states where each ends.
- `packs/<name>.pack`: what compaction makes of sealed segments: smaller, and with their own index
  (`packs.py`, `compaction.py`).
- `index.lock`: held by whoever seals the segments of dead writers, merges runs or makes packs.
- `use.lock`: shared by all who use the ledger; `ledger gc` wants it alone.
"""

from .compaction import Removed
from .entries import Entry
from .keys import key_of
from .layout import LedgerError
from .ledger import Ledger, LedgerStats
from .notes import NOTES
from .verify import Problem

__all__ = [
    "NOTES",
    "Entry",
    "Ledger",
    "LedgerError",
    "LedgerStats",
    "Problem",
    "Removed",
    "key_of",
]
