"""Binding of one parameter: from what the recipe says to plain JSON, names and types checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, get_args

from .diagnostics import Diagnostic, Edit, Span
from .document import List, Map, Node, Scalar, plain
from .expr import Expr, columns_read, infer_type, is_random, parse_expr, patterns, show_expr
from .expr.nodes import Call, walk
from .params import Checks, Chunk, Ladder, Sampling
from .prompts import PromptFile, read_prompt
from .prompts.record import Reader
from .quantities import parse_share, parse_tokens
from .recipe import ModelDecl
from .registry import Column, Cost, Expression, Model, Operator, Param, Pattern, Prompt, Share
from .scope import Binding, Scope
from .suggest import nearest
from .types import ANY, BOOL, STR, Type
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
        packages: Packages whose versions change the results of its checks.
        draws: Whether an expression among them draws from its place (`choose`).
        seeded: Whether one rests on the recipe's seed.
        incomplete: Whether something of the step has a fault of shape and may be meant otherwise.
        broken: Whether something is wrong, so that what depends on it is not reported again.
    """

    params: dict[str, Any] = field(default_factory=dict)
    reads: set[str] = field(default_factory=set)
    model: ModelDecl | None = None
    prompt: PromptFile | None = None
    prompt_files: dict[str, str] = field(default_factory=dict)
    packages: set[str] = field(default_factory=set)
    draws: bool = False
    seeded: bool = False
    incomplete: bool = False
    broken: bool = False

    def rests_on(self, inner: Bound | BoundExpression) -> None:
        """Take over what an expression or a check among the parameters rests on."""
        self.reads |= inner.reads
        self.draws = self.draws or inner.draws
        self.seeded = self.seeded or inner.seeded


@dataclass(frozen=True, slots=True)
class BoundExpression:
    """An expression: its canonical text, its type, the columns it reads, and how it draws."""

    text: str
    type: Type
    reads: frozenset[str]
    draws: bool
    seeded: bool


def bind_expression(
    node: Node, binding: Binding, scope: Scope, *, want: Type | None = None, skip: int = 0
) -> BoundExpression | None:
    """Parse and check an expression; None if it is wrong."""
    if not isinstance(node, Scalar) or node.value is None:
        return None
    raw = node.value
    text = raw[skip:] if isinstance(raw, str) else str(raw).lower()

    def at(start: int, end: int) -> Span:
        return node.within(start + skip, end + skip)

    expr, problems = parse_expr(text)
    kind: Type | None = None
    bad = False
    if expr is not None:
        columns = dict(scope.columns)
        if scope.open:  # what is not known to be there may be
            columns |= dict.fromkeys(columns_read(expr, columns) - columns.keys(), ANY)
        kind, more = infer_type(expr, columns)
        problems = (*problems, *more)
        for pattern, start, end in patterns(expr):
            if why := binding.world.regex_problem(pattern):
                bad = True
                binding.add(_bad_pattern(why, at(start, end)))
    for p in problems:
        span = at(p.start, p.end)
        fix = (Edit(span, p.replacement),) if p.replacement is not None else ()
        found = Diagnostic(p.code, p.message, span, help=p.help, fix=fix)
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
    reads = columns_read(expr, scope.columns)
    if want is not None and not reads:
        words = "this is the same for every row, so all rows pass or none"
        binding.add(Diagnostic("X154", words, at(0, len(text)), help="compare a column"))
    return BoundExpression(
        show_expr(expr),
        kind,
        reads,
        is_random(expr),
        is_random(expr) or _hashes(expr),
    )


def _hashes(expr: Expr) -> bool:
    return any(isinstance(part, Call) and part.name == "hash01" for part in walk(expr))


def _bad_pattern(why: str, span: Span) -> Diagnostic:
    return Diagnostic("X155", f"not a regular expression here: {why}", span)


def _a(kind: Type) -> str:
    words = {"bool": "true or false", "str": "text", "int": "a whole number", "float": "a number"}
    return words.get(kind.kind, str(kind))


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
                binding.add(_bad_pattern(why, node.span))
                bound.broken = True
        case _ if core is Share:
            share = parse_share(value)
            value = round(share, 15) if isinstance(share, float) else None
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
                fix=(Edit(node.span, close),) if close else (),
            )
        )
        bound.broken = True
        return None
    bound.model = models[name]
    return name


def _prompt(node: Node, binding: Binding, scope: Scope, bound: Bound) -> dict[str, Any] | None:
    path = str(plain(node))
    shown = binding.world.shown(path)

    def read(path: str) -> str:
        bound.prompt_files[path] = text = binding.world.read(path)
        binding.files[binding.world.shown(path)] = text
        return text

    try:
        read(path)
    except FileNotFoundError:
        words = "looked beside the recipe"
        unread = Diagnostic("R111", f"no such prompt file: {path}", node.span, words)
    except OutsideError as error:
        unread = Diagnostic("R112", str(error), node.span, help=ALLOW_OUTSIDE)
    except UnicodeDecodeError as error:
        unread = Diagnostic("S001", f"{path} is not UTF-8 (byte {error.start})", node.span)
    else:
        return _read_prompt(path, shown, read, node, binding, scope, bound)
    binding.add(unread)
    bound.broken = True
    return None


