"""What is wrong with a draw or a choice is said at its place, with what to write instead."""

from __future__ import annotations

import pytest

from mashbill.compiler.compile import Compiled

from ..compiler.world import compile_text

HEAD = """\
mashbill: 1
name: draws
models: { solver: fake/echo }
sources: { docs: { path: docs.jsonl, columns: { gold: gold }, license: CC0-1.0, origin: human } }
steps:
"""
FILES = {
    "prompts/cot.md.j2": (
        "---\ninputs: { text: str }\nreply: { reasoning: text, answer: boxed }\n---\n"
        "{% block user %}<q>{{ text }}</q> Answer in \\boxed{}.{% endblock %}\n"
    )
}
COT = "op: cot, from: docs, model: solver, prompt: prompts/cot.md.j2"
CHECKS = "checks: { ok: { kind: expr, pass: answer == gold } }"


def compiled(steps: str, output: str = "columns: [text, answer, reasoning]") -> Compiled:
    return compile_text(f"{HEAD}{steps}output: {{ {output} }}\n", FILES)


def said(steps: str) -> list[tuple[str, str, str]]:
    """Code, message and marked text of each error."""
    report = compiled(steps).report
    text = report.files["recipe.yaml"]
    return [
        (d.code, d.message, text[d.span.start : d.span.end] if d.span else "")
        for d in report.diagnostics
        if d.severity == "error"
    ]


@pytest.mark.parametrize(
    ("cot", "code", "words", "marked"),
    [
        ("until: {}", "S005", "", ""),
        ("until: { spread: hard }", "V421", "`accepted` or by `vote`", "{ spread: hard }"),
        ("until: { accepted: 2, vote: answer }", "V421", "`accepted` or by `vote`", "answer"),
        ("until: { accepted: 2 }", "V421", "without `checks`", "2"),
        (f"{CHECKS}, until: {{ accepted: 9 }}", "V421", "9 accepted draws cannot come of 8", "9"),
        (f"{CHECKS}, until: {{ accepted: 2, pilot: 3 }}", "V421", "spread: hard", "3"),
        (
            f"{CHECKS}, until: {{ accepted: 2, spread: hard, pilot: 9 }}",
            "V421",
            "a pilot of 9 is more than all 8",
            "9",
        ),
        (f"{CHECKS}, until: {{ accepted: 2, agree: 0.5 }}", "V421", "goes with `vote`", "0.5"),
        (
            f"{CHECKS}, on_fail: [ {{ fallback: input }} ], until: {{ accepted: 2 }}",
            "V421",
            "fallback: input",
            "2",
        ),
        ("until: { vote: anser }", "R104", "`anser` is none", "anser"),
        ("until: { vote: gold }", "R104", "`gold` is none", "gold"),
        ("until: { vote: answer, pilot: 2 }", "V421", "goes with `accepted`", "2"),
        ("samples: 1, until: { vote: answer }", "V421", "nobody to agree with", "answer"),
        ("until: { vote: answer, agree: 5 }", "S005", "", "5"),
    ],
)
def test_a_stop_that_cannot_be_met(cot: str, code: str, words: str, marked: str) -> None:
    found = said(f"  solved: {{ {COT}, {cot} }}\n")
    assert [f[0] for f in found] == [code], found
    assert words in found[0][1]
    assert not marked or found[0][2] == marked


SOLVED = f"  solved: {{ {COT} }}\n"


@pytest.mark.parametrize(
    ("steps", "code", "words", "marked"),
    [
        ("  best: { op: select, from: docs }\n", "R118", "each row is drawn once", "docs"),
        (
            SOLVED + "  best: { op: select, from: solved, vote: answr }\n",
            "R104",
            "needs column `answr`",
            "answr",
        ),
        (
            SOLVED + "  best: { op: select, from: solved, by: answer }\n",
            "X152",
            "a number",
            "answer",
        ),
        (
            SOLVED + "  best: { op: select, from: solved, min_agree: 0.5 }\n",
            "V422",
            "`min_agree` goes with `vote`",
            "0.5",
        ),
        (
            SOLVED + "  best: { op: select, from: solved, take: 9 }\n",
            "V422",
            "9 of 8 draws cannot be taken",
            "9",
        ),
        (
            SOLVED + "  best: { op: select, from: solved, take: some }\n",
            "S005",
            "",
            "some",
        ),
        (
            SOLVED + f"  more: {{ {COT} }}\n"
            "  best: { op: select, from: [solved, more], vote: answer }\n",
            "V422",
            "several steps",
            "answer",
        ),
        (
            f"  solved: {{ {COT}, {CHECKS}, until: {{ accepted: 2 }} }}\n"
            "  best: { op: select, from: solved, vote: answer }\n",
            "V422",
            "`solved` stops by itself",
            "answer",
        ),
        (
            f"  solved: {{ {COT}, until: {{ vote: answer }} }}\n"
            "  best: { op: select, from: solved, vote: answer, min_agree: 0.5 }\n",
            "V422",
            "`solved` stops by itself",
            "answer",
        ),
        (
            SOLVED + "  best: { op: select, from: solved, rows: 10 }\n",
            "V423",
            "needs `candidates`",
            "10",
        ),
        (
            SOLVED + "  best: { op: select, from: solved, rows: 10, candidates: 5 }\n",
            "V423",
            "10 rows cannot be accepted of 5",
            "10",
        ),
        (
            SOLVED
            + "  best: { op: select, from: solved, rows: 10, candidates: 50 }\n"
            + "  rest: { op: select, from: [best, solved] }\n",
            "V423",
            "nothing before `best` can be stopped",
            "10",
        ),
    ],
)
def test_a_choice_that_cannot_be_made(steps: str, code: str, words: str, marked: str) -> None:
    found = said(steps)
    assert [f[0] for f in found] == [code], found
    assert words in found[0][1]
    assert found[0][2] == marked


@pytest.mark.parametrize(
    "steps",
    [
        f"  solved: {{ {COT}, until: {{ vote: answer, agree: 50% }} }}\n"
        "  best: { op: select, from: solved, vote: answer, min_agree: 0.5 }\n",
        SOLVED + "  best: { op: select, from: solved, vote: answer, by: -chars(reasoning) }\n"
        "  sure: { op: filter, from: best, keep: _agree > 0.6 and _votes > 2 }\n",
        SOLVED + "  best: { op: select, from: [solved, solved.rejected], take: all }\n",
        "  asked: { op: generate, from: docs, model: solver, prompt: prompts/cot.md.j2, "
        "samples: 3 }\n  best: { op: select, from: asked, vote: answer }\n",
    ],
)
def test_what_is_right_is_accepted(steps: str) -> None:
    assert said(steps) == []


def test_what_is_wrong_above_is_told_once() -> None:
    steps = f"  solved: {{ {COT.replace('docs', 'dosc')} }}\n" + (
        "  best: { op: select, from: solved, vote: answer }\n"
    )
    assert [f[0] for f in said(steps)] == ["R101"]


def test_draws_have_their_own_columns_and_plain_steps_have_none() -> None:
    plan = compiled(SOLVED + "  best: { op: select, from: solved, vote: answer }\n").plan
    assert plan is not None
    kinds = dict(plan.node("best").columns)
    assert (kinds["_draw"], kinds["_agree"], kinds["_votes"]) == ("int", "float", "int")
    plain = compiled(SOLVED.replace("op: cot", "samples: 1, op: cot")).plan
    assert plain is not None and "_draw" not in dict(plain.node("solved").columns)
