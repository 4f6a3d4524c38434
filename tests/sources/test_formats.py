"""One data set in every format: the same documents, ids and bytes; and what is no row, told."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import zstandard

from mashbill.compiler.types import BOOL, FLOAT, INT, STR
from mashbill.runtime.sources import cutting, picking, scan, stored
from mashbill.runtime.sources.jsonl import (
    SourceSpec,
    column_types,
    doc_cutoff,
    sample_rows,
    scan_partitions,
)

ROWS: list[dict[str, Any]] = [
    {
        "body": f'Row {i}, "quoted";\nsecond line\r\nthird ü 漢 {"x" * (i * 7 % 50)}',
        "id": None if i % 10 == 9 else f"k{i:03}",
        "n": None if i % 7 == 3 else i * 1_000_003,
        "score": i / 8,
        "good": i % 3 == 0,
        "zip": f"0{i:04}",
    }
    for i in range(200)
]
COLUMNS = (("n", "n"), ("score", "score"), ("good", "good"), ("zip", "zip"))
NAMES = ["a.jsonl", "a.jsonl.zst", "a.parquet", "a.arrow", "a.feather", "stream.arrow", "a.csv",
         "a.csv.gz", "a.tsv", "noname"]  # fmt: skip


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    """Rows in the format that a name says."""
    frame = pl.DataFrame(rows, infer_schema_length=None)
    name = path.name
    if ".jsonl" in name:
        content = b"".join(json.dumps(r).encode() + b"\n" for r in rows)
        path.write_bytes(zstandard.compress(content) if name.endswith(".zst") else content)
    elif name == "stream.arrow":
        frame.write_ipc_stream(path)
    elif name.endswith((".arrow", ".feather")):
        frame.write_ipc(path, record_batch_size=17)
    elif ".csv" in name or name.endswith(".tsv"):
        text = frame.write_csv(separator="\t" if name.endswith(".tsv") else ",").encode()
        path.write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
    else:
        frame.write_parquet(path, row_group_size=33)
    return path


def source(*files: Path, **facts: Any) -> SourceSpec:
    return SourceSpec("s", files, tuple(f.name for f in files), **facts)


def frame_of(spec: SourceSpec) -> pl.DataFrame:
    return pl.concat([p.frame for p in scan_partitions(spec)])


def bad_of(spec: SourceSpec) -> list[tuple[str, int, str]]:
    return [(u.file, u.line, u.reason) for p in scan_partitions(spec) for u in p.unreadable]


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    path = write(tmp_path_factory.mktemp("lines") / "a.jsonl", ROWS)
    return frame_of(source(path, text="body", key="id", columns=COLUMNS))


@pytest.mark.parametrize("name", NAMES)
def test_a_data_set_is_the_same_in_every_format(
    tmp_path: Path, expected: pl.DataFrame, name: str
) -> None:
    spec = source(write(tmp_path / name, ROWS), text="body", key="id", columns=COLUMNS)
    assert bad_of(spec) == []
    frame = frame_of(spec)
    assert frame.schema == expected.schema
    assert frame.equals(expected)
    kinds = {k: t.maybe(False) for k, t in column_types(spec).items()}
    assert kinds == {"n": INT, "score": FLOAT, "good": BOOL, "zip": STR}


@pytest.mark.parametrize("name", NAMES)
def test_samples_and_limits_are_the_same(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name, ROWS)
    lines = write(tmp_path / "lines.jsonl", ROWS)
    spec, other = source(path, text="body"), source(lines, text="body")
    sample = sample_rows(spec, 20, seed=3)
    assert sample.exact_rows == len(ROWS)
    assert sample.frame.equals(sample_rows(other, 20, seed=3).frame)
    assert doc_cutoff(spec, 10) == doc_cutoff(other, 10)
    assert frame_of(replace(spec, limit=10)).height == 10


@pytest.mark.parametrize("name", NAMES)
def test_cuts_do_not_depend_on_the_format(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan, "PARTITION_LINES", 60)
    path = write(tmp_path / name, ROWS)
    lines = write(tmp_path / "lines.jsonl", ROWS)
    parts = [p.frame["_id"].to_list() for p in scan_partitions(source(path, text="body"))]
    assert [len(p) for p in parts] == [60, 60, 60, 20]
    assert parts == [p.frame["_id"].to_list() for p in scan_partitions(source(lines, text="body"))]


@pytest.mark.parametrize("name", ["a.parquet", "a.arrow", "a.csv"])
def test_cuts_do_not_depend_on_how_a_file_is_read(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan, "PARTITION_BYTES", 2_000)
    spec = source(write(tmp_path / name, ROWS), text="body")
    parts = [p.frame["_id"].to_list() for p in scan_partitions(spec)]
    assert len(parts) > 3
    monkeypatch.setattr(stored, "BATCH_BYTES", 1)
    monkeypatch.setattr("mashbill.runtime.sources.delimited.BATCH_BYTES", 500)
    pl.concat([pl.read_parquet(tmp_path / name)]).write_parquet(
        tmp_path / name, row_group_size=70
    ) if name == "a.parquet" else None
    assert [p.frame["_id"].to_list() for p in scan_partitions(spec)] == parts


def test_formats_stand_beside_each_other(tmp_path: Path, expected: pl.DataFrame) -> None:
    names = ["1.jsonl", "2.csv", "3.parquet", "4.arrow"]
    files = [write(tmp_path / n, ROWS[i * 50 : i * 50 + 50]) for i, n in enumerate(names)]
    spec = source(*files, text="body", key="id", columns=COLUMNS)
    frame = frame_of(spec)
    assert frame.drop("_id").equals(expected.drop("_id"))
    assert frame["_id"].n_unique() == 200


def test_types_that_formats_do_not_share(tmp_path: Path) -> None:
    """A column that is a number in most files makes the others' rows unreadable, one by one."""
    rows = [{"text": "a", "n": 1}, {"text": "b", "n": 2}]
    files = [write(tmp_path / n, rows) for n in ("a.parquet", "b.csv")]
    files.append(write(tmp_path / "c.parquet", [{"text": "c", "n": "x"}, {"text": "d", "n": None}]))
    spec = source(*files, columns=(("n", "n"),))
    assert bad_of(spec) == [("c.parquet", 1, "schema-drift: column n is str, expected int")]
    assert frame_of(spec)["n"].to_list() == [1, 2, 1, 2, None]


