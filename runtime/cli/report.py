"""What a run did, in a few lines: steps, mix, estimated against actual, where the data set is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...compiler.quantities import show_count, show_duration, show_share
from ..api import Run


def summary(run: Run) -> str:
    """The end of `mashbill run`."""
    record = run.record
    lines = [*steps(record["steps"]), *models(record["models"])]
    lines += mix(record["mix"]) if record["mix"] else []
    lines += estimated(record)
    lines += errors(record, run)
    rows = record["output"]["rows"]
    where = run.project.shown_path(run.path)
    lines.append(
        f"\n{rows:,} rows in {where}   (run {record['run']}, {show_duration(record['seconds'])})"
    )
    return "\n".join(lines).strip("\n")


def steps(accounts: Mapping[str, Any]) -> list[str]:
    """A line a step: rows, and where the others went."""
    wide = max(map(len, accounts), default=0)
    lines = []
    for name, a in accounts.items():
        asides = [f"rejected {k} {v:,}" for k, v in a["rejected"].items()]
        asides += [f"errors {k} {v:,}" for k, v in a["errors"].items()]
        if a["routed"]:
            asides.append(f"routed {a['routed']:,}")
        if a["created"]:
            asides.append(f"created {a['created']:,}")
        tail = "   " + " · ".join(asides) if asides else ""
        lines.append(f" {name:<{wide}}  {a['in']:>8,} → {a['out']:<8,}{tail}".rstrip())
        lines += units(a)
    return lines


def units(account: Mapping[str, Any]) -> list[str]:
    """How the chunks or samples of a model step ended, and why replies failed."""
    ended = {k: v for k, v in account["units"].items() if k != "kept"}
    if not ended:
        return []
    total = sum(ended.values())
    words = {"accepted": "accepted", "fallback": "fell back to the input", "rejected": "rejected"}
    shown = [f"{words.get(k, k)} {v:,} ({show_share(v / total)})" for k, v in ended.items()]
    kept = account["units"].get("kept", 0)
    tail = f" · {kept:,} headings and short lines kept as they are" if kept else ""
    lines = [f"    {total:,} asked about: {' · '.join(shown)}{tail}"]
    if account["failures"]:
        refused = {k: v for k, v in account["failures"].items() if k != "overlong"}
        why = " · ".join(f"{k} {v:,}" for k, v in refused.items())
        lines.append(
            f"    {account['attempts']:,} replies, {sum(refused.values()):,} refused: {why}"
        )
        if long := account["failures"].get("overlong"):
            lines.append(f"    {long:,} chunks too long to ask")
    return lines


def models(stats: Mapping[str, Any]) -> list[str]:
    """A line a model: calls, tokens, speed."""
    lines = []
    for name, s in stats.items():
        speed = f", {s['completion_tokens'] / s['seconds']:,.0f} tok/s" if s["seconds"] else ""
        lines.append(
            f" {name}: {s['sent']:,} calls ({s['reused']:,} more from the ledger), "
            f"{show_count(s['prompt_tokens'])} tokens in, "
            f"{show_count(s['completion_tokens'])} out{speed}"
        )
    return ["", *lines] if lines else []


def mix(found: Mapping[str, Any]) -> list[str]:
    """The mix as it came out."""
    lines = ["", f"Mix  {found['tokens']:,} tokens, {show_share(found['human_share'])} human"]
    for name, p in sorted(found["parts"].items()):
        merged = f", {p['merged']:,} equal rows merged" if p["merged"] else ""
        lines.append(
            f"   {name:<16}{show_share(p['share']):>6}   {p['taken']:,} of {p['supply']:,} tokens, "
            f"{p['taken_rows']:,} rows{merged}"
        )
    for name, (wanted, supply) in sorted(found["short"].items()):
        lines.append(f"   `{name}` could supply {supply:,} of the {wanted:,} tokens asked for")
    return lines


def estimated(record: Mapping[str, Any]) -> list[str]:
    """Estimated against actual, over all model steps."""
    estimates = (record["estimates"] or {}).get("steps", {})
    pairs = []
    for label, field, actual in (
        ("calls", "calls", sum(s["sent"] - s["retried"] for s in record["models"].values())),
        ("tokens in", "prompt_tokens", sum(s["prompt_tokens"] for s in record["models"].values())),
        (
            "tokens out",
            "reply_tokens",
            sum(s["completion_tokens"] for s in record["models"].values()),
        ),
    ):
        given = [e[field] for e in estimates.values() if e.get(field) is not None]
        if not given:
            continue
        if any(n["value"] is None for n in given):
            pairs.append(f"{label} ? → {show_count(actual)}")
            continue
        value = sum(n["value"] for n in given)
        off = f" ({(actual - value) / value * 100:+.0f}%)" if value else ""
        pairs.append(f"{label} {show_count(value)} → {show_count(actual)}{off}")
    return ["", f"Estimated → actual   {' · '.join(pairs)}"] if pairs else []


def errors(record: Mapping[str, Any], run: Run) -> list[str]:
    """Where to find rows that ended in errors."""
    if not record["errors"]:
        return []
    place = run.project.shown_path(run.project.state / "runs" / record["run"] / "errors.jsonl")
    return [
        "",
        f"{record['errors']:,} rows could not be read or made; each with its reason in {place}",
    ]
