"""Lines from all over a set of files, without reading more than is needed.

Up to 256 MB (unpacked) everything is read and lines are drawn evenly. Beyond that, windows as wide
as a mean line are laid at random places, one to a stratum, and the lines that *begin* in a window
are drawn: so long lines and short ones are equally likely, where "the line at a random byte" would
favour long ones, and "the next line" those behind long ones. A packed file cannot be entered in the
middle: it is unpacked from its start, up to its share of 256 MB, and windows lie over that part.
Lines are not parsed here.
"""

from __future__ import annotations

import heapq
import random
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import xxhash

from .lines import BOM, MAX_LINE, packing, read_blocks

ALL = 256 << 20
PACKED = 256 << 20
PROBES = 64


@dataclass(frozen=True, slots=True)
class Line:
    """A drawn line: the index of its file, its place in it (only for order) and its bytes."""

    file: int
    at: int
    raw: bytes


@dataclass(frozen=True, slots=True)
class Picked:
    """Drawn lines in the order of the files, and the size of all.

    Attributes:
        lines: Blank ones left out.
        count: Lines of all files, blank ones left out; an estimate unless `exact`.
        bytes: Unpacked bytes of all files; an estimate unless `exact`.
        exact: Whether everything was read.
    """

    lines: tuple[Line, ...]
    count: int
    bytes: int
    exact: bool


@dataclass(frozen=True, slots=True)
class Probe:
    """Estimated unpacked bytes and lines of one file, and whether it is packed."""

    bytes: int
    lines: float
    packed: bool


