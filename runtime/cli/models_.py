"""`mashbill models`."""

from __future__ import annotations

import argparse
import sys


def add_arguments(sub: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    sub.add_argument("action", nargs="?", choices=["get"], help="fetch one")
    sub.add_argument("name", nargs="?", help="its name")


def act(given: argparse.Namespace) -> int:
    """List known models, or fetch one."""
    from ..models import KNOWN, find_model, get_model
    from ..requests import EngineError
    from .command import USAGE, fail

    if given.action is None:
        for name, model in KNOWN.items():
            try:
                here = str(find_model(name))
            except EngineError:
                here = f"mashbill models get {name}"
            print(f"{name:<16} {model.size / 1e6:>5.0f} MB  {model.licence:<12} {here}")
        return 0
    if not given.name or given.name not in KNOWN:
        known = ", ".join(KNOWN)
        return fail(f"name a model: {known}", USAGE)
    path = get_model(given.name, progress=lambda text: print(text, file=sys.stderr))
    print(path)
    return 0
