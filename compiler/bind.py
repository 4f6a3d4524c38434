"""Binding: names to operators, columns and files; the recipe becomes a graph of typed nodes.

Steps are bound in topological order, so that each sees the columns that reach it. A step that cannot
be bound leaves its columns open: what leans on it is not reported a second time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from .diagnostics import Diagnostic, Edit, Label, Span
from .document import Node as Value
from .document import Scalar, plain
from .graph import Cycle, Edge, Graph, Node, Traits, in_topological_order, topological_order
from .identity import digest
from .mixing import bind_outputs
from .recipe import Assignment, Input, Origin, SourceDecl, StepDecl
from .registry import Operator
from .scope import BUILT_IN, Binding, Scope
from .suggest import nearest
from .types import ANY, BOOL, FLOAT, INT, STR, Type
from .values import Bound, bind_expression, bind_params, reply_columns
from .world import OutsideError

PORTS = ("rejected", "routed", "errors")


def bind(binding: Binding) -> Graph | None:
    """Bind a recipe. Diagnostics go to `binding`; a graph comes back unless names form a cycle."""
    recipe = binding.recipe
    known = {s.name for s in recipe.sources} | {s.name for s in recipe.steps}
    for step in recipe.steps:
        for given in step.inputs:
            _check_input(given, known, binding)
    order = topological_order(
        {s.name: {i.name for i in s.inputs if i.name in known} for s in recipe.steps}
    )
    if isinstance(order, Cycle):
        _report_cycle(order, binding)
        return None
    nodes: dict[str, Node] = {}
    broken: set[str] = set()
    for source in recipe.sources:
        node = bind_source(source, binding)
        nodes[node.name] = node
    steps = {s.name: s for s in recipe.steps}
    for name in order:
        if name in steps and name not in nodes:
            node, sound = bind_step(steps[name], nodes, broken, binding)
            if not sound:
                broken.add(name)
            if node:
                nodes[name] = node
    outputs = bind_outputs(nodes, broken, binding)
    return _pruned(Graph(in_topological_order(nodes.values()), outputs), binding)


def _check_input(given: Input, known: set[str], binding: Binding) -> None:
    if given.name not in known:
        close = nearest(given.name, tuple(known))
        binding.add(
            Diagnostic(
                "R101",
                f"no step or source is called `{given.name}`",
                given.span,
                help=f"did you mean `{close}`?" if close else None,
                fix=(Edit(given.span, close + (f".{given.port}" if given.port else "")),)
                if close
                else (),
            )
        )
    elif given.port and given.port not in PORTS:
        close = nearest(given.port, PORTS)
        binding.add(
            Diagnostic(
                "R101",
                f"`{given.name}` has no port `{given.port}`",
                given.span,
                f"ports: {', '.join(PORTS)}",
                help=f"did you mean `{given.name}.{close}`?" if close else None,
            )
        )


def _report_cycle(cycle: Cycle, binding: Binding) -> None:
    spans = {
        (step.name, given.name): given.span
        for step in binding.recipe.steps
        for given in step.inputs
    }
    names = cycle.names
    # `names` runs from what is read to its reader.
    places = [
        (reader, spans[(reader, read)])
        for read, reader in zip(names, names[1:], strict=False)
        if (reader, read) in spans
    ]
    first = places[0] if places else (names[0], binding.recipe.span)
    binding.add(
        Diagnostic(
            "R102",
            f"cycle: {' → '.join(names)}",
            first[1],
            f"`{first[0]}` waits for itself",
            secondary=tuple(Label(span, f"`{name}` reads it here") for name, span in places[1:]),
        )
    )


def bind_source(source: SourceDecl, binding: Binding) -> Node:
    """Bind a source: its files must exist, its licence must be known or acknowledged."""
    if source.license.lower() == "unknown" and "G702" not in source.acknowledge:
        binding.add(
            Diagnostic(
                "G702",
                f"source `{source.name}` has licence unknown",
                source.span,
                help="name the licence, or write `acknowledge: [G702]`",
            )
        )
    if source.path:
        try:
            if not binding.world.match(source.path, typed=source.typed):
                binding.add(
                    Diagnostic(
                        "D301",
                        f"{source.path} matches no files",
                        source.path_span,
                        "looked in the current folder"
                        if source.typed
                        else "looked beside the recipe",
                    )
                )
        except OutsideError as error:
            binding.add(Diagnostic("R112", str(error), source.path_span, help="--allow-outside"))
    columns: dict[str, Type] = {"text": STR, "source.text": STR, **BUILT_IN}
    columns |= {new: ANY for new, _ in source.columns}
    definition = {
        "data": binding.pins.sources.get(source.name, f"path:{source.path}"),
        "text": source.text,
        "columns": dict(source.columns),
        "key": source.key,
        "origin": source.origin,
        "limit": source.limit,
    }
    made = frozenset(columns)
    return _identified(
        Node(
            name=source.name,
            op="source",
            version=1,
            stage="scan",
            inputs=(),
            definition=definition,
            columns=columns,
            modelled=made if source.origin != "human" else frozenset(),
            origin=source.origin,
            traits=Traits(frozenset(), made, False, True, False, "free"),
        ),
        {},
    )


def bind_step(
    step: StepDecl, nodes: Mapping[str, Node], broken: set[str], binding: Binding
) -> tuple[Node | None, bool]:
    """Bind a step.

    Returns:
        Its node, if there is enough to make one, and whether all of it is sound.
    """
    operator = binding.catalog.steps.get(step.op)
    upstream = [(nodes[i.name], i) for i in step.inputs if i.name in nodes]
    open_ = len(upstream) < len(step.inputs) or any(i.name in broken for i in step.inputs)
    columns, modelled = _union([node for node, _ in upstream])
    scope = Scope(step, columns, modelled, open_ or not upstream)
    if operator is None or not upstream:  # shape or an unknown name has its diagnostic
        return None, False
    before, after, sound = _split_assignments(step, scope, operator, binding)
    inside = scope.plus({a.column: kind for a, _, kind, _ in before})
    bound = bind_params(operator, dict(step.params), binding, inside, step.op_span)
    written = _written(operator, bound, inside)
    outside = inside.plus(written)
    late = [found for a in after if (found := _assignment(a, outside, binding))]
    sound = sound and not bound.broken and len(late) == len(after)
    sets = [*before, *late]
    reads = {*operator.reads, *bound.reads, *(c for _, _, _, r in sets for c in r)}
    model_words = _model_words(operator, bound, modelled, sets, frozenset(written))
    rungs = bound.params.get("on_fail") or []
    definition: dict[str, Any] = {
        "params": bound.params,
        "set": {a.column: value for a, value, _, _ in before},
        "set_after": {a.column: value for a, value, _, _ in late},
        "limit": step.limit,
        "seed": binding.recipe.seed,
        # Draws of `choose` are told apart by where they stand.
        "site": step.name if any("_doc" in r for _, _, _, r in sets) else "",
    }
    if bound.model:
        definition["model"] = {
            "engine": bound.model.engine,
            "model": bound.model.model,
            "digest": binding.pins.models.get(bound.model.name, ""),
        }
    falls_back = bool(rungs) and rungs[-1]["rung"] == "fallback"
    node = Node(
        name=step.name,
        op=operator.name,
        version=operator.version,
        stage=operator.stage,
        inputs=tuple(Edge(i.name, i.port) for _, i in upstream),
        definition=definition,
        columns={**outside.columns, **{a.column: kind for a, _, kind, _ in late}},
        modelled=model_words,
        origin=_origin([n for n, _ in upstream], operator, "text" in model_words, falls_back),
        traits=Traits(
            reads=frozenset(reads),
            writes=frozenset({*written, *(a.column for a, _, _, _ in sets)}),
            drops=operator.drops and not falls_back,
            row_local=operator.row_local and step.limit is None,
            multiplies=int(bound.params.get("samples") or 1) > 1,
            cost=operator.cost,
        ),
        model=bound.model.name if bound.model else None,
        prompt={"path": bound.prompt.path, "files": bound.prompt_files} if bound.prompt else None,
    )
    _refuse_second_rewrite(operator, bound, scope, step, binding)
    packages = {p: binding.catalog.versions.get(p, "") for p in operator.packages}
    return _identified(node, {n.name: n for n, _ in upstream}, packages), sound


def _union(nodes: list[Node]) -> tuple[dict[str, Type], frozenset[str]]:
    columns: dict[str, Type] = {}
    for node in nodes:
        for name, kind in node.columns.items():
            columns.setdefault(name, kind)
            if kind.nullable:
                columns[name] = columns[name].maybe()
    for name, kind in columns.items():
        if any(name not in node.columns for node in nodes):
            columns[name] = kind.maybe()
    return columns, frozenset().union(*(n.modelled for n in nodes)) if nodes else frozenset()


Assigned = tuple[Assignment, Any, Type, frozenset[str]]


def _split_assignments(
    step: StepDecl, scope: Scope, operator: Operator, binding: Binding
) -> tuple[list[Assigned], list[Assignment], bool]:
    """Columns of `set:` are computed before the operator, or after it where they read what it makes."""
    before: list[Assigned] = []
    after: list[Assignment] = []
    sound = True
    for assignment in step.set:
        if assignment.column.startswith("_"):
            binding.add(
                Diagnostic(
                    "R114",
                    f"`{assignment.column}` is Mashbill's own: names with a leading `_` are reserved",
                    assignment.span,
                )
            )
            sound = False
        elif _needs_output(assignment, scope, operator):
            after.append(assignment)
        elif found := _assignment(assignment, scope, binding):
            before.append(found)
        else:
            sound = False
    return before, after, sound


def _needs_output(assignment: Assignment, scope: Scope, operator: Operator) -> bool:
    from .expr import columns_read, parse_expr

    if not _is_expression(assignment.value):
        return False
    expr, _ = parse_expr(str(plain(assignment.value))[1:])
    missing = {c for c in columns_read(expr) if c not in scope.columns} if expr else set()
    return bool(missing) and (bool(missing & set(operator.writes)) or operator.stage == "generate")


def _is_expression(value: Value) -> bool:
    return (
        isinstance(value, Scalar) and isinstance(value.value, str) and value.value.startswith("=")
    )


_LITERALS: Mapping[type, Type] = {str: STR, bool: BOOL, int: INT, float: FLOAT}


def _assignment(assignment: Assignment, scope: Scope, binding: Binding) -> Assigned | None:
    value = assignment.value
    if _is_expression(value):
        found = bind_expression(value, binding, scope, skip=1)
        return (assignment, {"=": found[0]}, found[1], found[2]) if found else None
    literal = plain(value)
    if isinstance(literal, list | dict):
        binding.add(
            Diagnostic(
                "S005",
                f"`{assignment.column}` must be a literal or an expression",
                value.span,
                help="write a list as an expression: \"= ['a', 'b']\"",
            )
        )
        return None
    return assignment, literal, _LITERALS.get(type(literal), ANY), frozenset()


def _written(operator: Operator, bound: Bound, scope: Scope) -> dict[str, Type]:
    made = {name: scope.columns.get(name, STR) for name in operator.writes}
    if bound.model is not None:
        made |= reply_columns(bound, scope)
    if operator.name == "rewrite":
        made["_accepted"] = FLOAT
    return made


def _model_words(
    operator: Operator,
    bound: Bound,
    modelled: frozenset[str],
    sets: list[Assigned],
    written: frozenset[str],
) -> frozenset[str]:
    words = set(modelled)
    if bound.model is not None:
        words |= written - {"input.text", "_accepted"}
    for assignment, _, _, reads in sets:
        if reads & words:
            words.add(assignment.column)
    return frozenset(words)


def _origin(nodes: list[Node], operator: Operator, modelled: bool, falls_back: bool) -> Origin:
    origins = {n.origin for n in nodes}
    if operator.stage == "generate" and modelled:
        return "mixed" if falls_back and origins != {"synthetic"} else "synthetic"
    if len(origins) == 1:
        return next(iter(origins))
    return "mixed"


def _refuse_second_rewrite(
    operator: Operator, bound: Bound, scope: Scope, step: StepDecl, binding: Binding
) -> None:
    if operator.name == "rewrite" and "text" in scope.modelled and not bound.params.get("again"):
        binding.add(
            Diagnostic(
                "C507",
                f"`{step.name}` would rewrite text that a model wrote",
                step.inputs[0].span if step.inputs else step.span,
                help="read the step before the rewrite, or write `again: true` to allow it",
            )
        )


def _identified(
    node: Node, upstream: Mapping[str, Node], packages: Mapping[str, str] | None = None
) -> Node:
    identity = {
        "op": node.op,
        "version": node.version,
        "definition": node.definition,
        "packages": dict(packages or {}),
        "inputs": sorted(f"{upstream[e.node].fingerprint}.{e.port}" for e in node.inputs),
    }
    return replace(node, fingerprint=digest(identity))


def _pruned(graph: Graph, binding: Binding) -> Graph:
    """Drop what no output needs, and say so."""
    if not graph.outputs:
        return graph
    needed: set[str] = set()
    todo = [e.node for e in graph.outputs]
    while todo:
        name = todo.pop()
        if name in needed or name not in graph.nodes:
            continue
        needed.add(name)
        todo.extend(e.node for e in graph.nodes[name].inputs)
    spans: dict[str, Span] = {s.name: s.span for s in binding.recipe.steps}
    spans |= {s.name: s.span for s in binding.recipe.sources}
    for name, span in spans.items():
        if name in graph.nodes and name not in needed:
            binding.add(Diagnostic("R103", f"nothing reads `{name}`; it will not run", span))
    return Graph({n: v for n, v in graph.nodes.items() if n in needed}, graph.outputs)