def probe_files(files: Sequence[Path]) -> list[Probe]:
    """Estimate the size of each file from about a megabyte of at most 64 of them."""
    sizes = [f.stat().st_size for f in files]
    every = -(-len(files) // PROBES) if files else 1
    found: list[Probe] = []
    known: dict[bool, tuple[float, float]] = {}
    for i, path in enumerate(files):
        packed = packing(path) != "plain"
        if i % every == 0 or packed not in known:
            known[packed] = (
                _packed_density(path) if packed else (1.0, _plain_density(path, sizes[i]))
            )
        ratio, mean = known[packed]
        size = round(sizes[i] * ratio)
        found.append(Probe(size, size / mean, packed))
    return found


def _packed_density(path: Path) -> tuple[float, float]:
    """Unpacked bytes for each byte on disk, and mean bytes of a line, at the beginning."""
    block = next((b for b in read_blocks(path) if b.lines), None)
    if block is None:
        return 1.0, 1.0
    unpacked = sum(len(raw) + 1 for raw in block.lines)
    return unpacked / max(1, block.done), unpacked / len(block.lines)


def _plain_density(path: Path, size: int) -> float:
    """Mean bytes of a line, from eight places."""
    ends = read = 0
    with path.open("rb") as file:
        for k in range(8):
            file.seek(size * k // 8)
            part = file.read(min(1 << 17, size // 8 + 1))
            ends += part.count(b"\n")
            read += len(part)
    return read / max(1, ends) if read else 1.0


def pick_lines(files: Sequence[Path], n: int, *, seed: int) -> Picked:
    """Draw about `n` lines from all over the files; the same seed draws the same ones."""
    probes = probe_files(files)
    if sum(p.bytes for p in probes) <= ALL:
        return _pick_evenly(files, n, seed)
    rng = random.Random(seed)
    total = sum(p.lines for p in probes)
    share = min(1.0, PACKED / max(1, sum(p.bytes for p in probes if p.packed)))
    # Strata run over all files as over one, so that small files share one window between them.
    draws = [k + rng.random() for k in range(n)]
    lines: list[Line] = []
    count, size, at = 0.0, 0, 0.0
    for i, (path, probe) in enumerate(zip(files, probes, strict=True)):
        first, at = at, at + probe.lines / total * n
        inside = draws[bisect_left(draws, first) : bisect_left(draws, at)]
        places = [(d - first) / (at - first) for d in inside]
        width = 1 / max(1.0, probe.lines)
        read = _pick_packed if probe.packed else _pick_plain
        drawn, found, length = read(path, places, width, share)
        lines += [Line(i, where, raw) for where, raw in drawn]
        size += length or probe.bytes
        count += found or probe.lines
    if len(lines) > n:
        lines = [lines[k] for k in sorted(rng.sample(range(len(lines)), n))]
    return Picked(tuple(lines), round(count), size, False)


def _pick_evenly(files: Sequence[Path], n: int, seed: int) -> Picked:
    """The n lines with the smallest hash of seed and place."""
    heap: list[tuple[int, int, int, bytes]] = []
    count = size = 0
    digest = xxhash.xxh3_64_intdigest
    for i, path in enumerate(files):
        for block in read_blocks(path):
            for number, raw in enumerate(block.lines, block.first):
                size += len(raw) + 1
                if not raw or raw.isspace():
                    continue
                count += 1
                rank = -digest(b"%d:%d" % (i, number), seed & (2**64 - 1))
                if len(heap) < n:
                    heapq.heappush(heap, (rank, i, number, raw))
                elif heap and rank > heap[0][0]:
                    heapq.heapreplace(heap, (rank, i, number, raw))
    lines = sorted((i, number, raw) for _, i, number, raw in heap)
    return Picked(tuple(Line(*line) for line in lines), count, size, True)


Drawn = tuple[list[tuple[int, bytes]], float, int]
"""Places and lines; lines and unpacked bytes of the file, 0 where nothing new is known of them."""


def _pick_plain(path: Path, places: Sequence[float], width: float, _: float) -> Drawn:
    size = path.stat().st_size
    span = max(1, round(width * size))
    found: dict[int, bytes] = {}
    starts = 0
    with path.open("rb") as file:
        for place in places:
            at = int(place * size)
            # A window over the end goes on at the beginning, or the first lines would be rare.
            for begin, end in ((at, min(size, at + span)), (0, at + span - size)):
                starts += _lines_from(file, begin, end, found) if begin < end else 0
    drawn = [(at, raw) for at, raw in sorted(found.items()) if raw and not raw.isspace()]
    return drawn, starts * size / (span * len(places)) if places else 0.0, size


def _lines_from(file: BinaryIO, begin: int, end: int, found: dict[int, bytes]) -> int:
    """Add the lines that begin in `[begin, end)`; how many there are."""
    count = 0
    if begin:
        file.seek(begin - 1)
        file.readline(MAX_LINE)
    else:
        file.seek(0)
    while (at := file.tell()) < end:
        raw = file.readline(MAX_LINE).removesuffix(b"\n")
        found[at] = raw.removeprefix(BOM) if at == 0 else raw
        count += 1
    return count


def _pick_packed(path: Path, places: Sequence[float], width: float, share: float) -> Drawn:
    """Windows over the packed bytes, the nearest thing to places of the text."""
    if not places:
        return [], 0.0, 0
    size = path.stat().st_size
    stop = size * share
    windows = [p * stop for p in places]
    span = width * size
    drawn: list[tuple[int, bytes]] = []
    unpacked = lines = done = 0
    for block in read_blocks(path):
        before, done = done, block.done
        length = sum(len(raw) + 1 for raw in block.lines)
        at = 0
        for number, raw in enumerate(block.lines, block.first):
            where = before + (done - before) * at / length
            at += len(raw) + 1
            k = bisect_right(windows, where) - 1
            inside = where - windows[k] < span if k >= 0 else where + stop - windows[-1] < span
            if inside and raw and not raw.isspace():
                drawn.append((number, raw))
        unpacked, lines = unpacked + length, lines + len(block.lines)
        if done >= stop:
            break
    scale = size / max(1, done)
    return drawn, lines * scale, round(unpacked * scale)
