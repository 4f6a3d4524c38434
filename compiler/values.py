"""Binding of one parameter: from what the recipe says to plain JSON, names and types checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any, get_args

from .asking import bind_prompt, reply_columns
from .bound import DEFAULT_SAMPLING, Bound, plain_map
from .diagnostics import Diagnostic, Span
from .document import Map, Node, plain
from .formulas import bad_pattern, bind_expression
from .ladders import bind_ladder
from .mending import renaming
from .params import Checks, Chunk, Ladder, Sampling
from .prompts.use import overflow
from .quantities import parse_share, parse_tokens
from .registry import Column, Cost, Expression, Model, Operator, Param, Pattern, Prompt, Share
from .scope import Binding, Scope
from .suggest import nearest
from .types import BOOL, STR


def bind_params(
    operator: Operator,
    nodes: Mapping[str, Node],
    binding: Binding,
    scope: Scope,
    place: Span,
    *,
    incomplete: bool = False,
) -> Bound:
    """Bind all parameters of an operator; model and prompt first, since others lean on them.

    A value of the wrong type has its diagnostic from `shape`; the result is broken, silently.
    """
    bound = Bound(incomplete=incomplete)
    rank = {Model: 0, Prompt: 1, Sampling: 2, Checks: 4, Ladder: 5}
    for param in sorted(operator.params, key=lambda p: rank.get(_core(p), 3)):
        node = nodes.get(param.name)
        if node is None:
            _absent(param, binding, scope, place, bound)
        else:
            _given(param, node, binding, scope, bound)
    _refuse_overflow(bound, nodes, binding)
    return bound


def _refuse_overflow(bound: Bound, nodes: Mapping[str, Node], binding: Binding) -> None:
    """A prompt that no row can fit into its model."""
    sampling, node, model = bound.params.get("sampling"), nodes.get("prompt"), bound.model
    longest = sampling.get("max_tokens") if isinstance(sampling, Mapping) else None
    if bound.prompt and model and node and type(longest) is int:
        for found in overflow(bound.prompt, longest, model.name, model.placement, node.span):
            binding.add(found)
            bound.broken = True


def _core(param: Param) -> Any:
    """The parameter's type without `| None`."""
    return _without_none(param.type)


@cache
def _without_none(hint: Any) -> Any:
    args = [a for a in get_args(hint) if a is not type(None)]
    return args[0] if type(None) in get_args(hint) and len(args) == 1 else hint


def _absent(param: Param, binding: Binding, scope: Scope, place: Span, bound: Bound) -> None:
    core = _core(param)
    if param.required:
        bound.broken = True
    elif core is Sampling:
        bound.params[param.name] = _sampling(None, binding, bound)
    elif core is Column and param.default is not None:
        if not scope.has(str(param.default)):
            missing = scope.missing(str(param.default), place)
            help = f"name the column to take instead: `{param.name}: …`"
            binding.add(replace(missing, help=help, fix=()))
            bound.broken = True
        bound.reads.add(str(param.default))
        bound.params[param.name] = str(param.default)
    else:
        empty: Mapping[Any, Any] = {Checks: [], Ladder: [{"rung": "reject"}]}
        bound.params[param.name] = param.default or empty.get(core, param.default)


