"""Copies of remote files that `ledger gc` removes, and those that it leaves."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from mashbill.runtime.cli import command
from mashbill.runtime.sources.copies import PART_SECONDS, collect_copies

RECIPE = """\
mashbill: 1
name: far
models: { writer: fake/echo }
sources: { docs: { path: "memory://far/*.jsonl", license: CC0-1.0, origin: human } }
steps:
  made: { op: generate, from: docs, model: writer, prompt: p.md.j2 }
"""
PROMPT = "---\ninputs: { text: str }\n---\n{% block user %}{{ text }}{% endblock %}\n"


@pytest.fixture
def far(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A project whose documents lie in memory, and that memory."""
    fsspec = pytest.importorskip("fsspec", reason='needs fsspec: pip install "mashbill[hub]"')
    system = fsspec.filesystem("memory")
    system.store.clear()
    (tmp_path / ".mashbill").mkdir()
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    (tmp_path / "p.md.j2").write_text(PROMPT)
    monkeypatch.chdir(tmp_path)
    yield system
    system.store.clear()


def do(*arguments: str) -> str:
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = command(list(arguments))
    assert code == 0, out.getvalue() + err.getvalue()
    return out.getvalue()


def copies() -> list[Path]:
    return [p for p in Path(".mashbill/remote").glob("??/*") if p.is_file()]


def test_gc_removes_copies_that_no_recipe_reads(far: Any) -> None:
    far.pipe("/far/a.jsonl", json.dumps({"text": "The first words."}).encode())
    do("run", "-q")
    (old,) = copies()
    assert do("ledger", "gc") == "nothing to remove\n"
    far.pipe("/far/a.jsonl", json.dumps({"text": "Other words."}).encode())
    do("run", "-q", "--replace")
    assert len(copies()) == 2
    assert do("ledger", "gc", "--runs-only", "--yes") == "nothing to remove; compacted\n"
    assert "would remove 1 copy of remote files" in do("ledger", "gc")
    assert len(copies()) == 2
    told = json.loads(do("ledger", "gc", "--format", "json"))
    assert told["copies"]["files"] == 1 and told["copies"]["bytes"] == old.stat().st_size
    assert "removed 1 copy of remote files" in do("ledger", "gc", "--yes")
    (left,) = copies()
    assert left != old and "Other words" in left.read_text()
    Path("recipe.yaml").unlink()
    assert "removed 1 copy" in do("ledger", "gc", "--yes")
    assert copies() == []


def test_what_is_being_fetched_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "ab").mkdir()
    young, old = tmp_path / "ab/x.1.part", tmp_path / "ab/y.2.part"
    for path in (young, old):
        path.write_bytes(b"abc")
    os.utime(young, (time.time() - 60, time.time() - 60))
    long_ago = time.time() - PART_SECONDS - 60
    os.utime(old, (long_ago, long_ago))
    found = collect_copies(tmp_path, time.time_ns(), remove=True)
    assert (found.files, found.bytes) == (1, 3)
    assert young.exists() and not old.exists()
    assert collect_copies(tmp_path / "none", time.time_ns(), remove=True).files == 0
