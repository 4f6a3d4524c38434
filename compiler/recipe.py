"""What a recipe says, as frozen records with the span of every part.

Reading is lenient: a value of the wrong type has its diagnostic from `shape` already and reads as
absent here, so that later stages still find what is wrong elsewhere in the same pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from .budgets import (
    BudgetDecl,
    HardwareDecl,
    PriceDecl,
    read_budget,
    read_hardware,
    read_price,
)
from .diagnostics import Span
from .document import TYPED, List, Map, Node, Scalar, plain
from .hidden import hidden_regions
from .quantities import parse_bytes, parse_share, parse_tokens
from .schema import OPTIONS

Origin = Literal["human", "synthetic", "mixed"]
Shortfall = Literal["error", "reweight", "repeat", "shrink"]
_ORIGINS: Mapping[str, Origin] = {o: o for o in get_args(Origin)}
_SHORTFALLS: Mapping[str, Shortfall] = {p: p for p in get_args(Shortfall)}


@dataclass(frozen=True, slots=True)
class ModelDecl:
    """A named engine, weights and sampling."""

    name: str
    engine: str
    model: str
    span: Span
    urls: tuple[str, ...] = ()
    """Addresses of equal servers; the first stands for all of them in the model's identity."""
    key: str | None = None
    sampling: Map | None = None
    placement: Map | None = None
    options: tuple[tuple[str, str | bool], ...] = ()
    """The keys of `schema.OPTIONS` that it gives: part of its identity."""
    price: PriceDecl | None = None
    typed: bool = False
    """Whether the user typed `use:` after `--set`: its path then starts from the current folder."""


