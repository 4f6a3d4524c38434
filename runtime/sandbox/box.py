"""One sandbox with its warm interpreter, which runs one program after the other."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

from . import bubblewrap
from .inside.frames import LENGTH
from .limits import Limits
from .program import Outcome, Program

Level = Literal["bubblewrap", "limits"]

START_SECONDS = 30.0
GRACE_SECONDS = 5.0
"""How long past its own limit a program may keep its sandbox from answering."""

_INSIDE = Path(__file__).parent / "inside"
_START = (
    "import json, sys; sys.path.insert(0, sys.argv[1]); "
    "from inside.zygote import serve; serve(json.loads(sys.argv[2]))"
)


class BoxLostError(Exception):
    """A sandbox did not start, died, or does not answer; the message says how."""


class Box:
    """A sandbox. Start it, run programs, close it; not for several threads at a time.

    Args:
        level: How it is shut in.
        packages: The folder of packages that pytest is in, if programs need it.
    """

    def __init__(self, level: Level, packages: Path | None = None) -> None:
        self.level: Level = level
        self._packages = packages
        self._process: subprocess.Popen[bytes] | None = None
        self._scratch: tempfile.TemporaryDirectory[str] | None = None
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115

    def start(self) -> None:
        """Start the interpreter inside and wait until it is warm. Raises `BoxLostError`."""
        try:
            self._process = subprocess.Popen(
                self._command(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                env=bubblewrap.environment(),
                cwd="/",
                start_new_session=True,
            )
        except OSError as error:
            raise BoxLostError(str(error)) from error
        self._answer(time.monotonic() + START_SECONDS)

    def run(self, program: Program, limits: Limits) -> Outcome:
        """Run a program. Raises `BoxLostError`; the box is closed then."""
        wanted = asdict(limits)
        wanted["cpu"] = limits.seconds if limits.cpu is None else limits.cpu
        wanted["command"] = program.kind == "command"
        try:
            self._send(wanted)
            self._send(_job(program))
            answer = self._answer(time.monotonic() + limits.seconds + GRACE_SECONDS)
        except (OSError, ValueError) as error:
            said = self._said() or str(error)
            self.close()
            raise BoxLostError(said) from error
        if "lost" in answer or answer.get("reason") == "lost":
            said = answer.get("lost") or answer["evidence"].get("error", "")
            self.close()
            raise BoxLostError(said)
        return _outcome(answer, program)

    def close(self) -> None:
        """End all that is in it."""
        process, self._process = self._process, None
        if process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe:
                    with suppress(OSError):
                        pipe.close()
        if self._scratch is not None:
            self._scratch.cleanup()
            self._scratch = None

    @property
    def has_packages(self) -> bool:
        """Whether its programs may import more than the standard library."""
        return self._packages is not None

    @property
    def alive(self) -> bool:
        """Whether it can run a program."""
        return self._process is not None and self._process.poll() is None

    def _command(self) -> list[str]:
        root = os.geteuid() == 0
        settings: dict[str, Any] = {
            "namespaces": self.level == "bubblewrap",
            "become": (bubblewrap.NOBODY, bubblewrap.NOBODY) if root else None,
            "packages": bubblewrap.PACKAGES if self._packages else None,
            "home": bubblewrap.HOME,
        }
        options = ["-S", "-s", "-P", "-B", "-c", _START]
        if self.level == "bubblewrap":
            bwrap = bubblewrap.find()
            if bwrap is None:
                raise BoxLostError("bubblewrap is not installed")
            run = [str(bubblewrap.interpreter()), *options, bubblewrap.HOME, json.dumps(settings)]
            return bubblewrap.command_line(bwrap, _INSIDE, run, self._packages, not root)
        python = _readable_by_all() if root else bubblewrap.interpreter()
        self._scratch = tempfile.TemporaryDirectory(prefix="mashbill-sandbox-")
        home = Path(self._scratch.name)
        shutil.copytree(_INSIDE, home / _INSIDE.name)
        settings["scratch"] = str(home / "programs")
        (home / "programs").mkdir()
        if root:
            home.chmod(0o755)
            os.chown(home / "programs", bubblewrap.NOBODY, bubblewrap.NOBODY)
        settings["packages"] = str(self._packages) if self._packages else None
        settings["home"] = str(home)
        return [str(python), *options, str(home), json.dumps(settings)]

    def _send(self, message: Any) -> None:
        assert self._process is not None and self._process.stdin is not None
        data = json.dumps(message).encode()
        self._process.stdin.write(LENGTH.pack(len(data)) + data)
        self._process.stdin.flush()

    def _answer(self, deadline: float) -> dict[str, Any]:
        """The next message. Raises `BoxLostError`."""
        (size,) = LENGTH.unpack(self._read(LENGTH.size, deadline))
        answer: dict[str, Any] = json.loads(self._read(size, deadline))
        return answer

    def _read(self, size: int, deadline: float) -> bytes:
        assert self._process is not None and self._process.stdout is not None
        fd, data = self._process.stdout.fileno(), bytearray()
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        while len(data) < size:
            ready = poll.poll(max(0.0, deadline - time.monotonic()) * 1000)
            part = os.read(fd, size - len(data)) if ready else b""
            if not part:
                why = self._said() if ready else "it does not answer"
                self.close()
                raise BoxLostError(why or "it ended")
            data += part
        return bytes(data)

    def _said(self) -> str:
        """The last line that it wrote to its standard error."""
        self._errors.seek(0, os.SEEK_END)
        self._errors.seek(max(0, self._errors.tell() - 2000))
        lines = self._errors.read().decode("utf-8", "replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "")


def _readable_by_all() -> Path:
    """An interpreter for somebody else than root. Raises `BoxLostError`."""
    for python in (bubblewrap.interpreter(), Path("/usr/bin/python3").resolve()):
        parents = [p for p in (python, *python.parents) if p.exists()]
        if python.exists() and all(p.stat().st_mode & 0o001 for p in parents):
            return python
    raise BoxLostError(
        "run as root, it needs a Python that other users can start: /usr/bin/python3"
    )


def _job(program: Program) -> dict[str, Any]:
    return asdict(program)


def _outcome(answer: dict[str, Any], program: Program) -> Outcome:
    lines = answer["coverage"]
    return Outcome(
        passed=answer["passed"],
        reason=answer["reason"],
        evidence=answer["evidence"],
        stdout=answer["stdout"],
        stderr=answer["stderr"],
        status=answer["status"],
        seconds=answer["seconds"],
        asserts=answer["asserts"],
        coverage=(tuple(lines[0]), tuple(lines[1])) if lines else None,
    )
