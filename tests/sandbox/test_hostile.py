"""Programs that mean harm: each is a file in `hostile/`. None does any, each ends in its time, and
the program after it finds its sandbox as if nothing had been."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from mashbill.runtime.sandbox.box import Box
from mashbill.runtime.sandbox.inside.processes import family
from mashbill.runtime.sandbox.limits import Limits
from mashbill.runtime.sandbox.program import Outcome, Program

from .here import needs_bubblewrap

pytestmark = needs_bubblewrap

FOLDER = Path(__file__).parent / "hostile"
LIMITS = Limits(seconds=1.0, memory=200_000_000, processes=16, disk=20_000_000, files=200)
SECRET = "mashbill-secret-7d1f"
BAIT = "mashbill-bait-53ab"

ENDS: dict[str, tuple[str, ...]] = {
    "fork_bomb": ("timeout",),
    "thread_bomb": ("timeout",),
    "memory_bomb": ("memory",),
    "memory_of_many": ("memory",),
    "endless_output": ("output",),
    "endless_error": ("output",),
    "endless_loop": ("timeout",),
    "endless_sleep": ("timeout",),
    "deaf": ("timeout",),
    "stopped": ("timeout",),
    "recursion": ("error", "memory", "timeout"),
    "huge_numbers": ("timeout", "memory"),
    "close_all": ("timeout",),
    "crash": ("error",),
}
"""How programs end that do not end well; all others may."""


SECONDS = {"memory_of_many": 10.0, "memory_bomb": 10.0, "read_home": 10.0}
"""Longer than all others, so that a busy machine reaches the other limit first."""


@dataclass(frozen=True, slots=True)
class World:
    """What there is outside the sandbox to harm.

    Attributes:
        box: The sandbox, the same for all programs.
        home: A folder with a bait in it.
        listener: A socket on which nobody must knock.
        datagrams: Another.
        victim: A process that must live.
    """

    box: Box
    home: Path
    listener: socket.socket
    datagrams: socket.socket
    victim: subprocess.Popen[bytes]

    def run(self, source: str, limits: Limits) -> Outcome:
        """Run a script that knows where everything is."""
        bait = self.home / BAIT
        places = {
            "HOME": str(Path.home()),
            "PROJECT": str(Path(__file__).parents[2]),
            "FOLDER": str(self.home),
            "PATH": str(bait),
            "BAIT": BAIT,
            "SECRET": SECRET,
            "PORT": str(self.listener.getsockname()[1]),
            "PID": str(self.victim.pid),
        }
        code = re.sub(r"@([A-Z]+)@", lambda m: places[m[1]], source)
        return self.box.run(Program("script", code), limits)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    os.environ["MASHBILL_TEST_SECRET"] = SECRET
    home = tmp_path_factory.mktemp("home")
    home.chmod(0o777)
    (home / BAIT).write_text("untouched")
    (home / BAIT).chmod(0o666)
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setblocking(False)
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagrams.bind(listener.getsockname())
    datagrams.setblocking(False)
    victim = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    box = Box("bubblewrap")
    box.start()
    try:
        yield World(box, home, listener, datagrams, victim)
    finally:
        del os.environ["MASHBILL_TEST_SECRET"]
        box.close()
        victim.kill()
        victim.wait()
        listener.close()
        datagrams.close()


@pytest.mark.parametrize("name", sorted(p.stem for p in FOLDER.glob("*.py")))
def test_no_harm(world: World, name: str) -> None:
    limits = replace(LIMITS, seconds=SECONDS.get(name, LIMITS.seconds))
    outcome = world.run((FOLDER / f"{name}.py").read_text("utf-8"), limits)
    assert outcome.reason in ENDS.get(name, ("",)), (outcome.reason, outcome.evidence)
    assert outcome.seconds < limits.seconds + 1.5
    assert len(outcome.stdout) + len(outcome.stderr) <= LIMITS.output + (1 << 17)
    _unharmed(world)
    _told_nothing(name, outcome)
    _next_one_is_clean(world)


def _unharmed(world: World) -> None:
    """Files, network and processes outside are as they were, and nothing is left inside."""
    assert (world.home / BAIT).read_text() == "untouched"
    assert [p.name for p in world.home.iterdir()] == [BAIT]
    for socket_ in (world.listener, world.datagrams):
        with pytest.raises(BlockingIOError):
            socket_.recv(1) if socket_ is world.datagrams else socket_.accept()
    assert world.victim.poll() is None
    assert world.box.alive
    deadline = time.monotonic() + 2
    while len(left := _inside(world.box)) > 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(left) <= 2, "only the warm interpreter and its next supervisor stay"


def _inside(box: Box) -> list[int]:
    """The Python processes of a sandbox."""
    assert box._process is not None
    names = {pid: _name(pid) for pid in family(box._process.pid)}
    return [pid for pid, name in names.items() if name and name != "bwrap"]


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


QUIET = (
    *("kill_others", "namespaces", "network", "read_etc", "read_home", "shared_memory"),
    *("symlinks", "write_outside"),
)
"""Programs that print whatever they get hold of."""


def _told_nothing(name: str, outcome: Outcome) -> None:
    """What it printed is what it got hold of."""
    printed = outcome.stdout + outcome.stderr
    assert SECRET not in printed
    assert "untouched" not in printed
    if name in QUIET:
        assert printed == "", printed
    if name == "snoop":
        assert printed == "[]\n", printed
    if name == "daemon":
        assert printed == "gone\n"
    if name == "many_files":
        assert printed == f"28 {LIMITS.files}\n", "ENOSPC"
    if name == "full_disk":
        assert LIMITS.disk * 0.9 <= int(printed.split()[0]) <= LIMITS.disk


CLEAN = """
import builtins, math, os, threading
def state():
    return (sorted(os.listdir("/tmp")), sorted(os.listdir("/dev/shm")), "LEFT" in os.environ,
            hasattr(builtins, "LEFT"), math.pi > 3, threading.active_count(), os.getpid(),
            len(os.listdir("/proc")))
"""


def _next_one_is_clean(world: World) -> None:
    test = "assert state() == ([], [], False, False, True, 1, 1, 0)"
    outcome = world.box.run(Program("tests", CLEAN, (test,)), LIMITS)
    assert outcome.passed, outcome.evidence


def test_a_broken_sandbox_is_replaced(world: World) -> None:
    """The warm interpreter itself is killed from outside, in the middle of a program."""
    from mashbill.runtime.sandbox.pool import Sandboxes

    pool = Sandboxes()
    double = Program("tests", "def double(n): return 2 * n", ("assert double(2) == 4",))
    try:
        assert pool.run(double, LIMITS).passed
        (box,) = next(iter(pool._free.values()))
        for pid in _inside(box):
            with suppress(ProcessLookupError):  # one of them took others with it
                os.kill(pid, signal.SIGKILL)
        assert pool.run(double, LIMITS).passed
    finally:
        pool.close()
