"""A client that does nothing else: aiohttp and the same bodies. PORT FLIGHT FILE"""

import asyncio
import json
import sys
from pathlib import Path

import aiohttp

SYSTEM = "Rewrite the paragraph in plain words. Keep all facts."


async def main(port: str, flight: int, file: str) -> None:
    """Send every line of a file, so many at once."""
    with Path(file).open(encoding="utf-8") as lines:
        texts = [json.loads(line)["text"] for line in lines]
    bodies = iter(
        json.dumps(
            {
                "model": "some",
                "messages": [
                    {"role": "system", "content": SYSTEM},
                    {"role": "user", "content": text},
                ],
                "temperature": 0.7,
                "top_p": 1.0,
                "max_tokens": 512,
                "seed": 1,
            }
        ).encode()
        for text in texts
    )
    url = f"http://127.0.0.1:{port}/v1/chat/completions"
    headers = {"Content-Type": "application/json"}
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, headers=headers) as session:

        async def work() -> None:
            for body in bodies:
                async with session.post(url, data=body) as response:
                    json.loads(await response.read())

        await asyncio.gather(*(work() for _ in range(flight)))


asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
