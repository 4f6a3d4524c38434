"""The record of a run, for people and for the next plan: what was estimated, and what happened."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .mixing import Selection
from .output import output_of

if TYPE_CHECKING:
    from .execute import Execution


def make_record(
    execution: Execution,
    status: str,
    estimates: Mapping[str, Any] | None,
    selection: Selection | None,
    problem: str | None = None,
) -> dict[str, Any]:
    """The record of a run: estimated beside actual, step by step."""
    accounts = execution.pipeline.accounts if execution.pipeline else {}
    output = output_of(execution.plan, execution.project)
    return {
        "mashbill_run": 1,
        "run": execution.folder.id,
        "status": status,
        "problem": problem,
        "recipe": dict(execution.plan.recipe),
        "plan": execution.plan.digest,
        "fingerprints": {n.name: n.fingerprint for n in execution.plan.nodes},
        "rules": {n.name: n.rule for n in execution.plan.nodes},
        "started": execution.started,
        "seconds": round(time.time() - execution.started, 3),
        "steps": {name: a.to_json() for name, a in accounts.items()},
        "models": {
            name: {
                "sent": w.stats.sent,
                "reused": w.stats.reused,
                "shared": w.stats.shared,
                "retried": w.stats.retried,
                "prompt_tokens": w.stats.prompt_tokens,
                "completion_tokens": w.stats.completion_tokens,
                "seconds": round(w.stats.seconds, 3),
            }
            for name, w in execution.windows.items()
        },
        "mix": mix_json(selection) if selection else None,
        "estimates": dict(estimates) if estimates else None,
        "errors": execution.errors,
        "examples": execution.examples.to_json(),
        "output": {"path": os.path.relpath(output.path, execution.project.root)},
    }


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
