"""Every shipped recipe and example compiles, keeps its plan, and runs on a small model."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest

import mashbill as mb
from mashbill.runtime.models import find_model
from mashbill.runtime.requests import EngineError

ROOT = Path(__file__).resolve().parents[1]
SHIPPED = sorted(p.parent for p in ROOT.glob("recipes/*/recipe.yaml"))
EXAMPLES = sorted(p.parent for p in ROOT.glob("examples/*/recipe.yaml"))
EVERY = [*SHIPPED, *EXAMPLES]
SOLVING = {"math-cot", "math-tool", "code-cot-tests"}
"""They keep what is right, and `fake/rewrite` solves nothing; `tests/recipes` has one who does."""
PLANS = Path(__file__).parent / "plans"


def names(folder: Path) -> str:
    return folder.name


@pytest.fixture
def copied(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the recipe's folder: a recipe is whole in its folder."""
    monkeypatch.chdir(tmp_path)
    source: Path = request.param
    ignore = shutil.ignore_patterns("out", ".mashbill")
    target = shutil.copytree(source, tmp_path / source.name, ignore=ignore)
    (target / ".mashbill").mkdir()
    return target


def offline(folder: Path) -> mb.Recipe:
    """The recipe as it is if its model is `fake`, else with one that rewrites."""
    text = (folder / "recipe.yaml").read_text("utf-8")
    if "use: fake/" in text or ": fake/words" in text:
        return mb.load(folder)
    named = re.search(r"^models:\n  (\w+): local/", text, re.MULTILINE)
    assert named, "one model, and it is local"
    return mb.load(folder, set={f"models.{named[1]}": "fake/rewrite"})


@pytest.mark.parametrize("folder", EVERY, ids=names)
def test_it_checks_without_a_word(folder: Path) -> None:
    report = mb.load(folder).check()
    assert not report.diagnostics, str(report)


@pytest.mark.parametrize("copied", EVERY, ids=names, indirect=True)
def test_its_plan_is_the_golden_one(copied: Path) -> None:
    plan = offline(copied).plan()
    golden = PLANS / f"{copied.name}.txt"
    text = plan.text(80) + "\n"
    if os.environ.get("MASHBILL_UPDATE"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text("utf-8")


@pytest.mark.parametrize("copied", EVERY, ids=names, indirect=True)
def test_it_runs_on_the_fake_engine(copied: Path) -> None:
    recipe = offline(copied)
    run = recipe.run()
    frame = run.scan().collect()
    assert frame.height == run.record["output"]["rows"]
    assert (frame.height > 0) != (copied.name in SOLVING)
    assert run.record["errors"] == 0
    assert (run.path / "README.md").read_text("utf-8").startswith("---\n")
    replayed = recipe.run(replay=True)
    assert replayed.scan().collect().equals(frame)
    assert all(m["sent"] == 0 for m in replayed.record["models"].values())


@pytest.mark.parametrize("copied", SHIPPED, ids=names, indirect=True)
def test_it_runs_on_the_embedded_model(copied: Path) -> None:
    try:
        find_model("smollm2-135m")
    except EngineError:
        pytest.skip("the embedded model is not here: mashbill models get smollm2-135m")
    run = mb.load(copied, profile="smoke").run()
    spent = sum(m["completion_tokens"] for m in run.record["models"].values())
    assert 0 < spent <= 1500, "profiles.smoke is to stay within 1,500 output tokens"
    assert run.scan().collect().height > 0
