"""The published schema of `plan --format json`, made from the dataclasses that it tells."""

from __future__ import annotations

import inspect
import re
from dataclasses import fields
from types import NoneType, UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from mashbill.compiler.budgets import CAPS
from mashbill.compiler.estimating.estimates import Leverage, Spending, StepEstimate
from mashbill.compiler.estimating.facts import Price, SourceFacts, Speed
from mashbill.compiler.estimating.numbers import BASES, Number
from mashbill.compiler.explaining import PilotSpent
from mashbill.compiler.explaining.export import ACTIONS, FORMAT

RECORDS = (Number, Spending, StepEstimate, SourceFacts, Speed, Price, Leverage, PilotSpent)
_ITEM = re.compile(r"^ {4}(\w+): (.*(?:\n {8}.*)*)", re.MULTILINE)
_SPENT = {
    "calls": "Calls",
    "prompt_tokens": "Prompt tokens",
    "reply_tokens": "Reply tokens",
    "usd": "US dollars",
    "gpu_hours": "GPU-hours, or hours of this machine for engine `local`",
    "worst_calls": "Calls, at worst",
    "worst_prompt": "Prompt tokens, at worst",
    "worst_reply": "Reply tokens, at worst",
    "worst_usd": "US dollars, at worst",
    "worst_hours": "GPU-hours, at worst",
}


def schema() -> dict[str, Any]:
    """The whole schema."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Mashbill plan with estimates",
        "description": "What `mashbill plan --format json` prints. Fields may be added; what is "
        "here keeps its name and meaning while `mashbill_plan_estimates` is 1.",
        **_closed(_properties()),
        "$defs": {record.__name__: _record(record) for record in RECORDS},
    }


def _properties() -> dict[str, Any]:
    text, flag = {"type": "string"}, {"type": "boolean"}
    by_step = {"type": "array", "items": _closed(_step())}
    return {
        "mashbill_plan_estimates": _told("Version of this form.", {"const": FORMAT}),
        "recipe": _told("Name of the recipe.", text),
        "plan": _told("Digest of what the plan makes.", text),
        "lock": _told("How the lock stands, in words; empty without one.", text),
        "compared_with": _told("The run that it is compared with.", _maybe(text)),
        "selected": _told("Whether only selected steps are told and summed.", flag),
        "measured": _told("Whether data was sampled; if not, all estimates are null.", flag),
        "steps": _told("In the order they run; dropped ones last.", by_step),
        "total": _told("What the steps spend; null where none asks.", _maybe(_ref("Spending"))),
        "budget": _told("Caps of the whole run: dollars, hours, seconds, counts.", _caps()),
        "caps": _told(
            "Caps, of steps too, against what is estimated.",
            {"type": "array", "items": _closed(_cap())},
        ),
        "mix": _told("The mix; null without one.", _maybe(_closed(_mix()))),
        "worth": _told("What the data is worth, where it was asked.", _maybe({"type": "object"})),
        "pilot": _told("What a pilot has just spent.", _maybe(_ref("PilotSpent"))),
        "missing": _told("Models that are not here, and what to type.", _map(text)),
        "sources": _told("What was seen of each source.", _map(_ref("SourceFacts"))),
        "speeds": _told("By model.", _map(_ref("Speed"))),
        "prices": _told("By model.", _map(_ref("Price"))),
        "unpriced": _told(
            "Models whose price nobody knows.", {"type": "array", "items": text}
        ),
        "leverage": _told(
            "The largest uncertainty, and what narrows it most.", _maybe(_ref("Leverage"))
        ),
        "hurried": _told(
            "Sources and steps of which rows were left out, since looking at them took too long: "
            "on another machine, or a quieter one, the numbers may differ.",
            {"type": "array", "items": text},
        ),
    }  # fmt: skip


def _step() -> dict[str, Any]:
    text = {"type": "string"}
    return {
        "name": _told("Name of the step or source.", text),
        "op": _told("Its operator; `source` for a source; null if dropped.", _maybe(text)),
        "action": _told(
            "What becomes of it since the run it is compared with.",
            {"enum": list(ACTIONS.values())},
        ),
        "why": _told("Why, in a few words for people.", text),
        "models": _told("Models that it asks, its own first.", {"type": "array", "items": text}),
        "estimate": _told("Null where nothing was measured.", _maybe(_ref("StepEstimate"))),
    }


def _caps() -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {kind: {"type": "number"} for kind in CAPS},
        "additionalProperties": False,
    }


def _cap() -> dict[str, Any]:
    return {
        "path": _told("What the recipe writes: `budget.usd`.", {"type": "string"}),
        "limit": _told("Dollars, hours or a count.", {"type": "number"}),
        "expected": _told("What it is expected to be charged with.", _ref("Number")),
        "worst": _told("What it is charged with at worst.", _ref("Number")),
    }


def _mix() -> dict[str, Any]:
    number, text = {"type": "number"}, {"type": "string"}
    part = {
        "weight": _told("Its share of the mix.", number),
        "taken": _told("Tokens taken of it, epochs included.", _maybe(number)),
        "supply": _told("Tokens that it can give.", _maybe(_ref("Number"))),
        "epochs": _told("How often it is repeated at most.", _maybe(_ref("Number"))),
        "render": _told("The template that turns its rows into text.", _maybe(text)),
    }
    return {
        "total": _told("Tokens wanted; null for as many as the shares allow.", _maybe(number)),
        "tokenizer": _told("The model or file whose tokens count.", _maybe(text)),
        "parts": _told("By name.", _map(_closed(part))),
        "human_share": _told("Share of tokens that people wrote.", _maybe(_ref("Number"))),
        "min_human": _told("The least that it may be.", number),
        "on_shortfall": _told("What is done where parts give too little.", text),
    }


def _record(record: type) -> dict[str, Any]:
    """A dataclass as a closed object, told by its docstring."""
    doc = inspect.getdoc(record) or ""
    told = {name: " ".join(text.split()) for name, text in _ITEM.findall(doc)}
    told |= {f"{name}": f"{text}." for name, text in _SPENT.items()} if record is Spending else {}
    hints = get_type_hints(record)
    made = {f.name: _told(told[f.name], _typed(hints[f.name])) for f in fields(record)}
    if record is Number:
        made["basis"]["description"] += f" {', '.join(f'`{b}` {w}' for b, w in BASES.items())}."
    return {"description": doc.partition("\n")[0], **_closed(made)}


def _typed(hint: Any) -> dict[str, Any]:
    plain = {float: "number", int: "integer", str: "string", bool: "boolean"}
    if hint in plain:
        return {"type": plain[hint]}
    if get_origin(hint) is Literal:
        return {"enum": list(get_args(hint))}
    if isinstance(hint, UnionType):
        (other,) = (h for h in get_args(hint) if h is not NoneType)
        return _maybe(_typed(other))
    if get_args(hint):
        return _map(_typed(get_args(hint)[1]))
    return _ref(hint.__name__)


def _closed(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _map(value: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": value}


def _maybe(value: dict[str, Any]) -> dict[str, Any]:
    if isinstance(value.get("type"), str) and "properties" not in value:
        return {**value, "type": [value["type"], "null"]}
    return {"anyOf": [value, {"type": "null"}]}


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/$defs/{name}"}


def _told(description: str, value: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, **value}
