"""Several draws of one row: how many there are, when to stop, and what may choose among them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .asking import reply_columns
from .bound import Bound, BoundExpression, plain_map
from .diagnostics import Diagnostic, Span
from .document import Map, Node
from .formulas import bind_expression
from .graph import Edge
from .graph import Node as GraphNode
from .mending import renaming
from .quantities import parse_share
from .recipe import StepDecl
from .refusals import samples_of
from .registry import Operator
from .scope import Binding, Scope
from .suggest import nearest
from .types import FLOAT, INT, STR, Type

DRAW = "_draw"
"""Mashbill's own column on rows of steps with several samples: which of them a row is."""

PILOT = 4
"""Draws that tell how hard a row is, unless the recipe says how many."""


def drawn_columns(operator: Operator, bound: Bound) -> dict[str, Type]:
    """Columns that a step adds by itself: the draw's number, how a vote ended, what it renders."""
    made: dict[str, Type] = {}
    if samples_of(bound) > 1:
        made[DRAW] = INT
    if operator.stage == "gather" and bound.params.get("vote") is not None:
        made |= {"_agree": FLOAT, "_votes": INT}
    if operator.stage == "generate" and bound.params.get("render") is not None:
        made |= {"text": STR, "input.text": STR}
    return made


def draws_after(samples: int, before: Iterable[int]) -> int:
    """How many draws a source row has behind a step, given how many it has in its inputs."""
    return samples * max(before, default=1)


def draws_of(name: str, port: str, nodes: Mapping[str, GraphNode]) -> int:
    """How many draws a source row has among the rows of a port."""
    node = nodes.get(name)
    if node is None:
        return 1
    given = None if port else (node.definition.get("params") or {}).get("samples")
    samples = given if type(given) is int else 1  # what is no number has its diagnostic
    return draws_after(samples, (draws_of(e.node, e.port, nodes) for e in node.inputs))


# -- `until:` of a step that draws


def bind_until(node: Node, binding: Binding, scope: Scope, bound: Bound) -> dict[str, Any] | None:
    """A stop as plain JSON; None if it is wrong, which has its diagnostic."""
    value = plain_map(node)
    if not value:  # the shape has its diagnostic
        bound.broken = True
        return None
    before = len(binding.diagnostics)
    samples = samples_of(bound)
    found: dict[str, Any] = {}

    def refuse(key: str, message: str, help: str) -> None:
        place = (node.get(key) if isinstance(node, Map) else None) or node
        binding.add(Diagnostic("V421", message, place.span, help=help))

    if ("accepted" in value) == ("vote" in value):
        refuse("vote", "until stops by `accepted` or by `vote`", "name one of the two")
    elif "accepted" in value:
        found = _accepted(value, samples, bound, refuse)
    else:
        found = _vote(value, node, samples, scope, bound, binding, refuse)
    bound.broken = bound.broken or len(binding.diagnostics) > before
    return None if len(binding.diagnostics) > before else found


def _accepted(value: Mapping[str, Any], samples: int, bound: Bound, refuse: Any) -> dict[str, Any]:
    wanted, hard = int(value["accepted"]), value.get("spread") == "hard"
    pilot = int(value.get("pilot", min(PILOT, samples))) if hard else 0
    rungs = bound.params.get("on_fail") or [{}]
    for key in ("agree", "compare", *(() if hard else ("pilot",))):
        if key in value:
            belongs = "`spread: hard`" if key == "pilot" else "`vote`"
            refuse(key, f"`{key}` goes with {belongs}", f"take `{key}` out")
    if not bound.params.get("checks") and not bound.broken:
        words = "without `checks` every reply is accepted"
        refuse("accepted", words, "add `checks`, or write `samples: …` alone")
    if wanted > samples:
        words = f"{wanted} accepted draws cannot come of {samples}"
        refuse("accepted", words, f"write `samples: {4 * wanted}`, or ask for fewer")
    if pilot > samples:
        refuse("pilot", f"a pilot of {pilot} is more than all {samples} draws", "make it shorter")
    if rungs[-1].get("rung") == "fallback":
        words = "with `fallback: input` a row that fails would be drawn no less"
        refuse("accepted", words, "let `on_fail` end in `reject`")
    return {"accepted": wanted, "pilot": pilot}


