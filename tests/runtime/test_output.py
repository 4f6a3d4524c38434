"""Shards, formats, full disks and folders that cannot be written."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import pytest

from mashbill.runtime.shards import ShardWriter

from .conftest import MODELS, Spine, documents, make_spine

KINDS = {"text": pl.String(), "n": pl.Int64()}


def rows(count: int, size: int = 92) -> pl.DataFrame:
    return pl.DataFrame({"n": range(count), "text": [f"{i:0{size}d}" for i in range(count)]})


@pytest.mark.parametrize("format", ["parquet", "jsonl"])
@pytest.mark.parametrize("pieces", [1, 3, 17])
def test_shards_have_the_size_asked_for(tmp_path: Path, format: str, pieces: int) -> None:
    writer = ShardWriter(tmp_path, format, 1000, KINDS)
    whole = rows(95)
    for k in range(pieces):
        writer.write(whole[k * 95 // pieces : (k + 1) * 95 // pieces])
    files = writer.close()
    assert [f["rows"] for f in files] == [10] * 9 + [5]
    read = pl.read_parquet if format == "parquet" else pl.read_ndjson
    found = pl.concat([read(tmp_path / f["file"]) for f in files])
    assert found.equals(whole.select("text", "n"))
    assert all((tmp_path / f["file"]).stat().st_size == f["bytes"] for f in files)


def test_a_row_is_never_cut(tmp_path: Path) -> None:
    writer = ShardWriter(tmp_path, "parquet", 1000, KINDS)
    writer.write(
        pl.DataFrame({"text": ["a", "b" * 5000, "c", "d" * 980, "e"], "n": [1, 2, 3, 4, 5]})
    )
    assert [f["rows"] for f in writer.close()] == [1, 1, 2, 1]


def test_shards_do_not_depend_on_the_text_column(tmp_path: Path) -> None:
    """What is not written weighs nothing; without text, the other columns fill the shards."""
    writer = ShardWriter(tmp_path, "parquet", 80, {"n": pl.Int64()})
    writer.write(rows(95))
    assert [f["rows"] for f in writer.close()] == [10] * 9 + [5]


def test_an_empty_data_set_can_be_read(tmp_path: Path) -> None:
    files = ShardWriter(tmp_path, "parquet", 1000, KINDS).close()
    assert len(files) == 1
    assert dict(pl.read_parquet(tmp_path / files[0]["file"]).schema) == KINDS


def test_jsonl_and_parquet_hold_the_same(tmp_path: Path) -> None:
    spine = make_spine(tmp_path, documents(20))
    spine.good_run()
    rows = spine.rows()
    spine.edit("mix:", "output: { format: jsonl, shard: 2kB }\nmix:")
    spine.good_run("--replace")
    shards = spine.shards()
    assert len(shards) > 3
    lines = [json.loads(line) for data in shards.values() for line in data.splitlines()]
    assert lines == rows.to_dicts()


def test_a_shortfall_is_an_error_with_numbers_and_saves_everything(spine: Spine) -> None:
    spine.edit("total: 4000 tokens", "total: 400k tokens")
    spine.edit("on_shortfall: shrink", "on_shortfall: error")
    said = spine.run()
    assert said.code == 1
    assert said.err.count("error: ") == 1
    assert "`long` can supply" in said.err
    assert "of 200,000 tokens" in said.err
    assert not spine.shards()
    assert spine.leftovers() == []
    sent = len(spine.sent())
    assert sent > 0
    spine.edit("on_shortfall: error", "on_shortfall: shrink")
    spine.good_run()
    assert len(spine.sent()) == sent


# -- disks

MOUNTS = os.geteuid() == 0 and shutil.which("mount") is not None


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """A file system of its own, for as long as the block."""
    folder.mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    if not MOUNTS or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("mounting a small disk needs root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


BABBLE = (
    MODELS.replace("fake/rewrite", "fake/words")
    + """\
steps:
  made:
    op: generate
    from: docs
    model: writer
    prompt: prompts/book.md.j2
    sampling: { max_tokens: 3000 }
output: { path: PATH }
"""
)


def full(spine: Spine) -> None:
    said = spine.run()
    assert said.code == 1, said.text
    assert "the disk is full" in said.err, said.text
    assert said.err.count("error") == 1
    assert "run again" in said.err


def grow(folder: Path, size: str) -> None:
    subprocess.run(["mount", "-o", f"remount,size={size}", str(folder)], check=True)


def test_the_disk_is_full_at_the_ledger(tmp_path: Path) -> None:
    recipe = BABBLE.replace("PATH", "out/spine")
    spine = make_spine(tmp_path, documents(400), recipe=recipe, slots=8, latency="5ms")
    shutil.rmtree(spine.folder / ".mashbill")
    with small_disk(spine.folder / ".mashbill", "72k"):
        full(spine)
        assert 0 < len(spine.sent()) < 400
        assert not spine.shards()
        # What was committed is not paid again once there is room.
        lost = len(spine.sent())
        grow(spine.folder / ".mashbill", "50m")
        record = spine.good_run()
        assert record["models"]["writer"]["reused"] > 0
        assert len(spine.sent()) <= 400 + 64  # one group of the commit, and what was under way
        assert lost + record["models"]["writer"]["sent"] == len(spine.sent())


def test_the_disk_is_full_at_the_spool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mashbill.runtime import spool

    monkeypatch.setattr(spool, "FLUSH_BYTES", 10_000)
    spine = make_spine(tmp_path, documents(300), recipe=BABBLE.replace("PATH", "out/spine"))
    spine.write(spine.folder.joinpath("recipe.yaml").read_text())
    spine.good_run()
    wanted, sent = spine.shards(), len(spine.sent())
    spine.forget_output()
    (spine.folder / ".mashbill/runs").rename(spine.folder / ".mashbill/old")
    with small_disk(spine.folder / ".mashbill/runs", "100k"):
        full(spine)
        grow(spine.folder / ".mashbill/runs", "50m")
        spine.good_run()
        assert spine.shards() == wanted
        assert len(spine.sent()) == sent


@pytest.mark.parametrize("format", ["parquet", "jsonl"])
def test_the_disk_is_full_at_the_shards(tmp_path: Path, format: str) -> None:
    recipe = BABBLE.replace("path: PATH", f"path: disk/spine, format: {format}")
    spine = make_spine(tmp_path, documents(300), recipe=recipe)
    with small_disk(spine.folder / "disk", "60k") as disk:
        full(spine)
        assert list(disk.iterdir()) == []
        sent = len(spine.sent())
        grow(disk, "50m")
        said = spine.run()
        assert said.code == 0, said.text
        assert len(spine.sent()) == sent
        assert len(list((disk / "spine").glob(f"train-*.{format}"))) == 1


def test_an_output_that_cannot_be_written_is_found_before_anything_is_paid(tmp_path: Path) -> None:
    spine = make_spine(tmp_path, documents(5), recipe=BABBLE.replace("PATH", "disk/spine"))
    with small_disk(spine.folder / "disk", "1m") as disk:
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        said = spine.run()
    assert said.code == 1
    assert said.err.count("error") == 1
    assert "Read-only file system" in said.err
    assert "disk" in said.err
    assert spine.sent() == []


def test_a_file_stands_where_the_output_should(spine: Spine) -> None:
    (spine.folder / "out").mkdir()
    (spine.folder / "out/spine").write_text("a file")
    said = spine.run()
    assert said.code == 1
    assert "not a folder" in said.err
    assert (spine.folder / "out/spine").read_text() == "a file"
