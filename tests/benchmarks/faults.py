"""What faults of a server cost: rows, requests and time.

    python tests/benchmarks/faults.py [--rows 2000] [--rates 0 0.01 0.05 0.2] [--deaths]

A real server on loopback injects every fault of `tests/faults/plan.py` at a rate: silence, resets,
half replies, 429 with and without Retry-After, 500, 503, wrong JSON, empty and truncated texts, NaN
log probabilities, filtered and overlong answers, slow ones, kept connections closed. Two generate
steps and a rewrite with a ladder ask it, and a mix takes what they made. At every rate the accounts
of every step must add up, no answered request may be paid again, and what failed for good must
stand in `errors.jsonl`. With `--deaths` the server also dies and hangs now and then.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import mashbill as mb  # noqa: E402
from tests.faults.process import FaultServer  # noqa: E402

RECIPE = """\
mashbill: 1
name: faults
seed: 7
models:
  writer:
    use: http/some
    url: URL
    sampling: { max_tokens: 200 }
    placement: { concurrency: FLIGHT, timeout: 1s }
sources:
  docs: { path: docs.jsonl, license: CC0-1.0, origin: human }
steps:
  notes: { op: generate, from: docs, model: writer, prompt: prompts/notes.md.j2 }
  more:
    op: generate
    from: notes
    model: writer
    prompt: prompts/more.md.j2
    on_fail: [retry: 1, reject]
  book:
    op: rewrite
    from: docs
    model: writer
    prompt: prompts/book.md.j2
    checks: { length: { min: 0.1, max: 9 } }
    on_fail: [{ retry: 1 }, { fallback: input }]
mix:
  total: 100M tokens
  parts: { docs: 50%, more: 25%, book: 25% }
  min_human: 50%
  on_shortfall: shrink
tokenizer: writer
"""


def project(folder: Path, url: str, rows: int, flight: int) -> None:
    """Write the recipe, its prompts and its rows."""
    (folder / "prompts").mkdir(parents=True)
    (folder / ".mashbill").mkdir()
    (folder / "recipe.yaml").write_text(RECIPE.replace("URL", url).replace("FLIGHT", str(flight)))
    for name in ("notes", "more", "book"):
        (folder / f"prompts/{name}.md.j2").write_text(
            "---\ninputs: { text: str }\n---\n{% block system %}"
            f"Write {name}.{{% endblock %}}\n{{% block user %}}{{{{ text }}}}{{% endblock %}}\n"
        )
    text = "The mill by the river ground flour for the valley until the flood of 1910 came. "
    (folder / "docs.jsonl").write_text(
        "".join(json.dumps({"text": f"Note {i}. {text * 3}"}) + "\n" for i in range(rows))
    )


def balance(record: dict[str, Any]) -> None:
    """Assert the accounting identity at every step."""
    for name, a in record["steps"].items():
        gone = a["out"] + a["merged"] + a["routed"] + a["pending"]
        gone += sum(a["rejected"].values()) + sum(a["errors"].values())
        assert a["in"] + a["created"] == gone, (name, a)


def measure(rate: float, rows: int, flight: int, **faults: Any) -> float:
    """Run at a rate of faults, print what came of it; rows a second."""
    with (
        tempfile.TemporaryDirectory(prefix="mashbill-faults-") as name,
        FaultServer(rate=rate, latency=0.05, retry_after=1.0, **faults) as server,
    ):
        folder = Path(name)
        project(folder, server.url, rows, flight)
        plan = mb.load(folder).plan(survey=False)
        began = time.monotonic()
        record = dict(plan.run().record)
        seconds = time.monotonic() - began
        stats = server.stats()
        balance(record)
        model = record["models"]["writer"]
        errors = sum(sum(a["errors"].values()) for a in record["steps"].values())
        kept = (
            (folder / ".mashbill/runs/r-0001/errors.jsonl").read_text().splitlines()
            if errors
            else []
        )
        assert len(kept) == errors == record["errors"], "an error without a word"
        assert sum(a["pending"] for a in record["steps"].values()) == 0
        # A reply that broke off on its way was paid for, and nobody has it.
        broken = sum(stats["faults"].get(k, 0) for k in ("drip", "close"))
        assert stats["repaid"] <= broken + flight * (stats["deaths"] + stats["hangs"])
        before = stats["requests"]
        again = (
            dict(mb.load(folder).plan(survey=False).run(replace=True).record) if errors else record
        )
        balance(again)
        asked = server.stats()["requests"] - before
        print(
            f"{rate:5.0%}  {rows / seconds:6.0f} rows/s  {model['sent']:,} sent, "
            f"{model['retried']:,} again, {errors:,} errors {kinds(record)}; "
            f"rejected {rejects(record)}; a rerun asks {asked:,}"
        )
        return rows / seconds


def kinds(record: dict[str, Any]) -> dict[str, int]:
    """Errors of all steps by kind."""
    found: dict[str, int] = {}
    for account in record["steps"].values():
        for kind, count in account["errors"].items():
            found[kind] = found.get(kind, 0) + count
    return found


def rejects(record: dict[str, Any]) -> int:
    """Rows that were rejected."""
    return sum(sum(a["rejected"].values()) for a in record["steps"].values())


def main() -> None:
    """Parse, measure, print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--flight", type=int, default=64)
    parser.add_argument("--rates", type=float, nargs="+", default=[0, 0.01, 0.05, 0.2])
    parser.add_argument("--deaths", action="store_true")
    given = parser.parse_args()
    rates = {rate: measure(rate, given.rows, given.flight) for rate in given.rates}
    quiet = rates.get(0)
    for rate, found in rates.items():
        if quiet and rate:
            print(f"at {rate:.0%}: {found / quiet:.2f} of the rate without faults")
    if given.deaths:
        measure(0.01, given.rows, given.flight, die_every=1500, die_for=2.0)
        measure(0.01, given.rows, given.flight, hang_every=1500, hang_for=3.0)


if __name__ == "__main__":
    main()
