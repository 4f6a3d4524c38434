"""All that is looked at before a run that may send calls; nothing of it is stored as data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from dataclasses import replace as changed
from tempfile import TemporaryFile

from ...compiler.estimating.estimates import Estimates
from ...compiler.estimating.facts import Facts
from ...compiler.plan import Plan
from ...compiler.quantities import show_bytes
from ...compiler.recipe import Recipe
from ..engine_room import EngineRoom, room_of
from ..faults import RunError
from ..interrupts import run_async
from ..output import OutputError, output_of
from ..planning.partway import early
from ..project import Project
from ..requests import EngineError
from .answer import Answer, Level
from .asking import models_asked
from .contexts import misfits
from .disk import Need, disk_needs, nearest
from .models import ASKED_AT_ONCE, look_at_each

SHOWN = 12
"""Misfits that are told before one can only count them."""


class PreflightError(RunError):
    """A run that would fail, or that nobody allowed; nothing was spent but what asking costs."""


@dataclass(frozen=True, slots=True)
class Preflight:
    """What was found.

    Attributes:
        line: For people: `lock ok · disk 41 GB needed, 380 GB free · 2/2 models answered`.
        answers: Of each model that will be asked; what they replied is to be charged.
        warnings: What a run goes on with, and what to type about it.
    """

    line: str
    answers: tuple[Answer, ...] = ()
    warnings: tuple[str, ...] = ()


def preflight(
    plan: Plan,
    project: Project,
    facts: Facts | None = None,
    estimates: Estimates | None = None,
    *,
    recipe: Recipe | None = None,
    lock: str = "",
    ask: bool = True,
    replace: bool = False,
) -> Preflight:
    """Look at disk and models before a run.

    Args:
        plan: What will run, pinned.
        project: Where it runs.
        facts: What was measured; None leaves prompts unchecked.
        estimates: What that came to; None looks at every model of the plan.
        recipe: What the plan was made from, for places.
        lock: What is to be said of the lock.
        ask: Whether anything may be asked: a replay asks nobody.
        replace: Whether the data set of another plan may be overwritten.

    Raises:
        PreflightError: The run would fail: a folder that holds something else (O801) or cannot be
            written, too little disk (O804), a model that is not there or
            does not answer (M251), one that does not fit its memory (M252), prompts that do not
            fit (P205).
    """
    _folder(plan, project, replace)
    needs = _disk(plan, project, facts, estimates)
    room = room_of(plan, project)
    names = models_asked(plan, estimates) if ask else ()
    answers = tuple(run_async(look_at_each(plan, room, names))) if names else ()
    _refuse("M251", [a for a in answers if a.level == "fail"])
    tight = tuple(_fits(plan, room, names, recipe))
    _refuse("M252", [a for a in tight if a.level == "fail"], of_models=False)
    contexts = {a.model: a.context for a in answers if a.context}
    found = tuple(misfits(plan, facts, contexts)) if facts else ()
    _refuse("P205", [a for a in found if a.level == "fail"], of_models=False)
    parts = [lock, needs[0].words() if needs else "", *_models(plan, answers)]
    if facts and names:
        parts.append(_prompts(plan, facts, room, names, contexts, found))
    warned = [f"{a.model}: {_line(a)}" for a in answers if a.level == "warn"]
    warned += [_line(a) for a in (*tight, *found)]
    warned += [_tight(n) for n in needs if n.tight]
    return Preflight(" · ".join(filter(None, parts)), answers, tuple(warned))


def _folder(plan: Plan, project: Project, replace: bool) -> None:
    """Refuse an output folder that is another's, or that cannot be written."""
    if early(plan.recipe):
        return  # it writes none
    output = output_of(plan, project)
    try:
        output.refuse_foreign(plan.digest, replace)
    except OutputError as error:
        raise PreflightError(str(error), diagnostic="O801") from error
    except OSError:
        return  # the run says what is wrong with it
    there = nearest(output.path.parent)
    try:
        with TemporaryFile(dir=there):
            pass
    except OSError as error:
        why = error.strerror or str(error)
        raise PreflightError(
            f"{project.shown_path(there)} cannot be written: {why}; "
            "write elsewhere: --set output.path=…",
            diagnostic="O801",
        ) from error


def _fits(
    plan: Plan, room: EngineRoom, names: Sequence[str], recipe: Recipe | None
) -> Iterator[Answer]:
    """Models of this machine that do not fit its memory, or barely."""
    from ..hardware.fitting import fit_problems

    asked = changed(plan, models={name: plan.models[name] for name in names})
    for problem in fit_problems(asked, room, recipe):
        level: Level = "fail" if problem.severity == "error" else "warn"
        yield Answer("", level, problem.message, problem.help or "")


def _disk(
    plan: Plan, project: Project, facts: Facts | None, estimates: Estimates | None
) -> tuple[Need, ...]:
    if estimates is None:
        return ()
    output = output_of(plan, project)
    try:
        needs = disk_needs(plan, facts, estimates, project.state, output.path)
    except OSError:
        return ()  # the run says what is wrong with the disk
    if needs[0].short:
        need = needs[0]
        raise PreflightError(
            f"{show_bytes(need.needed)} are needed where {project.shown_path(need.folder)} lies, "
            f"and {show_bytes(need.free)} are free; free some, write elsewhere "
            "(--set output.path=…), or make less: --set sources.NAME.limit=…",
            diagnostic="O804",
        )
    return needs


def _tight(need: Need) -> str:
    return f"{need.words()}: little more than is expected; a full disk ends a run"


def _refuse(code: str, failed: Sequence[Answer], *, of_models: bool = True) -> None:
    """Say all that is wrong at once."""
    if not failed:
        return
    said = [f"{a.model}: {_line(a)}" if of_models else _line(a) for a in failed[:SHOWN]]
    raise PreflightError("\n  ".join(said), diagnostic=code)


def _line(answer: Answer) -> str:
    return f"{answer.said}  →  {answer.help}" if answer.help else answer.said


def _models(plan: Plan, answers: Iterable[Answer]) -> Iterator[str]:
    """How many answered, and how many will be loaded by the run."""
    found = list(answers)
    asked = [a for a in found if plan.models[a.model]["engine"] in ASKED_AT_ONCE]
    here = [a for a in found if plan.models[a.model]["engine"] in ("local", "vllm", "transformers")]
    if asked:
        answered = sum(a.answered for a in asked)
        yield f"{answered}/{len(asked)} model{'s' * (len(asked) != 1)} answered"
    if here:
        yield f"{len(here)} model{'s' * (len(here) != 1)} on this machine"


def _prompts(
    plan: Plan,
    facts: Facts,
    room: EngineRoom,
    names: Sequence[str],
    contexts: dict[str, int],
    found: Sequence[Answer],
) -> str:
    """Whether prompts fit, where every model says how much it holds."""
    overlong = max((facts.nodes[n.name].overlong for n in plan.nodes if n.name in facts.nodes),
                   default=0.0)  # fmt: skip
    if overlong > 0:
        return f"{overlong:.1%} of prompts do not fit context"
    if found:
        return "the longest prompts do not fit context"
    try:
        known = all(contexts.get(n) or room.info(n).context for n in names)
    except EngineError:
        known = False
    return "prompts fit context" if known else ""
