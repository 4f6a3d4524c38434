"""`mashbill graph`: how the rows of a recipe flow."""

from __future__ import annotations

import argparse
import sys

from .command import recipe_arguments, split_recipe, width


def add_arguments(sub: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    sub.add_argument(
        "words",
        nargs="*",
        metavar="[RECIPE] [SEL]",
        help="draw only what selectors pick (see: mashbill ls --help)",
    )
    recipe_arguments(sub, positional=False, formats=("text", "mermaid", "dot"))
    short = sub.add_mutually_exclusive_group()
    for language in ("mermaid", "dot"):
        short.add_argument(
            f"--{language}",
            dest="format",
            action="store_const",
            const=language,
            help=f"the same as --format {language}",
        )
    sub.add_argument("--ascii", action="store_true", help="draw with ASCII characters alone")


def act(given: argparse.Namespace) -> int:
    """Draw a recipe."""
    from ...compiler.drawing.picture import picture_of
    from .selecting import choose

    named, words = split_recipe(given.words)
    choice = choose(given, named, words)
    picture = picture_of(choice.graph, choice.records, choice.names if words else None)
    if given.format == "mermaid":
        from ...compiler.drawing.mermaid import draw_mermaid

        print(draw_mermaid(picture))
    elif given.format == "dot":
        from ...compiler.drawing.dot import draw_dot

        print(draw_dot(picture))
    else:
        from ...compiler.drawing.text import draw_text

        print(draw_text(picture, width(), ascii_only=given.ascii or not _draws(sys.stdout)))
    return 0 if choice.compiled.report.ok else 1


def _draws(stream: object) -> bool:
    """Whether a stream can take the characters of a drawing."""
    try:
        "┼◆×●…".encode(getattr(stream, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
