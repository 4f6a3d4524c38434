"""The child process of the `local` engine: llama.cpp's own server on a port of this machine.

Standard input: one line of JSON (`model`, `slots`, `context` a slot, `threads`, `key`), then
nothing; its end is the sign to leave, so that the process never outlives the one that started it,
however that one ends. (`PR_SET_PDEATHSIG` follows the thread that forked, not the process.)
Standard output: one line of JSON, `{"port": …}` or `{"error": …}`. Standard error: llama.cpp's
log.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import threading
from typing import Any
from urllib.parse import urlsplit


def main() -> None:
    """Serve until standard input ends."""
    line = sys.stdin.buffer.readline()
    if not line:
        return
    watch = threading.Thread(target=_leave_with_parent, daemon=True)
    watch.start()
    try:
        server = serve(json.loads(line))
        answer: dict[str, Any] = {"port": urlsplit(server.listening_address).port}
    except Exception as reason:
        _say({"error": str(reason) or type(reason).__name__})
        # Without unwinding: llama.cpp's threads may be half made.
        os._exit(1)
    _say(answer)
    watch.join()


def serve(config: dict[str, Any]) -> Any:
    """Load the model and start llama.cpp's server; returns it once it answers."""
    # By name: the package has no types, and type checkers need not have it at all.
    xllamacpp = importlib.import_module("xllamacpp")
    params = xllamacpp.CommonParams()
    params.model.path = config["model"]
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [config["key"]]
    params.n_parallel = config["slots"]
    # One shared buffer is much slower: with 64 slots of a toy model, 297 against 9,430 tokens/s.
    params.kv_unified = False
    params.n_ctx = config["slots"] * config["context"]
    params.fit_params = False
    # Plain text back: no parsing of thoughts or tool calls, which turns odd replies into errors.
    params.force_pure_content_parser = True
    # Slots keep their last prompt (few-shot prompts share most of it); no second store beside them.
    params.cache_prompt = True
    params.cache_ram_mib = 0
    params.ui = False
    params.verbosity = 1
    if config["threads"]:
        params.cpuparams.n_threads = config["threads"]
        params.cpuparams_batch.n_threads = config["threads"]
    return xllamacpp.Server(params)


def _leave_with_parent() -> None:
    while sys.stdin.buffer.read(65536):
        pass
    # Straight out: there is nothing to save, and llama.cpp's threads need not be asked.
    os._exit(0)


def _say(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
