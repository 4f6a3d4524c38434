"""The garbage collector while a run goes.

A run makes many objects that live for one row, and hardly any cycles. As Python sets it, the
collector goes through all that the program has loaded again and again.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

SELDOM = (20_000, 50, 100)


@contextmanager
def collecting_seldom() -> Iterator[None]:
    """Leave alone what is there already, and look less often at what comes."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(*SELDOM)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
