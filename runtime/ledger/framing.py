"""Frames: how one record lies in a segment, and how a damaged segment is read past its damage.

A frame is a fixed head and a compressed body. Head and body have a checksum each, so a head that is
whole with a body that is not tells a torn write from a flipped bit.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

import xxhash

from ..requests import Finish
from .entries import FINISHES, Entry, expand, pack_body, read_body
from .keys import KEY_BYTES

MAGIC = b"\xffMb\xfe"
"""Starts each frame; 0xff and 0xfe occur in no UTF-8 text, so no reply can spell it."""

_HEAD = struct.Struct("<4sI16sQIIIBxxxQ")
_CHECK = struct.Struct("<I")
HEAD_BYTES = _HEAD.size + _CHECK.size
_MAX = 0xFFFFFFFF


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
    if entry.finish not in FINISHES:
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
    return head, _write_head(head) + body


def reframe(head: Head, body: bytes) -> tuple[Head, bytes]:
    """The frame of the same record with its body written another way."""
    check = xxhash.xxh3_64_intdigest(body)
    head = replace(head, size=HEAD_BYTES + len(body), check=check)
    return head, _write_head(head) + body


def _write_head(head: Head) -> bytes:
    raw = _HEAD.pack(
        MAGIC,
        head.size - HEAD_BYTES,
        head.key,
        head.committed,
        head.prompt_tokens,
        head.completion_tokens,
        head.max_tokens,
        FINISHES.index(head.finish),
        head.check,
    )
    return raw + _CHECK.pack(_short(raw))


def read_head(data: bytes, start: int = 0) -> Head | None:
    """The head at `start`, or None if there is no good one."""
    if len(data) - start < HEAD_BYTES or not data.startswith(MAGIC, start):
        return None
    raw = data[start : start + _HEAD.size]
    if _CHECK.unpack_from(data, start + _HEAD.size)[0] != _short(raw):
        return None
    _, length, key, committed, prompt, completion, limit, finish, check = _HEAD.unpack(raw)
    return Head(
        key, HEAD_BYTES + length, committed, prompt, completion, limit, FINISHES[finish], check
    )


def body_is_good(head: Head, data: bytes, start: int = 0) -> bool:
    """Whether the frame at `start` is there to its last byte, as it was written."""
    body = memoryview(data)[start + HEAD_BYTES : start + head.size]
    return len(body) == head.size - HEAD_BYTES and xxhash.xxh3_64_intdigest(body) == head.check


def read_raw(head: Head, data: bytes, expand: Callable[[bytes], bytes] = expand) -> bytes:
    """The body of a good frame that starts `data`, expanded; see `entries.write_body`."""
    return expand(data[HEAD_BYTES : head.size])


def read_entry(head: Head, raw: bytes) -> Entry:
    """The entry of a head and an expanded body."""
    text, (seed, engine, model, made, seconds, extra) = read_body(raw)
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
