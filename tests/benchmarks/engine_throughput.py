"""Tokens per second of the `local` engine against a bare client of the same server.

    python tests/benchmarks/engine_throughput.py [--requests 32] [--max-tokens 64] [--passes 3]

Passes alternate between the two, each with texts of its own, so that neither finds the other's
prompts in the server's cache. Figures of a busy machine mean little: the load is printed.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import time
from collections.abc import Awaitable, Callable

import aiohttp
import orjson

from mashbill.runtime.engines import local
from mashbill.runtime.engines.base import ModelSpec
from mashbill.runtime.requests import Message, Request, Sampling

Send = Callable[[Request], Awaitable[int]]


def prompts(pass_: int, count: int, max_tokens: int) -> list[Request]:
    """Requests of about 100 prompt tokens, different in each pass."""
    return [
        Request(
            "m",
            (
                Message(
                    "user",
                    f"Rewrite in plain words: On {n % 28 + 1} March {1900 + n}, in year {pass_} of "
                    f"its term, the council of Brantford voted {5 + n % 9} to 3 to open a library "
                    f"beside the river. It cost {n * 13 + 200} thousand dollars and took the place "
                    "of the old hall, which had burned down in the spring.",
                ),
            ),
            Sampling(max_tokens=max_tokens),
            seed=n,
        )
        for n in range(count)
    ]


async def drive(requests: list[Request], slots: int, send: Send) -> tuple[int, float]:
    """Completion tokens and seconds, with `slots` requests in flight."""
    gate = asyncio.Semaphore(slots)

    async def one(request: Request) -> int:
        async with gate:
            return await send(request)

    began = time.perf_counter()
    counts = await asyncio.gather(*(one(r) for r in requests))
    return sum(counts), time.perf_counter() - began


async def main(count: int, max_tokens: int, passes: int) -> None:
    """Run and print."""
    engine = local.LocalEngine(ModelSpec("bench", "local", "smollm2-135m"))
    began = time.perf_counter()
    await engine.start()
    print(f"started in {time.perf_counter() - began:.2f} s; load {os.getloadavg()[0]:.1f}")
    child = engine.child
    assert child is not None
    address = f"http://127.0.0.1:{child.port}/v1/chat/completions"
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {child.key}"}) as session:

        async def bare(request: Request) -> int:
            body = {
                "messages": [{"role": m.role, "content": m.content} for m in request.messages],
                "max_tokens": request.sampling.max_tokens,
                "temperature": request.sampling.temperature,
                "top_p": request.sampling.top_p,
                "seed": request.seed,
            }
            async with session.post(address, json=body) as response:
                return int(orjson.loads(await response.read())["usage"]["completion_tokens"])

        async def ours(request: Request) -> int:
            return (await engine.complete(request)).completion_tokens

        await drive(prompts(-1, 8, 8), 8, ours)
        totals = {"bare client": (0, 0.0), "local engine": (0, 0.0)}
        for pass_ in range(passes):
            for half, (name, send) in enumerate([("bare client", bare), ("local engine", ours)]):
                asked = prompts(2 * pass_ + half, count, max_tokens)
                tokens, seconds = await drive(asked, engine.slots, send)
                sum_tokens, sum_seconds = totals[name]
                totals[name] = (sum_tokens + tokens, sum_seconds + seconds)
                print(f"{name:13} {tokens / seconds:7.1f} tok/s  load {os.getloadavg()[0]:.1f}")
    await engine.close()
    rates = {name: tokens / seconds for name, (tokens, seconds) in totals.items()}
    for name, rate in rates.items():
        print(f"{name:13} {rate:7.1f} tok/s over {passes} passes")
    print(f"ratio {rates['local engine'] / rates['bare client']:.3f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=32)
    parser.add_argument("--max-tokens", type=int, default=64)
    parser.add_argument("--passes", type=int, default=3)
    given = parser.parse_args()
    asyncio.run(main(given.requests, given.max_tokens, given.passes))
