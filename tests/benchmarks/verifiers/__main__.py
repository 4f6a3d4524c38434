"""What the verifiers are worth: accuracy, error rates and speed, each beside its peer.

    make bench NAME=verifiers
    make bench NAME=verifiers ARGS="maths"
    make bench NAME=verifiers ARGS="facts -- --folds 10"

Parts: `maths` (answers compared), `code` (programs run against tests), `facts` (rewrites held to
their source), `facts_models` (the same with models, where one is at hand), `votes` (calls saved by
stopping early). What stands behind `--` goes to each part named. A part prints its own tables.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
PARTS = ("maths", "code", "facts", "facts_models", "votes")
OWN_WORDS = ("facts_models",)
"""Parts that need packages of their own, and run only when named."""


def main(arguments: list[str]) -> int:
    """Run the parts that are named, or all."""
    cut = arguments.index("--") if "--" in arguments else len(arguments)
    named, rest = arguments[:cut], arguments[cut + 1 :]
    if unknown := [name for name in named if name not in PARTS]:
        print(f"no part is called {unknown[0]}; there are {', '.join(PARTS)}", file=sys.stderr)
        return 64
    sys.path[0] = str(HERE.parent)  # this folder holds names that the standard library has too
    for name in named or [p for p in PARTS if p not in OWN_WORDS]:
        print(f"\n== {name}\n", flush=True)
        importlib.import_module(f"verifiers.{name}").run(rest)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
