"""A file of prices, and what is said of one that is wrong: at the exact characters."""

from __future__ import annotations

from datetime import date

import pytest

from mashbill.compiler.pricebook.reading import read_book


def test_the_whole_form() -> None:
    text = """\
as_of: 2026-11-01
source: https://example.com/prices
batch: 0.5
models:
  big: { input: $0.40, output: 1.60, cached_input: 0.1, stacks: true, context: 128000 }
  old: { input: 4, output: 16, batch: null, as_of: 2025-01-01, max_output: 4096, also: [older] }
  small: { input: 0.0004, output: 0.0016, cached_input: 0.0001, per: 1k tokens }
"""
    book, found = read_book(text, "p.yaml")
    assert book is not None and found == () and (book.name, book.shipped) == ("p.yaml", False)
    big, old, small = (book.entries[name] for name in ("big", "older", "small"))
    assert (big.input, big.output, big.cached_input) == (0.4, 1.6, 0.1)
    assert (big.batch, big.stacks, big.context) == (0.5, True, 128_000)
    assert big.as_of == date(2026, 11, 1) and big.source == "https://example.com/prices"
    assert old is book.entries["old"] and (old.batch, old.max_output) == (None, 4096)
    assert old.as_of == date(2025, 1, 1)
    assert (small.input, small.output) == pytest.approx((0.4, 1.6))
    assert small.cached_input == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("text", "code", "at", "said"),
    [
        ("models: [a]", "B558", "[a]", "needs `models:`"),
        ("as_of: 2026-11-01", "B558", "as_of: 2026-11-01", "needs `models:`"),
        ("just words", "B558", "just words", "is a map"),
        ("model: { a: { input: 1, output: 2 } }\nmodels: {}", "B558", "model", "no `model`"),
        ("models: { a: 3 }", "B558", "3", "the price of `a` is a map"),
        ("models: { a: { input: 1 } }", "B558", "{ input: 1 }", "needs output"),
        ("models: { a: { input: x, output: 2 } }", "B558", "x", "expected US dollars"),
        ("models: { a: { in: 1, input: 1, output: 2 } }", "B558", "in", "has no `in`"),
        ("as_of: soon\nmodels: {}", "B558", "soon", "expected a day"),
        ("batch: 2\nmodels: {}", "B558", "2", "expected a factor"),
        ("exclusive: 1\nmodels: {}", "B558", "1", "true or false"),
        ("models: { a: { input: 1, output: 2, context: 1.5 } }", "B558", "1.5", "number of tokens"),
        ("models: { a: { input: 1, output: 2, also: [{}] } }", "B558", "{}", "list of texts"),
        ("models: { a: { input: 4e-7, output: 1 } }", "B553", "4e-7", "a price per token"),
        ("models: { a: { input: 1, output: 2, cached_input: 3 } }", "B553", "3", "is above"),
        ("models: { a: { input: 1, input: 2, output: 2 } }", "S004", "input", ""),
    ],
)
def test_what_is_wrong(text: str, code: str, at: str, said: str) -> None:
    _, found = read_book(text, "prices.yaml")
    (one,) = found
    assert one.code == code and said in one.message
    assert one.span is not None and one.span.file == "prices.yaml"
    assert text[one.span.start : one.span.end] == at


def test_a_wrong_entry_takes_no_other_with_it() -> None:
    text = "models: { a: { input: 1 }, b: { input: 1, output: 2 } }"
    book, found = read_book(text, "prices.yaml")
    assert book is not None and set(book.entries) == {"b"} and len(found) == 1
