"""Judging by checks of both sorts: those that ask nobody in workers, those that ask models here.

Checks stand in their declared order, cheap to dear, and the first that fails ends it: so a row that
a free check rejects costs no call.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Any

from .checkworker import CheckError, CheckSpec, build_check, said
from .consult import Consult, ModelCheck
from .verdict import Row, Verdict

if TYPE_CHECKING:
    from ..compiler.prompts import PromptFile
    from .tools import Judge, Line

Builder = Callable[[CheckSpec], ModelCheck]


def judging(workers: Judge, lines: Mapping[str, Line], build: Builder) -> Judge:
    """A judge by checks of both sorts.

    Args:
        workers: Judges by checks that ask nobody.
        lines: Models by place: `checks.<name>.<parameter>`.
        build: Makes a check that asks models.
    """
    built: dict[CheckSpec, ModelCheck] = {}

    async def one(spec: CheckSpec, row: Row) -> Verdict:
        if spec not in built:
            built[spec] = build(spec)
        return await consulted(built[spec], spec, row, consult_of(spec, lines, workers))

    async def judge(specs: tuple[CheckSpec, ...], row: Row) -> tuple[Verdict, ...]:
        verdicts: list[Verdict] = []
        for asks, group in groupby(specs, lambda spec: bool(spec.models)):
            if not asks:
                verdicts += await workers(tuple(group), row)
            for spec in group if asks else ():
                verdicts.append(await one(spec, row))
                if not verdicts[-1].passed:
                    break
            if verdicts and not verdicts[-1].passed:
                break
        return tuple(verdicts)

    return judge


def consult_of(spec: CheckSpec, lines: Mapping[str, Line], workers: Judge) -> Consult:
    """What a check is handed for one row."""
    return Consult(
        {param: lines[f"checks.{spec.name}.{param}"] for param, _ in spec.models},
        {param: dict(sampling) for param, sampling in spec.models},
        workers,
    )


async def consulted(check: ModelCheck, spec: CheckSpec, row: Row, consult: Consult) -> Verdict:
    """The verdict of a check that asks models, with the calls that it rests on.

    Raises:
        CheckError: If it raises, or returns something else.
        Exception: What broke while it asked, as `Consult.ask` and `Consult.judge` raise it.
    """
    from .prompting import RenderError

    try:
        verdict = await check(row, consult)
    except Exception as error:
        if consult.broke is not None:
            raise consult.broke from error
        if isinstance(error, RenderError):
            raise
        raise CheckError(f"check `{spec.name}` failed: {said(error)}") from error
    if consult.broke is not None:  # it was caught, and would be taken for a fault of the row
        raise consult.broke
    if not isinstance(verdict, Verdict):
        raise CheckError(f"check `{spec.name}` returned a {type(verdict).__name__}, not a Verdict")
    return replace(verdict, calls=tuple(consult.calls))


def builder_of(prompts: Mapping[str, PromptFile]) -> Builder:
    """What makes the checks of a step.

    Args:
        prompts: By place: `checks.<name>.<parameter>`.
    """
    return partial(_build, prompts)


def _build(prompts: Mapping[str, PromptFile], spec: CheckSpec) -> ModelCheck:
    from .catalog import load_catalog

    operator = load_catalog().checks.get(spec.kind)
    if operator is None:
        raise CheckError(f"there is no check `{spec.kind}`")
    asked = dict(spec.models)
    more: dict[str, Any] = {p.python: p.name for p in operator.params if p.name in asked}
    for param in operator.params:
        if (found := prompts.get(f"checks.{spec.name}.{param.name}")) is not None:
            more[param.python] = found
    try:
        check: ModelCheck = build_check(operator, spec, **more)
    except Exception as error:
        raise CheckError(f"check `{spec.name}` cannot be built: {said(error)}") from error
    return check
