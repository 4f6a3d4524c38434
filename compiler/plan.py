"""The plan: a rewritten graph lowered to stages, with a digest and a JSON form, for `run`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .budgets import budget_json
from .graph import Edge, Graph, Node, Render, all_asked
from .identity import digest
from .recipe import MixDecl, Recipe
from .rules import Applied
from .tuning import PLAIN, Tuning

FORMAT = 1


@dataclass(frozen=True, slots=True)
class PlanNode:
    """A stage of the plan; the fields of `graph.Node` that a run needs, as plain JSON."""

    name: str
    op: str
    version: int
    stage: str
    inputs: tuple[tuple[str, str], ...]
    definition: Mapping[str, Any]
    rule: str
    fingerprint: str
    columns: tuple[tuple[str, str], ...]
    origin: str
    modelled: tuple[str, ...]
    drops: bool
    model: str | None
    prompt: Mapping[str, Any] | None
    declared: tuple[str, ...] = ()
    """What the recipe says it reads; `inputs` is what it reads after rewriting."""
    tuning: Tuning = PLAIN
    """How rules would have it run; no part of identity."""
    models: Mapping[str, str] = field(default_factory=dict)
    """Models that its checks and ladder ask, by place; what of them is identity is defined."""
    prompts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Their prompts, by place: path and texts, as `prompt`."""

    @property
    def asked(self) -> tuple[str, ...]:
        """All models that it asks, its own first."""
        return all_asked(self.model, self.models)

    @property
    def most_rows(self) -> int | None:
        """The most rows it lets in, by its own `limit:` or one further on; None for all."""
        return min(
            (
                n
                for n in (
                    self.definition.get("limit"),
                    self.tuning.first,
                    self.tuning.fed[2] if self.tuning.fed else None,
                )
                if n is not None
            ),
            default=None,
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """A compiled recipe.

    Attributes:
        recipe: Name, about, version, licence, seed.
        nodes: Stages in topological order.
        outputs: Node and port of each edge that leaves the graph.
        models: Each model's engine and name; its `digest` once pinned.
        sources: What each source reads: path, whether the user typed it, licence, origin.
        mix: total, parts, min_human, max_source, on_shortfall; None without a mix.
        split: Share of the documents by name; empty without a split.
        output: path, format, shard, columns.
        tokenizer: The model or file whose tokens count.
        counted_by: What stands for it in the digest: weights, or the content of the file.
        budget: Caps by kind (dollars, hours, seconds, counts), those of steps, and breakers, None
            where the recipe leaves them to the runtime; None without a budget.
        hardware: gpu, count, usd_per_gpu_hour; None where the recipe does not say.
        renders: Part of the mix to path and files of the template that turns its rows into text,
            the columns it reads, those of them that hold a model's words, and the text's origin.
            What of it is identity stands in `mix`.
        applied: What the rewrite rules did.
        aliases: Steps that share another's rows.
        results: Fingerprint of what leaves by each output, as the recipe names it, taken before any
            rewriting.
    """

    recipe: Mapping[str, Any]
    nodes: tuple[PlanNode, ...]
    outputs: tuple[tuple[str, str], ...]
    models: Mapping[str, Mapping[str, Any]]
    sources: Mapping[str, Mapping[str, Any]]
    mix: Mapping[str, Any] | None
    output: Mapping[str, Any]
    tokenizer: str | None
    applied: tuple[tuple[str, str], ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)
    results: Mapping[str, str] = field(default_factory=dict)
    split: Mapping[str, float] = field(default_factory=dict)
    counted_by: Any = None
    budget: Mapping[str, Any] | None = None
    hardware: Mapping[str, Any] | None = None
    renders: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """Identity of what the plan makes: its outputs' fingerprints, the mix, the output's form.

        Order of stages, placement, paths and what rules did are not part of it. Names of parts,
        tokenizer and seed matter to a mix alone.
        """
        drawn = bool(self.mix or self.split)
        return digest(
            {
                "format": FORMAT,
                "results": self.results if self.mix else sorted(self.results.values()),
                "mix": self.mix,
                "seed": self.recipe.get("seed") if drawn else None,
                **({"split": dict(self.split)} if self.split else {}),
                "tokenizer": self.counted_by if self.mix else None,
                "output": {k: v for k, v in self.output.items() if k not in ("path", "typed")},
            }
        )

    def origin_of(self, part: str) -> str:
        """Whose words a part of the mix holds as it is written. Raises `KeyError`."""
        render = self.renders.get(part)
        if render:
            return str(render["origin"])
        node = part.partition(".")[0]
        return next(n.origin for n in self.nodes if n.name == node)

    def node(self, name: str) -> PlanNode:
        """A stage by the recipe's name for it, aliases followed."""
        found = self.find(name)
        if found is None:
            raise KeyError(name)
        return found

    def find(self, name: str) -> PlanNode | None:
        """The same, or None if there is no such stage."""
        name = self.aliases.get(name, name)
        return next((n for n in self.nodes if n.name == name), None)

    def to_json(self) -> dict[str, Any]:
        """The plan as plain JSON."""
        return {
            "mashbill_plan": FORMAT,
            "digest": self.digest,
            "recipe": dict(self.recipe),
            "nodes": [_node_json(n) for n in self.nodes],
            "outputs": [list(o) for o in self.outputs],
            "models": {k: dict(v) for k, v in self.models.items()},
            "sources": {k: dict(v) for k, v in self.sources.items()},
            "mix": dict(self.mix) if self.mix else None,
            "output": dict(self.output),
            "tokenizer": self.tokenizer,
            "applied": [list(a) for a in self.applied],
            "aliases": dict(self.aliases),
            "results": dict(self.results),
            "split": dict(self.split),
            "counted_by": self.counted_by,
            "budget": dict(self.budget) if self.budget else None,
            "hardware": dict(self.hardware) if self.hardware else None,
            **({"renders": {k: dict(v) for k, v in self.renders.items()}} if self.renders else {}),
        }

    def dump(self) -> str:
        """The JSON text, the same for the same plan."""
        return json.dumps(self.to_json(), sort_keys=True, indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def load(cls, text: str) -> Plan:
        """Read a dumped plan.

        Raises:
            ValueError: If the text is not a plan of this format.
        """
        value = json.loads(text)
        if not isinstance(value, dict) or value.get("mashbill_plan") != FORMAT:
            raise ValueError("not a plan of this version of mashbill")
        return cls(
            recipe=value["recipe"],
            nodes=tuple(
                PlanNode(
                    **{
                        **n,
                        "inputs": tuple((a, b) for a, b in n["inputs"]),
                        "columns": tuple((a, b) for a, b in n["columns"]),
                        "modelled": tuple(n["modelled"]),
                        "declared": tuple(n["declared"]),
                        "tuning": Tuning.from_json(n.get("tuning", {})),
                    }
                )
                for n in value["nodes"]
            ),
            outputs=tuple((a, b) for a, b in value["outputs"]),
            models=value["models"],
            sources=value["sources"],
            mix=value["mix"],
            output=value["output"],
            tokenizer=value["tokenizer"],
            applied=tuple((a, b) for a, b in value["applied"]),
            aliases=value["aliases"],
            results=value["results"],
            split=value["split"],
            counted_by=value["counted_by"],
            budget=value.get("budget"),
            hardware=value.get("hardware"),
            renders=value.get("renders", {}),
        )


def _node_json(node: PlanNode) -> dict[str, Any]:
    return {
        "name": node.name,
        "op": node.op,
        "version": node.version,
        "stage": node.stage,
        "inputs": [list(i) for i in node.inputs],
        "definition": dict(node.definition),
        "rule": node.rule,
        "fingerprint": node.fingerprint,
        "columns": [list(c) for c in node.columns],
        "origin": node.origin,
        "modelled": list(node.modelled),
        "drops": node.drops,
        "model": node.model,
        "prompt": dict(node.prompt) if node.prompt else None,
        "declared": list(node.declared),
        "tuning": node.tuning.to_json(),
        **({"models": dict(node.models)} if node.models else {}),
        **({"prompts": {k: dict(v) for k, v in node.prompts.items()}} if node.prompts else {}),
    }


def lower(
    recipe: Recipe,
    graph: Graph,
    applied: Sequence[Applied],
    pins: Mapping[str, str],
    columns: Sequence[str] = (),
    counted_by: Any = None,
    breakers: Sequence[Mapping[str, Any]] | None = None,
    prices: Mapping[str, Mapping[str, Any]] | None = None,
) -> Plan:
    """Lower a graph to a plan.

    Args:
        recipe: The recipe's records.
        graph: Its graph, rewritten.
        applied: What the rules did.
        pins: Digests of models by name.
        columns: Of the data set, in order.
        counted_by: Identity of the tokenizer that the mix counts with.
        breakers: Of its budget, bound; None where it names none.
        prices: Of models that the recipe does not price, by name.
    """
    from .document import plain

    used = {name for n in graph for name in n.asked}
    tokenizer = recipe.tokenizer or (recipe.models[0].name if len(recipe.models) == 1 else None)
    mix = recipe.mix
    return Plan(
        recipe={
            "name": recipe.name,
            "about": recipe.about,
            "version": recipe.version,
            "license": recipe.license,
            "seed": recipe.seed,
        },
        nodes=tuple(_lowered(n) for n in graph),
        outputs=tuple((e.node, e.port) for e in graph.outputs),
        models={
            m.name: {
                "engine": m.engine,
                "model": m.model,
                "urls": list(m.urls),
                "options": dict(m.options),
                "key": m.key,
                "typed": m.typed,
                "placement": plain(m.placement) if m.placement else {},
                "price": m.price.to_json() if m.price else (prices or {}).get(m.name),
                "digest": pins.get(m.name, ""),
            }
            for m in recipe.models
            if m.name in used or m.name == tokenizer
        },
        sources={
            s.name: {
                "path": s.path,
                "typed": s.typed,
                "license": s.license,
                "origin": s.origin,
                "text": s.text,
                "columns": dict(s.columns),
                "key": s.key,
                "limit": s.limit,
                **s.reading,
            }
            for s in recipe.sources
            if s.name in graph.nodes
        },
        mix={
            "total": mix.total,
            "min_human": mix.min_human,
            **_caps(mix),
            "on_shortfall": mix.on_shortfall,
            "parts": {
                name: {
                    "weight": p.weight,
                    "max_epochs": p.max_epochs,
                    **_rendered(graph.renders.get(name)),
                }
                for p in mix.parts
                for name in (str(Edge(p.input.name, p.input.port)),)
            },
        }
        if mix
        else None,
        output={
            "path": recipe.output.path,
            "typed": recipe.output.typed,
            "format": recipe.output.format,
            "shard": recipe.output.shard,
            "columns": [*columns, *(("_part",) if mix and not recipe.output.columns else ())],
        },
        tokenizer=tokenizer,
        applied=tuple((a.rule, a.sentence) for a in applied),
        aliases=dict(graph.aliases),
        results=dict(graph.results),
        split=dict(recipe.split.shares) if recipe.split else {},
        counted_by=counted_by,
        budget=budget_json(recipe.budget, breakers) if recipe.budget else None,
        hardware=recipe.hardware.to_json() if recipe.hardware else None,
        renders={name: render.to_json() for name, render in graph.renders.items()},
    )


def _rendered(render: Render | None) -> dict[str, Any]:
    return {"render": render.template.canonical()} if render else {}


def _caps(mix: MixDecl) -> dict[str, Any]:
    caps = {c.source: c.share for c in mix.max_source}
    return {"max_source": caps} if caps else {}


def _lowered(node: Node) -> PlanNode:
    return PlanNode(
        name=node.name,
        op=node.op,
        version=node.version,
        stage=node.stage,
        inputs=tuple((e.node, e.port) for e in node.inputs),
        definition=node.definition,
        rule=node.rule,
        fingerprint=node.fingerprint,
        columns=tuple((c, str(t)) for c, t in node.columns.items()),
        origin=node.origin,
        modelled=tuple(sorted(node.modelled)),
        drops=node.traits.drops,
        model=node.model,
        prompt=node.prompt,
        declared=tuple(str(e) for e in node.declared),
        tuning=node.tuning,
        models=node.models,
        prompts=node.prompts,
    )