def _given(param: Param, node: Node, binding: Binding, scope: Scope, bound: Bound) -> None:
    core, value = _core(param), plain(node)
    if core not in (Checks, Ladder, Sampling) and binding.faulty(node.span):
        bound.broken = True
        return
    match core:
        case _ if core is Expression:
            found = bind_expression(node, binding, scope, want=BOOL)
            if found is None:
                bound.broken = True
                return
            value = found.text
            bound.rests_on(found)
        case _ if not isinstance(value, _PLAIN.get(core, object)):
            bound.broken = True
            return
        case _ if core is Column:
            if not scope.has(value):
                binding.add(scope.missing(value, node.span))
                bound.broken = True
            bound.reads.add(value)
        case _ if core is Pattern:
            if why := binding.world.regex_problem(value):
                binding.add(bad_pattern(why, node.span))
                bound.broken = True
        case _ if core is Share:
            share = parse_share(value)
            value = round(share, 15) if isinstance(share, float) else None
        case _ if core is Model:
            value = _model(node, binding, bound)
        case _ if core is Prompt:
            value = bind_prompt(node, binding, scope, bound)
        case _ if core is Sampling:
            value = _sampling(node, binding, bound)
        case _ if core is Chunk:
            value = _chunk(node)
        case _ if core is Checks:
            value = _checks(node, binding, scope, bound)
        case _ if core is Ladder:
            value = bind_ladder(node, binding, bound)
        case _:
            pass
    bound.params[param.name] = value


_PLAIN: Mapping[Any, Any] = {
    **dict.fromkeys((str, Column, Pattern, Model, Prompt), str),
    bool: bool,
    int: int,
    float: int | float,
}


def _model(node: Node, binding: Binding, bound: Bound) -> str | None:
    name = str(plain(node))
    models = binding.models()
    if name not in models and "models" in binding.recipe.unread:
        bound.broken = True
        return None
    if name not in models:
        close = nearest(name, tuple(models))
        binding.add(
            Diagnostic(
                "R110",
                f"no model is called `{name}`",
                node.span,
                f"models: {', '.join(models) or 'none'}",
                help=f"did you mean `{close}`?" if close else f"add `{name}` under `models:`",
                fix=renaming(node.span, close),
            )
        )
        bound.broken = True
        return None
    bound.model = models[name]
    return name


def _sampling(node: Node | None, binding: Binding, bound: Bound) -> dict[str, Any]:
    merged: dict[str, Any] = dict(DEFAULT_SAMPLING)
    if bound.model and bound.model.sampling:
        merged |= plain_map(bound.model.sampling)
    if bound.prompt and bound.prompt.max_tokens:
        merged["max_tokens"] = bound.prompt.max_tokens
    if node is not None:
        merged |= plain_map(node)
    stop = merged.get("stop")
    if isinstance(stop, str):
        merged["stop"] = [stop]
    return {k: v for k, v in merged.items() if v is not None and v != []}


def _chunk(node: Node) -> dict[str, Any] | None:
    value = plain_map(node)
    size = parse_tokens(value.get("max", ""))
    return {"by": value.get("by"), "max": size if isinstance(size, int) else None}


def _checks(node: Node, binding: Binding, scope: Scope, bound: Bound) -> list[dict[str, Any]]:
    made: list[tuple[int, str, dict[str, Any]]] = []
    if not isinstance(node, Map):
        return []
    inside = scope.plus({**reply_columns(bound), **({"input.text": STR} if bound.model else {})})
    inside = replace(inside, open=scope.open or bound.broken)
    for key, value in node.entries:
        name = str(key.value)
        body = value if isinstance(value, Map) else Map((), value.span)
        kind_node = body.get("kind")
        kind = str(plain(kind_node)) if kind_node else name
        operator = binding.catalog.checks.get(kind)
        if operator is None or binding.faulty(key.span, value.span):
            bound.broken = True
            continue
        nodes = {str(k.value): v for k, v in body.entries if k.value != "kind"}
        inner = bind_params(operator, nodes, binding, inside, key.span)
        bound.broken = bound.broken or inner.broken
        bound.rests_on(inner)
        bound.reads |= set(operator.reads)
        bound.packages |= set(operator.packages)
        check = {"name": name, "kind": kind, "version": operator.version, "params": inner.params}
        made.append((COSTS.index(operator.cost), name, check))
    # Keys of a map have no order: cheap checks run first, then by name.
    return [check for _, _, check in sorted(made, key=lambda m: m[:2])]


COSTS = get_args(Cost)
