"""Prompts that do not fit the context: rejected, cut behind a sentence, or cut into chunks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mashbill.runtime.chunks import Chunk, cut_places
from mashbill.runtime.engines import fake
from mashbill.runtime.engines._estimate import EstimatedTokens
from mashbill.runtime.engines.base import ModelInfo, ModelSpec
from mashbill.runtime.overlong import Overlong, Room, last_fitting
from mashbill.runtime.requests import Message
from mashbill.runtime.tools import Tools, no_model

from .conftest import MODELS, Spine, documents, make_spine


class Counting(EstimatedTokens):
    """Counts as `fake` does, and how often it was asked about a conversation."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[int] = []

    def count_chat(self, chats: Sequence[Sequence[Message]]) -> list[int]:
        found = super().count_chat(chats)
        self.asked += found
        return found


def room_of(context: int | None, overlong: Overlong = "truncate", max_tokens: int = 10) -> Room:
    nothing = no_model(None, "")  # type: ignore[arg-type]
    return Room(Tools(nothing.ask, nothing.judge, Counting(), "", context), max_tokens, overlong)


def render(text: str) -> tuple[Message, ...]:
    return (Message("system", "Say it anew."), Message("user", f"<page>\n{text}\n</page>"))


def tokens(text: str) -> int:
    return EstimatedTokens().count_chat([render(text)])[0]


TEXT = " ".join(f"Station {i} measured {i * 7} mm of rain on day {i % 9}." for i in range(400))


@pytest.mark.parametrize("context", [100, 137, 500, 1111, 4000])
def test_it_cuts_behind_the_last_sentence_that_fits(context: int) -> None:
    room = room_of(context)
    fitted = room.fit(TEXT, render(TEXT), render)
    assert fitted.fits and fitted.messages == render(fitted.text)
    assert TEXT.startswith(fitted.text) and fitted.text.endswith(".")
    assert tokens(fitted.text) + 10 <= context
    more = next(end for end in cut_places(TEXT) if end > len(fitted.text))
    assert tokens(TEXT[:more]) + 10 > context, "one more sentence would have fitted"
    whole, left = EstimatedTokens().count([TEXT, fitted.text])
    assert fitted.evidence == {"cut_tokens": whole - left, "of_tokens": whole}


def test_a_prompt_that_fits_is_left_alone_and_a_short_one_not_even_counted() -> None:
    room = room_of(400)
    assert room.fit("Short.", render("Short."), render).messages == render("Short.")
    assert isinstance(room.tools.tokens, Counting)
    marks = len(room.tools.tokens.asked)
    for i in range(50):
        assert not room.fit(f"Short {i}.", render(f"Short {i}."), render).evidence
    assert len(room.tools.tokens.asked) == marks
    assert not room_of(None).fit(TEXT, render(TEXT), render).evidence, "no context is known"


def test_what_is_rejected_says_by_how_much() -> None:
    fitted = room_of(100, "reject").fit(TEXT, render(TEXT), render)
    assert not fitted.fits and fitted.text == TEXT
    assert fitted.evidence == {"tokens": tokens(TEXT), "max_tokens": 10, "context": 100}


def test_a_prompt_that_does_not_fit_without_its_text_is_rejected() -> None:
    fitted = room_of(30).fit(TEXT, render(TEXT), render)
    assert not fitted.fits and fitted.evidence["context"] == 30
    apart = (Message("user", "word " * 300),)
    assert not room_of(100).fit("x", apart, lambda _: apart).fits


def test_a_sentence_that_is_too_long_is_cut_between_words() -> None:
    sentence = "word " * 999 + "end."
    fitted = room_of(200).fit(sentence, render(sentence), render)
    assert fitted.fits and fitted.text.endswith("word")
    assert tokens(fitted.text + " word") + 10 > 200


def test_a_script_without_spaces_is_cut_between_characters() -> None:
    said = "e\u0301" * 3000  # each of two code points
    fitted = room_of(200).fit(said, render(said), render)
    assert fitted.fits and fitted.text and len(fitted.text) % 2 == 0
    assert tokens(fitted.text + said[:8]) + 10 > 200


def test_a_long_text_costs_a_few_counts() -> None:
    long = TEXT * 200
    room = room_of(2000)
    fitted = room.fit(long, render(long), render)
    assert fitted.fits and 0 < 2000 - 10 - tokens(fitted.text) < 30
    assert isinstance(room.tools.tokens, Counting)
    after = room.tools.tokens.asked[2:]  # the empty turns, and the whole
    assert len(after) <= 8 and max(after) < 10 * 2000


