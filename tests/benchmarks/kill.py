"""Kill a run again and again, and see what it costs.

    python tests/benchmarks/kill.py [--kills 100] [--engines fake local] [--seed 1]

The recipe has two generate steps, a rewrite with a ladder, and a mix. A run is killed by SIGKILL at
a random moment of its life (start-up, sampling, generating, writing), started again, and so on;
after the last kill it may finish. Then:

- on `fake`: the data set's bytes equal those of a run that nobody disturbed, no request was lost,
  and the engine's journal says how many were sent more than once: never more at one kill than the
  engine has slots;
- on `local`, where no text comes twice: whatever a kill left in the ledger is still there, word for
  word, after all later ones, and the data set equals what `run --replay` makes of the ledger;
- on both, another run has nothing to do, and one without the data set sends nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from mashbill.runtime.ledger.framing import read_body
from mashbill.runtime.ledger.segments import OpenSegments
from mashbill.runtime.ledger.view import View, survey

PROMPTS = {
    "notes": "Write the sentence again in plain words.",
    "more": "Say in one short sentence what the note is about.",
    "book": "Rewrite the paragraph. Keep all facts.",
}

RECIPE = """\
mashbill: 1
name: kill
seed: 7
models:
  writer: { use: USE, sampling: { max_tokens: 24 }, placement: PLACEMENT }
sources:
  docs: { path: docs.jsonl, license: CC0-1.0, origin: human }
steps:
  notes: { op: generate, from: docs, model: writer, prompt: prompts/notes.md.j2, samples: 2 }
  more: { op: generate, from: notes, model: writer, prompt: prompts/more.md.j2 }
  book:
    op: rewrite
    from: docs
    model: writer
    prompt: prompts/book.md.j2
    chunk: { by: sentence, max: 40 tokens }
    sampling: { max_tokens: 60 }
    checks: { kept: { kind: expr, pass: "hash01(text) > 0.4" } }
    on_fail: [{ retry: 2 }, { fallback: input }]
mix:
  total: 1M tokens
  parts: { docs: 50%, more: 25%, book: 25% }
  min_human: 50%
  on_shortfall: shrink
"""


@dataclass(slots=True)
class Project:
    """A folder with the recipe, and what its engine was sent."""

    folder: Path
    kept: dict[tuple[bytes, int], str] = field(default_factory=dict)
    """Completions that some kill has left in the ledger."""

    @classmethod
    def make(cls, folder: Path, engine: str, rows: int, latency: str) -> Project:
        """Write it."""
        placement = (
            f"{{ latency: {latency}, slots: 32, journal: {folder}/journal }}"
            if engine == "fake"
            else "{ slots: 4 }"
        )
        use = "fake/rewrite" if engine == "fake" else "local/smollm2-135m"
        (folder / "prompts").mkdir(parents=True)
        (folder / ".mashbill").mkdir()
        (folder / "recipe.yaml").write_text(
            RECIPE.replace("USE", use).replace("PLACEMENT", placement)
        )
        for name, words in PROMPTS.items():
            (folder / f"prompts/{name}.md.j2").write_text(
                "---\ninputs: { text: str }\n---\n{% block user %}"
                f"{words} {{{{ text }}}}{{% endblock %}}\n"
            )
        (folder / "docs.jsonl").write_text(
            "".join(
                json.dumps(
                    {"text": f"Station {i} measured {20 + i} millimetres of rain on day {i % 9}."}
                )
                + "\n"
                for i in range(rows)
            )
        )
        return cls(folder)

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """A run in a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "mashbill", "run", str(self.folder), "--quiet", *arguments],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    def finish(self, *arguments: str) -> float:
        """A run that must come to its end; its seconds."""
        began = time.monotonic()
        process = self.start(*arguments)
        _, said = process.communicate(timeout=3600)
        assert process.returncode == 0, said.decode()
        return time.monotonic() - began

    def kill_after(self, seconds: float) -> bool:
        """Kill a run, its children too; False if it ended before."""
        process = self.start()
        try:
            process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            return True
        assert process.returncode == 0
        return False

    def sent(self) -> list[str]:
        """Requests that the fake engine was sent."""
        file = self.folder / "journal"
        return file.read_text().splitlines() if file.exists() else []

    def shards(self) -> dict[str, bytes]:
        """The bytes of the data set."""
        return {p.name: p.read_bytes() for p in sorted(self.folder.glob("out/kill/train-*"))}

    def forget(self) -> None:
        """Remove the data set."""
        shutil.rmtree(self.folder / "out", ignore_errors=True)

    def look(self) -> int:
        """Compare the ledger with what it held before; how many completions it holds now."""
        folder = self.folder / ".mashbill/ledger"
        found: dict[tuple[bytes, int], str] = {}
        view = survey(folder, View())
        for table in view.tables:
            table.read_on(folder)
        with closing(OpenSegments(folder)) as segments:
            for key, name, offset in view.walk():
                if (frame := view.read(segments, name, offset)) is not None:
                    head, data = frame
                    text = read_body(view.raw(name, head, data))[0]
                    found.setdefault((key, head.max_tokens), text)
        view.close()
        for key, text in self.kept.items():
            assert found.get(key) == text, "a completion of before a kill is gone or another"
        self.kept = found
        return len(found)


