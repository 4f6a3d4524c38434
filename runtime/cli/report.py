"""What a run did, in a few lines: steps, mix, estimated against actual, where the data set is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...compiler.quantities import show_count, show_duration, show_money, show_share
from ..afterwards.words import block
from ..api import Run
from ..tally import never_passed


def summary(run: Run) -> str:
    """The end of `mashbill run`."""
    record = run.record
    lines = [*steps(record["steps"]), *audits(record), *models(record["models"])]
    lines += mix(record["mix"]) if record["mix"] else []
    lines += estimated(record)
    lines += budget(record)
    lines += errors(record, run)
    lines += warnings(record)
    lines += doubts(record)
    rows = record["output"]["rows"]
    where = run.project.shown_path(run.path)
    lines.append(
        f"\n{rows:,} rows in {where}   (run {record['run']}, {show_duration(record['seconds'])}"
        f"{passes(record)})"
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


def audits(record: Mapping[str, Any]) -> list[str]:
    """What audits measured: of each check the share of rows that pass, and how sure that is."""
    found = record.get("checks", {})
    lines = []
    for step in record.get("audits", ()):
        lines += [f" {step} would pass", *checks(found[step])] if step in found else []
    return ["", *lines] if lines else []


def checks(found: Mapping[str, Any]) -> list[str]:
    """A line a check: rows that passed of those that it judged, and why the others did not."""
    wide = max(map(len, found), default=0)
    lines = []
    for name, c in found.items():
        low, high = c["interval"]
        share = f"{show_share(c['passed'] / c['judged'])} ({show_share(low)}–{show_share(high)})"
        why = " · ".join(f"{reason} {count:,}" for reason, count in c["failed"].items())
        tail = f"   {why}" if why else ""
        lines.append(f"    {name:<{wide}}  {c['passed']:,} of {c['judged']:,}, {share}{tail}")
    return lines


def doubts(record: Mapping[str, Any]) -> list[str]:
    """Checks that passed none of many rows: more likely than not they are wrong themselves."""
    lines = []
    for step, name, c in never_passed(record.get("checks", {})):
        why = ", ".join(f"{reason} {count:,}" for reason, count in list(c["failed"].items())[:3])
        lines += [
            f"warning[V402]: check `{name}` of `{step}` passed 0 of {c['judged']:,} rows: {why}",
            f"    look at them: mashbill show {step}",
        ]
    return ["", *lines] if lines else []


def warnings(record: Mapping[str, Any]) -> list[str]:
    """What the run showed that its plan had not said, each with what to type."""
    lines = []
    for found in record.get("warnings") or ():
        lines += [f"warning[{found['code']}]: {found['message']}", f"    {found['help']}"]
    return ["", *lines] if lines else []


def models(stats: Mapping[str, Any]) -> list[str]:
    """A line a model: calls, tokens, speed."""
    lines = []
    for name, s in stats.items():
        speed = f", {s['completion_tokens'] / s['seconds']:,.0f} tok/s" if s["seconds"] else ""
        spent = f", {show_money(s['usd'])}" if s.get("usd") is not None else ""
        lines.append(
            f" {name}: {s['sent']:,} calls ({s['reused']:,} more from the ledger), "
            f"{show_count(s['prompt_tokens'])} tokens in, "
            f"{show_count(s['completion_tokens'])} out{speed}{spent}"
        )
        if beside := _beside(s):
            lines.append(f"    {beside}")
    return ["", *lines] if lines else []


def _beside(stats: Mapping[str, Any]) -> str:
    """What else a model's window saw: equal requests, tries that failed, how its engine did."""
    sent = max(stats["sent"], 1)
    parts = []
    if hidden := stats.get("hidden_tokens"):
        parts.append(f"{show_count(hidden)} of the tokens out hidden: thoughts")
    if stats["shared"]:
        parts.append(f"{stats['shared']:,} equal ones asked once")
    if stats["retried"]:
        parts.append(f"{stats['retried']:,} sent again after a fault")
    if stats.get("failed"):
        parts.append(f"{stats['failed']:,} failed for good")
    if stats.get("under_way", 0) and stats.get("queued", 0) > stats["under_way"] / 100:
        parts.append(
            f"{show_duration(stats['queued'] / sent)} in the queue and "
            f"{show_duration(stats['under_way'] / sent)} under way each"
        )
    if stats.get("note"):
        parts.append(stats["note"])
    return " · ".join(parts)


def passes(record: Mapping[str, Any]) -> str:
    """How often ladders were gone down, if more than once."""
    count = record.get("passes", 1)
    return f", {count} passes (run --retry rejected)" if count > 1 else ""


def budget(record: Mapping[str, Any]) -> list[str]:
    """What of each cap is spent, as the budget has put it into words."""
    found = record.get("budget") or {}
    said = found.get("said") if isinstance(found, Mapping) else None
    return ["", *(f"Budget  {line}" for line in said)] if said else []


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
    """Estimated against actual, and what the errors are owed to."""
    return block(record.get("afterwards"))


def errors(record: Mapping[str, Any], run: Run) -> list[str]:
    """Where to find rows that ended in errors."""
    if not record["errors"]:
        return []
    place = run.project.shown_path(run.project.state / "runs" / record["run"] / "errors.jsonl")
    kinds = error_kinds(record["steps"])
    told = ", ".join(f"{kind} {count:,}" for kind, count in kinds.items())
    return [
        "",
        f"{record['errors']:,} rows could not be read or made ({told}); each with its reason in "
        f"{place}",
        *(["ask again:  mashbill run --retry errors"] if set(kinds) - {"unreadable"} else []),
    ]


def error_kinds(accounts: Mapping[str, Any]) -> dict[str, int]:
    """Rows that ended in errors, by kind over all steps, the commonest first."""
    found: dict[str, int] = {}
    for account in accounts.values():
        for kind, count in account["errors"].items():
            found[kind] = found.get(kind, 0) + count
    return dict(sorted(found.items(), key=lambda kind: (-kind[1], kind[0])))
