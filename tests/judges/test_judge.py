"""The judge: votes in the order of their draws, both orders, and evidence that can be read."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest

from mashbill.runtime.checks.judge import judge
from mashbill.runtime.consult import Priced
from mashbill.runtime.verdict import Verdict

from ..scripted import Script, prompt_of

RUBRIC = """\
---
inputs: { text: str }
reply: { score: tag, why: tag }
---
{% block user %}{{ text }}{% endblock %}
"""
TWO = """\
---
inputs: { one: str, other: str }
reply: { better: tag }
---
{% block user %}A {{ one }} B {{ other }}{% endblock %}
"""
OBJECT = """\
---
inputs: { text: str }
reply: { json: verdict.json }
---
{% block user %}{{ text }}{% endblock %}
"""
SCHEMA = """\
{"type": "object", "properties": {"score": {"type": "integer"}, "why": {"type": "string"}},
 "required": ["score", "why"]}
"""
ROW = {"text": "The sea is wide.", "_doc": "d1"}


def judged(
    script: Script, row: dict[str, Any] = ROW, rubric: str = RUBRIC, **params: Any
) -> Verdict:
    given = {"pass_": "int(score) >= 4", **params}
    check: Any = judge(model="model", prompt=prompt_of(rubric), **given)  # type: ignore[arg-type]
    verdict: Verdict = asyncio.run(check(row, script.consult(None, "model")))
    return verdict


def marks(*scores: object) -> list[str]:
    return [f"<score>{score}</score><why>because</why>" for score in scores]


def test_evidence_of_a_pass() -> None:
    verdict = judged(Script(marks(5, 2, 4)), votes=3)
    assert verdict.passed
    assert verdict.evidence == {
        "yes": 2,
        "no": 1,
        "agreement": 0.667,
        "score": 3.667,
        "scores": [5.0, 2.0, 4.0],
        "why": "because",
    }


def test_the_words_are_those_of_the_majority() -> None:
    said = ["<score>5</score><why>good</why>", "<score>1</score><why>bad</why>"]
    verdict = judged(Script([*said, said[1]]), votes=3)
    assert (verdict.passed, verdict.reason) == (False, "judge")
    assert verdict.evidence["why"] == "bad"


@pytest.mark.parametrize(
    ("replies", "calls"),
    [(marks(4, 4), 2), (marks(1, 1), 2), (marks(4, 1, 4), 3), (["?", *marks(4, 4)], 3)],
)
def test_no_draw_is_paid_that_decides_nothing(replies: list[str], calls: int) -> None:
    script = Script([*replies, *marks(3, 3, 3)])
    judged(script, votes=3)
    assert [draw for _, _, draw in script.asked] == list(range(calls))


def test_draws_are_all_of_one_question() -> None:
    script = Script(marks(4, 1, 4, 1, 4))
    judged(script, votes=5)
    assert len({messages for _, messages, _ in script.asked}) == 1


def test_replies_that_cannot_be_read_are_no_votes() -> None:
    verdict = judged(Script(["Hm.", "<score></score>", *marks(2)]), votes=3)
    assert (verdict.passed, verdict.reason) == (False, "judge")
    assert verdict.evidence["unparsed"] == 2
    nothing = judged(Script(["Hm.", "Well.", "So."]), votes=3)
    assert nothing.reason == "unparsed"
    assert nothing.evidence == {"missing": ["score", "why"], "reply": "Hm."}


def test_a_tie_of_the_votes_that_can_be_read_is_no_pass() -> None:
    assert not judged(Script([*marks(5, 1), "Hm."]), votes=3).passed


def test_a_reply_that_was_cut_is_no_vote() -> None:
    verdict = judged(Script(marks(5), finish="length"))
    assert verdict.reason == "unparsed"
    assert "truncated" in verdict.evidence


def test_the_other_order_is_the_same_prompt_with_the_columns_exchanged() -> None:
    script = Script(["<better>A</better>", "<better>B</better>"])
    row = {"one": "first", "other": "second"}
    params = {"pass_": "better == 'A'", "pass_swapped": "better == 'B'", "swap": ["one", "other"]}
    assert judged(script, row, TWO, **params).passed
    assert [m[-1].content for _, m, _ in script.asked] == ["A first B second", "A second B first"]
    assert [draw for _, _, draw in script.asked] == [0, 0]


def test_a_judge_that_always_takes_the_first_is_found_out() -> None:
    row = {"one": "first", "other": "second"}
    params = {"pass_": "better == 'A'", "pass_swapped": "better == 'B'", "swap": ["one", "other"]}
    always = Script(lambda *_: "<better>A</better>")
    verdict = judged(always, row, TWO, votes=3, **params)
    assert (verdict.passed, verdict.reason) == (False, "position")
    assert verdict.evidence["position"] == 2
    assert len(always.asked) == 4  # two votes decide it, each in both orders


def test_expressions_see_the_row_as_it_is_in_both_orders() -> None:
    row = {"one": "first", "other": "second"}
    script = Script(["<better>A</better>", "<better>A</better>"])
    said = judged(script, row, TWO, swap=["one", "other"], pass_="one == 'first'")
    assert said.passed


def test_a_reply_held_to_a_schema_has_typed_fields() -> None:
    files = {"prompt.md.j2": OBJECT, "verdict.json": SCHEMA}
    from mashbill.compiler.prompts import read_prompt

    prompt, problems = read_prompt("prompt.md.j2", files.__getitem__)
    assert prompt is not None, problems
    script = Script(['{"score": 4, "why": "clear"}'])
    check: Any = judge(model="model", prompt=prompt, pass_="score >= 4")  # type: ignore[arg-type]
    verdict = asyncio.run(check(ROW, script.consult(None, "model")))
    assert verdict.passed
    assert verdict.evidence == {"yes": 1, "no": 0, "agreement": 1.0, "score": 4.0, "why": "clear"}
    assert '"integer"' in script.sampled[0]["schema"]


def test_it_says_ahead_what_it_asks_at_worst() -> None:
    row = {"one": "first", "other": "second"}
    check: Any = judge(
        model="model",  # type: ignore[arg-type]
        prompt=prompt_of(TWO),  # type: ignore[arg-type]
        pass_="better == 'A'",  # type: ignore[arg-type]
        votes=3,  # type: ignore[arg-type]
        swap=["one", "other"],  # type: ignore[arg-type]
    )
    ahead = check.prompts(row)
    split = iter(["A", "A", "B", "B", "A", "A"])
    script = Script(lambda *_: f"<better>{next(split)}</better>")
    asyncio.run(check(row, script.consult(None, "model")))
    assert isinstance(check, Priced)
    assert Counter((p, m) for p, m, _ in script.asked) == Counter(ahead)


def test_even_votes_are_refused() -> None:
    with pytest.raises(ValueError, match="odd"):
        judged(Script(marks(4)), votes=2)


def test_a_mark_that_is_no_number_is_no_score() -> None:
    verdict = judged(Script(marks("nan")), pass_="contains(why, 'because')")
    assert verdict.passed
    assert verdict.evidence["score"] == "nan"
