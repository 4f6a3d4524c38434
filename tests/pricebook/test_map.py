"""The price map as data: plausible, dated, sourced, and shipped."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path

import pytest
from setuptools import Distribution

from mashbill.compiler.pricebook.book import Book, Entry
from mashbill.compiler.pricebook.reading import read_book
from mashbill.compiler.pricebook.shipped import FOLDER, price_map
from mashbill.compiler.prices import CHEAPEST, DEAREST

ROOT = Path(__file__).resolve().parents[2]
ENTRIES = [
    pytest.param(book, entry, id=f"{book.name}/{entry.name}")
    for book in price_map()
    for entry in dict.fromkeys(book.entries.values())
]


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.yaml")), ids=lambda f: f.stem)
def test_a_file_has_nothing_wrong(file: Path) -> None:
    book, found = read_book(file.read_text("utf-8"), file.name, file.stem)
    assert found == ()
    assert book is not None and book.entries and book.hosts
    assert all("." in host and "/" not in host for host in book.hosts)


def test_it_covers_the_well_known() -> None:
    assert len(ENTRIES) >= 90
    assert {b.name for b in price_map()} >= {"anthropic", "deepseek", "google", "mistral", "openai"}


@pytest.mark.parametrize(("book", "entry"), ENTRIES)
def test_an_entry_is_plausible(book: Book, entry: Entry) -> None:
    for price in (entry.input, entry.output):
        assert CHEAPEST < price < DEAREST, "a price per token where one per million is written?"
    assert entry.input <= entry.output <= 10 * entry.input, "reply tokens cost 1 to 10 times"
    if entry.cached_input is not None:
        assert entry.input / 200 <= entry.cached_input <= 0.6 * entry.input
    assert entry.batch in (None, 0.5)
    assert entry.batch is not None or not entry.stacks
    if entry.context is not None:
        assert 4_000 <= entry.context <= 10_000_000
    assert entry.as_of is not None and date(2026, 1, 1) <= entry.as_of <= date(2026, 11, 22)
    assert entry.until is None or entry.until > entry.as_of
    assert entry.source.startswith("https://")
    assert all(name == name.lower() and "/" not in name for name in entry.names)


def test_no_name_is_claimed_by_two_vendors_alone() -> None:
    names = [n for book in price_map() if book.exclusive for n in book.entries]
    assert len(names) == len(set(names))
    everywhere = {n for book in price_map() if not book.exclusive for n in book.entries}
    assert not everywhere & set(names), "others serve it: it is nobody's alone"


@pytest.mark.parametrize(
    ("vendor", "model", "expected"),
    [  # read off the vendors' pages, as the files' `via` says, for a second time
        ("openai", "gpt-4o-mini", (0.15, 0.60, 0.075)),
        ("openai", "gpt-5-mini", (0.25, 2.0, 0.025)),
        ("anthropic", "claude-haiku-4-5", (1.0, 5.0, 0.1)),
        ("google", "gemini-2.5-flash", (0.30, 2.5, 0.03)),
        ("deepseek", "deepseek-v4-flash", (0.14, 0.28, 0.0028)),
    ],
)
def test_prices_that_are_known(
    vendor: str, model: str, expected: tuple[float, float, float]
) -> None:
    (book,) = (b for b in price_map() if b.name == vendor)
    entry = book.entries[model]
    assert (entry.input, entry.output, entry.cached_input) == expected


def test_it_is_in_a_wheel() -> None:
    """What `build_py` collects is what a wheel holds; nothing is written."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    tool = project["tool"]["setuptools"]
    folders = {name: str(ROOT / folder) for name, folder in tool["package-dir"].items()}
    made = Distribution(
        {
            "packages": ["mashbill.compiler", "mashbill.compiler.pricebook"],
            "package_dir": folders,
            "package_data": tool["package-data"],
        }
    ).get_command_obj("build_py")
    made.ensure_finalized()
    collected = {Path(name).name for *_, names in made.data_files for name in names}
    assert {f.name for f in FOLDER.iterdir()} <= collected
