"""Digests of sources: what the rows depend on changes them, and nothing else."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from mashbill.runtime import manifest
from mashbill.runtime.manifest import digest_files, digest_source
from mashbill.runtime.sources.remote import Remote
from mashbill.runtime.sources.spec import Named


def named(path: Path, name: str = "") -> Named:
    return Named(path, path.name, name or path.name)


def test_lines_are_their_content_alone(tmp_path: Path) -> None:
    one, two = tmp_path / "a.jsonl", tmp_path / "b.ndjson"
    one.write_bytes(b"{}")
    two.write_bytes(b"{}")
    assert digest_source([named(one)]) == digest_source([named(two)]) == digest_files([one])


def test_a_format_counts_and_a_document_s_path(tmp_path: Path) -> None:
    files = [tmp_path / n for n in ("a.csv", "a.tsv", "a.md", "b.csv")]
    for file in files:
        file.write_bytes(b"text")
    comma, tab, note, other = (digest_source([named(f)]) for f in files)
    assert comma == other
    assert len({comma, tab, note}) == 3
    assert digest_source([named(files[2], "x/a.md")]) != note
    assert digest_source([named(files[0])], "tsv") == tab


def test_the_footer_of_a_large_parquet_file_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sizes and ranges of all its columns stand there, so a change far from any block shows."""
    monkeypatch.setattr(manifest, "WHOLE", 0)
    monkeypatch.setattr(manifest, "BLOCK", 16)
    monkeypatch.setattr(manifest, "BLOCKS", 2)
    path, found = tmp_path / "a.parquet", set()
    for middle in range(4):
        pl.DataFrame({"n": [0, *range(900), 10_000 + middle, 0]}).write_parquet(
            path, compression="uncompressed", statistics=True
        )
        found.add(digest_source([named(path)]))
    assert len(found) == 4


def test_a_file_elsewhere_is_its_stamp(tmp_path: Path) -> None:
    def digest(stamp: str, size: int = 1) -> str:
        remote = Remote("s3://a/b.jsonl", size, stamp, tmp_path)
        return digest_source([Named(remote, "x", "x")])

    assert digest("a") == digest("a")
    assert len({digest("a"), digest("b"), digest("a", 2)}) == 3
    assert list(tmp_path.iterdir()) == []  # nothing is fetched for it


def test_of_a_large_source_a_part_of_each_file_is_hashed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sizes, beginnings and ends count; the files are not read whole."""
    monkeypatch.setattr(manifest, "SOURCE", 1000)
    monkeypatch.setattr(manifest, "SPOT", 100)
    monkeypatch.setattr(manifest, "SPOTS", 800)
    files = [tmp_path / f"{k}.jsonl" for k in range(2)]
    for k, file in enumerate(files):
        file.write_bytes(bytes([65 + k]) * 5000)

    def digest() -> str:
        return digest_source([Named(f, f.name, f.name) for f in files])

    first = digest()
    assert digest() == first

    def changed(at: int, by: bytes) -> str:
        data = files[1].read_bytes()
        files[1].write_bytes(data[:at] + by + data[at + 1 :])
        made = digest()
        files[1].write_bytes(data)
        return made

    assert changed(3, b"x") != first
    assert changed(4990, b"x") != first
    assert changed(3, b"xy") != first
    assert changed(500, b"x") == first  # what lies between the places is taken on trust
    assert digest() == first


def test_a_source_that_is_not_large_is_hashed_whole(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_bytes(b"a" * 500_000)
    first = digest_source([Named(file, "a.jsonl", "a.jsonl")])
    file.write_bytes(b"a" * 250_000 + b"b" + b"a" * 249_999)
    assert digest_source([Named(file, "a.jsonl", "a.jsonl")]) != first
