"""The system calls that Python has no name for: namespaces, mounts, capabilities, parent's death.

Numbers are those of the kernel's headers (`sched.h`, `mount.h`, `prctl.h`, `capability.h`).
"""

from __future__ import annotations

import ctypes
import os
import signal

NEW_USER = 0x10000000
NEW_MOUNTS = 0x00020000
NEW_PIDS = 0x20000000
NEW_IPC = 0x08000000

NO_SUID, NO_DEVICES, NO_EXEC, READ_ONLY = 2, 4, 8, 1
_PRIVATE_ALL = (1 << 18) | (1 << 14)

_SET_PDEATHSIG, _SET_SUBREAPER, _SET_NO_NEW_PRIVS, _SET_DUMPABLE = 1, 36, 38, 4
_CAPABILITY_VERSION_3 = 0x20080522

libc = ctypes.CDLL(None, use_errno=True)


def unshare(flags: int) -> None:
    """Leave the parent's namespaces. Raises `OSError`."""
    _check(libc.unshare(flags), "unshare")


def map_ids(inside: int, uid: int, gid: int) -> None:
    """Give this process, in a user namespace of its own, one user. Raises `OSError`."""
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{inside} {uid} 1"),
        ("gid_map", f"{inside} {gid} 1"),
    ):
        handle = os.open(f"/proc/self/{name}", os.O_WRONLY)
        try:
            os.write(handle, text.encode())
        finally:
            os.close(handle)


def make_private() -> None:
    """Keep mounts from spreading. Raises `OSError`."""
    _check(libc.mount(b"none", b"/", None, _PRIVATE_ALL, None), "mount /")


def mount_tmpfs(place: str, flags: int, options: str) -> None:
    """Lay a fresh tmpfs over a folder. Raises `OSError`."""
    made = libc.mount(b"tmpfs", place.encode(), b"tmpfs", flags, options.encode())
    _check(made, f"mount {place}")


def mount_proc() -> None:
    """Show the processes of this namespace, and no others, in `/proc`. Raises `OSError`."""
    made = libc.mount(b"proc", b"/proc", b"proc", NO_SUID | NO_DEVICES | NO_EXEC, None)
    _check(made, "mount /proc")


def die_with_parent() -> None:
    """Be killed when the parent dies, even from another process namespace."""
    libc.prctl(_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def adopt_orphans() -> None:
    """Become the parent of what one's children leave behind."""
    libc.prctl(_SET_SUBREAPER, 1, 0, 0, 0)


def renounce() -> None:
    """Give up all capabilities, and the means to get any. Raises `OSError`."""
    _check(libc.prctl(_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no new privileges")
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    _check(libc.capset(header, (ctypes.c_uint32 * 6)()), "capset")


def hide() -> None:
    """Let no other process of the same user look into this one or its children, or trace them."""
    libc.prctl(_SET_DUMPABLE, 0, 0, 0, 0)


def become(uid: int, gid: int) -> None:
    """From root to another user, for good; still allowed to read its own `/proc/self`."""
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    libc.prctl(_SET_DUMPABLE, 1, 0, 0, 0)


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
