"""Planning over 100 GB: seconds, rows and files read, and how far off the totals are.

    make bench NAME=planning                        100 GB, in about 2,000 shards
    make bench NAME=planning ARGS="--gigabytes 10"
    make bench NAME=planning ARGS="--sampler"       the sampler alone, batch by batch

Shards are hard links to a few files of half a gigabyte in all, so that next to nothing is written;
after the first look they come from memory, as do their footers. The truth is known from how they
were made: JSONL whose rows are sorted by length, in shards of two kinds (text alone, and text with
much beside it), one giant shard, and Parquet in row groups of 20,000. Goals: a plan over 100 GB
within 30 s, one that finds nothing to do within 1 s.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
import time
from dataclasses import dataclass
from math import exp
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.benchmarks.watched import watch

GOAL, NOTHING_GOAL = 30.0, 1.0
BASE = 64 << 20
"""Bytes of a file that shards are links to."""
RECIPE = """\
mashbill: 1
name: planning
license: CC-BY-4.0
seed: 7
models:
  writer: {{ use: fake/rewrite, sampling: {{ max_tokens: 256 }} }}
sources:
{sources}steps:
  long: {{ op: filter, from: [{names}], keep: "words(text) >= 4 and contains(text, 'rare')" }}
  book: {{ op: rewrite, from: long, model: writer, prompt: prompts/book.md.j2 }}
output: {{ path: out }}
"""
SOURCE = '  {name}: {{ path: "{name}/*", license: CC0-1.0, origin: human }}\n'
PROMPT = """\
---
inputs: { text: str }
---
{% block user %}
Rewrite this as a page of a textbook.

