"""`mashbill plan`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .command import USAGE, fail, recipe_arguments, retyped, split_recipe, width

if TYPE_CHECKING:
    from ...compiler.explaining import Told
    from ..api import Plan

CHANGES = 2
"""Exit code, with `--detailed-exitcode`: there is something to do."""


def add_arguments(sub: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    sub.add_argument(
        "words",
        nargs="*",
        metavar="[RECIPE|PLAN] [STEP]",
        help="a recipe or a saved plan; selectors of the steps to show and to sum (book, +book, "
        "op:generate, state:modified+)",
    )
    recipe_arguments(sub, positional=False)
    sub.add_argument(
        "--exclude", action="append", default=[], metavar="SEL", help="steps to leave out"
    )
    sub.add_argument("--until", metavar="STEP", help="plan no further than this step")
    sub.add_argument(
        "--pilot",
        type=int,
        metavar="N",
        help="send N real rows to each model step first; run pays for none of them again",
    )
    sub.add_argument(
        "-y", "--yes", action="store_true", help="spend what a pilot costs without being asked"
    )
    sub.add_argument("--no-input", action="store_true", help="ask nothing: refuse what needs a yes")
    sub.add_argument("--value", action="store_true", help="what the data will be worth")
    sub.add_argument(
        "--student", metavar="SIZE", help="parameters of the model to be trained, such as 1.7B"
    )
    sub.add_argument(
        "-o", dest="out", metavar="FILE", help="save it; mashbill run FILE runs it as it is"
    )
    sub.add_argument(
        "--compare", metavar="RUN|REV", help="what the change costs since a run or git revision"
    )
    sub.add_argument("--md", action="store_true", help="as Markdown, for a pull request")
    sub.add_argument("-v", "--verbose", action="store_true", help="unchanged steps too")
    sub.add_argument(
        "--detailed-exitcode",
        action="store_true",
        help="2 if there is something to do, 0 if there is nothing, 1 for errors",
    )


def act(given: argparse.Namespace) -> int:
    """Print the plan."""
    from ..planning.saved_plan import is_saved_plan

    given.recipe, words = split_recipe(given.words)
    saved = words.pop(0) if given.recipe is None and words and is_saved_plan(words[0]) else None
    student = _student(given.student)
    if problem := _misused(given, words) or (student if isinstance(student, str) else ""):
        return fail(problem, USAGE)
    size = student if isinstance(student, float) else None
    return _show_saved(given, saved, words, size) if saved else _show(given, words, size)


def _misused(given: argparse.Namespace, words: Sequence[str]) -> str:
    """Which options do not go together; empty if all do."""
    chosen = words or given.exclude
    if given.md and given.format == "json":
        return "--md and --format json are two forms: give one of them"
    if given.pilot is not None and given.pilot < 1:
        return "--pilot must be at least 1"
    if _worth_wanted(given) and (given.until or chosen):
        return "--value tells what the whole data set is worth: leave out selectors and --until"
    if given.compare and (given.until or _worth_wanted(given) or chosen):
        return (
            "--compare tells what a change of the whole recipe costs: "
            "leave out selectors, --until and --value"
        )
    return ""


def _student(typed: str | None) -> float | str | None:
    """Parameters of the model to be trained, or why they do not read."""
    if typed is None:
        return None
    from ...compiler.quantities import parse_count

    found = parse_count(typed)
    return float(found) if isinstance(found, int) else f"--student: {found}; such as 1.7B"


def _show(given: argparse.Namespace, words: Sequence[str], student: float | None) -> int:
    """Plan a recipe and tell it."""
    from ..api import load_sets
    from ..planning.finished import estimates_standing, standing
    from ..planning.telling import told

    plan = load_sets(given).plan(survey=False, until=given.until)
    selected = _selected(plan, words, given.exclude)
    record = None if plan.missing else standing(plan)
    idle = record is not None and not given.compare
    if record is not None and not given.pilot and not given.compare:
        plan.quoted = estimates_standing(plan.record, record).to_json()
    elif not plan.missing:
        if given.pilot:
            _pilot(given, plan)
        if not given.compare or given.out:  # a comparison measures both sides itself
            plan.measure()
    show_warnings(plan)
    if given.compare:
        return _compare(given, plan)
    worth = _worth_wanted(given) or plan.record.mix is not None
    found = told(plan, selected=selected, worth=worth, student=student)
    _tell(given, found, _nothing_to_do(plan) if idle else _up_to(plan.record.recipe))
    if given.out:
        _save(given, plan)
    return _code(given, plan, idle=idle)


def _pilot(given: argparse.Namespace, plan: Plan) -> None:
    """Send real rows, if that was approved where it costs much. Raises `RunError`."""
    from ..preflight import guard_pilot

    more = ["--until", given.until] if given.until else []
    go_on = retyped("plan", given, *more, "--pilot", str(given.pilot))
    guard_pilot(plan, given.pilot, go_on=go_on, yes=given.yes, no_input=given.no_input)
    plan.send_pilot(given.pilot, watch=_watch())
    if plan.piloted and plan.piloted.stopped:
        sys.stderr.write(f"The pilot ended early: {plan.piloted.stopped}\n\n")


def _code(given: argparse.Namespace, plan: Plan, *, idle: bool) -> int:
    if plan.missing:
        return 1
    return CHANGES if given.detailed_exitcode and not (idle or _paid(plan)) else 0


def _paid(plan: Plan) -> bool:
    """Whether a plan that makes no data set has nothing left to pay for."""
    from ..planning.partway import early
    from ..planning.telling import estimates_of

    found = estimates_of(plan)
    if not early(plan.record.recipe) or found is None:
        return False
    return found.total is None or found.total.calls.value == 0


def _worth_wanted(given: argparse.Namespace) -> bool:
    return bool(given.value or given.student)


def _watch() -> Any:
    """How a pilot shows that it goes on: as a run does, on a terminal."""
    if not sys.stderr.isatty():
        return None
    from ..progress import watcher

    return watcher(sys.stderr)


def _selected(plan: Plan, words: Sequence[str], exclude: Sequence[str]) -> frozenset[str] | None:
    """Steps that selectors name; None where there are none.

    Raises:
        SelectorError: A selector names nothing.
    """
    if not words and not exclude:
        return None
    from ...compiler.selectors import State, needs_state, select, view_of

    graph = plan.compiled.graph
    assert graph is not None
    wanted, unwanted = " ".join(words), " ".join(exclude)
    known: Mapping[str, State] = {}
    if needs_state(wanted) or needs_state(unwanted):
        symbols: dict[str, State] = {
            "+": "new", "~": "modified", "↻": "downstream", "=": "unchanged",
        }  # fmt: skip
        changes = plan.changes()
        known = {n.name: symbols[changes[n.name].symbol] for n in graph}
    view = view_of(graph, known)
    out = select(view, unwanted) if unwanted else ()
    return frozenset(select(view, wanted)).difference(out)


def _up_to(recipe: Mapping[str, Any]) -> str:
    """That a plan ends early, given its `recipe`; empty for a whole one."""
    from ..planning.partway import early

    step = early(recipe)
    return f"Up to `{step}`: no data set is made, and its mix is left out." if step else ""


def _nothing_to_do(plan: Plan) -> str:
    from ..output import output_of

    project = plan.recipe.project
    where = project.shown_path(output_of(plan.record, project).path)
    return f"Nothing to do: {where} holds the data set of this plan."


def _tell(given: argparse.Namespace, found: Told, first: str = "") -> None:
    """Print a plan in the form that is asked for."""
    from ...compiler.explaining import explain, markdown, plan_json

    if given.format == "json":
        print(json.dumps(plan_json(found), indent=1, ensure_ascii=False))
        return
    value = _worth_wanted(given)
    if given.md:
        text = markdown(found, verbose=given.verbose, value=value)
    else:
        text = explain(found, width=width(), verbose=given.verbose, value=value)
    print("\n\n".join(filter(None, [first, text.rstrip("\n")])))


def _save(given: argparse.Namespace, plan: Plan) -> None:
    """Save a plan and say where; beside Markdown and JSON on stderr."""
    import shlex

    from ..planning.stale_plan import leaves

    shown = shlex.quote(str(plan.save(given.out)))
    project = plan.recipe.project
    outside = project.allow_outside or leaves(plan.record, project.root)
    more = " --allow-outside" if outside else ""
    words = f"Saved {shown}.  Run it:  mashbill run {shown}{more}"
    apart = given.md or given.format == "json"
    print(f"\n{words}" if not apart else words, file=sys.stderr if apart else sys.stdout)


def _compare(given: argparse.Namespace, plan: Plan) -> int:
    """Tell what the change costs."""
    from ...compiler.diagnostics import RecipeError
    from ..sides import SideError

    if plan.missing:
        return fail("; ".join(plan.missing.values()), diagnostic="M251")
    try:
        found = plan.compare(given.compare)
    except SideError as error:
        return fail(str(error))
    except RecipeError:
        under = " under the same profile and settings" if plan.recipe.overlaid else ""
        sys.stderr.write(f"The recipe at {given.compare} does not compile{under}:\n")
        raise
    if given.format == "json":
        print(json.dumps(found.to_json(), indent=1, ensure_ascii=False))
    else:
        print((found.markdown() if given.md else found.text(width())).rstrip("\n"))
    if given.out:
        _save(given, plan)
    return _code(given, plan, idle=not (found.changed or found.data))


def show_warnings(plan: Plan) -> None:
    """Print what the survey noticed, to stderr."""
    from ...compiler.diagnostics import Report
    from ...compiler.render import render
    from .command import coloured

    found = [*plan.compiled.report.diagnostics, *plan.warnings]
    if found:
        report = Report(tuple(found), plan.compiled.report.files)
        sys.stderr.write(render(report, colour=coloured(sys.stderr), width=width()) + "\n\n")


def _show_saved(
    given: argparse.Namespace, name: str, words: Sequence[str], student: float | None
) -> int:
    """Tell a saved plan; one that does not hold any more is told too, with a warning."""
    from ..planning.finished import standing
    from ..planning.saved_plan import read_plan
    from ..planning.telling import told_as_saved
    from .saved import held, ignored, warn

    if problem := ignored(given, name):
        return fail(problem, USAGE)
    if words or given.exclude:
        return fail(f"{name} is shown whole: leave out the selectors", USAGE)
    saved = read_plan(name)
    now, stale = held(saved, allow_outside=given.allow_outside)
    if stale:
        warn(stale)
    if given.compare:
        if now is None or stale:
            return fail(f"{name} does not hold any more, so there is nothing to compare")
        return _compare(given, now)
    found = told_as_saved(saved, now, worth=_worth_wanted(given), student=student)
    first = f"{name}, saved {saved.made} by mashbill {saved.version}"
    _tell(given, found, "\n\n".join(filter(None, [first, _up_to(saved.plan.recipe)])))
    idle = now is not None and not stale and standing(now) is not None
    return CHANGES if given.detailed_exitcode and not idle else 0
