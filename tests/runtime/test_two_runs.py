"""Two runs of one recipe at once, on one ledger: each request is paid for once."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

from .conftest import Spine, balance, documents, make_spine


def keys(spine: Spine) -> Counter[str]:
    return Counter(spine.sent())


def other_output(spine: Spine) -> Spine:
    """The same recipe beside it, in the same project, with a data set of its own."""
    recipe = (spine.folder / "recipe.yaml").read_text()
    folder = spine.folder / "second"
    (folder / "prompts").mkdir(parents=True)
    shutil.copy(spine.folder / "prompts/book.md.j2", folder / "prompts")
    shutil.copy(spine.folder / "docs.jsonl", folder)
    (folder / "recipe.yaml").write_text(recipe)
    return Spine(folder)


def wait_for(spine: Spine, sent: int, process: subprocess.Popen[str]) -> None:
    """Wait until so many requests were sent."""
    while len(spine.sent()) < sent:
        assert process.poll() is None, process.communicate()
        time.sleep(0.005)


def test_two_runs_at_once_pay_once(tmp_path: Path) -> None:
    quiet = make_spine(tmp_path / "quiet", documents(40))
    quiet.good_run()
    one = make_spine(tmp_path / "one", documents(40), latency="100ms", slots=8)
    two = other_output(one)
    first = one.start()
    wait_for(one, 20, first)
    os.kill(first.pid, signal.SIGSTOP)  # it keeps what it has under way until the other is there
    second = two.start()
    wait_for(one, len(one.sent()) + 8, second)
    os.kill(first.pid, signal.SIGCONT)
    for process in (first, second):
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, out + err
    found = keys(one)
    assert set(found) == set(keys(quiet))
    assert found.total() == len(found), "something was paid for twice"
    for spine in (one, two):
        balance(spine.record())
        assert spine.shards() == quiet.shards()
    sent = [s.record()["models"]["writer"]["sent"] for s in (one, two)]
    assert all(sent) and sum(sent) == len(found), "both have worked"
