"""Mashbill, a bare client and the peers against one server, one after another in one run.

    make bench NAME=http
    make bench NAME=http ARGS="--rows 5000 20000 --flight 64 256 --peers"

The server is a real one in a process of its own that speaks OpenAI's chat protocol and answers
after a fixed 50 ms, or after times of a log-normal distribution of the same median that the
request decides. Each client is a process of its own, watched from outside, so that start-up, all
workers and the writing of output count. Mashbill runs as the command, with its ledger, a check and
its output on; the bare client is aiohttp and sends the same bodies. Rates are those that the server
saw, between the first request and the last reply; `start` is from the start of the process to its
first request; CPU is that of the whole tree. With `--peers`, datatrove's inference runner and
bespokelabs-curator are installed into `~/.cache/mashbill-bench` and take part: both with what they
have against lost work, checkpoints and cache. datatrove is installed without what its `inference`
extra brings (vLLM and torch), with what its runner imports.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]
sys.path.append(str(HERE))

from server import SENTENCE, seen, server  # noqa: E402
from watched import Measured, watch  # noqa: E402

CACHE = Path.home() / ".cache" / "mashbill-bench"
PEERS = {
    "datatrove": (
        ["--no-deps", "datatrove==0.10.1"],
        ["loguru", "fsspec", "humanize", "multiprocess", "tqdm", "dill", "rich", "numpy", "httpx"],
        ["huggingface_hub", "pyyaml", "orjson", "aiofiles", "aiosqlite", "xxhash"],
    ),
    "curator": (["bespokelabs-curator==0.1.31"], []),
}
LIMIT_SECONDS = 300.0
"""A client that takes longer is stopped: one that lacks a package waits for ever."""
SIGMA = 0.6
"""Of the logarithm: 5 % of the requests take more than 2.7 times the median."""

RECIPE = """\
mashbill: 1
name: bench
models:
  writer:
    use: http/some
    url: "http://127.0.0.1:{port}"
    placement: {{ concurrency: {flight} }}
sources:
  docs: {{ path: docs.jsonl, license: CC0-1.0, origin: human }}
steps:
  made:
    op: generate
    from: docs
    model: writer
    prompt: prompts/ask.md.j2
    checks: {{ length: {{ min: 0.1, max: 9 }} }}
"""
PROMPT = """\
---
inputs: { text: str }
---
{% block system %}Rewrite the paragraph in plain words. Keep all facts.{% endblock %}
{% block user %}{{ text }}{% endblock %}
"""


@dataclass(frozen=True, slots=True)
class Result:
    """One client's run: rows a second as the server saw them, and the rest."""

    rate: float
    whole: float
    cpu: float
    peak: float
    start: float
    requests: int
    most: int


def measured(command: list[str], port: int, rows: int) -> Result:
    """Run a client."""
    seen(port)
    run: Measured = watch(command, {"HF_HUB_OFFLINE": "1"}, limit=LIMIT_SECONDS)
    told = seen(port)
    assert told["requests"] >= rows, f"{told['requests']} of {rows} requests came:\n{run.said}"
    return Result(
        rate=rows / (told["last"] - told["first"]),
        whole=rows / run.seconds,
        cpu=run.cpu / rows * 1000,
        peak=run.peak,
        start=told["first"] - run.began,
        requests=int(told["requests"]),
        most=int(told["most"]),
    )


def command_of(client: str, port: int, flight: int, folder: Path) -> list[str]:
    """What starts a client on the documents of a folder."""
    docs = folder / "docs.jsonl"
    if client == "mashbill":
        (folder / "prompts").mkdir()
        (folder / ".mashbill").mkdir()
        (folder / "recipe.yaml").write_text(RECIPE.format(port=port, flight=flight))
        (folder / "prompts/ask.md.j2").write_text(PROMPT)
        return [sys.executable, "-m", "mashbill", "run", str(folder), "-q"]
    if client == "bare":
        return [sys.executable, str(HERE / "peers/bare.py"), str(port), str(flight), str(docs)]
    python = str(CACHE / client / "bin/python")
    script = str(HERE / f"peers/{client}_client.py")
    return [python, script, str(port), str(flight), str(docs), str(folder)]


