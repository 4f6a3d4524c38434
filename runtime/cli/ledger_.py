"""`mashbill ledger`: what was paid for, whether it is sound, and how it travels."""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from ..project import STATE, RecipeNotFoundError, find_project
from .command import fail, split_recipe

if TYPE_CHECKING:
    from ..ledger.marks import Marks
    from ..ledger.view import View

ABOUT = {
    "stats": "what it holds, by model, and what runs have paid, by recipe and step",
    "verify": "read everything and say what is damaged and what is lost by it",
    "export": "write what a recipe or run needs, or all, into one file",
    "import": "take in the completions of an export that are not here yet",
    "gc": "remove what no kept run and no present recipe refers to; says what, unless --yes",
}
NO_LEDGER = "there is no ledger yet; type: mashbill run"


def add_arguments(sub: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    actions = sub.add_subparsers(dest="action", metavar="ACTION", required=True)
    made = {name: actions.add_parser(name, help=about) for name, about in ABOUT.items()}
    for name in ("export", "import"):
        made[name].add_argument("file", metavar="FILE")
    one = made["export"].add_mutually_exclusive_group()
    one.add_argument("recipe", nargs="?", help="only what this recipe needs")
    one.add_argument("--run", metavar="ID", help="only what this run has used, such as r-0001")
    made["export"].add_argument("--profile", help="a profile of the recipe to lay over it")
    made["export"].add_argument(
        "--replace", action="store_true", help="overwrite a file that is there"
    )
    made["gc"].add_argument("--yes", action="store_true", help="do it")
    made["gc"].add_argument(
        "--runs-only", action="store_true", help="keep what runs have used; ask no recipe"
    )
    for action in made.values():
        action.add_argument("--format", choices=("text", "json"), default="text")


def act(given: argparse.Namespace) -> int:
    """Do what is asked of the ledger of a project."""
    from ..ledger import LedgerError
    from ..ledger.needs import UnknownNeedsError
    from ..ledger.portable import ExportError

    actions: dict[str, Callable[[argparse.Namespace], int]] = {
        "stats": _stats,
        "verify": _verify,
        "export": _export,
        "import": _import,
        "gc": _gc,
    }
    try:
        return actions[given.action](given)
    except LedgerError as error:
        return fail(str(error), diagnostic="L607")
    except ExportError as error:
        return fail(str(error), diagnostic="L608")
    except UnknownNeedsError as error:
        return fail(str(error), diagnostic="L609")


def _root(recipe: str | None = None) -> Path:
    """The project: of a recipe, or the nearest folder above with a `.mashbill`."""
    try:
        return find_project(recipe).root
    except RecipeNotFoundError:
        here = Path.cwd()
        found = next((p for p in (here, *here.parents) if (p / STATE).is_dir()), None)
        if recipe is not None or found is None:
            raise
        return found


def _stats(given: argparse.Namespace) -> int:
    from ..ledger import Ledger
    from ..ledger.holdings import holdings

    state = _root() / STATE
    with Ledger.open(state / "ledger", write=False) as ledger:
        stats = ledger.stats()
    models = holdings(state / "ledger")
    recipes = _recipes(state)
    if given.format == "json":
        value = {**asdict(stats), "models": [asdict(m) for m in models], "recipes": recipes}
        print(json.dumps(value, indent=1, ensure_ascii=False))
        return 0
    from ...compiler.quantities import show_bytes

    held = [_counted(stats.segments, "segment"), _counted(stats.packs, "pack")]
    print(
        f"{_counted(stats.completions, 'completion')}   tokens in {stats.prompt_tokens:,}"
        f"   out {stats.completion_tokens:,}   {show_bytes(stats.bytes)} on disk"
        f" ({', '.join(h for h in held if not h.startswith('0'))})".replace(" ()", "")
    )
    rows = [
        (f"{m.engine}/{m.model}", m.completions, m.prompt_tokens, m.completion_tokens)
        for m in models
    ]
    _table(("held, by model", "completions", "tokens in", "tokens out"), rows)
    spent = [(name, *(r[k] for k in PAID)) for name, r in recipes.items()]
    _table(("paid, by recipe", "runs", "calls", "tokens in", "tokens out"), spent)
    steps = [(f"{n}.{s}", a) for n, r in recipes.items() for s, a in r["replies"].items()]
    _table(("used, by step", "replies"), steps)
    return 0


PAID = ("runs", "sent", "prompt_tokens", "completion_tokens")


def _recipes(state: Path) -> dict[str, dict[str, Any]]:
    """What run records say of each recipe: calls and tokens paid, and replies used by each step."""
    from ..runs import past_runs

    found: dict[str, dict[str, Any]] = {}
    for run in past_runs(state):
        record = run.record() or {}
        name = str(record.get("recipe", {}).get("name", "?"))
        one = found.setdefault(name, {**dict.fromkeys(PAID, 0), "replies": {}})
        one["runs"] += 1
        for model in record.get("models", {}).values():
            for what in PAID[1:]:
                one[what] += model.get(what, 0)
        for step, account in record.get("steps", {}).items():
            if attempts := account.get("attempts"):
                one["replies"][step] = one["replies"].get(step, 0) + attempts
    return dict(sorted(found.items()))


def _table(head: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
    """Rows under a head: names to the left, numbers to the right."""
    if not rows:
        return
    cells = [head, *((name, *(f"{n:,}" for n in rest)) for name, *rest in rows)]
    wide = [max(len(row[i]) for row in cells) for i in range(len(head))]
    print()
    for row in cells:
        numbers = (f"{n:>{w}}" for n, w in zip(row[1:], wide[1:], strict=True))
        print("  ".join((f"{row[0]:<{wide[0]}}", *numbers)))


def _verify(given: argparse.Namespace) -> int:
    from ..ledger import Ledger

    folder = _root() / STATE / "ledger"
    with Ledger.open(folder, write=False) as ledger:
        problems, stats = ledger.verify(), ledger.stats()
    lost = sum(p.lost for p in problems)
    if given.format == "json":
        found = [
            {"file": str(p.file), "offset": p.offset, "what": p.what, "lost": p.lost}
            for p in problems
        ]
        value = {"completions": stats.completions, "lost": lost, "problems": found}
        print(json.dumps(value, indent=1, ensure_ascii=False))
        return 1 if problems else 0
    for problem in problems:
        file = os.path.relpath(problem.file)
        print(f"{file}, byte {problem.offset:,}: {problem.what}")
    if not problems:
        print(f"{_counted(stats.completions, 'completion')}, all sound")
        return 0
    gone = f"{_counted(lost, 'completion')} lost: what needs them pays for them again; " * bool(
        lost
    )
    files = len({p.file for p in problems})
    return fail(f"{gone}{_counted(files, 'file')} damaged", diagnostic="L606")


def _export(given: argparse.Namespace) -> int:
    from ...compiler.quantities import show_bytes
    from ..ledger.portable import export

    root = _root(given.recipe)
    folder, file = root / STATE / "ledger", Path(given.file)
    if not folder.is_dir():
        return fail(NO_LEDGER)
    if split_recipe([given.file])[0]:
        return fail(f"{file} is a recipe or a folder: name the file to write first", 64)
    if file.exists() and not given.replace:
        return fail(f"{file} exists; to overwrite it, type --replace")
    with TemporaryDirectory(prefix="mashbill-") as temporary:
        marks = _wanted(given, root, Path(temporary) / "keys")
        made = export(folder, file, marks)
    if given.format == "json":
        print(json.dumps({"file": str(file), **asdict(made)}))
    else:
        print(f"{file}: {_counted(made.completions, 'completion')}, {show_bytes(made.bytes)}")
    return 0


def _wanted(given: argparse.Namespace, root: Path, notes: Path) -> Marks | None:
    """What to take along; None for all. Raises `ExportError` and `UnknownNeedsError`."""
    from ..api import Recipe
    from ..ledger.marks import Marks
    from ..ledger.needs import UnknownNeedsError, keys_of_run, needs_of_recipe
    from ..ledger.notes import noted
    from ..ledger.portable import ExportError
    from ..runs import RunFolder

    if given.run:
        run = RunFolder(root / STATE / "runs" / given.run)
        if Path(given.run).name != given.run or not run.path.is_dir():
            raise UnknownNeedsError(f"there is no run {given.run}; list them: mashbill ls")
        keys = keys_of_run(run)
    elif given.recipe:
        recipe = Recipe(find_project(given.recipe), given.profile)
        if absent := needs_of_recipe(recipe, notes):
            raise ExportError(
                f"{_counted(absent, 'completion')} that {given.recipe} needs"
                f" {'are' if absent > 1 else 'is'} not in the ledger: run it first"
            )
        keys = noted(notes)
    else:
        return None
    marks = Marks(_view(root / STATE / "ledger"))
    if absent := marks.add(keys):
        raise ExportError(
            f"{_counted(absent, 'completion')} of {given.run} cannot be found any more"
        )
    return marks


def _view(folder: Path) -> View:
    from ..ledger.view import View, survey

    view = survey(folder, View())
    for table in view.tables:
        table.read_on(folder)
    return view


def _import(given: argparse.Namespace) -> int:
    from ..ledger.portable import import_file

    made = import_file(_root() / STATE / "ledger", Path(given.file))
    if given.format == "json":
        print(json.dumps(asdict(made)))
        return 0
    words = [f"{_counted(made.completions, 'completion')} imported"]
    if made.present:
        words.append(f"{made.present:,} were here already")
    if made.differing:
        words.append(f"{made.differing:,} have another text here, which stays in use")
    print(", ".join(words))
    return 0


def _gc(given: argparse.Namespace) -> int:
    from ...compiler.quantities import show_bytes
    from ..ledger.gc import collect, note_recipes
    from ..sources.copies import collect_copies
    from ..sources.locate import STORE

    root = _root()
    if not (root / STATE / "ledger").is_dir():
        return fail(NO_LEDGER)
    began = time.time_ns()
    with TemporaryDirectory(prefix="mashbill-") as temporary:
        notes = [] if given.runs_only else note_recipes(root, Path(temporary))
        found, runs = collect(root / STATE, notes, began, remove=given.yes)
    # Recipes have read the copies of remote files that they need by now, if they were asked.
    before = 0 if given.runs_only else began
    copies = collect_copies(root / STATE / STORE, before, remove=given.yes)
    if given.format == "json":
        value = asdict(found) | {"damaged": [str(p) for p in found.damaged]}
        value |= {"removed": given.yes, "unnoted": runs.unnoted, "copies": asdict(copies)}
        print(json.dumps(value))
        return 0
    what = (
        f"{_counted(found.completions, 'completion')} ({show_bytes(found.bytes)},"
        f" {found.completion_tokens:,} tokens out) that nothing refers to"
    )
    if runs.unnoted:
        print(
            f"{', '.join(runs.unnoted)} did not note what they used, so all from before the end of"
            f" {runs.unnoted[-1]} is kept; to give it up, remove their folders in {STATE}/runs"
        )
    for path in found.damaged:
        print(f"{os.path.relpath(path)} is damaged and stays as it is")
    if copies.files:
        some = _counted(copies.files, "copy").replace("copys", "copies")
        print(
            f"{'removed' if given.yes else 'would remove'} {some} of remote files"
            f" ({show_bytes(copies.bytes)}) that no recipe reads"
        )
    if given.yes:
        print(f"removed {what}" if found.completions else "nothing to remove; compacted")
    elif found.completions:
        print(f"would remove {what}; to do it, type: mashbill ledger gc --yes")
    else:
        print("nothing to remove")
    return 0


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'s' * (number != 1)}"
