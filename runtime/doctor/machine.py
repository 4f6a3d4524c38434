"""The machine, whatever the recipe: packages, hardware, disk, limits, isolation."""

from __future__ import annotations

import fcntl
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from ...compiler.quantities import show_bytes
from .finding import Finding

LEAST = (3, 11)
EXTRAS = {
    "local": "xllamacpp",
    "vllm": "vllm",
    "transformers": "transformers",
    "hub": "huggingface_hub",
}
"""Extras by what they install."""
LITTLE_DISK = 5_000_000_000
LITTLE_MEMORY = 4_000_000_000
FEW_FILES = 1024
"""Open files that 512 requests in flight, workers and segments can need."""


def examine_machine(state: Path) -> Iterator[Finding]:
    """Look at the machine.

    Args:
        state: The folder of ledger and runs, which may not be there yet.
    """
    yield _python()
    yield _package("polars")
    yield from _extras()
    yield _gpu()
    yield _cores()
    yield _memory()
    yield _files()
    yield _disk(state)
    yield _writable(state)
    yield _sandbox()


def _python() -> Finding:
    said = f"{platform.python_version()} at {sys.executable}"
    if sys.version_info[:2] < LEAST:
        return Finding("fail", "python", said, f"install Python {LEAST[0]}.{LEAST[1]} or later")
    return Finding("ok", "python", said)


def _package(name: str) -> Finding:
    try:
        return Finding("ok", name, metadata.version(name))
    except metadata.PackageNotFoundError:
        return Finding("fail", name, "not installed", "pip install --force-reinstall mashbill")


def _extras() -> Iterator[Finding]:
    """Extras are a matter of taste: one that is missing is no fault until a recipe wants it."""
    for extra, package in EXTRAS.items():
        try:
            yield Finding("ok", f"extra {extra}", f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            install = f'pip install "mashbill[{extra}]"'
            yield Finding("ok", f"extra {extra}", f"not installed; to have it: {install}")


def _gpu() -> Finding:
    wanted = "name,memory.total,driver_version"
    found = _said("nvidia-smi", f"--query-gpu={wanted}", "--format=csv,noheader")
    if found is None:
        return Finding("ok", "gpu", "none: nvidia-smi is not here (local models run on the CPU)")
    if not found:
        return Finding("warn", "gpu", "nvidia-smi shows none", "look at the driver: nvidia-smi")
    return Finding("ok", "gpu", "; ".join(line.strip() for line in found.splitlines()))


def _said(*command: str) -> str | None:
    """What a program prints; nothing if it fails, None if it is not here."""
    if shutil.which(command[0]) is None:
        return None
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=15, check=False)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _cores() -> Finding:
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return Finding("ok", "cores", str(count or "unknown"))


def _memory() -> Finding:
    try:
        size = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return Finding("ok", "memory", "unknown")
    if size < LITTLE_MEMORY:
        return Finding("warn", "memory", show_bytes(size), "large sources may not fit; add memory")
    return Finding("ok", "memory", show_bytes(size))


def _files() -> Finding:
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if 0 <= soft < FEW_FILES:
        room = f"ulimit -n {hard if hard > 0 else 65_536}"
        said = f"{soft:,}: fewer than requests in flight may need"
        return Finding("warn", "open files", said, room)
    return Finding("ok", "open files", "unlimited" if soft < 0 else f"{soft:,}")


def _disk(state: Path) -> Finding:
    try:
        free = shutil.disk_usage(_there(state)).free
    except OSError as error:
        return Finding("fail", "disk", str(error.strerror or error))
    said = f"{show_bytes(free)} free where {_there(state)} lies"
    if free < LITTLE_DISK:
        return Finding("warn", "disk", said, "free some space: a full disk ends a run")
    return Finding("ok", "disk", said)


def _there(path: Path) -> Path:
    """The nearest folder above that is there."""
    path = path.absolute()
    return next((p for p in (path, *path.parents) if p.is_dir()), path)


def _writable(state: Path) -> Finding:
    """Whether the state can be written, and locks hold there: on some network disks they do not."""
    try:
        with tempfile.TemporaryFile(dir=_there(state)) as file:
            file.write(b"x")
            file.flush()
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                said = f"locks do not work there: {error.strerror or error}"
                return Finding("fail", "state", said, "keep the project on a disk with file locks")
    except OSError as error:
        said = f"{_there(state)} cannot be written: {error.strerror or error}"
        return Finding("fail", "state", said, f"chmod u+w {_there(state)}")
    return Finding("ok", "state", f"{state} can be written, locks work")


def _sandbox() -> Finding:
    """How well programs that models write would be shut in, tried here and now."""
    from ..sandbox.isolation import isolation

    found = isolation()
    if found.level == "bubblewrap":
        return Finding("ok", "sandbox", "bubblewrap: no network, a read-only system, limits")
    has = "process limits alone" if found.level else "none"
    return Finding("warn", "sandbox", f"{has}: {found.why} (V403)", found.fix)
