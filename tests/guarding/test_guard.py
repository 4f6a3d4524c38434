"""The guards of `mashbill run` in order, and a yes on a terminal."""

from __future__ import annotations

import os
import pty
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from io import StringIO
from pathlib import Path
from typing import Any, TextIO

import pytest

from mashbill.compiler.guarding.affording import affording
from mashbill.compiler.guarding.approval import Approval
from mashbill.runtime import api
from mashbill.runtime.faults import RunError
from mashbill.runtime.preflight import Preflight, guard
from mashbill.runtime.preflight.consent import consent

from .facts import facts
from .folders import planned, project
from .server import Server, serving

MUCH = Approval("This will spend about $37.", needed=True)
LITTLE = Approval("This will spend about $0.37.", needed=False)


@contextmanager
def terminal(typed: str) -> Iterator[tuple[TextIO, TextIO, int]]:
    """Input and output of a program at a terminal where this is typed; what it shows comes last."""
    master, slave = pty.openpty()
    with ExitStack() as stack:
        stack.callback(os.close, master)
        stdin = stack.enter_context(os.fdopen(os.dup(slave), "r"))
        stderr = stack.enter_context(os.fdopen(slave, "w"))
        os.write(master, typed.encode())
        yield stdin, stderr, master


def asked(typed: str, what: Approval = MUCH, **options: Any) -> str:
    """What the terminal shows."""
    given: dict[str, Any] = {"yes": False, "no_input": False, "go_on": "mashbill run x"}
    with terminal(typed) as (stdin, stderr, master):
        try:
            consent(what, **{**given, **options}, stdin=stdin, stderr=stderr)
        finally:
            stderr.write("|")
            stderr.flush()
            shown = ""
            while "|" not in shown:
                shown += os.read(master, 4096).decode()
    return shown


@pytest.mark.parametrize("typed", ["y\n", "Yes\n", " yes \n"])
def test_yes(typed: str) -> None:
    assert "This will spend about $37.  Continue? [y/N] " in asked(typed)


@pytest.mark.parametrize("typed", ["\n", "n\n", "maybe\n", "\x04"])
def test_anything_else_is_no(typed: str) -> None:
    with pytest.raises(RunError) as caught:
        asked(typed)
    assert (caught.value.code, caught.value.diagnostic) == (3, "B560")
    assert "nothing was sent" in str(caught.value)


def test_little_is_not_asked_about() -> None:
    assert "Continue" not in asked("", LITTLE)
    assert "Continue" not in asked("", MUCH, yes=True)


def test_who_must_not_be_asked_is_told_what_to_type() -> None:
    with pytest.raises(RunError) as caught:
        asked("y\n", no_input=True)
    assert caught.value.code == 3 and "mashbill run x --yes" in str(caught.value)


def test_nobody_is_asked_where_there_is_no_terminal() -> None:
    given: dict[str, Any] = {"yes": False, "no_input": False, "go_on": "mashbill run"}
    for stdin in (StringIO("y\n"), None):
        with pytest.raises(RunError) as caught:
            consent(MUCH, **given, stdin=stdin, stderr=StringIO())
        assert caught.value.diagnostic == "B560"
    consent(LITTLE, **given, stdin=None, stderr=None)
    consent(MUCH, **{**given, "yes": True}, stdin=None, stderr=None)


# -- all of them


def guarded(
    plan: api.Plan, typed: str = "y\n", **options: Any
) -> tuple[Preflight, list[Preflight]]:
    told: list[Preflight] = []
    with terminal(typed) as (stdin, stderr, _):
        found = guard(plan, tell=told.append, stdin=stdin, stderr=stderr, **options)
    return found, told


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(Server([{"id": "large", "max_model_len": 8192}])) as server:
        yield server


def test_a_run_that_may_go(tmp_path: Path, server: Server) -> None:
    plan = planned(project(tmp_path, solver=server.url), facts(5_000))
    found, told = guarded(plan)
    assert told == [found]
    assert found.line.startswith("disk ")
    assert found.line.endswith("1/1 model answered · prompts fit context")
    assert [a.model for a in found.answers] == ["solver"] and len(server.asked) == 1


def test_a_budget_that_is_too_small_stops_it_before_anything_is_asked(
    tmp_path: Path, server: Server
) -> None:
    plan = planned(project(tmp_path, solver=server.url), facts(10_000))
    with pytest.raises(RunError) as caught:
        guarded(plan, shown=False)
    assert (caught.value.code, caught.value.diagnostic) == (3, "B554")
    assert "above budget.usd $150" in str(caught.value) and "--over-budget" in str(caught.value)
    assert server.asked == []
    assert len(guarded(plan, over_budget=True)[0].answers) == 1


def test_reductions_that_were_found_are_told_once(tmp_path: Path, server: Server) -> None:
    from mashbill.compiler.estimating.propagate import estimate

    plan = planned(project(tmp_path, solver=server.url), facts(10_000))
    assert plan.compiled.recipe is not None
    plan.warnings = tuple(
        affording(
            plan.record, plan.compiled.recipe, estimate(plan.record, facts()), facts(), estimate
        )
    )
    with pytest.raises(RunError) as caught:
        guarded(plan, shown=False)
    assert "--set steps.solved.samples=6 (8 now)" in str(caught.value)
    with pytest.raises(RunError) as caught:
        guarded(plan, shown=True)
    assert "as shown above" in str(caught.value) and "samples=6" not in str(caught.value)


def test_what_earlier_runs_spent_counts(tmp_path: Path, server: Server) -> None:
    from mashbill.runtime.budget.amounts import PICO
    from mashbill.runtime.budget.carried import write_spent
    from mashbill.runtime.runs import new_run

    where = project(tmp_path, solver=server.url)
    plan = planned(where, facts(5_000))
    guarded(plan)
    write_spent(new_run(where.state), "costly", {"budget.usd": 100 * PICO}, True)
    with pytest.raises(RunError) as caught:
        guarded(plan)
    assert caught.value.diagnostic == "B554" and "$100 spent before" in str(caught.value)


def test_a_model_that_is_away_is_found_before_anyone_is_asked(tmp_path: Path) -> None:
    plan = planned(project(tmp_path), facts(5_000))
    with pytest.raises(RunError) as caught:
        guarded(plan, typed="")
    assert caught.value.diagnostic == "M251"


def test_a_replay_is_guarded_by_nobody(tmp_path: Path) -> None:
    plan = planned(project(tmp_path), facts(10_000))
    found, told = guarded(plan, typed="", replay=True)
    assert found.answers == () and len(told) == 1


def test_a_saved_plan_is_held_to_what_it_quoted(tmp_path: Path, server: Server) -> None:
    plan = planned(project(tmp_path, solver=server.url), facts(10_000))
    assert plan.estimates is not None
    plan.quoted, plan.estimates, plan.facts = plan.estimates.to_json(), None, None
    with pytest.raises(RunError) as caught:
        guarded(plan)
    assert caught.value.diagnostic == "B554"
    found, told = guarded(plan, over_budget=True)
    assert found.answers[0].answered and "prompts" not in told[0].line


def test_what_was_not_measured_is_not_guarded(tmp_path: Path) -> None:
    plan = planned(project(tmp_path))
    plan.estimates = plan.facts = None
    assert guarded(plan, typed="")[0].answers == ()
