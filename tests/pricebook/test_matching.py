"""Which entry prices a model: by its name, and by who serves it."""

from __future__ import annotations

from datetime import date

import pytest

from mashbill.compiler.pricebook.book import Book
from mashbill.compiler.pricebook.matching import find_match
from mashbill.compiler.pricebook.reading import read_book

ALONE = """\
hosts: [api.one.com]
exclusive: true
models:
  star: { input: 1, output: 2 }
  star-mini: { input: 0.1, output: 0.2, also: [starlet] }
  star-2511: { input: 3, output: 4, until: 2026-12-31 }
"""
HOST_A = "hosts: [api.host-a.net]\nmodels: { open-70b: { input: 0.5, output: 0.6 } }\n"
HOST_B = "hosts: [api.host-b.net]\nmodels: { open-70b: { input: 0.7, output: 0.8 } }\n"


def made(text: str, name: str | None) -> Book:
    book, found = read_book(text, "prices.yaml", name)
    assert book is not None and not found
    return book


BOOKS = [made(ALONE, "one"), made(HOST_A, "a"), made(HOST_B, "b")]
ANYWHERE: tuple[str, ...] = ("http://localhost:8000/v1",)


def matched(model: str, *urls: str, today: date | None = None) -> str | None:
    found = find_match(model, urls, BOOKS, today)
    return found.origin if found else None


@pytest.mark.parametrize(
    ("model", "entry"),
    [
        ("star", "star"),
        ("STAR", "star"),
        ("starlet", "star-mini"),
        ("one/star-mini", "star-mini"),
        ("accounts/one/models/star-mini", "star-mini"),
        ("star-mini-2024-07-18", "star-mini"),
        ("one/star-mini-20251001", "star-mini"),
        ("star@20251001", "star"),
        ("star-2511", "star-2511"),
    ],
)
def test_names(model: str, entry: str) -> None:
    assert matched(model, *ANYWHERE) == f"price map, one/{entry}"


@pytest.mark.parametrize("model", ["star-2407", "star-large", "sta", "star-99999999", "", "/"])
def test_versions_and_strangers_have_no_price(model: str) -> None:
    assert matched(model, *ANYWHERE) is None


def test_open_weights_cost_what_their_host_asks() -> None:
    assert matched("org/open-70b", "https://api.host-a.net/v1") == "price map, a/open-70b"
    assert matched("org/open-70b", "https://eu.api.host-b.net/v1") == "price map, b/open-70b"
    assert matched("org/open-70b", *ANYWHERE) is None, "a server of one's own charges nothing"
    assert matched("org/open-70b", "${GATEWAY_URL}") is None
    for stranger in ("notapi.host-a.net", "api.host-a.network", "api.host-a.net.other.org"):
        assert matched("org/open-70b", f"https://{stranger}/v1") is None


def test_a_vendor_of_the_map_has_its_own_prices_alone() -> None:
    assert matched("star", "https://api.host-a.net/v1") is None
    assert matched("star", "https://user:pw@api.one.com:443/v1") == "price map, one/star"


def test_a_gateway_passes_on_what_one_vendor_alone_serves() -> None:
    assert matched("one/star", "${GATEWAY_URL}") == "price map, one/star"


def test_a_price_that_has_ended_is_none() -> None:
    assert matched("star-2511", *ANYWHERE, today=date(2026, 12, 31)) == "price map, one/star-2511"
    assert matched("star-2511", *ANYWHERE, today=date(2027, 1, 1)) is None


def test_a_users_file_holds_everywhere_and_first() -> None:
    own = made("models: { star: { input: 9, output: 9 }, open-70b: { input: 1, output: 1 } }", None)
    for urls in (ANYWHERE, ("https://api.host-a.net/v1",)):
        for model in ("star", "org/open-70b"):
            found = find_match(model, urls, [own, *BOOKS])
            assert found is not None and found.book is own
            assert found.origin == f"prices.yaml, {model.rpartition('/')[2]}"
