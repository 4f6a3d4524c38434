"""The price map that comes with Mashbill."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from .book import Book
from .reading import read_book

FOLDER = Path(__file__).parent / "prices"


@cache
def price_map() -> tuple[Book, ...]:
    """One book a vendor, named as its file is."""
    books = []
    for file in sorted(FOLDER.glob("*.yaml")):
        book, found = read_book(file.read_text("utf-8"), file.name, file.stem)
        assert book is not None and not found, found  # tests hold the data to this
        books.append(book)
    return tuple(books)
