"""A plan in a file: run as it is, refused when stale, never trusted."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import mashbill as mb
from mashbill.runtime import api
from mashbill.runtime.planning.saved_plan import SavedPlanError, read_plan
from mashbill.runtime.planning.stale_plan import changes_since, recompiled
from tests.runtime.conftest import Said, Spine

FILE = "edu.plan"


@pytest.fixture
def saved(spine: Spine) -> Spine:
    """The project, its plan saved in the current folder."""
    said = spine.do("plan", "-o", FILE)
    assert said.code == 0, said.text
    assert said.out.endswith("\nSaved edu.plan.  Run it:  mashbill run edu.plan\n")
    return spine


def do(*words: str) -> Said:
    """A command in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "mashbill", *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stdout + done.stderr
    return Said(done.returncode, done.stdout, done.stderr)


def here(spine: Spine, *words: str) -> Said:
    """A command in this process, without the folder that `Spine.do` puts in front."""
    from contextlib import redirect_stderr, redirect_stdout
    from io import StringIO

    from mashbill.runtime.cli import command

    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = command(list(words))
    return Said(code, out.getvalue(), err.getvalue())


def value(file: str = FILE) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path(file).read_text())
    return found


def rewrite(change: Callable[[dict[str, Any]], None]) -> None:
    found = value()
    change(found)
    Path(FILE).write_text(json.dumps(found, indent=1))


# -- it runs as it is


def test_it_runs_and_running_again_goes_on(saved: Spine) -> None:
    said = do("run", FILE, "-q")
    assert said.code == 0, said.err
    assert saved.record()["plan"] == value()["plan"]["digest"]
    assert saved.record()["estimates"] == value()["estimates"]
    sent = len(saved.sent())
    assert do("run", FILE).out.startswith("Nothing to do: spine/out/spine holds")
    assert len(saved.sent()) == sent


