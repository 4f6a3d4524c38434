"""The page on prompt files says what is true: its examples are checked, its lists compared."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mashbill.compiler import prompts
from mashbill.compiler.prompts import FILTERS, read_prompt
from mashbill.compiler.prompts.front import KEYS
from mashbill.compiler.prompts.replies.declare import JSON
from mashbill.compiler.prompts.replies.shapes import SHAPES

PAGE = (Path(prompts.__file__).parent / "PROMPTS.md").read_text("utf-8")
EXAMPLES = re.findall(r"```jinja\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_every_example_is_without_fault(number: int) -> None:
    prompt, problems = read_prompt("p.md.j2", {"p.md.j2": EXAMPLES[number]}.__getitem__)
    assert prompt is not None
    assert problems == ()


def test_it_names_every_key_shape_and_filter() -> None:
    rows = re.findall(r"^\| `([^`]+)`", PAGE, re.M)
    assert set(KEYS) <= set(rows)
    assert {r.split()[0].rstrip(":") for r in rows} >= {*SHAPES, JSON}
    (listed,) = re.findall(r"the filters `([^`]+)`", PAGE)
    assert set(listed.split()) == set(FILTERS)
