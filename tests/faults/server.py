"""A real OpenAI-compatible server on loopback that fails in every way one can think of.

    python -m tests.faults.server --port 0 --rate 0.05 --latency 50ms --kinds 500,reset=2

prints its port, then the port of its control calls, which is there even while the server is
"dead": `GET /__stats`, `POST /__set` with some of `Config` as JSON. Both ports know them. It
speaks just enough HTTP/1.1 to misuse it, and costs little on the cores that it shares.
`FaultServer` starts one in a process of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from hashlib import blake2b
from typing import Any

from .plan import HARMLESS, Config, duration, reply

_REASONS = {200: "OK", 400: "Bad Request", 404: "Not Found", 429: "Too Many Requests"}
_OVERLONG = {"error": {"code": "context_length_exceeded", "message": "maximum context is 8 tokens"}}


@dataclass(slots=True)
class Stats:
    """What the server saw."""

    requests: int = 0
    distinct: int = 0
    repeats: int = 0
    """Requests with a body that had come before."""
    answered: int = 0
    """Whole replies handed out."""
    repaid: int = 0
    """Those to a body that had had one already."""
    in_flight: int = 0
    peak: int = 0
    connections: int = 0
    deaths: int = 0
    hangs: int = 0
    full: int = 0
    """Faults because it was full."""
    faults: dict[str, int] = field(default_factory=dict)
    arrivals: list[float] = field(default_factory=list)
    """When requests came, in seconds since the start."""
    prompts: list[str] = field(default_factory=list)
    """How the last messages of the first few thousand began, in order."""


class Server:
    """One listener, its connections, and what it does to them."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.stats = Stats()
        self.port = 0
        self._began = time.monotonic()
        self._seen: dict[bytes, list[int]] = {}
        self._writers: set[asyncio.StreamWriter] = set()
        self._listener: asyncio.Server | None = None
        self._hung_until = 0.0
        self._tasks: set[asyncio.Task[None]] = set()

    async def listen(self, port: int) -> None:
        """Take connections at a port; 0 for any."""
        listener = await asyncio.start_server(
            self._serve, "127.0.0.1", port, backlog=1024, reuse_address=True
        )
        self._listener, self.port = listener, listener.sockets[0].getsockname()[1]

    async def control(self, port: int) -> int:
        """Take control calls at another port, which does not die; returns it."""
        listener = await asyncio.start_server(self._serve_control, "127.0.0.1", port)
        found: int = listener.sockets[0].getsockname()[1]
        self._keep = listener
        return found

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.stats.connections += 1
        self._writers.add(writer)
        try:
            while await self._one(reader, writer):
                pass
        except (OSError, EOFError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _serve_control(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            path, body = await _read(reader)
            await self._command(path, body, writer)
        except (OSError, EOFError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One request and its answer; whether the connection is kept."""
        path, body = await _read(reader)
        if path.startswith("/__"):
            await self._command(path, body, writer)
            return True
        if not path.endswith("completions"):
            await _answer(writer, {"data": [{"id": "some"}]} if "models" in path else {}, 200)
            return True
        stats, config = self.stats, self.config
        digest = blake2b(body, digest_size=16).digest()
        seen = self._seen.setdefault(digest, [0, 0])
        attempt, seen[0] = seen[0], seen[0] + 1
        stats.requests += 1
        stats.distinct += attempt == 0
        stats.repeats += attempt > 0
        stats.arrivals.append(time.monotonic() - self._began)
        stats.in_flight += 1
        stats.peak = max(stats.peak, stats.in_flight)
        try:
            self._event()
            if config.capacity and stats.in_flight > config.capacity:
                stats.full += 1
                return await self._fault(config.full, b"", reader, writer)
            parsed = json.loads(body)
            if len(stats.prompts) < 5000:
                turns = parsed.get("messages") or [{"content": parsed.get("prompt", "")}]
                stats.prompts.append(turns[-1]["content"][:80])
            delay = config.delay(digest, attempt, stats.in_flight)
            if delay:
                await asyncio.sleep(delay)
            while (left := self._hung_until - time.monotonic()) > 0:
                await asyncio.sleep(left)
            if "response_format" in parsed and not config.schema:
                refusal = {"error": {"message": "response_format is not supported here"}}
                await _answer(writer, refusal, 400)
                return True
            kind = config.fault(digest, attempt)
            if kind is None or kind in HARMLESS:
                stats.answered += 1
                stats.repaid += seen[1] > 0
                seen[1] += 1
            answer = reply(parsed, config.words)
            if kind is None:
                await _answer(writer, answer, 200)
                return True
            stats.faults[kind] = stats.faults.get(kind, 0) + 1
            return await self._fault(kind, json.dumps(answer).encode(), reader, writer)
        finally:
            stats.in_flight -= 1

    def _event(self) -> None:
        """Hang or die, when it is time."""
        config, count = self.config, self.stats.requests
        if config.hang_every and count % config.hang_every == 0:
            self.stats.hangs += 1
            self._hung_until = time.monotonic() + config.hang_for
        if config.die_every and count % config.die_every == 0 and self._listener is not None:
            task = asyncio.create_task(self._die(config.die_for))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _die(self, seconds: float) -> None:
        listener, self._listener = self._listener, None
        if listener is None:
            return
        self.stats.deaths += 1
        listener.close()
        for writer in tuple(self._writers):
            _reset(writer)
        await asyncio.sleep(seconds)
        await self.listen(self.port)

    async def _fault(
        self, kind: str, body: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        config = self.config
        match kind:
            case "timeout":
                with suppress(TimeoutError):  # Until then, or until the client has had enough.
                    await asyncio.wait_for(reader.read(1), config.silence)
                return False
            case "reset":
                _reset(writer)
                return False
            case "half":
                writer.write(_head(200, len(body)) + body[: len(body) // 2])
                await writer.drain()
                return False
            case "429-after":
                await _answer(
                    writer, {"error": "slow down"}, 429, f"Retry-After: {config.retry_after:g}\r\n"
                )
            case "429" | "500" | "503":
                await _answer(writer, {"error": {"message": "not now"}}, int(kind))
            case "not-json":
                await _send(writer, b"<html>gateway</html>")
            case "bad-shape":
                await _answer(writer, {"choices": [{"delta": {"content": "x"}}]}, 200)
            case "overlong":
                await _answer(writer, _OVERLONG, 400)
            case "drip":
                writer.write(_head(200, len(body)))
                size = max(len(body) // 20, 1)
                for at in range(0, len(body), size):
                    writer.write(body[at : at + size])
                    await writer.drain()
                    await asyncio.sleep(config.drip / 20)
            case "close":
                await _send(writer, body)
                return False
            case _:
                await _send(writer, _spoilt(kind, body))
        return True

    async def _command(self, path: str, body: bytes, writer: asyncio.StreamWriter) -> None:
        if path.startswith("/__set"):
            for name, value in json.loads(body or b"{}").items():
                setattr(self.config, name, value)
            self.config.weights()
            await _answer(writer, asdict(self.config), 200)
        elif path.startswith("/__stats"):
            await _answer(writer, asdict(self.stats), 200)
        else:
            await _answer(writer, {"error": "no such call"}, 404)


def _spoilt(kind: str, body: bytes) -> bytes:
    answer: dict[str, Any] = json.loads(body)
    choice = answer["choices"][0]
    match kind:
        case "empty":
            key, holder = (
                ("content", choice["message"]) if "message" in choice else ("text", choice)
            )
            holder[key] = ""
        case "truncated":
            choice["finish_reason"] = "length"
        case "filtered":
            choice["finish_reason"] = "content_filter"
        case "nan":
            choice["logprobs"] = {"content": [{"token": "a", "logprob": float("nan")}]}
            choice["score"] = float("-inf")
    return json.dumps(answer).encode()


async def _read(reader: asyncio.StreamReader) -> tuple[str, bytes]:
    """Path and body of the next request."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.split("\r\n")
    length = 0
    for line in lines:
        name, _, value = line.partition(":")
        if name.lower() == "content-length":
            length = int(value)
    return first.split(" ")[1], await reader.readexactly(length) if length else b""


def _head(status: int, length: int, more: str = "") -> bytes:
    reason = _REASONS.get(status, "Trouble")
    return (
        f"HTTP/1.1 {status} {reason}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {length}\r\n{more}\r\n"
    ).encode()


async def _send(writer: asyncio.StreamWriter, body: bytes, status: int = 200) -> None:
    writer.write(_head(status, len(body)) + body)
    await writer.drain()


async def _answer(writer: asyncio.StreamWriter, body: Any, status: int, more: str = "") -> None:
    raw = json.dumps(body).encode()
    writer.write(_head(status, len(raw), more) + raw)
    await writer.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close with a reset instead of an end, as a dying process does."""
    handle = writer.get_extra_info("socket")
    if handle is not None:
        handle.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--control", type=int, default=0)
    kinds: dict[str, Callable[[str], Any]] = {"float": duration, "int": int, "str": str}
    for item in fields(Config):
        name = f"--{item.name.replace('_', '-')}"
        if item.type == "bool":
            parser.add_argument(
                name, action=argparse.BooleanOptionalAction, default=bool(item.default)
            )
        else:
            parser.add_argument(name, type=kinds[str(item.type)], default=item.default)
    return parser


async def main(given: argparse.Namespace) -> None:
    """Serve until killed."""
    server = Server(Config(**{f.name: getattr(given, f.name) for f in fields(Config)}))
    server.config.weights()
    await server.listen(given.port)
    control = await server.control(given.control)
    print(server.port, control, sep="\n", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(_parser().parse_args()))
