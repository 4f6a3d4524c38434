"""Measure `clean` on real pages, and fit its weights.

    python tests/benchmarks/clean.py          figures on the held-out half
    python tests/benchmarks/clean.py --fit    write runtime/boilerplate/weights.py anew

The pages are those of `web_text` (WCXB, and trafilatura's own); a page belongs to the half that
the hash of its id says. Weights and threshold come from the fit half, the figures from the other.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import re
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import polars as pl

from mashbill.runtime.boilerplate.verdict import CONSTANT

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data" / "web_text.jsonl.gz"
CROPPED, BARE = 0.5, 0.03
"""Weights in fitting of pages with few menus and of main texts alone; a whole page weighs 1."""
_TOKEN = re.compile(r"\w+")


def pages(half: str) -> list[dict[str, Any]]:
    """Pages of the half `fit` or `held_out`."""
    with gzip.open(DATA, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    empty = {"main_content": "", "page_type": "", "must_contain": [], "must_not_contain": []}
    return [empty | {k: v for k, v in r.items() if v} for r in rows if half == _half(r["id"])]


def _half(page: str) -> str:
    return ("fit", "held_out")[hashlib.blake2b(page.encode()).digest()[0] % 2]


def token_scores(got: str, want: str) -> tuple[float, float, float]:
    """Precision, recall and F1 of the bags of lower-cased words."""
    a, b = Counter(_TOKEN.findall(got.lower())), Counter(_TOKEN.findall(want.lower()))
    common = (a & b).total()
    precision = common / a.total() if a else 0.0
    recall = common / b.total() if b else 0.0
    return precision, recall, 2 * precision * recall / (precision + recall) if common else 0.0


def squeeze(text: str) -> str:
    """Letters and digits alone, as the data's own notes compare snippets."""
    return "".join(c for c in text.lower() if c.isalnum())


def snippets(rows: Iterable[tuple[str, dict[str, Any]]]) -> tuple[float, float]:
    """Share of the snippets to keep that are there, and of those to drop that are there."""
    counts = {"must_contain": [0, 0], "must_not_contain": [0, 0]}
    for text, page in rows:
        flat = squeeze(text)
        for kind, count in counts.items():
            for snippet in filter(None, map(squeeze, page[kind] or ())):
                count[0] += snippet in flat
                count[1] += 1
    keep, drop = (found / max(total, 1) for found, total in counts.values())
    return keep, drop


def report(name: str, texts: list[str], rows: list[dict[str, Any]]) -> None:
    """Print one line of figures, then F1 by page type."""
    scored = [
        (p["page_type"], token_scores(text, p["main_content"]))
        for text, p in zip(texts, rows, strict=True)
        if p["main_content"]
    ]
    precision, recall, f1 = (sum(s[i] for _, s in scored) / len(scored) for i in range(3))
    print(f"{name}: token precision {precision:.3f} recall {recall:.3f} F1 {f1:.3f}", end="")
    for source, hand_made in (("WCXB", True), ("other, many languages", False)):
        part = [x for x in zip(texts, rows, strict=True) if bool(x[1]["main_content"]) == hand_made]
        keep, drop = snippets(part)
        print(f" | {source}: must-contain {keep:.1%}, must-not-contain {drop:.1%}", end="")
    by_type: dict[str, list[float]] = {}
    for kind, scores in scored:
        by_type.setdefault(kind, []).append(scores[2])
    kinds = (f"{k} {sum(v) / len(v):.3f} ({len(v)})" for k, v in sorted(by_type.items()))
    print("\n  F1 by type:", ", ".join(kinds))


