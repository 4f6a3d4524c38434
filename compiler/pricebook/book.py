"""A file of prices, as records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

PER_MILLION = 10**6


@dataclass(frozen=True, slots=True)
class Entry:
    """What tokens of a model cost, in US dollars a million.

    Attributes:
        name: As the vendor names the model.
        input: Prompt tokens.
        output: Reply tokens.
        cached_input: Prompt tokens that the server had seen before; None where nothing is said.
        batch: Factor on all of it in a batch job; None where there is none.
        stacks: Whether that factor holds for cached tokens too; False where nothing is said.
        context: Tokens of prompt and reply together, where it was found.
        max_output: Tokens of the longest reply, likewise.
        as_of: The day it was looked up.
        until: The last day that it is said to hold; None where it is open.
        source: Where.
        also: Further names of the same model at the same price.
    """

    name: str
    input: float
    output: float
    cached_input: float | None = None
    batch: float | None = None
    stacks: bool = False
    context: int | None = None
    max_output: int | None = None
    as_of: date | None = None
    until: date | None = None
    source: str = ""
    also: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """All its names."""
        return (self.name, *self.also)


@dataclass(frozen=True, slots=True)
class Book:
    """The prices of one file.

    Attributes:
        name: What it is called in words: a vendor of the price map, or the path of a user's file.
        entries: By name, lower case, other names included.
        hosts: Addresses that charge them; empty for any.
        exclusive: Whether nobody else serves models of these names, so that what stands at another
            address passes requests on.
        shipped: Whether it came with Mashbill.
    """

    name: str
    entries: Mapping[str, Entry] = field(default_factory=dict)
    hosts: tuple[str, ...] = ()
    exclusive: bool = False
    shipped: bool = False


@dataclass(frozen=True, slots=True)
class Match:
    """The entry that prices a model."""

    entry: Entry
    book: Book

    @property
    def origin(self) -> str:
        """In words: `price map, openai/gpt-4o-mini`, `prices.yaml, judge-large`."""
        if self.book.shipped:
            return f"price map, {self.book.name}/{self.entry.name}"
        return f"{self.book.name}, {self.entry.name}"

    def to_json(self) -> dict[str, Any]:
        """As the plan holds a price: dollars for `per` tokens, and where they are from."""
        entry = self.entry
        return {
            "input": entry.input,
            "output": entry.output,
            "cached_input": entry.cached_input,
            "per": PER_MILLION,
            "as_of": entry.as_of.isoformat() if entry.as_of else None,
            "batch": entry.batch,
            "stacks": entry.stacks,
            "origin": self.origin,
        }
