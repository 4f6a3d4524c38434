"""JSONL sources: every row with its ids, every bad line with its reason, whatever the file is."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import zstandard

from mashbill.compiler.types import FLOAT, INT, STR, list_of
from mashbill.runtime.sources import lines as lines_module
from mashbill.runtime.sources import picking, scan
from mashbill.runtime.sources.jsonl import (
    Partition,
    SourceSpec,
    column_types,
    doc_cutoff,
    sample_rows,
    scan_partitions,
)

DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"
Make = Callable[..., SourceSpec]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Write files (bytes, or rows) and give their source."""

    def write(*contents: bytes | list[Any], **facts: Any) -> SourceSpec:
        files = []
        for i, content in enumerate(contents):
            path = tmp_path / f"f{i}.jsonl"
            path.write_bytes(content if isinstance(content, bytes) else jsonl(content))
            files.append(path)
        return SourceSpec("s", tuple(files), tuple(f.name for f in files), **facts)

    return write


def jsonl(rows: Iterable[Any]) -> bytes:
    return b"".join(json.dumps(r, ensure_ascii=False).encode() + b"\n" for r in rows)


def rows_of(n: int, **more: Any) -> list[dict[str, Any]]:
    return [{"text": f"text {i}", **more} for i in range(n)]


def frame_of(spec: SourceSpec) -> pl.DataFrame:
    return pl.concat([p.frame for p in scan_partitions(spec)])


def bad_of(spec: SourceSpec) -> list[tuple[str, int, str]]:
    return [(u.file, u.line, u.reason) for p in scan_partitions(spec) for u in p.unreadable]


def test_rows_come_in_order_with_their_columns(make: Make) -> None:
    spec = make(
        [{"body": "a", "n": 1, "x": 0}, {"body": "b"}],
        [{"body": "c", "n": 3}],
        text="body",
        columns=(("gold", "n"),),
        origin="mixed",
        keep_source=True,
    )
    frame = frame_of(spec)
    assert frame.columns == ["text", "gold", "_doc", "_id", "_source", "_origin", "source.text"]
    assert frame["text"].to_list() == ["a", "b", "c"]
    assert frame["source.text"].to_list() == ["a", "b", "c"]
    assert frame["gold"].to_list() == [1, None, 3]
    assert set(frame["_source"]) == {"s"}
    assert set(frame["_origin"]) == {"mixed"}
    assert all(len(i) == 32 and int(i, 16) >= 0 for i in (*frame["_doc"], *frame["_id"]))


def test_a_document_is_source_key_and_text(make: Make) -> None:
    spec = make([{"text": "c", "k": "ab"}, {"text": "bc", "k": "a"}, {"text": "c", "k": "ab"},
                 {"text": "c", "k": None}, {"text": "c"}, {"text": "c", "k": 1}])  # fmt: skip
    keyed = frame_of(replace(spec, key="k"))["_doc"].to_list()
    assert keyed[0] == keyed[2]
    assert keyed[3] == keyed[4]
    assert len(set(keyed)) == 4
    plain = frame_of(spec)["_doc"].to_list()
    assert len(set(plain)) == 2
    assert set(frame_of(replace(spec, name="t"))["_doc"]).isdisjoint(plain)


def test_doc_ids_never_change() -> None:
    """Pinned: a new digest would make every stored result unreachable."""
    from mashbill.runtime.sources.rows import reader

    row = reader(SourceSpec("s", (), (), key="k"), {})('{"text": "grüße", "k": "7"}'.encode())
    assert row is not None
    assert row[0] == "ce0a8d1803b3faff366b192a48ee23e1"


def test_equal_rows_stay_two_rows(make: Make) -> None:
    twice = rows_of(3) + rows_of(3)
    frame = frame_of(make(twice, twice, twice))
    assert len(set(frame["_doc"])) == 3
    assert len(set(frame["_id"])) == 18


