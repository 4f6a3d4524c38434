"""The prices of a recipe's hosted models that the recipe itself does not give."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

from ..diagnostics import Diagnostic
from ..prices import STALE_DAYS
from ..recipe import ModelDecl
from ..scope import Binding
from ..world import OutsideError

if TYPE_CHECKING:
    from .book import Book, Match

OWN = "prices.yaml"
"""A user's own prices, beside the recipe or in the folder of settings."""


def settle_prices(
    binding: Binding, others: Sequence[tuple[str, str]] = (), today: date | None = None
) -> dict[str, Match]:
    """Prices of hosted models without a `price:`, from `prices.yaml` or else the price map.

    What is wrong with a file of prices is added to the binding; where no model needs one, none is
    read.

    Args:
        binding: The recipe, and the files beside it.
        others: Path and text of further files of prices, strongest first.
        today: The day that prices are held against.
    """
    wanted = [m for m in binding.recipe.models if _hosted(m) and not binding.faulty(m.span)]
    if not wanted:
        return {}
    from .matching import find_match
    from .shipped import price_map

    books = [*_own(binding, others), *price_map()]
    found = {m.name: find_match(m.model, m.urls, books, today) for m in wanted}
    return {name: match for name, match in found.items() if match is not None}


def stale_matches(matches: Mapping[str, Match], today: date) -> Iterator[Diagnostic]:
    """One note on all prices that were looked up long before a day."""
    days = {n: (today - m.entry.as_of).days for n, m in matches.items() if m.entry.as_of}
    old = {name: age for name, age in days.items() if age > STALE_DAYS}
    if not old:
        return
    names = ", ".join(f"`{name}` ({matches[name].origin})" for name in old)
    yield Diagnostic(
        "B559",
        f"prices that were looked up {max(old.values())} days ago are charged: {names}",
        help="say what holds today: `price:` of the model, or a `prices.yaml` beside the recipe",
    )


def _hosted(model: ModelDecl) -> bool:
    return model.engine == "http" and model.price is None


def _own(binding: Binding, others: Sequence[tuple[str, str]]) -> Iterator[Book]:
    from .reading import read_book

    texts = list(others)
    try:
        texts.insert(0, (binding.world.shown(OWN), binding.world.read(OWN)))
    except (FileNotFoundError, OutsideError):
        pass
    except UnicodeDecodeError:
        shown = binding.world.shown(OWN)
        binding.add(Diagnostic("B558", f"{shown} is not UTF-8", help="save the file as UTF-8"))
    for file, text in texts:
        book, found = read_book(text, file)
        if found:
            binding.files.setdefault(file, text)
        for diagnostic in found:
            binding.add(diagnostic)
        if book is not None:
            yield book
