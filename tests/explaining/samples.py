"""Plans with estimates made by hand: what the views are shown on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from mashbill.compiler.estimating.estimates import Estimates, Leverage, Spending, StepEstimate
from mashbill.compiler.estimating.facts import Price, SourceFacts, Speed
from mashbill.compiler.estimating.numbers import Basis, Number
from mashbill.compiler.explaining import PilotSpent, Told
from mashbill.compiler.worth import worth

from ..compiler.edits import ASK
from ..compiler.world import plan_of

FILES = {"prompts/ask.md.j2": ASK}


def exact(value: float) -> Number:
    return Number(float(value), "e")


def about(value: float, share: float, basis: Basis) -> Number:
    """A number with an even interval of so large a share on both sides."""
    return Number(float(value), basis, value * (1 - share), value * (1 + share))


def between(value: float, low: float, high: float, basis: Basis) -> Number:
    return Number(float(value), basis, float(low), float(high))


def rows(into: Number | float, out: Number | float, **more: Any) -> StepEstimate:
    made = [n if isinstance(n, Number) else exact(n) for n in (into, out)]
    return StepEstimate(made[0], made[1], **more)


def spending(
    calls: Number,
    prompt: Number,
    reply: Number,
    worst: tuple[float, float, float],
    hours: Number | None = None,
    usd: Number | None = None,
    worst_hours: float = 0.0,
    worst_usd: float | None = 0.0,
) -> Spending:
    return Spending(
        calls,
        prompt,
        reply,
        usd or exact(0),
        hours or exact(0),
        worst_calls=exact(worst[0]),
        worst_prompt=exact(worst[1]),
        worst_reply=exact(worst[2]),
        worst_usd=exact(worst_usd) if worst_usd is not None else Number(None, "?"),
        worst_hours=exact(worst_hours),
    )


EDU = """\
mashbill: 1
name: edu
tokenizer: writer
models:
  writer: vllm/Qwen3-4B
  judge: { use: http/gpt-4o-mini, url: "${URL}", price: { input: 0.15, output: 0.60 } }
sources:
  web: { path: web.jsonl, license: CC0-1.0, origin: human }
  docs: { path: docs.jsonl, license: CC0-1.0, origin: human }
steps:
  web_quality: { op: filter, from: web, keep: words(text) > 3 }
  web_clean: { op: clean, from: web_quality }
  web_rewrite:
    op: rewrite
    from: web_clean
    model: writer
    prompt: prompts/book.md.j2
    checks: { length: { min: 0.5 } }
    on_fail: [{ retry: 2 }, { fallback: input }]
  code_cot: { op: generate, from: docs, model: writer, prompt: prompts/ask.md.j2, samples: 4 }
  judged: { op: generate, from: docs, model: judge, prompt: prompts/ask.md.j2 }
  right: { op: filter, from: code_cot, keep: words(answer) > 3 }
mix:
  total: 600M tokens
  parts: { web_clean: 50%, web_rewrite: 30%, right: { weight: 15%, max_epochs: 4 }, judged: 5% }
  min_human: 50%
  on_shortfall: shrink
output: { path: out/edu }
hardware: { gpu: H200, usd_per_gpu_hour: 3.20 }
budget:
  usd: 150
  gpu_hours: 40
  tokens: 3B
  wall: 24h
  steps: { judged: { requests: 30k } }
