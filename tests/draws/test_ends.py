"""Runs that end before their time, and what others look at: kills, caps, previews."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from ..runtime.conftest import Spine
from .conftest import COLUMNS, COT, HEAD, RIGHT, again, problems, run
from .solver import write_project

VOTE = f"  solved: {{ {COT}, from: docs, samples: 8 }}\n" + (
    "  best: { op: select, from: solved, vote: answer, min_agree: 0.4 }\n"
)
CAPPED = 5
REFILL = VOTE.replace("0.4", "0.4, rows: 20, candidates: 60")


def test_a_killed_run_goes_on_where_it_was(tmp_path: Path) -> None:
    texts, steps = problems(60), REFILL
    quiet = run(tmp_path / "quiet", steps, texts)
    folder, journal = tmp_path / "killed", tmp_path / "journal"
    slow = HEAD.replace("slots: SLOTS", f"slots: 8, journal: {journal}").replace("0ms", "5ms")
    write_project(folder, (slow.replace("JITTER", "5ms") + steps + COLUMNS), texts)
    (folder / "out").mkdir()
    for goal in (30, 80):
        process = subprocess.Popen(
            [sys.executable, str(Path(__file__).parent / "killed.py"), "run", str(folder), "-q"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        while not journal.exists() or len(journal.read_text().splitlines()) < goal:
            assert process.poll() is None
            time.sleep(0.005)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    ran = again(folder)
    assert ran.shards() == quiet.shards()
    sent = journal.read_text().splitlines()
    assert len(set(sent)) == quiet.calls, "a call was lost or invented"
    assert len(sent) <= quiet.calls + 2 * 8


def test_a_cap_leaves_groups_pending_and_nothing_decided(tmp_path: Path) -> None:
    texts = problems(40)
    whole = run(tmp_path / "whole", VOTE, texts)
    columns = COLUMNS + "budget: { requests: 90 }\n"
    some = run(tmp_path / "some", VOTE, texts, columns=columns, code=CAPPED)
    assert some.step("solved")["pending"] > 0
    recipe = tmp_path / "some" / "recipe.yaml"
    recipe.write_text(recipe.read_text().replace("requests: 90", "requests: 900"))
    assert again(tmp_path / "some").shards() == whole.shards()


def test_a_cap_between_two_calls_leaves_a_group_pending(tmp_path: Path) -> None:
    texts = problems(30)
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts/tell.md.j2").write_text(
        "---\ninputs: { text: str, reasoning: str }\n---\n"
        "{% block user %}{{ text }} Tell it: {{ reasoning }}{% endblock %}\n"
    )
    steps = (
        f"  solved: {{ {COT}, from: docs, samples: 4 }}\n"
        "  told: { op: rewrite, model: solver, prompt: prompts/tell.md.j2, from: solved }\n"
        "  best: { op: select, from: told, by: chars(text) }\n"
    )
    columns = "output: { columns: [text, _doc] }\n"
    capped = columns + "budget: { steps: { told: { requests: 50 } } }\n"
    some = run(tmp_path, steps, texts, columns=capped, code=CAPPED)
    told, best = some.step("told"), some.step("best")
    assert told["pending"] > 0 and best["pending"] > 0
    assert best["out"] * 4 + best["pending"] <= told["out"]
    assert not best["errors"]
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(recipe.read_text().replace("requests: 50", "requests: 500"))
    assert again(tmp_path).rows().height == 30


def test_replay_decides_alike_without_a_call(tmp_path: Path) -> None:
    steps = VOTE + "  strict: { op: filter, from: best, keep: _agree > 0.6 }\n"
    ran = run(tmp_path, steps, problems(30))
    assert 0 < ran.rows().height < 30
    ran.forget_output()
    replayed = again(tmp_path, "--replay", "--replace")
    assert replayed.calls == 0 and replayed.shards() == ran.shards()


def test_a_plan_a_preview_and_a_look_at_rows(tmp_path: Path) -> None:
    steps = VOTE.replace("samples: 8", f"samples: 8, checks: {{ right: {RIGHT} }}")
    run(tmp_path, steps, problems(20))
    spine = Spine(tmp_path)
    for verb, *more in (["plan"], ["preview", "-n", "2"], ["show", "best", "-n", "2"], ["graph"]):
        said = spine.do(verb, *more)
        assert said.code == 0, said.text
    assert "stops drawing" in spine.do("plan").out
