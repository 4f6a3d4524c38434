"""A plan for the terminal: what runs and why, what it costs, what is not sure, what it makes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ..quantities import show_share
from . import caps, mix, notes
from .folding import flow, fold
from .subject import WORDS, PilotSpent, Subject
from .tables import cells_of, table
from .told import Told


def explain(told: Told, *, width: int = 80, verbose: bool = False, value: bool = False) -> str:
    """The plan as text.

    Args:
        told: What to tell.
        width: Columns of the terminal; no line is longer.
        verbose: Whether steps that are as they were, with nothing left to pay for, are shown.
        value: Whether all of what the data is worth is told, not a line or two.
    """
    subject = told.subject(verbose=verbose)
    lines = table(subject, width) if subject.shown else [nothing(subject)]
    letters = [*cells_of(subject), *(c for row in mix.part_cells(subject).values() for c in row)]
    blocks = [
        ["   ".join(heading(subject, told.lock))],
        [notes.selection(subject)],
        [symbols(subject)],
        lines,
        [f"   {line}" for line in _in_full(subject, lines)],
        [
            *flow(notes.legend(subject, letters, told.pilot), width),
            *(f"   {line}" for line in below(subject, told.pilot)),
        ],
        [f"   {line}" for line in _advice(notes.largest(subject))],
        [f"   rule {name}: {sentence}" for name, sentence in told.plan.applied],
        mix.forecast(subject, width),
        told.worth_lines(value=value),
        *(why.splitlines() for why in told.missing.values()),
        [summary(subject), *caps.exceeded(subject)],
    ]
    text = "\n\n".join(filter(None, ("\n".join(_lines(block, width)) for block in blocks)))
    if not (value and told.worth):
        return text
    from ..worth import worth_text

    return "\n".join([text, "", *worth_text(told.worth, width)])


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
    told = (notes.hurried(subject), notes.worst_case(subject), caps.others(subject))
    yield from filter(None, told)
    yield from filter(None, (notes.prefixes(subject), *notes.rates(subject)))
    yield from notes.cut_off(subject)
    yield from notes.thoughts(subject)


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
