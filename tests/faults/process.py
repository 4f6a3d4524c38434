"""A fault server in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


class FaultServer:
    """Runs while the context lasts: `with FaultServer(rate=0.05, latency=0.05) as server`.

    Args:
        config: Fields of `plan.Config`.
    """

    def __init__(self, **config: Any) -> None:
        self.config = config
        self.port = self._control = 0
        self._process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        """Its address, as a recipe's `url`."""
        return f"http://127.0.0.1:{self.port}/v1"

    def start(self) -> None:
        """Start it: the first time at any port, then at the same one, with nothing seen yet."""
        command = [sys.executable, "-m", "tests.faults.server"]
        command += ["--port", str(self.port), "--control", str(self._control)]
        for name, value in self.config.items():
            flag = name.replace("_", "-")
            if isinstance(value, bool):
                command.append(f"--{flag}" if value else f"--no-{flag}")
            else:
                command += [f"--{flag}", str(value)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        assert process.stdout is not None
        self._process = process
        self.port, self._control = (int(process.stdout.readline()) for _ in range(2))

    def kill(self) -> None:
        """End it as an out-of-memory killer does."""
        if self._process is not None:
            process, self._process = self._process, None
            process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()

    def stats(self) -> dict[str, Any]:
        """What it saw: the fields of `server.Stats`."""
        return self._call("/__stats", None)

    def set(self, **config: Any) -> None:
        """Change how it behaves."""
        self._call("/__set", json.dumps(config).encode())

    def _call(self, path: str, body: bytes | None) -> dict[str, Any]:
        address = f"http://127.0.0.1:{self._control}{path}"
        with urllib.request.urlopen(urllib.request.Request(address, body), timeout=10) as answer:
            found: dict[str, Any] = json.load(answer)
        return found

    def __enter__(self) -> FaultServer:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()
