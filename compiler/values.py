"""Binding of one parameter: from what the recipe says to plain JSON, names and types checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any, get_args

from .asking import bind_prompt, reply_columns
from .bound import Asking, Bound, plain_map
from .calling import bind_asking, find_model, sampling_for
from .diagnostics import Span
from .document import Map, Node, plain
from .draws import bind_rank, bind_until
from .formulas import bad_pattern, bind_expression
from .json_schemas import bind_json_schema
from .ladders import bind_ladder
from .params import Checks, Chunk, Columns, JsonSchema, Ladder, Sampling, Until
from .prompts.use import overflow
from .quantities import parse_bytes, parse_duration, parse_share, parse_tokens
from .raters import bind_columns, refuse_judging, refuse_tasks
from .registry import (
    Column,
    Cost,
    Duration,
    Expression,
    Model,
    Operator,
    Param,
    Pattern,
    Prompt,
    Rank,
    Share,
    Size,
    Template,
)
from .rendering import bind_template
from .scope import Binding, Scope
from .types import ANY, BOOL, STR


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
    if operator.makes:
        scope = scope.plus(dict.fromkeys(operator.makes, ANY.maybe(False)))
    rank = {Model: 0, Prompt: 1, Sampling: 2, Checks: 4, Ladder: 5, Until: 6}
    for param in sorted(operator.params, key=lambda p: rank.get(_core(p), 3)):
        node = nodes.get(param.name)
        if node is None:
            _absent(param, binding, scope, place, bound)
        else:
            seen = _seen_by(operator, param, scope, bound)
            _given(operator, param, node, binding, seen, bound)
    for param in operator.params:
        if param.name in operator.later and bound.params.get(param.name) == param.default:
            bound.params.pop(param.name, None)
    if operator.kind == "step":
        _refuse_overflow(bound, nodes, binding)
    refuse_tasks(operator, nodes, bound, binding)
    refuse_judging(operator, nodes, bound, binding)
    return bound


def _seen_by(operator: Operator, param: Param, scope: Scope, bound: Bound) -> Scope:
    """The scope of a parameter: an expression of a check sees what the check's prompts reply."""
    if operator.kind == "check" and _core(param) is Expression:
        for asking in bound.prompts.values():
            scope = scope.plus(dict(asking.prompt.reply))
    return scope


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
    elif core in (Column, Columns) and param.default is not None:
        if not scope.has(str(param.default)):
            missing = scope.missing(str(param.default), place)
            help = f"name the column to take instead: `{param.name}: …`"
            binding.add(replace(missing, help=help, fix=()))
            bound.broken = True
        bound.reads.add(str(param.default))
        own = str(param.default)
        bound.params[param.name] = own if core is Column else [own]
    else:
        empty: Mapping[Any, Any] = {Checks: [], Ladder: [{"rung": "reject"}]}
        bound.params[param.name] = param.default or empty.get(core, param.default)


def _given(
    operator: Operator, param: Param, node: Node, binding: Binding, scope: Scope, bound: Bound
) -> None:
    core, value = _core(param), plain(node)
    if core not in (Checks, Ladder, Sampling) and binding.faulty(node.span):
        bound.broken = True
        return
    match core:
        case _ if core in (Expression, Rank):
            rank = core is Rank
            found = (
                bind_rank(node, binding, scope)
                if rank
                else bind_expression(node, binding, scope, want=BOOL)
            )
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
        case _ if core is Columns:
            value = bind_columns(node, bound, scope, binding)
        case _ if core is Pattern:
            if why := binding.world.regex_problem(value):
                binding.add(bad_pattern(why, node.span))
                bound.broken = True
        case _ if core is Share:
            share = parse_share(value)
            value = round(share, 15) if isinstance(share, float) else None
        case _ if core is Duration:
            seconds = parse_duration(value)
            value = seconds if isinstance(seconds, float) else None
        case _ if core is Size:
            size = parse_bytes(value)
            value = size if isinstance(size, int) else None
        case _ if core is Model:
            value = _model(param, node, binding, bound)
        case _ if core is Prompt:
            value = _prompt(param, node, binding, scope, bound)
        case _ if core is Template:
            value = _template(param, node, binding, scope, bound)
        case _ if core is Until:
            value = bind_until(node, binding, scope, bound)
        case _ if core is Sampling:
            value = _sampling(node, binding, bound)
        case _ if core is JsonSchema:
            value = bind_json_schema(node, binding, bound)
            bound.broken = bound.broken or value is None
        case _ if core is Chunk:
            value = _chunk(node)
        case _ if core is Checks:
            value = _checks(node, binding, scope, bound)
        case _ if core is Ladder:
            value = bind_ladder(node, operator, binding, scope, bound)
        case _:
            pass
    bound.params[param.name] = value


_PLAIN: Mapping[Any, Any] = {
    **dict.fromkeys((str, Column, Pattern, Model, Prompt, Template), str),
    bool: bool,
    int: int,
    float: int | float,
}


def _prompt(
    param: Param, node: Node, binding: Binding, scope: Scope, bound: Bound
) -> dict[str, Any] | None:
    own = Bound()
    value = bind_prompt(node, binding, scope, own)
    bound.prompt_files.update(own.prompt_files)
    bound.reads |= own.reads
    bound.broken = bound.broken or own.broken
    if own.prompt is not None:
        bound.prompt = own.prompt
        bound.prompts[param.name] = Asking(own.prompt, own.prompt_files)
    return value


def _model(param: Param, node: Node, binding: Binding, bound: Bound) -> str | None:
    found = find_model(node, binding)
    if found is None:
        bound.broken = True
        return None
    bound.model = bound.models[param.name] = found
    return found.name


def _template(
    param: Param, node: Node, binding: Binding, scope: Scope, bound: Bound
) -> dict[str, Any] | None:
    """A template sees the columns that reach the step, and what the reply makes."""
    inside = scope.plus(reply_columns(bound))
    template = bind_template(
        node,
        inside.columns,
        binding,
        bound.prompt_files,
        unsure=scope.open or bound.broken,
        user=f"step `{scope.step.name}`",
    )
    if template is None:
        bound.broken = True
        return None
    bound.templates[param.name] = {"path": template.path, "reads": list(template.reads)}
    bound.reads |= {*template.reads}
    return template.canonical()


def _sampling(node: Node | None, binding: Binding, bound: Bound) -> dict[str, Any]:
    return sampling_for(bound.model, bound.prompt, node)


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
        asked = bind_asking(key, operator, nodes, inner, binding)
        bound.broken = bound.broken or inner.broken
        bound.asked |= {f"checks.{name}.{p}": m for p, m in inner.models.items()}
        bound.asking |= {f"checks.{name}.{p}": a for p, a in inner.prompts.items()}
        bound.rests_on(inner)
        bound.reads |= set(operator.reads)
        bound.packages |= set(operator.packages)
        check = {"name": name, "kind": kind, "version": operator.version, "params": inner.params}
        cost: Cost = "model" if asked else operator.cost
        made.append((COSTS.index(cost), name, {**check, **asked}))
    # Keys of a map have no order: cheap checks run first, those that ask models last, then by name.
    return [check for _, _, check in sorted(made, key=lambda m: m[:2])]


COSTS = get_args(Cost)
