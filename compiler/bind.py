"""Binding: names to operators, columns and files; the recipe becomes a graph of typed nodes.

Steps are bound in topological order, so that each sees the columns that reach it. A step that
cannot be bound leaves its columns open: what leans on it is not reported a second time.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from .asking import reply_columns
from .assignments import Assigned, Value, assigned, split_assignments, with_sets
from .bound import Bound, BoundExpression
from .counting import tokenizer_identity
from .diagnostics import Diagnostic, Label, Span
from .draws import drawn_columns, refuse_choice
from .formulas import bind_expression
from .governance import check_whole
from .graph import (
    Cycle,
    Edge,
    Graph,
    Node,
    Rows,
    Traits,
    in_topological_order,
    joint_origin,
    topological_order,
)
from .mixing import bind_outputs, check_input, written_columns
from .raters import rates, warn_of_own_judges, with_usual_columns
from .recipe import Origin, StepDecl
from .refilling import feed_chains
from .refusals import refuse_more, samples_of
from .registry import Model, Operator
from .repeats import join_repeats
from .scans import bind_source, identified, made_by
from .scope import Binding, Scope
from .types import ANY, BOOL, FLOAT, STR, Columns, Type
from .values import bind_params


def bind(binding: Binding) -> Graph:
    """Bind a recipe. Diagnostics go to `binding`; what cannot be bound is not in the graph."""
    recipe = binding.recipe
    names = {s.name for s in recipe.sources} | {s.name for s in recipe.steps}
    known = dict.fromkeys(sorted(names))
    _check_names(known, binding)
    nodes = {s.name: bind_source(s, binding) for s in recipe.sources}
    broken = {s.name for s in recipe.sources if binding.faulty(s.span, s.body)}
    steps = {s.name: s for s in recipe.steps if s.name not in nodes}
    for name in _in_order(steps, binding):
        node, whole = bind_step(steps[name], nodes, broken, binding)
        if not whole:
            broken.add(name)
        if node:
            nodes[name] = node
    _refuse_silence(steps, nodes, binding)
    outputs, renders = bind_outputs(nodes, broken, binding)
    feed_chains(nodes, outputs, binding)
    results = {str(e): f"{nodes[e.node].fingerprint}.{e.port}" for e in outputs}
    graph = Graph(
        in_topological_order(nodes.values()),
        outputs,
        results=results,
        mixed=recipe.mix is not None,
        wanted=frozenset(written_columns(outputs, nodes, recipe.output)).union(
            *(r.template.reads for r in renders.values())
        ),
        renders=renders,
    )
    pruned = _pruned(graph, binding, len(nodes) == len(names))
    if outputs and not broken:
        check_whole(pruned, binding)
    binding.diagnostics[:] = join_repeats(binding.diagnostics)
    return pruned


def _refuse_silence(
    steps: Mapping[str, StepDecl], nodes: Mapping[str, Node], binding: Binding
) -> None:
    """A step that is not bound has said why; if nothing has, its `op:` is no name at all."""
    if not any(d.severity == "error" for d in binding.diagnostics):
        for step in steps.values():
            if not step.op:
                message = "op must be the name of an operator"
                binding.add(Diagnostic("S005", message, step.op_span))


def _check_names(known: Collection[str], binding: Binding) -> None:
    """Report names that are taken, and inputs that lead nowhere."""
    recipe = binding.recipe
    sources = {s.name: s.span for s in recipe.sources}
    for step in recipe.steps:
        if step.name in sources:
            binding.add(
                Diagnostic(
                    "R113",
                    f"a step and a source are both called `{step.name}`",
                    step.span,
                    secondary=(Label(sources[step.name], "the source"),),
                    help="rename one of them",
                )
            )
        for given in step.inputs:
            check_input(given, known, binding)


def _in_order(steps: Mapping[str, StepDecl], binding: Binding) -> tuple[str, ...]:
    """Steps after what they read. A cycle is reported and then cut, to see what else is wrong."""
    reads = {name: {i.name for i in s.inputs} & steps.keys() for name, s in steps.items()}
    for _ in range(MOST_CYCLES):
        order = topological_order(reads)
        if not isinstance(order, Cycle):
            return order
        _report_cycle(order, binding)
        for name in order.names:
            reads[name] -= set(order.names)
    return tuple(steps)


MOST_CYCLES = 50
"""So many are told; more than that are one mistake, and each takes another look at all steps."""


def _report_cycle(cycle: Cycle, binding: Binding) -> None:
    spans = {
        (name, given.name): given.span
        for name in cycle.names
        if (step := binding.step(name))
        for given in step.inputs
    }
    pairs = [(reader, read) for read, reader in zip(cycle.names, cycle.names[1:], strict=False)]
    (reader, _), first = min(((p, spans[p]) for p in pairs), key=lambda found: found[1])
    binding.add(
        Diagnostic(
            "R102",
            f"cycle: {' → '.join(cycle.names)}",
            first,
            f"`{reader}` waits for itself",
            secondary=tuple(
                Label(spans[p], f"`{p[0]}` reads it here") for p in pairs if spans[p] != first
            ),
            help="let one of them read something outside the cycle",
        )
    )


def bind_step(
    step: StepDecl, nodes: Mapping[str, Node], broken: set[str], binding: Binding
) -> tuple[Node | None, bool]:
    """Bind a step.

    Returns:
        Its node, if there is enough to make one, and whether all of it, and all above it, is sound.
    """
    operator = binding.catalog.steps.get(step.op)
    if operator is None:  # shape has its diagnostic
        return None, False
    upstream = [(nodes[i.name], i) for i in step.inputs if i.name in nodes]
    incomplete = binding.faulty(step.span, step.body)
    open_ = len(upstream) < len(step.inputs) or any(i.name in broken for i in step.inputs)
    open_ = open_ or binding.faulty(step.from_span)
    given = _union([node.rows(i.port) for node, i in upstream])
    scope = Scope(step, given.columns, given.modelled, open_ or not upstream, given.makers)
    applies = bind_expression(step.when, binding, scope, want=BOOL) if step.when else None
    before, after, sound = split_assignments(step, scope, operator, binding)
    # A column of `set:` that is wrong has its diagnostic, and so has a `set:` that is mistyped.
    lost = {a.column: ANY.maybe(False) for a in step.set if a not in after}
    inside = scope.plus({**lost, **{a.column: found.type for a, found in before}})
    inside = replace(inside, open=inside.open or (incomplete and not step.set))
    params = with_usual_columns(operator, step, given, nodes)
    bound = bind_params(operator, params, binding, inside, step.op_span, incomplete=incomplete)
    rungs = bound.params.get("on_fail") or []
    falls_back = bool(rungs) and rungs[-1]["rung"] == "fallback"
    refuse_choice(operator, bound, inside, step, nodes, binding)
    warn_of_own_judges(step, bound, given, nodes, binding)
    written = _written(operator, bound, inside, falls_back)
    written = {**written, **drawn_columns(operator, bound), **bound.remade}
    outside = replace(inside.plus(written), open=inside.open or bound.broken)
    late = [(a, found) for a in after if (found := assigned(a, outside, binding))]
    sound = sound and len(late) == len(after) and bool(applies or not step.when)
    sound = sound and not (bound.broken or incomplete or open_)
    refuse_more(operator, bound, scope, step, binding)
    if not upstream:
        return None, False
    sets = [*before, *late]
    makes_rows = (operator.stage == "generate" and not rates(operator)) or bool(bound.remade)
    own = set(OWN_CHANGES if makes_rows else ())
    reads = {*operator.reads, *bound.reads, *(c for _, found in sets for c in found.reads)}
    reads |= applies.reads if applies else frozenset()
    if operator.stage == "generate":
        reads.add("text")  # checks and fallbacks go by it, whatever the prompt reads
    made = {**outside.columns, **{a.column: found.type for a, found in late}}
    model_words = _model_words(operator, bound, given.modelled, sets, frozenset(written))
    partly = falls_back or applies is not None or bool(bound.remade)
    aside = inside.plus({REASON: STR})
    node = Node(
        name=step.name,
        op=operator.name,
        version=operator.version,
        stage=operator.stage,
        inputs=tuple(Edge(i.name, i.port) for _, i in upstream),
        definition=_definition(step, operator, bound, (before, late), applies, reads, binding),
        columns=_passed(given.columns, made) if applies else made,
        modelled=model_words,
        origin=_origin(given.origin, makes_rows and "text" in model_words, partly),
        traits=Traits(
            reads=frozenset(reads),
            writes=frozenset({*written, *own, *(a.column for a, _ in sets)}),
            drops=operator.drops and not falls_back,
            row_local=operator.row_local and step.limit is None,
            multiplies=samples_of(bound) > 1,
            cost="model" if bound.asked else operator.cost,
        ),
        model=bound.model.name if bound.model else None,
        prompt=_prompt(bound),
        models={place: model.name for place, model in sorted(bound.asked.items())},
        prompts={place: asking.to_json() for place, asking in sorted(bound.asking.items())},
        aside=Rows(
            aside.columns,
            with_sets(given.modelled, before),
            given.origin,
            {**given.makers, **made_by(step.name, [*(a.column for a, _ in before), REASON])},
        ),
        declared=tuple(Edge(i.name, i.port) for i in step.inputs),
        makers={
            **given.makers,
            **made_by(step.name, [*written, *own], given.makers if partly else {}),
            **made_by(step.name, [a.column for a, _ in sets], given.makers if applies else {}),
        },
    )
    wrote = {m.name for place, m in bound.asked.items() if place.startswith("on_fail.")}
    if bound.model or len(wrote) == 1:
        binding.writers[step.name] = bound.model.name if bound.model else wrote.pop()
    packages = {*operator.packages, *bound.packages}
    versions = {p: binding.catalog.versions.get(p, "") for p in sorted(packages)}
    return identified(node, {n.name: n for n, _ in upstream}, versions), sound


def _prompt(bound: Bound) -> dict[str, Any] | None:
    """Where the texts of a step's prompt and templates came from; none of it is identity."""
    if bound.prompt is None:
        return None
    templates = {"templates": bound.templates} if bound.templates else {}
    return {"path": bound.prompt.path, "files": bound.prompt_files, **templates}


