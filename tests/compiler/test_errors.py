"""What binding says of broken recipes: the exact text, one error a cause.

Each `errors/CODE_slug.yaml` is a recipe with one fault; files that it lays over `world.FILES` stand
behind lines `=== path`. `CODE_slug.txt` is what the terminal shows; `MASHBILL_UPDATE=1` writes it.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from mashbill import compiler
from mashbill.compiler.codes import CODES
from mashbill.compiler.compile import Compiled
from mashbill.compiler.document import parse_document
from mashbill.compiler.render import render

from .world import compile_text

CASES = sorted((Path(__file__).parent / "errors").glob("*.yaml"))
UPDATE = os.environ.get("MASHBILL_UPDATE") == "1"


def compile_case(case: Path) -> tuple[str, Compiled]:
    recipe, *rest = re.split(r"^=== (\S+)\n", case.read_text("utf-8"), flags=re.M)
    return recipe, compile_text(recipe, dict(zip(rest[::2], rest[1::2], strict=True)))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_the_text(case: Path) -> None:
    _, compiled = compile_case(case)
    text = render(compiled.report, width=80) + "\n"
    expected = case.with_suffix(".txt")
    if UPDATE:
        expected.write_text(text, "utf-8")
    assert text == expected.read_text("utf-8")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_one_cause_one_diagnostic(case: Path) -> None:
    _, compiled = compile_case(case)
    (found,) = compiled.report.diagnostics
    assert found.code == case.stem.partition("_")[0]
    assert (compiled.plan is None) == (found.severity == "error")


def test_every_code_of_binding_has_a_case() -> None:
    folder = Path(compiler.__file__).parent
    names = "asking assignments bind counting formulas governance ladders mixing parameters renamed"
    names += " refusals scans scope spending suppress values environment draws refilling"
    sources = [folder / f"{name}.py" for name in names.split()]
    emitted = {c for s in sources for c in re.findall(r'"([A-Z]\d{3})"', s.read_text("utf-8"))}
    assert emitted >= {"R101", "P201", "C503"}
    # A prompt that is not UTF-8 cannot stand in a file of text; see `test_bind`.
    assert emitted - {case.stem.partition("_")[0] for case in CASES} == {"S001"}
    assert emitted <= CODES.keys()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_fixes_mend_the_recipe(case: Path) -> None:
    recipe, compiled = compile_case(case)
    (found,) = compiled.report.diagnostics
    for edit in found.fix:
        if edit.span.file != "recipe.yaml":
            continue
        mended = recipe[: edit.span.start] + edit.replacement + recipe[edit.span.end :]
        assert parse_document(mended, "recipe.yaml")[1] == ()
        assert found.code not in {d.code for d in compile_text(mended).report.diagnostics}
