"""`mashbill run`."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TextIO

from .command import recipe_arguments, width
from .lock_ import refuse

if TYPE_CHECKING:
    from ..api import Plan, Run
    from ..faults import RunError
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
    recipe_arguments(sub, formats=("text", "json", "ndjson"))
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
    sub.add_argument("-q", "--quiet", action="store_true", help="no progress")


def act(given: argparse.Namespace) -> int:
    """Plan and run a recipe."""
    from ..api import load_sets
    from ..faults import RunError

    recipe = load_sets(given)
    plan = recipe.plan(survey=False)
    if given.locked and plan.lock and not plan.lock.ok:
        return refuse(plan.lock, STALE)
    if not plan.missing and (done := _nothing_to_do(plan, given.retry)):
        print(done)
        return 0
    talk = _Talk.of(given)
    if not plan.missing:
        plan.measure()
        talk.planned(plan, given.retry)
    try:
        run = plan.run(
            retry=given.retry,
            replay=given.replay,
            replace=given.replace,
            go_on=typed(given),
            watch=talk.watch,
            events=talk.events,
        )
    except RunError as error:
        if error.status != "paused" and not talk.ended:
            raise
        return talk.stopped(error, typed(given))
    _tell(run, given.format)
    return 1 if run.record["errors"] else 0


def typed(given: argparse.Namespace) -> str:
    """What goes on with the run of a command line."""
    words = ["mashbill", "run", *([given.recipe] if given.recipe else [])]
    words += ["--profile", given.profile] if given.profile else []
    for value in given.set:
        words += ["--set", value]
    words += ["--allow-outside"] if given.allow_outside else []
    words += ["--replay"] if given.replay else []
    words += ["--replace"] if given.replace else []
    return shlex.join(words)


def _nothing_to_do(plan: Plan, retry: str | None) -> str:
    """Why there is nothing to do; empty if there is."""
    from ..output import output_of

    project = plan.recipe.project
    output = output_of(plan.record, project)
    record = output.standing() or {}
    if not output.complete(plan.record.digest) or record.get("passes", 1) != plan.passes():
        return ""
    where = project.shown_path(output.path)
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


def _tell(run: Run, form: str | None) -> None:
    from .report import summary

    if form == "ndjson":
        print(json.dumps(dict(run.record), sort_keys=True, ensure_ascii=False, default=str))
    elif form == "json":
        print(
            json.dumps(dict(run.record), sort_keys=True, indent=1, ensure_ascii=False, default=str)
        )
    else:
        print(summary(run))


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

    def stopped(self, error: RunError, go_on: str) -> int:
        """Say that the run has not come to its end, and what to type."""
        if self.ended:
            return error.code
        record = getattr(error, "record", None)
        if record is None:
            said = "Paused: every finished completion is saved."
        else:
            output = record["output"]
            said = f"Paused: {error}\n{output['rows']:,} rows so far stand in {output['path']}."
            go_on = f"{go_on} {getattr(error, 'more', '')}".strip()
        sys.stderr.write(f"{said}    go on:  {go_on}\n")
        return error.code