REASON = "_reason"
"""Column of rows that leave aside: why."""

OWN_CHANGES = ("_id", "_origin")
"""Of Mashbill's own columns, those that a model step changes."""

PERMISSIONS = ("again",)
"""Parameters that allow something and change no result."""


def _definition(
    step: StepDecl,
    operator: Operator,
    bound: Bound,
    sets: tuple[list[Assigned], list[Assigned]],
    applies: BoundExpression | None,
    reads: set[str],
    binding: Binding,
) -> dict[str, Any]:
    models = {p.name for p in operator.params if p.type is Model}
    found: list[Bound | Value | BoundExpression | None] = [bound, applies]
    found += (value for side in sets for _, value in side)
    definition: dict[str, Any] = {
        # A model stands with its identity below, whatever the recipe calls it.
        "params": {k: v for k, v in bound.params.items() if k not in {*models, *PERMISSIONS}},
        "set": {a.column: value.json for a, value in sets[0]},
        "set_after": {a.column: value.json for a, value in sets[1]},
        "limit": step.limit,
        "seed": binding.recipe.seed if any(f and f.seeded for f in found) else 0,
        # Draws of `choose` are told apart by where they stand.
        "site": step.name if any(f and f.draws for f in found) else "",
        # A scan keeps the source's text only for steps that look at it.
        "reads": sorted(reads & {"source.text"}),
    }
    if applies:
        definition["when"] = applies.text
    if counts := sorted({text for f in found if f for text in f.counts}):
        # Columns that the runtime counts, batch by batch, before the expressions are computed.
        definition["tokens"] = {"of": counts, "by": tokenizer_identity(binding)}
    if bound.model:
        model, pin = bound.model, binding.pins.models.get(bound.model.name, "")
        named = {"engine": model.engine, "model": model.model}
        definition["model"] = {"digest": pin} if pin else named
    return definition