def rerun_sends_nothing(project: Project) -> None:
    """Neither a rerun nor one without the data set asks the engine anything."""
    count, shards = len(project.sent()), project.shards()
    held = project.look()
    project.finish()
    project.forget()
    project.finish()
    assert len(project.sent()) == count
    assert project.look() == held
    assert project.shards() == shards


def one(engine: str, kills: int, rng: random.Random, folder: Path) -> None:
    """Kill runs on one engine, and print what that cost."""
    rows, latency = (40 * kills, "50ms") if engine == "fake" else (max(kills // 2, 8), "")
    project = Project.make(folder / "killed", engine, rows, latency)
    lost: list[int] = []
    done = seconds = wasted = 0
    # Enough of a run to get somewhere, and often enough not quite that.
    longest = 4.0 if engine == "fake" else 8.0
    while done < kills:
        wait = rng.uniform(0.2, longest)
        if not project.kill_after(wait):
            project.forget()  # it was done: let the rest of the kills meet the end of a run
            continue
        done += 1
        seconds += wait
        # Whatever was sent and is not in the ledger was lost, and will be sent again.
        held = project.look()
        if engine == "fake":
            lost.append(len(project.sent()) - held - wasted)
            wasted += lost[-1]
    last = project.finish()
    rerun_sends_nothing(project)
    print(f"{engine}: {done} kills over {seconds:.0f} s of running, then {last:.1f} s to the end")
    if engine == "fake":
        quiet = Project.make(folder / "quiet", engine, rows, "0ms")
        quiet.finish()
        wanted, counts = Counter(quiet.sent()), Counter(project.sent())
        assert set(counts) == set(wanted), "requests were lost or invented"
        assert project.shards() == quiet.shards(), "other bytes than those of a quiet run"
        paid = counts.total() - len(counts)
        print(
            f"  {len(wanted):,} requests needed, {paid} sent twice: {paid / kills:.1f} a kill, "
            f"{max(lost)} at most at one, median {statistics.median(lost):.0f} (slots: 32)"
        )
        assert max(lost) <= 32
        assert paid == wasted
        print("  bytes as those of a quiet run; a rerun sends 0")
    else:
        shards = project.shards()
        project.forget()
        project.finish("--replay")
        assert project.shards() == shards, "--replay makes other bytes"
        print(
            f"  {len(project.kept):,} completions, none changed by any kill; --replay: same bytes"
        )


def main() -> None:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--engines", nargs="+", default=["fake", "local"])
    parser.add_argument("--seed", type=int, default=20261122)
    given = parser.parse_args()
    for engine in given.engines:
        with tempfile.TemporaryDirectory(prefix="mashbill-kill-") as folder:
            one(engine, given.kills, random.Random(given.seed), Path(folder))


if __name__ == "__main__":
    main()