def test_what_it_quoted_is_not_measured_again(
    saved: Spine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def measured(self: api.Plan) -> None:
        raise AssertionError("measured")

    monkeypatch.setattr(api.Plan, "measure", measured)
    assert here(saved, "run", FILE, "-q").code == 0


def test_after_another_run_less_is_left_than_was_quoted(saved: Spine) -> None:
    assert saved.run("--until", "book").code == 0
    plan = mb.load_plan(FILE)
    assert plan.quoted is None
    assert here(saved, "run", FILE, "-q").code == 0
    assert saved.record()["models"]["writer"]["sent"] == 0
    assert saved.record()["estimates"] != value()["estimates"]


def test_it_is_found_from_anywhere(saved: Spine, monkeypatch: pytest.MonkeyPatch) -> None:
    away = saved.folder.parent / "away"
    away.mkdir()
    file = os.path.relpath(Path(FILE).absolute(), away)
    monkeypatch.chdir(away)
    plan = mb.load_plan(file)
    assert plan.recipe.project.recipe == saved.folder / "recipe.yaml"
    assert not tuple(changes_since(read_plan(file), plan))


def test_profile_and_settings_are_in_it(spine: Spine) -> None:
    text = (spine.folder / "recipe.yaml").read_text()
    (spine.folder / "recipe.yaml").write_text(text + "profiles: { small: { seed: 9 } }\n")
    said = spine.do("plan", "--profile", "small", "--set", "mix.total=2k tokens", "-o", FILE)
    assert said.code == 0, said.text
    plan = mb.load_plan(FILE)
    assert (plan.recipe.profile, plan.recipe.sets) == ("small", ("mix.total=2k tokens",))
    assert plan.record.mix is not None and plan.record.mix["total"] == 2000
    assert plan.record.recipe["seed"] == 9


def test_python(spine: Spine) -> None:
    plan = mb.load(spine.folder).plan()
    assert plan.save("a.plan") == Path("a.plan")
    run = mb.load_plan("a.plan").run()
    assert run.record["plan"] == plan.record.digest
    assert value("a.plan")["mashbill_saved_plan"] == 1
    assert value("a.plan")["recipe"] == "spine/recipe.yaml"


# -- stale


def edit_prompt(spine: Spine) -> None:
    file = spine.folder / "prompts/book.md.j2"
    file.write_text(file.read_text().replace("all facts", "every fact"))


def add_row(spine: Spine) -> None:
    with (spine.folder / "docs.jsonl").open("a") as out:
        out.write('{"text": "One more station measured one more millimetre of rain today."}\n')


def add_budget(spine: Spine) -> None:
    file = spine.folder / "recipe.yaml"
    file.write_text(file.read_text() + "budget: { requests: 10k }\n")


CHANGES: dict[str, tuple[Callable[[Spine], None], str]] = {
    "a prompt": (edit_prompt, "book: prompt: system block"),
    "a filter": (
        lambda s: s.edit("words(text) > 8", "words(text) > 9"),
        "long: keep: words(text) > 8 → words(text) > 9",
    ),
    "data": (add_row, "docs: data changed"),
    "the mix": (lambda s: s.edit("total: 4000", "total: 5000"), "mix.total: 4000 → 5000"),
    "a budget": (add_budget, "budget.requests: none → 10000"),
    "placement": (
        lambda s: s.edit("slots: 32", "slots: 8"),
        "models.writer.placement.slots: 32 → 8",
    ),
    "the output": (
        lambda s: s.edit("mix:\n", "output: { path: else }\nmix:\n"),
        "output.path: none → else",
    ),
    "a dropped step": (
        lambda s: (s.edit("from: long", "from: docs"), s.edit("long: 50%, book", "docs: 50%, book"),
                   s.edit("  long: { op: filter, from: docs, keep: words(text) > 8 }\n", ""))[0],
        "long: dropped",
    ),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_what_changed_is_named(saved: Spine, change: str) -> None:
    make, words = CHANGES[change]
    make(saved)
    said = here(saved, "run", FILE)
    assert said.code == 6, said.text
    assert said.err.startswith("error[L603]: edu.plan was made from plan ")
    assert "changed: " in said.err and words in said.err
    assert said.err.endswith("\n  = help: mashbill plan spine/recipe.yaml -o edu.plan\n")
    assert not saved.sent()
    with pytest.raises(SavedPlanError, match="was made from"):
        mb.load_plan(FILE)


def test_the_text(saved: Spine) -> None:
    edit_prompt(saved)
    then, now = value()["plan"]["digest"][:4], mb.load(saved.folder).plan(survey=False)
    assert here(saved, "run", FILE).err == (
        f"error[L603]: edu.plan was made from plan {then}…, now {now.record.digest[:4]}…; "
        "changed: book: prompt: system block\n"
        "  = help: mashbill plan spine/recipe.yaml -o edu.plan\n"
    )


def test_a_lock_is_named_by_its_digest(spine: Spine) -> None:
    assert spine.do("lock").code == 0
    assert spine.do("plan", "-o", FILE).code == 0
    edit_prompt(spine)
    assert spine.do("lock").code == 0
    said = here(spine, "run", FILE)
    assert said.code == 6
    assert re.match(
        r"error\[L603\]: edu.plan was made from lock [0-9a-f]{4}…, now [0-9a-f]{4}…; "
        r"changed: book: prompt: system block\n",
        said.err,
    )


def test_a_lock_that_pins_something_else(spine: Spine) -> None:
    assert spine.do("lock").code == 0
    assert spine.do("plan", "-o", FILE).code == 0
    lock = spine.folder / "recipe.lock"
    pin = next(line for line in lock.read_text().splitlines() if line.startswith("book operator"))
    lock.write_text(lock.read_text().replace(pin, "book operator rewrite@99"))
    said = here(spine, "run", FILE)
    assert (said.code, "changed: lock: book operator rewrite@" in said.err) == (6, True)
    lock.unlink()
    assert "now none; changed: lock: " in here(spine, "run", FILE).err


def test_what_is_for_people_makes_no_plan_stale(saved: Spine) -> None:
    saved.edit("name: spine", "# a comment\nname: spine\nabout: told to people")
    saved.edit("seed: 7\nmodels:", "models:")
    file = saved.folder / "recipe.yaml"
    file.write_text(file.read_text() + "seed: 7\n")
    prompt = saved.folder / "prompts/book.md.j2"
    prompt.write_text(prompt.read_text() + "{# for people #}\n")
    assert not tuple(changes_since(read_plan(FILE), mb.load_plan(FILE)))
    assert here(saved, "run", FILE, "-q").code == 0


def test_a_stale_plan_is_shown_with_a_warning(saved: Spine) -> None:
    fresh = here(saved, "plan", FILE)
    assert fresh.code == 0 and not fresh.err
    edit_prompt(saved)
    said = here(saved, "plan", FILE)
    assert said.code == 0
    assert said.err.startswith("warning[L603]: edu.plan was made from plan ")
    assert said.out == fresh.out
    assert said.out.startswith(
        f"edu.plan, saved {value()['made']} by mashbill {mb.__version__}\n\n"
    )
    assert here(saved, "plan", FILE, "--detailed-exitcode").code == 2
    (saved.folder / "recipe.yaml").write_text("mashbill: 1\nname: spine\nsteps: 3\n")
    said = here(saved, "plan", FILE)
    assert said.code == 0
    assert "warning[L603]: the recipe of edu.plan does not compile any more: " in said.err
    (saved.folder / "recipe.yaml").unlink()
    said = here(saved, "plan", FILE)
    assert said.code == 0
    assert "edu.plan was made from spine/recipe.yaml, which is gone" in said.err
    assert here(saved, "run", FILE).code == 6


def test_what_a_file_says_is_compared_and_never_trusted(saved: Spine) -> None:
    """A file that was tampered with is refused: no address in it is ever asked."""

    def tamper(found: dict[str, Any]) -> None:
        found["plan"]["models"]["writer"]["urls"] = ["http://elsewhere.example/v1"]
        found["plan"]["output"]["path"] = "../../elsewhere"

    rewrite(tamper)
    said = here(saved, "run", FILE)
    assert said.code == 6
    assert "models.writer.urls: http://elsewhere.example/v1 → none" in said.err
    assert "output.path: ../../elsewhere → none" in said.err


def test_what_lies_outside_must_be_typed_again(saved: Spine, tmp_path: Path) -> None:
    outside = tmp_path / "outside.jsonl"
    outside.write_bytes((saved.folder / "docs.jsonl").read_bytes())
    (saved.folder / ".git").mkdir()
    said = saved.do("plan", "--set", f"sources.docs.path={outside}", "-o", FILE)
    assert said.code == 0, said.text
    assert said.out.endswith("Run it:  mashbill run edu.plan --allow-outside\n")
    said = here(saved, "run", FILE)
    outside = "edu.plan uses files outside its project; if it may, add: --allow-outside\n"
    assert (said.code, said.err) == (1, f"error[R112]: {outside}")
    said = here(saved, "plan", FILE)
    assert said.code == 0
    assert said.err == (f"warning[L603]: whether edu.plan still holds is not known: {outside}\n")
    assert not here(saved, "plan", FILE, "--allow-outside").err
    assert here(saved, "run", FILE, "--allow-outside", "-q").code == 0


# -- files that are none


TORN: dict[str, tuple[Callable[[str], str], str]] = {
    "torn": (lambda text: text[: len(text) // 2], "edu.plan is torn: it ends, or is damaged, at"),
    "empty": (lambda _: "", "edu.plan is no saved plan"),
    "another thing": (lambda _: "name: spine\n", "edu.plan is no saved plan"),
    "a list": (lambda _: "[1]", "edu.plan is no saved plan"),
    "deep": (lambda _: "[" * 100_000, "edu.plan is no saved plan"),
    "another version": (
        lambda text: text.replace('"mashbill_saved_plan": 1', '"mashbill_saved_plan": 7'),
        f"another version (mashbill {mb.__version__}) wrote edu.plan",
    ),
    "a part missing": (lambda text: text.replace('"meaning"', '"meant"'), "edu.plan is damaged"),
    "a plan of numbers": (
        lambda text: re.sub(r'"plan": \{.*?\n \},\n "meaning"', '"plan": 3,\n "meaning"', text,
                            flags=re.S),
        "edu.plan is damaged",
    ),
    "a date that is none": (
        lambda text: re.sub(r'"made": "[^"]*"', '"made": "today"', text), "edu.plan is damaged"
    ),
    "settings of numbers": (lambda text: text.replace('"set": []', '"set": [1]'),
                            "edu.plan is damaged"),
}  # fmt: skip


@pytest.mark.parametrize("verb", ["plan", "run"])
@pytest.mark.parametrize("kind", TORN)
def test_a_file_that_is_no_plan(saved: Spine, kind: str, verb: str) -> None:
    change, words = TORN[kind]
    before = Path(FILE).read_text()
    Path(FILE).write_text(change(before))
    assert Path(FILE).read_text() != before
    said = here(saved, verb, FILE)
    assert said.code == 1
    assert said.err.startswith(f"error[L610]: {words}"), said.err
    assert said.err.endswith("make it again: mashbill plan -o edu.plan\n")


def test_a_file_that_cannot_be_read(spine: Spine) -> None:
    said = here(spine, "run", "none.plan")
    assert (said.code, said.err) == (
        1, "error[L610]: none.plan cannot be read: No such file or directory: none.plan\n"
    )  # fmt: skip
    Path("bad.plan").write_bytes(b"\xff\xfe")
    assert "bad.plan is no saved plan: byte 0 is no UTF-8" in here(spine, "plan", "bad.plan").err


def test_a_plan_by_another_name_is_known_by_how_it_begins(saved: Spine) -> None:
    Path(FILE).rename("approved")
    assert here(saved, "plan", "approved").out.startswith("approved, saved ")
    assert here(saved, "run", "approved", "-q").code == 0


@pytest.mark.parametrize(
    ("verb", "options", "named"),
    [
        ("run", ["--profile", "x"], "--profile is"),
        ("run", ["--set", "seed=1"], "--set is"),
        ("run", ["--until", "book"], "--until is"),
        ("plan", ["--profile", "x", "--set", "seed=1"], "--profile, --set are"),
        ("plan", ["--pilot", "3"], "--pilot is"),
        ("plan", ["-o", "b.plan"], "-o is"),
    ],
)
def test_options_that_it_has_settled_are_refused(
    saved: Spine, verb: str, options: list[str], named: str
) -> None:
    said = here(saved, verb, FILE, *options)
    assert said.code == 64
    assert said.err == (
        f"error: edu.plan is a saved plan: {named} settled in it. "
        "Save another: mashbill plan … -o FILE\n"
    )


def test_selectors_beside_it_are_refused(saved: Spine) -> None:
    assert here(saved, "plan", FILE, "book").err == (
        "error: edu.plan is shown whole: leave out the selectors\n"
    )


def test_nothing_else_is_overwritten(spine: Spine) -> None:
    recipe = spine.folder / "recipe.yaml"
    before = recipe.read_text()
    said = spine.do("plan", "-o", str(recipe))
    assert said.code == 1
    assert "holds something else than a saved plan; name another file" in said.err
    assert recipe.read_text() == before
    assert "is a folder; name a file: -o spine.plan" in spine.do("plan", "-o", ".").err
    said = spine.do("plan", "-o", "no/such/a.plan")
    assert said.code == 1 and "no/such/a.plan cannot be written" in said.err
    assert spine.do("plan", "-o", FILE).code == spine.do("plan", "-o", FILE).code == 0


def test_a_plan_whose_model_is_missing_is_not_saved(spine: Spine) -> None:
    spine.edit("fake/rewrite", "fake/none")
    said = spine.do("plan", "-o", FILE)
    assert said.code == 1 and not Path(FILE).exists()
    assert "edu.plan is not written" in said.err


def test_what_would_be_saved_is_what_compiling_gives(saved: Spine) -> None:
    found = read_plan(FILE)
    assert recompiled(found).record == found.plan
    assert (found.profile, found.sets, found.lock) == (None, (), None)
