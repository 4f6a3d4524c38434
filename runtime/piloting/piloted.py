"""What a pilot did: what it asked of whom, what that cost, and how fast it went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from ...compiler.budgets import FREE
from ..progress.money import cost
from .pilot_log import placed

if TYPE_CHECKING:
    from ...compiler.plan import Plan
    from ..execution import Execution
    from .pace import Pace


@dataclass(frozen=True, slots=True)
class Asked:
    """What one model was asked, and how fast it was.

    Attributes:
        calls: Requests that were paid for.
        prompt_tokens: Of these.
        reply_tokens: Of these.
        usd: What they cost; None where nobody knows the price.
        reply_per_second: Reply tokens a second while it was busy; None if it was asked nothing.
        requests: Replies that this was measured on.
    """

    calls: int
    prompt_tokens: int
    reply_tokens: int
    usd: float | None
    reply_per_second: float | None = None
    requests: int = 0


@dataclass(frozen=True, slots=True)
class Pilot:
    """What a pilot did.

    Attributes:
        documents: That were sent through the graph.
        reached: Documents by step that asks a model with none before it.
        models: By model.
        reused: Requests that the ledger answered.
        seconds: Wall time, engines started and stopped.
        stopped: Why it ended early; empty if it did not.
    """

    documents: int
    reached: Mapping[str, int]
    models: Mapping[str, Asked]
    reused: int
    seconds: float
    stopped: str = ""

    @property
    def sent(self) -> int:
        """Requests that were paid for."""
        return sum(m.calls for m in self.models.values())

    @property
    def prompt_tokens(self) -> int:
        """Of these."""
        return sum(m.prompt_tokens for m in self.models.values())

    @property
    def reply_tokens(self) -> int:
        """Of these."""
        return sum(m.reply_tokens for m in self.models.values())

    @property
    def usd(self) -> float | None:
        """What it cost; None where the price of a model is not known."""
        prices = [m.usd for m in self.models.values()]
        return None if None in prices else sum(p or 0.0 for p in prices)

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        totals = {
            "sent": self.sent,
            "prompt_tokens": self.prompt_tokens,
            "reply_tokens": self.reply_tokens,
            "usd": self.usd,
        }
        return {**asdict(self), **totals}


def asked_of(execution: Execution, pace: Pace) -> dict[str, Asked]:
    """What each model was asked."""
    models = {}
    for name, window in execution.windows.items():
        stats, steady = window.stats, pace.steady(name)
        calls = stats.sent - stats.retried - stats.failed
        model = execution.plan.models[name]
        usd = cost(
            model.get("price"), stats.prompt_tokens, stats.completion_tokens, stats.cached_tokens
        )
        if usd is None and (model["engine"] in FREE or not calls):
            usd = 0.0
        models[name] = Asked(
            calls,
            stats.prompt_tokens,
            stats.completion_tokens,
            usd,
            steady.reply if steady else None,
            steady.requests if steady else 0,
        )
    return models


def line_of(plan: Plan, n: int, made: Pilot, started: float) -> dict[str, Any]:
    """What is noted of a pilot."""
    models = {
        name: {"placed": placed(plan.models[name]), **asdict(asked)}
        for name, asked in made.models.items()
    }
    return {
        **made.to_json(),
        "recipe": str(plan.recipe["name"]),
        "plan": plan.digest,
        "n": n,
        "models": models,
        "time": started,
    }