"""


def edu() -> Told:
    """A recipe of every kind of step, with what its data is worth."""
    told = _edu()
    assert told.estimates is not None
    return replace(told, worth=worth(told.plan, told.estimates))


def _edu() -> Told:
    """After a pilot: ladder, samples, a priced judge, a budget that the worst case breaks."""
    plan = plan_of(EDU, FILES)
    quality = about(465_000, 0.02, "s")
    clean = between(409_000, 325_000, 465_000, "a")
    rewrite = spending(
        about(434_000, 0.02, "p"), about(569e6, 0.02, "s"), about(322e6, 0.04, "p"),
        (1_227_000, 1.6e9, 2.5e9), about(7.6, 0.12, "p"), about(24.3, 0.12, "p"), 64.0, 204.8,
    )  # fmt: skip
    cot = spending(
        about(120_000, 0.0, "e"), about(40e6, 0.01, "s"), about(123e6, 0.09, "p"),
        (120_000, 40e6, 1.5e9), about(3.8, 0.15, "p"), about(12.2, 0.15, "p"), 38.0, 121.6,
    )  # fmt: skip
    judge = spending(
        exact(30_000), about(10e6, 0.01, "s"), between(1.2e6, 0.4e6, 2.9e6, "a"),
        (30_000, 10e6, 61e6), None, between(2.22, 1.74, 3.24, "a"), 0.0, 38.1,
    )  # fmt: skip
    steps = {
        "web": rows(1_200_000, 1_200_000),
        "docs": rows(30_000, 30_000),
        "web_quality": rows(1_200_000, quality, sampled=12_000),
        "web_clean": rows(quality, clean),
        "web_rewrite": rows(
            clean, about(393_000, 0.02, "p"), spending=rewrite, by_model={"writer": rewrite},
            sampled=1000, piloted=256, truncated=0.012, prefix_share=0.21,
        ),
        "code_cot": rows(
            30_000, exact(120_000), spending=cot, by_model={"writer": cot}, sampled=1000,
            piloted=256, overlong=0.0004,
        ),
        "judged": rows(30_000, 30_000, spending=judge, by_model={"judge": judge}, sampled=1000),
        "right": rows(120_000, about(83_000, 0.06, "p")),
    }  # fmt: skip
    total = spending(
        between(584_000, 493_000, 645_000, "a"), between(619e6, 541e6, 700e6, "a"),
        between(446.2e6, 375e6, 510e6, "a"), (1_377_000, 1.65e9, 4.061e9),
        between(11.4, 9.4, 13.6, "a"), between(38.72, 31.1, 46.2, "a"), 102.0, 364.5,
    )  # fmt: skip
    return Told(
        plan,
        Estimates(
            steps,
            total,
            supply={
                "web_clean": between(450e6, 358e6, 512e6, "a"),
                "web_rewrite": between(292e6, 240e6, 340e6, "a"),
                "right": about(38e6, 0.06, "p"),
                "judged": Number(None, "?"),
            },
            taken={"web_clean": 300e6, "web_rewrite": 180e6, "right": 90e6},
            human_share=between(0.5, 0.48, 0.52, "a"),
            epochs={
                "web_clean": between(0.67, 0.58, 0.84, "a"),
                "web_rewrite": between(0.62, 0.53, 0.75, "a"),
                "right": about(2.37, 0.06, "p"),
            },
            sources={
                "web": SourceFacts(1_200_000, 4.1e9, 0.01, 0.01, False, 63, 47, 12_000),
                "docs": SourceFacts(30_000, 60e6, sampled=1_000),
            },
            speeds={"writer": Speed(11_900, None, 0.1, "p", "measured in the pilot")},
            prices={"judge": Price(0.15e-6, 0.6e-6, 0.075e-6, 0.5, False, "2026-11-15",
                                   "price map")},
            leverage=Leverage(
                "web_clean", "yield", "a", "usd", 0.61, "mashbill run --until web_clean",
                between(38.7, 35.2, 42.0, "p"),
            ),
        ),
        last=("r-0412", plan_of(EDU.replace("words(text) > 3 }\n  web", "words(text) > 2 }\n  web")
              .replace("samples: 4", "samples: 2"), FILES)),
        lock="lock ok (9 pins)",
        pilot=PilotSpent(256, 768, 0.11),
    )  # fmt: skip


SMALL = """\
mashbill: 1
name: small
models: { writer: local/smollm2-135m }
sources:
  docs: { path: docs.jsonl, license: CC0-1.0, origin: human }
steps:
  long: { op: filter, from: docs, keep: words(text) > 3 }
  book:
    op: rewrite
    from: long
    model: writer
    prompt: prompts/book.md.j2
