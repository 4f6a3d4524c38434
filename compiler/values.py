"""Binding of one parameter: from what the recipe says to plain JSON, names and types checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, get_args

from .diagnostics import Diagnostic, Edit, Label, Span
from .document import List, Map, Node, Scalar, plain
from .expr import columns_read, infer_type, parse_expr, patterns, show_expr
from .params import Checks, Chunk, Ladder, Sampling
from .prompts import PromptFile, read_prompt
from .quantities import parse_share, parse_tokens
from .recipe import ModelDecl
from .registry import Column, Expression, Model, Operator, Param, Pattern, Prompt, Share
from .scope import Binding, Scope, inner_span
from .suggest import nearest
from .types import BOOL, STR, Type
from .world import OutsideError

DEFAULT_SAMPLING: Mapping[str, Any] = {"temperature": 0.7, "top_p": 1.0, "max_tokens": 512}


@dataclass(slots=True)
class Bound:
    """The parameters of one operator, bound.

    Attributes:
        params: Plain JSON by parameter name.
        reads: Columns that they name.
        model: The model that they name.
        prompt: The prompt that they name.
        prompt_files: Text of every file that the prompt was read from, by path.
        broken: Whether something is wrong, so that what depends on it is not reported again.
    """

    params: dict[str, Any] = field(default_factory=dict)
    reads: set[str] = field(default_factory=set)
    model: ModelDecl | None = None
    prompt: PromptFile | None = None
    prompt_files: dict[str, str] = field(default_factory=dict)
    broken: bool = False


def bind_expression(
    node: Node, binding: Binding, scope: Scope, *, want: Type | None = None, skip: int = 0
) -> tuple[str, Type, frozenset[str]] | None:
    """Parse and check an expression.

    Returns:
        Its canonical text, its type and the columns it reads; None if it is wrong.
    """
    if not isinstance(node, Scalar):
        return None
    raw = node.value
    text = raw[skip:] if isinstance(raw, str) else str(plain(node)).lower()

    def at(start: int, end: int) -> Span:
        whole = binding.files.get(node.span.file, "")
        return inner_span(node, whole, start, end, skip)

    expr, problems = parse_expr(text)
    kind: Type | None = None
    if expr is not None:
        columns = scope.columns
        kind, more = infer_type(expr, columns)
        problems = (*problems, *more)
        for pattern, start, end in patterns(expr):
            if why := binding.world.regex_problem(pattern):
                binding.add(
                    Diagnostic("X155", f"not a regular expression here: {why}", at(start, end))
                )
    bad = False
    for p in problems:
        if scope.open and p.code == "X151":
            continue
        span = at(p.start, p.end)
        fix = (Edit(span, p.replacement),) if p.replacement is not None else ()
        secondary = scope.upstream() if p.code == "X151" else ()
        found = Diagnostic(p.code, p.message, span, secondary=secondary, help=p.help, fix=fix)
        binding.add(found)
        bad = bad or found.severity == "error"
    if bad or expr is None or kind is None:
        return None
    if want is not None and kind.kind not in (want.kind, "any", "null"):
        binding.add(
            Diagnostic(
                "X152",
                f"this must be {_a(want)}, and it is {_a(kind)}",
                at(0, len(text)),
                help="compare it with something" if want.kind == "bool" else None,
            )
        )
        return None
    return show_expr(expr), kind, columns_read(expr)


def _a(kind: Type) -> str:
    words = {"bool": "true or false", "str": "text", "int": "a whole number", "float": "a number"}
    return words.get(kind.kind, str(kind))


def bind_params(
    operator: Operator,
    nodes: Mapping[str, Node],
    binding: Binding,
    scope: Scope,
    place: Span,
) -> Bound:
    """Bind all parameters of an operator; model and prompt first, since others lean on them."""
    bound = Bound()
    rank = {Model: 0, Prompt: 1, Sampling: 2, Checks: 4, Ladder: 5}
    for param in sorted(operator.params, key=lambda p: rank.get(_core(p), 3)):
        node = nodes.get(param.name)
        if node is None:
            _absent(param, binding, scope, place, bound)
        else:
            _given(param, node, binding, scope, bound)
    return bound


def _core(param: Param) -> Any:
    """The parameter's type without `| None`."""
    args = [a for a in get_args(param.type) if a is not type(None)]
    return args[0] if type(None) in get_args(param.type) and len(args) == 1 else param.type


def _absent(param: Param, binding: Binding, scope: Scope, place: Span, bound: Bound) -> None:
    core = _core(param)
    if param.required:
        bound.broken = True
    elif core is Sampling:
        bound.params[param.name] = _sampling(None, binding, bound)
    elif core is Column and param.default is not None:
        if not scope.has(str(param.default)):
            binding.add(scope.missing(str(param.default), place))
            bound.broken = True
        bound.reads.add(str(param.default))
        bound.params[param.name] = str(param.default)
    else:
        bound.params[param.name] = (
            list(param.default)
            if core in (Checks, Ladder) and param.default
            else ([] if core in (Checks, Ladder) else param.default)
        )


