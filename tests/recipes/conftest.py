"""Runs of shipped recipes."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import mashbill as mb
from mashbill.runtime.checkpool import CheckPool
from mashbill.runtime.requests import Request

from .pupil import RECIPES, teaching


@dataclass(frozen=True)
class Lesson:
    """A copy of a shipped recipe, whose model is the pupil; what it was asked."""

    folder: Path
    model: str
    asked: list[Request]

    def run(
        self, profile: str | None = None, sets: Mapping[str, Any] | None = None
    ) -> tuple[dict[str, Any], pl.DataFrame]:
        """The record of a run and its data set; the accounts of its steps add up."""
        own = {f"models.{self.model}": "fake/pupil", **(sets or {})}
        run = mb.load(self.folder, profile=profile, set=own).run()
        for name, a in run.record["steps"].items():
            gone = a["out"] + a["merged"] + a["routed"] + a["pending"]
            gone += sum(a["rejected"].values()) + sum(a["errors"].values())
            assert a["in"] + a["created"] == gone, (name, a)
            assert not a["errors"], (name, a)
        return dict(run.record), run.scan().collect()


@pytest.fixture
def lesson(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Lesson]:
    """A recipe by its name and the name of its model."""
    recipe, model = request.param
    folder = tmp_path / recipe
    shutil.copytree(RECIPES / recipe, folder, ignore=shutil.ignore_patterns("out", ".mashbill"))
    (folder / ".mashbill").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(CheckPool.__init__, "__defaults__", (0,))
    with teaching(recipe) as asked:
        yield Lesson(folder, model, asked)
