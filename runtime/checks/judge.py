"""A model that judges by a rubric."""

from __future__ import annotations

from collections.abc import Mapping

from ...compiler.expr import columns_read, parse_expr
from ...compiler.params import Sampling, Swap
from ...compiler.registry import ONE, Case, Count, Expression, Model, Prompt, check
from ..consult import ModelCheck
from ..verdict import Row

_RUBRIC = """\
---
inputs: { text: str }
reply: { score: tag, why: tag }
---
{% block user %}How clear is this, from 1 to 5? Write <score>…</score> and <why>…</why>.

{{ text }}{% endblock %}
"""
_TWO = """\
---
inputs: { text: str, input.text: str }
reply: { better: tag }
---
{% block user %}A: {{ text }}
B: {{ input.text }}
Which is clearer? Write <better>A</better> or <better>B</better>.{% endblock %}
"""
_ASKS = {"model": "judge", "prompt": "judge.md.j2", "pass": "int(score) >= 4"}
_COMPARES = {
    "model": "judge",
    "prompt": "clearer.md.j2",
    "pass": "better == 'A'",
    "pass_swapped": "better == 'B'",
    "swap": ["text", "input.text"],
}
_ROW = {"text": "The sea is wide.", "input.text": "Wide is the sea, is it not?"}


_FILES = {"judge.md.j2": _RUBRIC, "clearer.md.j2": _TWO}


def _case(params: Mapping[str, object], expect: bool | str, *replies: str) -> Case:
    path = str(params["prompt"])
    return Case(params, _ROW, expect, replies=replies, files={path: _FILES[path]})


def _said(*marks: int) -> tuple[str, ...]:
    return tuple(f"<score>{mark}</score><why>it is short</why>" for mark in marks)


@check(
    version=2,
    cost="model",
    packages=("polars",),
    cases=(
        _case(_ASKS, True, *_said(4)),
        _case(_ASKS, "judge", *_said(3)),
        _case(_ASKS, "unparsed", "Very clear!"),
        _case({**_ASKS, "votes": 3}, True, *_said(5, 2, 4)),
        _case({**_ASKS, "votes": 3}, "judge", *_said(1, 2)),
        _case({**_ASKS, "votes": 3}, True, "Hm.", *_said(5, 5)),
        _case(_COMPARES, True, "<better>A</better>", "<better>B</better>"),
        _case(_COMPARES, "position", "<better>A</better>", "<better>A</better>"),
        _case(_COMPARES, "judge", "<better>B</better>", "<better>A</better>"),
    ),
)
def judge(
    model: Model,
    prompt: Prompt,
    pass_: Expression,
    votes: Count = ONE,
    swap: Swap | None = None,
    pass_swapped: Expression | None = None,
    sampling: Sampling | None = None,
) -> ModelCheck:
    """Ask a model by a rubric, and pass the rows for which its reply says yes.

    The rubric is a prompt file whose `reply` declares the verdict: tags (texts, so `int(score)`),
    or `{ json: … }`. The expression reads these fields and the row's columns. A reply of another
    shape is no vote. Evidence holds the votes, their agreement, the mean of the field `score`, and
    the judge's words. A judge that shares the writer's weights prefers its own words (Panickssery
    et al., 2404.13076), and judges prefer the first of two texts or the second (Zheng et al.,
    2306.05685): hence `swap`.

    Args:
        model: The judge.
        prompt: The rubric.
        pass_: What must be true of its reply: `score >= 4`.
        votes: Draws of the reply; an odd number. The majority decides, and draws that could not
            change it any more are not asked for.
        swap: Two columns that the prompt shows: it is asked in both orders, and both must pass.
        pass_swapped: What must be true of the reply where the two have changed places, if that is
            something else than `pass`: `better == 'B'` where `pass` is `better == 'A'`.
        sampling: How replies are drawn, laid over the model's own `sampling`.

    Raises:
        ValueError: For an even number of votes.
    """
    from ..scoring.judging import Judge, Passes
    from .expr import expr

    if votes % 2 == 0:
        raise ValueError("`votes` is an odd number, so that there is a majority")
    if isinstance(prompt, str):
        raise ValueError("`prompt` is a prompt file that has been read")

    def passes(expression: Expression) -> Passes:
        decide = expr(expression)

        def holds(row: Row) -> bool:
            return decide(row).passed

        return holds

    fields = [name for name, _ in prompt.reply]
    parsed, _ = parse_expr(pass_)
    read = columns_read(parsed, fields) if parsed else frozenset[str]()
    score = "score" if "score" in fields else next((n for n in fields if n in read), None)
    first, second = swap or ("", "")
    return Judge(
        prompt=prompt,
        passes=passes(pass_),
        passes_swapped=passes(pass_swapped or pass_),
        votes=votes,
        swap=(first, second) if swap else None,
        score=score,
    )