ALLOW_OUTSIDE = "copy it into the project, or allow it for this command with --allow-outside"


def _read_prompt(
    path: str,
    shown: str,
    read: Reader,
    node: Node,
    binding: Binding,
    scope: Scope,
    bound: Bound,
) -> dict[str, Any] | None:
    prompt, problems = read_prompt(path, read, shown=shown)
    binding.diagnostics.extend(problems)
    if prompt is None:
        bound.broken = True
        return None
    bound.prompt = prompt
    uses = {u.name: u.span for u in reversed(prompt.uses)}
    for name, kind in prompt.inputs:
        bound.reads.add(name)
        span = uses.get(name)
        if not scope.has(name):
            verb = "uses a variable" if span else f"declares an input `{name}`"
            what = f"prompt {verb} that no upstream step produces"
            missing = scope.missing(name, span or node.span, code="P201", what=what)
            note = f"`inputs:` of {shown} declares `{name}`"
            # To rename it takes two edits, here and in `inputs:`: no blind fix.
            binding.add(replace(missing, notes=(note,), fix=()))
            bound.broken = True
        elif not _fits(scope.type_of(name), kind):
            binding.add(
                Diagnostic(
                    "X152",
                    f"the prompt's input `{name}` is {kind}, the column is {scope.type_of(name)}",
                    span or node.span,
                    secondary=scope.upstream(),
                    help=f"write `{name}: {scope.type_of(name)}` under the prompt's `inputs`",
                )
            )
            bound.broken = True
    return prompt.canonical()


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


def reply_columns(bound: Bound) -> dict[str, Type]:
    """Columns that a reply becomes; without any declared, the reply is the text."""
    if bound.model is None:
        return {}
    reply = dict(bound.prompt.reply) if bound.prompt else {}
    if reply.keys() - {"text"}:
        return dict.fromkeys(reply, STR)
    return {"text": STR, "input.text": STR}


LAST_RUNGS = ("fallback", "route", "reject")


def _ladder(node: Node, binding: Binding, bound: Bound) -> list[dict[str, Any]]:
    rungs: list[dict[str, Any]] = []
    items: Sequence[Node] = node.items if isinstance(node, List) else (node,)
    for item in items:
        word, body = _rung(item)
        if word in LAST_RUNGS:
            rungs.append({"rung": word})
            return rungs  # what comes after has its diagnostic from `shape`
        if word == "retry":
            rungs.append(_retry(body, binding, bound))
    return [*rungs, {"rung": "reject"}]


def _rung(item: Node) -> tuple[str, Node | None]:
    if isinstance(item, Map) and item.entries:
        key, value = item.entries[0]
        return str(key.value), value
    return str(plain(item)), None


def _retry(body: Node | None, binding: Binding, bound: Bound) -> dict[str, Any]:
    value = plain(body) if body is not None else 1
    rung: dict[str, Any] = {"rung": "retry", "times": value, "sampling": {}, "for": []}
    if isinstance(body, Map):
        rung["times"] = plain(times) if (times := body.get("times")) else 1
        rung["sampling"] = _map(sampling) if (sampling := body.get("sampling")) else {}
        wanted = plain(reasons) if (reasons := body.get("for")) else []
        rung["for"] = sorted({str(name) for name in wanted}) if isinstance(wanted, list) else []
        if reasons is not None and not bound.params.get("checks"):
            _refuse_reasons(reasons, rung["for"], binding, bound)
    if is_greedy({**(bound.params.get("sampling") or {}), **rung["sampling"]}):
        span = body.span if body is not None else bound.model.span if bound.model else None
        binding.add(
            Diagnostic(
                "M253",
                "a retry at temperature 0 gives the same reply again",
                span,
                help="write `retry: { times: 1, sampling: { temperature: 0.8 } }`",
            )
        )
    return rung


FORM_REASONS = ("truncated", "empty")
"""What the runtime itself rejects a reply for, before any check sees it."""


def _refuse_reasons(node: Node, reasons: Sequence[str], binding: Binding, bound: Bound) -> None:
    """Names of checks where there is none; where there are some, `shape` compares them."""
    unknown = [name for name in reasons if name not in FORM_REASONS]
    if unknown and not bound.incomplete:
        help = f"give the step `checks: {{ {unknown[0]}: … }}`, or take `for` out"
        binding.add(Diagnostic("S010", f"unknown check '{unknown[0]}'", node.span, help=help))


def is_greedy(sampling: Mapping[str, Any]) -> bool:
    """Whether every draw is the same text."""
    temperature = sampling.get("temperature")
    return not isinstance(temperature, bool) and temperature == 0
