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
