"""Afterwards in words: a short block for the end of a run, `status` and `report`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..planning.planned import LABELS, QUANTITIES, show_amount
from .causes import CAUSES

SHORT = {"prompt": "tokens a call", "reply": "tokens a call"}
"""Causes where the quantity says which tokens are meant."""
WIDTH = 80
SAID = 0.005
"""Errors whose every cause is below this share are not split."""


def block(found: Mapping[str, Any] | None) -> list[str]:
    """Estimated against actual, in lines of at most 80 columns; none where nothing was asked for.

    Args:
        found: What `compare` made; a record's `afterwards`.
    """
    total = (found or {}).get("total")
    if not found or not total or not _told(total):
        return []
    complete = bool(found.get("complete", True))
    lines = ["", "Estimated → actual" if complete else "Estimated → actual, up to the pause"]
    table = [_cells(name, total[name], complete) for name in _told(total)]
    wide = [max(map(len, column)) for column in zip(*table, strict=True)]
    for (label, number, actual, off, where), name in zip(table, _told(total), strict=True):
        cells = (
            f"   {label:<{wide[0]}}  {number:<{wide[1]}} → {actual:<{wide[2]}}  {off:>{wide[3]}}"
        )
        line = f"{cells}  {where}".rstrip()
        if told := causes(total[name], name):
            apart = "  " if len(line) + len(told) + 4 <= WIDTH else f"\n   {'':<{wide[0]}}  "
            line += f"{apart}= {told}"
        lines += line.split("\n")
    steps = {n: s for n, s in found["steps"].items() if s.get("calls")}
    if len(steps) > 1:
        name_width = max(map(len, steps))
        for name, step in steps.items():
            if told := _step(step):
                lines.append(f"   {name:<{name_width}}  {told}"[:WIDTH].rstrip())
    return lines


def causes(amount: Mapping[str, Any], quantity: str = "") -> str:
    """`rows −2%, calls a row +1%, tokens a call +9%`, which add up to the error as it is shown.

    Empty where there is nothing that could be owed, or next to nothing.
    """
    found, ratio = amount.get("causes") or {}, amount["ratio"]
    if ratio is None or max(map(abs, found.values()), default=0.0) < SAID:
        return ""
    whole = rounded([*found.values()], round((ratio - 1) * 100))
    names = CAUSES if quantity == "usd" else {**CAUSES, **SHORT}
    told = [f"{names[n]} {_signed(v)}" for n, v in zip(found, whole, strict=True) if v]
    return ", ".join(told)


def rounded(shares: Sequence[float], percents: int) -> list[int]:
    """Shares in whole percents that add up to a given number (largest remainders)."""
    floors = [int(share * 100 // 1) for share in shares]
    rest = percents - sum(floors)
    order = sorted(range(len(shares)), key=lambda i: shares[i] * 100 % 1, reverse=True)
    for i in order[: max(min(rest, len(order)), 0)]:
        floors[i] += 1
    if rest < 0:  # the sum was rounded down past what the floors come to
        for i in order[rest:]:
            floors[i] -= 1
    return floors


def percent(ratio: float | None) -> str:
    """`+8%`, `−2%`, `±0%`; `?` where there is no ratio."""
    return "?" if ratio is None else _signed(round((ratio - 1) * 100))


def _signed(percents: int) -> str:
    return f"{'+' if percents > 0 else '−' if percents < 0 else '±'}{abs(percents)}%"


def _told(total: Mapping[str, Any]) -> list[str]:
    """Quantities of which there is something to say."""
    return [q for q in QUANTITIES if q in total and (total[q]["estimated"] or total[q]["actual"])]


def _cells(name: str, amount: Mapping[str, Any], complete: bool) -> tuple[str, ...]:
    low, high, value = amount["low"], amount["high"], amount["estimated"]
    number = show_amount(name, value)
    if low is not None and high is not None and low != high:
        number += f" [{show_amount(name, low)}–{show_amount(name, high)}]"
    where = ""
    if amount["inside"] is not None and low is not None:
        where = "inside" if amount["inside"] else "outside the 90% interval"
    return (
        LABELS[name],
        number,
        show_amount(name, amount["actual"]),
        percent(amount["ratio"]),
        where,
    )


def _step(step: Mapping[str, Any]) -> str:
    parts = []
    for name, label in (("rows_in", "rows"), *LABELS.items()):
        found = step.get(name)
        if found and found["ratio"] is not None:
            parts.append(f"{label} {percent(found['ratio'])}")
    return "  ".join(parts)
