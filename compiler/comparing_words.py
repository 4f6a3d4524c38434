"""What a change costs, told: for a terminal, and for a pull request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .changes import phrase
from .comparison import QUANTITIES, ROWS, Comparison, Move, StepMove
from .estimating.estimates import Spending
from .estimating.numbers import Number
from .explaining.folding import fold
from .explaining.numerals import Show, in_words, show_hours, show_usd
from .quantities import show_count
from .render import clean
from .textdiff import FileDiff


def _whole(number: float) -> str:
    """Rows and calls are whole, and so is what is expected of them."""
    return show_count(round(number) if abs(number) < 1000 else number)


_SHOW: Mapping[str, Show] = {"hours": show_hours, "usd": show_usd}
_FIELDS = {
    "calls": "calls",
    "prompt": "prompt_tokens",
    "reply": "reply_tokens",
    "hours": "gpu_hours",
    "usd": "usd",
}
INDENT = "     "
WHOLE = "Costs are of the whole data set, as if the ledger held nothing."


def text(found: Comparison, width: int = 80) -> str:
    """For a terminal; no line is longer than `width`."""
    blocks = [[f"{found.recipe}   {found.old} → {found.new}"]]
    blocks += [list(_block(step)) for step in found.changed]
    if changes := [phrase(c, 40) for c in found.data]:
        blocks.append([" ~ data set", *(f"{INDENT}{words}" for words in changes)])
    same = len(found.steps) - len(found.changed)
    if not found.changed:
        changed = "Nothing that a step does has changed" if changes else "Nothing has changed"
        blocks.append([f"   {changed}: the cost is the same."])
    elif same:
        blocks.append([f"   {same} step{'s' * (same != 1)} unchanged"])
    if total := list(_lines(found.total)):
        blocks.append(["   in all", *total])
    blocks.append([WHOLE, *_ahead(found.ahead), *found.notes])
    return "\n\n".join("\n".join(_folded(block, width)) for block in blocks)


def _folded(block: list[str], width: int) -> Iterator[str]:
    for line in block:
        yield from fold(line, width)


def _block(step: StepMove) -> Iterator[str]:
    yield f" {step.symbol} {sentence(step)}"
    yield from _lines({ROWS: step.rows, **step.moves})


def sentence(step: StepMove) -> str:
    """What changed at a step: `book: prompt: user block (prompts/book.md.j2 +3 -1 lines)`."""
    return clean(f"{step.name}: {'; '.join(step.said)}{_files(step.prompts)}")


def _files(prompts: tuple[FileDiff, ...]) -> str:
    if not prompts:
        return ""
    shown = (f"{f.path} +{f.added} -{f.removed} lines" for f in prompts)
    return f" ({', '.join(shown)})"


def _lines(moves: Mapping[str, Move]) -> list[str]:
    """A line a quantity that there is any of: before, after, difference."""
    cells = [
        (QUANTITIES.get(name, name), *_cells(move, _SHOW.get(name, _whole)))
        for name, move in moves.items()
        if not move.none
    ]
    wide = [max((len(row[i]) for row in cells), default=0) for i in range(3)]
    return [
        f"{INDENT}{name:<{wide[0]}}  {before:>{wide[1]}} → {after:<{wide[2]}}  {off}".rstrip()
        for name, before, after, off in cells
    ]


def _cells(move: Move, show: Show) -> tuple[str, str, str]:
    return _value(move.before, show), _value(move.after, show), difference(move, show)


def _value(number: Number, show: Show) -> str:
    return "?" if number.value is None else show(number.value)


def difference(move: Move, show: Show) -> str:
    """The difference with its interval: `+33M [+10M to +56M]`."""
    number = move.difference
    if number.value is None:
        return "?"
    if move.still:
        return "the same"
    shown = _signed(number.value, show)
    if number.interval is None:
        return shown
    low, high = (_signed(end, show) for end in number.interval)
    return shown if low == high == shown else f"{shown} [{low} to {high}]"


def _signed(value: float, show: Show) -> str:
    shown = show(abs(value))
    if shown == show(0.0):
        return shown
    return f"{'-' if value < 0 else '+'}{shown}"  # a hyphen: it copies into a spreadsheet


def _ahead(ahead: Spending | None) -> list[str]:
    """What is still to be paid for, in one line."""
    if ahead is None:
        return []
    if ahead.calls.value == 0:
        return ["The ledger holds every reply: nothing is left to pay for."]
    parts = []
    for name, told in QUANTITIES.items():
        number: Number = getattr(ahead, _FIELDS[name])
        if number.value != 0:
            words = "?" if number.value is None else in_words(number, _SHOW.get(name, _whole))
            parts.append(words if name == "usd" and words != "?" else f"{words} {told}")
    return [f"Still to pay for, by the ledger: {', '.join(parts)}."]


# -- for a pull request


def markdown(found: Comparison) -> str:
    """A table of costs, what changed, and the lines of prompts, for GitHub."""
    lines = [f"**{_escaped(found.recipe)}**: `{found.old}` → `{found.new}`", ""]
    if not found.changed and not found.data:
        return "\n".join([*lines, "Nothing has changed: the cost is the same.", ""])
    names = [n for n, move in found.total.items() if not move.none]
    if names:
        heads = ["step", *(QUANTITIES[n] for n in names)]
        lines += [f"| {' | '.join(heads)} |", f"|{' --- |' * len(heads)}"]
        for step in found.changed:
            if step.moves:
                cells = [_cell(step.moves.get(n), n) for n in names]
                lines.append(f"| {step.symbol} {_escaped(step.name)} | {' | '.join(cells)} |")
        cells = [_cell(found.total[n], n) for n in names]
        lines += [f"| **in all** | {' | '.join(cells)} |", ""]
    lines += [f"- {_escaped(sentence(step))}" for step in found.changed]
    lines += [f"- {_escaped(phrase(c, 40))}" for c in found.data]
    for file in {f.path: f for step in found.changed for f in step.prompts}.values():
        lines += ["", *_diff(file)]
    lines += ["", " ".join([WHOLE, *_ahead(found.ahead), *found.notes])]
    return "\n".join([*lines, ""])


def _cell(move: Move | None, name: str) -> str:
    if move is None or move.none:
        return "–"
    before, after, off = _cells(move, _SHOW.get(name, _whole))
    return before if move.still else f"{before} → {after}<br>{off}"


def _diff(file: FileDiff) -> list[str]:
    body = [f"{line.sign}{clean(line.text)}" for line in file.lines]
    ticks = max((len(run) for line in body for run in _runs(line)), default=2) + 1
    fence = "`" * max(3, ticks)
    head = f"<details><summary>{_escaped(str(file))}</summary>"
    return [head, "", f"{fence}diff", *body, fence, "", "</details>"]


def _runs(line: str) -> list[str]:
    """Runs of backticks, which a fence must be longer than."""
    import re

    return re.findall(r"`+", line)


def _escaped(words: str) -> str:
    """Words that Markdown takes as they are."""
    for character in "\\`*_[]<>|":
        words = words.replace(character, f"\\{character}")
    return words
