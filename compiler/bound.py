"""What binding a parameter or an expression gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .document import Node, plain
from .prompts import PromptFile
from .recipe import ModelDecl
from .types import Type

DEFAULT_SAMPLING: Mapping[str, Any] = {"temperature": 0.7, "top_p": 1.0, "max_tokens": 512}
RATING_SAMPLING: Mapping[str, Any] = {"temperature": 0.0, "top_p": 1.0, "max_tokens": 1}
"""Of models that put numbers on texts: nothing is drawn, and no token written."""


@dataclass(frozen=True, slots=True)
class Asking:
    """A prompt that a parameter names.

    Attributes:
        prompt: As it was read.
        files: Text of every file that it was read from, by path.
    """

    prompt: PromptFile
    files: Mapping[str, str]

    def to_json(self) -> dict[str, Any]:
        """As the plan holds it."""
        return {"path": self.prompt.path, "files": dict(self.files)}


@dataclass(slots=True)
class Bound:
    """The parameters of one operator, bound.

    Attributes:
        params: Plain JSON by parameter name.
        reads: Columns that they name.
        model: The model that they name.
        prompt: The prompt that they name.
        prompt_files: Text of every file that the prompt was read from, by path.
        models: All models that they name, by parameter.
        prompts: All prompts that they name, by parameter.
        asked: Models that checks and rungs among them ask, by place: `checks.judge.model`.
        asking: Their prompts, by place: `checks.judge.prompt`, `on_fail.1.prompt`.
        remade: Columns that repairs of a step without a model of its own put others in place of.
        templates: Path and columns (`reads`) of each render template, by parameter; `prompt_files`
            has their texts.
        packages: Packages whose versions change the results of its checks.
        draws: Whether an expression among them draws from its place (`choose`).
        seeded: Whether one rests on the recipe's seed.
        counts: Texts, as expressions, whose tokens they count.
        incomplete: Whether something of the step has a fault of shape and may be meant otherwise.
        broken: Whether something is wrong, so that what depends on it is not reported again.
    """

    params: dict[str, Any] = field(default_factory=dict)
    reads: set[str] = field(default_factory=set)
    model: ModelDecl | None = None
    prompt: PromptFile | None = None
    prompt_files: dict[str, str] = field(default_factory=dict)
    models: dict[str, ModelDecl] = field(default_factory=dict)
    prompts: dict[str, Asking] = field(default_factory=dict)
    asked: dict[str, ModelDecl] = field(default_factory=dict)
    asking: dict[str, Asking] = field(default_factory=dict)
    remade: dict[str, Type] = field(default_factory=dict)
    templates: dict[str, dict[str, Any]] = field(default_factory=dict)
    packages: set[str] = field(default_factory=set)
    draws: bool = False
    seeded: bool = False
    counts: set[str] = field(default_factory=set)
    incomplete: bool = False
    broken: bool = False

    def rests_on(self, inner: Bound | BoundExpression) -> None:
        """Take over what an expression or a check among the parameters rests on."""
        self.reads |= inner.reads
        self.draws = self.draws or inner.draws
        self.seeded = self.seeded or inner.seeded
        self.counts |= {*inner.counts}


@dataclass(frozen=True, slots=True)
class BoundExpression:
    """An expression: canonical text, type, the columns it reads, how it draws and counts."""

    text: str
    type: Type
    reads: frozenset[str]
    draws: bool
    seeded: bool
    counts: tuple[str, ...] = ()


def plain_map(node: Node) -> dict[str, Any]:
    """A map as plain values; empty where shape has refused what stands there."""
    value = plain(node)
    return dict(value) if isinstance(value, Mapping) else {}
