"""The gates of a plan as lines of a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .gates import Gate
from .layout import paragraph, table
from .words import decimal, rough

HEAD = ("gate", "wrong", "good kept", "bad kept", "precision", "yield", "bears")


def gate_lines(gates: Sequence[Gate], width: int) -> Iterator[str]:
    """The checks that somebody measured as a table, and the names of the others."""
    known = [g for g in gates if g.phi.known]
    unknown = [g for g in gates if not g.phi.known]
    if known:
        yield from table([HEAD, *map(_row, known)], width)
        text = (
            "wrong: share of wrong rows before it. bears: up to this share of them it keeps more "
            "right rows than wrong ones; an index, of which more is better, no guarantee "
            "(arXiv:2406.07515)"
        )
        yield from paragraph("", text, width)
        said: dict[str, list[str]] = {}
        for gate in known:
            said.setdefault(_told(gate), []).append(gate.name)
        for told, whose in said.items():
            yield from paragraph("", f"{', '.join(whose)}: {told}", width)
    if unknown:
        names = ", ".join(g.name for g in unknown)
        text = f"not measured: {names}; mashbill calibrate {unknown[0].name} --data FILE does"
        yield from paragraph("" if known else "gates", text, width)


def _row(gate: Gate) -> tuple[str, ...]:
    return (
        gate.name,
        decimal(gate.wrong.value),
        decimal(gate.phi.value),
        decimal(gate.psi.value),
        decimal(gate.precision.value),
        rough(gate.kept.value),
        decimal(gate.tolerated.value),
    )


def _told(gate: Gate) -> str:
    """Where its rates are from, how sure the precision is, and what is wrong with it."""
    said = [gate.phi.origin]
    if (sure := gate.precision.band) is not None:
        said.append(f"precision {decimal(sure[0])} to {decimal(sure[1])}")
    if gate.wrong.known:
        own = gate.wrong.origin == gate.phi.origin
        said.append("wrong as among these" if own else f"wrong {gate.wrong.origin}")
    wrong, bears = gate.wrong.value, gate.tolerated.value
    if wrong is not None and bears is not None and wrong >= bears:
        said.append("more wrong than it bears: make the check stricter, or the model better")
    return "; ".join(said)
