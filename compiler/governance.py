"""What a recipe as a whole owes: licences that agree, splits that do not leak, caps that hold."""

from __future__ import annotations

from collections.abc import Iterator

from .asking import ALLOW_OUTSIDE
from .diagnostics import Diagnostic, Edit, Label, Span
from .graph import Edge, Graph, sources_of
from .licences import conflict
from .mending import renaming
from .recipe import MixDecl
from .scope import Binding
from .suggest import nearest
from .world import OutsideError


def check_whole(graph: Graph, binding: Binding) -> None:
    """Report what only the bound graph shows."""
    found = [
        *_licences(graph, binding),
        *_split(binding),
        *_sources(graph, binding),
        *_output(binding),
        *_unread(graph, binding),
        *_routed(graph, binding),
        *_ladders(graph, binding),
    ]
    for diagnostic in found:
        binding.add(diagnostic)


def _adapted(graph: Graph) -> frozenset[str]:
    """Sources whose text a model is given."""
    return sources_of((n.name for n in graph if n.stage == "generate"), graph.nodes)


def _licences(graph: Graph, binding: Binding) -> Iterator[Diagnostic]:
    recipe = binding.recipe
    if not recipe.license:
        return
    adapted = _adapted(graph)
    for source in recipe.sources:
        if source.name not in graph.nodes or "G701" in source.acknowledge:
            continue
        if binding.faulty(source.license_span) or source.license.lower() == "unknown":
            continue
        if why := conflict(source.license, recipe.license, adapted=source.name in adapted):
            place = recipe.license_span
            yield Diagnostic(
                "G701",
                f"source `{source.name}` and the data set's licence disagree: {why}",
                source.license_span,
                secondary=(Label(place, "the data set's licence"),) if place else (),
                help="leave the source out, change the data set's licence, or acknowledge: [G701]",
            )


def _split(binding: Binding) -> Iterator[Diagnostic]:
    split = binding.recipe.split
    if split is None or binding.faulty(split.span):
        return
    if split.by == "row" and split.by_span:
        yield Diagnostic(
            "D304",
            "split by row lets rewrites of one document fall in several splits",
            split.by_span,
            help="write `by: document`",
            fix=(Edit(split.by_span, "document"),),
        )
    total = sum(share for _, share in split.shares)
    if not split.shares:
        hint = "write `split: { train: 99%, validation: 1% }`"
        yield Diagnostic("C502", "the split names no share", split.span, help=hint)
    elif abs(total - 1.0) > 1e-6:
        message = f"shares of the split sum to {total * 100:.6g}%"
        yield Diagnostic("C502", message, split.span, "they must sum to 100%")


def _sources(graph: Graph, binding: Binding) -> Iterator[Diagnostic]:
    mix = binding.recipe.mix
    if mix is None or "sources" in binding.recipe.unread:
        return
    names = tuple(s.name for s in binding.recipe.sources)
    whole = len(graph.outputs) == len(mix.parts)
    for cap in mix.max_source:
        if cap.source not in names:
            meant = nearest(cap.source, names)
            yield Diagnostic(
                "R101",
                f"no source is called `{cap.source}`",
                cap.span,
                f"sources: {', '.join(names)}",
                help=f"did you mean `{meant}`?" if meant else None,
                fix=renaming(cap.span, meant),
            )
        elif whole:
            yield from _over(cap.source, cap.share, mix, graph, binding)


def _output(binding: Binding) -> Iterator[Diagnostic]:
    output = binding.recipe.output
    if output.path and output.path_span:
        try:
            binding.world.match(output.path, typed=output.typed)
        except OutsideError as error:
            yield Diagnostic("R112", str(error), output.path_span, help=ALLOW_OUTSIDE)


def _unread(graph: Graph, binding: Binding) -> Iterator[Diagnostic]:
    """Columns that a model is paid for, and that neither a step nor the data set takes."""
    reads = [n.traits.reads for n in graph]
    if graph.wanted is None or None in reads:
        return
    read = graph.wanted.union({"text"}, *filter(None, reads))
    prompts = {s.name: s.param("prompt") for s in binding.recipe.steps}
    for node in graph:
        prompt = prompts.get(node.name)
        if node.stage != "generate" or prompt is None:
            continue
        computed = {*node.definition.get("set", ()), *node.definition.get("set_after", ())}
        made = (c for c in node.traits.writes - computed if not c.startswith("_") and "." not in c)
        for column in sorted(made):
            if column not in read:
                yield Diagnostic(
                    "R115",
                    f"`{node.name}` makes `{column}`, which nothing reads and the output leaves "
                    "out",
                    prompt.span,
                    secondary=_columns_of_output(binding),
                    help=f"add `{column}` to `output.columns`, or take it out of the prompt's "
                    "`reply`",
                )


def _columns_of_output(binding: Binding) -> tuple[Label, ...]:
    spans = binding.recipe.output.columns_spans
    if not spans:
        return ()
    return (Label(Span(spans[0].file, spans[0].start, spans[-1].end), "what is written"),)


def _routed(graph: Graph, binding: Binding) -> Iterator[Diagnostic]:
    """Ladders that route rows to a port that nothing reads."""
    spans = {s.name: s.param("on_fail") for s in binding.recipe.steps}
    for node in graph:
        rungs = (node.definition.get("params") or {}).get("on_fail") or ()
        place = spans.get(node.name)
        if rungs and rungs[-1]["rung"] == "route" and place:
            port = Edge(node.name, "routed")
            if port not in graph.outputs and not graph.readers(node.name, "routed"):
                yield Diagnostic(
                    "R108",
                    f"`{port}` is read by nobody; the rows that are routed there stop",
                    place.span,
                    help=f"read `from: {port}`, or write `reject`",
                )


MOST_CALLS = 5
"""Calls a row may take at worst before it is worth a word."""


def _ladders(graph: Graph, binding: Binding) -> Iterator[Diagnostic]:
    spans = {s.name: s.param("on_fail") for s in binding.recipe.steps}
    for node in graph:
        rungs = (node.definition.get("params") or {}).get("on_fail") or ()
        calls = bool(node.model) + sum(r.get("times", 0) for r in rungs)
        place = spans.get(node.name)
        if place and calls > MOST_CALLS:
            yield Diagnostic(
                "V405",
                f"worst case of on_fail is {calls} calls where one was meant",
                place.span,
                help="retry less, or let `checks` ask for less; `mashbill plan` prices it",
            )


def _over(
    source: str, most: float, mix: MixDecl, graph: Graph, binding: Binding
) -> Iterator[Diagnostic]:
    """Parts that come from the source alone and weigh more than its cap."""
    alone = [
        p
        for p in mix.parts
        if Edge(p.input.name, p.input.port) in graph.outputs
        and sources_of([p.input.name], graph.nodes) == {source}
    ]
    weight = sum(p.weight or 0.0 for p in alone)
    if alone and weight > most + 1e-9:
        listed = " and ".join(f"`{p.input.name}`" for p in alone)
        comes, weighs = ("comes", "weighs") if len(alone) == 1 else ("come", "weigh")
        yield Diagnostic(
            "C509",
            f"{listed} {comes} from `{source}` alone and {weighs} {weight * 100:.4g}%, "
            f"above its max_source {most * 100:.4g}%",
            alone[0].weight_span,
            secondary=tuple(
                Label(c.share_span, "the cap") for c in mix.max_source if c.source == source
            ),
            help="lower the weight, or raise the cap",
        )
