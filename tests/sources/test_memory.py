"""Large files are read in bounded memory, under a limit that a whole file would break."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

MEGABYTES = 200
LIMIT = 450 << 20
"""Bytes of address space beyond what the interpreter with polars takes."""

CHILD = """
import json, resource, sys
from pathlib import Path
import polars as pl
from mashbill.runtime.sources.jsonl import SourceSpec, sample_rows, scan_partitions

def said(key):
    return int(Path("/proc/self/status").read_text().partition(key)[2].split()[0]) << 10

path = Path(sys.argv[1])
pl.select(pl.lit(1)).lazy().collect(engine="streaming")
size, before = said("VmSize:"), said("VmRSS:")
limit = size + int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
spec = SourceSpec("s", (path,), (path.name,), columns=(("n", "n"),))
rows = text = bad = 0
for part in scan_partitions(spec):
    rows += part.frame.height
    text += int(part.frame["text"].str.len_bytes().sum())
    bad += len(part.unreadable)
print(json.dumps([rows, text, bad, said("VmHWM:") - before]))
"""


def generate(path: Path) -> tuple[int, int]:
    """A file of incompressible text, written piece by piece; its rows and bytes of text."""
    rows = MEGABYTES << 20 >> 11
    piece = pl.DataFrame(
        {"text": [os.urandom(1 << 10).hex() for _ in range(4_000)], "n": range(4_000)}
    )
    count = -(-rows // 4_000)
    pieces = pl.concat([piece.lazy()] * count)
    if path.suffix == ".csv":
        with path.open("w") as file:
            for i in range(count):
                file.write(piece.write_csv(include_header=i == 0))
    elif path.suffix == ".parquet":
        pieces.sink_parquet(path, row_group_size=4_000, compression="zstd")
    else:
        pieces.sink_ipc(path, record_batch_size=4_000)
    return count * 4_000, count * 4_000 << 11


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".arrow"])
def test_memory_is_flat(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"big{suffix}"
    rows, size = generate(path)
    # Pages of an Arrow file itself are mapped: the system takes them back as it likes.
    mapped = size if suffix == ".arrow" else 0
    child = [sys.executable, "-c", CHILD, str(path), str(LIMIT + mapped)]
    environment = {**os.environ, "POLARS_MAX_THREADS": "2", "MALLOC_ARENA_MAX": "2"}
    done = subprocess.run(child, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr[-2_000:]
    found = json.loads(done.stdout)
    path.unlink()
    assert found[:3] == [rows, size, 0]
    assert found[3] - mapped < LIMIT
