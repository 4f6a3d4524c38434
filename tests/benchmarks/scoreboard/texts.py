"""Made rows: documents of lognormal length, problems, tasks. The same seed makes the same ones."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

TEXT = (
    "the river of a small town runs past old mills where people made paper and glass until new "
    "roads came with trade from far away markets and changed what every family did for work in "
    "winter while summer brought visitors who wrote letters about stone bridges, green hills, "
    "bread, music, long evenings, schools, ships, weather, numbers and maps"
)
WORDS = TEXT.split()

Row = Mapping[str, Any]


def sentence(rng: random.Random) -> str:
    """A sentence of 6 to 22 words."""
    words = [rng.choice(WORDS) for _ in range(rng.randint(6, 22))]
    return " ".join(words).rstrip(",").capitalize() + "."


def document(rng: random.Random, size: float, *, paragraph: int = 6) -> str:
    """Sentences, in paragraphs, until there are about so many characters."""
    parts: list[str] = []
    length = 0
    while length < size:
        parts.append(sentence(rng))
        length += len(parts[-1]) + 1
    blocks = (parts[k : k + paragraph] for k in range(0, len(parts), paragraph))
    return "\n\n".join(" ".join(block) for block in blocks)


def documents(count: int, seed: int, *, median: float = 600, sigma: float = 0.9) -> list[Row]:
    """Documents of lognormal length, 12,000 characters at most, with a `score` and a `lang`."""
    rng = random.Random(seed)
    return [
        {
            "text": document(rng, min(median * rng.lognormvariate(0, sigma), 12_000)),
            "score": round(rng.random(), 6),
            "lang": rng.choice(["en", "en", "en", "de"]),
        }
        for _ in range(count)
    ]


def problems(count: int, seed: int) -> list[Row]:
    """Problems whose answer is the last number in them."""
    rng = random.Random(seed)
    rows = []
    for k in range(count):
        gold = rng.randint(10, 9999)
        rows.append({"text": f"{document(rng, 120)} Problem {k}: say {gold}", "gold": str(gold)})
    return rows


def tasks(count: int, seed: int) -> list[Row]:
    """Tasks with an assert that holds for the right program."""
    return [
        {
            "text": row["text"].replace("Problem", "Task").replace("say", "return"),
            "tests": [f"assert answer() == {row['gold']}"],
        }
        for row in problems(count, seed)
    ]


def write(path: Path, rows: Iterable[Row]) -> None:
    """Write JSON lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as out:
        out.writelines(json.dumps(row) + "\n" for row in rows)


def shards(rows: list[Row], count: int) -> Iterator[list[Row]]:
    """Cut rows into consecutive parts of about the same length."""
    size = -(-len(rows) // count)
    for k in range(0, len(rows), size):
        yield rows[k : k + size]
