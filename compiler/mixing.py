"""Where rows leave the graph: the parts of the mix, or the one step that nothing reads."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from .counting import check_tokenizer
from .diagnostics import Diagnostic
from .graph import Edge, Node, Render, sources_of
from .mending import renaming
from .recipe import Input, MixDecl, Origin, OutputDecl, PartDecl
from .rendering import bind_render
from .scope import Binding
from .suggest import nearest


def bind_outputs(
    nodes: Mapping[str, Node], broken: set[str], binding: Binding
) -> tuple[tuple[Edge, ...], dict[str, Render]]:
    """The edges that leave the graph, in a fixed order, and the renders of parts by their names."""
    mix = binding.recipe.mix
    renders = dict(_renders(mix, nodes, broken, binding)) if mix else {}
    outputs = _parts(mix, nodes, renders, binding) if mix else _last_unread(nodes, binding)
    whole = not mix or len(outputs) == len(mix.parts)
    if whole and not any(e.node in broken for e in outputs):
        _check_columns(outputs, nodes, binding)
    return outputs, renders


def _renders(
    mix: MixDecl, nodes: Mapping[str, Node], broken: set[str], binding: Binding
) -> Iterator[tuple[str, Render]]:
    for part in mix.parts:
        node = nodes.get(part.input.name)
        if node is not None:
            unsure = node.name in broken
            render = bind_render(part, node.rows(part.input.port), binding, unsure=unsure)
            if render is not None:
                yield _name(part), render


def _name(part: PartDecl) -> str:
    return str(Edge(part.input.name, part.input.port))


def _last_unread(nodes: Mapping[str, Node], binding: Binding) -> tuple[Edge, ...]:
    recipe = binding.recipe
    read = {i.name for s in recipe.steps for i in s.inputs}
    names = [s.name for s in recipe.steps] or [s.name for s in recipe.sources]
    unread = [n for n in names if n not in read]
    if unread and unread[-1] not in nodes:  # it is broken, and what it would give is not known
        return ()
    return (Edge(unread[-1]),) if unread else ()


def check_input(given: Input, known: Collection[str], binding: Binding) -> bool:
    """Report a name that leads nowhere, or a port that what it names does not have."""
    ports = _ports(given.name, binding) if given.port else None
    if binding.faulty(given.span) or {"steps", "sources"} & binding.recipe.unread:
        return given.name in known
    if given.name not in known:
        message = f"no step or source is called `{given.name}`"
        close = binding.nearest(given.name, known)
        if close and _misnamed(close, binding):
            return False
        shown = ", ".join([*known][:6])
        words = "" if close else f"there is {shown}{', …' * (len(known) > 6)}"
        meant = f"{close}.{given.port}" if close and given.port else close
    elif given.port and ports is not None and given.port not in ports:
        message = f"`{given.name}` has no port `{given.port}`"
        close, words = nearest(given.port, ports), f"ports: {', '.join(ports) or 'none'}"
        meant = f"{given.name}.{close}" if close else None
    else:
        return True
    binding.add(
        Diagnostic(
            "R101",
            message,
            given.span,
            words,
            help=f"did you mean `{meant}`?" if meant else None,
            fix=renaming(given.span, meant),
        )
    )
    return False


def _misnamed(name: str, binding: Binding) -> bool:
    """Whether the name of a step or source is no name, which has been said."""
    step = binding.step(name)
    spans = [s.span for s in binding.recipe.sources if s.name == name]
    return binding.faulty(*spans, step.span if step else None)


def _ports(name: str, binding: Binding) -> tuple[str, ...] | None:
    """The ports of a step or source besides its rows that go on; None where it is not known."""
    step = binding.step(name)
    operator = binding.catalog.steps.get(step.op) if step else None
    if operator is None:
        return None if step else ()
    if operator.stage == "map":
        return ("rejected",) if operator.drops else ()
    if operator.stage == "gather":
        return ("rejected", "errors")
    return ("rejected", "routed", "errors")


def _parts(
    mix: MixDecl, nodes: Mapping[str, Node], renders: Mapping[str, Render], binding: Binding
) -> tuple[Edge, ...]:
    recipe = binding.recipe
    known = sorted({s.name for s in recipe.steps} | {s.name for s in recipe.sources})
    named = [check_input(part.input, known, binding) for part in mix.parts]
    whole = all(named) and all(p.input.name in nodes for p in mix.parts)
    weights = [p.weight for p in mix.parts if p.weight is not None]
    total = sum(weights)
    if len(weights) < len(mix.parts):
        whole = False
    elif mix.parts and abs(total - 1.0) > 1e-6:
        binding.add(
            Diagnostic(
                "C502",
                f"weights sum to {total * 100:.4g}%",
                mix.parts[-1].weight_span,
                "the parts must sum to 100%",
            )
        )
        whole = False
    if whole:
        _check_human(mix, nodes, renders, binding)
    _check_tokenizer(binding)
    edges = (Edge(p.input.name, p.input.port) for p in mix.parts if p.input.name in nodes)
    return tuple(sorted(edges, key=str))


def _check_human(
    mix: MixDecl, nodes: Mapping[str, Node], renders: Mapping[str, Render], binding: Binding
) -> None:
    """The weights of human parts must reach `min_human`."""

    def origin(part: PartDecl) -> Origin:
        render = renders.get(_name(part))
        return render.origin if render else nodes[part.input.name].origin

    others = [p for p in mix.parts if origin(p) != "human"]
    human = 1.0 - sum(p.weight or 0.0 for p in others)
    unclear = [p for p in others if _mixed_sources(p.input.name, nodes)]
    if human + 1e-6 < mix.min_human <= human + sum(p.weight or 0.0 for p in unclear) + 1e-6:
        name = unclear[0].input.name
        (source, *_) = _mixed_sources(name, nodes)
        binding.add(
            Diagnostic(
                "C506",
                f"part `{name}` comes from `{source}`, whose origin is mixed: how much of it is "
                f"human is not known, and min_human is {mix.min_human * 100:.4g}%",
                unclear[0].span,
                help=f"split `{source}` by origin before the mix, or raise the human parts",
            )
        )
    elif human + 1e-6 < mix.min_human:
        origins = ", ".join(f"`{p.input.name}` is {origin(p)}" for p in others)
        binding.add(
            Diagnostic(
                "C503",
                f"human share is {human * 100:.4g}%, below min_human {mix.min_human * 100:.4g}%",
                mix.min_human_span,
                notes=(origins,),
                help="raise the weights of human parts, or lower `min_human`",
            )
        )


def _mixed_sources(name: str, nodes: Mapping[str, Node]) -> tuple[str, ...]:
    """Sources of a part that hold human and model text side by side."""
    return tuple(s for s in sorted(sources_of([name], nodes)) if nodes[s].origin == "mixed")


def _check_tokenizer(binding: Binding) -> None:
    recipe = binding.recipe
    if recipe.mix is None or any(d.code in ("C508", "R110") for d in binding.diagnostics):
        return
    if recipe.tokenizer is not None:
        check_tokenizer(binding, recipe.mix.total_span)
    elif (
        recipe.tokenizer_span is None
        and len(recipe.models) != 1
        and not recipe.unread & {"models", "tokenizer"}
    ):
        binding.add(
            Diagnostic(
                "C508",
                "the mix counts tokens, and no `tokenizer:` says whose",
                recipe.mix.total_span,
                help=f"write `tokenizer: {recipe.models[0].name}` at the top level"
                if recipe.models
                else "name a model that counts (`models: { counter: local/smollm2-135m }`), or a "
                "file: `tokenizer: tokenizer.json`",
            )
        )


DEFAULT_COLUMNS = ("_id", "_doc", "_source", "_origin")
"""Of Mashbill's own columns, those that a data set has unless `output.columns` says otherwise."""


