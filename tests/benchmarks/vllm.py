"""Output tokens a second of a Mashbill `generate` step on vLLM, beside vLLM's own offline `LLM`.

    python tests/benchmarks/vllm.py [--shape small|1b|2b] [--model DIR] [--rows 256] [--tokens 64]
        [--seqs 256] [--passes 2]

Both get the same prompts and load the same model with the same settings, one after another, each
in a process of its own; passes alternate. Without `--model`, weights are random
(`load_format: dummy`) and only the shape counts. A rate is that of all output tokens between the
first request and the last reply, after a warm-up. The last two parts send prompts that share
eight long openings, once with equal openings side by side and once shuffled.

On a machine with a GPU: `--shape 1b --rows 2000 --tokens 256 --compile`.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
# This file must not stand in for the package of its name, here nor in vLLM's processes.
sys.path[:] = [p for p in sys.path if Path(p).resolve() != Path(__file__).resolve().parent]
OPENINGS = 8
RECIPE = """\
mashbill: 1
name: bench
models:
  writer:
    use: vllm/{model}
    sampling: {{ temperature: 1.0, max_tokens: {tokens} }}
    placement: {placement}
sources:
  docs: {{ path: docs.jsonl, license: CC0-1.0, origin: human }}
steps:
  made: {{ op: generate, from: docs, model: writer, prompt: ask.md.j2 }}
"""
PROMPT = "---\ninputs: { text: str }\n---\n{% block user %}{{ text }}{% endblock %}\n"
SENTENCE = "The mill by the river ground flour for the whole valley until the flood of 1910 came. "


def texts(part: str, rows: int) -> list[str]:
    """Prompts; where openings are shared, equal ones stand together or do not."""
    if part not in ("grouped", "shuffled"):
        return [f"{SENTENCE}Go on with number {n}. {SENTENCE * 2}" for n in range(rows)]
    openings = [f"Opening {n}. {SENTENCE * 8}" for n in range(OPENINGS)]
    made = [f"{o} Row {n}." for o in openings for n in range(rows // OPENINGS)]
    if part == "shuffled":
        random.Random(0).shuffle(made)
    return made


def model_of(args: argparse.Namespace, folder: Path) -> tuple[str, dict[str, Any]]:
    """The model, and the settings that both sides get."""
    placement: dict[str, Any] = {"max_num_seqs": args.seqs, "max_model_len": 1024}
    if not args.compile:
        placement["enforce_eager"] = True
    if args.memory:
        placement["gpu_memory_utilization"] = args.memory
    if args.model:
        return str(Path(args.model).resolve()), placement
    sys.path.insert(0, str(ROOT))
    from tests.vllm.tiny_model import Shape, write_config

    shapes = {
        "small": Shape(512, 1024, 8, 8, 8, 4096, 2048),
        "1b": Shape(2048, 8192, 16, 32, 8, 128_256, 8192),
        "2b": Shape(2560, 8192, 28, 20, 4, 128_256, 8192),
    }
    write_config(folder / "model", shapes[args.shape])
    return str(folder / "model"), {**placement, "load_format": "dummy"}


def bare(args: argparse.Namespace, folder: Path) -> dict[str, float]:
    """vLLM's own way through a list of prompts."""
    vllm = importlib.import_module("vllm")
    platform = importlib.import_module("vllm.platforms").current_platform
    model, placement = model_of(args, folder)
    if platform.is_cpu():
        placement["enable_chunked_prefill"] = False  # As in `launch.py`, and for its reason.
    llm = vllm.LLM(model=model, enable_prefix_caching=True, disable_log_stats=True, **placement)
    params = vllm.SamplingParams(temperature=1.0, max_tokens=args.tokens, seed=1)
    chats: list[Any] = [[{"role": "user", "content": t}] for t in texts(args.part, args.rows)]
    llm.chat(chats[:1] * 4, vllm.SamplingParams(max_tokens=8), use_tqdm=False)
    began = time.perf_counter()
    done = llm.chat(chats, params, use_tqdm=False)
    spent = time.perf_counter() - began
    return {"tokens": sum(len(d.outputs[0].token_ids) for d in done), "seconds": spent}


