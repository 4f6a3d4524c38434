"""Parquet's own word on its rows and columns, and on files that are damaged."""

from __future__ import annotations

import random
from pathlib import Path

import polars as pl
import pytest

from mashbill.runtime.sources.footers import NoFooterError, read_footer

ALL = 1 << 30


def write(path: Path, rows: int, **options: object) -> pl.DataFrame:
    frame = pl.DataFrame(
        {
            "text": [f"{i} " + "x" * (i % 97) for i in range(rows)],
            "good": [i % 2 == 0 for i in range(rows)],
            "score": [i / 7 for i in range(rows)],
            "meta": [{"body": "y" * (i % 13), "tags": ["a"] * (i % 3)} for i in range(rows)],
        }
    )
    frame.write_parquet(path, **options)  # type: ignore[arg-type]
    return frame


@pytest.mark.parametrize("groups", [50, 700, 100_000])
@pytest.mark.parametrize("packing", ["zstd", "uncompressed", "snappy"])
def test_rows_and_sizes(tmp_path: Path, groups: int, packing: str) -> None:
    path = tmp_path / "a.parquet"
    frame = write(path, 5_000, row_group_size=groups, compression=packing)
    footer = read_footer(path, longest=ALL)
    assert footer.rows == 5_000
    assert {"text", "good", "score", "meta.body"} <= set(footer.sizes)
    text = int(frame["text"].str.len_bytes().sum())
    assert footer.sizes["text"] == pytest.approx(text + 4 * 5_000, rel=0.01 + 4 / groups)
    assert footer.length < path.stat().st_size
    assert 8 * 5_000 <= footer.sizes["score"] <= 8 * 5_000 * 1.5


def test_a_long_footer_is_read_as_far_as_its_rows(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    write(path, 20_000, row_group_size=20)
    footer = read_footer(path, longest=1_000)
    assert footer.length > 1 << 16, "longer than the piece that is read at first"
    assert (footer.rows, footer.sizes) == (20_000, {})
    assert read_footer(path, longest=ALL).sizes["text"] > 20_000


def test_what_is_no_parquet(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    for content in (b"", b"PAR1", b"nothing of the kind", b"PAR1" + b"\xff" * 8 + b"PAR1"):
        path.write_bytes(content)
        with pytest.raises(NoFooterError):
            read_footer(path, longest=ALL)
    with pytest.raises(FileNotFoundError):
        read_footer(tmp_path / "none", longest=ALL)


def test_damage_is_told_or_harmless(tmp_path: Path) -> None:
    """Whatever the bytes are, there is a footer or an error of its own: no other, and no hang."""
    path = tmp_path / "a.parquet"
    write(path, 500, row_group_size=100)
    whole = path.read_bytes()
    length = int.from_bytes(whole[-8:-4], "little")
    told = 0
    for seed in range(400):
        rng = random.Random(seed)
        raw = bytearray(whole)
        for _ in range(1 + seed % 20):
            raw[len(raw) - 8 - rng.randrange(length)] = rng.randrange(256)
        path.write_bytes(raw)
        try:
            read_footer(path, longest=ALL)
        except NoFooterError:
            told += 1
    assert told > 100
