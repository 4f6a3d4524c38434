"""Whether prompts and replies fit what a model holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ...compiler.estimating.facts import Facts, NodeFacts
from ...compiler.plan import Plan, PlanNode
from .answer import Answer


def misfits(plan: Plan, facts: Facts, contexts: Mapping[str, int]) -> Iterator[Answer]:
    """Steps whose prompts do not fit the context of their model.

    A step of which not even the mean prompt fits fails; one of which the longest does not is
    warned of, since those rows alone are lost or cut, as its `overlong:` says.

    Args:
        plan: What would run.
        facts: With the prompts that were rendered.
        contexts: Tokens of prompt and reply that a model holds, where that is known.
    """
    for node in plan.nodes:
        context = contexts.get(node.model or "")
        seen = facts.nodes.get(node.name)
        most = (node.definition.get("params") or {}).get("sampling") or {}
        if context is None or seen is None or not most.get("max_tokens"):
            continue
        found = _misfit(node, seen, int(most["max_tokens"]), context)
        if found is not None:
            yield found


def _misfit(node: PlanNode, seen: NodeFacts, reply: int, context: int) -> Answer | None:
    model = node.model or ""
    holds = f"`{model}` holds {context:,} tokens"
    mean = _mean_prompt(seen)
    shorter = f"--set steps.{node.name}.sampling.max_tokens={_less(context)}"
    if reply >= context:
        said = (
            f"`{node.name}` asks for replies of up to {reply:,} tokens, and {holds} with the prompt"
        )
        return Answer(model, "fail", said, shorter, context=context)
    if mean is not None and mean + reply > context:
        said = (
            f"prompts of `{node.name}` have about {mean:,.0f} tokens, and with max_tokens "
            f"{reply:,} they do not fit: {holds}"
        )
        roomy = context - mean * 1.5
        help = shorter if roomy > context / 8 else "cut documents: `chunk: { by: paragraph, … }`"
        return Answer(model, "fail", said, help, context=context)
    if seen.longest_prompt + reply > context:
        said = (
            f"the longest prompt of `{node.name}` has {seen.longest_prompt:,} tokens, and with "
            f"max_tokens {reply:,} it does not fit: {holds}"
        )
        return Answer(model, "warn", said, "such rows are lost or cut, as `overlong:` says")
    return None


def _mean_prompt(seen: NodeFacts) -> float | None:
    """Tokens of a first attempt, on average."""
    if seen.reached is None:
        return None
    prompt, units = seen.reached.of("prompt"), seen.reached.of("units")
    return prompt / units if prompt is not None and units else None


def _less(context: int) -> int:
    """A quarter of the context, in a round number."""
    quarter = max(16, context // 4)
    return quarter // 16 * 16
