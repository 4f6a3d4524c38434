"""A plan for a pull request: exact texts, and nothing of a recipe is markup there."""

from __future__ import annotations

import re

import pytest

from mashbill.compiler.explaining import Told, markdown

from ..compiler.world import plan_of
from .samples import FILES, SAMPLES, SMALL
from .test_text import golden, sample_of


@pytest.mark.parametrize("name", SAMPLES)
def test_the_golden_markdown(name: str) -> None:
    golden(f"{name}.md", markdown(sample_of(name)))


@pytest.mark.parametrize("name", SAMPLES)
def test_every_row_of_a_table_has_its_cells(name: str) -> None:
    for block in markdown(sample_of(name)).split("\n\n"):
        if block.startswith("|"):
            assert len({len(re.findall(r"(?<!\\)\|", row)) for row in block.splitlines()}) == 1


def test_no_text_of_a_recipe_is_markup() -> None:
    plan = plan_of(
        SMALL.replace("words(text) > 3", "\"not matches(text, '^x|<b>|`y`|[z](u)')\""), FILES
    )
    text = markdown(
        Told(plan, None, ("<i>r</i>", plan_of(SMALL, FILES)), lock="</details>",
             missing={"m": "<img src=x>", "n": "a | b\n# c"})
    )  # fmt: skip
    assert not re.search(r"(?<!\\)<(?!/?(details|summary)>)", text)
    assert not re.search(r"(?<!\\)</details>\)", text)
    table = next(block for block in text.split("\n\n") if block.startswith("|"))
    assert len({len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()}) == 1
    assert "\n# c" not in text and "a \\| b" in text