def _given(param: Param, node: Node, binding: Binding, scope: Scope, bound: Bound) -> None:
    core, value = _core(param), plain(node)
    match core:
        case _ if core is Expression:
            found = bind_expression(node, binding, scope, want=BOOL)
            if found is None:
                bound.broken = True
                return
            value = found[0]
            bound.reads |= found[2]
        case _ if core is Column:
            if not scope.has(str(value)):
                binding.add(scope.missing(str(value), node.span))
                bound.broken = True
            bound.reads.add(str(value))
        case _ if core is Pattern:
            if isinstance(value, str) and (why := binding.world.regex_problem(value)):
                binding.add(Diagnostic("X155", f"not a regular expression here: {why}", node.span))
                bound.broken = True
        case _ if core is Share:
            share = parse_share(value)
            value = share if isinstance(share, float) else None
        case _ if core is Model:
            value = _model(node, binding, bound)
        case _ if core is Prompt:
            value = _prompt(node, binding, scope, bound)
        case _ if core is Sampling:
            value = _sampling(node, binding, bound)
        case _ if core is Chunk:
            value = _chunk(node)
        case _ if core is Checks:
            value = _checks(node, binding, scope, bound)
        case _ if core is Ladder:
            value = _ladder(node, binding, bound)
        case _:
            pass
    bound.params[param.name] = value


def _model(node: Node, binding: Binding, bound: Bound) -> str | None:
    name = str(plain(node))
    models = binding.models()
    if name not in models:
        close = nearest(name, tuple(models))
        binding.add(
            Diagnostic(
                "R110",
                f"no model is called `{name}`",
                node.span,
                f"models: {', '.join(models) or 'none'}",
                help=f"did you mean `{close}`?" if close else f"add `{name}` under `models:`",
                fix=(Edit(node.span, close),) if close else (),
            )
        )
        bound.broken = True
        return None
    bound.model = models[name]
    return name


def _prompt(node: Node, binding: Binding, scope: Scope, bound: Bound) -> dict[str, Any] | None:
    path = str(plain(node))
    try:
        text = binding.world.read(path)
    except FileNotFoundError:
        bound.broken = True
        binding.add(Diagnostic("R111", f"no such prompt file: {path}", node.span))
        return None
    except OutsideError as error:
        bound.broken = True
        binding.add(Diagnostic("R112", str(error), node.span))
        return None
    except UnicodeDecodeError as error:
        bound.broken = True
        binding.add(Diagnostic("S001", f"{path} is not UTF-8 (byte {error.start})", node.span))
        return None
    shown = binding.world.shown(path)
    binding.files[shown] = text

    def read(path: str) -> str:
        bound.prompt_files[path] = text = binding.world.read(path)
        return text

    prompt, problems = read_prompt(path, read, shown=shown)
    binding.diagnostics.extend(problems)
    if prompt is None:
        bound.broken = True
        return None
    bound.prompt = prompt
    declared = dict(prompt.inputs)
    uses = {u.name: u.span for u in reversed(prompt.uses)}
    for name, kind in declared.items():
        bound.reads.add(name)
        span = uses.get(name)
        if not scope.has(name):
            missing = scope.missing(
                name,
                span or node.span,
                code="P201",
                what="prompt uses a variable that no upstream step produces",
            )
            binding.add(_both_ends(missing, name, text, shown) if span else missing)
            bound.broken = True
        elif not _fits(scope.type_of(name), kind):
            binding.add(
                Diagnostic(
                    "X152",
                    f"the prompt's input `{name}` is {kind}, the column is {scope.type_of(name)}",
                    span or node.span,
                    secondary=scope.upstream(),
                )
            )
            bound.broken = True
    return prompt.canonical()


def _both_ends(found: Diagnostic, name: str, text: str, shown: str) -> Diagnostic:
    """Rename a variable where it is used needs its declaration renamed too: no blind fix."""
    return Diagnostic(
        found.code,
        found.message,
        found.span,
        found.label,
        found.secondary,
        (f"`inputs:` of {shown} declares `{name}`",),
        found.help,
    )


def _fits(column: Type, wanted: Type) -> bool:
    if "any" in (column.kind, wanted.kind) or column.kind == wanted.kind:
        return True
    return wanted.kind == "float" and column.kind == "int"