@given(
    st.lists(st.integers(1, 60), min_size=0, max_size=60),
    st.integers(1, 9),
    st.integers(0, 600),
)
@example([60, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 60], 3, 26)
@settings(max_examples=200)
def test_the_search_agrees_with_trying_all(steps: list[int], each: int, limit: int) -> None:
    ends = [sum(steps[: i + 1]) for i in range(len(steps))]
    wanted = sum(end // each <= limit for end in ends)
    assert last_fitting(ends, lambda end: end // each, limit) == wanted


def test_a_chunk_is_cut_into_runs_that_fit() -> None:
    text = TEXT[:6000]
    text = text[: text.rindex(".") + 1]
    chunk = Chunk(text, "\n\n")
    parts = room_of(150).split(chunk, render)
    assert "".join(p.lead + p.text for p in parts) == "\n\n" + text
    assert all(tokens(p.text) + 10 <= 150 for p in parts)
    for one, two in pairwise(parts):
        first = two.text[: cut_places(two.text)[0]]
        assert tokens(one.text + two.lead + first) + 10 > 150, "it could hold another sentence"
    assert room_of(10_000).split(chunk, render) == (chunk,)


# -- whole runs

GENERATE = (
    MODELS
    + """\
steps:
  asked:
    op: generate
    from: docs
    model: writer
    prompt: prompts/book.md.j2
    sampling: { max_tokens: 60 }
    overlong: HOW
"""
)
PROMPT = """\
---
inputs: { text: str }
reply: { said: text }
---
{% block system %}Say it anew.{% endblock %}
{% block user %}{{ text }}{% endblock %}
"""
SHORT = "A kettle sings."
LONG = " ".join(documents(1, 40))


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Spine:
    """A project whose model holds 120 tokens."""
    described = fake.describe

    def describe(spec: ModelSpec) -> ModelInfo:
        info = described(spec)
        return ModelInfo(info.digest, 120, False)

    monkeypatch.setattr(fake, "describe", describe)
    return make_spine(tmp_path / "small", [SHORT, LONG])


def test_generate_rejects_before_anything_is_sent(small: Spine) -> None:
    small.write(GENERATE.replace("HOW", "reject"))
    (small.folder / "prompts/book.md.j2").write_text(PROMPT)
    record = small.good_run()
    assert record["steps"]["asked"]["rejected"] == {"overlong": 1}
    assert small.rows()["text"].to_list() == [SHORT]
    assert len(small.sent()) == 1
    shown = json.dumps(record["examples"]["asked"])
    assert '"context": 120' in shown and '"max_tokens": 60' in shown


def test_generate_truncates(small: Spine) -> None:
    small.write(GENERATE.replace("HOW", "truncate"))
    (small.folder / "prompts/book.md.j2").write_text(PROMPT)
    record = small.good_run()
    assert record["steps"]["asked"]["out"] == 2
    assert sorted(small.rows()["text"], key=len) == [SHORT, LONG], "the document stays whole"
    doc = small.rows().filter(text=LONG)["_id"].item()
    shown = small.do("show", doc, "--format", "json")
    assert shown.code == 0, shown.text
    (outcome,) = json.loads(shown.out)["steps"][-1]["outcomes"]
    cut = outcome["evidence"]
    assert 0 < cut["cut_tokens"] < cut["of_tokens"]
    assert f"cut_tokens={cut['cut_tokens']}" in small.do("show", doc).out
    given_ = outcome["units"][0]["messages"][-1]["content"]
    assert LONG.startswith(given_) and given_.endswith(".") and len(given_) < len(LONG)
    before = small.sent()
    small.edit("overlong: truncate", "overlong: reject")
    small.good_run("--replace")
    assert small.sent() == before, "the short row's reply is the same request"
    assert small.rows()["text"].to_list() == [SHORT]


REWRITE = (
    MODELS
    + """\
steps:
  book:
    op: rewrite
    from: docs
    model: writer
    prompt: prompts/book.md.j2
    sampling: { max_tokens: 60 }
    chunk: { by: paragraph, max: 4000 tokens }
"""
)


def test_rewrite_cuts_a_chunk_smaller(small: Spine) -> None:
    small.write(REWRITE)
    record = small.good_run()
    account = record["steps"]["book"]
    assert account["out"] == 2 and not account["rejected"]
    assert account["units"]["accepted"] > 10
    assert "overlong" not in account["failures"]
    rows = sorted(small.rows()["text"], key=len)
    assert rows[1].count("millimetres") == LONG.count("millimetres")


def test_rewrite_of_one_piece_is_rejected_or_truncated(small: Spine) -> None:
    small.write(REWRITE.replace("    chunk: { by: paragraph, max: 4000 tokens }\n", ""))
    assert small.good_run()["steps"]["book"]["rejected"] == {"overlong": 1}
    assert len(small.sent()) == 1
    small.edit("    sampling", "    overlong: truncate\n    sampling")
    assert small.good_run("--replace")["steps"]["book"]["out"] == 2
    assert len(small.sent()) == 2
    long = max(small.rows()["text"], key=len)
    assert 0 < long.count("millimetres") < LONG.count("millimetres")
