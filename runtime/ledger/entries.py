"""One record of the ledger: a completion with what is needed to reuse it and to account for it."""

from __future__ import annotations

import json
import struct
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import zstandard

from ..requests import Completion, Finish, Request
from .keys import key_of


@dataclass(frozen=True, slots=True)
class Entry:
    """A completion that was paid for.

    Attributes:
        key: 16 bytes, from `key_of`.
        text: The reply, as the engine gave it.
        finish: `stop`, or `length` if it hit `max_tokens`.
        prompt_tokens: As the engine counted.
        completion_tokens: As the engine counted.
        max_tokens: The limit under which it was made.
        seed: The seed that was sent.
        engine: The engine's name (`local`).
        model: The model as the recipe spells it; the digest is inside the key.
        time: When it was complete, Unix seconds.
        seconds: How long it took.
        extra: `Completion.extra`.
    """

    key: bytes
    text: str
    finish: Finish
    prompt_tokens: int
    completion_tokens: int
    max_tokens: int
    seed: int = 0
    engine: str = ""
    model: str = ""
    time: float = 0.0
    seconds: float = 0.0
    extra: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        request: Request,
        completion: Completion,
        *,
        engine: str = "",
        model: str = "",
        seconds: float = 0.0,
    ) -> Entry:
        """The record of a completion that has just arrived."""
        return cls(
            key=key_of(request),
            text=completion.text,
            finish=completion.finish,
            prompt_tokens=completion.prompt_tokens,
            completion_tokens=completion.completion_tokens,
            max_tokens=completion.max_tokens,
            seed=request.seed,
            engine=engine,
            model=model,
            time=time.time(),
            seconds=seconds,
            extra=dict(completion.extra),
        )

    @property
    def completion(self) -> Completion:
        """What the engine returned."""
        return Completion(
            text=self.text,
            finish=self.finish,
            prompt_tokens=self.prompt_tokens,
            completion_tokens=self.completion_tokens,
            max_tokens=self.max_tokens,
            extra=dict(self.extra),
        )


def usable(finish: Finish, completion_tokens: int, made_under: int, asked: int) -> bool:
    """Whether a record answers a request for at most `asked` tokens.

    A finished reply that fits is the reply under any limit; any other only under its own: one that
    was cut off, and one that is longer than was asked for, as where a server does not count the
    model's thoughts against the limit.
    """
    return made_under == asked or (finish == "stop" and completion_tokens <= asked)


FINISHES: tuple[Finish, ...] = ("stop", "length")
"""How a completion ends; files hold the place in this row."""


class _Zstd(threading.local):
    """(De)compressors are not safe to share between threads."""

    def __init__(self) -> None:
        self.pack = zstandard.ZstdCompressor(level=3).compress
        self.unpack = zstandard.ZstdDecompressor().decompress


_ZSTD = _Zstd()


def write_body(entry: Entry) -> bytes:
    """What of an entry does not stand in its frame's head."""
    # The json module, not orjson: it carries lone surrogates, which models do write, unharmed.
    facts = json.dumps(
        [entry.seed, entry.engine, entry.model, entry.time, entry.seconds, dict(entry.extra)],
        separators=(",", ":"),
    ).encode()
    text = entry.text.encode("utf-8", "surrogatepass")
    return struct.pack("<I", len(facts)) + facts + text


def pack_body(entry: Entry) -> bytes:
    """`write_body`, compressed."""
    return _ZSTD.pack(write_body(entry))


def expand(body: bytes) -> bytes:
    """What `pack_body` compressed."""
    return _ZSTD.unpack(body)


Facts = tuple[int, str, str, float, float, dict[str, str]]
"""Seed, engine, model, time, seconds and extra of an entry."""


def read_facts(raw: bytes) -> tuple[Facts, int]:
    """The facts of `write_body`, and where the text begins."""
    end = 4 + int(struct.unpack_from("<I", raw)[0])
    seed, engine, model, made, seconds, extra = json.loads(raw[4:end])
    return (seed, engine, model, made, seconds, extra), end


def read_body(raw: bytes) -> tuple[str, Facts]:
    """The text and the facts of `write_body`."""
    facts, end = read_facts(raw)
    return raw[end:].decode("utf-8", "surrogatepass"), facts
