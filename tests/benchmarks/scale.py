"""A run of many small rows: memory of the whole process tree, rate, and the time to run again.

    make bench NAME=scale ARGS="--rows 100000 1000000"

Rows of about 220 characters, made on the fly, go through filter → `fake` generate → a check → a
mix of the human rows and the generated ones. Above `--calls` rows the filter before the generate
step keeps the share that gives about so many calls; all other rows go to the human part. Each size
runs three times, each in a process of its own: first; again with the output still there, where
nothing is to do; and again with the output removed, where everything comes from the ledger.
Memory is the sum of the resident sizes of the command and all its children, looked at ten times a
second, so pages that they share count more than once; mapped files count as far as they are
resident.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from watched import Measured, watch

RECIPE = """\
mashbill: 1
name: scale
models:
  writer: {{ use: fake/rewrite }}
sources:
  docs: {{ path: {pattern}, license: CC0-1.0, origin: human }}
steps:
  pages: {{ op: filter, from: docs, keep: "words(text) >= 8 and not contains(text, 'cookies')" }}
  asked: {{ op: filter, from: pages, keep: hash01(_doc) < {share} }}
  made:
    op: generate
    from: asked
    model: writer
    prompt: prompts/ask.md.j2
    checks: {{ length: {{ min: 0.3, max: 3 }} }}
mix:
  total: {total} tokens
  parts: {{ pages: 50%, made: 50% }}
  on_shortfall: shrink
"""
PROMPT = """\
---
inputs: { text: str }
---
{% block system %}Say it in plain words. Keep all facts.{% endblock %}
{% block user %}{{ text }}{% endblock %}
"""
PER_FILE = 500_000
WORDS = str.split(
    "the mill by river ground flour for whole valley until a flood came and took bridge with two"
    " men who had built it from oak stone iron over nine long winters while their sons went to sea"
    " many often because however usually used big also about show In On After"
)


def lines(rows: int, seed: int = 0) -> Iterator[bytes]:
    """Rows as JSON lines: one in fifty is rejected by the filter."""
    dice = random.Random(seed)
    stock = [" ".join(dice.choices(WORDS, k=12)).capitalize() + "." for _ in range(4_000)]
    for i in range(rows):
        said = "We use cookies. " if i % 50 == 7 else ""
        body = " ".join(dice.choices(stock, k=3))
        yield b'{"text": "%sNote %d. %s"}\n' % (said.encode(), i, body.encode())


def make(folder: Path, rows: int, calls: int, kind: str) -> None:
    """A project with its data."""
    data = folder / "data"
    (folder / "prompts").mkdir(parents=True)
    data.mkdir()
    (folder / ".mashbill").mkdir()
    share = min(1.0, calls / rows)
    total = int(rows * 30 * (1 + share))
    (folder / "prompts/ask.md.j2").write_text(PROMPT)
    text = RECIPE.format(pattern=f"data/*.{kind}", share=share, total=total)
    (folder / "recipe.yaml").write_text(text)
    for number, first in enumerate(range(0, rows, PER_FILE)):
        count = min(PER_FILE, rows - first)
        write(data / f"part-{number:04d}.{kind}", count, number, kind)


def write(path: Path, rows: int, seed: int, kind: str) -> None:
    """One file of the source."""
    if kind == "jsonl.zst":
        import zstandard

        with path.open("wb") as file, zstandard.ZstdCompressor(1).stream_writer(file) as out:
            for line in lines(rows, seed):
                out.write(line)
    elif kind == "parquet":
        import polars as pl

        frame = pl.DataFrame({"text": [json.loads(line)["text"] for line in lines(rows, seed)]})
        frame.write_parquet(path, row_group_size=50_000)
    else:
        with path.open("wb") as file:
            file.writelines(lines(rows, seed))


def run(folder: Path) -> Measured:
    """`mashbill run -q` in a process of its own, watched. Raises `SystemExit` if it fails."""
    return watch([sys.executable, "-m", "mashbill", "run", str(folder), "-q"])


def record(folder: Path) -> dict[str, Any]:
    """The record of the latest run."""
    latest = max((folder / ".mashbill/runs").glob("*/record.json"), key=lambda p: p.stat().st_mtime)
    found: dict[str, Any] = json.loads(latest.read_text())
    return found


def size(rows: int, given: argparse.Namespace) -> None:
    """Measure one size, and print it."""
    folder = Path(tempfile.mkdtemp(dir=given.folder)) / "p"
    try:
        began = time.monotonic()
        make(folder, rows, given.calls, given.kind)
        disk = sum(p.stat().st_size for p in folder.rglob("*") if p.is_file()) / 2**20
        print(
            f"{rows:,} rows of {given.kind}, {disk:,.0f} MB, made in "
            f"{time.monotonic() - began:.0f} s; load {os.getloadavg()[0]:.1f}",
            flush=True,
        )
        first = run(folder)
        made = record(folder)
        models, steps = made["models"], made["steps"]
        sent = models["writer"]["sent"]
        show("first", first, rows, f"{sent:,} calls")
        nothing = run(folder)
        assert "Nothing to do" in nothing.said, nothing.said
        show("again", nothing, rows, "nothing to do")
        shutil.rmtree(folder / "out")
        again = run(folder)
        models = record(folder)["models"]
        assert models["writer"]["sent"] == 0, models
        show("again, no output", again, rows, "all from the ledger")
        if given.verbose:
            print(json.dumps({"steps": steps, "mix": made["mix"]}, indent=1))
    finally:
        shutil.rmtree(folder.parent)


def show(name: str, run: Measured, rows: int, what: str) -> None:
    """One line."""
    print(
        f"  {name:<17}{run.seconds:8.1f} s {rows / run.seconds:>10,.0f} rows/s"
        f"  {run.cpu / rows * 1e6:7.0f} us of CPU a row  peak {run.peak:6,.0f} MB  {what}",
        flush=True,
    )


def main() -> None:
    """Measure all sizes."""
    parse = argparse.ArgumentParser(description=__doc__)
    parse.add_argument("--rows", type=int, nargs="+", default=[100_000])
    parse.add_argument("--calls", type=int, default=1_000_000, help="at most about so many")
    parse.add_argument("--kind", choices=["jsonl.zst", "jsonl", "parquet"], default="jsonl.zst")
    parse.add_argument("--folder", type=Path, help="on the disk to measure")
    parse.add_argument("-v", "--verbose", action="store_true")
    given = parse.parse_args()
    for rows in given.rows:
        size(rows, given)


if __name__ == "__main__":
    main()