def once(client: str, port: int, rows: int, flight: int) -> Result:
    """A client on documents of its own, of about 430 characters."""
    folder = Path(tempfile.mkdtemp())
    try:
        with (folder / "docs.jsonl").open("w") as out:
            for i in range(rows):
                out.write(json.dumps({"text": f"Note {i}. {SENTENCE * 5}"}) + "\n")
        return measured(command_of(client, port, flight, folder), port, rows)
    finally:
        shutil.rmtree(folder)


def install(peer: str) -> None:
    """Make a peer's environment, if it is not there."""
    if (CACHE / peer / "ready").exists():
        return
    subprocess.run([sys.executable, "-m", "venv", str(CACHE / peer)], check=True)
    pip = [str(CACHE / peer / "bin/python"), "-m", "pip", "install", "--quiet"]
    for packages in filter(None, PEERS[peer]):
        subprocess.run([*pip, *packages], check=True)
    (CACHE / peer / "ready").touch()


def compare(clients: list[str], port: int, rows: int, flight: int, times: int) -> None:
    """Run clients in turn, so that a busy moment hits all; print the median of each."""
    found: dict[str, list[Result]] = {c: [] for c in clients}
    for turn in range(times):
        for client in clients:
            if turn and client in PEERS:
                continue  # once is enough for those that take a minute
            try:
                found[client].append(once(client, port, rows, flight))
            except (SystemExit, AssertionError) as error:
                print(f"  {client}: {str(error).strip()[-600:]}")
    middle = {c: sorted(r, key=lambda r: r.rate)[len(r) // 2] for c, r in found.items() if r}
    bare = middle["bare"].rate
    for client, best in middle.items():
        print(
            f"  {client:<10}{best.rate:>7,.0f} rows/s, {best.rate / bare:.2f} of bare;"
            f" {best.whole:>6,.0f} with start and output   {best.cpu:6.2f} ms CPU a row"
            f"   {best.peak:5,.0f} MB   start {best.start:5.2f} s   {best.most} in flight at most"
            + (f"   {best.requests - rows} more requests" if best.requests > rows else ""),
            flush=True,
        )
    peers = [best.rate for client, best in middle.items() if client in PEERS]
    if peers and "mashbill" in middle:
        print(f"  mashbill to the best peer: {middle['mashbill'].rate / max(peers):.1f}")


def main() -> None:
    """Measure every combination."""
    parse = argparse.ArgumentParser(description=__doc__)
    parse.add_argument("--rows", type=int, nargs="+", default=[5_000])
    parse.add_argument("--flight", type=int, nargs="+", default=[64, 256])
    parse.add_argument("--delay", type=float, default=50.0, help="milliseconds, the median")
    parse.add_argument("--times", type=int, default=3, help="of bare and mashbill; peers run once")
    parse.add_argument("--latency", choices=["fixed", "log-normal"], nargs="+")
    parse.add_argument("--peers", action="store_true", help="install and run the peers too")
    given = parse.parse_args()
    clients = ["bare", "mashbill", *(PEERS if given.peers else ())]
    for client in clients:
        if client in PEERS:
            install(client)
    for latency in given.latency or ["fixed", "log-normal"]:
        with server(given.delay / 1000, SIGMA if latency == "log-normal" else 0.0) as port:
            for rows in given.rows:
                for flight in given.flight:
                    print(
                        f"{rows:,} rows, {flight} in flight, {given.delay:g} ms {latency};"
                        f" {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}",
                        flush=True,
                    )
                    compare(clients, port, rows, flight, given.times)


if __name__ == "__main__":
    main()
