"""The fact check of rewrites."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal, cast

from ...compiler.registry import Case, Column, Count, Model, Pace, Prompt, Ratio, Share, check
from ..consult import ModelCheck
from ..verdict import Check, Row, Verdict

_TEXT = Column("text")
_INPUT = Column("input.text")
_SUPPORT = Share(0.95)
_SOURCE = (
    "The Forth Bridge opened in March 1890 and cost £3.2 million. Sir John Fowler designed it with "
    "Benjamin Baker. Trains do not stop on the bridge, which carries 200 of them a day."
)


def _case(text: str, expect: bool | str, source: str = _SOURCE, **params: Any) -> Case:
    return Case(params, {"text": text, "input.text": source}, expect)


_ENTAILED = '{"entailment": 0.9, "neutral": 0.1, "contradiction": 0.0}'
_UNSAID = '{"entailment": 0.1, "neutral": 0.9, "contradiction": 0.0}'
_DENIED = '{"entailment": 0.0, "neutral": 0.1, "contradiction": 0.9}'
_NEAR = {"embedder": "m", "similarity": [0.8, 0.98]}
_POINTS = {"judge": "m", "key_points": 0.8}
_BORNE_OUT = ("<supported>yes</supported>",) * 3
_LISTED = "- The bridge opened in 1890.\n- It cost £3.2 million."


def _asking(expect: bool | str, *replies: str, **params: Any) -> Case:
    row = {"text": _SOURCE, "input.text": _SOURCE}
    return Case(params, row, expect, replies=replies)


_MODEL_CASES = (
    _asking(True, "[1, 0]", "[0.9, 0.43589]", **_NEAR),
    _asking("unlike", "[1, 0]", "[0, 1]", **_NEAR),
    _asking("too_like", "[1, 0]", "[1, 0]", **_NEAR),
    _asking(True, _ENTAILED, _ENTAILED, _ENTAILED, nli="m"),
    _asking("unsupported", _ENTAILED, _UNSAID, _ENTAILED, nli="m"),
    _asking("contradicted", _ENTAILED, _DENIED, _ENTAILED, nli="m"),
    _asking(True, *_BORNE_OUT, judge="m"),
    _asking("unsupported", "<supported>no</supported>", *_BORNE_OUT, judge="m"),
    _asking(True, *_BORNE_OUT, _LISTED, *2 * ("<label>supported</label>",), **_POINTS),
    _asking(
        "point_contradicted",
        *(*_BORNE_OUT, _LISTED, "<label>supported</label>", "<label>contradicted</label>"),
        **_POINTS,
    ),
    _asking(
        "point_omitted",
        *(*_BORNE_OUT, _LISTED, "<label>supported</label>", "<label>omitted</label>"),
        **_POINTS,
    ),
)


@check(
    version=2,
    pace=Pace(row=200e-6, byte=1.2e-6),
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
        _case("Sir John Fowler designed it.", "coverage", names=0.5, shortest=0),
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
        _case(_SOURCE.replace("£3.2 million", "$3.2 million"), "number_invented"),
        _case(
            "Opened on 3 May 1902, the pipe is 5 km long and twelve inches wide.",
            True,
            source="The pipe is 5,000 metres long and 12\u2033 wide. It opened on May 3rd, 1902.",
            style="sentence",
        ),
        _case("It opened in 1890. In 1883 it was", "unfinished", source="It was built. " * 2),
        _case(
            "Le pont a ouvert en mars et ne sert que pour les trains qui vont vers le nord.",
            "language",
        ),
        _case("The Forth Bridge.", "too_short"),
        _case(_SOURCE, "too_long", longest=0.8),
        _case(
            "Ada has 7 boxes in Leeds. Bob has 9 boxes in York.",
            "number_moved",
            source="Ada has 9 boxes in Leeds. Bob has 9 boxes in York. Eve has 7 cars.",
        ),
        _case(
            "In spring the old hall was sold to Zenith. Orion makes clocks in Leeds.",
            "name_moved",
            source="In spring the old hall was sold to Orion. Zenith makes clocks in Leeds.",
        ),
        _case(
            "Sales rose by a fifth after the fair.",
            "direction",
            source="Sales fell by a fifth after the fair.",
        ),
        _case("York beat Leeds in the cup.", "role", source="Leeds beat York in the cup."),
        _case("Cats sleep by day.", "hedge", source="Most cats sleep by day."),
        _case("All cats sleep by day.", "overstated", source="Cats sleep by day."),
        _case(
            "The mill is by the river. It was sold to farmers.",
            "reference",
            source="The mill is by the river. Next stood Orion, an inn. It was sold to farmers.",
        ),
        _case(_SOURCE, "copied", copied=0.8),
        _case(_SOURCE, "copied", span=12),
        _case(
            "The Forth Bridge opened in March 1890 and cost £3.2 million.",
            "clause_dropped",
            clauses=0.9,
            source="The Forth Bridge opened in March 1890 and cost £3.2 million, while the older "
            "ferry kept carrying farmers and their cattle over.",
        ),
        _case(_SOURCE.replace("a day", "daily now"), "score", score=0.99, novelty=0.5),
        _case(
            "3 bags of 4 apples are 3 x 4 = 12 apples.",
            True,
            source="Ada has 3 bags with 4 apples each. How many apples has she?",
            style="math",
        ),
        _case(
            "3 bags of 4 apples are 3 x 4 = 13 apples.",
            "number_invented",
            source="Ada has 3 bags with 4 apples each. How many apples has she?",
            style="math",
        ),
        *_MODEL_CASES,
    ),
    makes=("passage", "sentence"),
    tasks={"embedder": ("embed",), "nli": ("nli",)},
)
def facts(
    got: Column = _TEXT,
    source: Column = _INPUT,
    style: Literal["rewrite", "sentence", "distill", "tutorial", "qa", "math", "claim"] = "rewrite",
    numbers: Share | None = None,
    names: Share | None = None,
    coverage: Share | None = None,
    novelty: Share | None = None,
    disorder: Share | None = None,
    repetition: Share | None = None,
    clauses: Share | None = None,
    shortest: Ratio | None = None,
    longest: Ratio | None = None,
    copied: Share | None = None,
    fresh: Share | None = None,
    span: Count | None = None,
    score: Share | None = None,
    embedder: Model | None = None,
    similarity: list[float] | None = None,
    nli: Model | None = None,
    judge: Model | None = None,
    judge_prompt: Prompt | None = None,
    support: Share = _SUPPORT,
    key_points: Share | None = None,
) -> Check | ModelCheck:
    """Hold a rewrite to its source: nothing invented, nothing turned, enough kept.

    Invented numbers and names, talk about the rewriting, loops and turned statements are never
    allowed; the parameters say how much may be lost or put in other words. It looks at words, not
    at what they mean: a false statement made of the source's own words, or one wrong word for
    another, passes. `runtime/facts/README.md` has the measured error rates; English only, but for
    numbers, names and loops.

    Args:
        got: The rewrite.
        source: The text that it was made from.
        style: `rewrite` for passages, which may leave a part out; `sentence` for single sentences;
            `distill` for shorter versions, `tutorial` for texts that speak to their reader, `qa`
            for questions with answers, `math` for solutions (values that right arithmetic derives
            count as given), `claim` for a statement about a long text. It sets what the parameters
            below do not.
        numbers: Least share kept of the numbers of those sentences that the rewrite retells.
        names: The same of the names.
        coverage: Least share of the source's content words that the rewrite has.
        novelty: Largest share of a sentence's content words that the source does not have where it
            says the like. Raise it for models that paraphrase freely.
        disorder: Largest share of a sentence's neighbouring words that are no neighbours in the
            source. Raise it likewise.
        repetition: Largest share of a sentence's content words that it says again.
        clauses: Least share of the source's clauses that the rewrite has at least half of; no
            limit unless set.
        shortest: Least number of words for each word of the source.
        longest: Largest number of words for each word of the source.
        copied: Largest share of runs of four words that are the source's, `0.8`; not unless set.
        fresh: Largest share of runs of four words that are not, `0.9`; not unless set.
        span: Largest number of words in a row that are the source's, `50`; not unless set.
        score: Least score, from 0 to 1, of what passes all else; every verdict of the last step has
            it in its evidence, so that `mashbill calibrate` can find it for a precision.
        embedder: A model with `task: embed`. It and the models below are asked in this order, once
            all that asks nobody has passed.
        similarity: Least and largest cosine of the two texts, `[0.8, 0.98]`; every embedder has
            bounds of its own, which `mashbill calibrate` finds.
        nli: A model with `task: nli`: no sentence may be contradicted, and enough be entailed.
        judge: A model that writes, and says of each sentence whether the source bears it out.
        judge_prompt: How it is asked, in place of the words that come with the check: a prompt with
            the inputs `passage` and `sentence` whose reply has the field `supported`, yes or no.
        support: Least share of the sentences that `nli` and `judge` each find borne out.
        key_points: Least share kept of the source's key points, which the judge lists once for each
            source; none may be contradicted.
    """
    from ..facts.gate import STYLES
    from ..facts.gate import judge as decide

    set_here = {
        "numbers": numbers,
        "names": names,
        "coverage": coverage,
        "novelty": novelty,
        "disorder": disorder,
        "repetition": repetition,
        "clauses": clauses,
        "shortest": shortest,
        "longest": longest,
        "copied": copied,
        "fresh": fresh,
        "span": span,
        "score": score,
    }
    given: dict[str, Any] = {name: value for name, value in set_here.items() if value is not None}
    limits = replace(STYLES[style], **given)

    def verdict(row: Row) -> Verdict:
        return decide(str(row[got] or ""), str(row[source] or ""), limits)

    asked = (embedder, similarity, nli, judge, judge_prompt, key_points)
    if all(given is None for given in asked):
        return verdict
    from ..facts.model_gate import model_gate

    return model_gate(
        got,
        source,
        {"got": got, "source": source, "style": style, **set_here},
        embedder=embedder,
        similarity=similarity,
        nli=nli,
        judge=judge,
        judge_prompt=cast(Any, judge_prompt),  # read, by now
        support=float(support),
        key_points=key_points,
    )
