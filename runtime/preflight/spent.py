"""What earlier runs of a data set have spent of its caps, and what the preflight itself spends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ..budget import Exhausted, NoPurse, Purse, carried
from ..budget.amounts import KINDS, in_plan

if TYPE_CHECKING:
    from ...compiler.plan import Plan
    from .answer import Answer

STEP = "preflight"
"""Whom a probe is charged to, beside the run."""


def spent_before(plan: Plan, state: Path) -> dict[str, float]:
    """What caps were charged since the data set was last done, by path, in the plan's units.

    Raises:
        OSError: Runs cannot be read.
    """
    found: Mapping[str, int] = carried(state, str(plan.recipe["name"]), "").spent
    return {path: in_plan(kind, value) for path, value in found.items()
            if (kind := path.rpartition(".")[2]) in KINDS}  # fmt: skip


async def charge(purse: Purse | NoPurse, answers: Sequence[Answer]) -> None:
    """Charge what was spent on asking models whether they are there.

    It is spent before the run has a purse, a few tokens a model: where a cap has no room left for
    them, the next request finds that out.

    Raises:
        OSError: What was spent cannot be written.
    """
    for answer in answers:
        for reply in answer.completions:
            with suppress(Exhausted):
                reserved = await purse.reserve(
                    STEP, answer.model, reply.prompt_tokens, reply.completion_tokens
                )
                purse.settle(reserved, reply)
