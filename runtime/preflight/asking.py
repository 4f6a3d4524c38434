"""Which models a run will ask, and how: what stays in the ledger is asked of nobody."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...compiler.estimating.estimates import Estimates
from ...compiler.guarding.approval import by_model
from ...compiler.plan import Plan, PlanNode
from ..requests import Message, Request, Sampling
from ..scoring.wire import pair

TOKENS = 8
WORDS = "Say one word."
BEGUN = "The word is"
LEAST_CALLS = 0.5
"""Expected calls below which a model is taken not to be asked."""


def models_asked(plan: Plan, estimates: Estimates | None) -> tuple[str, ...]:
    """Models that will be sent something, by name; all that steps name where nothing is known."""
    names = sorted({name for node in plan.nodes for name in node.asked})
    if estimates is None:
        return tuple(names)
    found = set()
    for node in plan.nodes:
        for name, spent in by_model(node, estimates).items():
            if spent.calls.value is None or spent.calls.value >= LEAST_CALLS:
                found.add(name)
    return tuple(name for name in names if name in found)


def tiny_request(plan: Plan, name: str, digest: str) -> Request:
    """A request as steps of the plan would send it, only short: what they draw by is tried too."""
    task = (plan.models[name].get("options") or {}).get("task", "generate")
    if task != "generate":
        messages = (Message("user", WORDS),) if task == "embed" else pair(WORDS, "Yes.")
        return Request(digest, messages, Sampling(temperature=0.0, max_tokens=1))
    found = next(_samplings(plan, name), {})
    kept = ("temperature", "top_p", "top_k", "min_p", "repetition_penalty")
    drawn = {key: found[key] for key in kept if found.get(key) is not None}
    most = min(TOKENS, int(found.get("max_tokens") or TOKENS))
    sampling = Sampling(**{"temperature": 0.0, **drawn, "max_tokens": most})
    begun = (Message("assistant", BEGUN),) if _begins(plan, name) else ()
    return Request(digest, (Message("user", WORDS), *begun), sampling)


def _begins(plan: Plan, name: str) -> bool:
    """Whether a step's prompt begins a model's replies, from which not every server goes on."""
    prompts = (
        (n.definition.get("params") or {}).get("prompt") for n in plan.nodes if n.model == name
    )
    return any("assistant" in prompt["blocks"] for prompt in prompts if prompt)


def _samplings(plan: Plan, name: str) -> Iterator[Mapping[str, Any]]:
    """How steps draw replies of a model."""
    for node in plan.nodes:
        params = node.definition.get("params") or {}
        if node.model == name and params.get("sampling"):
            yield params["sampling"]
        yield from _elsewhere(node, params, name)


def _elsewhere(node: PlanNode, params: Mapping[str, Any], name: str) -> Iterator[Mapping[str, Any]]:
    """Of checks and rungs that ask it."""
    checks = {check["name"]: check for check in params.get("checks") or ()}
    for place, model in node.models.items():
        if model != name:
            continue
        kind, at, param = place.split(".", 2)
        if kind == "checks":
            asked = (checks.get(at, {}).get("models") or {}).get(param) or {}
        else:
            asked = params["on_fail"][int(at)]
        if asked.get("sampling"):
            yield asked["sampling"]
