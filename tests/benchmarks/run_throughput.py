"""Tokens a second of a whole run against a bare client sending the same requests to the same
server.

    python tests/benchmarks/run_throughput.py [--documents 6]

The run is `recipes/textbook-web` on the embedded model, from an empty ledger, with checks, ladder,
ledger and mix on. Its requests are noted as they are sent; then a client that does nothing else
sends the same ones, as many at once, to a server just started. Figures of a busy machine mean
little: the load is printed.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import tempfile
import time
from pathlib import Path

import aiohttp
import orjson

import mashbill as mb
from mashbill.runtime.engines import local
from mashbill.runtime.engines.base import Engine, ModelSpec
from mashbill.runtime.requests import Completion, Request

ROOT = Path(__file__).resolve().parents[2]
SENT: list[Request] = []
TIMES: list[tuple[float, float, int]] = []


class Noted(local.LocalEngine):
    """The embedded engine, noting what it is sent and when replies came."""

    async def complete(self, request: Request) -> Completion:
        """Send, and note."""
        SENT.append(request)
        began = time.perf_counter()
        done = await super().complete(request)
        TIMES.append((began, time.perf_counter(), done.completion_tokens))
        return done


def noted(spec: ModelSpec) -> Engine:
    """The engine that the run opens."""
    return Noted(spec)


def rate(times: list[tuple[float, float, int]]) -> float:
    """Tokens a second between the first request and the last reply."""
    return sum(t for _, _, t in times) / (max(e for _, e, _ in times) - min(b for b, _, _ in times))


async def bare(slots: int) -> list[tuple[float, float, int]]:
    """Send the same requests with nothing else to do."""
    engine = local.LocalEngine(ModelSpec("bench", "local", "smollm2-135m"))
    await engine.start()
    child = engine.child
    assert child is not None
    address = f"http://127.0.0.1:{child.port}/v1/chat/completions"
    gate = asyncio.Semaphore(slots)
    times: list[tuple[float, float, int]] = []
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {child.key}"}) as session:

        async def one(request: Request) -> None:
            sampling = request.sampling
            body = {
                "messages": [{"role": m.role, "content": m.content} for m in request.messages],
                "max_tokens": sampling.max_tokens,
                "temperature": sampling.temperature,
                "top_p": sampling.top_p,
                "seed": request.seed,
            }
            async with gate:
                began = time.perf_counter()
                async with session.post(address, json=body) as response:
                    usage = orjson.loads(await response.read())["usage"]
                times.append((began, time.perf_counter(), int(usage["completion_tokens"])))

        await asyncio.gather(*(one(r) for r in SENT))
    await engine.close()
    return times


def main(documents: int) -> None:
    """Run and print."""
    print(f"load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as folder:
        ignore = shutil.ignore_patterns("out", ".mashbill")
        recipe = shutil.copytree(ROOT / "recipes/textbook-web", Path(folder) / "r", ignore=ignore)
        (recipe / ".mashbill").mkdir()
        local.open_engine = noted
        mb.load(recipe, set={"steps.book.limit": documents}).plan(survey=False).run()
    run = rate(TIMES)
    slots = local.LocalEngine(ModelSpec("bench", "local", "smollm2-135m")).slots
    alone = rate(asyncio.run(bare(slots)))
    print(f"{len(SENT)} requests, {slots} at once")
    print(f"whole run    {run:6.1f} tok/s")
    print(f"bare client  {alone:6.1f} tok/s   load {os.getloadavg()[0]:.1f}")
    print(f"ratio        {run / alone:.3f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=6)
    main(parser.parse_args().documents)