def test_a_column_that_some_files_lack_is_null_there(tmp_path: Path) -> None:
    files = [
        write(tmp_path / "a.parquet", [{"text": "a", "n": 1}]),
        write(tmp_path / "b.csv", [{"text": "b", "m": 1}]),
        write(tmp_path / "c.arrow", [{"text": "c", "m": 1}]),
    ]
    spec = source(*files, columns=(("n", "n"),))
    assert bad_of(spec) == []
    assert frame_of(spec)["n"].to_list() == [1, None, None]


@pytest.mark.parametrize("name", ["a.parquet", "a.arrow", "a.csv", "a.tsv"])
def test_a_column_that_no_file_has_is_told(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name, ROWS[:3])
    has = "it has body, id, n, score, good, zip"
    assert bad_of(source(path)) == [(name, 1, f"no column text; {has}")]
    assert bad_of(source(path, text="body", key="no")) == [(name, 1, f"no column no; {has}")]
    wrong = source(path, text="body", columns=(("gold", "answer"),))
    assert bad_of(wrong) == [(name, 1, f"no column answer; {has}")]
    assert frame_of(wrong).height == 0
    sample = sample_rows(wrong, 5, seed=0)
    assert (sample.exact_rows, len(sample.unreadable)) == (0, 1)


@pytest.mark.parametrize("name", ["a.parquet", "a.arrow"])
def test_nested_columns_arrive_with_their_types(tmp_path: Path, name: str) -> None:
    rows = [
        {"text": "a", "tests": ["x", "y"], "meta": {"n": 1, "tags": [[1], [2, 3]]}},
        {"text": "b", "tests": [], "meta": {"n": None, "tags": None}},
        {"text": "c", "tests": None, "meta": None},
    ]
    columns = (("tests", "tests"), ("meta", "meta"), ("n", "meta.n"))
    frame = frame_of(source(write(tmp_path / name, rows), columns=columns))
    lines = frame_of(source(write(tmp_path / "l.jsonl", rows), columns=columns))
    assert frame.schema == lines.schema
    assert frame["tests"].to_list() == [["x", "y"], [], None]
    assert frame["n"].to_list() == [1, None, None]
    assert frame["meta"][0] == {"n": 1, "tags": [[1], [2, 3]]}
    assert frame["_id"].to_list() == lines["_id"].to_list()


