"""Lines from all over a set of files, without reading more than is needed.

Up to 256 MB (unpacked) everything is read and lines are drawn evenly. Beyond that, each file gets a
share of the draws by its estimated lines. In a plain file, a draw is the line after a random place
of its stratum; the first line stands in for the one after the last. A packed file cannot be entered
in the middle: it is unpacked from its start, up to its share of 2 GB, and draws are spread evenly
over what was read. Lines are not parsed here.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import xxhash

from .lines import BOM, MAX_LINE, packing, read_blocks

ALL = 256 << 20
PACKED = 2 << 30
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
    """Estimate the size of each file from one megabyte of at most 64 of them."""
    sizes = [f.stat().st_size for f in files]
    every = max(1, len(files) // PROBES)
    found: list[Probe] = []
    ratio, mean = 1.0, 1.0
    for i, path in enumerate(files):
        if i % every == 0:
            ratio, mean = _density(path, sizes[i])
        size = round(sizes[i] * ratio)
        found.append(Probe(size, size / mean, ratio != 1.0))
    return found


def _density(path: Path, size: int) -> tuple[float, float]:
    """Unpacked bytes for each byte on disk, and bytes for each line."""
    block = next((b for b in read_blocks(path) if b.lines), None)
    if block is None:
        return 1.0, float(max(1, size))
    unpacked = sum(len(raw) + 1 for raw in block.lines)
    packed = packing(path) != "plain"
    return (unpacked / max(1, block.done) if packed else 1.0), unpacked / len(block.lines)


def pick_lines(files: Sequence[Path], n: int, *, seed: int) -> Picked:
    """Draw about `n` lines from all over the files; the same seed draws the same ones."""
    probes = probe_files(files)
    if sum(p.bytes for p in probes) <= ALL:
        return _pick_evenly(files, n, seed)
    rng = random.Random(seed)
    total = sum(p.lines for p in probes)
    budget = PACKED / max(1, sum(p.bytes for p in probes if p.packed))
    lines: list[Line] = []
    count, size, at = 0.0, 0, 0.0
    for i, (path, probe) in enumerate(zip(files, probes, strict=True)):
        # Strata run over all files as over one, so that small files share one draw between them.
        first, at = at, at + probe.lines / total * n
        places = [
            (k + rng.random() - first) / max(1e-9, at - first) for k in range(*_strata(first, at))
        ]
        places = [min(max(p, 0.0), 1.0) for p in places]
        read = _pick_packed if probe.packed else _pick_plain
        drawn, mean, length = read(path, places, min(1.0, budget))
        lines += [Line(i, where, raw) for where, raw in drawn]
        size += length or probe.bytes
        count += (length or probe.bytes) / (mean or probe.bytes / max(1.0, probe.lines))
    return Picked(tuple(lines), round(count), size, False)


def _strata(first: float, last: float) -> tuple[int, int]:
    return int(first), int(last)


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
"""Places and lines, mean bytes of a line, unpacked bytes of the file (0: not known)."""


def _pick_plain(path: Path, places: Sequence[float], _: float) -> Drawn:
    size = path.stat().st_size
    found: dict[int, bytes] = {}
    with path.open("rb") as file:
        for place in places:
            file.seek(int(place * size))
            file.readline(MAX_LINE)
            if file.tell() >= size:
                file.seek(0)
            start = file.tell()
            raw = file.readline(MAX_LINE).removesuffix(b"\n")
            found[start] = raw.removeprefix(BOM) if start == 0 else raw
    drawn = [(at, raw) for at, raw in sorted(found.items()) if raw and not raw.isspace()]
    mean = sum(len(raw) + 1 for _, raw in drawn) / len(drawn) if drawn else 0.0
    return drawn, mean, size


def _pick_packed(path: Path, places: Sequence[float], share: float) -> Drawn:
    """Draws at places of the packed bytes, the nearest thing to places of the text."""
    if not places:
        return [], 0.0, 0
    size = path.stat().st_size
    stop = size * share
    wanted = sorted(p * stop for p in places)
    drawn: dict[int, bytes] = {}
    unpacked = lines = done = 0
    for block in read_blocks(path):
        before, done = done, block.done
        unpacked += sum(len(raw) + 1 for raw in block.lines)
        lines += len(block.lines)
        while wanted and wanted[0] <= done and block.lines:
            part = (wanted.pop(0) - before) / max(1, done - before)
            k = min(int(max(0.0, part) * len(block.lines)), len(block.lines) - 1)
            raw = block.lines[k]
            if raw and not raw.isspace():
                drawn[block.first + k] = raw
        if done >= stop and not wanted:
            break
    total = round(unpacked * size / max(1, done))
    return sorted(drawn.items()), unpacked / max(1, lines), total
