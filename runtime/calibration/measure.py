"""From the name of a check and a file of labelled rows to a calibration."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ..sources.columns import common_type
from .by import parse_by
from .calibrate import Calibration, Watch, calibrate, check_columns
from .labelled import CalibrationError, Labelled, label_rows, read_rows
from .narrow import rows_where
from .store import keep, state_near
from .subject import kind_of, subject_of_kind, subject_of_step

if TYPE_CHECKING:
    from ...compiler.types import Type
    from ..api import Recipe

Spends = Callable[[tuple[str, ...], int], None]
"""Told before models are asked: their names, and about how many rows."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a calibration is asked for.

    Attributes:
        label: Column of the data that is true for good rows; None for the first of
            `labelled.LABELS` that is there.
        kind: Column that says what is wrong with a bad row; None for the first of `labelled.KINDS`.
        group: Column whose rows share a fold; None for the first of `labelled.GROUPS`.
        names: Column that the check reads to the column of the data that holds it.
        where: Condition on the data's columns: the other rows are left out; None for all.
        sets: Parameters of the check, as `name=value`.
        by: What a threshold is chosen of, as `--by` takes it; None for none.
        precision: That the threshold is to reach.
        wrong: The share of wrong rows in the pool that it is for; None for that of the data.
    """

    label: str | None = None
    kind: str | None = None
    group: str | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    where: str | None = None
    sets: tuple[str, ...] = ()
    by: str | None = None
    precision: float = 0.95
    wrong: float | None = None


def measure(
    check: str,
    file: str | Path,
    asked: Asked,
    *,
    recipe: Recipe | None = None,
    workers: int | None = None,
    watch: Watch | None = None,
    spends: Spends | None = None,
) -> Calibration:
    """Hold a check against the labelled rows of a file, and keep the rates for `plan --value`.

    Args:
        check: `step.check` of the recipe, or a kind of check.
        file: JSONL, CSV, TSV, Parquet or Arrow.
        asked: What of it.
        recipe: Needed for `step.check`.
        workers: As `calibrate` takes it.
        watch: Likewise.
        spends: Told before models are asked.

    Raises:
        CalibrationError: The check, a column or a label is not there.
        RecipeError: A parameter is wrong, or the recipe does not compile.
        RunError: A model does not answer, or a cap is reached.
        OSError: The file cannot be read.
    """
    by = parse_by(asked.by) if asked.by is not None else None
    if "." not in check:  # before anything is read
        kind_of(check)
    path = Path(file)
    rows = list(enumerate(read_rows(path), 1))
    if asked.where is not None:
        places = rows_where([row for _, row in rows], asked.where, str(file))
        rows = [rows[i] for i in places]
    data = label_rows(
        rows, str(file), label=asked.label, kind=asked.kind, group=asked.group, names=asked.names
    )
    if "." in check:
        if recipe is None:
            raise CalibrationError(f"{check} is a check of a recipe; load one first")
        subject = subject_of_step(recipe, check, asked.sets)
    else:
        here = recipe.project.folder if recipe is not None else Path.cwd()
        subject = subject_of_kind(check, asked.sets, dict(_types(data)), here)
    check_columns(subject, data)
    if subject.asks and spends is not None:
        spends(subject.asks, len(data.examples))
    found = calibrate(
        subject,
        data,
        by=by,
        wanted=asked.precision,
        wrong=asked.wrong,
        workers=workers,
        watch=watch,
    )
    state = recipe.project.state if recipe is not None else state_near(Path.cwd())
    if state is not None:
        keep(found, state, where=asked.where)
    return found


def _types(data: Labelled) -> Iterable[tuple[str, Type]]:
    for name in data.examples[0].row:
        yield name, common_type(e.row.get(name) for e in data.examples).maybe(False)
