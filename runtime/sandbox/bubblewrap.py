"""The command line of bubblewrap: what a sandbox sees of this machine, all of it read-only."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

HOME = "/inside"
"""Where the modules that run inside are bound."""
PACKAGES = "/packages"
"""Where a folder of packages is bound, if one is wanted."""

EXTRA = "MASHBILL_SANDBOX_PATHS"
"""Environment variable: more folders that sandboxes may read, for compilers outside `/usr`."""

_SYSTEM = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_ETC = ("ld.so.cache", "alternatives", "localtime")
_DEVICES = ("null", "zero", "full", "random", "urandom")
NOBODY = 65534


def interpreter() -> Path:
    """The interpreter behind this one's virtual environment, without links."""
    return Path(getattr(sys, "_base_executable", sys.executable)).resolve()


def folders() -> list[Path]:
    """Folders beside `/usr` that a sandbox reads: the interpreter's, and those of `EXTRA`."""
    found = [Path(sys.base_prefix).resolve(), interpreter().parent.parent]
    found += [Path(p).resolve() for p in os.environ.get(EXTRA, "").split(":") if p]
    return [p for p in dict.fromkeys(found) if p.is_dir() and not p.is_relative_to("/usr")]


def search_path() -> str:
    """PATH in a sandbox."""
    places = [str(p / "bin") for p in folders() if (p / "bin").is_dir()]
    return ":".join([*places, "/usr/local/bin", "/usr/bin", "/bin"])


def command_line(
    bwrap: str, inside: Path, run: Sequence[str], packages: Path | None, own_user: bool
) -> list[str]:
    """The arguments of bubblewrap.

    Args:
        bwrap: Its path.
        inside: The folder of modules that run inside.
        run: What to start.
        packages: A folder of Python packages to show, at `PACKAGES`.
        own_user: Whether to make a user namespace, as everybody but root must.
    """
    made = [bwrap, "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts"]
    made += ["--unshare-cgroup-try", "--die-with-parent", "--new-session", "--hostname", "sandbox"]
    if own_user:
        made += ["--unshare-user", "--uid", str(NOBODY), "--gid", str(NOBODY)]
    made += ["--clearenv"]
    for name, value in environment().items():
        made += ["--setenv", name, value]
    made += _binds()
    made += ["--dir", HOME, "--ro-bind", str(inside), f"{HOME}/{inside.name}"]
    if packages:
        made += ["--ro-bind", str(packages), PACKAGES]
    # For root it covers parts of `/proc`, under which no program could have one of its own; so the
    # interpreter, while it is root, mounts it.
    made += ["--proc", "/proc"] if own_user else ["--cap-add", "CAP_SYS_ADMIN", "--dir", "/proc"]
    made += ["--dir", "/tmp", "--tmpfs", "/dev"]
    for device in _DEVICES:
        made += ["--dev-bind", f"/dev/{device}", f"/dev/{device}"]
    made += ["--symlink", "/tmp", "/dev/shm", "--remount-ro", "/dev", "--remount-ro", "/"]
    return [*made, "--chdir", "/", "--", *run]


def environment() -> dict[str, str]:
    """All of a sandbox's environment; hashes do not change from one to the next."""
    return {
        "PATH": search_path(),
        "HOME": "/tmp",
        "TMPDIR": "/tmp",
        "LANG": "C.UTF-8",
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def find() -> str | None:
    """Where bubblewrap is, if it is installed."""
    return shutil.which("bwrap")


def _binds() -> list[str]:
    made = ["--ro-bind", "/usr", "/usr", "--dir", "/etc"]
    for place in map(Path, _SYSTEM):
        if place.is_symlink():
            made += ["--symlink", str(place.readlink()), str(place)]
        elif place.is_dir():
            made += ["--ro-bind", str(place), str(place)]
    for place in _settings():
        made += ["--ro-bind", str(place), str(place)]
    for folder in folders():
        for parent in reversed(folder.parents[:-1]):  # else it makes them for root alone
            made += ["--dir", str(parent)]
        made += ["--ro-bind", str(folder), str(folder)]
    return made


def _settings() -> Iterator[Path]:
    """The little of `/etc` that programs cannot start without: where libraries and tools are."""
    etc = Path("/etc")
    yield from (etc / name for name in _ETC if (etc / name).exists())
    yield from etc.glob("java-*-openjdk")
