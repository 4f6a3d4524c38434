"""Chunks lose nothing, sentences end where a reader says, and headings are left alone."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mashbill.runtime.chunks import rejoin, split_chunks

DATA = Path(__file__).resolve().parents[1] / ".." / "shared" / "data"
By = Literal["sentence", "paragraph"]


def words(texts: Sequence[str]) -> list[int]:
    return [len(t.split()) for t in texts]


def sentences(text: str) -> list[str]:
    return [c.text for c in split_chunks(text, by="sentence", max_tokens=99, count=words).chunks]


@pytest.mark.parametrize(
    "marked",
    [
        "Dr. Marie Curie won in 1903.| She won again in 1911.",
        "It cost $3.50 at No. 5, e.g. on Mondays.| Fig. 3 shows it.",
        "She lived in the U.S. for years.| The U.S. Army came.",
        "He moved to the U.S. in 1999.| He never left the U.S.| The rest stayed.",
        "J. K. Rowling wrote it.| George W. Bush read it.",
        "J.R.R. Tolkien slept.",
        "Was it so?| Yes!| No.| That is wrong.",
        '"Stop!" he shouted.| "Go."| Then he left.',
        "It ended…| And so on... he said.",
        "We met at 5 p.m. on Friday.| It closed at 6 p.m.| They left.",
        "Apple Inc. makes phones.| It is big.",
        "Smith et al. (2003) found it.| See Vol. 3, pp. 4 and 5.",
        "Visit www.example.com or v2.0.| It is 3.14 wide.",
        "1. Open the door.| 2. Close it.",
        "(It was late.)| [Nobody came.]| He wrote “yes.”| She wrote ‘no.’",
        "これは文です。|次の文！|「はい。」|終わりました。",
        "यह एक वाक्य है।| दूसरा वाक्य।",
        "هل هذا سؤال؟| نعم.",
        "Er kam z.B. gestern.| Das war gut.",
        "La Sra. Gómez llegó.| ¿Quién es?| ¡Hola!",
        "In 1999. Nobody knew.".replace("1999. ", "1999.| "),
        "Choose plan B.| The rest is easy.",
    ],
)
def test_sentences_end_where_a_reader_says(marked: str) -> None:
    parts = [p.strip() for p in marked.split("|")]
    text = marked.replace("|", "")
    expected = [p[3:] if p.startswith("1. ") else p for p in parts]
    assert sentences(text) == expected


def test_a_line_is_a_hard_border() -> None:
    assert sentences("one two three four\nfive six") == ["one two three four", "five six"]
    assert sentences("a b\r\nc d\u2028e f\u2029g\x0bh\x85i") == ["a b", "c d", "e f", "g", "h", "i"]


def test_marks_of_lists_and_headings_are_not_text() -> None:
    text = "## The plan\n\n- First we walk.\n  2) Then we run.\n> A quote stands here."
    split = split_chunks(text, by="sentence", max_tokens=99, count=words)
    assert [(c.lead, c.text) for c in split.chunks] == [
        ("## ", "The plan"),
        ("\n\n- ", "First we walk."),
        ("\n  2) ", "Then we run."),
        ("\n> ", "A quote stands here."),
    ]


@pytest.mark.parametrize(
    ("text", "prose"),
    [
        ("Home", False),
        ("Contact us now", False),
        ("Contact us right now", True),
        ("Stop here.", True),
        ("## A heading that is quite long", False),
        ("-----", False),
        ("12/05/2024", False),
        ("| 1 | 2 | 3 | 4 |", False),
        ("これは句点のない長めの文", True),
        ("料理", False),
    ],
)
def test_headings_and_menus_are_not_prose(text: str, prose: bool) -> None:
    (chunk,) = split_chunks(text, by="sentence", max_tokens=99, count=words).chunks
    assert chunk.prose is prose


def test_a_long_sentence_is_kept_whole_and_flagged() -> None:
    text = "one two three four five six. Short one."
    split = split_chunks(text, by="sentence", max_tokens=4, count=words)
    assert [(c.text, c.overlong) for c in split.chunks] == [
        ("one two three four five six.", True),
        ("Short one.", False),
    ]


def test_paragraphs_between_blank_lines() -> None:
    text = "  One is here\nand wraps.\n \n\nTwo is here.\r\n\r\nThree\n"
    split = split_chunks(text, by="paragraph", max_tokens=99, count=words)
    assert [c.text for c in split.chunks] == ["One is here\nand wraps.", "Two is here.", "Three"]
    assert [c.prose for c in split.chunks] == [True, True, False]
    assert split.tail == "\n"


def test_lines_are_paragraphs_where_no_line_is_blank() -> None:
    split = split_chunks("One two.\nThree four.", by="paragraph", max_tokens=99, count=words)
    assert [c.text for c in split.chunks] == ["One two.", "Three four."]


def test_a_paragraph_over_the_limit_is_cut_at_sentence_ends() -> None:
    text = "A b c. D e f. G h i. J k l m n o p q. R s."
    split = split_chunks(text, by="paragraph", max_tokens=6, count=words)
    assert [(c.text, c.overlong) for c in split.chunks] == [
        ("A b c. D e f.", False),
        ("G h i.", False),
        ("J k l m n o p q.", True),
        ("R s.", False),
    ]


def test_rejoining_puts_new_texts_in_place() -> None:
    split = split_chunks(
        "# Top\n\n- One is here. Two is.\n", by="sentence", max_tokens=9, count=words
    )
    texts = [c.text.upper() if c.prose else c.text for c in split.chunks]
    assert rejoin(split.chunks, texts, split.tail) == "# Top\n\n- ONE IS HERE. TWO IS.\n"
    with pytest.raises(ValueError, match="shorter"):
        rejoin(split.chunks, texts[:1], split.tail)


PARTS = ["One", " ", "\n", "\r\n", ".", "?", "…", "。", '"', ")", "1. ", "- ", "# ", "Dr", "U.S.",
         "a", "\u3000", "\u2028", "\t", "日本", "is", "\x00", "😀", "e\u0301"]  # fmt: skip


@given(st.lists(st.sampled_from(PARTS), max_size=40).map("".join), st.integers(1, 8))
def test_nothing_is_lost(text: str, most: int) -> None:
    for by in ("sentence", "paragraph"):
        split = split_chunks(text, by=by, max_tokens=most, count=words)  # type: ignore[arg-type]
        assert "".join(c.lead + c.text for c in split.chunks) + split.tail == text
        assert all(c.text == c.text.strip() != "" for c in split.chunks)
        assert all(c.overlong == (len(c.text.split()) > most) for c in split.chunks)


@given(st.text(max_size=200))
def test_nothing_is_lost_of_any_text(text: str) -> None:
    split = split_chunks(text, by="sentence", max_tokens=5, count=words)
    assert rejoin(split.chunks, [c.text for c in split.chunks], split.tail) == text


@pytest.mark.parametrize("by", ["sentence", "paragraph"])
def test_tokens_are_counted_in_batches(by: By) -> None:
    calls: list[int] = []

    def count(texts: Sequence[str]) -> list[int]:
        calls.append(len(texts))
        return words(texts)

    split = split_chunks("One two three four. Five.\n" * 9_000, by=by, max_tokens=3, count=count)
    assert len(split.chunks) == 18_000
    assert len(calls) <= 16
    assert max(calls) <= 4_096


@pytest.mark.parametrize(
    "text", ["." * 400_000, " " * 400_000 + "a", ". " * 50_000, '."' * 200_000, "\n \n" * 100_000,
             "- " * 200_000 + "x", "a.b." * 100_000, "…" * 400_000 + " A"],
    ids=["dots", "spaces", "dot-space", "quotes", "blank", "marks", "words", "ellipses"],
)  # fmt: skip
def test_hostile_texts_cost_no_more_than_their_length(text: str) -> None:
    for by in ("sentence", "paragraph"):
        split = split_chunks(text, by=by, max_tokens=9, count=words)  # type: ignore[arg-type]
        assert rejoin(split.chunks, [c.text for c in split.chunks], split.tail) == text


def test_real_pages() -> None:
    path = DATA / "web_text.jsonl.gz"
    if not path.exists():
        pytest.skip("shared data is not here: web_text.jsonl.gz")
    with gzip.open(path, "rt", encoding="utf-8") as file:
        pages = [json.loads(line)["text"] for _, line in zip(range(40), file, strict=False)]
    for page in pages:
        split = split_chunks(page, by="sentence", max_tokens=120, count=words)
        assert rejoin(split.chunks, [c.text for c in split.chunks], split.tail) == page
        assert not any("\n" in c.text for c in split.chunks)


def test_sentences_of_many_languages_stay_whole() -> None:
    path = DATA / "langid_sentences.jsonl.gz"
    if not path.exists():
        pytest.skip("shared data is not here: langid_sentences.jsonl.gz")
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    latin = [r["text"] for r in rows if r["lang"] in ("en", "fr", "es", "it", "pt", "nl")]
    whole = sum(len(sentences(text)) == 1 for text in latin)
    assert whole / len(latin) > 0.93  # the corpus holds one sentence a line, nearly always
