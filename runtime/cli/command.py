"""Arguments, exit codes, and the one place where faults become words."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import NoReturn

USAGE = 64
INTERRUPTED = 130

VERBS = {
    "check": "every problem of a recipe at once, with file, line and hint",
    "plan": "what will run and why, and what it will cost; calls no model",
    "run": "make the data set; ^C pauses, running again goes on",
    "show": "why a row is what it is, or what a step did",
    "models": "known small models; get one with: mashbill models get NAME",
}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        sys.stderr.write(f"mashbill: {message}\n")
        raise SystemExit(USAGE)


def parser(arguments: Sequence[str] = ()) -> argparse.ArgumentParser:
    """The parser of all verbs; only the one that the arguments name is imported."""
    top = _Parser(prog="mashbill", description="A compiler for dataset recipes.")
    top.add_argument("--version", action="store_true", help="print the version")
    top.add_argument("-C", dest="folder", metavar="DIR", help="work in another folder")
    verbs = top.add_subparsers(dest="verb", metavar="VERB")
    for verb, about in VERBS.items():
        sub = verbs.add_parser(verb, help=about, description=about)
        if verb not in arguments:
            continue
        import_module(f"{__package__}.{verb}_").add_arguments(sub)
    return top


def recipe_arguments(sub: argparse.ArgumentParser, *, positional: bool = True) -> None:
    """Arguments of every verb that reads a recipe."""
    if positional:
        sub.add_argument("recipe", nargs="?", help="a folder with recipe.yaml, or a file")
    sub.add_argument("--profile", help="a profile of the recipe to lay over it")
    sub.add_argument(
        "--set", action="append", default=[], metavar="A.B=V", help="a value to lay over both"
    )
    sub.add_argument("--allow-outside", action="store_true", help="let paths leave the project")
    sub.add_argument("--format", choices=["text", "json"], default="text")


def command(arguments: Sequence[str]) -> int:
    """Run a command line; faults are printed, never raised.

    Returns:
        The exit code.
    """
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
    from ...compiler.world import OutsideError
    from ..catalog import PluginError
    from ..project import RecipeNotFoundError

    if isinstance(error, RecipeError):
        from ...compiler.render import render

        print(render(error.report, colour=coloured(sys.stdout)))
        return 1
    known: tuple[type[Exception], ...] = (RecipeNotFoundError, PluginError, OutsideError)
    if isinstance(error, known):
        return fail(str(error))
    from ..execute import RunError, said
    from ..requests import EngineError

    if isinstance(error, RunError):
        return fail(str(error), error.code)
    if isinstance(error, EngineError):
        return fail(str(error))
    if isinstance(error, OSError):
        return fail(said(error))
    raise error


def fail(message: str, code: int = 1) -> int:
    """Print an error that has no place in a file."""
    bold, end = ("\033[1;31m", "\033[0m") if coloured(sys.stderr) else ("", "")
    sys.stderr.write(f"{bold}error{end}: {message}\n")
    return code


def coloured(stream: object) -> bool:
    """Whether to write colours: a terminal, and `NO_COLOR` is not set."""
    isatty = getattr(stream, "isatty", None)
    return bool(isatty and isatty()) and not os.environ.get("NO_COLOR")


def width() -> int:
    """Columns of the terminal: 80 where there is none, 120 at most."""
    import shutil

    return max(60, min(shutil.get_terminal_size((80, 24)).columns, 120))
