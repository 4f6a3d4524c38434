"""The child process of the `transformers` engine.

Standard input: one line of JSON that says what to load, then a line for each batch of questions;
its end is the sign to leave, so that the process never outlives the one that started it. Standard
output: a line for each, `{"ready": …}`, `{"answers": […]}` or `{"error": …, "kind": …}`. What
libraries print goes to standard error.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from ..requests import EngineError
from .classifier import load_classifier


def main() -> None:
    """Answer until standard input ends."""
    # Nothing but our own lines on the pipe, whoever prints.
    out = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    def say(answer: dict[str, Any]) -> None:
        out.write(json.dumps(answer) + "\n")
        out.flush()

    line = sys.stdin.buffer.readline()
    if not line:
        return
    try:
        model = load_classifier(json.loads(line))
    # Whatever the library raises of files that are not as it wants them.
    except Exception as reason:
        say({"error": _words(reason), "kind": _kind(reason, "load")})
        return
    say({"ready": str(model.device)})
    while line := sys.stdin.buffer.readline():
        try:
            say({"answers": model.answer(json.loads(line))})
        except Exception as reason:
            say({"error": _words(reason), "kind": _kind(reason, "failed")})


def _words(reason: Exception) -> str:
    return " ".join(str(reason).split())[:300] or type(reason).__name__


def _kind(reason: Exception, usual: str) -> str:
    if isinstance(reason, EngineError):
        return reason.kind
    return "memory" if "out of memory" in str(reason).lower() else usual


if __name__ == "__main__":
    main()
