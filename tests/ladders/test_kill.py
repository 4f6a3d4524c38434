"""A run that is killed while repairs and checks are asked for pays for nothing twice."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from .conftest import project, prompt, sent
from .test_repairs import MAKE

STEPS = """\
  made:
    op: generate
    from: docs
    model: writer
    prompt: prompts/make.md.j2
    checks: { clean: { kind: regex, got: answer, forbid: bad } }
    on_fail: [ { retry: 1 }, { repair: { times: 2, prompt: prompts/bad.md.j2, model: mender } } ]
"""
BAD = prompt("<answer>bad {{ reply }}</answer>", "reply: str", "reply: { answer: tag }\n")
SLOTS = 4


def test_kill_and_go_on(tmp_path: Path) -> None:
    spine = project(tmp_path, STEPS, {"make": MAKE, "bad": BAD}, 60)
    for journal in ("JOURNAL", "JOURNAL.mender"):
        text = str(spine.folder / journal.replace("JOURNAL", "journal"))
        spine.edit(f"journal: {text} }}", f"journal: {text}, latency: 15ms, slots: {SLOTS} }}")
    process = spine.start()
    until = time.monotonic() + 60
    while sent(spine, "mender").total() < 8 and time.monotonic() < until:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    killed = sent(spine, "mender").total()
    assert 8 <= killed < 40
    spine.edit("latency: 15ms", "latency: 0ms")
    record = spine.good_run()
    assert record["steps"]["made"]["attempts"] == 60 + 20 + 40
    for model, wanted in (("", 80), ("mender", 40)):
        lines = sent(spine, model)
        assert len(lines) == wanted
        assert lines.total() - len(lines) <= SLOTS, "only what was in flight is sent again"