def written_columns(
    outputs: Iterable[Edge], nodes: Mapping[str, Node], output: OutputDecl
) -> tuple[str, ...]:
    """Columns of the data set: what the output names, else the text and all that the recipe named.

    A column that a source takes, a `set:` computes or a reply makes is meant to be had. Copies of
    the text (`source.text`, `input.text`) are written only where they are asked for.
    """
    if output.columns:
        return output.columns
    rows = [nodes[e.node].rows(e.port).columns for e in outputs]
    named = {c for columns in rows for c in columns if not c.startswith("_") and "." not in c}
    # By name, since the order of keys in the recipe has no meaning.
    return ("text", *sorted(named - {"text"}), *DEFAULT_COLUMNS)


def _check_columns(outputs: tuple[Edge, ...], nodes: Mapping[str, Node], binding: Binding) -> None:
    output = binding.recipe.output
    for column, span in zip(output.columns, output.columns_spans, strict=True):
        lacking = [
            e.node
            for e in outputs
            if column not in nodes[e.node].rows(e.port).columns and column != "_part"
        ]
        if outputs and len(lacking) == len(outputs):
            close = nearest(column, [c for e in outputs for c in nodes[e.node].columns])
            binding.add(
                Diagnostic(
                    "R104",
                    f"the output needs column `{column}`, which no part has",
                    span,
                    help=f"did you mean `{close}`?" if close else None,
                    fix=renaming(span, close),
                )
            )