def measure() -> None:
    """Print figures on the held-out half, beside all text."""
    from mashbill.runtime.ops.clean import clean

    rows = pages("held_out")
    frame = pl.DataFrame({"at": range(len(rows)), "text": [r["text"] for r in rows]})
    kernel = clean()
    kernel(frame.head(20))
    began = time.perf_counter()
    out = kernel(frame)
    seconds = time.perf_counter() - began
    kept = dict(zip(out.kept["at"], out.kept["text"], strict=True))
    report("all text", frame["text"].to_list(), rows)
    report("clean", [kept.get(i, "") for i in range(len(rows))], rows)
    size = sum(len(r["text"].encode()) for r in rows) / 1e6
    print(f"  {size:.1f} MB in {seconds:.2f} s: {size / seconds:.1f} MB/s")
    print(f"  {len(kept)} of {len(rows)} pages kept")
    print(
        "for reference, on HTML of like pages (facts/existing-tools.md §3): trafilatura default F1"
        " 0.902, must 90.6 % / 9.4 %; resiliparse 0.841; readability 0.841; jusText all stop lists"
        " 0.753; all text 0.727"
    )


# -- fitting: logistic regression by Newton steps, with polars doing the sums


def label(page: dict[str, Any], lines: list[str]) -> list[float | None]:
    """1 for a line of the main text, 0 for boilerplate, None where nobody said."""
    if not page["main_content"]:
        keep = [squeeze(s) for s in page["must_contain"] or ()]
        drop = [squeeze(s) for s in page["must_not_contain"] or ()]
        flat = [squeeze(line) for line in lines]
        return [
            1.0
            if any(s and s in f for s in keep)
            else 0.0
            if any(s and s in f and len(f) < 3 * len(s) for s in drop)
            else None
            for f in flat
        ]
    main = page["main_content"]
    whole = {squeeze(line) for line in main.split("\n")}
    flat_main = squeeze(main)
    words = _TOKEN.findall(main.lower())
    grams = set(zip(words, words[1:], words[2:], words[3:], strict=False))
    out: list[float | None] = []
    for line in lines:
        bare = squeeze(line)
        if not bare:
            out.append(None)
        elif bare in whole or (len(bare) >= 25 and bare in flat_main):
            out.append(1.0)
        else:
            w = _TOKEN.findall(line.lower())
            four = list(zip(w, w[1:], w[2:], w[3:], strict=False))
            out.append(sum(g in grams for g in four) / len(four) if len(four) > 2 else 0.0)
    return out


def labelled(rows: list[dict[str, Any]]) -> pl.DataFrame:
    """The lines of pages, with `want` and `weight` (a page with a known main text weighs 1)."""
    frames = []
    for at, page in enumerate(rows):
        lines = [line for line in page["text"].split("\n") if line.strip()]
        want = label(page, lines)
        frames.append(_weighted(at, lines, want, 1.0 if page["main_content"] else 0.3))
        # The same with few menus, and its main text by itself: what is clean already should stay.
        hits = [i for i, w in enumerate(want) if w is not None and w > 0.5]
        if page["main_content"] and hits:
            near = [0, *range(max(1, hits[0] - 6), min(len(lines), hits[-1] + 7))]
            few = [lines[i] for i in near], [want[i] for i in near]
            frames.append(_weighted(len(rows) + at, *few, full=CROPPED))
            main = [line for line in page["main_content"].split("\n") if line.strip()]
            frames.append(_weighted(2 * len(rows) + at, main, [1.0] * len(main), full=BARE))
            frames.append(_weighted(3 * len(rows) + at, [" ".join(main)], [1.0], full=BARE))
    return pl.concat(frames)


def _weighted(at: int, lines: list[str], want: list[float | None], full: float) -> pl.DataFrame:
    size = [len(_TOKEN.findall(line)) + 2 for line in lines]
    known = sum(s for s, w in zip(size, want, strict=True) if w is not None) or 1
    return pl.DataFrame(
        {"line": lines, "want": want, "weight": [s / known * full for s in size]},
        schema={"line": pl.String, "want": pl.Float64, "weight": pl.Float64},
    ).select(pl.lit(at, pl.UInt32).alias("row"), pl.all())


