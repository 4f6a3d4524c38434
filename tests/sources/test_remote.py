"""Addresses: listed and fetched through fsspec, told what to install where it is missing."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from mashbill.compiler.world import OutsideError
from mashbill.runtime.manifest import digest_source
from mashbill.runtime.project import Project
from mashbill.runtime.sources import picking, remote
from mashbill.runtime.sources.jsonl import SourceSpec, sample_rows, scan_partitions
from mashbill.runtime.sources.locate import locate
from mashbill.runtime.sources.remote import Remote, RemoteError, is_address, list_remote, local


@pytest.fixture
def memory() -> Iterator[Any]:
    """An empty file system in memory."""
    fsspec = pytest.importorskip("fsspec", reason='needs fsspec: pip install "mashbill[hub]"')
    system = fsspec.filesystem("memory")
    system.store.clear()
    yield system
    system.store.clear()


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "recipe.yaml").write_text("")
    return Project(tmp_path / "recipe.yaml", tmp_path)


def lines(*texts: str) -> bytes:
    return "".join(json.dumps({"text": t}) + "\n" for t in texts).encode()


def spec_of(project: Project, path: str) -> SourceSpec:
    found = locate(project, path, typed=False)
    return SourceSpec(
        "s",
        tuple(f.path for f in found),
        tuple(f.shown for f in found),
        names=tuple(f.name for f in found),
    )


def texts_of(spec: SourceSpec) -> list[str]:
    return pl.concat([p.frame for p in scan_partitions(spec)])["text"].to_list()


def test_what_is_an_address() -> None:
    assert is_address("hf://datasets/x/y")
    assert is_address("memory://a/*.jsonl")
    for path in ("a/b.jsonl", "/a", "C://", "a:b//c", "", "x y://z"):
        assert is_address(path) == (path == "C://")


def test_files_are_fetched_as_they_are_read(memory: Any, project: Project) -> None:
    memory.pipe("/set/b.jsonl", lines("c", "d"))
    memory.pipe("/set/a.jsonl", lines("a", "b"))
    memory.pipe("/set/.hidden.jsonl", lines("x"))
    memory.pipe("/set/README.md", b"about")
    memory.pipe("/set/data.bin", b"?")
    for path in ("memory://set/*.jsonl", "memory://set/[ab].jsonl"):
        assert texts_of(spec_of(project, path)) == ["a", "b", "c", "d"]
    spec = spec_of(project, "memory://set")
    assert spec.shown == (
        "memory://set/a.jsonl",
        "memory://set/b.jsonl",
    )
    first = next(iter(scan_partitions(spec)))
    assert first.frame["text"].to_list() == ["a", "b"]
    assert texts_of(spec) == ["a", "b", "c", "d"]
    memory.rm("/set", recursive=True)
    assert texts_of(spec) == ["a", "b", "c", "d"]  # copies are kept


def test_every_format_comes_from_an_address(memory: Any, project: Project, tmp_path: Path) -> None:
    frame = pl.DataFrame({"text": ["a", "b"]})
    frame.write_parquet(tmp_path / "x.parquet")
    frame.write_ipc(tmp_path / "x.arrow")
    memory.pipe("/m/x.parquet", (tmp_path / "x.parquet").read_bytes())
    memory.pipe("/m/x.arrow", (tmp_path / "x.arrow").read_bytes())
    memory.pipe("/m/x.csv", b"text\na\nb\n")
    memory.pipe("/m/x.jsonl", lines("a", "b"))
    found = {s: texts_of(spec_of(project, f"memory://m/x.{s}")) for s in
             ("parquet", "arrow", "csv", "jsonl")}  # fmt: skip
    assert all(texts == ["a", "b"] for texts in found.values()), found


def test_file_addresses_stay_in_the_project(memory: Any, project: Project, tmp_path: Path) -> None:
    path = tmp_path / "d.jsonl"
    path.write_bytes(lines("a"))
    for address in (f"file://{path}", f"local://{path}", f"hf://x::file://{path}"):
        with pytest.raises(OutsideError):
            locate(project, address, typed=False)
        with pytest.raises(OutsideError):
            project.match(address, typed=False)
    (found,) = locate(project, f"file://{path}", typed=True)
    assert local(found.path).read_bytes() == lines("a")
    assert project.match("hf://datasets/a/b", typed=False) == ("hf://datasets/a/b",)


def test_a_changed_file_is_fetched_again(memory: Any, project: Project) -> None:
    memory.pipe("/c/a.jsonl", lines("one"))
    before = locate(project, "memory://c/a.jsonl", typed=False)
    assert local(before[0].path).read_bytes() == lines("one")
    memory.pipe("/c/a.jsonl", lines("three"))
    after = locate(project, "memory://c/a.jsonl", typed=False)
    assert digest_source(before) != digest_source(after)
    assert local(after[0].path).read_bytes() == lines("three")


def test_a_copy_is_whole_or_not_there(memory: Any, project: Project) -> None:
    memory.pipe("/t/a.jsonl", lines("one"))
    (found,) = locate(project, "memory://t/a.jsonl", typed=False)
    assert isinstance(found.path, Remote)
    longer = Remote(found.path.address, 10_000, "x", found.path.store)
    with pytest.raises(RemoteError, match="came cut short"):
        local(longer)
    assert not longer.copy.exists()
    assert list(project.state.rglob("*.part")) == []
    gone = Remote("memory://t/gone.jsonl", 10, "x", found.path.store)
    with pytest.raises(RemoteError, match="cannot be fetched"):
        local(gone)


def test_a_folder_of_notes(memory: Any, project: Project) -> None:
    memory.pipe("/n/a/one.md", b"1")
    memory.pipe("/n/two.txt", b"2")
    spec = spec_of(project, "memory://n")
    assert texts_of(spec) == ["1", "2"]
    assert spec.names == ("memory://n/a/one.md", "memory://n/two.txt")


def test_a_name_on_the_hub_is_a_data_set(monkeypatch: pytest.MonkeyPatch) -> None:
    core = pytest.importorskip("fsspec.core", reason='needs fsspec: pip install "mashbill[hub]"')
    asked: list[str] = []
    monkeypatch.setattr(core, "url_to_fs", lambda a: (asked.append(a), (None, a))[1])
    for path in ("owner/name/part", "datasets/owner/name"):
        remote._system(f"hf://{path}")
    assert asked == ["hf://datasets/owner/name/part", "hf://datasets/owner/name"]


def test_nothing_there_is_no_file(memory: Any, tmp_path: Path) -> None:
    assert list_remote("memory://nothing/*.jsonl", tmp_path) == ()
    assert list_remote("memory://nothing", tmp_path) == ()


def test_a_large_source_is_sampled_from_few_files(
    memory: Any, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picking, "ALL", 0)
    for i in range(20):
        memory.pipe(f"/l/{i:02}.jsonl", lines(*(f"text {i:02} {k:03}" for k in range(100))))
    spec = spec_of(project, "memory://l/*.jsonl")
    sample = sample_rows(spec, 50, seed=1)
    assert sample.exact_rows is None
    assert sample.est_rows == pytest.approx(2_000, rel=0.25)
    assert len([p for p in project.state.rglob("*.jsonl") if p.is_file()]) == 4


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("hf://datasets/a/b", 'hf:// needs an extra: pip install "mashbill[hub]"'),
        ("s3://bucket/a", "s3:// needs s3fs: pip install s3fs"),
    ],
)
def test_what_is_missing_is_named(
    address: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "fsspec.core", None)
    with pytest.raises(RemoteError) as error:
        list_remote(address, tmp_path)
    assert said in str(error.value)


def test_names_that_are_addresses_already(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As file systems of the web give them, which also find nothing in a file."""

    class Web:
        def find(self, path: str, *, detail: bool) -> dict[str, Any]:
            return {}

        def info(self, path: str) -> dict[str, Any]:
            return {"name": path, "size": 3, "type": "file", "ETag": "e"}

    monkeypatch.setattr(remote, "_system", lambda a: (Web(), a))
    (found,) = list_remote("https://host/a.csv", tmp_path)
    assert (found.address, found.size, found.name) == ("https://host/a.csv", 3, "a.csv")


def test_a_scheme_that_nobody_knows(memory: Any, tmp_path: Path) -> None:
    with pytest.raises(RemoteError, match="nosuch"):
        list_remote("nosuch://a/b", tmp_path)


def test_stamps_tell_what_they_can() -> None:
    assert remote._stamp({"sha256": "a", "mtime": 1}) == "a"
    assert remote._stamp({"ETag": '"e"', "size": 3}) == '"e"'
    assert remote._stamp({"size": 3, "mtime": 5.0}) != remote._stamp({"size": 3, "mtime": 6.0})