@dataclass(frozen=True, slots=True)
class SourceDecl:
    """Where rows come from."""

    name: str
    path: str
    path_span: Span
    span: Span
    body: Span
    text: str = "text"
    columns: tuple[tuple[str, str], ...] = ()
    key: str | None = None
    format: str | None = None
    delimiter: str | None = None
    license: str = ""
    license_span: Span | None = None
    origin: Origin = "human"
    limit: int | None = None
    acknowledge: tuple[str, ...] = ()
    typed: bool = False

    @property
    def reading(self) -> dict[str, str]:
        """How its files are read, where the recipe says more than their names do."""
        said = {"format": self.format, "delimiter": self.delimiter}
        return {key: value for key, value in said.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Input:
    """A port of another step or source that a step reads."""

    name: str
    port: str
    span: Span


@dataclass(frozen=True, slots=True)
class Assignment:
    """A computed column: `new: = expression` or `new: literal`."""

    column: str
    value: Node
    span: Span


@dataclass(frozen=True, slots=True)
class StepDecl:
    """One named operator applied to the rows of others."""

    name: str
    op: str
    op_span: Span
    span: Span
    body: Span
    inputs: tuple[Input, ...] = ()
    from_span: Span | None = None
    set: tuple[Assignment, ...] = ()
    when: Node | None = None
    limit: int | None = None
    params: tuple[tuple[str, Node], ...] = ()

    def param(self, name: str) -> Node | None:
        """The node that stands for a parameter, if the step gives it."""
        return dict(self.params).get(name)


@dataclass(frozen=True, slots=True)
class PartDecl:
    """A part of the mix. `weight` is a share of tokens between 0 and 1; None if it is none."""

    input: Input
    weight: float | None
    span: Span
    weight_span: Span
    max_epochs: float | None = None
    render: Scalar | None = None
    """The path of the template that turns its rows into text."""


@dataclass(frozen=True, slots=True)
class CapDecl:
    """The most of the data set's tokens that a source may give, between 0 and 1."""

    source: str
    share: float
    span: Span
    share_span: Span


@dataclass(frozen=True, slots=True)
class SplitDecl:
    """Named shares of the documents; each is the probability that a document goes there."""

    shares: tuple[tuple[str, float], ...]
    span: Span
    by: Literal["document", "row"] = "document"
    by_span: Span | None = None


@dataclass(frozen=True, slots=True)
class MixDecl:
    """The shares of the final data set, in tokens."""

    span: Span
    total: int | None
    total_span: Span
    parts: tuple[PartDecl, ...]
    min_human: float = 0.0
    min_human_span: Span | None = None
    max_source: tuple[CapDecl, ...] = ()
    on_shortfall: Shortfall = "error"


@dataclass(frozen=True, slots=True)
class OutputDecl:
    """Where and how the data set is written. `shard` is in bytes."""

    path: str | None = None
    path_span: Span | None = None
    format: Literal["parquet", "jsonl"] = "parquet"
    shard: int = 256_000_000
    shard_span: Span | None = None
    columns: tuple[str, ...] = ()
    span: Span | None = None
    columns_spans: tuple[Span, ...] = ()
    typed: bool = False


@dataclass(frozen=True, slots=True)
class Recipe:
    """A whole recipe. `unread` names the regions that are there and cannot be read."""

    name: str
    span: Span
    about: str = ""
    version: str = ""
    license: str = ""
    license_span: Span | None = None
    seed: int = 0
    tokenizer: str | None = None
    tokenizer_span: Span | None = None
    models: tuple[ModelDecl, ...] = ()
    sources: tuple[SourceDecl, ...] = ()
    steps: tuple[StepDecl, ...] = ()
    mix: MixDecl | None = None
    split: SplitDecl | None = None
    output: OutputDecl = OutputDecl()
    budget: BudgetDecl | None = None
    hardware: HardwareDecl | None = None
    unread: frozenset[str] = frozenset()


def read_recipe(document: Map) -> Recipe:
    """Read the records out of a document. Never raises; see the module's docstring."""
    output = document.get("output")
    mix, split = document.get("mix"), document.get("split")
    tokenizer, license = document.get("tokenizer"), document.get("license")
    return Recipe(
        name=_text(document.get("name")) or "recipe",
        span=document.span,
        about=_text(document.get("about")) or "",
        version=_text(document.get("version")) or "",
        license=_text(license) or "",
        license_span=license.span if license else None,
        seed=_whole(document.get("seed")) or 0,
        tokenizer=_text(tokenizer),
        tokenizer_span=tokenizer.span if tokenizer else None,
        models=tuple(_model(k, v) for k, v in _entries(document.get("models"))),
        sources=tuple(_source(k, v) for k, v in _entries(document.get("sources"))),
        steps=tuple(_step(k, v) for k, v in _entries(document.get("steps"))),
        mix=_mix(mix) if isinstance(mix, Map) else None,
        split=_split(split) if isinstance(split, Map) else None,
        output=_output(output) if isinstance(output, Map) else OutputDecl(),
        budget=read_budget(document.get("budget")),
        hardware=read_hardware(document.get("hardware")),
        unread=frozenset(
            name
            for name in ("models", "sources", "steps")
            if (name in document or name == "sources") and not isinstance(document.get(name), Map)
        )
        | hidden_regions(document),
    )


def _model(key: Scalar, node: Node) -> ModelDecl:
    long = node if isinstance(node, Map) else None
    use = long.get("use") if long else node
    engine, _, model = (_text(use) or "").partition("/")
    sampling, placement = (long.get("sampling"), long.get("placement")) if long else (None, None)
    return ModelDecl(
        name=str(key.value),
        engine=engine,
        model=model,
        span=use.span if use else node.span,
        urls=_addresses(long.get("url")) if long else (),
        key=_text(long.get("key")) if long else None,
        sampling=sampling if isinstance(sampling, Map) else None,
        placement=placement if isinstance(placement, Map) else None,
        options=tuple(_options(long)) if long else (),
        price=read_price(long.get("price")) if long else None,
        typed=_typed(use),
    )


def _addresses(node: Node | None) -> tuple[str, ...]:
    found = node.items if isinstance(node, List) else (node,)
    return tuple(text for n in found if (text := _text(n)) is not None)


def _options(model: Map) -> Iterator[tuple[str, str | bool]]:
    for name in OPTIONS:
        node = model.get(name)
        if isinstance(node, Scalar) and isinstance(node.value, str | bool):
            yield name, node.value


def _source(key: Scalar, node: Node) -> SourceDecl:
    body = node if isinstance(node, Map) else Map((), node.span)
    path = body.get("path")
    license = body.get("license")
    return SourceDecl(
        name=str(key.value),
        path=_text(path) or "",
        path_span=path.span if path else key.span,
        span=key.span,
        body=node.span,
        text=_text(body.get("text")) or "text",
        columns=tuple(
            (str(new.value), old)
            for new, value in _entries(body.get("columns"))
            if (old := _text(value)) is not None
        ),
        key=_text(body.get("key")),
        format=_text(body.get("format")),
        delimiter=_text(body.get("delimiter")),
        license=_text(license) or "",
        license_span=license.span if license else None,
        origin=_ORIGINS.get(_text(body.get("origin")) or "", "human"),
        limit=_whole(body.get("limit")),
        acknowledge=tuple(_text(n) or "" for n in _items(body.get("acknowledge"))),
        typed=_typed(path),
    )


COMMON = frozenset({"op", "from", "when", "set", "limit"})
"""Keys that every step takes besides its operator's own."""


def _step(key: Scalar, value: Node) -> StepDecl:
    node = value if isinstance(value, Map) else Map((), value.span)
    op, read = node.get("op"), node.get("from")
    return StepDecl(
        name=str(key.value),
        op=_text(op) or "",
        op_span=op.span if op else key.span,
        span=key.span,
        body=value.span,
        inputs=tuple(_input(n) for n in _items(read) if _text(n)),
        from_span=read.span if read else None,
        set=tuple(Assignment(str(k.value), v, k.span) for k, v in _entries(node.get("set"))),
        when=node.get("when"),
        limit=_whole(node.get("limit")),
        params=tuple((str(k.value), v) for k, v in node.entries if k.value not in COMMON),
    )


def _input(node: Node) -> Input:
    name, _, port = (_text(node) or "").partition(".")
    return Input(name, port, node.span)


def _mix(node: Map) -> MixDecl:
    parts = []
    for key, value in _entries(node.get("parts")):
        weight = value.get("weight") if isinstance(value, Map) else value
        epochs = value.get("max_epochs") if isinstance(value, Map) else None
        render = value.get("render") if isinstance(value, Map) else None
        name, _, port = str(key.value).partition(".")
        parts.append(
            PartDecl(
                Input(name, port, key.span),
                _share(weight),
                key.span,
                weight.span if weight else key.span,
                _number(epochs),
                render if isinstance(render, Scalar) and _text(render) else None,
            )
        )
    human, total = node.get("min_human"), node.get("total")
    return MixDecl(
        span=node.span,
        total=_tokens(total),
        total_span=total.span if total else node.span,
        parts=tuple(parts),
        min_human=_share(human) or 0.0,
        min_human_span=human.span if human else None,
        max_source=tuple(
            CapDecl(str(key.value), most, key.span, value.span)
            for key, value in _entries(node.get("max_source"))
            if (most := _share(value)) is not None
        ),
        on_shortfall=_SHORTFALLS.get(_text(node.get("on_shortfall")) or "", "error"),
    )


def _split(node: Map) -> SplitDecl:
    by = node.get("by")
    return SplitDecl(
        shares=tuple(
            (str(key.value), part)
            for key, value in node.entries
            if key.value != "by" and (part := _share(value)) is not None
        ),
        span=node.span,
        by="row" if _text(by) == "row" else "document",
        by_span=by.span if by else None,
    )


def _output(node: Map) -> OutputDecl:
    shard = node.get("shard")
    size = parse_bytes(shard.value) if isinstance(shard, Scalar) else None
    path = node.get("path")
    listed = node.get("columns")
    columns = [n for n in _items(listed) if _text(n)] if isinstance(listed, List) else []
    return OutputDecl(
        path=_text(path),
        path_span=path.span if path else None,
        format="jsonl" if _text(node.get("format")) == "jsonl" else "parquet",
        shard=size if isinstance(size, int) else 256_000_000,
        shard_span=shard.span if shard else None,
        columns=tuple(_text(n) or "" for n in columns),
        span=node.span,
        columns_spans=tuple(n.span for n in columns),
        typed=_typed(path),
    )


def _typed(node: Node | None) -> bool:
    return node is not None and node.span.file.startswith(TYPED)


def _entries(node: Node | None) -> tuple[tuple[Scalar, Node], ...]:
    return node.entries if isinstance(node, Map) else ()


def _items(node: Node | None) -> tuple[Node, ...]:
    if isinstance(node, List):
        return node.items
    return (node,) if isinstance(node, Scalar) else ()


def _text(node: Node | None) -> str | None:
    if not isinstance(node, Scalar) or node.faulty:
        return None
    return node.value if isinstance(node.value, str) else None


def _whole(node: Node | None) -> int | None:
    value = node.value if isinstance(node, Scalar) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _number(node: Node | None) -> float | None:
    value = plain(node) if isinstance(node, Scalar) else None
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _share(node: Node | None) -> float | None:
    value = parse_share(node.value) if isinstance(node, Scalar) else None
    # 33.3% and 0.333 are one share, whatever their last bits say.
    return round(value, 15) if isinstance(value, float) else None


def _tokens(node: Node | None) -> int | None:
    value = parse_tokens(node.value) if isinstance(node, Scalar) else None
    return value if isinstance(value, int) else None
