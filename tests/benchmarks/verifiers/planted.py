"""Pairs of passages and sentences of real pages and books with true rewrites and planted errors."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from mashbill.runtime.facts.styles import Style

from .planting import ERRORS, NAME, Material, rewritten

DATA = Path(__file__).resolve().parents[3] / ".." / "shared" / "data"
PAGES = DATA / "web_text.jsonl.gz"
BOOKS = DATA / "books_public_domain.jsonl.gz"

WORDS = range(60, 151)
"""Of a passage, as in the labelled rewrites."""
SENTENCE = range(10, 41)
"""Words of a single sentence."""

_BREAK = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")
_PLAIN = re.compile(r"[A-Z][^\n*_#|<>{}\[\]]+[.!?]")


@dataclass(frozen=True, slots=True)
class Planted:
    """A source, what is made of it, and which error was planted (`""` for none)."""

    style: Style
    source: str
    rewrite: str
    error: str


def passages() -> list[list[str]]:
    """Passages of whole sentences, one at most of each page and each part of a book."""
    found = []
    for path, field in ((PAGES, "main_content"), (BOOKS, "text")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                row = json.loads(line)
                if sentences := _passage(row.get(field) or "", row["id"]):
                    found.append(sentences)
    return found


def _passage(text: str, key: str) -> list[str] | None:
    paragraphs = (re.sub(r"\s+", " ", p).strip() for p in re.split(r"\n+", text))
    good = [p for p in paragraphs if len(p.split()) in WORDS and _english(p)]
    parted = [s for p in good if (s := _BREAK.split(p)) and all(map(_PLAIN.fullmatch, s))]
    parted = [s for s in parted if len(s) > 2]
    return parted[_draw(key) % len(parted)] if parted else None


def _english(text: str) -> bool:
    words = text.lower().split()
    return text.isprintable() and sum(w in {"the", "of", "and", "to", "a"} for w in words) > 4


def _draw(key: str) -> int:
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:6], "big")


def planted(style: Style, sources: list[list[str]]) -> Iterator[Planted]:
    """A good row, and one of each kind of error that fits, of each source with a true rewrite."""
    names = sorted({m[0] for p in sources for s in p for m in NAME.finditer(s)})
    plain = [s for p in sources for s in p if len(s.split()) in range(8, 25)]
    more = Material(names, plain)
    for i, sentences in enumerate(sources):
        source = " ".join(sentences)
        said = rewritten(sentences, Random(f"{style} {i}"))
        if said is None or " ".join(said) == source:
            continue
        yield Planted(style, source, " ".join(said), "")
        for kind, plant in ERRORS.items():
            wrong = plant(said, source, Random(f"{style} {kind} {i}"), more)
            if wrong and wrong != said and " ".join(wrong) != source:
                yield Planted(style, source, " ".join(wrong), kind)


def rows() -> list[Planted]:
    """All pairs: passages for `rewrite`, single sentences of others for `sentence`."""
    found = passages()
    sentences = [[max(p, key=lambda s: _draw(s))] for p in found]
    sentences = [s for s in sentences if len(s[0].split()) in SENTENCE]
    return [*planted("rewrite", found), *planted("sentence", sentences)]
