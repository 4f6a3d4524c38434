"""Where rows leave the graph: the parts of the mix, or the one step that nothing reads."""

from __future__ import annotations

from collections.abc import Mapping

from .diagnostics import Diagnostic, Edit
from .graph import Edge, Node
from .recipe import MixDecl
from .scope import Binding
from .suggest import nearest


def bind_outputs(nodes: Mapping[str, Node], broken: set[str], binding: Binding) -> tuple[Edge, ...]:
    """The edges that leave the graph, in a fixed order."""
    mix = binding.recipe.mix
    outputs = _parts(mix, nodes, binding) if mix else _last_unread(nodes, binding)
    _check_columns(outputs, nodes, broken, binding)
    return outputs


def _last_unread(nodes: Mapping[str, Node], binding: Binding) -> tuple[Edge, ...]:
    recipe = binding.recipe
    read = {i.name for s in recipe.steps for i in s.inputs}
    names = [s.name for s in recipe.steps] or [s.name for s in recipe.sources]
    unread = [n for n in names if n not in read and n in nodes]
    return (Edge(unread[-1]),) if unread else ()


def _parts(mix: MixDecl, nodes: Mapping[str, Node], binding: Binding) -> tuple[Edge, ...]:
    known = {s.name for s in binding.recipe.steps} | {s.name for s in binding.recipe.sources}
    total, human, sound = 0.0, 0.0, True
    edges = []
    for part in mix.parts:
        total += part.weight
        if part.input.name not in known:
            close = nearest(part.input.name, tuple(known))
            binding.add(
                Diagnostic(
                    "R101",
                    f"no step or source is called `{part.input.name}`",
                    part.span,
                    help=f"did you mean `{close}`?" if close else None,
                    fix=(Edit(part.span, close),) if close else (),
                )
            )
            sound = False
        elif part.input.name in nodes:
            edges.append(Edge(part.input.name, part.input.port))
            if nodes[part.input.name].origin == "human":
                human += part.weight
        else:
            sound = False
    if mix.parts and abs(total - 1.0) > 1e-6:
        binding.add(
            Diagnostic(
                "C502",
                f"weights sum to {total * 100:.4g}%",
                mix.parts[-1].weight_span,
                "the parts must sum to 100%",
            )
        )
        sound = False
    if sound and human + 1e-9 < mix.min_human:
        parts = ", ".join(
            f"`{p.input.name}` is {nodes[p.input.name].origin}"
            for p in mix.parts
            if nodes[p.input.name].origin != "human"
        )
        binding.add(
            Diagnostic(
                "C503",
                f"human share is {human * 100:.4g}%, below min_human {mix.min_human * 100:.4g}%",
                mix.min_human_span,
                notes=(parts,) if parts else (),
                help="raise the weights of human parts, or lower `min_human`",
            )
        )
    _check_tokenizer(binding)
    return tuple(sorted(edges, key=str))


def _check_tokenizer(binding: Binding) -> None:
    recipe = binding.recipe
    if recipe.mix and not recipe.tokenizer and len(recipe.models) != 1:
        binding.add(
            Diagnostic(
                "C508",
                "the mix counts tokens, and no `tokenizer:` says whose",
                recipe.mix.span,
                help=f"tokenizer: {recipe.models[0].name}"
                if recipe.models
                else "tokenizer: gpt2.json",
            )
        )


def _check_columns(
    outputs: tuple[Edge, ...], nodes: Mapping[str, Node], broken: set[str], binding: Binding
) -> None:
    output = binding.recipe.output
    for column, span in zip(output.columns, output.columns_spans, strict=True):
        lacking = [
            e.node
            for e in outputs
            if column not in nodes[e.node].columns and e.node not in broken and column != "_part"
        ]
        if outputs and len(lacking) == len(outputs):
            candidates = {c for e in outputs for c in nodes[e.node].columns}
            close = nearest(column, tuple(candidates))
            binding.add(
                Diagnostic(
                    "R104",
                    f"the output needs column `{column}`, which no part has",
                    span,
                    help=f"did you mean `{close}`?" if close else None,
                    fix=(Edit(span, close),) if close else (),
                )
            )