output: { path: out/small }
"""


def plain() -> Told:
    """The first plan of a beginner: a few rows, the embedded model, nothing in the ledger."""
    book = spending(
        exact(41), exact(5_330), between(3_100, 1_250, 6_900, "a"), (41, 5_330, 20_992),
        between(0.021, 0.0068, 0.055, "a"), worst_hours=0.16,
    )  # fmt: skip
    steps = {
        "docs": rows(51, 51),
        "long": rows(51, 41),
        "book": rows(41, 41, spending=book, by_model={"writer": book}, sampled=41),
    }
    return Told(
        plan_of(SMALL, FILES),
        Estimates(
            steps,
            book,
            sources={"docs": SourceFacts(51, 9_000, sampled=51)},
            speeds={"writer": Speed(41, None, 0.55, "a", "roofline of 0.1 GB over 20 GB/s")},
            leverage=Leverage(
                "writer", "speed", "a", "gpu_hours", 0.71, "mashbill plan --pilot 64",
                between(0.019, 0.016, 0.022, "p"),
            ),
        ),
    )  # fmt: skip


def filters() -> Told:
    """No model anywhere."""
    plan = plan_of(SMALL.partition("  book:")[0] + "output: { path: out/small }\n")
    sources = {"docs": SourceFacts(48_000, 9e8, 0.02, 0.01, False, 16, 12, 4_000)}
    steps = {
        "docs": rows(about(48_000, 0.03, "s"), about(48_000, 0.03, "s")),
        "long": rows(about(48_000, 0.03, "s"), between(960, 610, 1_400, "s")),
    }
    return Told(plan, Estimates(steps, sources=sources))


LADDER = SMALL.replace(
    "prompts/book.md.j2\n",
    """prompts/book.md.j2
    checks: { length: { min: 0.5 } }
    on_fail: [{ retry: 2 }, { repair: prompts/book.md.j2 }, { fallback: input }]
""",
).replace("writer: local/smollm2-135m", "writer: fake/rewrite")


def ladder() -> Told:
    """Calls of a ladder on a free engine, half of them answered by the ledger."""
    again = LADDER.replace(" > 3", " > 2").replace("min: 0.5", "min: 0.4")
    book = spending(
        between(1_310, 1_080, 1_720, "h"), about(170_000, 0.034, "s"),
        about(151_000, 0.21, "h"), (3_280, 430_000, 1.7e6),
    )  # fmt: skip
    steps = {
        "docs": rows(2_000, 2_000),
        "long": rows(2_000, about(1_640, 0.012, "s")),
        "book": rows(about(1_640, 0.012, "s"), about(1_640, 0.012, "s"), spending=book,
                     by_model={"writer": book}, sampled=1_000, reused=0.5, prefix_share=0.3),
    }  # fmt: skip
    return Told(
        plan_of(LADDER, FILES),
        Estimates(steps, book, sources={"docs": SourceFacts(2_000, 4e6, sampled=2_000)}),
        last=("r-0003", plan_of(again, FILES)),
    )


COT = """\
mashbill: 1
name: cot
models: { solver: http/gpt-unheard-of }
sources:
  tasks: { path: docs.jsonl, license: CC0-1.0, origin: human }
steps:
  solved: { op: generate, from: tasks, model: solver, prompt: prompts/ask.md.j2, samples: 8 }
  right: { op: filter, from: solved, keep: words(answer) > 3 }
