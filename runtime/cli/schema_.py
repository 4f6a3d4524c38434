"""`mashbill schema`."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

PUBLISHED = Path(__file__).resolve().parents[2] / "schemas"
"""Beside `runtime/`, in a checkout as where it is installed."""


def add_arguments(sub: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    sub.add_argument(
        "of",
        nargs="?",
        choices=("recipe", "plan"),
        default="recipe",
        help="recipe (default): what editors check; plan: what `plan --format json` prints",
    )
    sub.add_argument(
        "-o", "--output", metavar="FILE", help="write a file: .mashbill/recipe.schema.json"
    )


def act(given: argparse.Namespace) -> int:
    """Print the JSON Schema of recipes, with the operators of plug-ins, or that of plans."""
    text = plan_schema_text() if given.of == "plan" else schema_text()
    if given.output is None:
        sys.stdout.write(text)
        return 0
    file = Path(given.output)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8", newline="")
    print(f"wrote {file}", file=sys.stderr)
    return 0


def schema_text() -> str:
    """The editor schema of everything that is installed, as JSON."""
    from ...compiler.editor import recipe_schema
    from ..catalog import load_catalog

    return json.dumps(recipe_schema(load_catalog()), indent=2, ensure_ascii=False) + "\n"


def plan_schema_text() -> str:
    """The published schema of `plan --format json`, as JSON."""
    return (PUBLISHED / "plan.schema.json").read_text("utf-8")