def logistic(data: pl.DataFrame, names: tuple[str, ...], ridge: float = 0.03) -> dict[str, float]:
    """Weights of `names` and the constant that minimise weighted log loss plus ridge."""
    data = data.filter(pl.col("want").is_not_null()).with_columns(pl.lit(1.0).alias("_one"))
    columns = [*names, "_one"]
    beta = [0.0] * len(columns)
    for _ in range(12):
        odds = pl.sum_horizontal(pl.col(c) * b for c, b in zip(columns, beta, strict=True))
        p = 1 / (1 + (-odds.clip(-30, 30)).exp())
        step = data.with_columns(p.alias("_p")).with_columns(
            (pl.col("weight") * pl.col("_p") * (1 - pl.col("_p"))).alias("_w"),
            (pl.col("weight") * (pl.col("want") - pl.col("_p"))).alias("_r"),
        )
        slope = step.select(pl.col(c).dot(pl.col("_r")).alias(c) for c in columns).row(0)
        hessian = []
        for i, a in enumerate(columns):
            scaled = pl.col(a) * pl.col("_w")
            dots = step.select(pl.col(c).dot(scaled).alias(c) for c in columns[: i + 1]).row(0)
            hessian.append(list(dots))
        n = len(columns)
        full = [[hessian[max(i, j)][min(i, j)] for j in range(n)] for i in range(n)]
        for i in range(n - 1):
            full[i][i] += ridge
        full[n - 1][n - 1] += 1e-9
        pull = [ridge * b for b in beta[:-1]] + [0.0]
        target = [s - p for s, p in zip(slope, pull, strict=True)]
        change = _solve(full, target)
        beta = [b + d for b, d in zip(beta, change, strict=True)]
        if max(map(abs, change)) < 1e-4:
            break
    return {n: round(b, 3) for n, b in zip((*names, CONSTANT), beta, strict=True)}


def _solve(matrix: list[list[float]], target: list[float]) -> list[float]:
    """Gaussian elimination with pivoting."""
    n = len(target)
    m = [[*row, t] for row, t in zip(matrix, target, strict=True)]
    for i in range(n):
        pivot = max(range(i, n), key=lambda r: abs(m[r][i]))
        m[i], m[pivot] = m[pivot], m[i]
        for r in range(n):
            if r != i and m[r][i]:
                factor = m[r][i] / m[i][i]
                m[r] = [x - factor * y for x, y in zip(m[r], m[i], strict=True)]
    return [m[i][n] / m[i][i] for i in range(n)]


def fit() -> None:
    """Write the weights of both passes, then print the F1 of thresholds on the fit half."""
    from mashbill.runtime.boilerplate.context import PLACE_FEATURES, place
    from mashbill.runtime.boilerplate.lines import LINE_FEATURES
    from mashbill.runtime.boilerplate.lines import measure as measure_lines
    from mashbill.runtime.boilerplate.verdict import chance

    rows = pages("fit")
    data = measure_lines(labelled(rows))
    tables = {"ALONE": logistic(data, LINE_FEATURES)}
    data = chance(data, tables["ALONE"])
    for name in ("PLACED", "SETTLED"):
        data = place(data)
        tables[name] = logistic(data, (*LINE_FEATURES, *PLACE_FEATURES))
        data = chance(data, tables[name])
    text = '"""Weights of the lines\' features, written by `tests/benchmarks/clean.py --fit`."""\n'
    for name, table in tables.items():
        pairs = "".join(f'    "{n}": {w},\n' for n, w in table.items())
        text += f"\n{name}: dict[str, float] = {{\n{pairs}}}\n"
    (ROOT / "runtime" / "boilerplate" / "weights.py").write_text(text, encoding="utf-8")
    for threshold in (0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55):
        kept = data.filter(pl.col("chance") >= threshold)
        texts = dict(kept.group_by("row").agg(pl.col("line").str.join("\n")).iter_rows())
        f1 = [
            token_scores(texts.get(i, ""), p["main_content"])[2]
            for i, p in enumerate(rows)
            if p["main_content"]
        ]
        print(f"threshold {threshold}: F1 {sum(f1) / len(f1):.4f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Measure `clean` on real pages, or fit it.")
    parser.add_argument("--fit", action="store_true")
    fit() if parser.parse_args().fit else measure()
