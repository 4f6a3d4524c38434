"""CSV and TSV: cells stay text unless all are plain numbers; what is no record is told."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from mashbill.compiler.types import BOOL, FLOAT, INT, STR
from mashbill.runtime.sources import delimited, lines
from mashbill.runtime.sources.cells import cell_value, typed_cells
from mashbill.runtime.sources.jsonl import SourceSpec, column_types, scan_partitions


def source(path: Path, content: bytes, **facts: Any) -> SourceSpec:
    path.write_bytes(content)
    return SourceSpec("s", (path,), (path.name,), **facts)


def frame_of(spec: SourceSpec) -> pl.DataFrame:
    return pl.concat([p.frame for p in scan_partitions(spec)])


def bad_of(spec: SourceSpec) -> list[tuple[int, str]]:
    return [(u.line, u.reason) for p in scan_partitions(spec) for u in p.unreadable]


def test_records_and_bad_records_with_their_lines(tmp_path: Path) -> None:
    content = (
        b'\xef\xbb\xbftext,n\r\n"two\r\nlines, ""quoted""",1\r\n\r\none field\r\na,b,c\r\n'
        b'"bad" quote,2\r\n\xff,3\r\nnul\0,4\r\n,5\r\nlast,6'
    )
    spec = source(tmp_path / "a.csv", content, columns=(("n", "n"),))
    frame = frame_of(spec)
    assert frame["text"].to_list() == ['two\r\nlines, "quoted"', "", "last"]
    assert frame["n"].to_list() == [1, 5, 6]
    bad = bad_of(spec)
    assert [line for line, _ in bad] == [5, 6, 7, 8, 9]
    assert bad[0][1] == "1 fields, expected 2"
    assert bad[1][1] == "3 fields, expected 2"
    assert bad[2][1].startswith("not CSV: ")
    assert bad[3][1] == "not UTF-8"
    assert bad[4][1] == "column text holds a NUL character"


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["1", "-20", "0", ""], INT),
        (["1", "2.5", "-1e3"], FLOAT),
        (["true", "False", ""], BOOL),
        (["007", "1"], STR),
        (["+1", "1"], STR),
        (["1", "x"], STR),
        (["1,5", "2"], STR),
        ([" 1", "2"], STR),
        (["nan", "1.0"], STR),
        (["1" * 30, "1"], STR),
        (["true", "1"], STR),
        (["2026-01-02"], STR),
        (["", ""], STR),
    ],
)
def test_types_of_cells(tmp_path: Path, cells: list[str], kind: Any) -> None:
    content = "text,c\n" + "".join(f'"","{c}"\n' for c in cells)
    spec = source(tmp_path / "a.csv", content.encode(), columns=(("c", "c"),))
    assert column_types(spec)["c"] == kind.maybe()
    kept = frame_of(spec)["c"].to_list()
    if kind is STR:
        assert kept == [c or None for c in cells]
    assert [k is None for k in kept] == [c == "" for c in cells]


def test_typed_cells_agree_with_cell_values() -> None:
    texts = [
        "1",
        "-0",
        "01",
        "1.5",
        "1e5",
        "true",
        "TRUE",
        "tRue",
        "x",
        "1\n",
        "",
        "9" * 18,
        "٣",
        "1٣",
    ]
    for kind, accepted in ((INT, (int,)), (FLOAT, (float, int)), (BOOL, (bool,))):
        typed = typed_cells(pl.Series(texts), kind).to_list()
        for text, value in zip(texts, typed, strict=True):
            said = cell_value(text)
            fits = isinstance(said, accepted) and isinstance(said, bool) == (kind is BOOL)
            assert value == (accepted[0](said) if fits else None), (text, kind)


def test_a_cell_beyond_the_sample_that_does_not_fit_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delimited, "HEAD", 200)
    content = "text,n\n" + "".join(f"row {i},{i}\n" for i in range(50)) + "end,007\nend,2.5\n"
    spec = source(tmp_path / "a.csv", content.encode(), columns=(("n", "n"),))
    assert bad_of(spec) == [
        (52, "schema-drift: column n is str, expected int"),
        (53, "schema-drift: column n is float, expected int"),
    ]


def test_delimiters(tmp_path: Path) -> None:
    semi = source(tmp_path / "a.csv", b"text;n\nx,y;1\n", delimiter=";")
    assert frame_of(semi)["text"].to_list() == ["x,y"]
    tabs = source(tmp_path / "a.tsv", b'text\tn\n"x\ty"\t1\n')
    assert frame_of(tabs)["text"].to_list() == ["x\ty"]
    said = source(tmp_path / "data", b"text\tn\nx,y\t1\n", format="tsv")
    assert frame_of(said)["text"].to_list() == ["x,y"]


def test_headers(tmp_path: Path) -> None:
    twice = source(tmp_path / "a.csv", b"text,text\na,b\n")
    assert bad_of(twice) == [(1, "column text stands twice in the header")]
    other = source(tmp_path / "b.csv", b"text,x,x\na,b,c\n")
    assert frame_of(other)["text"].to_list() == ["a"]
    for content in (b"", b"\n\n", b"text\n"):
        empty = source(tmp_path / "c.csv", content)
        assert (frame_of(empty).height, bad_of(empty)) == (0, [])
    single = source(tmp_path / "d.csv", b'text\na\n\n""\nb\n')
    assert frame_of(single)["text"].to_list() == ["a", "", "b"]


def test_an_open_quote_swallows_only_its_file(tmp_path: Path) -> None:
    spec = source(tmp_path / "a.csv", b'text,n\na,1\n"open,2\nb,3\n')
    assert frame_of(spec)["text"].to_list() == ["a"]
    ((line, reason),) = bad_of(spec)
    assert (line, reason) == (3, "not CSV: unexpected end of data")


def test_long_lines_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "MAX_LINE", 1_000)
    monkeypatch.setattr(lines, "BLOCK", 256)
    content = b"text,n\na,1\n" + b"x" * 5_000 + b",2\nb,3\nc\n"
    spec = source(tmp_path / "a.csv", content)
    assert frame_of(spec)["text"].to_list() == ["a", "b"]
    assert bad_of(spec) == [(3, "line is longer than 0 MB"), (5, "1 fields, expected 2")]


def test_any_text_comes_back(tmp_path: Path) -> None:
    """Records of random text, written by polars, blocks and batches of any size."""
    rng = random.Random(5)
    letters = "a,\";\n\r\t ü漢🙂\u2028'\\"
    texts = ["".join(rng.choices(letters, k=rng.randrange(30))) for _ in range(2_000)]
    frame = pl.DataFrame({"n": range(2_000), "text": texts})
    spec = source(tmp_path / "a.csv", frame.write_csv().encode(), columns=(("n", "n"),))
    assert bad_of(spec) == []
    found = frame_of(spec)
    assert found["n"].to_list() == frame["n"].to_list()
    assert found["text"].to_list() == texts
