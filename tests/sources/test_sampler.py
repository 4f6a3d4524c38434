"""Samples of sources: the same every time, every row equally likely, totals with their spread."""

from __future__ import annotations

import gzip
import json
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from math import exp
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import zstandard

from mashbill.runtime.sources import packed, picking
from mashbill.runtime.sources.pools import row_sizes
from mashbill.runtime.sources.sampler import FIRST, Sampler, open_sampler
from mashbill.runtime.sources.scan import doc_cutoff, scan_partitions
from mashbill.runtime.sources.spec import SourceSpec

Z90 = 1.645
SEA = " ".join(f"w{random.Random(i).randrange(9_999)}" for i in range(40_000))
Rows = Sequence[dict[str, Any]]


@pytest.fixture(autouse=True)
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let all sources be too large to be read as a whole, and packed ones to be unpacked."""
    monkeypatch.setattr(picking, "ALL", 0)
    monkeypatch.setattr(packed, "UNPACKED", 1 << 20)


def lengths(n: int, seed: int = 0, mu: float = 5.5) -> list[int]:
    """Of documents: lognormal, as those of the web."""
    rng = random.Random(seed)
    return [min(60_000, 1 + int(exp(rng.gauss(mu, 1.1)))) for _ in range(n)]


def texts(sizes: Sequence[int]) -> Rows:
    """Rows with their number, each of so many characters."""
    return [{"text": f"{i} " + SEA[at : at + n], "n": i}
            for i, n in enumerate(sizes) for at in (i * 7_919 % 150_000,)]  # fmt: skip


def jsonl(rows: Rows) -> bytes:
    return b"".join(json.dumps(r).encode() + b"\n" for r in rows)


def csv(rows: Rows) -> bytes:
    """With commas, quotes and line feeds in the cells."""
    told = [{**r, "text": f'{r["text"]}, "so"\n,'.replace("w1", '"\n')} for r in rows]
    return pl.DataFrame(told).write_csv().encode()


WRITERS: dict[str, Callable[[Rows], bytes]] = {
    "jsonl": jsonl,
    "jsonl.gz": lambda rows: gzip.compress(jsonl(rows), 1),
    "jsonl.zst": lambda rows: zstandard.compress(jsonl(rows)),
    "csv": csv,
    "csv.gz": lambda rows: gzip.compress(csv(rows), 1),
}


def write(folder: Path, shards: Sequence[Rows], suffix: str = "jsonl", **facts: Any) -> SourceSpec:
    """A source of these shards."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for i, rows in enumerate(shards):
        path = folder / f"{i:04}.{suffix}"
        if suffix == "parquet":
            pl.DataFrame(rows).write_parquet(path, row_group_size=300)
        elif suffix == "arrow":
            pl.DataFrame(rows).write_ipc(path, record_batch_size=300)
        else:
            path.write_bytes(WRITERS[suffix](rows))
        files.append(path)
    return SourceSpec("s", tuple(files), tuple(f.name for f in files), **facts)


