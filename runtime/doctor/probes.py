"""One tiny real generation of each model, since what a server advertises proves nothing."""

from __future__ import annotations

from ...compiler.plan import Plan
from ..engine_room import room_of
from ..interrupts import run_async
from ..preflight import ask_each
from ..project import Project
from .finding import Finding


def ask_models(plan: Plan, project: Project) -> list[Finding]:
    """Ask each model for a few tokens, as a run does before it begins. Nothing goes to the ledger.

    Models of servers are asked all at the same time; those that share this machine are loaded, one
    after another.
    """
    asked = sorted({m for n in plan.nodes for m in n.asked})
    answers = run_async(ask_each(plan, room_of(plan, project), asked))
    return [Finding(a.level, f"asked {a.model}", a.said, a.help) for a in answers]
