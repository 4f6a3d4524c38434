"""The same bytes, whatever the concurrency, the cut of the data, and what interrupted the run."""

from __future__ import annotations

import signal
import time
from collections import Counter
from pathlib import Path

import pytest

from .conftest import RECIPE, Spine, balance, documents, make_spine

ROWS = 40
SAMPLED = RECIPE.replace("chunk: { by: sentence, max: 80 tokens }", "samples: 3")


def wanted(folder: Path, recipe: str = RECIPE, rows: int = ROWS) -> Spine:
    spine = make_spine(folder, documents(rows), recipe=recipe)
    spine.good_run()
    assert spine.shards()
    return spine


@pytest.mark.parametrize("recipe", [RECIPE, SAMPLED], ids=["chunks", "samples"])
def test_slots_and_jitter_change_no_byte(tmp_path: Path, recipe: str) -> None:
    quiet = wanted(tmp_path / "quiet", recipe)
    for slots in (1, 7, 64):
        spine = make_spine(tmp_path / str(slots), documents(ROWS), recipe=recipe, slots=slots)
        spine.edit("slots:", "jitter: 4ms, slots:")
        spine.good_run()
        assert spine.shards() == quiet.shards()
        assert Counter(spine.sent()) == Counter(quiet.sent())


@pytest.mark.parametrize("mixed", [True, False], ids=["mix", "no mix"])
def test_partitions_arrive_in_any_order(tmp_path: Path, mixed: bool) -> None:
    """Two runs over many small files differ in their timing, and in nothing else."""
    recipe = RECIPE if mixed else RECIPE[: RECIPE.index("mix:")]
    made = []
    for slots in (2, 64):
        spine = make_spine(
            tmp_path / str(slots),
            [],
            recipe=recipe.replace("path: docs.jsonl", "path: part-*.jsonl"),
            slots=slots,
        )
        for k, text in enumerate(documents(30)):
            spine.feed([{"text": text}], f"part-{k:02d}.jsonl")
        spine.edit("slots:", f"jitter: {slots}ms, slots:")
        spine.good_run()
        made.append(spine.shards())
    assert made[0] == made[1]
    if not mixed:
        docs = spine.rows()["text"].to_list()
        assert [t.split()[1] for t in docs] == [str(i) for i in range(30)], "the source's order"


def test_a_rerun_changes_nothing(tmp_path: Path) -> None:
    spine = wanted(tmp_path)
    before, sent = spine.shards(), len(spine.sent())
    said = spine.run()
    assert said.code == 0
    assert "Nothing to do" in said.out
    spine.forget_output()
    spine.good_run()
    assert spine.shards() == before
    assert len(spine.sent()) == sent
    assert spine.leftovers() == []


def test_replay_starts_no_engine(tmp_path: Path) -> None:
    spine = wanted(tmp_path)
    before, sent = spine.shards(), len(spine.sent())
    spine.forget_output()
    spine.good_run("--replay")
    assert spine.shards() == before
    assert len(spine.sent()) == sent
    assert spine.record()["models"]["writer"]["sent"] == 0


def test_replay_of_nothing_says_what_to_do(spine: Spine) -> None:
    said = spine.run("--replay")
    assert said.code == 1
    assert "run without --replay" in said.err
    assert said.err.count("error") == 1
    assert spine.sent() == []
    assert not spine.shards()


def await_sends(spine: Spine, count: int) -> None:
    deadline = time.monotonic() + 60
    while len(spine.sent()) < count and time.monotonic() < deadline:
        time.sleep(0.005)
    assert len(spine.sent()) >= count


@pytest.mark.parametrize("name", [signal.SIGINT, signal.SIGTERM])
def test_a_pause_pays_nothing_twice(tmp_path: Path, name: signal.Signals) -> None:
    """What is in flight at ^C finishes and is kept; going on sends only what is left."""
    quiet = wanted(tmp_path / "quiet")
    spine = make_spine(tmp_path / "paused", documents(ROWS), latency="60ms", slots=16)
    for sends in (40, 120):
        process = spine.start()
        await_sends(spine, sends)
        process.send_signal(name)
        out, err = process.communicate(timeout=60)
        assert process.returncode == 130, err
        assert "Paused" in err
        assert "Traceback" not in out + err
        assert spine.last()["status"] == "paused"
        balance(spine.last())
        assert spine.last()["steps"]["book"]["pending"] > 0
        assert not spine.shards()
        assert spine.leftovers() == []
    spine.good_run()
    assert spine.shards() == quiet.shards()
    assert max(Counter(spine.sent()).values()) == 1, "a request was paid twice"


def test_a_second_interrupt_stops_at_once(tmp_path: Path) -> None:
    spine = make_spine(tmp_path, documents(ROWS), latency="30s", slots=4)
    process = spine.start()
    await_sends(spine, 4)
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    assert process.poll() is None, "the first one lets what is in flight finish"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=8)
    assert process.returncode == 130
    assert "Paused" in err
    assert "Traceback" not in err
    assert len(spine.sent()) == 4


def test_an_interrupt_while_the_data_set_is_written(
    spine: Spine, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mashbill.runtime import execute

    def interrupted(*_: object) -> None:
        signal.raise_signal(signal.SIGTERM)
        raise AssertionError("not interrupted")

    with monkeypatch.context() as patch:
        patch.setattr(execute, "write_shards", interrupted)
        said = spine.run()
    assert said.code == 130
    assert "Paused" in said.err
    assert spine.last()["status"] == "paused"
    assert spine.leftovers() == []
    sent = len(spine.sent())
    spine.good_run()
    assert len(spine.sent()) == sent
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_two_processes_at_once(tmp_path: Path) -> None:
    quiet = wanted(tmp_path / "quiet")
    spine = make_spine(tmp_path / "both", documents(ROWS), latency="10ms")
    first, second = spine.start(), spine.start()
    for process in (first, second):
        _, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
    assert spine.shards() == quiet.shards()
    assert sorted(spine.folder.glob("out/*")) == [spine.folder / "out/spine"]
    assert spine.leftovers() == []
    for record in spine.folder.glob(".mashbill/runs/r-*/record.json"):
        assert '"status": "done"' in record.read_text()
    sent = len(spine.sent())
    spine.forget_output()
    spine.good_run()
    assert len(spine.sent()) == sent
    assert spine.shards() == quiet.shards()


def test_what_a_killed_run_left_is_swept(tmp_path: Path) -> None:
    spine = make_spine(tmp_path, documents(ROWS), latency="20ms", slots=8)
    process = spine.start()
    await_sends(spine, 20)
    assert spine.leftovers(), "a run under way works somewhere"
    process.kill()
    process.communicate()
    assert spine.leftovers()
    spine.good_run()
    assert spine.leftovers() == []
