"""A filter of system calls that no test of a program needs and that attacks are made of.

What it denies fails with EPERM (`clone3` with ENOSYS, so that libc falls back to `clone`, whose
flags a filter can read): new namespaces, mounts, other processes' memory, keys, io_uring, BPF, and
memory that no limit counts (memfd, System V segments). See seccomp(2); numbers are the kernel's.
"""

from __future__ import annotations

import ctypes
import os
import struct
from dataclasses import dataclass

from .kernel import libc


@dataclass(frozen=True, slots=True)
class _Numbers:
    """What system calls are called on a processor."""

    arch: int
    clone: int
    socket: int
    denied: tuple[int, ...]
    clone3: int = 435


_SHARED = (*range(425, 434), 438, 442, 447)
"""io_uring, the new mount calls, pidfd_getfd, memfd_secret: the same on all processors."""

_NUMBERS = {
    "x86_64": _Numbers(
        arch=0xC000003E,
        clone=56,
        socket=41,
        denied=(
            *(29, 64, 68, 101, 103, 134, 135, 136, 139, 153, 154, 155, 156, 161, 163, 165, 166),
            *(167, 168, 169, 170, 171, 172, 173, 175, 176, 179, 180, 212, 237, 240, 246, 248),
            *(249, 250, 256, 272, 279, 298, 300, 303, 304, 308, 310, 311, 312, 313, 319, 320),
            *(321, 323),
        ),
    ),
    "aarch64": _Numbers(
        arch=0xC00000B7,
        clone=220,
        socket=198,
        denied=(
            *(39, 40, 41, 42, 51, 58, 60, 92, 97, 104, 105, 106, 112, 116, 117, 142, 161, 162),
            *(170, 180, 186, 190, 194, 217, 218, 219, 224, 225, 235, 238, 239, 241, 262, 264),
            *(265, 266, 268, 270, 271, 272, 273, 279, 280, 282, 294),
        ),
    ),
}

_NAMESPACES = 0x7E020000
"""Every CLONE_NEW… flag that `clone` takes."""
_FAMILIES = (1, 2, 10)
"""Sockets: local, IPv4 and IPv6, of which a sandbox has only its own loopback."""

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL, _EPERM, _ENOSYS = 0x7FFF0000, 0x80000000, 0x00050001, 0x00050026
_CALL, _ARCH, _FIRST_ARGUMENT = 0, 4, 16
_X32 = 0x40000000
"""From here on, system calls of another interface of the same processor."""


def program() -> bytes:
    """The filter for this machine's processor; empty where its numbers are not known here."""
    numbers = _NUMBERS.get(os.uname().machine)
    if numbers is None:
        return b""
    made = [_do(_LOAD, _ARCH), _jump(_EQUAL, numbers.arch, 1, 0), _do(_RETURN, _KILL)]
    made += [_do(_LOAD, _CALL), _jump(_AT_LEAST, _X32, 0, 1), _do(_RETURN, _KILL)]
    for number in (*numbers.denied, *_SHARED):
        made += [_jump(_EQUAL, number, 0, 1), _do(_RETURN, _EPERM)]
    made += [_jump(_EQUAL, numbers.clone3, 0, 1), _do(_RETURN, _ENOSYS)]
    made += [_jump(_EQUAL, numbers.clone, 0, 4), _do(_LOAD, _FIRST_ARGUMENT)]
    made += [_jump(_ANY_BIT, _NAMESPACES, 0, 1), _do(_RETURN, _EPERM), _do(_RETURN, _ALLOW)]
    made += [_jump(_EQUAL, numbers.socket, 0, len(_FAMILIES) + 2), _do(_LOAD, _FIRST_ARGUMENT)]
    made += [_jump(_EQUAL, f, len(_FAMILIES) - i, 0) for i, f in enumerate(_FAMILIES)]
    made += [_do(_RETURN, _EPERM), _do(_RETURN, _ALLOW)]
    return b"".join(made)


def install(code: bytes) -> None:
    """Put the filter on this process and all that it starts; `no_new_privs` must be set."""
    if not code:
        return
    buffer = ctypes.create_string_buffer(code, len(code))
    header = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(buffer))
    set_seccomp, mode_filter = 22, 2
    if libc.prctl(set_seccomp, mode_filter, header, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"seccomp: {os.strerror(number)}")


def _do(code: int, value: int) -> bytes:
    return struct.pack("HBBI", code, 0, 0, value)


def _jump(code: int, value: int, yes: int, no: int) -> bytes:
    return struct.pack("HBBI", code, yes, no, value)
