"""The record of a run, for people and for the next plan: what was estimated, and what happened."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .afterwards import compare, spent_by_step
from .afterwards.thoughts import thoughts
from .mixing import Selection
from .output import output_of
from .progress.money import cost
from .sandbox.wanted import level_json

if TYPE_CHECKING:
    from .execution import Execution
    from .window import Window


def make_record(
    execution: Execution,
    status: str,
    estimates: Mapping[str, Any] | None,
    selection: Selection | None,
    problem: str | None = None,
) -> dict[str, Any]:
    """The record of a run: estimated beside actual, step by step."""
    plan = execution.plan
    accounts = execution.pipeline.accounts if execution.pipeline else {}
    cohorts = execution.pipeline.cohorts if execution.pipeline else {}
    paid = spent_by_step(plan, execution.windows, cohorts, estimates)
    output = output_of(plan, execution.project)
    notes = execution.journal.notes if execution.journal else {}
    return {
        "mashbill_run": 1,
        "run": execution.folder.id,
        "status": status,
        "problem": problem,
        "recipe": dict(plan.recipe),
        "plan": plan.digest,
        "passes": execution.passes,
        "fingerprints": {n.name: n.fingerprint for n in plan.nodes},
        "rules": {n.name: n.rule for n in plan.nodes},
        "started": execution.started,
        "seconds": round(time.time() - execution.started, 3),
        "steps": {name: a.to_json() for name, a in accounts.items()},
        "checks": {
            step: {name: tally.to_json() for name, tally in sorted(found.items())}
            for step, found in execution.tallies.items()
            if found
        },
        "audits": [
            n.name for n in plan.nodes if n.definition.get("params", {}).get("mode") == "audit"
        ],
        "models": {
            name: model_json(w, plan.models[name].get("price"), notes.get(name, ""))
            for name, w in execution.windows.items()
        },
        "paid": paid,
        "mix": mix_json(selection) if selection else None,
        "estimates": dict(estimates) if estimates else None,
        "afterwards": compare(
            estimates,
            {name: a.to_json() for name, a in accounts.items()},
            paid,
            complete=status == "done",
        ),
        "warnings": [*thoughts(plan, execution.windows, estimates)],
        "errors": execution.errors,
        "examples": execution.examples.to_json(),
        "output": {"path": os.path.relpath(output.path, execution.project.root)},
        **level_json(plan),
    }


def model_json(window: Window, price: Mapping[str, Any] | None, note: str = "") -> dict[str, Any]:
    """What a model was asked, as the record holds it; times in seconds, added up over requests."""
    stats = window.stats
    made: dict[str, Any] = {
        "sent": stats.sent,
        "reused": stats.reused,
        "shared": stats.shared,
        "retried": stats.retried,
        "failed": stats.failed,
        "prompt_tokens": stats.prompt_tokens,
        "cached_tokens": stats.cached_tokens,
        "completion_tokens": stats.completion_tokens,
        "hidden_tokens": stats.hidden_tokens,
        "seconds": round(stats.seconds, 3),
        "queued": round(stats.queued, 3),
        "under_way": round(stats.under_way, 3),
        "at_work": round(stats.busy, 3),
    }
    spent = cost(price, stats.prompt_tokens, stats.completion_tokens, stats.cached_tokens)
    if spent is not None:
        made["usd"] = spent
    if note:
        made["note"] = note
    return made


def mix_json(selection: Selection) -> dict[str, Any]:
    """The mix as the record holds it."""
    total = max(selection.tokens, 1)
    return {
        "tokens": selection.tokens,
        "human_share": selection.human_share,
        "short": {n: [int(w), int(s)] for n, (w, s) in selection.shares.short.items()},
        "parts": {
            name: {
                "rows": p.rows,
                "merged": p.merged,
                "supply": p.supply,
                "taken_rows": p.taken_rows,
                "taken": p.taken,
                "share": p.taken / total,
                "epochs": p.epochs,
            }
            for name, p in selection.parts.items()
        },
    }
