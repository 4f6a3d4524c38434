"""`mashbill plan --compare`: against runs and git revisions, with nothing checked out."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import mashbill as mb
from mashbill.runtime.sides import SideError
from tests.runtime.conftest import Said, Spine


@pytest.fixture
def committed(spine: Spine, monkeypatch: pytest.MonkeyPatch) -> Spine:
    """The project, committed; the current folder is its own."""
    if shutil.which("git") is None:
        pytest.skip("git is not on this machine")
    monkeypatch.chdir(spine.folder)
    (spine.folder / ".gitignore").write_text(".mashbill\nout\njournal\ndocs.jsonl\n")
    git("init", "-q", "-b", "main")
    git("add", ".")
    git("commit", "-qm", "one")
    return spine


def git(*words: str) -> str:
    who = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", *who, *words], check=True, capture_output=True, text=True)
    return done.stdout


def compare(spine: Spine, name: str, *words: str) -> Said:
    return spine.do("plan", "--compare", name, *words)


def longer_prompt(spine: Spine) -> None:
    file = spine.folder / "prompts/book.md.j2"
    file.write_text(file.read_text().replace("Keep all facts.", f"Keep all facts. {'Do. ' * 20}"))


def test_a_revision(committed: Spine) -> None:
    committed.good_run()
    sent = len(committed.sent())
    longer_prompt(committed)
    before = git("status", "--porcelain"), git("rev-parse", "HEAD"), (
        committed.folder / "prompts/book.md.j2"
    ).read_text()  # fmt: skip
    said = compare(committed, "HEAD")
    assert said.code == 0, said.text
    assert said.out.startswith("spine   HEAD → recipe.yaml\n\n ~ book: prompt: system block ")
    assert "(prompts/book.md.j2 +1 -1 lines)" in " ".join(said.out.split())
    assert len(committed.sent()) == sent, "nothing was sent"
    after = git("status", "--porcelain"), git("rev-parse", "HEAD"), (
        committed.folder / "prompts/book.md.j2"
    ).read_text()  # fmt: skip
    assert after == before, "nothing was checked out"
    value = json.loads(compare(committed, "HEAD", "--format", "json").out)
    assert set(value["steps"]) == {"docs", "long", "book"}
    assert value["steps"]["long"]["symbol"] == "="
    calls = value["total"]["calls"]
    assert calls["before"]["value"] == pytest.approx(sent), "what was run is known"
    tokens = value["total"]["prompt"]["difference"]
    assert tokens["value"] > 20 * sent, "twenty sentences more a call"
    assert value["ahead"]["calls"]["value"] == pytest.approx(calls["after"]["value"], rel=0.02)


def test_nothing_has_changed(committed: Spine) -> None:
    said = compare(committed, "main", "--detailed-exitcode")
    assert said.code == 0, said.text
    assert "   Nothing has changed: the cost is the same.\n" in said.out
    longer_prompt(committed)
    assert compare(committed, "main", "--detailed-exitcode").code == 2


def test_a_run(committed: Spine) -> None:
    committed.good_run()
    sent = len(committed.sent())
    committed.edit("words(text) > 8", "words(text) > 9")
    said = compare(committed, "r-0001")
    assert said.code == 0, said.text
    assert said.out.startswith(
        "spine   r-0001 → recipe.yaml\n\n ~ long: keep: words(text) > 8 → words(text) > 9\n"
    )
    assert "The ledger holds every reply: nothing is left to pay for." in said.out
    assert f"r-0001 sent {sent} calls, " in said.out


def test_data_that_has_grown_since_a_run(committed: Spine) -> None:
    committed.good_run()
    rows = (committed.folder / "docs.jsonl").read_text()
    more = re.sub(r"Station (\d+)", lambda m: f"Station {int(m[1]) + 500}", rows)
    (committed.folder / "docs.jsonl").write_text(rows + more)
    found = mb.load(committed.folder).plan().compare("r-0001")
    moves = {s.name: s for s in found.steps}
    assert (moves["docs"].rows.before.value, moves["docs"].rows.after.value) == (12, 24)
    calls = found.total["calls"]
    assert calls.after.value is not None and calls.before.value is not None
    assert calls.after.value == pytest.approx(2 * calls.before.value, rel=0.2)
    assert "docs had 12 rows then." in found.text()


def test_markdown(committed: Spine) -> None:
    longer_prompt(committed)
    said = compare(committed, "HEAD", "--md")
    assert said.out.startswith("**spine**: `HEAD` → `recipe.yaml`\n\n| step | calls |")
    assert "```diff\n-{% block system %}" in said.out


def test_the_profile_lies_over_both_sides(committed: Spine) -> None:
    file = committed.folder / "recipe.yaml"
    file.write_text(file.read_text() + "profiles: { small: { seed: 9 } }\n")
    git("commit", "-qam", "two")
    said = compare(committed, "HEAD", "--profile", "small", "--set", "mix.total=2k tokens")
    assert "Nothing has changed" in said.out
    said = compare(committed, "HEAD~1", "--profile", "small")
    assert said.code == 1
    assert said.out.startswith("error[R107]: no profile 'small'")
    assert said.err == (
        "The recipe at HEAD~1 does not compile under the same profile and settings:\n"
    )


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nope", "nope is no git revision and no run (r-0001)"),
        ("r-0099", "there is no run r-0099 in .mashbill/runs that can be read"),
        ("--output=x", ""),
        ("HEAD:none", "there is no none at HEAD"),
    ],
)
def test_there_is_no_such_side(committed: Spine, name: str, words: str) -> None:
    said = committed.do("plan", f"--compare={name}")
    assert said.code == 1
    assert words in said.err
    with pytest.raises(SideError):
        mb.load(committed.folder).plan(survey=False).compare(name)


def test_a_run_that_was_killed_has_no_record(committed: Spine) -> None:
    committed.good_run()
    (committed.folder / ".mashbill/runs/r-0001/record.json").unlink()
    said = compare(committed, "r-0001")
    assert said.code == 1
    assert "run r-0001 has left no record: it was killed, or runs still" in said.err


def test_a_plan_of_a_model_that_is_gone(committed: Spine) -> None:
    committed.good_run()
    plan = committed.folder / ".mashbill/runs/r-0001/plan.json"
    plan.write_text(plan.read_text().replace('"model": "rewrite"', '"model": "gone"'))
    said = compare(committed, "r-0001")
    assert said.code == 1
    assert "the plan of r-0001 cannot be estimated here: " in said.err


@pytest.mark.parametrize("options", [["book"], ["--until", "book"], ["--value"]])
def test_options_that_do_not_go_with_it(committed: Spine, options: list[str]) -> None:
    said = committed.do("plan", *options, "--compare", "HEAD")
    assert said.code == 64
    assert said.err == (
        "error: --compare tells what a change of the whole recipe costs: "
        "leave out selectors, --until and --value\n"
    )


def test_a_saved_plan_is_compared_too(committed: Spine) -> None:
    committed.good_run()
    longer_prompt(committed)
    assert committed.do("plan", "-o", "new.plan").code == 0
    from mashbill.runtime.cli import command

    assert command(["plan", "new.plan", "--compare", "r-0001"]) == 0
    assert Path("new.plan").exists()
