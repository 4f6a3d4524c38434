"""`mashbill lock`, and what other commands make of a lock."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .changing import Changing, make


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Changing:
    return make(tmp_path, monkeypatch)


def lock(project: Changing) -> str:
    return (project.folder / "recipe.lock").read_text()


def test_a_lock_is_made_and_holds(project: Changing) -> None:
    out = project.good("lock")
    assert out.splitlines()[-1] == "recipe.lock: 6 pins. Keep it in git."
    text = lock(project)
    assert str(project.folder) not in text
    pins = [line.split()[:2] for line in text.splitlines() if not line.startswith(("#", "mash"))]
    assert pins == [
        ["book", "check.length"], ["book", "operator"], ["book", "prompt"], ["docs", "data"],
        ["long", "operator"], ["writer", "weights"],
    ]  # fmt: skip
    assert project.good("lock", "--check").strip() == "lock ok (6 pins)"
    project.good("lock")
    assert lock(project) == text
    assert "lock ok (6 pins)" in project.good("plan")
    assert "no problems" in project.good("check")


def test_without_a_lock_everything_works_and_nothing_is_said_of_it(project: Changing) -> None:
    assert "lock" not in project.good("plan")
    assert "no problems" in project.good("check")
    project.good("run", "-q")


COSMETIC = [
    ("recipe.yaml", "seed: 7", "seed: 7  # lucky"),
    ("recipe.yaml", "seed: 7", "about: x\nseed: 7"),
    ("recipe.yaml", "fake/rewrite", "{ use: fake/rewrite, placement: { slots: 3 } }"),
    ("prompts/book.md.j2", "{{ text }}", "{# why #}{{text}}"),
    ("prompts/book.md.j2", "inputs:", "# why\ninputs:"),
    ("prompts/book.md.j2", "{% block user", "\n{% block user"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new"), COSMETIC)
def test_a_cosmetic_edit_makes_no_lock_stale(
    project: Changing, file: str, old: str, new: str
) -> None:
    project.good("lock")
    project.edit(old, new, file)
    project.good("lock", "--check")
    project.good("check")


def test_moved_data_is_the_same_data(project: Changing) -> None:
    project.good("lock")
    (project.folder / "docs.jsonl").rename(project.folder / "other.jsonl")
    project.edit("docs.jsonl", "other.jsonl")
    project.good("lock", "--check")


def test_what_differs_is_named_by_entry(project: Changing) -> None:
    project.good("lock")
    project.edit_prompt()
    project.edit("fake/rewrite", "fake/echo")
    (project.folder / "docs.jsonl").write_text('{"text": "One two three four."}\n')
    code, _, err = project.do("lock", "--check")
    assert code == 1
    lines = err.splitlines()
    assert lines[0] == "error[L601]: lock is out of date (3 of 6 entries)"
    assert [line.split()[:3] for line in lines[1:4]] == [
        ["~", "prompt", "book"], ["~", "data", "docs"], ["~", "weights", "writer"]
    ]  # fmt: skip
    assert "fake/rewrite → fake/echo" in lines[3]
    assert lines[4] == "  = help: mashbill lock (or mashbill lock --upgrade book)"
    assert "lock differs (3 of 6 pins)" in project.good("plan")


def test_check_compares_what_needs_no_data_and_no_model(project: Changing) -> None:
    project.good("lock")
    (project.folder / "docs.jsonl").write_text('{"text": "One two three four."}\n')
    assert "L601" not in project.good("check")
    project.edit_prompt()
    out = project.good("check")
    assert "warning[L601]: lock is out of date (1 of 6 entries)" in out
    line = next(li for li in lock(project).splitlines() if "book prompt" in li)
    number = lock(project).splitlines().index(line) + 1
    assert f"recipe.lock:{number}:1" in out
    project.edit("long: {", "more: { op: clean, from: docs }\n  long: {")
    assert "(1 of 6 entries)" in project.good("check")  # nothing reads `more`


def test_a_source_that_the_lock_does_not_know(project: Changing) -> None:
    project.good("lock")
    project.edit("steps:", "  web: { path: docs.jsonl, license: MIT, origin: human }\nsteps:")
    project.edit("from: docs", "from: [docs, web]")
    out = project.good("check")
    assert "warning[D302]: source `web` is not in recipe.lock" in out
    assert "mashbill lock pins it" in out


def test_one_thing_is_upgraded_alone(project: Changing) -> None:
    project.good("lock")
    before = lock(project).splitlines()
    project.edit_prompt()
    project.edit("fake/rewrite", "fake/echo")
    project.good("lock", "--upgrade", "writer")
    after = lock(project).splitlines()
    changed = [old.split()[0] for old, new in zip(before, after, strict=True) if old != new]
    assert changed == ["writer"]
    code, _, err = project.do("lock", "--upgrade", "boko")
    assert code == 64 and "did you mean book?" in err


def test_run_locked(project: Changing) -> None:
    code, _, err = project.do("run", "-q", "--locked")
    assert code == 6 and "error[L601]: there is no recipe.lock" in err
    project.good("lock")
    project.good("run", "-q", "--locked")
    project.edit_prompt()
    code, out, err = project.do("run", "-q", "--locked", "--replace")
    assert code == 6 and "1 of 6 entries" in err and not out
    assert not (project.folder / ".mashbill/runs/r-0002").exists()
    project.good("run", "-q", "--replace")
    project.good("lock")
    assert "Nothing to do" in project.good("run", "-q", "--locked")


def test_a_profile_is_not_what_the_lock_speaks_of(project: Changing) -> None:
    project.edit("steps:", "profiles: { echo: { models.writer: fake/echo } }\nsteps:")
    project.good("lock")
    assert "lock ok" in project.good("plan", "--profile", "echo")
    assert "L601" not in project.good("check", "--profile", "echo")
    project.edit_prompt()
    assert "lock differs (1 of" in project.good("plan", "--profile", "echo")


@pytest.mark.parametrize(
    "text", ["", "<<<<<<< HEAD\nx\n", "mashbill-lock 9\n", "mashbill-lock 1\ndocs data\n"]
)
def test_a_broken_lock_is_refused_and_written_anew(project: Changing, text: str) -> None:
    file = project.folder / "recipe.lock"
    file.write_text(text)
    code, _, err = project.do("lock", "--check")
    assert code == 1 and "recipe.lock: line " in err
    assert project.do("run", "-q", "--locked")[0] == 6
    assert "cannot be read" in project.good("check")
    assert "lock unreadable" in project.good("plan")
    assert project.do("lock", "--upgrade", "book")[0] == 1
    project.good("lock")
    project.good("lock", "--check")


def test_a_model_that_is_not_here_keeps_its_pin(
    project: Changing, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.edit("fake/rewrite", "{ use: http/big, url: '${BIG_URL}' }")
    code, _, err = project.do("lock")
    assert code == 1 and "not pinned: " in err and "BIG_URL" in err
    monkeypatch.setenv("BIG_URL", "http://127.0.0.1:9/v1")
    project.good("lock")
    assert "http/big" in lock(project) and "127.0.0.1" not in lock(project)
    monkeypatch.delenv("BIG_URL")
    before = lock(project)
    project.good("lock")
    assert lock(project) == before
    code, out, err = project.do("lock", "--check")
    assert code == 0 and "not compared: writer" in err and "lock ok" in out


def test_a_lock_that_is_a_link_out_of_the_project_is_refused(
    project: Changing, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside") / "secret"
    outside.write_text("root:x:0\n")
    (project.folder / "recipe.lock").symlink_to(outside)
    for verb in (["check"], ["plan"], ["lock", "--check"], ["lock"]):
        code, out, err = project.do(*verb)
        assert code == 1 and "outside the project" in err and "root:x" not in out + err
    assert outside.read_text() == "root:x:0\n"


def test_a_lock_of_a_hundred_megabytes_is_not_read(project: Changing) -> None:
    with (project.folder / "recipe.lock").open("wb") as lock:
        lock.truncate(100_000_000)
    code, _, err = project.do("lock", "--check")
    assert code == 1 and "it is larger than 16 MB" in err


def test_as_json(project: Changing) -> None:
    made = json.loads(project.good("lock", "--format", "json"))
    assert made == {"pins": 6, "changed": 6, "unpinned": []}
    project.edit_prompt()
    code, out, _ = project.do("lock", "--check", "--format", "json")
    value = json.loads(out)
    assert code == 1 and not value["ok"]
    assert [(s["name"], s["kind"]) for s in value["stale"]] == [("book", "prompt")]


def test_a_recipe_that_does_not_compile_has_no_lock(project: Changing) -> None:
    project.edit("from: docs", "from: dcos")
    assert project.do("lock")[0] == 1
    assert not (project.folder / "recipe.lock").exists()
    assert project.do("lock", "--check", "--upgrade", "x")[0] == 64
