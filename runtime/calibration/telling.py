"""A calibration in words and as JSON."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...compiler.quantities import show_share
from ...compiler.render import clean
from .figures import Judged, mistakes
from .rates import Rate
from .thresholds import Point

if TYPE_CHECKING:
    from .calibrate import Calibration

KINDS_SHOWN = 20
EVIDENCE_LINES = 3
CAVEAT = (
    "an index: more is better. The bound is sharp for linear classifiers, no guarantee for "
    "language models (arXiv:2406.07515)"
)


def json_of(found: Calibration, wrong: float | None) -> dict[str, Any]:
    """See `Calibration.to_json`."""
    figures, choice = found.figures, found.choice
    share = figures.wrong if wrong is None else wrong
    return {
        "check": found.subject.name,
        "kind": found.subject.operator.name,
        "version": found.subject.operator.version,
        "params": dict(found.subject.check["params"]),
        "data": found.data.file,
        "label": found.data.label,
        "rows": len(found.judged),
        "good": figures.phi.of,
        "bad": figures.psi.of,
        "unlabelled": found.data.unlabelled,
        "phi": _rate_json(figures.phi),
        "psi": _rate_json(figures.psi),
        "psi_by_kind": {kind: _rate_json(rate) for kind, rate in figures.by_kind.items()},
        "balanced_accuracy": figures.balanced_accuracy,
        "wrong": share,
        "precision": figures.precision(share),
        "precision_95": list(figures.precision_interval(share)),
        "yield": figures.yield_(share),
        "p_star": figures.break_even,
        "p_star_note": CAVEAT,
        "rejected": {r: {"good": g, "bad": b} for r, (g, b) in figures.reasons.items()},
        "errors": dict(figures.errors),
        "calls": {"sent": found.sent, "reused": found.reused},
        "threshold": {
            "by": choice.by,
            "at": choice.best.at,
            "wanted_precision": choice.wanted,
            "wrong": choice.wrong,
            "met": choice.met,
            "chosen_on": _point_json(choice.best, choice.wrong),
            "held_out": _point_json(choice.held_out, choice.wrong),
            "folds": list(choice.folds),
            "tried": [{"at": p.at, **_point_json(p, choice.wrong)} for p in choice.points],
        }
        if choice
        else None,
        "kept_wrongly": [_judged_json(one) for one in mistakes(found.judged, kept=True)],
        "rejected_wrongly": [_judged_json(one) for one in mistakes(found.judged, kept=False)],
    }


def _rate_json(rate: Rate) -> dict[str, Any]:
    return {
        "kept": rate.kept,
        "of": rate.of,
        "share": rate.share,
        "interval_95": list(rate.interval()),
    }


def _point_json(point: Point, wrong: float) -> dict[str, Any]:
    return {
        "precision": point.precision(wrong),
        "precision_95": list(point.precision_interval(wrong)),
        "phi": _rate_json(point.phi),
        "psi": _rate_json(point.psi),
    }


def _judged_json(one: Judged) -> dict[str, Any]:
    found = {"row": one.example.number, "reason": one.reason, "evidence": dict(one.evidence)}
    return {**found, "kinds": list(one.example.kinds)} if one.example.kinds else found


def lines_of(found: Calibration, wrong: float | None, width: int, shown: int) -> Iterator[str]:
    """See `Calibration.text`."""
    for line in _lines(found, wrong, width, shown):
        yield clean(line)


def _lines(found: Calibration, wrong: float | None, width: int, shown: int) -> Iterator[str]:
    figures, data = found.figures, found.data
    judged = figures.phi.of + figures.psi.of
    kind = f", kinds from {data.kind}" if data.kind else ""
    yield f"{found.subject.name} on {data.file}"
    yield f"{judged:,} rows: {figures.phi.of:,} good, {figures.psi.of:,} bad ({data.label}{kind})"
    if data.unlabelled:
        yield f"{data.unlabelled:,} rows have no label and were left out"
    if found.sent or found.reused:
        yield f"{found.sent:,} calls paid for, {found.reused:,} from the ledger"
    yield ""
    yield from _rates(found)
    yield ""
    share = figures.wrong if wrong is None else wrong
    whose = "as in the data" if wrong is None else "as you say"
    low, high = figures.precision_interval(share)
    if (accuracy := figures.balanced_accuracy) is not None:
        yield f"balanced accuracy {accuracy:.3f}"
    right = figures.precision(share)
    if right is None:
        yield "nothing is kept, so there is no precision"
    else:
        yield from textwrap.wrap(
            f"of a pool with {show_share(share)} wrong rows ({whose}): precision {right:.3f} "
            f"({low:.3f} to {high:.3f}), yield {show_share(figures.yield_(share) or 0.0)}",
            width,
            subsequent_indent="   ",
        )
    if (even := figures.break_even) is not None:
        text = f"p* {even:.3f}: up to this share of wrong rows in the pool, more right ones are "
        told = f"{text}kept than wrong ones ({CAVEAT})"
        yield from textwrap.wrap(told, width, subsequent_indent="   ")
    yield from _reasons(figures.reasons, width)
    if figures.errors:
        number = sum(figures.errors.values())
        first = next(iter(figures.errors))
        rows = "row" if number == 1 else "rows"
        yield f"not judged, and counted nowhere above: {number:,} {rows}"
        yield f"   {_cut(first, width - 3)}"
    if found.choice is not None:
        yield ""
        yield from _choice(found, width)
    if shown:
        yield from _mistakes(found, width, shown)


def _rates(found: Calibration) -> Iterator[str]:
    figures = found.figures
    kinds = list(figures.by_kind.items())
    names = ["φ  good rows kept", "ψ  bad rows kept", *(f"   {k}" for k, _ in kinds[:KINDS_SHOWN])]
    rates = [figures.phi, figures.psi, *(r for _, r in kinds[:KINDS_SHOWN])]
    room = min(max(map(len, names)), 40)
    yield f"{'':<{room}}    kept      of   share   95 % interval"
    for name, rate in zip(names, rates, strict=True):
        share = "    ?" if rate.share is None else f"{rate.share:.3f}"
        low, high = rate.interval()
        shown = _cut(name, room)
        yield f"{shown:<{room}}{rate.kept:>8,}{rate.of:>8,}   {share}   {low:.3f} to {high:.3f}"
    if (more := len(kinds) - KINDS_SHOWN) > 0:
        yield f"   … {more} more kinds: --format json"


def _reasons(reasons: Mapping[str, tuple[int, int]], width: int) -> Iterator[str]:
    if not reasons:
        return
    sides = {r: ((bad, "bad"), (good, "good")) for r, (good, bad) in reasons.items()}
    told = ", ".join(
        f"{reason} ({', '.join(f'{n:,} {whose}' for n, whose in counted if n)})"
        for reason, counted in sides.items()
    )
    yield from textwrap.wrap(f"rejected: {told}", width, subsequent_indent="   ")


def _choice(found: Calibration, width: int) -> Iterator[str]:
    choice = found.choice
    assert choice is not None
    name, _, sign = choice.by.partition(" ")
    at = f"{name} {sign} {choice.best.at:g}" if sign else f"{name}: {choice.best.at:g}"
    pool = f"{show_share(choice.wrong)} wrong rows in the pool"
    if choice.met:
        told = (
            f"{at}   of {len(choice.points)} values tried, this keeps most good rows at precision "
            f"{choice.wanted:g} or more ({pool})"
        )
    else:
        told = (
            f"{at}   is the most precise of {len(choice.points)} values tried: none reaches "
            f"precision {choice.wanted:g} ({pool})"
        )
    yield from textwrap.wrap(told, width, subsequent_indent="   ")
    yield f"   {'':<15}{'chosen on these rows':<25}on rows held out"
    for name, show in _FIGURES.items():
        sides = (show(point, choice.wrong) for point in (choice.best, choice.held_out))
        yield f"   {name:<15}{next(sides):<25}{next(sides)}".rstrip()
    folds = ", ".join(f"{at:g}" for at in choice.folds)
    group = found.data.group
    together = f", rows of one {group} together" if group else ""
    told = f"held out: five folds{together}, each judged by what the others choose ({folds})"
    yield from textwrap.wrap(told, width - 3, initial_indent="   ", subsequent_indent="   ")


_FIGURES: Mapping[str, Callable[[Point, float], str]] = {
    "precision": lambda p, wrong: _spread(p.precision(wrong), p.precision_interval(wrong)),
    "recall (φ)": lambda p, _: _spread(p.phi.share, p.phi.interval()),
    "ψ": lambda p, _: _spread(p.psi.share, p.psi.interval()),
}


def _spread(share: float | None, interval: tuple[float, float]) -> str:
    low, high = interval
    return "nothing is kept" if share is None else f"{share:.3f} ({low:.3f} to {high:.3f})"


def _mistakes(found: Calibration, width: int, shown: int) -> Iterator[str]:
    for head, kept in (("bad rows that were kept", True), ("good rows that were rejected", False)):
        wrong = mistakes(found.judged, kept=kept)
        if not wrong:
            continue
        yield ""
        yield f"{head}: {len(wrong):,}" + (f", the first {shown}" if len(wrong) > shown else "")
        for one in wrong[:shown]:
            yield from _mistake(one, found.subject.reads, width)


def _mistake(one: Judged, reads: Sequence[str], width: int) -> Iterator[str]:
    said = [one.reason] if one.reason else []
    said += [f"labelled {', '.join(one.example.kinds)}"] if one.example.kinds else []
    yield _cut(f"   row {one.example.number}   {'   '.join(said)}".rstrip(), width)
    if one.evidence:
        shown = json.dumps(dict(one.evidence), ensure_ascii=False, default=str)
        lines = textwrap.wrap(shown, width - 6, max_lines=EVIDENCE_LINES, placeholder=" …")
        yield from (f"      {line}" for line in lines)
    for column in reads:
        value = one.example.row.get(column)
        text = value if isinstance(value, str) else json.dumps(value, default=str)
        yield _cut(f"      {column}: {' '.join(text.split())}", width)


def _cut(text: str, size: int) -> str:
    return text if len(text) <= size else f"{text[: max(0, size - 1)]}…"
