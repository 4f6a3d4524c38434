"""Properties of the gate as a whole, on real pages."""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mashbill.runtime.facts.gate import MOST, SHORT, STYLES, Limits, judge

DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"
PAGES = DATA / "web_text.jsonl.gz"
SENTENCE, REWRITE = STYLES["sentence"], STYLES["rewrite"]
ANY_LENGTH = replace(SENTENCE, longest=100)


@pytest.fixture(scope="module")
def pages() -> list[str]:
    if not PAGES.exists():
        pytest.skip("needs ../shared/data/web_text.jsonl.gz")
    with gzip.open(PAGES, "rt", encoding="utf-8") as lines:
        texts = [json.loads(line)["text"] for line in lines]
    chosen = texts[:: len(texts) // 100][:100]
    assert len(set(chosen)) == 100
    return [text[:8_000] for text in chosen]


def test_a_page_passes_against_itself(pages: list[str]) -> None:
    broken = {i: v for i, page in enumerate(pages) if not (v := judge(page, page, SENTENCE)).passed}
    assert broken == {}


def test_a_page_without_its_end_passes(pages: list[str]) -> None:
    lines = [page.splitlines() for page in pages]
    cut = ["\n".join(some[: len(some) * 9 // 10 + 1]) for some in lines]
    verdicts = [judge(short, page, REWRITE) for short, page in zip(cut, pages, strict=True)]
    failed = [verdict.reason for verdict in verdicts if not verdict.passed]
    # a cut line that is much like one that stays; a page that was all in its last lines
    assert set(failed) <= {"number_lost", "too_short"}
    assert len(failed) <= 10


def test_another_page_fails(pages: list[str]) -> None:
    others = [*pages[1:], pages[0]]
    passed = [
        i
        for i, (page, other) in enumerate(zip(pages, others, strict=True))
        if judge(other, page, REWRITE).passed
    ]
    assert passed == []


def test_planted_errors_are_caught(pages: list[str]) -> None:
    """A year swapped, a sentence that is not there, a name swapped: each in a real page."""
    planted = caught = 0
    for page in pages:
        if year := re.search(r"(?<![\w.,:/-])(?:19|20)\d\d(?![\w.,:/-])", page):
            planted += 1
            wrong = page.replace(year[0], "1871", 1)
            caught += judge(wrong, page, SENTENCE).reason == "number_invented"
        planted += 2
        named = judge(f"{page}\nOur thanks go to Quillon Zebrowsky.", page, ANY_LENGTH)
        added = judge(f"{page}\nPurple llamas knit quietly.", page, ANY_LENGTH)
        caught += (named.reason == "name_invented") + (added.reason == "novelty")
    assert planted > 225
    assert caught == planted


def test_first_rule_broken_is_named() -> None:
    source = "The mill opened in 1903 and grinds corn for Ada Lovelace."
    assert judge("", source, SENTENCE).reason == "empty"
    assert judge("— … !", source, SENTENCE).reason == "empty"
    verdict = judge("The mill opened in 1904 and grinds corn for Bob Byron.", source, SENTENCE)
    assert verdict.reason == "number_invented"
    assert verdict.evidence == {"invented": ["1904"]}


def test_numbers_left_out_with_their_sentence_are_coverage() -> None:
    source = "The mill grinds corn and wheat for farmers. Entry costs 5 euros."
    assert judge("The mill grinds corn and wheat for farmers.", source, SENTENCE).passed
    cut = "The mill grinds corn and wheat for farmers. Entry costs euros."
    assert judge(cut, source, SENTENCE).reason == "number_lost"


def test_evidence_is_short_and_json() -> None:
    source = "The mill grinds corn."
    novel = " ".join(f"word{chr(97 + i % 26)}{chr(97 + i // 26)}" for i in range(500))
    verdict = judge(f"The mill grinds {novel}.", source, Limits(0, 0, 0, 0.1, longest=1000))
    assert verdict.reason == "novelty"
    assert len(verdict.evidence["added"]) == MOST
    assert len(verdict.evidence["sentence"]) == SHORT
    json.dumps(dict(verdict.evidence))


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=300))
def test_any_text_passes_against_itself(text: str) -> None:
    verdict = judge(text, text, SENTENCE)
    assert verdict.passed or verdict.reason == "empty"


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=200), st.text(max_size=200))
def test_any_pair_is_judged(got: str, source: str) -> None:
    assert isinstance(judge(got, source, REWRITE).passed, bool)


@pytest.mark.parametrize(
    "unit",
    [
        "word ",
        "9",
        "1,1.",
        " ",
        "\n \n",
        "Aa ",
        "one one ",
        'changed "',
        "here's a ",
        "a'",
        '."',
        "日",
    ],
)
def test_long_monotonous_texts_are_judged(unit: str) -> None:
    """Quadratic work in the length would not end within the patience of a test run."""
    text = unit * (60_000 // len(unit)) + "x"
    assert judge(text, text, SENTENCE).passed
    assert not judge(text + " zebra quagga okapi", "x", SENTENCE).passed


def test_verdicts_do_not_hang_on_the_hash_seed() -> None:
    code = (
        "from mashbill.runtime.facts.gate import STYLES, judge\n"
        "got = 'Red, green, blue and grey mills grind corn, barley and rye.'\n"
        "source = 'Red mills grind. Green corn grows. Blue rye mills grind. Grey barley grows.'\n"
        "print(judge(got, source, STYLES['sentence']))"
    )
    seen = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": str(seed)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in range(4)
    }
    assert len(seen) == 1
    assert "reason" in seen.pop()
