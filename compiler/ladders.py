"""Binding of a ladder: its rungs in order, and what each asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from .asking import bind_prompt, reply_columns
from .bound import Asking, Bound, plain_map
from .calling import find_model, model_identity, sampling_for
from .diagnostics import Diagnostic, Span
from .document import List, Map, Node, plain
from .prompts import PromptFile
from .prompts.use import overflow
from .recipe import ModelDecl
from .registry import Model, Operator
from .schema import FORM_REASONS
from .scope import Binding, Scope
from .types import STR, Type

LAST_RUNGS = ("fallback", "route", "reject")

FAILURE: Mapping[str, Type] = {"check": STR, "reason": STR, "evidence": STR}
"""What the prompt of a repair is told of the failure, beside the columns of the row."""
FAILED_REPLY: Mapping[str, Type] = {**FAILURE, "reply": STR}
"""The same, where a reply failed."""


def bind_ladder(
    node: Node, operator: Operator, binding: Binding, scope: Scope, bound: Bound
) -> list[dict[str, Any]]:
    """A ladder's rungs up to the first that ends it; one that ends nowhere rejects."""
    asks = any(p.type is Model for p in operator.params)
    rungs: list[dict[str, Any]] = []
    items: Sequence[Node] = node.items if isinstance(node, List) else (node,)
    for item in items:
        word, body = _rung(item)
        if not asks and word in NEEDS_A_REPLY:
            binding.add(_out_of_place(word, operator, item.span))
            bound.broken = True
        elif word in LAST_RUNGS:
            rungs.append({"rung": word})
            return rungs  # what comes after has its diagnostic from `shape`
        elif word == "retry":
            rungs.append(_retry(body, binding, bound))
        elif word == "repair" and body is not None:
            place = f"on_fail.{len(rungs)}"
            rungs.append(_repair(body, place, asks, binding, scope, bound))
    return [*rungs, {"rung": "reject"}]


NEEDS_A_REPLY: Mapping[str, tuple[str, str]] = {
    "retry": (
        "asks no model that a retry could ask again",
        "move it to the step that asks, with these checks, or write `repair: prompts/fix.md.j2`",
    ),
    "fallback": (
        "has made no text that it could take back",
        "move it to the `rewrite`, with these checks, or write `route` or `reject`",
    ),
}
"""Rungs of steps that ask a model themselves: why others have none, and what to do instead."""


def _out_of_place(word: str, operator: Operator, span: Span) -> Diagnostic:
    why, help = NEEDS_A_REPLY[word]
    return Diagnostic("S003", f"`{operator.name}` {why}", span, help=help)


def _rung(item: Node) -> tuple[str, Node | None]:
    if isinstance(item, Map) and item.entries:
        key, value = item.entries[0]
        return str(key.value), value
    return str(plain(item)), None


def _begun(word: str, body: Node | None, binding: Binding, bound: Bound) -> dict[str, Any]:
    """What all rungs that try again have: how often, how replies are drawn, for which failures."""
    times = body.get("times") if isinstance(body, Map) else body
    value = plain(times) if times else 1
    value = value if type(value) is int else 1  # the shape has its diagnostic
    rung: dict[str, Any] = {"rung": word, "times": value, "sampling": {}, "for": []}
    if isinstance(body, Map):
        rung["sampling"] = plain_map(sampling) if (sampling := body.get("sampling")) else {}
        wanted = plain(reasons) if (reasons := body.get("for")) else []
        rung["for"] = sorted({str(name) for name in wanted}) if isinstance(wanted, list) else []
        if reasons is not None and not bound.params.get("checks"):
            _refuse_reasons(reasons, rung["for"], binding, bound)
    return rung


def _refuse_reasons(node: Node, reasons: Sequence[str], binding: Binding, bound: Bound) -> None:
    """Names of checks where there is none; where there are some, `shape` compares them."""
    unknown = [name for name in reasons if name not in FORM_REASONS]
    if unknown and not bound.incomplete:
        help = f"give the step `checks: {{ {unknown[0]}: … }}`, or take `for` out"
        binding.add(Diagnostic("S010", f"unknown check '{unknown[0]}'", node.span, help=help))


def _retry(body: Node | None, binding: Binding, bound: Bound) -> dict[str, Any]:
    rung = _begun("retry", body, binding, bound)
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


