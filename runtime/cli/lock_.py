"""`mashbill lock`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from .command import USAGE, coloured, fail

if TYPE_CHECKING:
    from ...compiler.lock import Key, Pin, Stale
    from ..locking import LockState


def add_arguments(sub: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    sub.add_argument("recipe", nargs="?", help="a folder with recipe.yaml, or a file")
    sub.add_argument("--check", action="store_true", help="only say what differs")
    sub.add_argument("--upgrade", metavar="NAME", help="pin one source, model or step anew")
    sub.add_argument("--allow-outside", action="store_true", help="let paths leave the project")
    sub.add_argument("--format", choices=["text", "json"], default="text")


def act(given: argparse.Namespace) -> int:
    """Write a lock, or say what of it differs."""
    from ...compiler.diagnostics import RecipeError
    from ..api import Recipe
    from ..locking import gather, lock_state
    from ..pins import find_pins
    from ..project import find_project

    if given.check and given.upgrade:
        return fail("--check writes nothing; give it or --upgrade", USAGE)
    project = find_project(given.recipe, allow_outside=given.allow_outside)
    recipe = Recipe(project)
    compiled = recipe.compile()
    if compiled.plan is None:
        raise RecipeError(compiled.report)
    pins, missing = find_pins(compiled.plan, project)
    state = lock_state(compiled, pins, project)
    if given.check:
        return _check(state, given.format)
    now, unknown = gather(compiled, pins, project)
    return _write(replace(state, unknown=unknown), now, missing, given)


def _check(state: LockState, form: str) -> int:
    for name in state.unknown:
        sys.stderr.write(f"not compared: {name}, which cannot be described on this machine\n")
    if form == "json":
        print(json.dumps(_json(state), indent=1, ensure_ascii=False))
        return 0 if state.ok else 1
    if not state.ok:
        return refuse(state, 1)
    print(state.words())
    return 0


def _json(state: LockState) -> dict[str, object]:
    return {
        "ok": state.ok,
        "problem": state.problem or ("" if state.pins is not None else "no lock"),
        "pins": len(state.pins or ()),
        "unknown": list(state.unknown),
        "stale": [
            {
                "name": s.pin.name,
                "kind": s.pin.kind,
                "old": s.old.value if s.old else None,
                "new": s.new.value if s.new else None,
                "note": s.pin.note,
            }
            for s in state.stale
        ],
    }


def refuse(state: LockState, code: int) -> int:
    """Say as an error what differs from the lock, or that there is none."""
    bold, end = ("\033[1;31m", "\033[0m") if coloured(sys.stderr) else ("", "")
    head, *lines = state.lines()
    sys.stderr.write("\n".join([f"{bold}error[L601]{end}: {head}", *lines]) + "\n")
    return code


def _write(
    state: LockState,
    now: Mapping[Key, Pin],
    missing: Mapping[str, str],
    given: argparse.Namespace,
) -> int:
    from ...compiler.lock import compare_pins, show_stale, suggestion, upgraded, write_lock
    from ..runs import write_whole

    before = state.pins or {}
    if given.upgrade:
        if state.problem:
            return fail(f"{state.path.name}: {state.problem}; write it anew with: mashbill lock")
        made = upgraded(before, now, given.upgrade)
        if made is None:
            close = suggestion(before, now, given.upgrade)
            hint = f"; did you mean {close}?" if close else ""
            return fail(f"nothing that is pinned is called {given.upgrade}{hint}", USAGE)
    else:
        # What cannot be described here keeps the pin that it has.
        kept = {k: p for k, p in before.items() if k[0] in state.unknown and not p.offline}
        made = {**kept, **now}
    changed = compare_pins(before, made)
    write_whole(state.path, write_lock(made.values()))
    unpinned = [name for name in state.unknown if not any(name == k[0] for k in made)]
    for name in unpinned:
        sys.stderr.write(f"not pinned: {missing.get(name, f'{name} has no files')}\n")
    if given.format == "json":
        print(json.dumps({"pins": len(made), "changed": len(changed), "unpinned": unpinned}))
    else:
        print("\n".join([*show_stale(changed, writing=True), _summary(state, made, changed)]))
    return 1 if unpinned else 0


def _summary(state: LockState, made: Mapping[Key, Pin], changed: Sequence[Stale]) -> str:
    count = f"{len(made)} pin{'s' * (len(made) != 1)}"
    if state.pins is None:
        return f"{state.path.name}: {count}. Keep it in git."
    return f"{state.path.name}: {count}, {len(changed) or 'none'} changed."
