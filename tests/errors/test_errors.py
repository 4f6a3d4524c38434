"""What a user sees for each mistake, to the letter: `<CODE>_<slug>.yaml` beside its `.txt`.

Set MASHBILL_UPDATE=1 to write the texts anew, and read the difference before committing it.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mashbill.compiler.codes import CODES
from mashbill.compiler.diagnostics import Report, in_order
from mashbill.compiler.document import parse_document
from mashbill.compiler.render import render
from mashbill.compiler.shape import check_shape
from mashbill.runtime.catalog import load_catalog

RECIPES = sorted(Path(__file__).parent.glob("*.yaml"))


def report(text: str) -> Report:
    """What `check` says of a recipe, as far as its shape goes."""
    document, problems = parse_document(text, "recipe.yaml")
    found = list(problems)
    if document is not None:
        found += check_shape(document, load_catalog())
    return Report(in_order(found), {"recipe.yaml": text}, "Checked 1 recipe")


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: path.stem)
def test_the_text_of_an_error(recipe: Path) -> None:
    said = report(recipe.read_text("utf-8"))
    code, slug = recipe.stem.split("_", 1)
    assert {d.code for d in said.diagnostics} == {code}, "a fixture shows one code"
    assert slug.replace("_", "-").startswith(CODES[code].slug)
    expected = recipe.with_suffix(".txt")
    shown = render(said, width=80) + "\n"
    if os.environ.get("MASHBILL_UPDATE"):
        expected.write_text(shown, "utf-8")
    assert shown == expected.read_text("utf-8")


def test_no_text_without_its_recipe() -> None:
    texts = {path.stem for path in Path(__file__).parent.glob("*.txt")}
    assert texts == {path.stem for path in RECIPES}