def ours(args: argparse.Namespace, folder: Path) -> dict[str, float]:
    """A recipe with one step, from an empty ledger."""
    import mashbill as mb
    from mashbill.runtime.engines import vllm
    from mashbill.runtime.engines.base import Engine, ModelSpec
    from mashbill.runtime.requests import Completion, Message, Request, Sampling

    model, placement = model_of(args, folder)
    times: list[tuple[float, float, int, int]] = []

    class Noted(vllm.VllmEngine):
        async def start(self) -> None:
            await super().start()
            warm = Request("m", (Message("user", "Hello"),), Sampling(max_tokens=8))
            await asyncio.gather(*(super(Noted, self).complete(warm) for _ in range(4)))

        async def complete(self, request: Request) -> Completion:
            began = time.perf_counter()
            done = await super().complete(request)
            times.append((began, time.perf_counter(), done.completion_tokens, done.cached_tokens))
            return done

    def noted(spec: ModelSpec) -> Engine:
        return Noted(spec)

    vllm.open_engine = noted
    (folder / "recipe.yaml").write_text(
        RECIPE.format(model=model, tokens=args.tokens, placement=json.dumps(placement))
    )
    (folder / "ask.md.j2").write_text(PROMPT)
    rows = [json.dumps({"text": t}) for t in texts(args.part, args.rows)]
    (folder / "docs.jsonl").write_text("\n".join(rows))
    mb.load(folder, allow_outside=True).run()
    return {
        "tokens": sum(t for _, _, t, _ in times),
        "cached": sum(c for _, _, _, c in times),
        "seconds": max(e for _, e, _, _ in times) - min(b for b, _, _, _ in times),
    }


def measure(part: str) -> dict[str, float]:
    """Run one part in a process of its own."""
    command = [sys.executable, __file__, *sys.argv[1:], "--part", part]
    env = {"VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_LOGGING_LEVEL": "ERROR", **os.environ}
    done = subprocess.run(command, env=env, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def main(args: argparse.Namespace) -> None:
    """Measure and print."""
    if args.part:
        from mashbill.runtime.vllm_.guard import end_marked, start_guard

        mark = start_guard()
        with tempfile.TemporaryDirectory() as name:
            way = bare if args.part == "bare" else ours
            print(json.dumps(way(args, Path(name))), flush=True)
        # vLLM's offline class would wait at exit for its processes, and they for it.
        end_marked(mark)
        os._exit(0)
    sums = {part: [0.0, 0.0] for part in ("bare", "ours", "grouped", "shuffled")}
    parts = ["bare", "ours"] * args.passes + ["grouped", "shuffled"]
    for part in parts:
        found = measure(part)
        sums[part][0] += found["tokens"]
        sums[part][1] += found["seconds"]
        cached = f"  {found['cached']:,.0f} prompt tokens cached" if "cached" in found else ""
        rate = found["tokens"] / found["seconds"]
        print(f"{part:9} {rate:9.1f} tok/s  load {os.getloadavg()[0]:.1f}{cached}", flush=True)
    rates = {part: tokens / seconds for part, (tokens, seconds) in sums.items()}
    print(f"ratio of ours to bare {rates['ours'] / rates['bare']:.3f}")
    print(f"ratio of shuffled to grouped {rates['shuffled'] / rates['grouped']:.3f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shape", choices=("small", "1b", "2b"), default="small")
    parser.add_argument("--model")
    parser.add_argument("--rows", type=int, default=128)
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--seqs", type=int, default=64)
    parser.add_argument("--passes", type=int, default=2)
    parser.add_argument("--memory", type=float, default=None)
    parser.add_argument("--compile", action="store_true", help="let vLLM compile the model")
    parser.add_argument("--part", help=argparse.SUPPRESS)
    main(parser.parse_args())
