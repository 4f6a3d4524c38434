"""`mashbill completion`, and what its scripts ask for."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

SHELLS = {
    "bash": 'add to ~/.bashrc:  eval "$(mashbill completion bash)"',
    "zsh": 'add to ~/.zshrc, below compinit:  eval "$(mashbill completion zsh)"',
    "fish": "mashbill completion fish > ~/.config/fish/completions/mashbill.fish",
}


def add_arguments(sub: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    sub.add_argument("shell", choices=list(SHELLS), help="; ".join(SHELLS.values()))


def act(given: argparse.Namespace) -> int:
    """Print a script that completes command lines in a shell."""
    from ..starter import TEMPLATES

    sys.stdout.write((TEMPLATES / "completion" / f"mashbill.{given.shell}").read_text("utf-8"))
    return 0


def print_candidates(words: Sequence[str]) -> int:
    """Print what may stand where the last word is, one a line: word, tab, what it is for."""
    from ..completion import complete
    from .command import VERBS, parser

    for word, about in complete(words, VERBS, parser):
        print(f"{word}\t{about.splitlines()[0] if about else ''}")
    return 0
