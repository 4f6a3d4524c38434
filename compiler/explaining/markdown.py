"""A plan for a pull request: tables of GitHub's Markdown, what is long folded away."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape

from ..cells import clean
from . import caps, mix, notes
from .numerals import Cell
from .subject import Subject
from .tables import cells_of, flow_of, spent_of, totals
from .text import below, heading, nothing, summary
from .told import Told

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~!&$])")
"""Of Markdown, and of the formulas that GitHub reads between dollar signs."""


def markdown(told: Told, *, verbose: bool = False, value: bool = False) -> str:
    """The plan as Markdown; the arguments are those of `explain`.

    Names, reasons and paths are escaped, so that no recipe can put markup into a pull request.
    """
    subject = told.subject(verbose=verbose)
    parts = mix.part_cells(subject)
    letters = [*cells_of(subject), *(cell for cells in parts.values() for cell in cells)]
    legend = "; ".join(notes.legend(subject, letters, told.pilot))
    blocks = [
        "### " + _escaped(" · ".join(heading(subject, told.lock))),
        f"**{_escaped(some)}**" if (some := notes.selection(subject)) else "",
        _steps(subject) if subject.shown else _escaped(nothing(subject).strip()),
        *(f"**{_escaped(line)}**" for line in caps.exceeded(subject)),
        _escaped(summary(subject)),
        _advice(notes.largest(subject)),
        _folded(f"Mix forecast: {mix.wanted(subject)}", _mix(subject, parts)) if parts else "",
        _list(told.worth_lines(value=value)),
        _list(line for why in told.missing.values() for line in why.splitlines()),
        _folded("Where the numbers come from", _list([legend, *below(subject, told.pilot)])),
        _folded("Rewrite rules", _list(f"{name}: {text}" for name, text in told.plan.applied))
        if told.plan.applied
        else "",
    ]
    text = "\n\n".join(filter(None, blocks)) + "\n"
    if not (value and told.worth):
        return text
    from ..worth import worth_text

    return "\n".join([text, "```text", *worth_text(told.worth, 100), "```"])


def _advice(advice: notes.Advice) -> str:
    told = f"**{_escaped(advice.why)}**" if advice.why else ""
    typed = f"{_code(advice.action)} {_escaped(advice.gain)}".rstrip() if advice.action else ""
    return "  \n".join(filter(None, (told, typed)))


def _steps(subject: Subject) -> str:
    measures = subject.measures if subject.total else ()
    known = subject.estimates is not None
    heads = ["", "step", "why", *["rows in", "rows out"] * known, *(m.long for m in measures)]
    rows = []
    for step in subject.shown:
        numbers = [*flow_of(step), *spent_of(step, measures)] if known else []
        rows.append([step.symbol, _code(step.name), _escaped(step.why), *map(_number, numbers)])
    for name, cells in totals(subject, measures):
        rows.append(["", f"**{name}**", "", "", "", *(f"**{_number(c)}**" for c in cells)])
    return _table(heads, rows, words=3).replace("****", "")


def _mix(subject: Subject, parts: Mapping[str, Sequence[Cell]]) -> str:
    heads = ["part", "weight", "taken", "supply", "epochs", "written by"]
    rows = []
    for name, (_, *numbers) in parts.items():
        path = subject.plan.renders.get(name, {}).get("path", "")
        rows.append([_code(name), *map(_number, numbers), _code(path) if path else ""])
    if not subject.plan.renders:
        heads, rows = heads[:-1], [row[:-1] for row in rows]
    said = "  \n".join(map(_escaped, mix.remarks(subject)))
    return "\n\n".join(filter(None, [_table(heads, rows, words=1), said]))


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]], words: int) -> str:
    kinds = [":--" if i < words else "--:" for i in range(len(heads))]
    return "\n".join(f"| {' | '.join(row)} |" for row in (heads, kinds, *rows))


def _number(cell: Cell) -> str:
    """Its pieces, never broken over lines."""
    return _escaped(str(cell)).replace(" ", "\u00a0")


def _folded(head: str, body: str) -> str:
    return f"<details><summary>{escape(clean(head))}</summary>\n\n{body}\n\n</details>"


def _list(lines: Iterable[str]) -> str:
    return "\n".join(f"- {_escaped(' '.join(line.split()))}" for line in lines if line.strip())


def _code(text: str) -> str:
    """A name; what would end the code span or the table's cell is taken out."""
    return f"`{clean(text).replace('`', '').replace('|', '¦')}`"


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", clean(text).replace("\n", " "))
