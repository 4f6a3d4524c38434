"""What a step can see while it is bound: columns, models, files, and a place for diagnostics."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from .diagnostics import Diagnostic, Label, Span
from .mending import renaming
from .prompts.record import PromptFile
from .recipe import ModelDecl, Recipe, StepDecl
from .registry import Catalog
from .suggest import nearest
from .types import ANY, STR, Columns, Type
from .world import Pins, World

PromptRead = tuple[PromptFile | None, tuple[Diagnostic, ...], dict[str, str]]
"""A prompt, what is wrong with it, and the text of each file that it was read from."""


@dataclass(slots=True)
class Binding:
    """The state of one binding pass; the only mutable thing in it is the list of diagnostics.

    What it finds at its start are the faults of the document's shape. What is written where one of
    them stands has been spoken of, and what leans on it is not reported a second time.
    """

    recipe: Recipe
    catalog: Catalog
    world: World
    pins: Pins
    diagnostics: list[Diagnostic]
    files: dict[str, str]
    values: Mapping[str, bool | int | float | str | None] = field(default_factory=dict)
    """Values of parameters by full name: `params.samples`."""
    prompts: dict[tuple[str, frozenset[str]], PromptRead] = field(default_factory=dict)
    """Prompts that have been read, by path and by the inputs that are the same for all rows."""
    writers: dict[str, str] = field(default_factory=dict)
    """Steps that write what a model says, and the model."""
    _faults: dict[str, list[int]] = field(init=False)
    _steps: dict[str, StepDecl] = field(init=False)
    _looks: int = field(default=100_000, init=False)

    def __post_init__(self) -> None:
        self._steps = {step.name: step for step in reversed(self.recipe.steps)}
        self._faults = {}
        for d in self.diagnostics:
            if d.span and d.severity == "error":
                self._faults.setdefault(d.span.file, []).append(d.span.start)
        for starts in self._faults.values():
            starts.sort()

    def faulty(self, *spans: Span | None) -> bool:
        """Whether a fault of shape begins within one of several places."""
        for span in spans:
            starts = self._faults.get(span.file, ()) if span else ()
            if span and bisect_left(starts, span.start) < bisect_left(starts, max(span.end, 1)):
                return True
        return False

    def add(self, diagnostic: Diagnostic) -> None:
        """Keep a diagnostic."""
        self.diagnostics.append(diagnostic)

    def step(self, name: str) -> StepDecl | None:
        """A step by name."""
        return self._steps.get(name)

    def nearest(self, word: str, known: Collection[str]) -> str | None:
        """The name that was meant; no guess any more after hundreds of names that lead nowhere.

        Each guess looks at every name: in a long recipe they would take minutes together.
        """
        self._looks -= len(known)
        return nearest(word, known) if self._looks > 0 else None

    def models(self) -> Mapping[str, ModelDecl]:
        """Models by name."""
        return {m.name: m for m in self.recipe.models}


@dataclass(frozen=True, slots=True)
class Scope:
    """Columns that reach a step, and where to point when one is missing.

    `open` is true where the columns are not known (an upstream step is broken): then nothing is
    reported missing, since the cause has its diagnostic already.
    """

    step: StepDecl
    columns: Columns
    modelled: frozenset[str]
    open: bool = False
    makers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Who made the values of each column, as `graph.Makers`."""

    def plus(self, columns: Mapping[str, Type], modelled: Iterable[str] = ()) -> Scope:
        """A scope with more columns."""
        both, words = {**self.columns, **columns}, self.modelled | {*modelled}
        return Scope(self.step, both, words, self.open, self.makers)

    def has(self, name: str) -> bool:
        """Whether a column is there, or may be."""
        return self.open or name in self.columns

    def type_of(self, name: str) -> Type:
        """The type of a column; `any` where it is not known."""
        return self.columns.get(name, ANY)

    def listing(self) -> str:
        """The columns as a diagnostic names them."""
        shown = [c for c in self.columns if not c.startswith("_")]
        return ", ".join(shown) or "none"

    def upstream(self) -> tuple[Label, ...]:
        """The place that says where the columns come from."""
        if not self.step.inputs:
            return ()
        return (Label(self.step.inputs[0].span, f"columns: {self.listing()}"),)

    def missing(self, name: str, span: Span, *, code: str = "R104", what: str = "") -> Diagnostic:
        """The diagnostic for a column that is not there."""
        close = nearest(name, tuple(self.columns))
        return Diagnostic(
            code,
            what or f"step `{self.step.name}` needs column `{name}`, which no upstream step makes",
            span,
            f"`{name}` is not a column here",
            secondary=self.upstream(),
            help=f"did you mean `{close}`?" if close else None,
            fix=renaming(span, close),
        )


BUILT_IN: Columns = {"_doc": STR, "_id": STR, "_source": STR, "_origin": STR}
"""Columns of every row from its source on."""
