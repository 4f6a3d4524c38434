"""What decides the results of a recipe: the canonical hash input of every step, with its names.

A run stores its meaning beside its plan. `plan`, `why` and `diff` compare two of them, so that what
they say about a change rests on what the fingerprints were taken from, before any rewriting.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from .graph import DERIVED, Graph, Node
from .identity import SCHEME, hash_input
from .plan import Plan, PlanNode
from .registry import Catalog

FORMAT = 1


@dataclass(frozen=True, slots=True)
class StepMeaning:
    """What decides the rows of one step or source.

    Attributes:
        name: The recipe's name for it; no part of identity.
        op: The operator, or `source`.
        version: The operator's.
        definition: Resolved and canonical.
        packages: Versions of the packages that change its results; None if they are not known.
        reads: What the recipe says it reads, as `step` or `step.port`.
        fingerprint: Its identity.
        rule: What it does to a row, whatever it reads.
        model: The recipe's name of the model that it calls.
        prompt: Path and texts of its prompt's files, for people.
        models: Names of the models that its checks and ladder ask, by place.
        prompts: Their prompts, by place.
    """

    name: str
    op: str
    version: int
    definition: Mapping[str, Any]
    packages: Mapping[str, str] | None
    reads: tuple[str, ...]
    fingerprint: str
    rule: str = ""
    model: str | None = None
    prompt: Mapping[str, Any] | None = None
    models: Mapping[str, str] = field(default_factory=dict)
    prompts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Meaning:
    """What decides the data set of a recipe.

    Attributes:
        name: The recipe's.
        digest: The plan's.
        steps: Sources and steps that run, by name, each after what it reads.
        models: Engine, model and digest of each, by the recipe's name.
        data: mix, split, output, tokenizer and seed: what makes a data set of the steps' rows; for
            people, the files of its render templates.
    """

    name: str
    digest: str
    steps: Mapping[str, StepMeaning]
    models: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)

    def input_of(self, name: str) -> dict[str, Any]:
        """The hash input of a step: its digest is the step's fingerprint."""
        step = self.steps[name]
        inputs = []
        for read in step.reads:
            node, _, port = read.partition(".")
            inputs.append(f"{self.steps[node].fingerprint}.{port}")
        return hash_input(step.op, step.version, step.definition, step.packages or {}, inputs)

    def to_json(self) -> dict[str, Any]:
        """As a run stores it."""
        return {
            "mashbill_identity": FORMAT,
            "scheme": SCHEME,
            "name": self.name,
            "digest": self.digest,
            "steps": [asdict(s) for s in self.steps.values()],
            "models": {name: dict(m) for name, m in self.models.items()},
            "data": dict(self.data),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Meaning:
        """Read it again.

        Raises:
            ValueError: It is of another format or another scheme of identity.
        """
        if value.get("mashbill_identity") != FORMAT or value.get("scheme") != SCHEME:
            raise ValueError("not an identity of this version of mashbill")
        steps = [StepMeaning(**{**s, "reads": tuple(s["reads"])}) for s in value["steps"]]
        return cls(
            value["name"], value["digest"], {s.name: s for s in steps}, value["models"],
            value["data"],
        )  # fmt: skip


def meaning_of(plan: Plan, graph: Graph | None = None, catalog: Catalog | None = None) -> Meaning:
    """The meaning of a compiled recipe.

    Args:
        plan: The plan.
        graph: The logical graph it was lowered from. Without it (a plan read from a file) rewriting
            may show in the definitions.
        catalog: For the versions of packages.
    """
    nodes: Iterable[Node | PlanNode] = graph if graph is not None else plan.nodes
    steps = {n.name: _step(n, catalog) for n in nodes}
    if graph is None:
        for alias, name in plan.aliases.items():
            if name in steps:
                steps[alias] = replace(steps[name], name=alias)
    return Meaning(
        name=str(plan.recipe["name"]),
        digest=plan.digest,
        steps=steps,
        models={
            name: {k: m.get(k) for k in ("engine", "model", "digest")}
            for name, m in plan.models.items()
        },
        data={
            "mix": plan.mix,
            "split": dict(plan.split),
            "output": {k: v for k, v in plan.output.items() if k not in ("path", "typed")},
            "seed": plan.recipe.get("seed") if plan.mix or plan.split else None,
            "tokenizer": plan.tokenizer if plan.mix else None,
            "results": dict(plan.results),
            **({"renders": _files_of(plan)} if plan.renders else {}),
        },
    )


def _files_of(plan: Plan) -> dict[str, Any]:
    return {part: {"path": r["path"], "files": r["files"]} for part, r in plan.renders.items()}


def _step(node: Node | PlanNode, catalog: Catalog | None) -> StepMeaning:
    return StepMeaning(
        name=node.name,
        op=node.op,
        version=node.version,
        definition={k: v for k, v in node.definition.items() if k not in DERIVED},
        packages=packages_of(node, catalog) if catalog else None,
        reads=tuple(str(r) for r in node.declared),
        fingerprint=node.fingerprint,
        rule=node.rule,
        model=node.model,
        prompt=node.prompt,
        models=node.models,
        prompts=node.prompts,
    )


def packages_of(node: Node | PlanNode, catalog: Catalog) -> dict[str, str]:
    """Installed versions of the packages that change a step's results, those of its checks too."""
    operator = catalog.steps.get(node.op)
    names = set(operator.packages) if operator else set[str]()
    for check in node.definition.get("params", {}).get("checks") or ():
        if found := catalog.checks.get(check["kind"]):
            names |= set(found.packages)
    return {name: catalog.versions.get(name, "") for name in sorted(names)}
