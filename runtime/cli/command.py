"""Arguments, exit codes, and the one place where faults become words."""

from __future__ import annotations

import argparse
import io
import os
import re
import sys
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from importlib import import_module
from pathlib import Path
from typing import NoReturn

USAGE = 64
INTERRUPTED = 130

VERBS = {
    "init": "a small recipe that works, with what editors and git need beside it",
    "check": "every problem of a recipe at once, with file, line and hint",
    "fmt": "one layout for recipes: order of keys, quotes, spacing; comments stay",
    "plan": "what will run and why, what it will cost and be worth; calls no model without --pilot",
    "preview": "a few real rows through all steps, side by side; run reuses them",
    "run": "make the data set, of a recipe or a saved plan; ^C pauses, running again goes on",
    "status": "how a run stands, from any shell: progress, rejects, errors, what to type",
    "graph": "how the rows flow, as text, Mermaid or DOT",
    "ls": "steps, sources, prompts, models, profiles and runs, or what a selector picks",
    "ops": "the operators, checks and engines, with their parameters and examples",
    "why": "why a step will run again: what of it changed since the last run",
    "diff": "what changed between two recipes, revisions or runs",
    "lock": "pin what the recipe rests on: data, models, prompts, operators",
    "show": "why a row is what it is, or what a step did",
    "calibrate": "a check's error rates on labelled rows, and the threshold to take",
    "ledger": "what was paid for: figures, soundness, export, import, removal of what is unused",
    "schema": "the JSON Schema of recipes, for editors, or of `plan --format json`",
    "completion": "a script that completes command lines in bash, zsh or fish",
    "models": "known small models; get one with: mashbill models get NAME",
    "doctor": "what this machine lacks for a recipe, and what to type",
}


