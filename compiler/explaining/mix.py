"""The mix as it is forecast: what each part has, what is taken of it, how often it is repeated."""

from __future__ import annotations

from ..cells import clean, display_width
from ..estimating.numbers import NOTHING, UNKNOWN, Number
from ..quantities import show_count, show_share
from .grid import Column, Row
from .numerals import NONE, Cell, cell, range_of
from .subject import Subject
from .tables import parted

COLUMNS = (
    Column("part", words=True, least=12, middle=True),
    Column("weight"),
    Column("taken"),
    Column("supply", lead="of "),
    Column("epochs"),
)


def forecast(subject: Subject, width: int) -> list[str]:
    """The forecast as a table; nothing for a recipe without a mix, or of selected steps."""
    parts = part_cells(subject)
    if not parts:
        return []
    rows = [Row(cells) for cells in parts.values()]
    lines = parted(COLUMNS[0], COLUMNS[1:], rows, width)
    paths = [f"  {subject.plan.renders.get(name, {}).get('path', '')}".rstrip() for name in parts]
    if len(lines) == 1 + len(rows) and any(paths):
        widest = max(map(display_width, lines))
        told = [
            line + " " * (widest - display_width(line)) + clean(path)
            for line, path in zip(lines[1:], paths, strict=True)
        ]
        if all(display_width(line) <= width for line in told):
            lines[1:] = [line.rstrip() for line in told]
    return [f"Mix forecast  ({wanted(subject)})", *lines, *(f"   {n}" for n in remarks(subject))]


def wanted(subject: Subject) -> str:
    """How much is wanted, and whose tokens count."""
    total = (subject.plan.mix or {}).get("total")
    size = f"{show_count(total)} tokens wanted" if total else "as many tokens as the shares allow"
    return f"{size}, by the tokenizer of {subject.plan.tokenizer}"


def part_cells(subject: Subject) -> dict[str, tuple[Cell, ...]]:
    """Part, weight, tokens taken, tokens there are, epochs; by part."""
    plan, estimates = subject.plan, subject.estimates
    if plan.mix is None or estimates is None or subject.selected:
        return {}
    made: dict[str, tuple[Cell, ...]] = {}
    for name, part in sorted(plan.mix["parts"].items()):
        taken, supply = estimates.taken.get(name), estimates.supply.get(name, UNKNOWN)
        made[name] = (
            Cell(name),
            Cell(show_share(part["weight"])),
            Cell("?" if taken is None else show_count(taken)),
            cell(supply),
            _epochs(estimates.epochs.get(name, UNKNOWN if not supply.known else NOTHING)),
        )
    return made


def human(subject: Subject) -> str:
    """Share of what people wrote, against what is asked for; empty where it is not known."""
    share = subject.estimates.human_share if subject.estimates else None
    if share is None or subject.plan.mix is None:
        return ""
    least = subject.plan.mix["min_human"]
    held = share.value is None or share.value + 1e-6 >= least
    value = cell(share, show_share, spread=False).value
    around = f" [{range_of(*share.interval, show_share)}]" if share.interval else ""
    return (
        f"human share {value}{around} (min {show_share(least)})"
        f"{'' if share.value is None else '   ok' if held else '   TOO LITTLE'}"
    )


def remarks(subject: Subject) -> list[str]:
    """What else there is to say of it."""
    plan, estimates = subject.plan, subject.estimates
    if plan.mix is None or estimates is None:
        return []
    told = [human(subject)] if human(subject) else []
    total = plan.mix["total"]
    if total and estimates.taken and sum(estimates.taken.values()) < total * 0.999:
        told.append(f"short of the total: on_shortfall is {plan.mix['on_shortfall']}")
    return told


def _epochs(number: Number) -> Cell:
    """How often a part is repeated; a dash where it is taken once at most."""
    if number.value is None:
        return cell(number)
    once = number.value <= 1 and (number.high or 0.0) <= 1
    return Cell(NONE) if once else cell(number)
