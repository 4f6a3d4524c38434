"""`mashbill init`: what it writes works, harms nothing, and what it says next exists."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml

import mashbill as mb
from mashbill.compiler.document import parse_document
from mashbill.compiler.layout.canonical import format_recipe
from mashbill.runtime.catalog import load_catalog
from mashbill.runtime.cli import command
from mashbill.runtime.cli.command import VERBS, parser
from mashbill.runtime.models import find_model
from mashbill.runtime.requests import EngineError
from mashbill.runtime.starter import find_starters

ROOT = Path(__file__).resolve().parents[2]
STARTERS = sorted(find_starters())
ON_FAKE = {
    "rewrite": {"models.writer": "fake/rewrite"},
    "generate": {"models.writer": "fake/words"},
    "filter": {},
}
"""What replaces the model of a template in tests."""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_template_is_tried() -> None:
    assert sorted(ON_FAKE) == STARTERS


@pytest.mark.parametrize("name", STARTERS)
def test_it_checks_without_a_word_and_is_formatted(name: str, here: Path) -> None:
    assert command(["init", name]) == 0
    report = mb.load(here).check()
    assert not report.diagnostics, str(report)
    assert command(["fmt", "--check"]) == 0
    text = (here / "recipe.yaml").read_text("utf-8")
    assert format_recipe(text, load_catalog()).text == text
    assert "yaml-language-server: $schema=.mashbill/recipe.schema.json" in text
    assert "# $schema: .mashbill/recipe.schema.json" in text
    schema = json.loads((here / ".mashbill" / "recipe.schema.json").read_text("utf-8"))
    assert {"filter", "rewrite"} <= set(schema["properties"]["steps"]["additionalProperties"]
                                        ["properties"]["op"]["enum"])  # fmt: skip


@pytest.mark.parametrize("name", STARTERS)
def test_it_runs_on_the_fake_engine(name: str, here: Path) -> None:
    assert command(["init", name, "made"]) == 0
    recipe = mb.load(here / "made", set=ON_FAKE[name])
    assert not recipe.check().diagnostics
    run = recipe.run()
    frame = run.scan().collect()
    assert frame.height == run.record["output"]["rows"] >= 10
    assert run.record["errors"] == 0
    assert frame["text"].n_unique() > 5


@pytest.mark.parametrize("name", ["rewrite", "generate"])
def test_it_runs_on_the_embedded_model(name: str, here: Path) -> None:
    try:
        find_model("smollm2-135m")
    except EngineError:
        pytest.skip("the embedded model is not here: mashbill models get smollm2-135m")
    assert command(["init", name]) == 0
    small: dict[str, object] = {"sources.docs.limit": 1}
    if name == "generate":
        small |= {"steps.asked.samples": 1}
    run = mb.load(here, set=small).run()
    spent = sum(m["completion_tokens"] for m in run.record["models"].values())
    assert 0 < spent <= 1500 and run.record["errors"] == 0


SAID = """\
  created  recipe.yaml                      27 lines
  created  docs.jsonl                       20 rows, CC0-1.0
  created  prompts/rewrite.md.j2            inputs: text
  created  .mashbill/recipe.schema.json     completion in editors (VS Code, JetBrains, Neovim)
  created  .pre-commit-config.yaml          mashbill fmt and check before each commit
  created  .github/workflows/mashbill.yml   the same for each push
  kept     .gitignore                       added .mashbill/*, !.mashbill/recipe.schema.json
  created  .gitattributes                   added recipe.lock merge=union

Next:  mashbill check   →   mashbill plan   →   mashbill run
       (runs on the embedded model: no GPU, no key)
"""


def test_what_it_says(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mashbill.runtime.cli.init_._here", lambda model: True)
    (here / ".gitignore").write_text("*.log\nout/")
    assert command(["init"]) == 0
    assert capsys.readouterr().out == SAID
    assert (here / ".gitignore").read_text() == (
        "*.log\nout/\n.mashbill/*\n!.mashbill/recipe.schema.json\n"
    )
    assert command(["init"]) == 0
    again = capsys.readouterr().out.split("\n\n")[0].splitlines()
    assert all(line.startswith("  kept ") for line in again) and len(again) == 8


def test_without_the_model_it_says_how_to_get_it(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MASHBILL_MODELS", str(here / "none"))
    assert command(["init", "generate", "a b"]) == 0
    out = capsys.readouterr().out
    assert "mashbill models get smollm2-135m" in out


@pytest.mark.parametrize("name", STARTERS)
def test_what_it_says_next_exists(
    name: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(["init", name, "made"]) == 0
    said = capsys.readouterr().out.split("Next:")[1].split("(")[0]
    lines = [shlex.split(part.strip()) for part in said.split("→")]
    assert [line[0] for line in lines] == ["mashbill"] * len(lines) and len(lines) >= 3
    for line in lines:
        assert line[1] in VERBS
        parser(line[1:]).parse_args(line[1:])
    assert command(lines[0][1:]) == 0


def test_nothing_is_overwritten_unless_forced(here: Path) -> None:
    (here / "recipe.yaml").write_text("mine\n")
    (here / "docs.jsonl").write_text("mine\n")
    (here / ".gitignore").write_text("mine\n")
    assert command(["init"]) == 0
    assert (here / "recipe.yaml").read_text() == (here / "docs.jsonl").read_text() == "mine\n"
    assert command(["init", "--force"]) == 0
    assert "mine" not in (here / "recipe.yaml").read_text() + (here / "docs.jsonl").read_text()
    assert (here / ".gitignore").read_text().startswith("mine\n")


def test_inside_a_repository_hooks_are_left_to_its_root(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / ".git").mkdir()
    assert command(["init", "filter", "data/one"]) == 0
    assert f"belongs in {here}" in capsys.readouterr().out
    assert not (here / "data/one/.pre-commit-config.yaml").exists()
    assert command(["init", "filter", "."]) == 0
    assert (here / ".pre-commit-config.yaml").exists()


def test_templates_are_listed_and_slips_are_met(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(["init", "--list"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == STARTERS
    assert command(["init", "filtr"]) == 64
    assert "did you mean filter?" in capsys.readouterr().err
    assert command(["init", "./new"]) == 64
    assert "mashbill init rewrite ./new" in capsys.readouterr().err
    assert not list(here.iterdir())


def test_the_rows_are_twenty_short_paragraphs(here: Path) -> None:
    assert command(["init"]) == 0
    rows = [json.loads(line) for line in (here / "docs.jsonl").read_text("utf-8").splitlines()]
    assert len({row["text"] for row in rows}) == len({row["topic"] for row in rows}) == 20
    assert all(30 <= len(row["text"].split()) <= 80 for row in rows)


# -- hooks


def staged(repository: Path, pattern: str) -> list[str]:
    """What pre-commit hands to a hook: staged files whose path its pattern finds."""
    done = subprocess.run(
        ["git", "diff", "--cached", "--name-only"],
        cwd=repository, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [name for name in done.stdout.splitlines() if re.search(pattern, name)]


def as_hook(repository: Path, hook: dict[str, object]) -> int:
    """The hook's exit code, run from the root of the repository with the names it is handed."""
    names = staged(repository, str(hook["files"]))
    assert names, "the hook would not run"
    entry = shlex.split(str(hook["entry"]))
    assert entry[0] == "mashbill"
    return command([*entry[1:], *(names if hook.get("pass_filenames", True) else [])])


def test_the_hooks_as_pre_commit_runs_them(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hooks = {h["id"]: h for h in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())}
    assert set(hooks) == {"mashbill-check", "mashbill-fmt"}
    subprocess.run(["git", "init", "-q", "."], cwd=here, check=True)
    assert command(["init", "filter"]) == 0 and command(["init", "filter", "other"]) == 0
    local = yaml.safe_load((here / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    subprocess.run(["git", "add", "."], cwd=here, check=True)
    assert len(staged(here, hooks["mashbill-fmt"]["files"])) == 2
    for hook in [*hooks.values(), *local]:
        assert as_hook(here, hook) == 0, capsys.readouterr().out

    recipe = here / "recipe.yaml"
    good = recipe.read_text("utf-8")
    recipe.write_text(good.replace("op: filter, from: notes", "from:   notes, op: filter"))
    assert as_hook(here, hooks["mashbill-fmt"]) == 0
    assert recipe.read_text("utf-8") == good  # pre-commit fails a hook that changes files
    recipe.write_text(good.replace("from: notes", "from: nots"))
    for hook in (hooks["mashbill-check"], next(h for h in local if h["id"] == "mashbill-check")):
        capsys.readouterr()
        assert as_hook(here, hook) == 1 and "nots" in capsys.readouterr().out


def test_the_job_runs_what_exists(here: Path) -> None:
    assert command(["init"]) == 0
    job = yaml.safe_load((here / ".github/workflows/mashbill.yml").read_text())
    runs = [shlex.split(s["run"]) for s in job["jobs"]["check"]["steps"] if "run" in s]
    ours = [run[1:] for run in runs if run[0] == "mashbill"]
    assert len(ours) == 2
    for run in ours:
        parser(run).parse_args(run)
        assert command(run) == 0


def test_every_written_yaml_is_strict() -> None:
    for file in (ROOT / "runtime" / "templates").rglob("*.y*ml"):
        text = file.read_text("utf-8")
        if file.name != "workflow.yml":  # GitHub calls a key `on`
            assert parse_document(text, file.name)[1] == ()
