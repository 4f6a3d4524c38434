"""Saved plans on the command line: which options they leave no room for, and whether they hold."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from .command import coloured

if TYPE_CHECKING:
    from ..api import Plan
    from ..planning.saved_plan import SavedPlan

SETTLED = {
    "profile": "--profile",
    "set": "--set",
    "until": "--until",
    "pilot": "--pilot",
    "out": "-o",
}
"""Options that a saved plan has settled, by their names."""


def ignored(given: argparse.Namespace, name: str) -> str:
    """Why the options beside a saved plan do not fit; empty if they do."""
    found = [flag for option, flag in SETTLED.items() if getattr(given, option, None)]
    if not found:
        return ""
    verb = "is" if len(found) == 1 else "are"
    return (
        f"{name} is a saved plan: {', '.join(found)} {verb} settled in it. "
        f"Save another: mashbill plan … -o FILE"
    )


def held(saved: SavedPlan, *, allow_outside: bool = False) -> tuple[Plan | None, str]:
    """The plan that its recipe gives now, None if it gives none; and why it is stale, if it is."""
    from ...compiler.diagnostics import RecipeError
    from ..planning.saved_plan import SavedPlanError
    from ..planning.stale_plan import changes_since, recompiled, stale_words
    from ..requests import EngineError

    try:
        now = recompiled(saved, allow_outside=allow_outside)
    except SavedPlanError as error:
        unknown = f"whether {saved.path} still holds is not known: "
        return None, f"{unknown if error.diagnostic == 'R112' else ''}{error}"
    except RecipeError as error:
        first = next(iter(error.report.errors), None)
        why = f": {first.message}" if first else ""
        return None, f"the recipe of {saved.path} does not compile any more{why}"
    except (EngineError, OSError) as error:
        return None, f"whether {saved.path} still holds cannot be found out: {error}"
    changed = tuple(changes_since(saved, now))
    return now, stale_words(saved, now, changed) if changed else ""


def warn(words: str) -> None:
    """Print a warning that a saved plan does not hold."""
    bold, end = ("\033[1;33m", "\033[0m") if coloured(sys.stderr) else ("", "")
    sys.stderr.write(f"{bold}warning[L603]{end}: {words}\n\n")
