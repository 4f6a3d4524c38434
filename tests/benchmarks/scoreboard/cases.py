"""The recipes of the scoreboard: what each is for, how its rows are made, and what it says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from texts import Row, documents, problems, shards, tasks, write

INPUT, OUTPUT = 0.40e-6, 1.60e-6
"""Dollars for a token."""
PRICE = "price: { input: 0.40, output: 1.60, per: 1M tokens, as_of: 2026-11-01 }"
REWRITE = """\
---
inputs: { text: str }
---
{% block system %}Rewrite the text in clear textbook English. Keep all facts.{% endblock %}
{% block user %}{{ text }}{% endblock %}
"""
SOLVE = """\
---
inputs: { text: str }
reply: { reasoning: text, answer: boxed }
---
{% block system %}Solve the problem step by step. Put the result in \\boxed{}.{% endblock %}
{% block user %}{{ text }}{% endblock %}
"""
CODE = """\
---
inputs: { text: str }
reply: { code: fence python }
---
{% block system %}Think, then write the function in a ```python block.{% endblock %}
{% block user %}{{ text }}{% endblock %}
"""
FIX = """\
---
inputs: { text: str, code: str, evidence: str }
reply: { code: fence python }
---
{% block system %}The function fails its test. Write it again in a ```python block.{% endblock %}
{% block user %}It was:

```python
{{ code }}
```

What failed:

{{ evidence }}

The task was: {{ text }}{% endblock %}
"""
JUDGE = """\
---
inputs: { text: str, input.text: str }
reply: { json: schemas/marks.json }
---
{% block system %}Rate how well the rewrite keeps what the text says, 1 to 5, as JSON.{% endblock %}
{% block user %}Text:

{{ input.text }}

Rewrite:

{{ text }}{% endblock %}
"""
MARKS = (
    '{ "type": "object", "properties": { "score": { "type": "integer", "minimum": 1, '
    '"maximum": 5 } }, "required": ["score"], "additionalProperties": false }\n'
)


@dataclass(frozen=True, slots=True)
class Case:
    """One recipe.

    Attributes:
        name: Its name.
        steps: Its `models:` and `steps:`, as YAML.
        rows: Makes its files under a folder, from a seed.
        files: Prompts and schemas by path.
        columns: Of the source, as YAML.
        embedded: Whether it runs on the embedded model.
        hard: Whether the order of its rows is adversarial.
        large: Whether what a pilot spends must be at most 1 % of what is expected.
    """

    name: str
    steps: str
    rows: Callable[[Path, int], None]
    files: Mapping[str, str] = field(default_factory=dict)
    columns: str = "{}"
    embedded: bool = False
    hard: bool = False
    large: bool = False

    def write(self, folder: Path, seed: int) -> None:
        """Make the recipe's folder."""
        for path, text in self.files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, "utf-8")
        self.rows(folder / "data", seed)
        source = f"{{ path: data/*.jsonl, columns: {self.columns}, license: CC0-1.0 }}"
        (folder / "recipe.yaml").write_text(
            f"mashbill: 1\nname: {self.name}\nseed: {seed}\n"
            f"sources:\n  docs: {source.replace(' }', ', origin: human }')}\n{self.steps}"
            "output: { path: out }\n",
            "utf-8",
        )


def one_file(make: Callable[[int], list[Row]]) -> Callable[[Path, int], None]:
    """All rows in one file."""

    def rows(folder: Path, seed: int) -> None:
        write(folder / "rows.jsonl", make(seed))

    return rows


def sorted_by_length(folder: Path, seed: int) -> None:
    """The shortest first, over eight files."""
    made = sorted(documents(6000, seed), key=lambda row: len(row["text"]))
    for k, part in enumerate(shards(made, 8)):
        write(folder / f"{k}.jsonl", part)


def one_giant(folder: Path, seed: int) -> None:
    """40 small files of short documents, and one that holds nine tenths of all bytes."""
    for k in range(40):
        write(folder / f"a{k:02}.jsonl", documents(10, seed * 100 + k, median=200))
    write(folder / "giant.jsonl", documents(5000, seed * 100 + 99, median=900))