def _repair(
    body: Node, place: str, asks: bool, binding: Binding, scope: Scope, bound: Bound
) -> dict[str, Any]:
    """A repair, with what its prompt and its model are."""
    rung = _begun("repair", body, binding, bound)
    node = body.get("prompt") if isinstance(body, Map) else body
    prompt = _prompt(node, place, asks, binding, scope, bound) if node else None
    named = body.get("model") if isinstance(body, Map) else None
    model = find_model(named, binding) if named else bound.model
    if prompt is None or node is None or (named and model is None):
        bound.broken = True
        return rung
    if named is None and not asks:
        model = _writer(prompt, node.span, scope, binding)
        bound.broken = bound.broken or model is None
    given = rung["sampling"]
    if model is not None and (named or not asks):
        bound.asked[f"{place}.model"] = model
        rung["model"] = model_identity(model, binding)
        rung["sampling"] = sampling_for(model, prompt, given)
    else:
        longest = {"max_tokens": prompt.max_tokens} if prompt.max_tokens else {}
        rung["sampling"] = {**(bound.params.get("sampling") or {}), **longest, **given}
    rung["prompt"] = prompt.canonical()
    if model is not None and type(most := rung["sampling"].get("max_tokens")) is int:
        for found in overflow(prompt, most, model.name, model.placement, node.span):
            binding.add(found)
            bound.broken = True
    told = {*FAILED_REPLY, *(reply_columns(bound) if asks else dict(prompt.reply))} - {"input.text"}
    deaf = not told & {name for name, _ in prompt.inputs}
    if deaf and rung["times"] > 1 and is_greedy(rung["sampling"]):
        message = "a repair at temperature 0 that is told nothing of the failure repeats itself"
        help = "use `{{ evidence }}` in its prompt, or raise its temperature"
        binding.add(Diagnostic("M253", message, body.span, help=help))
    return rung


def _prompt(
    node: Node, place: str, asks: bool, binding: Binding, scope: Scope, bound: Bound
) -> PromptFile | None:
    """The prompt of a repair; it sees what checks see, and what was wrong."""
    made = {**reply_columns(bound), "input.text": STR, **FAILED_REPLY} if asks else FAILURE
    own = Bound()
    bind_prompt(node, binding, scope.plus(made), own)
    bound.reads |= own.reads - (made.keys() - scope.columns.keys()) - FAILED_REPLY.keys()
    if own.prompt is None or own.broken:
        return None
    bound.asking[f"{place}.prompt"] = Asking(own.prompt, own.prompt_files)
    fits = _replies_alike if asks else _replaces_columns
    return own.prompt if fits(own.prompt, node.span, scope, binding, bound) else None


def _replies_alike(
    prompt: PromptFile, span: Span, scope: Scope, binding: Binding, bound: Bound
) -> bool:
    """Whether a repair replies with the columns that the step's own prompt does."""
    if bound.prompt is None:  # it has its diagnostic
        return False
    wanted, made = _shown(bound.prompt), _shown(prompt)
    if wanted == made:
        return True
    binding.add(
        Diagnostic(
            "P212",
            f"the repair's reply makes {_listed(made)}, and the step's makes {_listed(wanted)}",
            span,
            help="declare the same `reply` in both prompts",
        )
    )
    return False


def _shown(prompt: PromptFile) -> dict[str, str]:
    return {name: str(kind.maybe(False)) for name, kind in prompt.reply} or {"text": "str"}


def _listed(columns: Mapping[str, str]) -> str:
    return ", ".join(f"`{name}: {kind}`" for name, kind in columns.items())


def _replaces_columns(
    prompt: PromptFile, span: Span, scope: Scope, binding: Binding, bound: Bound
) -> bool:
    """Whether what a repair replies with takes the place of columns of the same types."""
    made = dict(prompt.reply) or {"text": STR}
    for name, kind in made.items():
        if not scope.has(name) or name.startswith("_"):
            what = f"the repair's reply makes `{name}`, and no column is called so"
            missing = scope.missing(name, span, what=what)
            # What is to be renamed stands in the prompt, not here: no blind fix.
            binding.add(replace(missing, label="its `reply` takes the place of columns", fix=()))
            return False
        column = scope.type_of(name)
        if "any" not in (column.kind, kind.kind) and column.maybe(False) != kind.maybe(False):
            message = f"the repair's reply makes `{name}: {kind}`, and the column is {column}"
            binding.add(
                Diagnostic(
                    "P212", message, span, secondary=scope.upstream(),
                    help="a reply takes the column's place, so both must be of one type",
                )
            )  # fmt: skip
            return False
    bound.remade |= {name: scope.type_of(name) for name in made}
    bound.reads |= made.keys()  # where nothing is repaired they stay as they are
    return True


def _writer(prompt: PromptFile, span: Span, scope: Scope, binding: Binding) -> ModelDecl | None:
    """The model that made the columns which a repair replaces, where that is one."""
    names = list(dict(prompt.reply) or {"text": STR})
    steps = {step for name in names for step in scope.makers.get(name, ())}
    models = sorted({binding.writers.get(step, "") for step in steps})
    if len(models) == 1 and models[0]:
        return binding.models().get(models[0])
    if scope.open:
        return None
    columns = " and ".join(f"`{n}`" for n in names)
    known = [f"`{m}`" for m in models if m]
    why = f"was made by {' and '.join(known)}" if len(models) > 1 and all(models) else (
        f"is not {known[0]}'s alone" if known else "was made by no model"
    )  # fmt: skip
    listed = ", ".join(f"`{m}`" for m in binding.models()) or "none yet"
    message = f"who repairs? {columns} {why}"
    help = f"add `model:` to the repair: {listed}"
    binding.add(Diagnostic("S011", message, span, help=help))
    return None


def is_greedy(sampling: Mapping[str, Any]) -> bool:
    """Whether every draw is the same text."""
    temperature = sampling.get("temperature")
    return not isinstance(temperature, bool) and temperature == 0
