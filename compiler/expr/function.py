"""What is known of a function of the language."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ..types import Kind, Type

Nulls = Literal["propagates", "may arise", "first"]
"""Null for a null argument; null for a null argument and for some others; null if all are."""

Result = Callable[[Sequence[Type]], Type | str]
"""The type of a call from the types of its arguments, or what is wrong with these. It is nullable
where null may arise from arguments that are not null."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument: its name in the documentation and the kinds it takes.

    Attributes:
        name: As documentation and messages call it.
        kinds: What it takes; empty for anything.
        optional: Whether it may be left out.
        constant: Whether it must stand in the expression as a constant.
        pattern: Whether it is a regular expression.
    """

    name: str
    kinds: tuple[Kind, ...] = ()
    optional: bool = False
    constant: bool = False
    pattern: bool = False

    @property
    def kind(self) -> Kind:
        """What a null without a type is taken for."""
        return self.kinds[0] if self.kinds else "null"


@dataclass(frozen=True, slots=True)
class Example:
    """A use that documents a function and tests it, under seed 0 and the site `example`.

    A test's tokenizer counts the words.
    """

    text: str
    row: Mapping[str, Any]
    expect: Any


@dataclass(frozen=True, slots=True)
class Function:
    """One function.

    Attributes:
        name: What an expression writes.
        params: Its arguments in order.
        result: Type of the result from the types of the arguments.
        nulls: When the result is null.
        about: One line.
        returns: The type of the result, for documentation.
        examples: At least one.
        variadic: Whether the last parameter repeats.
    """

    name: str
    params: tuple[Parameter, ...]
    result: Result = field(repr=False)
    nulls: Nulls
    about: str
    returns: str
    examples: tuple[Example, ...]
    variadic: bool = False

    @property
    def least(self) -> int:
        """The fewest arguments."""
        return sum(not p.optional for p in self.params)

    @property
    def most(self) -> int | None:
        """The most arguments; None for any number."""
        return None if self.variadic else len(self.params)

    @property
    def signature(self) -> str:
        """`name(a, b?, c…)`, for messages and documentation."""
        shown = [p.name + "?" * p.optional for p in self.params]
        return f"{self.name}({', '.join(shown)}{'…' if self.variadic else ''})"

    def parameter(self, position: int) -> Parameter:
        """The parameter that takes the argument at `position`."""
        return self.params[min(position, len(self.params) - 1)]
