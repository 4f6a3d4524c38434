"""A plan for the terminal: what runs and why, what it costs, what is not sure, what it makes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..estimating.estimates import Estimates
from ..meaning import Meaning
from ..plan import Plan
from ..quantities import show_share
from . import caps, mix, notes
from .folding import flow, fold
from .subject import WORDS, Last, PilotSpent, Subject, subject_of
from .tables import cells_of, table


def explain(
    plan: Plan,
    estimates: Estimates | None,
    last: Last | None,
    missing: Mapping[str, str],
    *,
    meaning: Meaning | None = None,
    lock: str = "",
    budget: Mapping[str, Any] | None = None,
    worth_lines: Sequence[str] = (),
    width: int = 80,
    verbose: bool = False,
    selected: Collection[str] | None = None,
    pilot: PilotSpent | None = None,
) -> str:
    """The plan as text.

    Args:
        plan: What would run.
        estimates: None where nothing was measured.
        last: The last run to compare with.
        missing: Models that are not here, and what to type.
        meaning: What decides the plan's results; without it the plan says, in which rewriting may
            show.
        lock: What to say of the lock.
        budget: Caps by kind, as `Plan.budget` holds them, in its place: those that apply to a
            recipe that declares none.
        worth_lines: What the data is worth, in a line or two.
        width: Columns of the terminal; no line is longer.
        verbose: Whether steps that are as they were, with nothing left to pay for, are shown.
        selected: Steps to tell and to sum; None for all.
        pilot: What has just been spent on real rows.
    """
    subject = subject_of(
        plan,
        estimates,
        last,
        meaning=meaning,
        budget=budget,
        verbose=verbose,
        selected=selected,
    )
    lines = table(subject, width) if subject.shown else [nothing(subject)]
    letters = [*cells_of(subject), *(c for row in mix.part_cells(subject).values() for c in row)]
    blocks = [
        ["   ".join(heading(subject, lock))],
        [notes.selection(subject)],
        [symbols(subject)],
        lines,
        [f"   {line}" for line in _in_full(subject, lines)],
        [
            *flow(notes.legend(subject, letters, pilot), width),
            *(f"   {line}" for line in below(subject, pilot)),
        ],
        [f"   {line}" for line in _advice(notes.largest(subject))],
        [f"   rule {name}: {sentence}" for name, sentence in plan.applied],
        mix.forecast(subject, width),
        list(worth_lines),
        *(why.splitlines() for why in missing.values()),
        [summary(subject), *caps.exceeded(subject)],
    ]
    told = ("\n".join(_lines(block, width)) for block in blocks)
    return "\n\n".join(filter(None, told))


def heading(subject: Subject, lock: str) -> list[str]:
    """The recipe, the plan's digest, the lock, and what it is compared with."""
    plan = subject.plan
    parts = [f"{plan.recipe['name']}  plan {plan.digest[:12]}", lock]
    parts += [f"compared with {subject.compared}"] if subject.compared else []
    return [part for part in parts if part]


def symbols(subject: Subject) -> str:
    """What the symbols mean, of those that are shown; nothing where all steps are new."""
    used = {step.symbol for step in subject.shown}
    if used <= {"+"}:
        return ""
    told = (f"{symbol} {word}" for symbol, word in WORDS.items() if symbol in used)
    return f"   {'   '.join(told)}"


def summary(subject: Subject) -> str:
    """How many steps there are of each kind, and what the ledger holds already."""
    parts = [f"{n} {WORDS[symbol]}" for symbol, n in subject.counts.items()]
    if subject.hidden:
        at = next(i for i, part in enumerate(parts) if part.endswith(WORDS["="]))
        unseen = subject.hidden if subject.hidden < subject.counts["="] else ""
        parts[at] += f" ({unseen} not shown: -v)".replace("( ", "(")
    asking = [s.estimate.reused for s in subject.steps if s.asks and s.estimate]
    tail = ""
    if asking and max(asking) > 0:
        least, most = show_share(min(asking)), show_share(max(asking))
        same = f"about {most} of the calls"
        held = same if least == most else f"{least} to {most} of their calls"
        tail = f" The ledger holds {held}."
    return f"Plan: {', '.join(parts)}.{tail}"


def below(subject: Subject, pilot: PilotSpent | None = None) -> Iterator[str]:
    """What is said below the table, a line each."""
    if subject.estimates is None:
        yield "Nothing was measured: rows, calls and costs are not known."
    if pilot and pilot.stopped:
        yield f"The pilot ended early: {pilot.stopped}"
    if not subject.shown:
        return
    yield from filter(None, (notes.worst_case(subject), caps.others(subject)))
    yield from filter(None, (notes.prefixes(subject), *notes.rates(subject)))
    yield from notes.cut_off(subject)


def _in_full(subject: Subject, lines: Sequence[str]) -> Iterator[str]:
    """What changed where, of the steps whose reason was cut."""
    whole = "\n".join(lines)
    for step in subject.shown:
        if step.symbol == "~" and step.why not in whole:
            yield f"{step.name}   {step.why}"


def _advice(advice: notes.Advice) -> Iterator[str]:
    if advice.why:
        yield advice.why
    if advice.action:
        yield f"  {advice.action}   {advice.gain}"


def _lines(block: Iterable[str], width: int) -> Iterator[str]:
    """The lines of a block; those of a table are as they are, blank ones between tables stay."""
    for line in block:
        yield from fold(line, width)


def nothing(subject: Subject) -> str:
    """What stands in place of the table where no step has a line."""
    asks = any(step.asks for step in subject.steps)
    rest = ", and no call is left to pay for" if asks and subject.estimates else ""
    return f"   No step has changed{rest}."