def _vote(
    value: Mapping[str, Any],
    node: Node,
    samples: int,
    scope: Scope,
    bound: Bound,
    binding: Binding,
    refuse: Any,
) -> dict[str, Any]:
    column, place = str(value["vote"]), (node.get("vote") if isinstance(node, Map) else None)
    for key in ("spread", "pilot"):
        if key in value:
            refuse(key, f"`{key}` goes with `accepted`", f"take `{key}` out")
    made = reply_columns(bound)
    if column not in made and not bound.broken:
        close = nearest(column, tuple(made))
        span = (place or node).span
        message = f"a vote needs a column of the reply, and `{column}` is none"
        listed = f"the reply makes {', '.join(made) or 'none'}"
        help = f"did you mean `{close}`?" if close else listed
        found = Diagnostic("R104", message, span, help=help, fix=renaming(span, close))
        binding.add(found)
    if samples == 1:
        refuse("vote", "one draw has nobody to agree with", "write `samples: 8`")
    share = parse_share(value.get("agree", 0))
    agree = round(share, 15) if isinstance(share, float) else 0.0
    compare = value.get("compare", "answer")
    return {"vote": column, "agree": agree, "compare": compare, "take": 1, "drop": []}


# -- a step that chooses among draws


def refuse_choice(
    operator: Operator,
    bound: Bound,
    scope: Scope,
    step: StepDecl,
    nodes: Mapping[str, GraphNode],
    binding: Binding,
) -> None:
    """What is wrong with a choice among draws. Its `draws` go into its parameters."""
    if operator.stage != "gather":
        return
    edges = [Edge(i.name, i.port) for i in step.inputs]
    counts = sorted({draws_of(e.node, e.port, nodes) for e in edges})
    bound.params["draws"] = counts[-1] if counts else 1
    place = step.inputs[0].span if step.inputs else step.span
    if scope.open or bound.broken:
        return
    if DRAW not in scope.columns:
        bound.broken = True
        binding.add(
            Diagnostic(
                "R118",
                f"`{step.name}` has nothing to choose from: each row is drawn once",
                place,
                help="read a step with `samples: 8`",
            )
        )
        return
    voting = bound.params.get("vote") is not None
    for key in ("min_agree", "drop", "compare"):
        given = step.param(key)
        if given and not voting:
            words = f"`{key}` goes with `vote`"
            binding.add(_refusal(words, given.span, "add `vote: answer`, or take it out"))
    if voting:
        _refuse_vote(bound, step, edges, counts, nodes, binding)
    _refuse_take(bound, step, counts, binding)


def _refusal(message: str, span: Span, help: str) -> Diagnostic:
    return Diagnostic("V422", message, span, help=help)


def _refuse_vote(
    bound: Bound,
    step: StepDecl,
    edges: list[Edge],
    counts: list[int],
    nodes: Mapping[str, GraphNode],
    binding: Binding,
) -> None:
    """A vote counts all draws of a row, so it must know how many there are and that all come."""
    vote = step.param("vote")
    span = vote.span if vote else step.span
    if len({e.node for e in edges}) > 1:
        words = "a vote over several steps does not know how many draws a row has"
        binding.add(_refusal(words, span, "give each of them a `select` of its own"))
        return
    for node in _above([e.node for e in edges], nodes):
        until = (node.definition.get("params") or {}).get("until")
        if not until:
            continue
        direct = len(edges) == 1 and edges[0] == Edge(node.name)
        asked = {k: bound.params.get(v) for k, v in _SAME.items()}
        same = "vote" in until and direct and asked == {k: until[k] for k in asked}
        if same and not bound.params.get("drop") and bound.params.get("take") == 1:
            continue
        words = f"`{node.name}` stops by itself, so that the vote would miss its later draws"
        help = f"take `until` out of `{node.name}`: it stops once this vote is decided"
        binding.add(_refusal(words, span, help))


_SAME = {"vote": "vote", "agree": "min_agree", "compare": "compare"}
"""Of `until:`, what must stand in a `select` that counts the same votes."""


def _above(names: list[str], nodes: Mapping[str, GraphNode]) -> list[GraphNode]:
    found: dict[str, GraphNode] = {}
    todo = [*names]
    while todo:
        node = nodes.get(todo.pop())
        if node is not None and node.name not in found:
            found[node.name] = node
            todo += [e.node for e in node.inputs]
    return list(found.values())


def _refuse_take(bound: Bound, step: StepDecl, counts: list[int], binding: Binding) -> None:
    take, most = bound.params.get("take"), counts[-1]
    given = step.param("take")
    if given and isinstance(take, int) and take > most:
        words = f"{take} of {most} draws cannot be taken"
        binding.add(_refusal(words, given.span, "write `take: all`, or draw more `samples`"))


def bind_rank(node: Node, binding: Binding, scope: Scope) -> BoundExpression | None:
    """An expression that puts rows in order; None if it is wrong, or no number."""
    found = bind_expression(node, binding, scope)
    if found is not None and found.type.kind not in ("int", "float", "any"):
        message = f"rows are put in order by a number, and this is {found.type}"
        help = "write a number: `-words(text)` takes the shortest"
        binding.add(Diagnostic("X152", message, node.span, help=help))
        return None
    return found