def _sampling(node: Node | None, binding: Binding, bound: Bound) -> dict[str, Any]:
    merged: dict[str, Any] = dict(DEFAULT_SAMPLING)
    if bound.model and bound.model.sampling:
        merged |= _map(bound.model.sampling)
    if bound.prompt and bound.prompt.max_tokens:
        merged["max_tokens"] = bound.prompt.max_tokens
    if node is not None:
        merged |= _map(node)
    stop = merged.get("stop")
    if isinstance(stop, str):
        merged["stop"] = [stop]
    return {k: v for k, v in merged.items() if v is not None and v != []}


def _map(node: Node) -> dict[str, Any]:
    value = plain(node)
    return dict(value) if isinstance(value, Mapping) else {}


def _chunk(node: Node) -> dict[str, Any] | None:
    value = _map(node)
    size = parse_tokens(value.get("max", ""))
    return {"by": value.get("by"), "max": size if isinstance(size, int) else None}


def _checks(node: Node, binding: Binding, scope: Scope, bound: Bound) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    if not isinstance(node, Map):
        return made
    inside = scope.plus(reply_columns(bound, scope))
    for key, value in node.entries:
        name = str(key.value)
        body = value if isinstance(value, Map) else Map((), value.span)
        kind_node = body.get("kind")
        kind = str(plain(kind_node)) if kind_node else name
        operator = binding.catalog.checks.get(kind)
        if operator is None:  # shape has said so
            bound.broken = True
            continue
        nodes = {str(k.value): v for k, v in body.entries if k.value != "kind"}
        inner = bind_params(operator, nodes, binding, inside, key.span)
        bound.broken = bound.broken or inner.broken
        bound.reads |= inner.reads | set(operator.reads)
        made.append(
            {"name": name, "kind": kind, "version": operator.version, "params": inner.params}
        )
    return made


def reply_columns(bound: Bound, scope: Scope) -> dict[str, Type]:
    """Columns that a model step makes before its own checks look at the row."""
    if bound.model is None:
        return {}
    reply = dict(bound.prompt.reply) if bound.prompt else {}
    if reply:
        return dict.fromkeys(reply, STR)
    return {"text": STR, "input.text": STR}


LAST_RUNGS = ("fallback", "route", "reject")


def _ladder(node: Node, binding: Binding, bound: Bound) -> list[dict[str, Any]]:
    rungs: list[dict[str, Any]] = []
    items: Sequence[Node] = node.items if isinstance(node, List) else (node,)
    names = [c["name"] for c in bound.params.get("checks") or []]
    last: Span | None = None
    for item in items:
        word, body = _rung(item)
        if last is not None:
            binding.add(
                Diagnostic(
                    "S010",
                    f"nothing comes after `{rungs[-1]['rung']}`: this rung is never reached",
                    item.span,
                    secondary=(Label(last, "ends the ladder"),),
                )
            )
            break
        if word in LAST_RUNGS:
            rungs.append({"rung": word})
            last = item.span
        elif word == "retry":
            rungs.append(_retry(body, names, binding, bound))
    if last is None:
        rungs.append({"rung": "reject"})
    return rungs


def _rung(item: Node) -> tuple[str, Node | None]:
    if isinstance(item, Map) and item.entries:
        key, value = item.entries[0]
        return str(key.value), value
    return str(plain(item)), None


def _retry(
    body: Node | None, names: Sequence[str], binding: Binding, bound: Bound
) -> dict[str, Any]:
    value = plain(body) if body is not None else 1
    rung: dict[str, Any] = {"rung": "retry", "times": value, "sampling": {}, "for": []}
    if isinstance(body, Map):
        rung["times"] = plain(times) if (times := body.get("times")) else 1
        rung["sampling"] = _map(sampling) if (sampling := body.get("sampling")) else {}
        wanted = body.get("for")
        for item in wanted.items if isinstance(wanted, List) else ((wanted,) if wanted else ()):
            name = str(plain(item))
            if name not in names and name not in FORM_REASONS:
                close = nearest(name, (*names, *FORM_REASONS))
                binding.add(
                    Diagnostic(
                        "R113",
                        f"no check of this step is called `{name}`",
                        item.span,
                        f"checks: {', '.join(names) or 'none'}",
                        help=f"did you mean `{close}`?" if close else None,
                        fix=(Edit(item.span, close),) if close else (),
                    )
                )
            rung["for"].append(name)
    sampling = {**(bound.params.get("sampling") or {}), **rung["sampling"]}
    if sampling.get("temperature") == 0:
        span = body.span if body is not None else bound.model.span if bound.model else None
        binding.add(
            Diagnostic(
                "M253",
                "a retry with temperature 0 gives the same reply again",
                span,
                help="retry: { times: 1, sampling: { temperature: 0.8 } }",
            )
        )
    return rung


FORM_REASONS = ("truncated", "empty")
"""What the runtime itself rejects a reply for, before any check sees it."""