def different_kinds(folder: Path, seed: int) -> None:
    """30 shards, each of its own length."""
    for k in range(30):
        write(folder / f"{k:02}.jsonl", documents(200, seed * 100 + k, median=150 * 1.12**k))


def few_survivors(folder: Path, seed: int) -> None:
    """2 % of the rows survive, most of them in the last of ten files."""
    for k in range(10):
        rows = documents(4000, seed * 100 + k, median=300)
        limit = 0.15 if k == 9 else 0.0056
        write(folder / f"{k}.jsonl", ({**row, "score": row["score"] < limit} for row in rows))


def writer(settings: str) -> str:
    """A model with a price."""
    return f"models:\n  writer: {{ use: 'fake/prose:{settings}', {PRICE} }}\n"


def book(more: str = "", before: str = "docs") -> str:
    """A step that rewrites."""
    return (
        f"  book: {{ op: rewrite, from: {before}, model: writer, prompt: prompts/book.md.j2, "
        f"sampling: {{ max_tokens: 4000 }}{more} }}\n"
    )


LADDER = (
    ", checks: { meta: { kind: regex, forbid: '^Sure' } }, "
    "on_fail: [ { retry: 2 }, { fallback: input } ]"
)
BOOK = {"prompts/book.md.j2": REWRITE}
SCORE = "{ score: score }"
TITLE = """\
---
inputs: { text: str }
reply: { title: text }
---
{% block system %}Give the text a short title.{% endblock %}
{% block user %}{{ text }}{% endblock %}
"""
SMALL = "models: { writer: local/smollm2-135m }\n"


def small(count: int, median: float) -> Callable[[Path, int], None]:
    """Short documents for a small model."""
    return one_file(lambda seed: documents(count, seed, median=median, sigma=0.5))


