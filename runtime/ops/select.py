"""A choice among the draws of each source row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import groupby
from typing import TYPE_CHECKING, Any, Literal

from ...compiler.registry import Column, Count, Rank, Share, step
from ..voting.answers import Compare, answer_of
from ..voting.choice import Choice, Draw, Rule, choose
from ..voting.tally import Vote

if TYPE_CHECKING:
    import polars as pl

    from ..gather import Gather, Gathered
    from ..voting.holes import Hole

Drop = Literal["all_agree", "none_agree"]


class Take(int):
    """How many draws of a source row go on; a recipe may write `all`."""

    __schema__: Mapping[str, Any] = {
        "description": "How many: 1, or `all`.",
        "type": ["integer", "string"],
        "minimum": 1,
        "pattern": "^all$",
    }


FIRST, ANY_SHARE = Take(1), Share(0.0)


@step(stage="gather", version=1, reads=("_draw",), writes=("_agree", "_votes"))
def select(
    vote: Column | None = None,
    min_agree: Share = ANY_SHARE,
    compare: Compare = "answer",
    drop: list[Drop] | None = None,
    by: Rank | None = None,
    take: Take = FIRST,
    rows: Count | None = None,
    candidates: Count | None = None,
) -> Any:
    """Choose among the draws of each source row: by vote, by rank, or the first.

    Draws are looked at in their order, whatever order they were made in. With `vote`, the winner is
    the most frequent value over the shortest prefix of draws that decides it: no later draw could
    change who wins, whether it reaches `min_agree`, or whether `take` of its rows are there (with
    `take: all` that takes every draw). A tie goes to the value that was drawn first. Of all draws
    of a row, those that failed a check or gave no value count as draws that do not agree. Rows that
    agree get `_agree`, the share of the draws looked at that did, and `_votes`, how many.

    Behind a `cot` that nobody else reads, the `cot` stops drawing as soon as the vote is decided:
    the rows are the same, and the later calls are saved.

    Without `vote`, all rows take part; without `by` too, the lowest draw goes on: behind a `verify`
    that is the first correct one. Equal rows of a source are two rows.

    A row whose draws are not all there, since an engine or a check failed, waits unless the draws
    before the gap decide: it ends as the error `waits`, and another run settles it.

    Reasons of rejected rows: `outvoted`, `not_best`, `late` (drawn when the vote was decided),
    `no_vote` (no value), `min_agree`, `all_agree`, `none_agree`.

    Args:
        vote: The column whose most frequent value wins.
        min_agree: Share of all draws of a row that the winner needs; 0 for any.
        compare: What makes two values one vote: `answer` reads text as mathematics where it can, so
            that `1/2` and `0.5` are one; `text` takes it as it stands.
        drop: Rows to drop: `all_agree`, on which all draws agree (too easy to learn from);
            `none_agree`, on which no two do (too hard, or not to be answered).
        by: The expression whose largest value is best, as in `-tokens(reasoning)`; null is worst,
            and ties go to the lowest draw.
        take: How many of the rows that are left go on, the best first, or `all`.
        rows: Stop when so many source rows are accepted. They are drawn in the order of `_doc`, no
            more of them than needed.
        candidates: With `rows`, how many source rows may be drawn at most.
    """
    most = None if str(take) == "all" else int(take)
    ranks: Any = by  # lowered: no text any more

    def build(draws: int) -> Gather:
        voting = None
        if vote is not None:
            voting = Vote(draws, min_agree, most, frozenset(drop or ()))
        rule = Rule(voting, by is not None, most)

        def gather(frame: pl.DataFrame, holes: Callable[[int], Hole | None]) -> Gathered:
            return _gathered(frame, holes, rule, vote, compare, ranks)

        return gather

    return build


def _gathered(
    frame: pl.DataFrame,
    holes: Callable[[int], Hole | None],
    rule: Rule,
    vote: str | None,
    compare: Compare,
    by: Callable[[pl.DataFrame], pl.Expr] | None,
) -> Gathered:
    """Choose in each group of a frame."""
    import polars as pl

    from ..gather import Gathered
    from ..kernel import REASON
    from ..rows import ORDER

    if "_draw" not in frame.columns:
        frame = frame.with_columns(pl.lit(None, pl.Int64).alias("_draw"))
    frame = frame.sort(ORDER, "_draw", "_id")
    numbers = frame["_draw"].to_list()
    answers: list[Any] = [None] * frame.height
    if vote is not None:
        answers = [answer_of(value, compare) for value in frame[vote].to_list()]
    ranks: list[Any] = [None] * frame.height
    if by is not None:
        ranks = frame.with_columns(by(frame).cast(pl.Float64).alias(RANK))[RANK].to_list()
    reasons: list[str] = []
    agree: list[float | None] = []
    votes: list[int | None] = []
    accepted: set[int] = set()
    rows = zip(frame[ORDER].to_list(), numbers, answers, ranks, strict=True)
    for order, members in groupby(rows, key=lambda row: int(row[0])):
        group = [Draw(number, answer, rank) for _, number, answer, rank in members]
        hole = holes(order)
        choice = choose(group, rule, None if hole is None else hole.draw)
        if choice is None:
            choice = Choice((PENDING if hole and hole.pending else WAITING,) * len(group))
        if choice.accepted:
            accepted.add(order)
        reasons += choice.reasons
        ruling = choice.ruling
        agree += [ruling.share if ruling else None] * len(group)
        votes += [ruling.votes if ruling else None] * len(group)
    reason = pl.Series(REASON, reasons, pl.String)
    kept = frame
    if vote is not None:
        kept = frame.with_columns(
            pl.Series("_agree", agree, pl.Float64), pl.Series("_votes", votes, pl.Int64)
        )
    apart = reason.is_in([PENDING, WAITING])
    return Gathered(
        kept.filter(reason == ""),
        frame.with_columns(reason).filter((reason != "") & ~apart),
        frame.filter(reason == WAITING),
        frame.filter(reason == PENDING),
        frozenset(accepted),
    )


RANK = "="
"""The name of no column."""
PENDING, WAITING = "\x00pending", "\x00waiting"
"""No reasons: the group is not settled."""
