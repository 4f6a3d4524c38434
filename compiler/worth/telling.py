"""What a plan's data is worth, as lines of a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..quantities import show_money
from .caveats import sized
from .gate_lines import gate_lines
from .layout import paragraph, table
from .making import Making
from .record import Loss, Worth
from .stock import STOCK, USED_UP
from .words import band, count, counted, decimal, decimals, flops, rough, share, shares

SUMMARY = 80
"""Columns of the summary."""


def worth_text(worth: Worth, width: int = 80) -> list[str]:
    """The whole of it; no line is longer than `width`, which is 80 or more."""
    said = " (assumed; say --student 7B)" if worth.assumed else ""
    sections = (
        [f"Worth, to a model of {sized(worth.student)} parameters{said}"],
        _parts(worth, width),
        [
            *_shares(worth, width),
            *_losses(worth, width),
            *_making(worth.making, width),
            *_stock(worth, width),
        ],
        gate_lines(worth.gates, width),
        _caveats(worth.caveats, width),
    )
    lines: list[str] = []
    for section in map(list, sections):
        lines += ["", *section] if lines and section else section
    return lines


def worth_summary(worth: Worth) -> list[str]:
    """Two lines, of at most 80 columns, for a plan that is not asked about its worth."""
    hint = "mashbill plan --value"
    first = ["? How many tokens there will be is not known yet"]
    if worth.effective.known:
        first = [f"{counted(worth.tokens.value)} tokens, worth {count(worth.effective)} new ones"]
    if worth.human_share.value is not None:
        first.append(f"{share(worth.human_share.value)} human")
    second: list[str] = []
    if (ends := _loss_ends(worth.losses)) is not None:
        second.append(f"loss {ends[0]:.2f}–{ends[1]:.2f} at {sized(worth.student)}")
    if worth.making is not None and worth.making.share.value is not None:
        second.append(f"making it {rough(worth.making.share.value)} of training")
    lines = ["Worth  " + "; ".join(first), "       " + "; ".join([*second, hint])]
    return [line if len(line) <= SUMMARY else f"{line[: SUMMARY - 1]}…" for line in lines]


def _parts(worth: Worth, width: int) -> Iterator[str]:
    alike = all(p.quality.value == 1 for p in worth.parts)
    alone = all(p.novelty.value == 1 for p in worth.parts)
    rows: list[tuple[str, ...]] = [
        ("part", "origin", "tokens", "epochs", "quality", "novelty", "effective", "band")
    ]
    for part in worth.parts:
        rows.append(
            (
                part.name,
                part.origin,
                counted(part.tokens.value),
                decimal(part.epochs.value, 1),
                "" if alike else decimal(part.quality.value),
                "" if alone else decimal(part.novelty.value),
                counted(part.effective.value),
                band(part.effective),
            )
        )
    if len(worth.parts) > 1:
        whole = (counted(worth.tokens.value), "", "", "", counted(worth.effective.value))
        rows.append(("in all", "", *whole, band(worth.effective)))
    yield from table(rows, width, left=2)
    told = ["effective: new tokens of web text that would teach as much"]
    told += [] if alike else ["quality: share of right rows, 1 by convention where people wrote"]
    told += [] if alone else ["novelty: what a token adds to versions of its text in parts above"]
    yield from paragraph("", ". ".join(told), width)


def _shares(worth: Worth, width: int) -> Iterator[str]:
    if worth.human_share.value is None:
        return
    text = f"{shares(worth.human_share)} of the tokens"
    if worth.least_human is not None:
        text += f", at least {share(worth.least_human)} (min_human)"
    yield from paragraph("human", text, width)
    if not worth.synthetic_share.value:
        return
    text = f"{shares(worth.synthetic_share)}, {worth.beside}"
    yield from paragraph("synthetic", text, width)
    text = (
        f"risk, in no number here: an error of {decimal(worth.floor.value)} times the mismatch of "
        "model text with human text stays however much of both is added (strong collapse, "
        "arXiv:2410.04840); how large the mismatch is nobody can tell beforehand"
    )
    yield from paragraph("", text, width)


def _losses(worth: Worth, width: int) -> Iterator[str]:
    far = ", extrapolated" if worth.caveats and worth.extrapolated else ""
    label = "loss"
    for one in worth.losses:
        if one.loss.known:
            text = f"{decimals(one.loss)} nats a token{far} ({one.law})"
            yield from paragraph(label, text, width)
            label = ""
    if worth.losses and label:
        yield from paragraph(label, "? The laws say nothing of so few tokens", width)
    if worth.speed_up.value is None:
        return
    text = (
        f"{count(worth.effective)} new tokens come to the same loss: speed-up "
        f"{decimals(worth.speed_up)}, what a token here is worth in new ones"
    )
    yield from paragraph("equivalent", text, width)
    optimal = sorted(one.optimal for one in worth.losses if one.optimal is not None)
    suited = sorted(one.suited for one in worth.losses if one.suited is not None)
    if optimal and worth.effective.value:
        part = rough(worth.effective.value / optimal[0])
        text = (
            f"a run that makes the most of its compute gives such a model {counted(optimal[0])} to "
            f"{counted(optimal[-1])} tokens by the two laws; this is {part} of the lower"
        )
        if suited:
            text += f", and suits a model of {counted(suited[0])} to {counted(suited[-1])}"
        yield from paragraph("", text, width)


def _loss_ends(losses: Sequence[Loss]) -> tuple[float, float] | None:
    found = [end for one in losses for end in one.loss.ends if end is not None]
    return (min(found), max(found)) if found else None


def _making(making: Making | None, width: int) -> Iterator[str]:
    if making is None:
        return
    label = "making it"
    if making.once.known:
        text = f"{flops(making.once.value)} FLOPs once"
        if making.share.known:
            text += f", {rough(making.share.value)} of those of training on the data set"
            text += f" ({flops(making.training.value)})"
        yield from paragraph(label, text, width)
        label = ""
    elif making.unsized:
        names = " and ".join(f"`{name}`" for name in making.unsized)
        yield from paragraph(label, f"? FLOPs: how large {names} is nobody says", width)
        label = ""
    elif making.made:
        yield from paragraph(label, "nothing is left to ask: the ledger answers every call", width)
        label = ""
    if making.break_even.value is not None:
        text = (
            f"each pass of training over what models wrote costs {flops(making.reuse.value)}: "
            f"break-even after {_passes(making.break_even.value)} (epochs × models trained)"
        )
        yield from paragraph(label, text, width)
        label = ""
    if costs := _costs(making):
        yield from paragraph(label, costs, width)


def _passes(even: float) -> str:
    if even < 1:
        return f"{even:.2g} passes, in the first"
    return f"{even:,.0f} passes" if even >= 9.95 else f"{even:.1f} passes"


def _costs(making: Making) -> str:
    found: list[str] = []
    if making.written.value is not None:
        found.append(f"{decimals(making.written, 1)} tokens written for each that is kept")
    paid = [show_money(making.usd.value)] if making.usd.value else []
    if hours := making.gpu_hours.value:
        paid.append(f"{hours:.2g} GPU-h" if hours < 99.5 else f"{hours:,.0f} GPU-h")
    if paid:
        found.append(f"{' and '.join(paid)} for a million kept tokens")
    return "; ".join(found)


def _stock(worth: Worth, width: int) -> Iterator[str]:
    if worth.stock.value is None or STOCK.value is None:
        return
    text = (
        f"the human text here is {share(worth.stock.value)} of the public stock of about "
        f"{counted(STOCK.value)} tokens ({band(STOCK)}), which training is expected to use up "
        f"between {USED_UP[0]} and {USED_UP[1]} (arXiv:2211.04325)"
    )
    yield from paragraph("for scale", text, width)


def _caveats(caveats: Sequence[str], width: int) -> Iterator[str]:
    for i, caveat in enumerate(caveats):
        yield from paragraph("" if i else "mind", caveat, width)
