"""The steps of the fact gate that ask models: what they ask, in what order, what they say."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from mashbill.runtime.checks.facts import facts
from mashbill.runtime.consult import Priced
from mashbill.runtime.facts.model_inference import judge_support
from mashbill.runtime.facts.model_windows import WORDS, sentences_of, windows_of
from mashbill.runtime.requests import Message
from mashbill.runtime.verdict import Verdict

from ..scripted import Script, prompt_of

SOURCE = (
    "The Forth Bridge opened in March 1890. Sir John Fowler designed it with Benjamin Baker. "
    "Trains do not stop on the bridge."
)
SHORTER = "The Forth Bridge opened in March 1890. Sir John Fowler designed it with Benjamin Baker."
ROW = {"text": SHORTER, "input.text": SOURCE, "_doc": "d"}
YES, NO = "<supported>yes</supported>", "<supported>no</supported>"
LISTED = "- It opened in 1890.\n- Fowler designed it.\n- Trains do not stop there."


def judged(script: Script, row: dict[str, Any] = ROW, **params: Any) -> Verdict:
    named = {n: n for n in ("embedder", "nli", "judge") if n in params}
    check: Any = facts(**{**params, **named})
    return asyncio.run(check(row, script.consult(None, "embedder", "nli", "judge")))


def by_param(**says: Callable[[str], str]) -> Callable[[str, tuple[Message, ...], int], str]:
    return lambda param, messages, _: says[param]("\n".join(m.content for m in messages))


def labels(**of: str) -> Callable[[str], str]:
    """Lists key points, and labels each by the word that it holds."""

    def say(asked: str) -> str:
        if "List the key points" in asked:
            return LISTED
        if "<statement>" not in asked:
            return YES
        point = asked.rpartition("<statement>")[2]
        return f"<label>{next((v for k, v in of.items() if k in point), 'supported')}</label>"

    return say


def test_without_models_nothing_is_asked() -> None:
    check: Any = facts()
    assert check(ROW).passed


def test_no_model_is_asked_about_what_a_free_rule_rejects() -> None:
    script = Script([])
    row = {**ROW, "text": SHORTER.replace("1890", "1980")}
    verdict = judged(script, row, nli="n", judge="j")
    assert (verdict.reason, script.asked) == ("number_invented", [])


def test_cheap_steps_come_first_and_the_first_failure_ends_it() -> None:
    script = Script(
        by_param(
            embedder=lambda _: "[1, 0]",
            nli=lambda _: '{"entailment": 0.2, "neutral": 0.8, "contradiction": 0}',
            judge=lambda _: YES,
        )
    )
    verdict = judged(script, embedder="e", similarity=[0.5, 1.0], nli="n", judge="j")
    assert verdict.reason == "unsupported"
    assert [param for param, _, _ in script.asked] == ["embedder"] * 2 + ["nli"] * 2
    assert verdict.evidence["sentence"] == "The Forth Bridge opened in March 1890."


def test_evidence_of_all_steps_is_kept_where_all_pass() -> None:
    script = Script(
        by_param(
            embedder=lambda _: "[1, 0]",
            nli=lambda _: '{"entailment": 0.9, "neutral": 0.1, "contradiction": 0}',
            judge=labels(),
        )
    )
    verdict = judged(
        script, embedder="e", similarity=[0.5, 1.0], nli="n", judge="j", key_points=0.8
    )
    assert verdict.passed, verdict
    for name, value in {"similarity": 1.0, "support": 0.9, "recall": 1.0, "points": 3}.items():
        assert verdict.evidence[name] == value


def test_the_stretch_that_supports_a_sentence_most_counts() -> None:
    long = " ".join(f"Mill {n} stood by the river and ground the corn." for n in range(80))

    def nli(asked: str) -> str:
        premise = asked.rpartition("\n")[0]
        knows = "Mill 7 " in premise
        return (
            '{"entailment": 0.97, "neutral": 0.03, "contradiction": 0}'
            if knows
            else '{"entailment": 0.01, "neutral": 0.1, "contradiction": 0.89}'
        )

    script = Script(by_param(nli=nli), context=128)
    consult = script.consult(None, "nli")
    verdict = asyncio.run(judge_support("Mill 7 stood by the river.", long, 0.95, consult))
    assert verdict.passed, verdict
    assert len(script.asked) > 5  # the source does not fit at once


def test_a_contradiction_is_named_with_its_sentence() -> None:
    def nli(asked: str) -> str:
        denied = asked.endswith("Benjamin Baker.")
        first, second = (0.0, 0.9) if denied else (0.9, 0.0)
        return f'{{"entailment": {first}, "neutral": 0.1, "contradiction": {second}}}'

    verdict = judged(Script(by_param(nli=nli)), nli="n", support=0.1)
    assert verdict.reason == "contradicted"
    assert verdict.evidence["sentence"].startswith("Sir John Fowler")


def test_a_judge_says_which_sentence_is_not_borne_out() -> None:
    def judge(asked: str) -> str:
        return NO if "<sentence>Sir John" in asked else YES

    verdict = judged(Script(by_param(judge=judge)), judge="j")
    assert verdict.reason == "unsupported"
    assert verdict.evidence["sentence"].startswith("Sir John Fowler")
    assert verdict.evidence["supported"] == 0.5
    assert judged(Script(by_param(judge=judge)), judge="j", support=0.5).passed


@pytest.mark.parametrize("said", ["Perhaps.", "", "<supported>maybe</supported>"])
def test_a_judge_that_says_nothing_passes_nothing(said: str) -> None:
    assert judged(Script(lambda *_: said), judge="j").reason == "unparsed"


def test_own_words_for_the_judge_see_passage_sentence_and_row() -> None:
    own = prompt_of(
        "---\ninputs: { passage: str, sentence: str, text: str }\nreply: { supported: tag }\n---\n"
        "{% block user %}{{ sentence }} | {{ passage }} | {{ text }}{% endblock %}"
    )
    script = Script(lambda *_: YES)
    assert judged(script, judge="j", judge_prompt=own).passed
    first = script.asked[0][1][-1].content
    assert first == f"The Forth Bridge opened in March 1890. | {SOURCE} | {SHORTER}"


def test_key_points_are_the_same_question_for_every_rewrite() -> None:
    other = {**ROW, "text": SOURCE}
    first, second = Script(by_param(judge=labels())), Script(by_param(judge=labels()))
    judged(first, judge="j", key_points=0.5)
    judged(second, other, judge="j", key_points=0.5)
    listing = [[m for _, m, _ in s.asked if "List the key points" in m[0].content]
               for s in (first, second)]  # fmt: skip
    assert listing[0] == listing[1]
    assert len(listing[0]) == 1


@pytest.mark.parametrize(
    ("of", "least", "reason", "named"),
    [
        ({"Trains": "omitted"}, 0.6, "", []),
        ({"Trains": "omitted"}, 0.7, "point_omitted", ["Trains do not stop there."]),
        ({"Fowler": "contradicted"}, 0.1, "point_contradicted", ["Fowler designed it."]),
    ],
)
def test_key_points(of: dict[str, str], least: float, reason: str, named: list[str]) -> None:
    verdict = judged(Script(by_param(judge=labels(**of))), judge="j", key_points=least)
    assert verdict.reason == reason, verdict
    assert verdict.evidence.get(reason.removeprefix("point_"), []) == named


def test_an_embedding_of_a_long_text_is_the_mean_of_its_stretches() -> None:
    long = " ".join(f"Mill {n} stood by the river and ground the corn." for n in range(60))
    row = {"text": long, "input.text": long}
    script = Script(
        lambda _, m, __: "[1, 0]" if "Mill 0 " in m[0].content else "[0, 1]", context=128
    )
    verdict = judged(script, row, embedder="e", similarity=[0.99, 1.0])
    assert verdict.passed, verdict
    assert len(script.asked) > 4


def test_it_says_ahead_what_it_asks_at_worst() -> None:
    check: Any = facts(
        embedder="e",  # type: ignore[arg-type]
        similarity=[0.5, 1.0],
        nli="n",  # type: ignore[arg-type]
        judge="j",  # type: ignore[arg-type]
        key_points=0.8,  # type: ignore[arg-type]
    )
    assert isinstance(check, Priced)
    asked = [param for param, _ in check.prompts(ROW)]
    assert asked == ["embedder"] * 2 + ["nli"] * 2 + ["judge"] * (2 + 1 + 8)


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"embedder": "e"}, "come together"),
        ({"similarity": [0.8, 0.98]}, "come together"),
        ({"embedder": "e", "similarity": [0.9, 0.8]}, "least and the largest"),
        ({"key_points": 0.8}, "need a `judge`"),
    ],
)
def test_halves_are_refused(params: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        facts(**params)


def count(texts: Any) -> list[int]:
    return [len(text.split()) for text in texts]


def test_windows_cover_everything_within_the_room() -> None:
    text = (
        " ".join(f"Mill {n} stood by the river." for n in range(40)) + " " + "corn " * 90 + "end."
    )
    windows = windows_of(text, 30, count)
    assert all(count([window])[0] <= 30 for window in windows)
    assert {w for window in windows for w in window.split()} == set(text.split())
    for one, other in pairwise(windows[:6]):
        assert sentences_of(one)[-1] == sentences_of(other)[0]


def test_windows_are_never_longer_than_what_is_known_to_work() -> None:
    text = " ".join(f"Mill {n} stood by the river." for n in range(400))
    assert max(count(windows_of(text, None, count))) <= WORDS
    assert windows_of("Short.", None, count) == ("Short.",)
    assert windows_of(" \n ", 10, count) == ()
