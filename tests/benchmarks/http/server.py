"""The mock server: OpenAI's chat protocol, answers after a while. DELAY SPREAD"""

from __future__ import annotations

import asyncio
import hashlib
import json
import math
import random
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

SENTENCE = "The mill by the river ground flour for the whole valley until the flood of 1910 came. "


def serve(delay: float, spread: float) -> None:
    """Answer every chat request after a while; print the port. `/seen` tells, and forgets."""
    from aiohttp import web

    reply = json.dumps(
        {
            "id": "x",
            "object": "chat.completion",
            "created": 1,
            "model": "some",
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": SENTENCE * 5},
                    "finish_reason": "stop",
                }
            ],
            "usage": {"prompt_tokens": 130, "completion_tokens": 100, "total_tokens": 230},
        }
    ).encode()
    starts: list[float] = []
    ends: list[float] = []
    flying, most = 0, 0

    async def answer(request: web.Request) -> web.Response:
        nonlocal flying, most
        starts.append(time.time())
        flying, most = flying + 1, max(most, flying + 1)
        wait, body = delay, await request.read()
        if spread:
            dice = random.Random(hashlib.blake2b(body, digest_size=8).digest())
            wait *= math.exp(spread * dice.gauss(0, 1))
        await asyncio.sleep(wait)
        flying -= 1
        ends.append(time.time())
        return web.Response(body=reply, content_type="application/json")

    async def seen(_: web.Request) -> web.Response:
        nonlocal most
        told = {
            "requests": len(starts),
            "first": min(starts, default=0),
            "last": max(ends, default=0),
            "most": most,
        }
        starts.clear()
        ends.clear()
        most = 0
        return web.json_response(told)

    async def models(_: web.Request) -> web.Response:
        return web.json_response({"data": [{"id": "some"}]})

    async def main() -> None:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", answer)
        app.router.add_get("/seen", seen)
        app.router.add_get("/v1/models", models)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
        print(runner.addresses[0][1], flush=True)
        await asyncio.Event().wait()

    asyncio.run(main())


@contextmanager
def server(delay: float, spread: float) -> Iterator[int]:
    """The port of a server in a process of its own."""
    command = [sys.executable, __file__, str(delay), str(spread)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            yield int(process.stdout.readline())
        finally:
            process.terminate()


def seen(port: int) -> dict[str, float]:
    """What the server saw since it was last asked."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/seen") as response:
        found: dict[str, float] = json.load(response)
    return found


if __name__ == "__main__":
    serve(float(sys.argv[1]), float(sys.argv[2]))
