"""`clean`: which lines go, which stay, and that a page's result is its own."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from mashbill.compiler.registry import Operator, operator_of
from mashbill.runtime.kernel import Mapped
from mashbill.runtime.ops.clean import clean

ROOT = Path(__file__).resolve().parents[1]
PAGES = ROOT / "recipes" / "textbook-web" / "pages"
WEB = ROOT.parent / "shared" / "data" / "web_text.jsonl.gz"

PROSE = (
    "The old mill on the river was built in 1784, and it ground flour for the whole valley. The "
    "wheel was five metres wide, and it turned nine times a minute when the river was high.",
    "A flood carried the wheel away in 1910, but the walls and the grinding floor still stand. The "
    "last miller, who was called Dorn, moved to the town and opened a bakery there.",
    "Since 1994 volunteers have shown visitors how the stones were cut and how they were moved. "
    "About 4,000 people come each year, and most of them are pupils from the schools nearby.",
    "The society wants to build a new wheel of oak. It will cost about 60,000 euros, and half of "
    "the money has been collected so far.",
)
MENU = ("Home", "News", "Sport", "Culture", "Archive", "Contact us", "Log in", "Search")
FOOTER = ("Share this: Facebook | Twitter", "Privacy policy", "Terms of use", "© 2024 Valley News")


def run(*texts: str | None, **params: Any) -> Mapped:
    return clean(**params)(pl.DataFrame({"text": texts}, schema={"text": pl.String}))


def cleaned(*lines: str, **params: Any) -> list[str]:
    (text,) = run("\n".join(lines), **params).kept["text"]
    return str(text).split("\n")


def test_menus_and_footers_go_and_prose_stays() -> None:
    assert cleaned(*MENU, *PROSE, *FOOTER) == list(PROSE)


@pytest.mark.parametrize(
    "noise",
    [
        "We use cookies to give you the best experience. Accept all",
        "Subscribe to our newsletter",
        "Share on Facebook",
        "© 2023 Example Media. All rights reserved.",
        "Add to cart",
        "Read more",
        "Abonnez-vous à notre newsletter",
        "Datenschutz | Impressum | AGB",
    ],
)
def test_a_line_of_boilerplate_goes_from_the_end(noise: str) -> None:
    assert cleaned(*MENU, *PROSE, noise) == list(PROSE)


@pytest.mark.parametrize("button", ["Read more", "Share on Facebook", "Buy now", "Follow us"])
def test_a_button_between_two_paragraphs_goes(button: str) -> None:
    assert button not in cleaned(PROSE[0], button, PROSE[1], PROSE[2])


def test_headings_and_list_items_of_kept_prose_stay() -> None:
    page = [
        *MENU,
        *PROSE,
        "How the mill worked",
        *PROSE[:1],
        "- The wheel was five metres wide, and it turned nine times a minute.",
        "- The stones weighed about a tonne each, so they were moved with a crane.",
        *PROSE[1:],
        *FOOTER,
    ]
    kept = cleaned(*page)
    assert "How the mill worked" in kept
    assert sum(line.startswith("- ") for line in kept) == 2
    assert not set(MENU + FOOTER) & set(kept)


@pytest.mark.parametrize(
    "prose",
    [
        (
            "Die alte Mühle am Fluss wurde 1784 gebaut, und sie mahlte das Korn für das ganze Tal.",
            "Im Jahr 1910 riss eine Flut das Rad weg, aber die Mauern stehen noch heute am Ufer.",
            "Seit 1994 zeigen Freiwillige den Gästen, wie die Steine geschnitten wurden.",
        ),
        (
            "Le vieux moulin fut construit en 1784, et il a moulu le grain de toute la vallée.",
            "En 1910, une crue emporta la roue, mais les murs et le plancher sont encore debout.",
            "Depuis 1994, des bénévoles montrent aux visiteurs comment la pierre fut taillée.",
        ),
        (
            "Старая мельница была построена в 1784 году, и она молола зерно для всей долины.",
            "В 1910 году наводнение унесло колесо, но стены и пол мельницы стоят до сих пор.",
            "С 1994 года добровольцы показывают гостям, как тесали и как перевозили камни.",
        ),
        (
            "この古い水車小屋は1784年に建てられ、谷全体のために小麦を挽いていました。",
            "1910年の洪水で水車は流されましたが、壁と床は今でも残っています。",
            "1994年からは、石がどのように切り出されたかを訪問者に見せています。",
        ),
    ],
    ids=["de", "fr", "ru", "ja"],
)
def test_other_languages(prose: tuple[str, ...]) -> None:
    first, second, third = prose
    paragraphs = [f"{first} {second}", f"{second} {third}", f"{third} {first}"]
    assert cleaned(*MENU, *paragraphs, *FOOTER) == paragraphs


def test_lines_keep_their_words_and_order_and_blank_lines() -> None:
    text = f"Home\n\n{PROSE[0]}\r\n\n  {PROSE[1]}  \n\n\nPrivacy policy\n\n{PROSE[2]}"
    (kept,) = run(text).kept["text"]
    assert kept == f"{PROSE[0]}\n\n  {PROSE[1]}\n\n{PROSE[2]}"


def test_pages_without_main_text_are_rejected_as_they_came() -> None:
    menu = "\n".join(MENU)
    out = clean()(pl.DataFrame({"text": [menu, "", None, PROSE[0]], "n": [1, 2, 3, 4]}))
    assert out.kept.to_dicts() == [{"text": PROSE[0], "n": 4}]
    assert out.rejected is not None
    assert out.rejected["text"].to_list() == [menu, "", None]
    assert out.rejected["_reason"].to_list() == ["empty"] * 3
    assert out.rejected["n"].to_list() == [1, 2, 3]


def test_too_few_words_left_is_empty() -> None:
    text = "\n".join(PROSE[:2])
    words = len(text.split())
    assert run(text, min_words=words).kept.height == 1
    assert run(text, min_words=words + 1).kept.height == 0


def test_a_higher_threshold_keeps_no_more() -> None:
    page = "\n".join([*MENU, *PROSE, "You may also like", "The mill in winter", *FOOTER])
    low, high = (set(run(page, threshold=t).kept["text"][0].split("\n")) for t in (0.05, 0.8))
    assert high < low


def test_no_rows_and_all_rows_rejected() -> None:
    assert run().kept.height == 0
    out = run("Home\nMenu")
    assert out.kept.columns == ["text"]
    assert out.kept.height == 0


LINES = st.lists(
    st.sampled_from([*MENU, *PROSE, *FOOTER, "", "  ", "7", "1. First of all, wash the wool."])
    | st.text(st.characters(codec="utf-8", min_codepoint=32), max_size=60),
    max_size=20,
)


@settings(deadline=None, max_examples=25)
@given(st.lists(LINES, min_size=1, max_size=4))
def test_each_page_alone_gives_what_all_pages_give(pages: list[list[str]]) -> None:
    texts = ["\n".join(p) for p in pages]
    together = run(*texts)
    alone = [run(t) for t in texts]
    assert_frame_equal(together.kept, pl.concat([a.kept for a in alone]))
    for text, part in zip(texts, alone, strict=True):
        lines = [line.rstrip() for line in text.split("\n")]
        left = iter(lines)
        for kept in part.kept["text"]:
            assert all(line in left for line in kept.split("\n"))  # a subsequence: whole, in order


def test_batches_do_not_change_results(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["\n".join([*MENU[:n], *PROSE, *FOOTER[n % 4 :]]) for n in range(8)] + ["", "Home"]
    whole = run(*texts)
    monkeypatch.setattr("mashbill.runtime.boilerplate.select.BATCH", 500)
    assert_frame_equal(run(*texts).kept, whole.kept)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (" ".join(PROSE) * 20_000, True),
        ("word" * 1_000_000, False),
        ("\n".join(MENU) * 20_000, False),
        ("(" * 100_000 + "\n" + "\n".join(PROSE), True),
    ],
    ids=["one line of 5 MB", "one word of 4 MB", "160,000 short lines", "no pattern in a title"],
)
def test_odd_pages_go_through(text: str, kept: bool) -> None:
    assert run(text).kept.height == kept


def test_the_declaration() -> None:
    operator = operator_of(clean)
    assert isinstance(operator, Operator)
    assert operator.reads == operator.writes == ("text",)
    assert operator.row_local
    assert set(operator.schema["properties"]) == {"threshold", "min_words"}


def demo_pages() -> list[dict[str, str]]:
    files = sorted(PAGES.glob("*.jsonl"))
    return [json.loads(line) for f in files for line in f.read_text("utf-8").splitlines()]


def test_the_demo_pages_keep_their_prose_and_lose_their_noise() -> None:
    pages = demo_pages()
    assert len({p["id"] for p in pages}) == len(pages) >= 44
    out = clean()(pl.DataFrame(pages))
    assert out.rejected is not None
    assert {"rej-01", "rej-02", "rej-04", "rej-05"} <= set(out.rejected["id"])
    kept = dict(out.kept.select("id", "text").iter_rows())
    short: list[bool] = []
    for page in pages:
        if page["id"].startswith("rej"):
            continue
        lines = kept[page["id"]].split("\n")
        for line in page["text"].split("\n"):
            if len(line.split()) >= 20 and line.endswith("."):
                assert line in lines, page["id"]
            elif len(line.split()) <= 5:
                short.append(line in lines)
    assert len(short) > 300
    assert sum(short) < 0.2 * len(short)


@pytest.mark.skipif(not WEB.exists(), reason="needs ../shared/data/web_text.jsonl.gz")
def test_real_pages_held_out() -> None:
    from .benchmarks.clean import pages, token_scores

    rows = [p for p in pages("held_out") if p["page_type"] == "article"][:100]
    out = clean()(pl.DataFrame({"at": range(len(rows)), "text": [p["text"] for p in rows]}))
    kept = dict(out.kept.select("at", "text").iter_rows())
    f1 = [token_scores(kept.get(i, ""), p["main_content"])[2] for i, p in enumerate(rows)]
    before = [token_scores(p["text"], p["main_content"])[2] for p in rows]
    assert sum(f1) / len(f1) > 0.9
    assert sum(before) / len(before) < 0.85
