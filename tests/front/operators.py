"""A small catalogue for tests of the front: two steps, two checks, three engines."""

from __future__ import annotations

from typing import Any, Literal

from mashbill.compiler.params import Checks, Chunk, Ladder, Sampling
from mashbill.compiler.registry import (
    Catalog,
    Column,
    Expression,
    Model,
    Operator,
    Prompt,
    Share,
    check,
    operator_of,
    step,
)


@step(stage="map", version=1)
def filter_(keep: Expression) -> Any:
    """Keep the rows for which an expression holds."""


@step(stage="generate", version=1, cost="model")
def rewrite(
    model: Model,
    prompt: Prompt,
    samples: int = 1,
    chunk: Chunk | None = None,
    overlong: Literal["reject", "truncate"] = "reject",
    expect: Share | None = None,
    sampling: Sampling | None = None,
    checks: Checks | None = None,
    on_fail: Ladder | None = None,
) -> Any:
    """Rewrite each document."""


@check(version=1)
def facts(style: str = "rewrite", numbers: float = 0.9, source: Column | None = None) -> Any:
    """Numbers and names are kept."""


@check(version=1)
def length(min: float = 0.3, max: float = 1.8) -> Any:
    """Length stays in proportion."""


def _named(*functions: Any) -> dict[str, Operator]:
    found = [operator_of(f) for f in functions]
    return {o.name: o for o in found if o}


CATALOG = Catalog(
    steps=_named(filter_, rewrite),
    checks=_named(facts, length),
    engines={"local": {"threads": "CPU threads"}, "http": {"concurrency": "Calls"}, "fake": {}},
)

GOOD = """\
mashbill: 1
name: textbook_web
about: Noisy pages as textbook prose.
version: 0.3.0
seed: 7
models:
  writer: local/smollm2-135m
  judge:
    use: http/judge-large
    key: ${JUDGE_KEY}
    placement: { concurrency: 4 }
    sampling: { temperature: 0.6, stop: [END] }
sources:
  web: { path: pages/*.jsonl.gz, license: ODC-By-1.0, origin: human, columns: { gold: answer } }
steps:
  pages: { op: filter, from: web, keep: 50 <= words(text) <= 2000, limit: 9 }
  book:
    op: rewrite
    from: [pages, web]
    model: writer
    prompt: prompts/book.md.j2
    samples: 2
    overlong: reject
    chunk: { by: sentence, max: 60 tokens }
    set: { audience: "= choose(['pupil', 'student'])", rank: 1 }
    checks: { facts: {}, short: { kind: length, max: 1.6 } }
    on_fail: [ { retry: 3 }, { retry: { times: 1, for: [facts] } }, { fallback: input } ]
mix:
  total: 2M tokens
  parts: { pages: 50%, book: { weight: 0.5, max_epochs: 4 } }
  min_human: 50%
  on_shortfall: shrink
output: { path: out/x, format: parquet, shard: 256MB, columns: [text, _id] }
profiles:
  smoke: { mix.total: 1k tokens, sources.web.limit: 4 }
"""
"""A recipe that uses every key of the format once, and is right."""