COLOURS = ("auto", "always", "never")
_colour: ContextVar[str] = ContextVar("colour", default="auto")
"""What `--color` says, for everything that the command prints."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        if found := re.match(r"argument VERB: invalid choice: '([^']*)'", message):
            from ...compiler.suggest import nearest

            meant = nearest(found[1], VERBS)
            hint = f"did you mean `mashbill {meant}`?" if meant else "see them all: mashbill --help"
            sys.stderr.write(f"mashbill: no command is called '{found[1]}'; {hint}\n")
            raise SystemExit(USAGE)
        self.print_usage(sys.stderr)
        sys.stderr.write(f"mashbill: {message}\n")
        raise SystemExit(USAGE)


def parser(arguments: Sequence[str] = ()) -> argparse.ArgumentParser:
    """The parser of all verbs; only the one that the arguments name is imported."""
    top = _Parser(prog="mashbill", description="A compiler for dataset recipes.")
    top.add_argument("--version", action="store_true", help="print the version")
    top.add_argument("-C", dest="folder", metavar="DIR", help="work in another folder")
    top.add_argument("--color", choices=COLOURS, default="auto", help="auto: on a terminal")
    verbs = top.add_subparsers(dest="verb", metavar="VERB")
    for verb, about in VERBS.items():
        sub = verbs.add_parser(verb, help=about, description=about)
        if verb not in arguments:
            continue
        sub.add_argument(
            "--color", choices=COLOURS, default=argparse.SUPPRESS, help="auto: on a terminal"
        )
        import_module(f"{__package__}.{verb}_").add_arguments(sub)
    return top


def recipe_arguments(
    sub: argparse.ArgumentParser,
    *,
    positional: bool = True,
    formats: Sequence[str] = ("text", "json"),
    what: str = "a folder with recipe.yaml, or a file",
) -> None:
    """Arguments of every verb that reads a recipe."""
    if positional:
        sub.add_argument("recipe", nargs="?", help=what)
    sub.add_argument("--profile", help="a profile of the recipe to lay over it")
    sub.add_argument(
        "--set", action="append", default=[], metavar="A.B=V", help="a value to lay over both"
    )
    sub.add_argument("--allow-outside", action="store_true", help="let paths leave the project")
    sub.add_argument("--format", choices=formats, default=formats[0])


def retyped(verb: str, given: argparse.Namespace, *more: str) -> str:
    """What to type for a verb on the same recipe, under the same profile and settings."""
    import shlex

    words = ["mashbill", verb, *([given.recipe] if given.recipe else [])]
    words += ["--profile", given.profile] if given.profile else []
    for value in given.set:
        words += ["--set", value]
    words += ["--allow-outside"] if given.allow_outside else []
    return shlex.join([*words, *more])


def split_recipe(words: Sequence[str]) -> tuple[str | None, list[str]]:
    """A first word that is a folder or a `.yaml` file names the recipe; what follows it does not.

    >>> split_recipe(["my/recipe.yaml", "book"])
    ('my/recipe.yaml', ['book'])
    """
    if words and (words[0].endswith((".yaml", ".yml")) or Path(words[0]).is_dir()):
        return words[0], list(words[1:])
    return None, list(words)


def command(arguments: Sequence[str]) -> int:
    """Run a command line; faults are printed, never raised.

    Returns:
        The exit code.
    """
    if arguments and arguments[0] == "__complete":  # asked by the scripts of `completion`
        from .completion_ import print_candidates

        return print_candidates(arguments[1:])
    try:
        given = parser(arguments).parse_args(arguments)
    except SystemExit as stop:
        return int(stop.code or 0)
    if given.version:
        from mashbill import __version__

        print(__version__)
        return 0
    if given.verb is None:
        parser().print_help()
        return USAGE
    _colour.set(given.color)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # what its encoding lacks is no reason to fail
            stream.reconfigure(errors="replace")
    act: Callable[[argparse.Namespace], int] = import_module(f"{__package__}.{given.verb}_").act
    try:
        if given.folder:
            os.chdir(given.folder)
        return act(given)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        return explain_fault(error)


def explain_fault(error: Exception) -> int:
    """Say what is wrong, in words that stand alone; a defect of Mashbill keeps its traceback."""
    from ...compiler.diagnostics import RecipeError
    from ...compiler.selectors import SelectorError
    from ...compiler.world import OutsideError
    from ..project import RecipeNotFoundError

    if isinstance(error, RecipeError):
        from ...compiler.render import render

        print(render(error.report, colour=coloured(sys.stdout)))
        return 1
    if isinstance(error, SelectorError):
        return fail(str(error), USAGE)
    known: tuple[type[Exception], ...] = (RecipeNotFoundError, OutsideError)
    if isinstance(error, known):
        return fail(str(error))
    from ..execute import RunError, said
    from ..ledger import LedgerError
    from ..requests import EngineError

    if isinstance(error, RunError):
        return fail(str(error), error.code, error.diagnostic)
    if isinstance(error, EngineError):
        return fail(str(error), diagnostic="M251")
    if isinstance(error, LedgerError):
        return fail(str(error))
    if isinstance(error, OSError):
        return fail(said(error))
    raise error


def fail(message: str, code: int = 1, diagnostic: str = "") -> int:
    """Print an error that has no place in a file."""
    bold, end = ("\033[1;31m", "\033[0m") if coloured(sys.stderr) else ("", "")
    head = f"error[{diagnostic}]" if diagnostic else "error"
    sys.stderr.write(f"{bold}{head}{end}: {message}\n")
    return code


def coloured(stream: object) -> bool:
    """Whether to write colours: as `--color` says, else a terminal, and `NO_COLOR` is not set."""
    if (choice := _colour.get()) != "auto":
        return choice == "always"
    isatty = getattr(stream, "isatty", None)
    return bool(isatty and isatty()) and not os.environ.get("NO_COLOR")


def width() -> int:
    """Columns of the terminal: 80 where there is none, 120 at most."""
    import shutil

    return max(60, min(shutil.get_terminal_size((80, 24)).columns, 120))
