"""The toy checks, installed as a plug-in for one test."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

import pytest

from mashbill.runtime import catalog
from mashbill.runtime.checkpool import CheckPool

from . import toy


@pytest.fixture(autouse=True)
def toys(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Their operators are in the catalogue; CPU checks run in this process."""

    class Point:
        name = "toy"

        def load(self) -> ModuleType:
            return toy

    monkeypatch.setattr(catalog, "_entry_points", lambda: [Point()])
    monkeypatch.setattr(CheckPool.__init__, "__defaults__", (0,))
    catalog.load_catalog.cache_clear()
    yield
    monkeypatch.undo()
    catalog.load_catalog.cache_clear()
