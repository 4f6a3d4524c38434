"""Operators of other packages: real packages on disk, found by their entry points."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

RECIPE = """\
mashbill: 1
name: first
sources:
  docs: { path: docs.jsonl, license: CC0-1.0, origin: human }
steps:
  loud: { op: shout, from: docs, least: 2 }
"""
SHOUT = '''\
"""Capital letters."""
from mashbill.compiler.registry import Case, step
from mashbill.runtime.kernel import Mapped


@step(stage="map", version=1, writes=("text",), drops=False,
      cases=(Case({"least": 1}, {"text": "a"}, {"text": "A"}),))
def shout(least: int):
    """Write all letters large."""
    import polars as pl
    return lambda frame: Mapped(frame.with_columns(pl.col("text").str.to_uppercase()))
'''


def install(folder: Path, name: str, module: str) -> None:
    """What an installed distribution looks like."""
    (folder / f"{name}.py").write_text(module)
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[mashbill.ops]\n{name} = {name}\n")


def mashbill(folder: Path, packages: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mashbill", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(packages), "NO_COLOR": "1"},
        text=True,
        capture_output=True,
        check=False,
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "p").mkdir()
    (tmp_path / "p/recipe.yaml").write_text(RECIPE)
    (tmp_path / "p/docs.jsonl").write_text('{"text": "quiet words"}\n')
    (tmp_path / "site").mkdir()
    return tmp_path / "p"


def test_an_operator_of_another_package_is_one_like_any_other(
    project: Path, tmp_path: Path
) -> None:
    install(tmp_path / "site", "acme_shout", SHOUT)
    assert mashbill(project, tmp_path / "site", "check").returncode == 0
    done = mashbill(project, tmp_path / "site", "run", "-q")
    assert done.returncode == 0, done.stderr
    import polars as pl

    assert pl.read_parquet(project / "out/first/*.parquet")["text"].to_list() == ["QUIET WORDS"]
    wrong = RECIPE.replace("least: 2", "leest: 2")
    (project / "recipe.yaml").write_text(wrong)
    said = mashbill(project, tmp_path / "site", "check")
    assert "unknown key 'leest' in step 'loud'; did you mean 'least'?" in said.stdout


def test_a_plug_in_that_does_not_import_is_said_and_not_skipped(
    project: Path, tmp_path: Path
) -> None:
    install(tmp_path / "site", "acme_shout", "import spacy_that_is_not_here\n")
    said = mashbill(project, tmp_path / "site", "check")
    assert said.returncode == 1
    assert said.stdout.startswith(
        "error[R109]: plug-in `acme_shout` (entry point mashbill.ops) failed to import: "
        "No module named 'spacy_that_is_not_here'\n"
    )
    assert "Traceback" not in said.stdout + said.stderr
