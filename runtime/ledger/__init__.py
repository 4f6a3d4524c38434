"""The ledger: an append-only record of every completion ever paid for.

On disk, under one folder:

- `segments/<2 hex>/<name>.seg`: framed, checksummed records, written by one process each and never
  edited by another (`segments.py`, `framing.py`).
- `index/<name>.run`: sorted 16-byte keys with 8-byte places, 24 bytes a draw, mapped by readers
  (`runs.py`). A run is derived from segments and is also their seal: it states where each ends.
- `index.lock`: held by whoever seals the segments of dead writers or merges runs.
"""

from .entries import Entry
from .keys import key_of
from .ledger import Ledger, LedgerError, LedgerStats
from .verify import Problem

__all__ = ["Entry", "Ledger", "LedgerError", "LedgerStats", "Problem", "key_of"]
