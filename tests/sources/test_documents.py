"""Folders of text and Markdown: a file is a row."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from mashbill.runtime.sources import documents, picking, scan
from mashbill.runtime.sources.jsonl import SourceSpec, sample_rows, scan_partitions


def folder(root: Path, files: dict[str, bytes], **facts: Any) -> SourceSpec:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    names = tuple(sorted(files))
    paths = tuple(root / n for n in names)
    return SourceSpec("s", paths, tuple(f"shown/{n}" for n in names), names=names, **facts)


def frame_of(spec: SourceSpec) -> pl.DataFrame:
    return pl.concat([p.frame for p in scan_partitions(spec)])


def test_a_file_is_a_row(tmp_path: Path) -> None:
    spec = folder(
        tmp_path,
        {
            "a/one.md": "# Één\r\n\ntext\n".encode(),
            "b.txt": b"\xef\xbb\xbfplain",
            "c.markdown": b"",
            "d.txt.gz": gzip.compress(b"packed"),
            "e.md": b"fine\nbad \xff here",
            "f.txt": b"nul\0",
            "g.txt.gz": gzip.compress(b"packed" * 99)[:30],
        },
        columns=(("file", "path"),),
    )
    (part,) = scan_partitions(spec)
    assert part.frame["text"].to_list() == ["# Één\r\n\ntext\n", "plain", "", "packed"]
    assert part.frame["file"].to_list() == ["a/one.md", "b.txt", "c.markdown", "d.txt.gz"]
    assert sorted((u.file, u.line, u.reason) for u in part.unreadable) == [
        ("shown/e.md", 2, "not UTF-8: byte 0xff at 4"),
        ("shown/f.txt", 1, "column text holds a NUL character"),
        ("shown/g.txt.gz", 1, "gzip file is cut short"),
    ]


def test_documents_are_those_of_lines(tmp_path: Path) -> None:
    texts = [f"Text {i}\n" for i in range(30)]
    spec = folder(tmp_path, {f"{i:02}.md": t.encode() for i, t in enumerate(texts)}, key="path")
    lines = tmp_path / "l.jsonl"
    rows = [{"text": t, "path": f"{i:02}.md"} for i, t in enumerate(texts)]
    lines.write_text("".join(json.dumps(r) + "\n" for r in rows))
    same = SourceSpec("s", (lines,), ("l",), key="path")
    assert frame_of(spec).equals(frame_of(same))


def test_many_files_make_a_partition(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan, "PARTITION_LINES", 40)
    monkeypatch.setattr(documents, "BATCH", 7)
    spec = folder(tmp_path, {f"{i:03}.txt": b"same" for i in range(100)})
    parts = [p.frame for p in scan_partitions(spec)]
    assert [p.height for p in parts] == [40, 40, 20]
    assert pl.concat(parts)["_id"].n_unique() == 100


def test_a_folder_is_sampled_by_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picking, "ALL", 0)
    spec = folder(tmp_path, {f"{i:03}.txt": b"x" * 10 for i in range(200)})
    sample = sample_rows(spec, 20, seed=1)
    assert (sample.exact_rows, sample.est_rows, sample.text_bytes) == (None, 200, 2_000)
    assert sample.frame.height == 20


def test_only_text_and_path_are_there(tmp_path: Path) -> None:
    spec = folder(tmp_path, {"a.txt": b"x", "b.txt": b"y"}, columns=(("t", "title"),))
    (part,) = scan_partitions(spec)
    assert part.frame.height == 0
    assert [u.reason for u in part.unreadable] == ["no column title; it has text, path"] * 2


def test_long_files_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "MAX_LINE", 1_000)
    spec = folder(tmp_path, {"a.txt": b"x" * 2_000, "b.txt.gz": gzip.compress(b"x" * 2_000)})
    (part,) = scan_partitions(spec)
    assert [u.reason for u in part.unreadable] == ["file is longer than 0 MB"] * 2
