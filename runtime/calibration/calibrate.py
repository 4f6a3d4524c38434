"""A check held against labelled rows, and the threshold to take."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ...compiler.registry import Param
from ...compiler.suggest import nearest
from ..verdict import Row
from .by import By
from .figures import Figures, Judged, figures_of
from .judging import Judgements, in_workers, judge_all, through_engines
from .labelled import CalibrationError, Labelled
from .subject import Subject, grid_of, typed
from .thresholds import Choice, choose, keeps_by_evidence, numbers_in

if TYPE_CHECKING:
    from ..tools import Judge

Watch = Callable[[int, int], None]
"""Told how many rows are judged, and of how many."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """What a calibration found.

    Attributes:
        subject: The check.
        data: The rows it was held against.
        judged: Each with what the check said of it.
        figures: What that comes to.
        choice: The threshold, if one was asked for.
        sent: Calls that were paid for.
        reused: Calls that the ledger answered.
    """

    subject: Subject
    data: Labelled
    judged: tuple[Judged, ...]
    figures: Figures
    choice: Choice | None = None
    sent: int = 0
    reused: int = 0

    def to_json(self, wrong: float | None = None) -> dict[str, Any]:
        """As plain JSON.

        Args:
            wrong: The share of bad rows in the pool that precision and yield are told for; None for
                that of the data.
        """
        from .telling import json_of

        return json_of(self, wrong)

    def text(self, wrong: float | None = None, *, width: int = 80, mistakes: int = 0) -> str:
        """As lines for a terminal.

        Args:
            wrong: As for `to_json`.
            width: Columns.
            mistakes: How many wrongly kept and wrongly rejected rows are shown.
        """
        from .telling import lines_of

        return "\n".join(lines_of(self, wrong, width, mistakes))

    def __repr__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        from html import escape

        return f"<pre>{escape(self.text(width=120))}</pre>"


def calibrate(
    subject: Subject,
    data: Labelled,
    *,
    by: By | None = None,
    wanted: float = 0.95,
    wrong: float | None = None,
    workers: int | None = None,
    watch: Watch | None = None,
) -> Calibration:
    """Hold a check against labelled rows.

    Args:
        subject: The check.
        data: The rows, with the columns that it reads.
        by: What to choose a threshold of; None for none.
        wanted: The precision that the threshold is to reach.
        wrong: The share of bad rows in the pool that it is for; None for that of the data.
        workers: Processes that judge, by default one for each core; 0 for this one.
        watch: Told how far it is.

    Raises:
        CalibrationError: The data lacks a column, or what the threshold is of is not known.
        RunError: A model does not answer, or a cap is reached.
    """
    check_columns(subject, data)
    param = None if by is None else _param(subject, by)
    changes: list[Mapping[str, Any] | None] = [None]
    if by is not None and param is not None:
        values = by.values or grid_of(param)
        changes += [{param.name: typed(param, v)} for v in sorted(set(values))]
    specs = [subject.spec(c) for c in changes]
    total = len(specs) * len(data.examples)
    done = 0

    def count() -> None:
        nonlocal done
        done += 1
        if watch is not None:
            watch(done, total)

    async def work(judge: Judge) -> Judgements:
        return [await judge_all(judge, spec, data.examples, count) for spec in specs]

    sent, reused = 0, 0
    if subject.asks or (subject.node is not None and "tokens" in subject.node.definition):
        found, sent, reused = through_engines(subject, work)
    else:
        found = in_workers(work, workers)
    judged, tried = found[0], found[1:]
    figures = figures_of(judged)
    made = Calibration(subject, data, judged, figures, None, sent, reused)
    if by is None:
        return made
    sound = [i for i, one in enumerate(judged) if one.kept is not None]
    if param is not None:
        sound = [i for i in sound if all(run[i].kept is not None for run in tried)]
    rows = [judged[i] for i in sound]
    if param is not None:
        name = param.name
        keeps = {
            float(value[name]): [bool(run[i].kept) for i in sound]
            for value, run in zip(changes[1:], tried, strict=True)
            if value is not None
        }
    else:
        sign, keeps = keeps_by_evidence(rows, by.name, by.sign)
        name = f"{by.name} {sign}"
    if not keeps:
        raise CalibrationError(_unknown(by, subject, rows))
    if len({one.example.good for one in rows}) < 2:
        raise CalibrationError(f"--by {by.name}: too few rows could be judged to choose by")
    return replace(made, choice=choose(name, rows, keeps, wanted=wanted, wrong=wrong))


def check_columns(subject: Subject, data: Labelled) -> None:
    """Hold the columns that a check reads against those of the data.

    Raises:
        CalibrationError: One is missing; the message says how to name it.
    """
    row = data.examples[0].row
    lacking = [c for c in subject.reads if c not in row and not _inside(c, row)]
    if lacking:
        close = {name: nearest(name, tuple(row)) for name in lacking}
        names = " ".join(f"--map {name}={close[name] or 'COLUMN'}" for name in lacking)
        reads = " and ".join(f"`{name}`" for name in lacking)
        raise CalibrationError(
            f"check `{subject.name}` reads {reads}, which {data.file} has not; say which column "
            f"that is: {names}\ncolumns: {', '.join(row)}"
        )


def _inside(column: str, row: Row) -> bool:
    """Whether an expression can reach a column as a field of another."""
    head, dot, _ = column.partition(".")
    return bool(dot) and isinstance(row.get(head), Mapping)


def _param(subject: Subject, by: By) -> Param | None:
    """The parameter that a threshold is of; None if it is a field of the evidence."""
    known = {p.name for p in subject.operator.params}
    if by.sign is None and (by.name in known or by.values):
        return subject.number_param(by.name)
    return None


def _unknown(by: By, subject: Subject, judged: Sequence[Judged]) -> str:
    """What is said of a name that is neither a parameter nor in the evidence."""
    params = subject.numbers
    evidence = sorted({name for one in judged for name in numbers_in(one.evidence)})
    close = nearest(by.name, [*params, *evidence])
    known = [
        f"{what}: {', '.join(names)}"
        for what, names in (("its parameters", params), ("its evidence", evidence))
        if names
    ]
    hint = f"did you mean {close}?" if close else "; ".join(known) or "it has neither"
    return f"--by {by.name}: no number among parameters and evidence of `{subject.name}`; {hint}"
