"""The fact check of rewrites."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

from ...compiler.registry import Case, Column, Share, check
from ..verdict import Check, Row, Verdict

_TEXT = Column("text")
_INPUT = Column("input.text")
_SOURCE = (
    "The Forth Bridge opened in March 1890 and cost £3.2 million. Sir John Fowler designed it with "
    "Benjamin Baker. Trains do not stop on the bridge, which carries 200 of them a day."
)


def _case(text: str, expect: bool | str, source: str = _SOURCE, **params: Any) -> Case:
    return Case(params, {"text": text, "input.text": source}, expect)


@check(
    version=1,
    cases=(
        _case(_SOURCE, True),
        _case(
            "Opened in March 1890, the Forth Bridge cost £3,200,000. Sir John Fowler and Benjamin "
            "Baker designed it. The bridge carries 200 trains a day, which do not stop on it.",
            True,
        ),
        _case(" \n", "empty"),
        _case("I'm sorry, I cannot help with that.", "refusal"),
        _case(f"Here's a rewritten version of the text:\n\n{_SOURCE}", "meta_talk"),
        _case(f"{_SOURCE}\n\nI've made it more concise and changed the wording.", "meta_talk"),
        _case(f"{_SOURCE} Trains do not stop on it. Trains do not stop on it.", "loop"),
        _case(_SOURCE.replace("1890", "1980"), "number_invented"),
        _case(_SOURCE.replace("3.2 million", "3.2"), "number_invented"),
        _case(_SOURCE.replace("in March 1890 ", "").replace("£3.2 million", "much"), "number_lost"),
        _case(_SOURCE.replace("Baker", "Franklin"), "name_invented"),
        _case(_SOURCE.replace("Sir John Fowler", "He"), "name_lost", style="sentence"),
        _case(_SOURCE.replace("do not stop", "stop"), "negation"),
        _case(_SOURCE.replace("opened in", "should have opened in"), "obligation"),
        _case(f"{_SOURCE[:-1]}, because it is safe.", "claim"),
        _case("Sir John Fowler designed it.", "coverage", names=0.5),
        _case(
            _SOURCE.replace("it with", "it from steel with the famous engineer"),
            "novelty",
        ),
        _case(
            "March 1890 in opened Bridge Forth cost the and £3.2 million. Sir John Fowler designed "
            "it with Benjamin Baker. Trains do not stop on the bridge.",
            "garbled",
        ),
        _case(
            "The emergence of mobile gaming has made mobile gaming essential.",
            "repetition",
            source="The emergence of mobile gaming has made cloud computing essential.",
        ),
        _case(_SOURCE.replace("200", "many"), True),
        _case(_SOURCE.replace("200", "many"), "number_lost", numbers=0.9),
    ),
)
def facts(
    got: Column = _TEXT,
    source: Column = _INPUT,
    style: Literal["rewrite", "sentence"] = "rewrite",
    numbers: Share | None = None,
    names: Share | None = None,
    coverage: Share | None = None,
    novelty: Share | None = None,
) -> Check:
    """Hold a rewrite to its source: nothing invented, nothing turned, enough kept.

    Invented numbers and names, talk about the rewriting, loops and turned statements are never
    allowed; the parameters say how much may be lost or put in other words.

    Args:
        got: The rewrite.
        source: The text that it was made from.
        style: `rewrite` for passages, which may leave a part out; `sentence` for single sentences.
            It sets what the parameters below do not.
        numbers: Least share kept of the numbers of those sentences that the rewrite retells.
        names: The same of the names.
        coverage: Least share of the source's content words that the rewrite has.
        novelty: Largest share of a sentence's content words that the source does not have where it
            says the like. Raise it for models that paraphrase freely.
    """
    from ..facts.gate import STYLES, judge

    set_here = {"numbers": numbers, "names": names, "coverage": coverage, "novelty": novelty}
    given = {name: float(value) for name, value in set_here.items() if value is not None}
    limits = replace(STYLES[style], **given)

    def verdict(row: Row) -> Verdict:
        return judge(str(row[got] or ""), str(row[source] or ""), limits)

    return verdict