{{ text }}
{% endblock %}
"""


@dataclass(frozen=True, slots=True)
class Truth:
    """What files hold.

    Attributes:
        files: How many there are.
        disk: Their bytes.
        rows: Their rows.
        text: Bytes of the text of these.
        rare: Rows that the filter keeps, about 2 %.
    """

    files: int = 0
    disk: int = 0
    rows: int = 0
    text: int = 0
    rare: int = 0

    def plus(self, other: Truth, times: int = 1) -> Truth:
        """Both together."""
        return Truth(
            self.files + other.files,
            self.disk + other.disk * times,
            self.rows + other.rows * times,
            self.text + other.text * times,
            self.rare + other.rare * times,
        )


def main() -> None:
    """Make the shards, and time what is asked for."""
    parser = argparse.ArgumentParser(description="Planning over 100 GB.")
    parser.add_argument("--gigabytes", type=float, default=100.0)
    parser.add_argument("--sampler", action="store_true", help="the sampler alone")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="planning-") as name:
        folder = Path(name)
        start = time.perf_counter()
        half = int(args.gigabytes * 1e9 / 2)
        truths = {"crawl": make_lines(folder, half), "books": make_parquet(folder, half)}
        print(f"made in {time.perf_counter() - start:.0f} s, load {os.getloadavg()[0]:.1f}\n")
        print(f"{'source':<8}{'files':>6}{'GB':>7}{'rows':>14}{'text GB':>9}")
        for source, t in truths.items():
            print(f"{source:<8}{t.files:>6}{t.disk / 1e9:>7.1f}{t.rows:>14,}{t.text / 1e9:>9.2f}")
        (folder / "prompts").mkdir()
        (folder / "prompts" / "book.md.j2").write_text(PROMPT)
        if args.sampler:
            for source, truth in truths.items():
                time_sampler(folder, source, truth)
        else:
            time_plan(folder, truths)
            time_nothing(folder)


def make_text(rng: random.Random, sea: str, length: int) -> tuple[str, bool]:
    """A text, and whether it holds the rare word."""
    at = rng.randrange(len(sea) - length)
    if rare := rng.random() < 0.02:
        return f"rare {sea[at : at + length]}", True
    return sea[at : at + length], rare


def make_rows(seed: int, size: int) -> list[tuple[str, bool]]:
    """Texts of about `size` bytes in all, of lognormal lengths, the shortest first."""
    rng = random.Random(seed)
    words = [
        "".join(rng.choices("abcdefghijklmnopqst", k=rng.randrange(2, 10))) for _ in range(999)
    ]
    sea = " ".join(rng.choices(words, k=400_000))
    lengths: list[int] = []
    while sum(lengths) < size:
        lengths += [min(200_000, 200 + int(exp(rng.gauss(7, 1.1)))) for _ in range(1_000)]
    return [make_text(rng, sea, n) for n in sorted(lengths)]


def truth_of(path: Path, rows: list[tuple[str, bool]]) -> Truth:
    """What one file of rows holds."""
    text, rare = sum(len(t) for t, _ in rows), sum(r for _, r in rows)
    return Truth(1, path.stat().st_size, len(rows), text, rare)


def make_lines(folder: Path, size: int) -> Truth:
    """Shards of JSONL: a giant one, then shards of two kinds."""
    (folder / "crawl").mkdir()
    kinds: list[tuple[Path, Truth]] = []
    for kind in range(2):
        path = folder / f"lines{kind}"
        rows = make_rows(kind, BASE if kind == 0 else BASE // 4)
        beside = {} if kind == 0 else {"html": "<p>" * 1_500}
        with path.open("w") as file:
            for i, (text, _) in enumerate(rows):
                file.write(json.dumps({"text": text, "id": i, **beside}) + "\n")
        kinds.append((path, truth_of(path, rows)))
    with (folder / "crawl" / "giant.jsonl").open("wb") as giant:
        for _ in range(8):
            giant.write(kinds[0][0].read_bytes())
    whole = Truth().plus(kinds[0][1], 8)
    while whole.disk < size:
        path, truth = kinds[whole.disk > size // 2]
        os.link(path, folder / "crawl" / f"{whole.files:05}.jsonl")
        whole = whole.plus(truth)
    return whole


def make_parquet(folder: Path, size: int) -> Truth:
    """Shards of Parquet, whose rows are sorted by length as well."""
    import polars as pl

    (folder / "books").mkdir()
    rows = make_rows(2, 3 * BASE)
    path = folder / "stored"
    frame = pl.DataFrame({"text": [t for t, _ in rows], "id": range(len(rows))})
    frame.write_parquet(path, row_group_size=20_000)
    truth, whole = truth_of(path, rows), Truth()
    while whole.disk < size:
        os.link(path, folder / "books" / f"{whole.files:05}.parquet")
        whole = whole.plus(truth)
    return whole


def time_sampler(folder: Path, source: str, truth: Truth) -> None:
    """Print what each batch brings."""
    from mashbill.runtime.sources.sampler import open_sampler
    from mashbill.runtime.sources.spec import SourceSpec

    files = tuple(sorted((folder / source).iterdir()))
    start = time.perf_counter()
    sampler = open_sampler(SourceSpec(source, files, tuple(f.name for f in files)), 7)
    print(f"\n{source}: opened in {time.perf_counter() - start:.2f} s")
    print(f"{'rows':>8}{'s':>7}{'files read':>11}{'rows off':>10}{'±':>8}{'text off':>10}{'±':>8}"
          f"{'kept':>8}{'off':>8}")  # fmt: skip
    kept = given = 0
    while (frame := sampler.more()).height:
        facts = sampler.facts()
        kept += int(frame["text"].str.contains("rare", literal=True).sum())
        given += frame.height
        print(f"{given:>8,}{time.perf_counter() - start:>7.2f}{facts.files_read:>11}"
              f"{facts.rows / truth.rows - 1:>+10.2%}{1.645 * facts.rows_spread:>8.2%}"
              f"{facts.size / truth.text - 1:>+10.2%}{1.645 * facts.size_spread:>8.2%}"
              f"{kept:>8,}{kept / given * truth.rows / truth.rare - 1:>+8.1%}")  # fmt: skip


def time_plan(folder: Path, truths: dict[str, Truth]) -> None:
    """Print how long `mashbill plan` takes in a fresh process, and what it says."""
    sources = "".join(SOURCE.format(name=name) for name in truths)
    recipe = folder / "recipe.yaml"
    recipe.write_text(RECIPE.format(sources=sources, names=", ".join(truths)))
    said = []
    for attempt in ("first", "again"):
        done = watch([mashbill(), "plan", str(recipe)])
        said.append(done.said)
        print(f"\nplan, {attempt}: {done.seconds:.1f} s, {done.cpu:.1f} s of CPU, "
              f"{done.peak:.0f} MB; the goal is {GOAL:.0f} s")  # fmt: skip
    print("both say the same" if said[0] == said[1] else "THE TWO DIFFER")
    print(done.said)
    rare = sum(t.rare for t in truths.values())
    print(f"truth: {sum(t.rows for t in truths.values()):,} rows, of which {rare:,} are kept")


def time_nothing(folder: Path) -> None:
    """Print how long a plan takes after a run that has finished."""
    small = folder / "small"
    (small / "prompts").mkdir(parents=True)
    (small / "prompts" / "book.md.j2").write_text(PROMPT)
    rows = [{"text": f"{n} rare " + "word " * 50} for n in range(200)]
    (small / "few.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    recipe = small / "recipe.yaml"
    source = "  few: { path: few.jsonl, license: CC0-1.0, origin: human }\n"
    recipe.write_text(RECIPE.format(sources=source, names="few"))
    watch([mashbill(), "run", str(recipe)])
    seconds = [watch([mashbill(), "plan", str(recipe)]).seconds for _ in range(5)]
    middle, least, most = sorted(seconds)[2], min(seconds), max(seconds)
    print(f"\nplan with nothing to do: {middle:.2f} s, median of five ({least:.2f} to {most:.2f}); "
          f"the goal is {NOTHING_GOAL:.0f} s")  # fmt: skip


def mashbill() -> str:
    """The command of this environment."""
    return str(Path(sys.executable).parent / "mashbill")


if __name__ == "__main__":
    main()
