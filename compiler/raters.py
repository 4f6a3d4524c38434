"""Models in the wrong place: one that scores where one is to write, a judge of its own words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from .asking import reply_columns
from .bound import Bound
from .calling import sampling_for
from .diagnostics import Diagnostic, Span
from .document import List, Map, Node, Scalar, plain
from .ladders import is_greedy
from .recipe import ModelDecl, StepDecl
from .registry import Model, Operator, Prompt
from .scope import Binding, Scope

if TYPE_CHECKING:
    from .graph import Node as GraphNode
    from .graph import Rows

WRITES = ("generate",)


def task_of(model: ModelDecl) -> str:
    """What a model is for; it writes where the recipe does not say."""
    return str(dict(model.options).get("task", "generate"))


def rates(operator: Operator) -> bool:
    """Whether a step asks a model for numbers: it names one, and no prompt to ask it by."""
    types = {param.type for param in operator.params}
    return operator.kind == "step" and Model in types and Prompt not in types


def with_usual_columns(
    operator: Operator, step: StepDecl, given: Rows, nodes: Mapping[str, GraphNode]
) -> dict[str, Node]:
    """A step's parameters; where rows are rated, with what was asked and answered by the rows' own.

    Where a model has written the text, that answers what it was given. Else the text was asked, and
    what the last model made of it answers.
    """
    params = dict(step.params)
    if not rates(operator) or "text" in given.modelled:
        return params
    makers = {m for c in given.modelled for m in given.makers.get(c, ()) if m in nodes}
    last = next((n for n in reversed([*nodes]) if n in makers and nodes[n].model), None)
    made = [c for c in given.columns if c in given.modelled and last in given.makers.get(c, ())]
    if not made or last is None:
        return params
    answered = List(tuple(Scalar(c, step.op_span) for c in made), step.op_span)
    return {"asked": Scalar("text", step.op_span), "got": answered, **params}


def bind_columns(node: Node, bound: Bound, scope: Scope, binding: Binding) -> list[str]:
    """The columns that a parameter names, one or several."""
    named = node.items if isinstance(node, List) else (node,)
    for one in named:
        name = str(plain(one))
        if not scope.has(name):
            binding.add(scope.missing(name, one.span))
            bound.broken = True
        bound.reads.add(name)
    return [str(plain(one)) for one in named]


def refuse_tasks(
    operator: Operator, nodes: Mapping[str, Node], bound: Bound, binding: Binding
) -> None:
    """Report models that cannot do what a parameter wants of them (M257)."""
    for param, model in sorted(bound.models.items()):
        wanted, task = operator.tasks.get(param, WRITES), task_of(model)
        if task in wanted or param not in nodes:
            continue
        says = f"has `task: {task}`" if task != "generate" else "writes text"
        does = (
            "one that writes" if wanted == WRITES else " or ".join(f"`task: {w}`" for w in wanted)
        )
        able = [m.name for m in binding.recipe.models if task_of(m) in wanted]
        add = "take its `task` out" if wanted == WRITES else f"give it `task: {wanted[0]}`"
        help = f"name another: {', '.join(able)}" if able else add
        message = f"model `{model.name}` {says}, and `{operator.name}` needs {does}"
        binding.add(Diagnostic("M257", message, nodes[param].span, help=help))
        bound.broken = True


def refuse_judging(
    operator: Operator, nodes: Mapping[str, Node], bound: Bound, binding: Binding
) -> None:
    """Report what a check that asks models is given and cannot use."""
    refuse = {"judge": _refuse_judge, "facts": _refuse_facts}.get(operator.name)
    if operator.kind == "check" and refuse is not None:
        for found in refuse(nodes, bound):
            binding.add(found)
            bound.broken = True


def _refuse_judge(nodes: Mapping[str, Node], bound: Bound) -> Iterator[Diagnostic]:
    """Columns that cannot change places, and votes that can be tied."""
    swap, votes, count = nodes.get("swap"), nodes.get("votes"), bound.params.get("votes")
    shown = {name for a in bound.prompts.values() for name, _ in a.prompt.inputs}
    if swap is not None and bound.prompts:
        for column in swap.items if isinstance(swap, List) else ():
            if plain(column) not in shown:
                message = f"`swap` exchanges `{plain(column)}`, which the prompt does not show"
                help = f"the prompt's inputs: {', '.join(sorted(shown)) or 'none'}"
                yield Diagnostic("R104", message, column.span, help=help)
    if votes is not None and isinstance(count, int) and count % 2 == 0:
        message = f"{count} votes can be tied"
        yield Diagnostic("S005", message, votes.span, help=f"write `votes: {count + 1}`")
    sampling = sampling_for(bound.model, bound.prompt, nodes.get("sampling"))
    if votes is not None and isinstance(count, int) and count > 1 and is_greedy(sampling):
        message = "at temperature 0 every vote is the same reply"
        help = "write `votes: 1`, or `sampling: { temperature: 0.8 }`"
        yield Diagnostic("M253", message, votes.span, help=help)
    alone = nodes.get("pass_swapped")
    if alone is not None and swap is None:
        yield Diagnostic(
            "S011", "`pass_swapped` needs `swap`", alone.span, help="add `swap: [a, b]`"
        )


def _refuse_facts(nodes: Mapping[str, Node], bound: Bound) -> Iterator[Diagnostic]:
    """Halves of what goes together."""
    between = nodes.get("similarity")
    if between is None and (embedder := nodes.get("embedder")):
        help = "add `similarity: [0.8, 0.98]`: every embedder has bounds of its own"
        yield Diagnostic("S011", "`embedder` needs `similarity`", embedder.span, help=help)
    if between is not None and "embedder" not in nodes:
        yield Diagnostic(
            "S011", "`similarity` needs `embedder`", between.span, help="add `embedder: …`"
        )
    bounds = plain(between) if between is not None else None
    if between is not None and isinstance(bounds, list) and not _is_range(bounds):
        message = "`similarity` is the least and the largest cosine"
        yield Diagnostic("S005", message, between.span, help="write `similarity: [0.8, 0.98]`")
    if (points := nodes.get("key_points")) and "judge" not in nodes:
        yield Diagnostic("S011", "`key_points` needs `judge`", points.span, help="add `judge: …`")
    for asking in bound.prompts.values():
        if "supported" not in dict(asking.prompt.reply):
            message = "the reply of `judge_prompt` needs a field `supported`, yes or no"
            help = "write `reply: { supported: tag }` in the prompt"
            yield Diagnostic("P212", message, nodes["judge_prompt"].span, help=help)


def _is_range(bounds: list[object]) -> bool:
    numbers = [b for b in bounds if isinstance(b, int | float) and not isinstance(b, bool)]
    return len(bounds) == len(numbers) == 2 and -1 <= numbers[0] <= numbers[1] <= 1


def warn_of_own_judges(
    step: StepDecl,
    bound: Bound,
    given: Rows,
    nodes: Mapping[str, GraphNode],
    binding: Binding,
) -> None:
    """Warn where a model judges what it has written itself (V404)."""
    models = binding.models()
    own = reply_columns(bound)
    for place, judge in sorted(bound.asked.items()):
        head, _, param = place.rpartition(".")
        if task_of(judge) != "generate" or not head.startswith("checks."):
            continue
        prompts = [a.prompt for p, a in bound.asking.items() if p.startswith(f"{head}.")]
        # One that is asked in the check's own words is asked about the text.
        seen = {name for prompt in prompts for name, _ in prompt.inputs} or {"text"}
        writers = {
            m for c in seen for s in given.makers.get(c, ()) if s in nodes and (m := nodes[s].model)
        }
        if bound.model is not None and seen & own.keys():
            writers.add(bound.model.name)
        same = [w for w in sorted(writers) if w in models and _same(models[w], judge)]
        if same:
            message = f"`{judge.name}` judges what it has written itself"
            if judge.name not in same:
                message = f"`{judge.name}` has the weights of `{same[0]}`, whose words it judges"
            help = "a judge prefers its own words: give it other weights"
            span = _place(step, head.removeprefix("checks."), param)
            binding.add(Diagnostic("V404", message, span, help=help))


def _same(one: ModelDecl, other: ModelDecl) -> bool:
    """Whether two models have the same weights, as far as the recipe says."""
    weights = ("lora", "revision", "quantization")
    mine, yours = dict(one.options), dict(other.options)
    return (one.engine, one.model, one.urls) == (other.engine, other.model, other.urls) and all(
        mine.get(k) == yours.get(k) for k in weights
    )


def _place(step: StepDecl, check: str, param: str) -> Span:
    checks = step.param("checks")
    body = checks.get(check) if isinstance(checks, Map) else None
    node = body.get(param) if isinstance(body, Map) else None
    return node.span if node is not None else step.op_span
