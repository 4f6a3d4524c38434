"""The page of the language says what the language does."""

from __future__ import annotations

import os
import re
from pathlib import Path

import polars as pl
import pytest

import mashbill.compiler.expr as language
from mashbill.compiler.expr import FUNCTIONS, infer_type, parse_expr
from mashbill.compiler.expr.reference import describe, reference
from mashbill.compiler.types import STR
from mashbill.runtime.frames import Context, lower, regex_problem

PAGE = Path(language.__file__).with_name("EXPRESSIONS.md")


def test_the_page_is_what_the_code_says() -> None:
    if os.environ.get("MASHBILL_UPDATE"):
        PAGE.write_text(reference(), "utf-8")
    assert PAGE.read_text("utf-8") == reference()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_is_on_the_page_once(name: str) -> None:
    signature = FUNCTIONS[name].signature
    assert reference().count(f"| `{signature}`<br>") == 1
    assert describe(FUNCTIONS[name]).startswith(signature)


def rules() -> list[str]:
    section = reference().split("## Rules of published filters")[1].split("\n## ")[0]
    found = re.findall(r"\| `(.*)` \|$", section, re.MULTILINE)
    return [text.replace("\\|", "|").replace(", …]", "]") for text in found]


TEXT = "# Ünë lïne of the text…\n\n- a bullet; it ends here.\n  short\n" + "word of the " * 40


@pytest.mark.parametrize("text", rules())
def test_the_rules_of_published_filters_compute(text: str) -> None:
    expr, problems = parse_expr(text)
    assert expr is not None, problems
    type, problems = infer_type(expr, {"text": STR})
    assert type.kind == "bool" and not problems
    assert all(regex_problem(p) is None for p, _, _ in language.patterns(expr))
    frame = pl.DataFrame({"text": [TEXT, "x", ""]})
    found = frame.select(lower(expr, Context(0, "x", frame.schema)).alias("k"))["k"].to_list()
    assert isinstance(found[0], bool)


def test_the_rules_are_many() -> None:
    assert len(rules()) == 11
