"""Labelled rows: formats, labels, kinds, names; what is wrong is said with what to type."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from mashbill.runtime.calibration.labelled import (
    CalibrationError,
    Labelled,
    label_rows,
    read_rows,
)
from mashbill.runtime.calibration.narrow import rows_where

ROWS: list[dict[str, Any]] = [
    {"rewrite": "a", "meta": {"source": "b"}, "keep": True, "errors": [], "id": 1},
    {"rewrite": "c", "meta": {"source": "d"}, "keep": False, "errors": ["name", "number"]},
    {"rewrite": "e", "meta": {"source": "f"}, "keep": None, "errors": []},
]


def labelled(rows: Sequence[Mapping[str, Any]], **options: Any) -> Labelled:
    return label_rows(list(enumerate(rows, 1)), "rows.jsonl", **options)


def test_columns_are_found_and_named() -> None:
    found = labelled(ROWS, names={"text": "rewrite", "input.text": "meta.source"})
    assert (found.label, found.kind, found.group, found.unlabelled) == ("keep", "errors", None, 1)
    good, bad = found.examples
    assert (good.good, good.kinds, good.number) == (True, (), 1)
    assert (bad.good, bad.kinds, bad.number) == (False, ("name", "number"), 2)
    assert (bad.row["text"], bad.row["input.text"]) == ("c", "d")
    assert bad.row["id"] is None, "a column that a row lacks is null"


@pytest.mark.parametrize(
    "values", [(True, False), (1, 0), ("1", "0"), ("True", " false "), ("good", "bad"), (1.0, 0.0)]
)
def test_what_a_label_may_be(values: tuple[Any, Any]) -> None:
    found = labelled([{"label": v} for v in values])
    assert [e.good for e in found.examples] == [True, False]


@pytest.mark.parametrize("kinds", ["name", ["name"], {"name": True, "number": False}])
def test_what_a_kind_may_be(kinds: Any) -> None:
    found = labelled([{"good": 1, "error": kinds}, {"good": 0, "error": kinds}])
    assert [e.kinds for e in found.examples] == [(), ("name",)]


@pytest.mark.parametrize(
    ("rows", "options", "said"),
    [
        ([{"x": 1}], {}, "name yours: --label COLUMN"),
        ([{"kepe": 1}, {"kepe": 0}], {"label": "keep"}, "did you mean kepe?"),
        ([{"keep": 3}], {}, "rows.jsonl, row 1: keep is 3; a label is true or false"),
        ([{"keep": [1]}], {}, "a label is true or false"),
        ([{"keep": 1}, {"keep": 1}], {}, "by column keep all 2 are good"),
        ([{"keep": None}], {}, "by column keep there is none"),
        ([{"keep": 1}, {"keep": 0}], {"kind": "why"}, "--kind why: rows.jsonl has no such column"),
        ([{"keep": 1}, {"keep": 0}], {"names": {"text": "kep"}}, "--map text=kep: .* mean keep"),
    ],
)
def test_what_is_wrong_is_said(rows: list[Any], options: dict[str, Any], said: str) -> None:
    with pytest.raises(CalibrationError, match=said):
        labelled(rows, **options)


def test_every_format_gives_the_same_rows(tmp_path: Path) -> None:
    frame = pl.DataFrame({"text": ["a", "b"], "label": [True, False], "n": [1, 2]})
    frame.write_parquet(tmp_path / "rows.parquet")
    frame.write_ipc(tmp_path / "rows.arrow")
    frame.write_csv(tmp_path / "rows.csv")
    frame.write_csv(tmp_path / "rows.tsv", separator="\t")
    lines = "".join(json.dumps(row) + "\n" for row in frame.rows(named=True))
    (tmp_path / "rows.jsonl").write_text("\ufeff" + lines + "\n")
    (tmp_path / "rows.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    (tmp_path / "rows.csv.gz").write_bytes(gzip.compress((tmp_path / "rows.csv").read_bytes()))
    for file in sorted(tmp_path.iterdir()):
        assert read_rows(file) == frame.rows(named=True), file.name


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("rows.jsonl", b'{"a": 1}\n{"a": \n', r"rows\.jsonl:2: not JSON"),
        ("rows.jsonl", b"[1]\n", r"rows\.jsonl:1: a row is an object"),
        (
            "rows.jsonl.gz",
            gzip.compress(b'{"a": 1}\n' * 9999, mtime=0)[:60],
            r"rows\.jsonl\.gz:\d+: ",
        ),
        ("rows.md", b"text", "labelled rows are JSONL"),
        ("rows.parquet", b"PAR1", r"rows\.parquet: "),
    ],
)
def test_what_cannot_be_read_is_said(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CalibrationError, match=said):
        read_rows(tmp_path / name)


def test_some_rows_alone() -> None:
    rows = [{"style": s, "n": n} for s, n in (("a", 1), ("b", 2), ("a", None), (None, 4))]
    assert rows_where(rows, "style == 'a'", "rows") == [0, 2]
    assert rows_where(rows, "style == 'a' and n < 3", "rows") == [0]
    assert rows_where(rows, "n is null or style is null", "rows") == [2, 3]
    for where, said in (
        ("stile == 'a'", "stile"),
        ("n ==", "--where n =="),
        ("n + 1", "a condition is true or false"),
        ("n > 9", "true of no row"),
    ):
        with pytest.raises(CalibrationError, match=said):
            rows_where(rows, where, "rows")