output: { path: out/cot }
budget: { requests: 50k, wall: 6h }
"""


def unpriced() -> Told:
    """Tolds of a hosted model whose price nobody knows, after a pilot; the cap is too low."""
    unknown = Number(None, "?")
    solved = spending(
        exact(59_792), about(7.2e6, 0.004, "s"), about(21.4e6, 0.11, "p"),
        (59_792, 7.2e6, 122e6), usd=unknown, worst_usd=None,
    )  # fmt: skip
    steps = {
        "tasks": rows(7_474, 7_474),
        "solved": rows(7_474, about(59_100, 0.006, "p"), spending=solved, sampled=1_000,
                       by_model={"solver": solved}, piloted=64, truncated=0.081),
        "right": rows(about(59_100, 0.006, "p"), about(33_000, 0.13, "p")),
    }  # fmt: skip
    return Told(
        plan_of(COT, FILES),
        Estimates(
            steps,
            solved,
            sources={"tasks": SourceFacts(7_474, 1.9e6, sampled=7_474)},
            unpriced=frozenset({"solver"}),
        ),
        missing={"solver": "set OPENAI_API_KEY, or give `key:` to model `solver`"},
    )


AD = "not contains(text, '広告です、読まないでください')"
WIDE = SMALL.replace("words(text) > 3", f'"{AD}"').replace(
    "  book:\n    op: rewrite\n", "  book:\n    op: rewrite\n    set: { style: \"'教科書'\" }\n"
)


def wide() -> Told:
    """Reasons in characters that take two columns."""
    sample = plain()
    before = WIDE.replace("広告です、読", "宣伝です、読").replace("教科書", "対話形式")
    return replace(
        sample, plan=plan_of(WIDE, FILES), last=("r-0001", plan_of(before, FILES)),
        missing={"writer": "価値：データの値打ちはまだ分からない" * 5},
    )  # fmt: skip


NAMES = [
    f"{name}_of_the_documents_that_were_crawled" for name in ("lengths", "languages", "tidied")
]


def many() -> Told:
    """Twelve steps with long names, four of them asking two models."""
    steps, made = [], {"docs": rows(9.9e9, 9.9e9)}
    reads, total = "docs", spending(exact(0), exact(0), exact(0), (0, 0, 0))
    for i in range(12):
        name = f"{NAMES[i % 3]}_{i}"
        asks = i % 3 == 2
        rest = f"model: {'writer' if i < 6 else 'judge'}, prompt: prompts/book.md.j2, again: true"
        steps.append(
            f"  {name}: {{ op: rewrite, from: {reads}, {rest} }}"
            if asks
            else f"  {name}: {{ op: filter, from: {reads}, keep: words(text) > {i} }}"
        )
        into, out = about(9.9e9 / 2**i, 0.01, "s"), between(9.9e9 / 2 ** (i + 1), 1e6, 9e9, "a")
        spent = spending(
            into, about(9.9e9 / 2**i * 131, 0.02, "s"), between(2e12, 1e11, 8e12, "a"),
            (9.9e9, 1e12, 4e13), between(412_000, 98_000, 1.4e6, "a"),
            between(1.3e6, 3e5, 4e6, "a"),
            9e6, 3e7,
        )  # fmt: skip
        made[name] = rows(into, out, spending=spent if asks else None, sampled=asks * 1_000)
        if asks:
            total = Spending(*(
                Number((a.value or 0) + (b.value or 0), "a", (a.low or 0) + (b.low or b.value or 0),
                       (a.high or 0) + (b.high or b.value or 0))
                for a, b in ((getattr(total, f), getattr(spent, f)) for f in Spending.__slots__)
            ))  # fmt: skip
        reads = name
    recipe = SMALL.partition("  long:")[0].replace(
        "writer: local/smollm2-135m", "writer: vllm/Qwen3-4B, judge: vllm/Qwen3-8B"
    )
    plan = plan_of(f"{recipe}{chr(10).join(steps)}\noutput: {{ path: out/many }}\n", FILES)
    sources = {"docs": SourceFacts(9.9e9, 5e13, 0.01, 0.01, False, 20_000, 64, 12_000)}
    return Told(plan, Estimates(made, total, sources=sources))


def idle() -> Told:
    """Nothing has changed, and the ledger answers everything."""
    sample = plain()
    assert sample.estimates is not None
    nothing = spending(exact(0), exact(0), exact(0), (0, 0, 0))
    book = replace(sample.estimates.steps["book"], spending=nothing, by_model={}, reused=1.0)
    steps = {**sample.estimates.steps, "book": book}
    return replace(
        sample,
        estimates=Estimates(steps, nothing, sources=sample.estimates.sources),
        last=("r-0002", sample.plan),
    )


def dropped() -> Told:
    """A step is gone, and only one is asked for."""
    sample = plain()
    short = "  short: { op: filter, from: long, keep: words(text) < 99 }\n  book:"
    more = SMALL.replace("  book:", short).replace(
        "from: long\n    model", "from: short\n    model"
    )
    return replace(sample, last=("r-0002", plan_of(more, FILES)), selected=["book", "short"])


def unmeasured() -> Told:
    """The model is not here, so nothing was sampled."""
    why = "local/smollm2-135m is not here; type: mashbill models get smollm2-135m"
    return Told(plan_of(SMALL, FILES), None, missing={"writer": why})


SAMPLES: Mapping[str, Callable[[], Told]] = {
    made.__name__: made
    for made in (
        edu, plain, filters, ladder, unpriced, wide, many, idle, dropped, unmeasured,
    )
}  # fmt: skip
