"""Each style holds a good rewrite of its kind, and names what breaks a bad one."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from mashbill.runtime.facts.gate import LADDER, STYLES, Style, judge

SOURCE = (
    "The Forth Bridge is a railway bridge across the Firth of Forth in Scotland, west of central "
    "Edinburgh. It opened on 4 March 1890 and spans 2,467 metres. John Fowler and Benjamin Baker "
    "designed it. The bridge carries up to 200 trains every day, and painting it took so long that "
    "it became a byword for work without an end."
)

GOOD: list[tuple[Style, str]] = [
    (
        "rewrite",
        "The Forth Bridge is a railway bridge across the Firth of Forth, west of central Edinburgh "
        "in Scotland. Opened on March 4th, 1890, it spans 2.467 km. Benjamin Baker and John "
        "Fowler designed it. The bridge carries up to 200 trains every day.",
    ),
    (
        "distill",
        "The Forth Bridge, designed by John Fowler and Benjamin Baker, opened on 4 March 1890 and "
        "carries up to 200 trains every day.",
    ),
    (
        "tutorial",
        "Let us look at a railway bridge. You will find the Forth Bridge west of central "
        "Edinburgh, across the Firth of Forth. John Fowler and Benjamin Baker designed it, so "
        "remember both names. It opened on 4 March 1890, and it carries up to 200 trains every day",
    ),
    (
        "qa",
        "Q: Who designed the Forth Bridge?\nA: John Fowler and Benjamin Baker designed it.\n\n"
        "Q: When did it open?\nA: It opened on 4 March 1890.",
    ),
    ("claim", "The bridge carries up to 200 trains a day. It opened on 4 March 1890."),
]


@pytest.mark.parametrize(("style", "text"), GOOD)
def test_good_of_its_style(style: Style, text: str) -> None:
    verdict = judge(text, SOURCE, STYLES[style])
    assert verdict.passed, (verdict.reason, verdict.evidence)
    assert 0 < verdict.evidence["score"] <= 1


@pytest.mark.parametrize(("style", "text"), GOOD)
def test_an_invented_year_or_name_breaks_any_style(style: Style, text: str) -> None:
    swapped = text.replace("1890", "1891")
    assert swapped == text or judge(swapped, SOURCE, STYLES[style]).reason == "number_invented"
    named = text.replace("Baker", "Franklin").replace("March", "Castleton")
    assert judge(named, SOURCE, STYLES[style]).reason == "name_invented"


def test_questions_are_not_measured_but_their_numbers_are() -> None:
    text = "Q: Was it open by 1888?\nA: It opened on 4 March 1890."
    assert judge(text, SOURCE, STYLES["qa"]).reason == "number_invented"


def test_a_good_tutorial_is_no_faithful_rewrite() -> None:
    text = dict(GOOD)["tutorial"]
    assert not judge(text, SOURCE, STYLES["rewrite"]).passed


def test_every_free_reason_is_a_rule() -> None:
    reasons = {reason for rules in LADDER.values() for reason in rules}
    for limits in STYLES.values():
        assert limits.free <= reasons


def test_limits_are_parameters_of_the_check() -> None:
    import inspect

    from mashbill.runtime.checks.facts import facts

    named = {field.name for field in fields(STYLES["rewrite"])}
    assert named - {"free", "reckons", "answers"} <= set(inspect.signature(facts).parameters)


def test_copies_and_clauses_count_only_when_asked_for() -> None:
    limits = STYLES["rewrite"]
    assert judge(SOURCE, SOURCE, limits).passed
    assert judge(SOURCE, SOURCE, replace(limits, copied=0.8)).reason == "copied"
    verdict = judge(SOURCE, SOURCE, replace(limits, span=50))
    assert verdict.reason == "copied"
    assert verdict.evidence["words"] > 50
    cut = SOURCE.replace(", and painting it took so long that it became a byword for work without "
                         "an end", "")  # fmt: skip
    assert judge(cut, SOURCE, limits).passed
    strict = judge(cut, SOURCE, replace(limits, clauses=0.95))
    assert strict.reason == "clause_dropped"
    assert strict.evidence["dropped"]
    assert judge(
        "Wholly new words, said here, about it.", SOURCE, replace(limits, fresh=0.9)
    ).reason


def test_unfinished_only_where_the_source_ends() -> None:
    limits = replace(STYLES["rewrite"], shortest=0, coverage=0, names=0, numbers=0)
    assert judge("The Forth Bridge is a railway bridge across the", SOURCE, limits).reason == (
        "unfinished"
    )
    listed = "- The Forth Bridge\n- A railway bridge"
    assert judge(listed, SOURCE, limits).reason != "unfinished"
    assert judge("The Forth Bridge", "The Forth Bridge", limits).passed


def test_stuttering_is_a_loop() -> None:
    text = f"{SOURCE} The bridge is a bridge that is a bridge that is a bridge that is a bridge."
    assert judge(text, SOURCE, STYLES["rewrite"]).reason == "loop"


def test_another_language() -> None:
    russian = "Мост через реку открыли весной, по нему каждый день ходят поезда в столицу."
    limits = replace(STYLES["rewrite"], shortest=0)
    assert judge(russian, SOURCE, limits).reason == "language"
    assert judge(russian, russian, limits).passed
