"""vLLM's log, kept in a file: the terminal is Mashbill's, and a crash is explained nowhere else."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_LINES = 3
_WIDTH = 300


@dataclass(slots=True)
class Log:
    """The file, and how far it has been read."""

    file: Path
    seen: int = 0
    kept: bool = False

    def skip(self) -> None:
        """What has been written so far belongs to an engine that is gone."""
        self.seen = self._size()

    def errors(self) -> list[str]:
        """What engines said of errors since `skip`: the lines that name an exception, or an error.

        Kept from now on: the file is not removed at exit, so that it can be read whole.
        """
        self.kept = True
        try:
            with self.file.open("rb") as stream:
                stream.seek(self.seen)
                text = stream.read().decode("utf-8", "replace")
        except OSError:
            return []
        lines = [line.strip() for line in text.splitlines()]
        named = [line for line in lines if _names_exception(line)]
        return named or [line for line in lines if line.startswith("CRITICAL")]

    def last_words(self) -> str:
        """The last errors, in a line, and where to read more."""
        said = dict.fromkeys(line[:_WIDTH] for line in self.errors()[-_LINES:])
        return "; ".join([*said, f"its log is {self.file}"]) if said else ""

    def _size(self) -> int:
        try:
            return self.file.stat().st_size
        except OSError:
            return 0


@cache
def open_log() -> Log:
    """Send the log of vLLM, in this process and in its children, to a file.

    To be called before vLLM is imported: it reads its settings then. Where the user has settings of
    his own, they stand, and nothing is known of crashes.
    """
    folder = Path(tempfile.mkdtemp(prefix="mashbill-vllm-"))
    log = Log(folder / "vllm.log")
    settings = folder / "logging.json"
    settings.write_text(json.dumps(_config(log.file)), encoding="utf-8")
    if "vllm" not in sys.modules:
        os.environ.setdefault("VLLM_LOGGING_CONFIG_PATH", str(settings))
    owner = os.getpid()

    def leave() -> None:
        if os.getpid() == owner and not log.kept:
            shutil.rmtree(folder, ignore_errors=True)

    atexit.register(leave)
    return log


def _config(file: Path) -> dict[str, object]:
    """For `logging.config.dictConfig`."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"plain": {"format": "%(levelname)s %(asctime)s %(process)d %(message)s"}},
        "handlers": {
            "file": {
                "class": "logging.FileHandler",
                "filename": str(file),
                "formatter": "plain",
                "delay": True,
            }
        },
        "loggers": {"vllm": {"handlers": ["file"], "level": "INFO", "propagate": False}},
    }


def _names_exception(line: str) -> bool:
    """Whether a line ends a traceback: `ValueError: …`, `torch.OutOfMemoryError: …`."""
    name = line.partition(":")[0]
    kind = name.rpartition(".")[2]
    # That an engine is dead is what is to be explained.
    return (
        kind.endswith(("Error", "Exception"))
        and name.replace(".", "").isidentifier()
        and kind != "EngineDeadError"
    )
