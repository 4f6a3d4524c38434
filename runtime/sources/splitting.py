"""Files of lines or records as pools: plain ones are entered anywhere, packed ones are not."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .lines import packing
from .packed import Joiner, PackedPool
from .pools import Ceilings, Pool
from .remote import local
from .spec import Named
from .windows import Windows


def split_pools(
    cutter: Callable[[Sequence[Named]], Joiner],
    files: Sequence[Named],
    places: Sequence[int],
    ceilings: Ceilings,
) -> list[Pool]:
    """The pools of some files: at most one of plain files and one of packed ones.

    Raises:
        OSError: A file cannot be read.
    """
    paths = [local(f.path) for f in files]
    kinds = [packing(path) == "plain" for path in paths]
    made: list[Pool] = []
    for plain in (True, False):
        some = [i for i, kind in enumerate(kinds) if kind is plain]
        if not some:
            continue
        here, there = [paths[i] for i in some], [places[i] for i in some]
        cut = cutter([files[i] for i in some])
        shown = [files[i].shown for i in some]
        made.append(
            Windows(here, there, cut) if plain else PackedPool(here, there, shown, cut, ceilings)
        )
    return made