def test_stored_types_that_the_language_has_not(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pl.DataFrame(
        {
            "text": pl.Series(["a", "b", "c"], dtype=pl.Categorical),
            "day": [date(2026, 1, 2), None, date(2026, 1, 3)],
            "small": pl.Series([1, 2, 3], dtype=pl.UInt8),
            "big": pl.Series([1, 2**63, 3], dtype=pl.UInt64),
            "price": pl.Series(["1.25", "2", "3"]).cast(pl.Decimal(10, 2)),
            "days": [[date(2026, 1, 2)], [], None],
        }
    ).write_parquet(path)
    columns = tuple((n, n) for n in ("day", "small", "big", "price", "days"))
    spec = source(path, columns=columns)
    frame = frame_of(spec)
    assert bad_of(spec) == [
        ("a.parquet", 2, "schema-drift: column big is an integer beyond 64 bits")
    ]
    assert frame["day"].to_list() == ["2026-01-02", "2026-01-03"]
    assert frame["small"].to_list() == [1, 3]
    assert frame["price"].to_list() == [1.25, 3.0]
    assert frame["days"].to_list() == [["2026-01-02"], None]
    keyed = frame_of(source(path, key="day"))["_doc"].to_list()
    lines = write(tmp_path / "l.jsonl", [{"text": "a", "day": "2026-01-02"}])
    assert keyed[0] == frame_of(source(lines, key="day"))["_doc"][0]


def test_stored_bytes_are_no_column(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pl.DataFrame({"text": ["a", "b"], "b": [b"x", None], "l": [[b"x"], None]}).write_parquet(path)
    for name, kind in (("b", "Binary"), ("l", "List(Binary)")):
        spec = source(path, columns=((name, name),))
        assert bad_of(spec) == [("a.parquet", 1, f"column {name} is {kind}, which is no type here")]
        assert frame_of(spec)["text"].to_list() == ["b"]
        assert sample_rows(spec, 5, seed=0).exact_rows == 1
    (bad,) = bad_of(source(path, key="b"))
    assert bad == ("a.parquet", 1, "column b is Binary, which is no type here")


def test_stored_rows_that_are_none(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pl.DataFrame({"text": [b"ok", None, b"\xff!", b"a\0b", b"end"], "t": ["", "", "", "", "\0"]}
                 ).write_parquet(path)  # fmt: skip
    assert bad_of(source(path)) == [
        ("a.parquet", 2, "column text is null"),
        ("a.parquet", 3, "column text is not UTF-8"),
        ("a.parquet", 4, "column text holds a NUL character"),
    ]
    spec = source(path, columns=(("t", "t"),))
    dropped = ("a.parquet", 5, "schema-drift: column t is text with a NUL character")
    assert bad_of(spec)[-1] == dropped
    # Whether a column is carried changes no row.
    assert frame_of(replace(spec, carried=frozenset()))["text"].to_list() == ["ok"]
    number = tmp_path / "n.parquet"
    pl.DataFrame({"text": [1, None]}).write_parquet(number)
    assert [r for *_, r in bad_of(source(number))] == [
        "column text is int, expected str",
        "column text is null",
    ]


@pytest.mark.parametrize("name", ["a.parquet", "a.arrow"])
def test_files_that_are_not_what_they_say(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"nothing of the kind")
    ((file, line, reason),) = bad_of(source(path))
    assert (file, line) == (name, 1)
    assert reason.startswith("not Parquet: " if name == "a.parquet" else "not Arrow: ")


def test_rows_around_the_damage_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.parquet"
    texts = [f"text {i} {i * 7919 % 10007}" for i in range(5_000)]
    pl.DataFrame({"text": texts}).write_parquet(path, row_group_size=1_000)
    raw = bytearray(path.read_bytes())
    middle = len(raw) // 2
    raw[middle : middle + 200] = bytes(b ^ 0xFF for b in raw[middle : middle + 200])
    path.write_bytes(raw)
    found = frame_of(source(path))["text"].to_list()
    bad = bad_of(source(path))
    assert found == texts[:2_000] + texts[3_000:]
    assert [line for _, line, _ in bad] == [2_001]
    assert bad[0][2].startswith("1,000 rows cannot be read: ")


@pytest.mark.parametrize("name", ["a.parquet", "a.arrow", "a.feather"])
def test_whatever_is_damaged_is_told(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file cut short or changed at random places: rows are missing only beside a reason."""
    path = write(tmp_path / name, ROWS)
    spec = source(path, text="body", columns=COLUMNS)
    whole = path.read_bytes()
    for seed in range(25):
        rng = random.Random(seed)
        raw = bytearray(whole)
        for _ in range(1 + seed % 3 * 10):
            raw[rng.randrange(len(raw))] = rng.randrange(256)
        path.write_bytes(raw[: rng.randrange(len(raw))] if seed % 5 == 0 else raw)
        assert frame_of(spec).height == len(ROWS) or bad_of(spec), seed
        with monkeypatch.context() as patch:
            patch.setattr(picking, "ALL", 0)
            sample = sample_rows(spec, 20, seed=0)
        assert sample.frame.height or sample.unreadable, seed


def test_only_columns_that_matter_are_read(tmp_path: Path) -> None:
    """Those that rows carry, and those of which a value could fail to fit."""
    path = write(tmp_path / "a.parquet", ROWS)
    spec = source(path, text="body", columns=COLUMNS, carried=frozenset({"n"}))
    wanted = stored.select(spec, column_types(spec), dict(pl.read_parquet_schema(path)))
    assert not isinstance(wanted, str)
    assert [e.meta.output_name() for e in wanted] == ["text", "n", "zip"]
    assert frame_of(spec).columns == ["text", "n", "_doc", "_id", "_source", "_origin"]


def test_large_stored_sources_are_sampled_in_windows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picking, "ALL", 0)
    rows = [{"text": f"text {i:06}", "i": i} for i in range(20_000)]
    for name in ("a.parquet", "a.arrow", "a.csv"):
        spec = source(write(tmp_path / name, rows), columns=(("i", "i"),))
        sample = sample_rows(spec, 400, seed=1)
        assert sample.exact_rows is None
        assert 350 <= sample.frame.height <= 450
        assert sample.est_rows == pytest.approx(20_000, rel=0.1)
        assert sample.text_bytes == pytest.approx(20_000 * 11, rel=0.1)
        assert sample.frame["i"].n_unique() == sample.frame.height
        assert sample.frame["i"].mean() == pytest.approx(10_000, rel=0.3)
        assert sample.frame.equals(sample_rows(spec, 400, seed=1).frame)


def test_a_table_is_cut_where_its_text_is_full() -> None:
    from mashbill.runtime.sources.spec import Table

    frame = pl.DataFrame({"text": ["x" * 9] * 25})
    make: Callable[[int], list[int]] = lambda step: [  # noqa: E731
        t.frame.height
        for t in cutting.cut(
            (Table(frame[i : i + step], "f", range(i + 1, i + 1 + frame[i : i + step].height))
             for i in range(0, 25, step)),
            rows=8, size=60,
        )
    ]  # fmt: skip
    assert make(1) == make(4) == make(25) == [6, 6, 6, 6, 1]