def _passed(given: Columns, made: Columns) -> dict[str, Type]:
    """Columns after a step with `when:`, whose other rows pass as they came."""
    return {
        name: _either(given[name], kind) if name in given else kind.maybe()
        for name, kind in made.items()
    }


def _union(given: list[Rows]) -> Rows:
    """What the rows of several inputs hold together."""
    columns: dict[str, Type] = {}
    for rows in given:
        for name, kind in rows.columns.items():
            columns[name] = _either(columns[name], kind) if name in columns else kind
    for name, kind in columns.items():
        if any(name not in rows.columns for rows in given):
            columns[name] = kind.maybe()
    modelled = frozenset[str]().union(*(rows.modelled for rows in given))
    makers = {
        name: tuple(sorted({m for rows in given for m in rows.makers.get(name, ())}))
        for name in columns
    }
    return Rows(columns, modelled, joint_origin(given), makers)


def _either(one: Type, other: Type) -> Type:
    nullable = one.nullable or other.nullable
    if one.maybe(nullable) == other.maybe(nullable):
        return one.maybe(nullable)
    if {one.kind, other.kind} == {"int", "float"}:
        return FLOAT.maybe(nullable)
    return ANY


def _written(operator: Operator, bound: Bound, scope: Scope, falls_back: bool) -> dict[str, Type]:
    whole = operator.stage != "gather"  # others see to their columns themselves
    made = {name: scope.columns.get(name, STR) for name in operator.writes if whole}
    if rates(operator):
        return dict.fromkeys(operator.writes, FLOAT)
    if operator.writes and bound.model is not None:
        return {**made, "_accepted": FLOAT}
    if bound.model is not None:
        for name, kind in reply_columns(bound).items():
            # A row that falls back goes on without what the model would have made.
            made[name] = scope.columns.get(name, kind.maybe()) if falls_back else kind
    return made


