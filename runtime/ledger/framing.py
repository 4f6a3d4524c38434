"""Frames: how one record lies in a segment, and how a damaged segment is read past its damage.

A frame is a fixed head and a compressed body. Head and body have a checksum each, so a head that is
whole with a body that is not tells a torn write from a flipped bit.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import xxhash

from ..requests import Finish
from .entries import Entry, pack_body, unpack_body
from .keys import KEY_BYTES

MAGIC = b"\xffMb\xfe"
"""Starts each frame; 0xff and 0xfe occur in no UTF-8 text, so no reply can spell it."""

_HEAD = struct.Struct("<4sI16sQIIIBxxxQ")
_CHECK = struct.Struct("<I")
HEAD_BYTES = _HEAD.size + _CHECK.size
_MAX = 0xFFFFFFFF
_FINISHES: tuple[Finish, ...] = ("stop", "length")


@dataclass(frozen=True, slots=True)
class Packed:
    """An entry made ready to be written."""

    entry: Entry
    body: bytes


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a frame: all that lookups and accounts need.

    Attributes:
        size: Bytes of the whole frame.
        committed: When its group was committed, Unix nanoseconds, rising within a process.
        check: Checksum of the body.
    """

    key: bytes
    size: int
    committed: int
    prompt_tokens: int
    completion_tokens: int
    max_tokens: int
    finish: Finish
    check: int


@dataclass(frozen=True, slots=True)
class Gap:
    """Bytes `[start, end)` of a segment that hold no good frame.

    `torn` is what a killed writer leaves at the end of its file; `damaged` is anything else.
    """

    start: int
    end: int
    kind: Literal["torn", "damaged"]


def pack(entry: Entry) -> Packed:
    """Check and compress an entry.

    Raises:
        ValueError: For a key, count or finish that a frame cannot hold.
    """
    counts = (entry.prompt_tokens, entry.completion_tokens, entry.max_tokens)
    if len(entry.key) != KEY_BYTES:
        raise ValueError(f"a ledger key has {KEY_BYTES} bytes, not {len(entry.key)}")
    if not all(0 <= n <= _MAX for n in counts):
        raise ValueError(f"token counts must lie between 0 and {_MAX}: {counts}")
    if entry.finish not in _FINISHES:
        raise ValueError(f"a completion finishes by `stop` or `length`, not {entry.finish!r}")
    return Packed(entry, pack_body(entry))


def frame(packed: Packed, committed: int) -> tuple[Head, bytes]:
    """The frame of an entry: its head, and all its bytes."""
    e, body = packed.entry, packed.body
    head = Head(
        key=e.key,
        size=HEAD_BYTES + len(body),
        committed=committed,
        prompt_tokens=e.prompt_tokens,
        completion_tokens=e.completion_tokens,
        max_tokens=e.max_tokens,
        finish=e.finish,
        check=xxhash.xxh3_64_intdigest(body),
    )
    raw = _HEAD.pack(
        MAGIC,
        len(body),
        head.key,
        committed,
        head.prompt_tokens,
        head.completion_tokens,
        head.max_tokens,
        _FINISHES.index(head.finish),
        head.check,
    )
    return head, raw + _CHECK.pack(_short(raw)) + body


def read_head(data: bytes, start: int = 0) -> Head | None:
    """The head at `start`, or None if there is no good one."""
    if len(data) - start < HEAD_BYTES or not data.startswith(MAGIC, start):
        return None
    raw = data[start : start + _HEAD.size]
    if _CHECK.unpack_from(data, start + _HEAD.size)[0] != _short(raw):
        return None
    _, length, key, committed, prompt, completion, limit, finish, check = _HEAD.unpack(raw)
    return Head(
        key, HEAD_BYTES + length, committed, prompt, completion, limit, _FINISHES[finish], check
    )


def body_is_good(head: Head, data: bytes, start: int = 0) -> bool:
    """Whether the frame at `start` is there to its last byte, as it was written."""
    body = memoryview(data)[start + HEAD_BYTES : start + head.size]
    return len(body) == head.size - HEAD_BYTES and xxhash.xxh3_64_intdigest(body) == head.check


def read_entry(head: Head, data: bytes) -> Entry:
    """The entry of a good frame that starts `data`."""
    text, (seed, engine, model, made, seconds, extra) = unpack_body(data[HEAD_BYTES : head.size])
    return Entry(
        key=head.key,
        text=text,
        finish=head.finish,
        prompt_tokens=head.prompt_tokens,
        completion_tokens=head.completion_tokens,
        max_tokens=head.max_tokens,
        seed=seed,
        engine=engine,
        model=model,
        time=made,
        seconds=seconds,
        extra=extra,
    )


def scan(data: bytes, start: int = 0) -> Iterator[tuple[int, Head] | Gap]:
    """Walk over frames from `start`: their offsets and heads, and the gaps between good ones."""
    while start < len(data):
        head = read_head(data, start)
        if head and body_is_good(head, data, start):
            yield start, head
            start += head.size
            continue
        end = _next_good(data, start + 1)
        torn = end == len(data) and _looks_torn(head, data, start)
        yield Gap(start, end, "torn" if torn else "damaged")
        start = end


def _next_good(data: bytes, start: int) -> int:
    while (start := data.find(MAGIC, start)) >= 0:
        head = read_head(data, start)
        if head and body_is_good(head, data, start):
            return start
        start += 1
    return len(data)


def _looks_torn(head: Head | None, data: bytes, start: int) -> bool:
    rest = len(data) - start
    # After a power cut a file system may have grown the file and not written the bytes: zeros.
    return rest < (head.size if head else HEAD_BYTES) or data.count(0, start) == rest


def _short(head: bytes) -> int:
    return xxhash.xxh3_64_intdigest(head) & _MAX
