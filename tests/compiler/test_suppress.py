"""Comments that allow a diagnostic: on their line, on the next, in prompts, and idle ones."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from mashbill.compiler.diagnostics import Diagnostic

from .world import compile_text

TOP = """\
mashbill: 1
name: first
sources:
  docs: { path: docs.jsonl, license: CC0-1.0, origin: human }
  web: { path: web.jsonl, license: CC0-1.0, origin: human }%s
steps:
%s  long: { op: filter, from: docs, keep: words(text) > 3 }%s
"""
"""Nothing reads `web`: R103."""


def found(
    recipe: str, files: Mapping[str, str] | None = None
) -> tuple[tuple[str, ...], tuple[Diagnostic, ...]]:
    diagnostics = compile_text(recipe, files).report.diagnostics
    return tuple(d.code for d in diagnostics), diagnostics


def test_a_comment_at_the_end_of_a_line_speaks_of_it() -> None:
    assert found(TOP % ("", "", ""))[0] == ("R103",)
    assert found(TOP % ("  # mashbill: allow R103 — kept for later", "", ""))[0] == ()
    assert found(TOP % ("  #mashbill:allow r103", "", ""))[0] == ()


def test_a_comment_on_a_line_of_its_own_speaks_of_the_next() -> None:
    recipe = (TOP % ("", "", "")).replace("  web:", "  # mashbill: allow R103\n  # why\n\n  web:")
    assert found(recipe)[0] == ()


def test_it_speaks_of_no_other_line() -> None:
    codes, diagnostics = found(TOP % ("", "  # mashbill: allow R103\n", ""))
    assert codes == ("R103", "S013")
    assert diagnostics[1].message == "nothing here is R103: the comment allows nothing"


def test_the_fix_takes_an_idle_comment_out_and_nothing_else() -> None:
    for recipe, clean in (
        (TOP % ("", "  # mashbill: allow R103\n", ""), TOP % ("", "", "")),
        (TOP % ("", "", "   # mashbill: allow X154 once"), TOP % ("", "", "")),
    ):
        (edit,) = next(d for d in found(recipe)[1] if d.code == "S013").fix
        mended = recipe[: edit.span.start] + edit.replacement + recipe[edit.span.end :]
        assert mended == clean


def test_of_several_codes_only_the_idle_one_is_reported() -> None:
    codes, (diagnostic,) = found(TOP % (" # mashbill: allow R103, X154", "", ""))
    assert codes == ("S013",)
    assert diagnostic.message == "nothing here is X154: the comment allows nothing"
    assert diagnostic.fix == ()


def test_an_error_cannot_be_allowed() -> None:
    recipe = (TOP % ("", "", "")).replace("from: docs", "from: dcos")
    allowed = recipe.replace(
        "keep: words(text) > 3 }", "keep: words(text) > 3 } # mashbill: allow R101"
    )
    codes, diagnostics = found(allowed)
    assert codes == ("R101", "S014")
    assert diagnostics[1].message == "R101 is an error and cannot be allowed"


def test_a_comment_in_a_text_is_text() -> None:
    recipe = (TOP % ("", "", "")).replace(
        "name: first", 'name: first\nabout: "a # mashbill: allow R103"'
    )
    assert found(recipe)[0] == ("R103",)


PROMPT = """\
---
inputs: { text: str }
---
{%% block system %%}Say {answer} first.%s{%% endblock %%}
{%% block user %%}{{ text }}{%% endblock %%}
"""
ASKING = """\
mashbill: 1
name: first
models: { writer: fake/words }
sources:
  docs: { path: docs.jsonl, license: CC0-1.0, origin: human }
steps:
  ask: { op: generate, from: docs, model: writer, prompt: p.md.j2 }
"""


@pytest.mark.parametrize(
    ("comment", "codes"),
    [
        ("", ("P203",)),
        ("{# mashbill: allow P203 — it is meant #}", ()),
        ("{#- mashbill: allow P203, P209 -#}", ("S013",)),
        ("{# mashbill: allow P202 #}", ("P203",)),
    ],
)
def test_prompts_have_comments_of_their_own(comment: str, codes: tuple[str, ...]) -> None:
    assert found(ASKING, {"p.md.j2": PROMPT % comment})[0] == codes
