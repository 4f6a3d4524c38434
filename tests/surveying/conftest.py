"""Small projects on disk, and their surveys."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

import mashbill as mb
from mashbill.compiler.estimating.facts import Facts, NodeFacts
from mashbill.compiler.plan import Plan
from mashbill.runtime.checkpool import CheckPool
from mashbill.runtime.engine_room import room_of
from mashbill.runtime.piloting.pilot import Pilot, pilot
from mashbill.runtime.project import Project
from mashbill.runtime.surveying import survey
from tests.runtime.conftest import MODELS, Spine, make_spine


@pytest.fixture(autouse=True)
def checks_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """No worker processes, neither for runs nor for surveys."""
    init = CheckPool.__init__

    def inline(self: CheckPool, workers: int | None = None, **options: object) -> None:
        init(self, 0, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(CheckPool, "__init__", inline)


@dataclass(frozen=True)
class Surveyed:
    """A project that can be surveyed, piloted and run."""

    spine: Spine

    @property
    def project(self) -> Project:
        return mb.load(self.spine.folder).project

    @property
    def plan(self) -> Plan:
        return mb.load(self.spine.folder).plan(survey=False).record

    def facts(self) -> Facts:
        plan = self.plan
        return survey(plan, self.project, room_of(plan, self.project)).facts

    def node(self, name: str) -> NodeFacts:
        return self.facts().nodes[name]

    def pilot(self, n: int, **options: float) -> Pilot:
        return pilot(self.plan, self.project, n, **options)  # type: ignore[arg-type]


def surveyed(folder: Path, texts: list[str], steps: str, models: str = MODELS) -> Surveyed:
    """A project whose recipe has these steps."""
    return Surveyed(make_spine(folder, texts, recipe=models + steps))