def test_ids_depend_on_neither_path_nor_packing(make: Make, tmp_path: Path) -> None:
    content = jsonl(rows_of(500))
    spec = make(content)
    expected = frame_of(spec)
    for name, data in {
        "a.gz": gzip.compress(content),
        "b.jsonl": gzip.compress(content[:999]) + gzip.compress(content[999:]) + b"\0" * 99,
        "c.zst": zstandard.compress(content),
        "d": zstandard.compress(content[:999]) + zstandard.compress(content[999:]),
        "e.txt": b"\xef\xbb\xbf" + content.removesuffix(b"\n"),
        "f.jsonl.gz": content,
    }.items():
        path = tmp_path / name
        path.write_bytes(data)
        packed = replace(spec, files=(path,), shown=(name,), format="jsonl")
        assert bad_of(packed) == [], name
        assert frame_of(packed).equals(expected), name


def test_partitions_are_cut_at_bytes_and_lines(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = make(rows_of(1_000))
    whole = frame_of(spec)
    monkeypatch.setattr(scan, "PARTITION_LINES", 300)
    parts = list(scan_partitions(spec))
    assert [len(p.frame) for p in parts] == [300, 300, 300, 100]
    assert pl.concat([p.frame for p in parts])["_doc"].equals(whole["_doc"])
    assert sum(p.bytes for p in parts) == len(jsonl(rows_of(1_000)))
    monkeypatch.setattr(scan, "PARTITION_BYTES", 1_000)
    small = list(scan_partitions(spec))
    assert all(1_000 <= p.bytes < 1_100 for p in small[:-1])
    monkeypatch.setattr(lines_module, "BLOCK", 37)
    assert [p.frame["_id"].to_list() for p in scan_partitions(spec)] == [
        p.frame["_id"].to_list() for p in small
    ]


def test_bad_lines_are_told_and_never_stop(make: Make) -> None:
    lines = [
        b'{"text": "one"}',
        b"",
        b"  \t\r",
        b'{"text": "cut',
        b'["text"]',
        b'{"body": "x"}',
        b'{"text": null}',
        b'{"text": 7}',
        b'{"text": "\xff"}',
        b'{"text": "\\ud800"}',
        b'{"text": "a\\u0000b"}',
        b'{"text": "a\0b"}',
        b'{"text": NaN}',
        '{"text": "two\u2028\u0085"}'.encode(),
        b"\0" * 300,
        b'{"text": "three"}',
    ]
    spec = make(b"\r\n".join(lines))
    (part,) = scan_partitions(spec)
    assert part.frame["text"].to_list() == ["one", "two\u2028\u0085", "three"]
    found = {u.line: u.reason for u in part.unreadable}
    assert sorted(found) == [4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 15]
    assert found[4].startswith("not JSON: ")
    assert found[5] == "not an object but list"
    assert found[6] == "no column text"
    assert found[7] == "column text is null"
    assert found[8] == "column text is int, expected str"
    assert found[9] == "not UTF-8: byte 0xff at 10"
    assert found[10] == "not JSON: half of a surrogate pair"
    assert found[11] == "column text holds a NUL character"
    assert found[12] == "holds NUL bytes"
    assert found[13].startswith("not JSON: ")
    assert found[15] == "holds NUL bytes"
    raw = {u.line: u.raw for u in part.unreadable}
    assert raw[4] == b'{"text": "cut\r'
    assert raw[15] == b"\0" * 200
    assert {u.file for u in part.unreadable} == {"f0.jsonl"}


def test_a_row_s_id_does_not_depend_on_bad_neighbours_being_counted(make: Make) -> None:
    frame = frame_of(make(b'{"text": "a"}\nbroken\n{"text": "a"}\n'))
    assert len(set(frame["_id"])) == 2


@pytest.mark.parametrize("kind", ["gzip", "zstd"])
def test_a_packed_file_cut_short_gives_what_is_there(make: Make, kind: str) -> None:
    content = jsonl([{"text": f"{i} {'x' * (i * 7919 % 97)}"} for i in range(20_000)])
    packed = gzip.compress(content) if kind == "gzip" else zstandard.compress(content)
    spec = make(packed[: len(packed) // 2])
    parts = list(scan_partitions(spec))
    rows = sum(len(p.frame) for p in parts)
    (bad,) = [u for p in parts for u in p.unreadable]
    assert 1_000 < rows < 19_000
    assert (bad.line, bad.reason) == (rows + 1, f"{kind} file is cut short")
    assert frame_of(spec)["text"].to_list() == [
        json.loads(line)["text"] for line in content.splitlines()[:rows]
    ]


def test_a_damaged_gzip_file_is_told(make: Make) -> None:
    content = jsonl(rows_of(50_000))
    packed = bytearray(gzip.compress(content))
    packed[len(packed) // 2] ^= 0xFF
    reasons = [reason for _, _, reason in bad_of(make(bytes(packed)))]
    assert "gzip data is damaged" in reasons
    assert bad_of(make(gzip.compress(content) + b"garbage"))[-1][1:] == (
        50_001,
        "gzip data is damaged",
    )


def test_long_lines(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    big = {"text": "x" * 5_000_000}
    spec = make([*rows_of(2), big, *rows_of(2)])
    assert frame_of(spec)["text"].str.len_bytes().to_list() == [6, 6, 5_000_000, 6, 6]
    monkeypatch.setattr(lines_module, "MAX_LINE", 4_000_000)
    for block in (1 << 14, 1 << 20, 3_999_999):
        monkeypatch.setattr(lines_module, "BLOCK", block)
        spec = make([*rows_of(2), big, *rows_of(2)])
        assert frame_of(spec)["text"].to_list() == ["text 0", "text 1"] * 2
        assert [line for _, line, _ in bad_of(spec)] == [3]
        last = make([*rows_of(2), big])
        assert [line for _, line, _ in bad_of(last)] == [3]
    (part,) = scan_partitions(make([big, big]))
    assert [(u.line, len(u.raw)) for u in part.unreadable] == [(1, 200), (2, 200)]


@pytest.mark.parametrize(
    "content", [b"", b"\n\n", b"\xef\xbb\xbf", b"broken\n", gzip.compress(b"", mtime=0)]
)
def test_no_rows_still_have_columns(make: Make, content: bytes) -> None:
    spec = make(content, columns=(("n", "m"),))
    frame = frame_of(spec)
    assert frame.columns == ["text", "n", "_doc", "_id", "_source", "_origin"]
    assert frame.height == 0
    assert frame.schema["text"] == pl.String


def test_types_are_found_and_held(make: Make) -> None:
    rows: list[dict[str, Any]] = [
        {"text": "a", "i": 1, "f": 1, "l": ["x"], "s": {"u": 1, "v": None}, "d": {"e": "deep"}},
        {"text": "b", "i": 2, "f": 0.5, "l": [], "s": {"u": 2.5, "w": "x"}},
        {"text": "c", "i": None, "f": 2, "l": None, "z": None},
    ]
    columns = (*((c, c) for c in "iflsz"), ("deep", "d.e"))
    spec = make(rows, columns=columns)
    types = column_types(spec)
    assert types["i"] == INT.maybe()
    assert types["f"] == FLOAT
    assert types["l"].maybe(False) == list_of(STR)
    assert types["z"] == STR.maybe()
    assert types["s"].kind == "struct"
    frame = frame_of(spec)
    assert frame["i"].to_list() == [1, 2, None]
    assert frame["f"].to_list() == [1.0, 0.5, 2.0]
    assert frame["l"].to_list() == [["x"], [], None]
    assert frame["s"].to_list()[:2] == [
        {"u": 1.0, "v": None, "w": None},
        {"u": 2.5, "v": None, "w": "x"},
    ]
    assert frame["deep"].to_list() == ["deep", None, None]


def test_drift_makes_a_line_unreadable_not_a_column_text(make: Make) -> None:
    rows = [{"text": "t", "answer": f"{i}"} for i in range(9)] + [
        {"text": "t", "answer": 7},
        {"text": "t", "answer": True},
        {"text": "t", "answer": "last"},
    ]
    spec = make(rows, columns=(("answer", "answer"),))
    assert bad_of(spec) == [
        ("f0.jsonl", 10, "schema-drift: column answer is int, expected str"),
        ("f0.jsonl", 11, "schema-drift: column answer is bool, expected str"),
    ]
    assert frame_of(spec)["answer"].to_list()[-1] == "last"
    whole = make([{"text": "t", "n": 1}] * 3 + [{"text": "t", "n": 2**63}], columns=(("n", "n"),))
    assert bad_of(whole)[0][2] == "schema-drift: column n is an integer beyond 64 bits"


def test_a_limit_keeps_the_first_rows_by_doc(make: Make) -> None:
    spec = make(rows_of(400), rows_of(400)[::-1])
    docs = sorted(frame_of(spec)["_doc"])
    assert doc_cutoff(spec, 9) == docs[8]
    limited = frame_of(replace(spec, limit=10))
    assert sorted(limited["_doc"]) == docs[:10]
    # Each document comes twice: nine rows cannot be told from ten.
    assert sorted(frame_of(replace(spec, limit=9))["_doc"]) == docs[:10]
    kept = frame_of(spec).filter(pl.col("_doc") <= docs[9])
    assert limited.equals(kept), "the limit changes neither order nor ids"
    assert len(frame_of(replace(spec, limit=9_999))) == 800
    assert len(frame_of(replace(spec, limit=0))) == 0


def test_a_sample_of_a_small_source_is_exact(make: Make) -> None:
    spec = make(rows_of(300), b"broken\n" + jsonl(rows_of(700)))
    sample = sample_rows(spec, 100, 1)
    assert (sample.exact_rows, sample.est_rows, sample.frame.height) == (1_000, 1_000, 100)
    assert sample.text_bytes == frame_of(spec)["text"].str.len_bytes().sum()
    assert [u.line for u in sample.unreadable] == [1]
    everything = frame_of(spec)["_id"].to_list()
    places = [everything.index(i) for i in sample.frame["_id"]]
    assert places == sorted(places)
    assert min(places) < 60
    assert max(places) > 940
    assert 10 < sum(p < 300 for p in places) < 50
    assert sample_rows(spec, 100, 1).frame.equals(sample.frame)
    assert not sample_rows(spec, 100, 2).frame.equals(sample.frame)
    assert sample_rows(spec, 5_000, 1).frame.height == 1_000
    assert sample_rows(replace(spec, limit=20), 100, 1).exact_rows in (20, 21)


@pytest.mark.parametrize("packed", [False, True])
def test_a_sample_of_a_large_source_is_spread_and_close(
    make: Make, monkeypatch: pytest.MonkeyPatch, packed: bool
) -> None:
    monkeypatch.setattr(picking, "ALL", 1_000)
    if packed:
        monkeypatch.setattr(lines_module, "BLOCK", 1 << 14)

    def content(first: int, n: int, size: int) -> bytes:
        rows = ({"text": f"{i} " + "x" * (i * 7919 % size)} for i in range(first, first + n))
        data = jsonl(rows)
        return gzip.compress(data) if packed else data

    spec = make(content(0, 6_000, 200), content(6_000, 2_000, 900), content(8_000, 2_000, 100))
    frame = frame_of(spec)
    sample = sample_rows(spec, 500, 3)
    assert sample.exact_rows is None
    assert sample.est_rows == pytest.approx(10_000, rel=0.2)
    assert sample.text_bytes == pytest.approx(frame["text"].str.len_bytes().sum(), rel=0.05)
    numbers = [int(t.split()[0]) for t in sample.frame["text"]]
    assert len(set(numbers)) == len(numbers) > 350
    tenths = [sum(1_000 * k <= n < 1_000 * (k + 1) for n in numbers) for k in range(10)]
    assert min(tenths) > 10, "no part of the source is missed"
    assert set(sample.frame["_doc"]) <= set(frame["_doc"])
    assert sample.frame.columns == frame.columns
    assert sample_rows(spec, 500, 3).frame.equals(sample.frame)


def test_memory_holds_a_partition_not_a_file(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan, "PARTITION_LINES", 10)
    monkeypatch.setattr(lines_module, "BLOCK", 256)
    spec = make(rows_of(1_000))
    read: list[int] = []
    plain = lines_module.read_blocks

    def watched(path: Path) -> Any:
        for block in plain(path):
            read.append(len(block.lines))
            yield block

    monkeypatch.setattr(scan, "read_blocks", watched)
    parts = scan_partitions(spec)
    first: Partition = next(parts)
    assert first.frame.height == 10
    assert sum(read) < 40


def test_real_files() -> None:
    path = DATA / "gsm8k_train_a.jsonl.gz"
    if not path.exists():
        pytest.skip("shared data is not here: gsm8k_train_a.jsonl.gz")
    spec = SourceSpec("gsm", (path,), ("gsm",), "question", (("gold", "final"),), key="id")
    frame = frame_of(spec)
    assert frame.height == 3_737
    assert frame["_id"].n_unique() == frame["_doc"].n_unique() == 3_737
    assert bad_of(spec) == []