def cut(rows: Rows, count: int) -> list[Rows]:
    """Rows in order, in so many shards."""
    size = -(-len(rows) // count)
    return [rows[i : i + size] for i in range(0, len(rows), size)]


def everything(spec: SourceSpec) -> pl.DataFrame:
    return pl.concat([p.frame for p in scan_partitions(spec)])


def batches(sampler: Sampler) -> list[pl.DataFrame]:
    found = []
    while (frame := sampler.more()).height:
        found.append(frame)
    return found


def covered(
    spec: SourceSpec, rows: float, size: float, seeds: int, draws: int = 1
) -> tuple[float, float, list[float], list[float]]:
    """Shares of 90 % intervals that hold the truth, and errors: of rows, and of bytes of text."""
    hits = [0, 0]
    errors: tuple[list[float], list[float]] = ([], [])
    for seed in range(seeds):
        sampler = open_sampler(spec, seed)
        for _ in range(draws):
            sampler.more()
        facts = sampler.facts()
        for k, (found, spread, truth) in enumerate(
            ((facts.rows, facts.rows_spread, rows), (facts.size, facts.size_spread, size))
        ):
            hits[k] += abs(found - truth) <= Z90 * spread * found + 1e-6 * truth
            errors[k].append(found / truth - 1)
    return hits[0] / seeds, hits[1] / seeds, *errors


def p95(errors: Sequence[float]) -> float:
    return sorted(map(abs, errors))[int(0.95 * (len(errors) - 1))]


# Sources that are read as a whole


@pytest.fixture
def small(large: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let sources be read as a whole."""
    monkeypatch.setattr(picking, "ALL", 1 << 28)


@pytest.mark.usefixtures("small")
def test_a_small_source_is_given_to_the_last_row(tmp_path: Path) -> None:
    spec = write(tmp_path, cut(texts(lengths(5_000)), 7), columns=(("n", "n"),))
    sampler = open_sampler(spec, 1)
    assert not sampler.whole
    found = batches(sampler)
    assert [f.height for f in found] == [FIRST, 2 * FIRST, 2_000]
    assert sampler.whole
    given, run = pl.concat(found), everything(spec)
    assert given.drop("_cluster").sort("n").equals(run.sort("n")), "rows, ids and all, are a run's"
    assert given["_cluster"].n_unique() == 5_000
    facts = sampler.facts()
    assert (facts.rows, facts.size) == (5_000, run["text"].str.len_bytes().sum())
    assert (facts.rows_spread, facts.size_spread, facts.exact) == (0, 0, True)
    assert (facts.files, facts.files_read, facts.sampled) == (7, 7, 5_000)


@pytest.mark.usefixtures("small")
def test_the_order_is_random_and_other_rows_do_not_change_it(tmp_path: Path) -> None:
    rows = texts([100] * 2_000)
    first = open_sampler(write(tmp_path / "a", [rows]), 1).more()["_doc"].to_list()
    spec = write(tmp_path / "b", [rows[:50], texts([90] * 1_500), rows[50:]])
    known = set(everything(write(tmp_path / "a", [rows]))["_doc"])
    wider = [d for d in pl.concat(batches(open_sampler(spec, 1)))["_doc"] if d in known]
    assert wider[: len(first)] == first
    assert open_sampler(spec, 2).more()["_doc"].to_list() != first
    again = open_sampler(write(tmp_path / "a", [rows]), 1).more()
    numbers = [int(t.split()[0]) for t in again["text"]]
    assert abs(sum(numbers) / len(numbers) - 1_000) < 60
    assert sorted(numbers[:100]) != numbers[:100]


@pytest.mark.usefixtures("small")
def test_equal_documents_are_not_drawn_together(tmp_path: Path) -> None:
    """Copies in other partitions count too; a run knows them by their number as well."""
    shards = [texts([50] * 300)] * 5
    spec = write(tmp_path, shards)
    docs = open_sampler(spec, 3, rows=500).more()["_doc"].to_list()
    counts = Counter(docs)
    assert len(docs) == 500
    assert 180 < len(counts) < 270, "of 300 documents, draws of 500 in 1,500 rows reach about 260"
    assert max(counts.values()) <= 5


@pytest.mark.usefixtures("small")
def test_ceilings_cut_the_order_short(tmp_path: Path) -> None:
    spec = write(tmp_path, cut(texts(lengths(3_000)), 3))
    whole = pl.concat(batches(open_sampler(spec, 1)))
    few = open_sampler(spec, 1, rows=1_700)
    assert pl.concat(batches(few)).equals(whole[:1_700])
    assert not few.whole
    assert few.facts().rows == 3_000
    light = pl.concat(batches(open_sampler(spec, 1, size=200_000)))
    assert light.equals(whole[: light.height])
    assert 200_000 - 61_000 < row_sizes(light).sum() <= 200_000
    assert open_sampler(spec, 1, size=1).more().height == 1


@pytest.mark.parametrize("ceiling", [10, 200_000])
def test_a_limited_source_gives_the_rows_of_a_run(tmp_path: Path, ceiling: int) -> None:
    spec = write(tmp_path, cut(texts([60] * 2_000), 4), limit=300)
    sampler = open_sampler(spec, 1, rows=ceiling)
    found = pl.concat(batches(sampler))
    cutoff = doc_cutoff(spec, 300)
    assert found.height == min(300, ceiling)
    assert found["_doc"].max() <= cutoff  # type: ignore[operator]
    assert set(found["_id"]) <= set(everything(spec)["_id"])
    facts = sampler.facts()
    assert (facts.rows, facts.exact) == (300, True)
    assert facts.size == everything(spec)["text"].str.len_bytes().sum()


@pytest.mark.usefixtures("small")
def test_facts_may_be_asked_first(tmp_path: Path) -> None:
    spec = write(tmp_path, [texts([60] * 700)])
    sampler = open_sampler(spec, 1)
    assert sampler.facts().rows == 700
    assert not sampler.whole, "nobody has been given its rows yet"
    assert sampler.more().equals(open_sampler(spec, 1).more())
    assert sampler.whole
    assert sampler.more().columns == [*everything(spec).columns, "_cluster"]


# Larger ones


@pytest.mark.parametrize("suffix", [*WRITERS, "parquet", "arrow"])
def test_rows_are_those_of_a_run_and_none_comes_twice(tmp_path: Path, suffix: str) -> None:
    spec = write(tmp_path, cut(texts(lengths(4_000)), 5), suffix, columns=(("n", "n"),))
    run = everything(spec)
    sampler = open_sampler(spec, 1, rows=3_000)
    assert sampler.unreadable == ()
    first, second = found = batches(sampler)
    given = pl.concat(found)
    facts = sampler.facts()
    assert not sampler.whole
    assert not facts.exact
    assert facts.sampled == given.height
    assert first.columns == [*run.columns, "_cluster"]
    assert 700 < first.height < 1_400
    assert given["n"].n_unique() == given["_id"].n_unique() == given.height
    same = ["_doc", "text", "n", "_source", "_origin"]
    assert given.select(same).sort("n").equals(run.filter(pl.col("n").is_in(given["n"].implode()))
                                               .select(same).sort("n"))  # fmt: skip
    assert not set(first["_cluster"]) & set(second["_cluster"]) or "gz" in suffix or "zst" in suffix
    again = open_sampler(spec, 1)
    assert again.more().equals(first), "however many are asked for"
    assert not open_sampler(spec, 2).more().equals(first)
    unsorted = first["n"].head(200).to_list()
    assert unsorted != sorted(unsorted), "the first of a batch are a sample as well"
    assert max(unsorted) - min(unsorted) > (2_000 if "." not in suffix else 100)


ORDERS: dict[str, Callable[[], list[Rows]]] = {
    "shuffled": lambda: cut(texts(lengths(8_000)), 10),
    "sorted": lambda: cut(texts(sorted(lengths(8_000))), 10),
    "sorted in one file": lambda: [texts(sorted(lengths(8_000)))],
    "a giant and 60 small": lambda: [texts(lengths(6_000)), *cut(texts(lengths(2_000, mu=4)), 60)],
    "shards of two kinds": lambda: [
        [{**r, "html": "<p>" * 300} for r in texts(lengths(400, i, mu=4))]
        if i % 2
        else texts(lengths(400, i))
        for i in range(20)
    ],
}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("suffix", ["jsonl", "csv", "parquet"])
def test_an_adversarial_order_does_no_harm(tmp_path: Path, order: str, suffix: str) -> None:
    """The total text is known within 2 %, and intervals hold, wherever the long rows are."""
    if suffix != "jsonl" and "two kinds" in order:
        pytest.skip("columns of a table are not bytes of a line")
    spec = write(tmp_path, ORDERS[order](), suffix)
    run = everything(spec)
    size = int(row_sizes(run).sum())
    seeds = {"jsonl": 16, "csv": 2, "parquet": 4}[suffix]
    rows, bytes_, row_errors, size_errors = covered(spec, run.height, size, seeds)
    assert seeds < 16 or min(rows, bytes_) >= 0.8
    assert p95(row_errors) < 0.04
    assert p95(size_errors) < 0.02
    assert abs(sum(size_errors)) / seeds < 0.005, "no bias"


@pytest.mark.parametrize("suffix", ["jsonl", "csv", "parquet", "arrow"])
def test_long_rows_are_as_likely_as_short_ones(tmp_path: Path, suffix: str) -> None:
    """Where they stand one by one, and where they stand together; the last row and the first."""
    sizes = [2_000 if i % 4 == 0 or 600 <= i < 900 else 20 for i in range(2_000)]
    spec = write(tmp_path, cut(texts(sizes), 3), suffix, columns=(("n", "n"),))
    hits: Counter[int] = Counter()
    seeds = 12
    for seed in range(seeds):
        hits.update(open_sampler(spec, seed, rows=200).more()["n"])
    drawn = sum(hits.values())
    long = sum(c for n, c in hits.items() if sizes[n] > 20)
    truth = sum(s > 20 for s in sizes) / len(sizes)
    assert drawn == pytest.approx(200 * seeds, rel=0.1)
    assert long / drawn == pytest.approx(truth, abs=0.04)
    for part in (range(100), range(950, 1_050), range(1_900, 2_000)):
        assert sum(hits[n] for n in part) == pytest.approx(drawn / 20, rel=0.45)


@pytest.mark.parametrize("suffix", ["jsonl", "parquet"])
def test_every_file_of_many_is_reached(tmp_path: Path, suffix: str) -> None:
    spec = write(tmp_path, cut(texts([90] * 6_000), 300), suffix, columns=(("n", "n"),))
    sampler = open_sampler(spec, 1)
    first = sampler.more()
    assert 180 < sampler.facts().files_read <= 300
    found = pl.concat([first, *batches(sampler)])
    facts = sampler.facts()
    assert (facts.files, facts.files_read) == (300, 300)
    assert len({n // 20 for n in found["n"]}) == 300
    assert facts.rows == pytest.approx(6_000, rel=0.03)


def test_files_of_a_row_each(tmp_path: Path) -> None:
    rows = texts(lengths(900))
    spec = write(tmp_path, [[r] for r in rows], columns=(("n", "n"),))
    for path in spec.files[::2]:  # the last line may lack its end
        assert isinstance(path, Path)
        path.write_bytes(path.read_bytes().rstrip(b"\n"))
    found = pl.concat(batches(sampler := open_sampler(spec, 1)))
    assert found["n"].n_unique() == found.height > 850
    assert sampler.facts().rows == pytest.approx(900, rel=0.02)


def test_intervals_hold_on_lognormal_documents(tmp_path: Path) -> None:
    """Over data sets and seeds, 85 % and more of the 90 % intervals hold the truth."""
    found = []
    for k in range(4):
        rows = texts(lengths(3_000 + 700 * k, seed=k, mu=4 + k / 2))
        rng = random.Random(k)
        beside = [{**r, "url": "x" * rng.randrange(200)} for r in rows]
        spec = write(tmp_path / str(k), cut(beside, 1 + 3 * k))
        size = sum(len(r["text"]) for r in rows)
        found.append(covered(spec, len(rows), size, 12, draws=1 + k % 2))
    assert sum(f[0] for f in found) / 4 >= 0.85
    assert sum(f[1] for f in found) / 4 >= 0.85


def test_tokens_by_bytes_are_within_three_per_cent(tmp_path: Path) -> None:
    """What a plan does with a sample: tokens of its rows by their bytes, times all bytes."""
    rng = random.Random(1)
    rows = []
    for size in lengths(9_000):
        word = "x" * max(1, round(rng.gauss(4.2, 0.6))) + " "
        rows.append({"text": word * (1 + size // len(word))})
    spec = write(tmp_path, cut(sorted(rows, key=lambda r: len(r["text"])), 6))
    whole = everything(spec)
    tokens = int(whole["text"].str.count_matches(" ", literal=True).sum())
    errors, means = [], []
    for seed in range(20):
        frame = (sampler := open_sampler(spec, seed)).more()
        seen = int(frame["text"].str.count_matches(" ", literal=True).sum())
        errors.append(seen / int(row_sizes(frame).sum()) * sampler.facts().size / tokens - 1)
        means.append(seen / frame.height * sampler.facts().rows / tokens - 1)
    assert p95(errors) < 0.03
    assert p95(means) > 0.03, "as rows alone would have it"


@pytest.mark.parametrize("suffix", ["jsonl", "csv", "parquet"])
def test_rows_that_are_none_are_not_counted(tmp_path: Path, suffix: str) -> None:
    none = None if suffix != "csv" else "a,b"
    rows = [{"text": none if i % 5 == 0 else "a b c", "n": i} for i in range(4_000)]
    spec = write(tmp_path, cut(rows, 4), "jsonl" if suffix == "csv" else suffix)
    if suffix == "csv":  # a record of three fields is none
        told = [f"{r['text']},{r['n']}\n" for r in rows]
        (tmp_path / "a.csv").write_text("".join(["text,n\n", *told]))
        spec = SourceSpec("s", (tmp_path / "a.csv",), ("a.csv",))
    truth = everything(spec).height
    assert 3_100 < truth < 3_300
    sampler = open_sampler(spec, 1)
    frame = sampler.more()
    facts = sampler.facts()
    assert facts.rows == pytest.approx(truth, rel=0.05)
    assert abs(facts.rows - truth) <= 2.5 * facts.rows_spread * facts.rows
    assert frame["text"].null_count() == 0
    assert len(sampler.unreadable) > 100


def test_a_sample_ends(tmp_path: Path) -> None:
    spec = write(tmp_path, cut(texts([2_000] * 1_500), 2))
    found = batches(open_sampler(spec, 1, rows=900))
    assert sum(f.height for f in found) <= 1_100
    light = batches(sampler := open_sampler(spec, 1, size=300_000))
    assert 200_000 < sum(row_sizes(f).sum() for f in light) < 400_000
    assert not sampler.whole
    for content in (b"", b"\n\n \n", b"nothing of the kind\n" * 50):
        (tmp_path / "none.jsonl").write_bytes(content)
        none = replace(spec, files=(tmp_path / "none.jsonl",), shown=("none.jsonl",))
        sampler = open_sampler(none, 1)
        assert sampler.more().height == 0
        assert sampler.more().columns == [*everything(none).columns, "_cluster"]
        assert sampler.facts().rows == 0
        assert bool(sampler.unreadable) == (b"kind" in content)


def test_rows_longer_than_a_stretch(tmp_path: Path) -> None:
    rows = [{"text": "x" * (70_000 + 997 * i), "n": i} for i in range(40)]
    for suffix in ("jsonl", "csv"):
        spec = write(tmp_path, [rows], suffix, columns=(("n", "n"),))
        sampler = open_sampler(spec, 1)
        frame = pl.concat(batches(sampler))
        assert sampler.unreadable == ()
        assert frame["n"].n_unique() == frame.height > 25
        full = everything(spec)
        assert set(frame["_doc"]) <= set(full["_doc"])
        assert sampler.facts().rows == pytest.approx(40, rel=0.2)


# Packed files


@pytest.mark.parametrize("suffix", ["jsonl.gz", "jsonl.zst", "csv.gz"])
def test_packed_files_give_all_the_same_share(tmp_path: Path, suffix: str) -> None:
    spec = write(tmp_path, cut(texts(lengths(12_000)), 40), suffix, columns=(("n", "n"),))
    run = everything(spec)
    sampler = open_sampler(spec, 1)
    frame = sampler.more()
    facts = sampler.facts()
    assert facts.files_read == 40
    assert len({n // 300 for n in frame["n"]}) == 40
    size = int(row_sizes(run).sum())
    assert abs(facts.rows - 12_000) <= 2 * facts.rows_spread * facts.rows
    assert abs(facts.size - size) <= 2 * facts.size_spread * facts.size
    assert 0.01 < facts.rows_spread < 0.3
    assert frame["_cluster"].n_unique() == 40


def test_what_nobody_can_see_widens_the_interval(tmp_path: Path) -> None:
    """The beginning of one packed file that is sorted by length says little of the rest."""
    spec = write(tmp_path, [texts(sorted(lengths(12_000)))], "jsonl.gz")
    sampler = open_sampler(spec, 1)
    frame = sampler.more()
    facts = sampler.facts()
    assert facts.files_read == 1
    assert facts.rows_spread > 0.2
    assert facts.size == pytest.approx(sum(lengths(12_000)), rel=0.25)
    assert frame["_cluster"].n_unique() > 8, "there is more than one place to compare"


def test_packed_files_that_are_read_to_their_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packed, "UNPACKED", 1 << 30)
    spec = write(tmp_path, cut(texts(lengths(3_000)), 4), "jsonl.gz")
    facts = (sampler := open_sampler(spec, 1)).facts()
    assert facts.rows == 3_000
    assert facts.size == pytest.approx(row_sizes(everything(spec)).sum(), rel=0.05)
    assert facts.rows_spread == 0
    frame = sampler.more()
    assert frame["_cluster"].n_unique() == frame.height, "each row is drawn for itself"


def test_of_very_many_packed_files_some_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packed, "FILES", 12)
    spec = write(tmp_path, cut(texts(lengths(6_000)), 60), "jsonl.gz", columns=(("n", "n"),))
    frame = (sampler := open_sampler(spec, 1)).more()
    facts = sampler.facts()
    assert (facts.files, facts.files_read) == (60, 12)
    places = sorted({n // 100 for n in frame["n"]})
    assert [p // 5 for p in places] == list(range(12)), "one of every five"
    assert abs(facts.rows - 6_000) <= 2.5 * facts.rows_spread * facts.rows
    assert 0.02 < facts.rows_spread < 0.3


def test_plain_and_packed_files_of_several_formats(tmp_path: Path) -> None:
    rows = cut(texts([200] * 6_000), 6)
    kinds = ["jsonl", "jsonl.gz", "parquet", "csv", "jsonl.zst", "arrow"]
    specs = [write(tmp_path / k, [r], k) for k, r in zip(kinds, rows, strict=True)]
    files = tuple(f for s in specs for f in s.files)
    spec = SourceSpec("s", files, tuple(str(f) for f in files), columns=(("n", "n"),))
    sampler = open_sampler(spec, 1)
    frame = sampler.more()
    facts = sampler.facts()
    assert facts.rows == pytest.approx(6_000, rel=0.1)
    assert (facts.files, facts.files_read) == (6, 6)
    found = Counter(n // 1_000 for n in frame["n"])
    assert min(found.values()) > 90
    clusters = frame.group_by("_cluster").agg((pl.col("n") // 1_000).n_unique())
    assert clusters["n"].max() == 1, "pools number their draws apart"


# Parquet


def test_a_stated_size_is_not_believed_against_the_sample(tmp_path: Path) -> None:
    """Where texts come again and again, a dictionary stores them once."""
    rows = [*texts([300] * 50)] * 100
    spec = write(tmp_path, cut(rows, 5), "parquet")
    size = sum(len(r["text"]) for r in rows)
    assert sum(f.stat().st_size for f in spec.files if isinstance(f, Path)) < size / 5
    facts = open_sampler(spec, 1).facts()
    assert facts.size == pytest.approx(size, rel=0.02)


def test_other_text_columns_count_as_well(tmp_path: Path) -> None:
    rows = [{**r, "about": "y" * (i % 50)} for i, r in enumerate(texts(lengths(4_000)))]
    for suffix in ("parquet", "jsonl"):
        spec = write(tmp_path, cut(rows, 3), suffix, columns=(("about", "about"),))
        truth = int(row_sizes(everything(spec)).sum())
        assert truth > sum(len(r["text"]) for r in rows)
        facts = open_sampler(spec, 1).facts()
        assert facts.size == pytest.approx(truth, rel=0.02)
        twice = open_sampler(replace(spec, keep_source=True), 1).facts()
        assert twice.size == pytest.approx(truth + sum(len(r["text"]) for r in rows), rel=0.02)
