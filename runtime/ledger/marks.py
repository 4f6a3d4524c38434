"""Which records of a ledger are meant: a bit of memory an entry, whatever the number of keys."""

from __future__ import annotations

from collections.abc import Iterable

from .packs import Pack
from .runs import Run
from .view import View


class Marks:
    """A set of keys, of which only those that a view holds are kept.

    One byte an entry of the index, so 5 MB for 5 million.
    """

    def __init__(self, view: View) -> None:
        self._indexes: tuple[tuple[Run | Pack, bytearray], ...] = tuple(
            (index, bytearray(len(index))) for index in view.indexes
        )
        self._tables = view.tables
        self._keys: set[bytes] = set()

    def add(self, keys: Iterable[bytes]) -> int:
        """Mark keys.

        Returns:
            How many of them the view does not hold.
        """
        absent = 0
        for key in keys:
            found = False
            for index, bits in self._indexes:
                at = index.keys.lower_bound(key)
                while at < len(index) and index.keys.key(at) == key:
                    bits[at] = found = True
                    at += 1
            if any(key in table.offsets for table in self._tables):
                self._keys.add(key)
                found = True
            absent += not found
        return absent

    def __contains__(self, key: object) -> bool:
        if not isinstance(key, bytes):
            return False
        if key in self._keys:
            return True
        for index, bits in self._indexes:
            at = index.keys.lower_bound(key)
            if at < len(index) and bits[at] and index.keys.key(at) == key:
                return True
        return False
