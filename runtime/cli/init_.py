"""`mashbill init`."""

from __future__ import annotations

import argparse
import os
import re
from pathlib import Path

from ..starter import Starter, find_starters, write_starter
from .command import USAGE, fail

DEFAULT = "rewrite"


def add_arguments(sub: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    sub.add_argument(
        "template", nargs="?", default=DEFAULT, help=f"see --list; {DEFAULT} if absent"
    )
    sub.add_argument("target", nargs="?", default=".", metavar="DIR", help="where; here if absent")
    sub.add_argument("--list", action="store_true", help="what there is to start from")
    sub.add_argument("--force", action="store_true", help="replace files that are there")


def act(given: argparse.Namespace) -> int:
    """Write a small recipe that works, and what an editor and git need beside it."""
    from .schema_ import schema_text

    starters = find_starters()
    if given.list:
        for starter in starters.values():
            default = "  (the default)" if starter.name == DEFAULT else ""
            print(f"{starter.name:<9} {starter.about}{default}")
        return 0
    if given.template not in starters:
        return fail(_unknown(given.template, list(starters)), USAGE)
    starter, folder = starters[given.template], Path(given.target)
    for written in write_starter(starter, folder, schema_text(), force=given.force):
        print(f"  {written.done:<8} {written.path:<32} {written.about}".rstrip())
    print(f"\n{_next(starter, folder)}")
    return 0


def _unknown(name: str, known: list[str]) -> str:
    from ...compiler.suggest import nearest

    if os.sep in name or Path(name).is_dir():
        return f"name a template first: mashbill init {DEFAULT} {name}"
    meant = nearest(name, known)
    hint = f"did you mean {meant}?" if meant else f"there are: {', '.join(known)}"
    return f"there is no template {name}; {hint}"


def _next(starter: Starter, folder: Path) -> str:
    """What to type next; each of it exists."""
    where = "" if folder == Path() else f" {folder}"
    steps = [f"mashbill {verb}{where}" for verb in ("check", "plan", "run")]
    model = re.search(r"local/(\S+)", (starter.folder / "recipe.yaml").read_text("utf-8"))
    if model and not _here(model[1]):
        steps.insert(1, f"mashbill models get {model[1]}")
    note = "\n       (runs on the embedded model: no GPU, no key)" if model else ""
    return "Next:  " + "   →   ".join(steps) + note


def _here(model: str) -> bool:
    from ..models import find_model
    from ..requests import EngineError

    try:
        find_model(model)
    except EngineError:
        return False
    return True
