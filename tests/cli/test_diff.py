"""`mashbill diff A B`: recipes, git revisions and runs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from .changing import RECIPE, Changing, make


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Changing:
    return make(tmp_path, monkeypatch)


EDITED = [
    "recipe    long.keep: words(text) > 2 → words(text) > 3",
    "prompts   prompts/book.md.j2  +1 -1",
    "steps     ~ long  keep: words(text) > 2 → words(text) > 3",
    "          ~ book  prompt: system block",
    "          = docs",
    "usable    book: none (the prompt is part of every request's key)",
]


def edited(project: Changing) -> None:
    project.edit("words(text) > 2", "words(text) > 3")
    project.edit_prompt()


@pytest.mark.parametrize("old", ["HEAD", "main", "HEAD:recipe.yaml", "main:", "HEAD~0"])
def test_a_revision_against_the_working_tree(project: Changing, old: str) -> None:
    project.commit()
    assert "nothing that decides the data set differs" in project.good("diff", old, ".")
    edited(project)
    assert project.good("diff", old).splitlines() == [f"{old} → .", *EDITED]
    project.commit("two")
    assert project.good("diff", "HEAD~1", "HEAD").splitlines()[1:] == EDITED


def test_two_runs(project: Changing) -> None:
    project.good("run", "-q")
    edited(project)
    project.good("run", "-q", "--replace")
    lines = project.good("diff", "r-0001", "r-0002").splitlines()
    assert lines[: len(EDITED) + 1] == ["r-0001 → r-0002", *EDITED]
    assert lines[len(EDITED) + 1] == "output    rows 6"
    assert lines[-1].startswith("cost      calls 6 · tokens in 186 → 192")


def test_a_run_against_the_recipe_counts_what_the_ledger_holds(project: Changing) -> None:
    project.good("run", "-q")
    project.edit("min: 0.1", "min: 0.2")
    out = " ".join(project.good("diff", "r-0001").split())
    assert "checks.length.min: 0.1 → 0.2" in out
    assert "book: all (`checks` is no part of a request's key); the ledger holds 100%" in out


def test_two_recipes(project: Changing) -> None:
    other = project.folder / "other"
    shutil.copytree(project.folder / "prompts", other / "prompts")
    shutil.copy(project.folder / "docs.jsonl", other)
    (other / "recipe.yaml").write_text(RECIPE.replace("retry: 2", "retry: 3"))
    for name in ("other", "other/recipe.yaml"):
        lines = project.good("diff", ".", name).splitlines()
        assert lines[1] == "recipe    book.on_fail[0].times: 2 → 3"


def test_cosmetic_changes_are_none(project: Changing) -> None:
    project.commit()
    project.edit("seed: 7", "about: other words\nseed: 7  # lucky")
    project.edit_prompt("{{ text }}", "{# why #}{{text}}")
    assert project.good("diff", "HEAD").splitlines()[1:] == [
        "nothing that decides the data set differs"
    ]


def test_renamed_new_and_dropped_steps(project: Changing) -> None:
    project.commit()
    project.edit("  long:", "  lengthy:")
    project.edit("from: long", "from: lengthy")
    assert project.good("diff", "HEAD").splitlines()[1:] == [
        "nothing that decides the data set differs", "renamed   long → lengthy"
    ]  # fmt: skip
    project.edit("from: lengthy", "from: docs")
    project.edit("  lengthy:", "  short:")
    project.edit("from: docs\n", "from: short\n")
    project.edit("> 2", "< 9")
    out = project.good("diff", "HEAD")
    assert "+ short  new step" in out and "- long  dropped" in out


def test_prompts_are_read_at_the_revision(project: Changing) -> None:
    project.commit()
    project.edit_prompt()
    project.commit("two")
    shutil.rmtree(project.folder / "prompts")
    assert "prompts/book.md.j2  +1 -1" in project.good("diff", "HEAD~1", "HEAD")


def test_the_recipe_of_a_subfolder_is_found_at_a_revision(project: Changing) -> None:
    folder = project.folder / "recipes/one"
    folder.mkdir(parents=True)
    for name in ("recipe.yaml", "prompts", "docs.jsonl"):
        (project.folder / name).rename(folder / name)
    project.commit()
    project.edit("retry: 2", "retry: 3", "recipes/one/recipe.yaml")
    for old, new in (
        ("HEAD", "recipes/one"),
        ("HEAD:recipes/one", "recipes/one"),
        ("HEAD:recipes/one/recipe.yaml", "recipes/one/recipe.yaml"),
    ):
        assert "on_fail[0].times: 2 → 3" in project.good("diff", old, new)


def test_nothing_of_a_revision_is_run(project: Changing) -> None:
    """Filters and drivers that a repository asks for touch a file if anything runs them."""
    ran = project.folder / "ran"
    (project.folder / ".gitattributes").write_text("*.yaml diff=evil filter=evil\n*.j2 diff=evil\n")
    project.commit()
    for key in ("diff.evil.textconv", "diff.evil.command", "filter.evil.smudge", "core.fsmonitor"):
        project.git("config", key, f"touch {ran}; cat")
    edited(project)
    assert project.good("diff", "HEAD").splitlines()[1:] == EDITED
    assert not ran.exists()


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("nowhere", "nowhere is no recipe, no git revision and no run"),
        ("HEAD:no/recipe.yaml", "there is no no/recipe.yaml at HEAD"),
        ("r-0099", "there is no run r-0099"),
        ("--output=x", "usage"),
        ("HEAD^{tree}", "no git revision"),
    ],
)
def test_what_is_nothing(project: Changing, name: str, why: str) -> None:
    project.commit()
    code, out, err = project.do("diff", name, ".")
    assert code != 0 and why in err and not out
    assert not (project.folder / "x").exists()


def test_without_git_a_revision_is_nothing(project: Changing) -> None:
    code, _, err = project.do("diff", "HEAD", ".")
    assert code == 1 and "no git revision" in err


def test_a_revision_that_does_not_compile_is_shown_at_it(project: Changing) -> None:
    project.edit("from: docs", "from: dcos")
    project.commit()
    project.edit("from: dcos", "from: docs")
    code, out, _ = project.do("diff", "HEAD")
    assert code == 1 and "error[R101]" in out and "HEAD:recipe.yaml" in out


def test_a_path_that_leaves_the_repository_is_refused(project: Changing) -> None:
    project.edit("prompts/book.md.j2", "../../etc/passwd")
    project.commit()
    project.edit("../../etc/passwd", "prompts/book.md.j2")
    code, out, _ = project.do("diff", "HEAD")
    assert code == 1 and "R112" in out


def test_as_json(project: Changing) -> None:
    project.good("run", "-q")
    edited(project)
    project.good("run", "-q", "--replace")
    value = json.loads(project.good("diff", "r-0001", "r-0002", "--format", "json"))
    assert not value["equal"]
    assert {n: s["symbol"] for n, s in value["steps"].items()} == {
        "docs": "=", "long": "~", "book": "~"
    }  # fmt: skip
    assert value["prompts"] == [{"path": "prompts/book.md.j2", "added": 1, "removed": 1}]
    assert value["usable"]["book"]["share"] == "none"
    assert value["runs"]["rows"]["book"] == [6, 6]
