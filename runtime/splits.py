"""Splits of the data set: which rows go to train, which to validation.

The document decides, so that whatever was made of one stays with it, and a hash of it, so that
neither the order of rows nor later rows move it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

import polars as pl

from .rows import uniform

WHOLE = "train"
"""Name of the only split where a recipe has none."""
_UNIT = 1 << 64


@dataclass(frozen=True, slots=True)
class Splits:
    """Shares of documents by name.

    Attributes:
        names: Sorted, so that they do not depend on the order of the recipe.
        ends: Where each one's range of hashes ends, as a share.
        seed: The recipe's.
    """

    names: tuple[str, ...]
    ends: tuple[float, ...]
    seed: int

    def name_of(self, doc: str) -> str:
        """The split of a document."""
        at = uniform(self.seed, "split", doc) / _UNIT
        return next((n for n, e in zip(self.names, self.ends, strict=True) if at < e), self.last)

    @property
    def last(self) -> str:
        """Where a hash goes that rounding leaves out."""
        return self.names[-1]

    def parts(self, frame: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
        """The rows of each split, in their order; those without any are left out."""
        if len(self.names) == 1:
            yield self.last, frame
            return
        of = {doc: self.name_of(doc) for doc in frame["_doc"].unique(maintain_order=True)}
        chosen = pl.Series([of[doc] for doc in frame["_doc"]], dtype=pl.String)
        for name in self.names:
            if (rows := frame.filter(chosen == name)).height:
                yield name, rows


def splits_of(shares: Mapping[str, float], seed: int) -> Splits:
    """The splits of a plan; one, `train`, where it has none."""
    names: Sequence[str] = sorted(shares) or [WHOLE]
    ends = tuple(accumulate(shares.get(n, 1.0) for n in names))
    return Splits(tuple(names), ends, seed)
