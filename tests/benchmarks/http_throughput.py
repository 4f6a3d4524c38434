"""Rate of `mashbill run` against an HTTP server, beside a bare client that does nothing else.

    python tests/benchmarks/http_throughput.py [--rows 5000] [--flight 64] [--delay 50] [--profile]

The server is a real one, in a process of its own, and answers each request after a fixed time. The
bare client is aiohttp sending the same bodies, as many at once. The run has its ledger, a check and
its output on. Rates are of the time between the first request and the last reply of either; CPU is
that of the client's process and its check workers, without start-up.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RECIPE = """\
mashbill: 1
name: bench
models:
  writer: {{ use: http/some, url: "http://127.0.0.1:{port}", placement: {{ concurrency: {flight} }}
  }}
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

SENTENCE = "The mill by the river ground flour for the whole valley until the flood of 1910 came. "


def serve(delay: float) -> None:
    """Answer every chat request after a while; print the port."""
    from aiohttp import web

    reply = json.dumps(
        {
            "choices": [{"message": {"content": SENTENCE * 5}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 130, "completion_tokens": 100},
        }
    ).encode()

    async def answer(request: web.Request) -> web.Response:
        await request.read()
        await asyncio.sleep(delay)
        return web.Response(body=reply, content_type="application/json")

    async def main() -> None:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", answer)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        print(runner.addresses[0][1], flush=True)
        await asyncio.Event().wait()

    asyncio.run(main())


def texts(rows: int) -> list[str]:
    """Documents of about 430 characters, all different."""
    return [f"Note {i}. {SENTENCE * 5}" for i in range(rows)]


def cpu() -> float:
    """CPU seconds of this process and of its children that have ended."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(u.ru_utime + u.ru_stime for u in map(resource.getrusage, kinds))


async def bare(port: int, rows: int, flight: int) -> tuple[float, float]:
    """Rate, and CPU seconds, of a client that does nothing else."""
    import aiohttp

    bodies = iter(
        [
            json.dumps(
                {
                    "model": "some",
                    "messages": [
                        {
                            "role": "system",
                            "content": "Rewrite the paragraph in plain words. Keep all facts.",
                        },
                        {"role": "user", "content": text},
                    ],
                    "temperature": 0.7,
                    "top_p": 1.0,
                    "max_tokens": 512,
                    "seed": 1,
                }
            ).encode()
            for text in texts(rows)
        ]
    )
    url = f"http://127.0.0.1:{port}/v1/chat/completions"
    headers = {"Content-Type": "application/json"}
    began, used = time.monotonic(), cpu()
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, headers=headers) as session:

        async def work() -> None:
            for body in bodies:
                async with session.post(url, data=body) as response:
                    json.loads(await response.read())

        await asyncio.gather(*(work() for _ in range(flight)))
    return rows / (time.monotonic() - began), cpu() - used


def ours(
    port: int, rows: int, flight: int, folder: Path, profile: bool
) -> tuple[float, float, float]:
    """Rate in the window, rate of the whole run, and CPU seconds of it."""
    import mashbill as mb

    (folder / "prompts").mkdir()
    (folder / "recipe.yaml").write_text(RECIPE.format(port=port, flight=flight))
    (folder / "prompts/ask.md.j2").write_text(PROMPT)
    (folder / "docs.jsonl").write_text("".join(json.dumps({"text": t}) + "\n" for t in texts(rows)))
    plan = mb.load(folder).plan(survey=False)
    began, used = time.monotonic(), cpu()
    if profile:
        import cProfile
        import pstats

        with cProfile.Profile() as profiler:
            out = plan.run()
        pstats.Stats(profiler).sort_stats("cumtime").print_stats(
            "runtime|aiohttp.client|zstand|pickle|jinja", 60
        )
    else:
        out = plan.run()
    whole, used = time.monotonic() - began, cpu() - used
    stats = out.record["models"]["writer"]
    assert out.record["output"]["rows"] == stats["sent"] == rows
    return rows / stats["seconds"], rows / whole, used


def main() -> None:
    """Measure, a few times in turn, and print the best of each."""
    parse = argparse.ArgumentParser()
    parse.add_argument("--rows", type=int, default=5000)
    parse.add_argument("--flight", type=int, default=64)
    parse.add_argument("--delay", type=float, default=50.0, help="milliseconds")
    parse.add_argument("--times", type=int, default=3)
    parse.add_argument("--profile", action="store_true")
    parse.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    given = parse.parse_args()
    if given.serve:
        serve(given.delay / 1000)
        return
    command = [sys.executable, __file__, "--serve", "--delay", str(given.delay)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout
        port = int(server.stdout.readline())
        print(
            f"{os.cpu_count()} cores, {given.rows} rows, {given.flight} in flight, "
            f"{given.delay:g} ms"
        )
        print(f"ceiling {given.flight / given.delay * 1000:,.0f} rows/s")
        found = []
        for _ in range(given.times):
            folder = Path(tempfile.mkdtemp())
            try:
                plain, plain_cpu = asyncio.run(bare(port, given.rows, given.flight))
                rate, whole, used = ours(port, given.rows, given.flight, folder, given.profile)
            finally:
                shutil.rmtree(folder)
            found.append((rate / plain, plain, rate, whole, plain_cpu, used))
            print(
                f"bare {plain:,.0f} rows/s ({plain_cpu / given.rows * 1000:.2f} ms CPU a row)   "
                f"run {rate:,.0f} rows/s, {whole:,.0f} with start and output "
                f"({used / given.rows * 1000:.2f} ms CPU a row)   ratio {rate / plain:.2f}"
            )
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
