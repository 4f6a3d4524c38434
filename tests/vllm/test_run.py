"""A whole recipe on vLLM: ledger, samples, a run again (slow: `make vllm`)."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

import mashbill as mb
from mashbill.runtime.engines import vllm
from mashbill.runtime.engines.base import Engine, ModelSpec

from .tiny_model import write_model

pytestmark = pytest.mark.slow

ROWS, SAMPLES = 12, 3
RECIPE = f"""\
mashbill: 1
name: tiny
seed: 5
models:
  writer:
    use: vllm/./tiny
    sampling: {{ temperature: 1.0, max_tokens: 150, stop: ["e", "o", "a"] }}
    placement: {{ gpu_memory_utilization: 0.2, enforce_eager: true, max_model_len: 256,
                 max_num_seqs: 16 }}
sources:
  docs: {{ path: docs.jsonl, license: CC0-1.0, origin: human }}
steps:
  made: {{ op: generate, from: docs, model: writer, prompt: ask.md.j2, samples: {SAMPLES} }}
"""
PROMPT = """\
---
inputs: { text: str }
---
{% block user %}Go on: {{ text }}{% endblock %}
"""


@pytest.fixture
def project(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    assert folder.is_dir()  # Where vLLM is missing, this skips.
    monkeypatch.setenv("VLLM_CPU_KVCACHE_SPACE", "1")
    write_model(tmp_path / "tiny")
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    (tmp_path / "ask.md.j2").write_text(PROMPT)
    lines = (json.dumps({"text": f"The mill had {n} stones."}) for n in range(ROWS))
    (tmp_path / "docs.jsonl").write_text("\n".join(lines))
    return tmp_path


def test_samples_share_requests_and_nothing_is_paid_twice(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[vllm.VllmEngine] = []
    sent: list[int] = []

    class Noted(vllm.VllmEngine):
        async def close(self) -> None:
            assert self.loaded is not None
            sent.append(self.loaded.siblings.requests)
            await super().close()

    def open_engine(spec: ModelSpec) -> Engine:
        opened.append(Noted(spec))
        return opened[-1]

    monkeypatch.setattr(vllm, "open_engine", open_engine)
    recipe = mb.load(project)
    first = recipe.run()
    rows = first.scan().collect()
    # A few replies are empty, or longer than the limit: the weights are random.
    assert ROWS * SAMPLES / 2 < rows.height <= ROWS * SAMPLES
    assert len(opened) == 1
    assert sent[0] <= ROWS * 2, "samples of a row go together"

    again = mb.load(project).run()
    assert again.scan().collect().equals(rows)
    assert len(opened) == 1, "all is in the ledger: nothing is loaded"


def test_the_command_leaves_the_terminal_to_mashbill(project: Path) -> None:
    command = [sys.executable, "-m", "mashbill", "run", str(project)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert "INFO" not in done.stdout + done.stderr
    assert "vllm.log" not in done.stdout + done.stderr


def test_a_killed_run_leaves_no_process(project: Path) -> None:
    """vLLM's processes end with the one that started them, however that one ends."""
    run = subprocess.Popen(
        [sys.executable, "-m", "mashbill", "run", str(project)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait(lambda: any(map(is_vllm, descendants(run.pid))), 200)
        left = descendants(run.pid)
    finally:
        run.kill()
        run.wait()
    wait(lambda: not any(map(is_vllm, left)), 60)


def wait(until: object, seconds: float) -> None:
    assert callable(until)
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end, "in vain"
        time.sleep(0.2)


def is_vllm(pid: int) -> bool:
    """Whether a process runs that has given itself a name of vLLM's."""
    try:
        return b"VLLM" in Path(f"/proc/{pid}/cmdline").read_bytes()  # Empty once it has ended.
    except OSError:
        return False


def descendants(pid: int) -> set[int]:
    """Processes that a process started, and theirs."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[0] != "Z":
            parents[int(stat.parent.name)] = int(fields[1])
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {pid}
