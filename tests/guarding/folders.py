"""The recipe of `facts` in a folder, its models at real servers, and a plan with estimates."""

from __future__ import annotations

from pathlib import Path

from mashbill.compiler.estimating.facts import Facts
from mashbill.compiler.estimating.propagate import estimate
from mashbill.runtime import api
from mashbill.runtime.project import Project, find_project
from tests.compiler.world import BOOK

from .facts import COT, RECIPE, facts

DEAD = "http://127.0.0.1:9/v1"
"""Nobody listens there."""


def project(folder: Path, recipe: str = RECIPE, **urls: str) -> Project:
    """Write the recipe; `urls` by model: where `solver` and `small` are."""
    (folder / "prompts").mkdir(parents=True, exist_ok=True)
    (folder / ".mashbill").mkdir(exist_ok=True)
    (folder / "prompts/cot.md.j2").write_text(COT)
    (folder / "prompts/book.md.j2").write_text(BOOK)
    rows = (f'{{"text": "Row {n} of a few words."}}\n' for n in range(20))
    (folder / "web.jsonl").write_text("".join(rows))
    ports = {"solver": "http://localhost:8000/v1", "small": "http://localhost:8001/v1"}
    for name, written in ports.items():
        recipe = recipe.replace(written, urls.get(name, DEAD))
    (folder / "recipe.yaml").write_text(recipe.replace("BUDGET", "$150"))
    return find_project(folder)


def planned(where: Project, seen: Facts | None = None, *sets: str) -> api.Plan:
    """Its plan, with what a survey would have found."""
    plan = api.Recipe(where, None, sets).plan(survey=False)
    seen = seen or facts()
    plan.facts = seen  # type: ignore[assignment]
    plan.estimates = estimate(plan.record, seen)  # type: ignore[assignment]
    return plan