CASES = (
    Case(
        "plain_rewrite",
        writer("ratio=0.9,sigma=0.35") + "steps:\n" + book(),
        one_file(lambda seed: documents(5000, seed)),
        BOOK,
    ),
    Case(
        "ladder_rewrite",
        writer("ratio=0.8,sigma=0.4,right=0.7,uneven=1.0") + "steps:\n" + book(LADDER),
        one_file(lambda seed: documents(5000, seed)),
        BOOK,
    ),
    Case(
        "cot_vote",
        writer("tokens=220,sigma=0.7,right=0.55,uneven=1.5,shape=boxed") + "steps:\n"
        "  solved: { op: cot, from: docs, model: writer, prompt: prompts/solve.md.j2, samples: 8, "
        "sampling: { temperature: 0.7, max_tokens: 4000 } }\n"
        "  right: { op: verify, from: solved, "
        "checks: { math_equal: { got: answer, want: gold } } }\n"
        "  math: { op: select, from: right, vote: answer, min_agree: 0.25, take: 1 }\n",
        one_file(lambda seed: problems(1500, seed)),
        {"prompts/solve.md.j2": SOLVE},
        "{ gold: gold }",
    ),
    Case(
        "code_repair",
        writer("tokens=150,sigma=0.6,right=0.6,uneven=1.0,shape=code") + "steps:\n"
        "  coded: { op: cot, from: docs, model: writer, prompt: prompts/code.md.j2, samples: 1, "
        "sampling: { temperature: 0.7, max_tokens: 4000 } }\n"
        "  passes: { op: verify, from: coded, "
        "checks: { unit_tests: { code: code, tests: tests } }, "
        "on_fail: [ { repair: { times: 2, prompt: prompts/fix.md.j2, model: writer, "
        "sampling: { max_tokens: 4000 } } }, reject ] }\n",
        one_file(lambda seed: tasks(1200, seed)),
        {"prompts/code.md.j2": CODE, "prompts/fix.md.j2": FIX},
        "{ tests: tests }",
    ),
    Case(
        "judge_sample",
        writer("ratio=0.9,sigma=0.35")
        + f"  judge: {{ use: fake/judge, {PRICE} }}\n"
        + "steps:\n"
        + book()
        + "  judged: { op: verify, from: book, mode: audit, sample: 20%, checks: { judge: { "
        "model: judge, prompt: prompts/judge.md.j2, pass: score >= 3 } } }\n",
        one_file(lambda seed: documents(4000, seed)),
        {**BOOK, "prompts/judge.md.j2": JUDGE, "schemas/marks.json": MARKS},
    ),
    Case(
        "heavy_filter",
        writer("ratio=0.9,sigma=0.35,right=0.8")
        + "steps:\n  good: { op: filter, from: docs, keep: score > 0.95 and lang == 'en' }\n"
        + book(LADDER, "good"),
        one_file(lambda seed: documents(40_000, seed, median=300)),
        BOOK,
        "{ score: score, lang: lang }",
    ),
    Case(
        "long_chunked",
        writer("ratio=0.85,sigma=0.4,right=0.85")
        + "steps:\n"
        + book(", chunk: { by: paragraph, max: 200 tokens }" + LADDER),
        one_file(lambda seed: documents(700, seed, median=5000)),
        BOOK,
    ),
    Case(
        "large",
        writer("ratio=0.9,sigma=0.35,right=0.9") + "steps:\n" + book(LADDER),
        one_file(lambda seed: documents(50_000, seed, median=150, sigma=0.6)),
        BOOK,
        large=True,
    ),
    Case(
        "sorted",
        writer("ratio=0.9,sigma=0.35") + "steps:\n" + book(),
        sorted_by_length,
        BOOK,
        hard=True,
    ),
    Case(
        "one_giant",
        writer("ratio=0.9,sigma=0.35") + "steps:\n" + book(),
        one_giant,
        BOOK,
        hard=True,
    ),
    Case(
        "kinds",
        writer("ratio=0.9,sigma=0.35,right=0.8") + "steps:\n" + book(LADDER),
        different_kinds,
        BOOK,
        hard=True,
    ),
    Case(
        "survivors",
        writer("ratio=0.9,sigma=0.35")
        + "steps:\n  good: { op: filter, from: docs, keep: good }\n"
        + book("", "good"),
        few_survivors,
        BOOK,
        "{ good: score }",
        hard=True,
    ),
    Case(
        "small_titles",
        SMALL + "steps:\n  titled: { op: generate, from: docs, model: writer, "
        "prompt: prompts/title.md.j2, sampling: { max_tokens: 16 }, "
        "checks: { short: { kind: expr, pass: chars(title) < 60 } }, "
        "on_fail: [ { retry: 1 }, reject ] }\n",
        small(400, 120),
        {"prompts/title.md.j2": TITLE},
        embedded=True,
    ),
    Case(
        "small_rewrite",
        SMALL + "steps:\n  book: { op: rewrite, from: docs, model: writer, "
        "prompt: prompts/book.md.j2, sampling: { max_tokens: 32 }, "
        "checks: { length: { min: 0.4, max: 1.6 } }, "
        "on_fail: [ { retry: 2 }, { fallback: input } ] }\n",
        small(340, 60),
        BOOK,
        embedded=True,
    ),
    Case(
        "small_math",
        SMALL + "steps:\n  solved: { op: cot, from: docs, model: writer, "
        "prompt: prompts/solve.md.j2, samples: 2, "
        "sampling: { temperature: 0.7, max_tokens: 16 } }\n",
        one_file(lambda seed: problems(300, seed)),
        {"prompts/solve.md.j2": SOLVE},
        "{ gold: gold }",
        embedded=True,
    ),
    Case(
        "small_filter",
        SMALL + "steps:\n  good: { op: filter, from: docs, keep: score > 0.9 }\n"
        "  titled: { op: generate, from: good, model: writer, prompt: prompts/title.md.j2, "
        "sampling: { max_tokens: 16 } }\n",
        small(3500, 120),
        {"prompts/title.md.j2": TITLE},
        "{ score: score }",
        embedded=True,
    ),
)