def _model_words(
    operator: Operator,
    bound: Bound,
    modelled: frozenset[str],
    sets: list[Assigned],
    written: frozenset[str],
) -> frozenset[str]:
    own = {"input.text", "_accepted", "_draw"}
    made = written - own if bound.model is not None else frozenset[str]()
    made |= bound.remade.keys()
    return with_sets(modelled if rates(operator) else modelled | made, sets)


def _origin(given: Origin, modelled: bool, partly: bool) -> Origin:
    if modelled:
        return "mixed" if partly and given != "synthetic" else "synthetic"
    return given


def _pruned(graph: Graph, binding: Binding, whole: bool) -> Graph:
    """Drop what no output needs, and say so where no broken name accounts for it."""
    if not graph.outputs:
        return graph
    lost = any(d.code in ("R101", "R102", "R113") for d in binding.diagnostics)
    needed: set[str] = set()
    todo = [e.node for e in graph.outputs]
    while todo:
        name = todo.pop()
        if name not in needed:
            needed.add(name)
            todo.extend(e.node for e in graph.nodes[name].inputs)
    spans: dict[str, Span] = {s.name: s.span for s in binding.recipe.steps}
    spans |= {s.name: s.span for s in binding.recipe.sources}
    for name, span in spans.items():
        if whole and not lost and name in graph.nodes and name not in needed:
            binding.add(Diagnostic("R103", f"nothing reads `{name}`; it will not run", span))
    return replace(graph, nodes={n: v for n, v in graph.nodes.items() if n in needed})
