"""`mashbill run`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TextIO

from .command import USAGE, recipe_arguments, retyped, width
from .lock_ import refuse

if TYPE_CHECKING:
    from ..api import Plan, Run
    from ..faults import RunError
    from ..preflight import Preflight
    from ..progress.events import Event

STALE = 6
"""Exit code: the lock is missing or out of date, and `--locked` was given."""

EVENTS = """\
On a terminal, progress is a table. Elsewhere stderr gets one JSON object a line: start, progress
(every 15 s), step, stopping, warning, error, end; each with event, time and run. The same lines
stand in .mashbill/runs/RUN/events.ndjson. `--format text` gives plain lines instead, `-q` nothing.
From another shell: mashbill status."""


def add_arguments(sub: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    what = "a folder with recipe.yaml, a recipe, or a saved plan"
    recipe_arguments(sub, formats=("text", "json", "ndjson"), what=what)
    sub.set_defaults(format=None)  # text on stdout, and on stderr what suits it
    sub.epilog = EVENTS
    sub.add_argument("--replay", action="store_true", help="take every completion from the ledger")
    sub.add_argument("--replace", action="store_true", help="overwrite another plan's data set")
    sub.add_argument(
        "--retry",
        choices=["errors", "rejected"],
        help="ask again for rows that ended in errors, or let those that were rejected or fell "
        "back go down their ladder once more, with fresh draws",
    )
    sub.add_argument(
        "--locked", action="store_true", help="refuse if recipe.lock is missing or out of date"
    )
    sub.add_argument(
        "--until", metavar="STEP", help="end after this step: replies are kept, nothing is written"
    )
    sub.add_argument(
        "-y", "--yes", action="store_true", help="spend what is expected without being asked"
    )
    sub.add_argument("--no-input", action="store_true", help="ask nothing: refuse what needs a yes")
    sub.add_argument(
        "--over-budget",
        action="store_true",
        help="begin though the budget is not expected to be enough; the run pauses at its cap",
    )
    sub.add_argument("-q", "--quiet", action="store_true", help="no progress")


def act(given: argparse.Namespace) -> int:
    """Plan and run a recipe."""
    from ..faults import RunError

    plan = _planned(given)
    if given.locked and plan.lock and not plan.lock.ok:
        return refuse(plan.lock, STALE)
    if not plan.missing and (done := _nothing_to_do(plan, given.retry)):
        print(done)
        return 0
    talk = _Talk.of(given)
    probed = None
    if not plan.missing:
        if plan.quoted is None:  # what a saved plan has quoted stands
            plan.measure()
        talk.planned(plan, given.retry)
        probed = _guarded(plan, given, talk)
    try:
        run = plan.run(
            retry=given.retry,
            replay=given.replay,
            replace=given.replace,
            go_on=typed(given),
            watch=talk.watch,
            events=talk.events,
            probed=probed.answers if probed else (),
        )
    except RunError as error:
        if error.status != "paused" and not talk.ended:
            raise
        return talk.stopped(error, typed(given))
    _tell(run, given.format, plan)
    return 1 if run.record["errors"] else 0


def _guarded(plan: Plan, given: argparse.Namespace, talk: _Talk) -> Preflight:
    """Budget, disk, models and a yes, before anything is spent. Raises `RunError`."""
    from ..preflight import guard

    return guard(
        plan,
        go_on=typed(given),
        yes=given.yes,
        no_input=given.no_input,
        over_budget=given.over_budget,
        replay=given.replay,
        replace=given.replace,
        shown=talk.events is None,
        tell=talk.checked,
    )


def _planned(given: argparse.Namespace) -> Plan:
    """The plan of a recipe, or a saved one as it is."""
    from ..api import load_plan, load_sets
    from ..faults import RunError
    from ..planning.saved_plan import is_saved_plan
    from .saved import ignored

    if given.until and given.retry == "rejected":
        words = "--retry rejected goes through the whole recipe: leave out --until"
        raise RunError(words, code=USAGE)
    if given.recipe is None or not is_saved_plan(given.recipe):
        return load_sets(given).plan(survey=False, until=given.until)
    if problem := ignored(given, given.recipe):
        raise RunError(problem, code=USAGE)
    return load_plan(given.recipe, allow_outside=given.allow_outside)


def typed(given: argparse.Namespace) -> str:
    """What goes on with the run of a command line."""
    more = ["--until", given.until] if given.until else []
    more += ["--replay"] if given.replay else []
    more += ["--replace"] if given.replace else []
    more += ["--over-budget"] if given.over_budget else []
    return retyped("run", given, *more)


def _nothing_to_do(plan: Plan, retry: str | None) -> str:
    """Why there is nothing to do; empty if there is."""
    from ..output import output_of
    from ..planning.finished import standing

    record = standing(plan)
    if record is None:
        return ""
    project = plan.recipe.project
    where = project.shown_path(output_of(plan.record, project).path)
    if retry == "errors":
        return "" if record.get("errors") else f"Nothing to retry: no row of {where} is an error."
    if retry == "rejected":
        gone = "Nothing to retry: every reply that a model was asked for has passed."
        return "" if _given_up(record) else gone
    return f"Nothing to do: {where} holds the data set of this plan."


def _given_up(record: dict[str, Any]) -> int:
    """Chunks and samples that no reply passed for."""
    ends = ("rejected", "fallback", "routed")
    return sum(a["units"].get(e, 0) for a in record["steps"].values() for e in ends)


def _tell(run: Run, form: str | None, plan: Plan) -> None:
    from ..planning.partway import early
    from .kept import kept
    from .report import summary

    if form == "ndjson":
        print(json.dumps(dict(run.record), sort_keys=True, ensure_ascii=False, default=str))
    elif form == "json":
        print(
            json.dumps(dict(run.record), sort_keys=True, indent=1, ensure_ascii=False, default=str)
        )
    else:
        print(kept(run, plan.recipe) if early(run.record["recipe"]) else summary(run))


class _Talk:
    """What is said on stderr while a run goes: a table, plain lines, events, or nothing."""

    def __init__(self, watch: Any = None, stream: TextIO | None = None, *, quiet: bool = False):
        from ..progress import listener

        self.watch, self.quiet = watch, quiet
        self.events = None if stream is None else self._heard(listener(stream))
        self.ended = False
        """Whether an event has told of the end."""

    def _heard(self, tell: Callable[[Event], None]) -> Callable[[Event], None]:
        def hear(event: Event) -> None:
            self.ended |= event["event"] == "end"
            tell(event)

        return hear

    @classmethod
    def of(cls, given: argparse.Namespace) -> _Talk:
        """By the options and by what stderr is."""
        from ..progress import watcher

        if given.quiet:
            return cls(quiet=True)
        if given.format == "ndjson" or (given.format != "text" and not sys.stderr.isatty()):
            return cls(stream=sys.stderr)
        return cls(watcher(sys.stderr))

    def planned(self, plan: Plan, retry: str | None) -> None:
        """Say what is ahead, and what the survey noticed."""
        from .plan_ import show_warnings

        if self.events is not None:
            from ..progress.events import make_event

            files = plan.compiled.report.files
            for found in (*plan.compiled.report.diagnostics, *plan.warnings):
                place = None
                if span := found.span:
                    line = files.get(span.file, "").count("\n", 0, span.start) + 1
                    place = f"{span.file}:{line}"
                told = {"code": found.code, "message": found.message, "place": place}
                self.events(make_event("warning", "", **told))
            return
        show_warnings(plan)
        if self.quiet:
            return
        if retry == "rejected":  # the table would say that the ledger holds all there is to ask
            passes = plan.passes(retry)
            sys.stderr.write(f"Pass {passes}: what was rejected or fell back is tried again.\n\n")
        else:
            sys.stderr.write(plan.text(width()) + "\n\n")

    def checked(self, found: Preflight) -> None:
        """Say what the preflight found."""
        from ..progress.events import make_event

        for warning in found.warnings if self.events else ():
            assert self.events is not None
            self.events(make_event("warning", "", code="", message=warning, place=None))
        if self.events is None and not self.quiet:
            warned = "".join(f"  warning: {warning}\n" for warning in found.warnings)
            sys.stderr.write(f"Preflight  {found.line}\n{warned}" if found.line else warned)

    def stopped(self, error: RunError, go_on: str) -> int:
        """Say that the run has not come to its end, and what to type."""
        if self.ended:
            return error.code
        from .report import warnings

        record = getattr(error, "record", None)
        if record is None:
            said = "Paused: every finished completion is saved."
        else:
            output = record["output"]
            stand = f"{output['rows']:,} rows so far stand in {output['path']}."
            kept = "Every finished completion is saved."
            warned = "".join(f"{line}\n" for line in warnings(record) if line)
            said = f"Paused: {error}\n{warned}{stand if output['shards'] else kept}"
            go_on = f"{go_on} {getattr(error, 'more', '')}".strip()
        sys.stderr.write(f"{said}    go on:  {go_on}\n")
        return error.code
