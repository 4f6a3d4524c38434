"""The small project of the runtime's tests, planned, saved and run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.runtime.conftest import Spine, checks_in_this_process, documents, make_spine

__all__ = ["checks_in_this_process", "spine"]


@pytest.fixture
def spine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Spine:
    """A project; the current folder is its parent's, so that paths are typed."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    made = make_spine(tmp_path / "spine", documents(12))
    monkeypatch.chdir(tmp_path)
    return made
