"""Reading sources: MB/s of each format, and the ratio to plain polars on the same file.

    .venv/bin/python tests/benchmarks/sources.py [MB]

Files of MB megabytes of text (200 if not given) are written to a temporary folder. Mashbill gives
every row its `_doc` and `_id`, looks for what is no row, and streams; polars reads the same columns
into memory at once. The unit is megabytes of text a second; resident memory is the child's peak.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

NAMES = ("a.jsonl", "a.parquet", "a.arrow", "a.csv", "notes")


def make(folder: Path, megabytes: int) -> int:
    """Write one data set in every format; the bytes of its text."""
    import polars as pl

    rng = random.Random(1)
    words = ["".join(rng.choices("abcdefghijklmnop", k=rng.randrange(2, 10))) for _ in range(5_000)]
    frames, size = [], 0
    while size < megabytes << 20:
        texts = [" ".join(rng.choices(words, k=rng.randrange(50, 400))) for _ in range(5_000)]
        frames.append(pl.DataFrame({"text": texts, "n": range(5_000), "url": texts[0][:40]}))
        size += sum(map(len, texts))
    frame = pl.concat(frames)
    frame.write_ndjson(folder / "a.jsonl")
    frame.write_parquet(folder / "a.parquet", row_group_size=20_000)
    frame.write_ipc(folder / "a.arrow", record_batch_size=20_000)
    frame.write_csv(folder / "a.csv")
    (folder / "notes").mkdir()
    for i, text in enumerate(frame["text"].head(20_000)):
        (folder / "notes" / f"{i:05}.txt").write_text(text)
    return size


def ours(path: Path) -> tuple[int, int]:
    """Rows and bytes of text, through Mashbill."""
    from mashbill.runtime.sources.jsonl import SourceSpec, scan_partitions

    files = tuple(sorted(path.iterdir())) if path.is_dir() else (path,)
    columns = () if path.is_dir() else (("n", "n"),)
    spec = SourceSpec("s", files, tuple(f.name for f in files), columns=columns)
    rows = size = 0
    for part in scan_partitions(spec):
        rows += part.frame.height
        size += int(part.frame["text"].str.len_bytes().sum())
    return rows, size


def plain(path: Path) -> tuple[int, int]:
    """The same through polars alone."""
    import polars as pl

    if path.is_dir():
        frame = pl.DataFrame({"text": [f.read_text() for f in sorted(path.iterdir())]})
        return frame.height, int(frame["text"].str.len_bytes().sum())
    scans: dict[str, Callable[[Path], pl.LazyFrame]] = {
        ".jsonl": pl.scan_ndjson,
        ".parquet": pl.scan_parquet,
        ".arrow": pl.scan_ipc,
        ".csv": pl.scan_csv,
    }
    frame = scans[path.suffix](path).select("text", "n").collect()
    return frame.height, int(frame["text"].str.len_bytes().sum())


def child(which: str, path: Path) -> None:
    """Time one reading and print it as JSON."""
    start = time.perf_counter()
    rows, size = {"ours": ours, "plain": plain}[which](path)
    seconds = time.perf_counter() - start
    status = Path("/proc/self/status").read_text()  # what rusage says, a child takes over
    peak = int(status.partition("VmHWM:")[2].split()[0]) >> 10
    print(json.dumps([rows, size, seconds, peak]))


def main() -> None:
    """Print the table."""
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    with tempfile.TemporaryDirectory() as folder:
        make(Path(folder), megabytes)
        print(f"{'file':<12}{'rows':>9}{'MB/s':>8}{'polars':>8}{'ratio':>7}{'peak MB':>9}{'':>9}")
        for name in NAMES:
            found = {}
            for which in ("ours", "plain"):
                command = [sys.executable, __file__, "--child", which, str(Path(folder) / name)]
                found[which] = json.loads(subprocess.check_output(command))
            (rows, size, seconds, peak), (rows_, _, seconds_, peak_) = found.values()
            assert rows == rows_, name
            speed, other = size / seconds / 1e6, size / seconds_ / 1e6
            print(f"{name:<12}{rows:>9,}{speed:>8.0f}{other:>8.0f}{speed / other:>7.2f}"
                  f"{peak:>9}{peak_:>9}")  # fmt: skip


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2], Path(sys.argv[3]))
    else:
        main()
