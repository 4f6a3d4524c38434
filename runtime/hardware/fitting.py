"""Whether models fit their memory, before anything is loaded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ...compiler.budgets import OWN_HARDWARE
from ...compiler.diagnostics import Diagnostic
from ...compiler.hardware.memory import Fit, Needs, Room, fit, needs
from ..requests import EngineError
from .layout import Layout, layout_of
from .machine import hardware_of, main_memory
from .shapes import find_shape

if TYPE_CHECKING:
    from ...compiler.diagnostics import Span
    from ...compiler.hardware.shapes import Shape
    from ...compiler.plan import Plan
    from ...compiler.recipe import Recipe
    from ..engine_room import EngineRoom

FEW = 4
"""Texts of the whole context at once, below which a GPU mostly waits for memory."""
_MOST_PARTS = 8


def fit_problems(
    plan: Plan, room: EngineRoom, recipe: Recipe | None = None
) -> Iterator[Diagnostic]:
    """Models that do not fit their memory (M252), or so barely that they will be slow (M258).

    Reckoned from shapes alone: nothing is loaded, nothing downloaded. Nothing is said of a model
    whose shape, or of a GPU whose memory, nobody knows. Each model is held against the whole of its
    GPUs, as if no other ran there.

    Args:
        plan: Whose models and hardware they are.
        room: Their files.
        recipe: Where they stand, for the places that diagnostics point at.
    """
    spans = {model.name: model.span for model in recipe.models} if recipe else {}
    own = [name for name, model in plan.models.items() if model["engine"] in OWN_HARDWARE]
    for name in own:
        try:
            spec = room.spec(name)
        except EngineError:
            continue
        layout, shape = layout_of(spec), find_shape(spec)
        if shape is None or (length := layout.length(shape)) is None:
            continue
        if spec.engine == "local":
            yield from _in_main_memory(name, spans.get(name), shape, layout, length)
            continue
        hardware = hardware_of(plan)
        if hardware.memory is not None:
            held = layout.room(hardware.memory)
            yield from _on_gpus(
                name, spans.get(name), shape, layout, length, held, hardware.name or "GPU"
            )


def _on_gpus(
    name: str,
    span: Span | None,
    shape: Shape,
    layout: Layout,
    length: int,
    room: Room,
    gpu: str,
) -> Iterator[Diagnostic]:
    needed = _needs(shape, layout, length)
    found = fit(needed, room, length)
    where = f"one {gpu}" if room.gpus == 1 else f"{room.gpus} × {gpu}"
    if not found.fits:
        yield Diagnostic(
            "M252",
            f"`{name}` needs about {_size(needed.weights)} for weights and {_size(needed.kv)} for "
            f"one text of {length:,} tokens; {where} gives {_size(room.usable)}",
            span,
            notes=(_of_memory(room),),
            help=_way_out(found, shape, layout, length, room),
        )
    elif found.batch < min(FEW, layout.seqs):
        few = int(found.batch)
        said = f"leaves room for {few} text{'s' * (few > 1)} of {length:,} tokens at once on"
        yield Diagnostic(
            "M258",
            f"`{name}` {said if few else 'may not fit on'} {where}",
            span,
            notes=(
                f"weights {_size(needed.weights)}, one such text {_size(needed.kv)}, computing "
                f"about {_size(needed.overhead)}; {_of_memory(room)}",
            ),
            help="lower `max_model_len` in its placement to what prompt and reply need"
            if few
            else _way_out(found, shape, layout, length, room),
        )


def _in_main_memory(
    name: str, span: Span | None, shape: Shape, layout: Layout, length: int
) -> Iterator[Diagnostic]:
    """llama.cpp sets all slots aside when it starts."""
    memory = main_memory()
    needed = needs(shape, context=length, batch=layout.seqs)
    if memory is None or needed.weights + needed.kv <= memory:
        return
    left = memory - needed.weights
    slots = int(left / (needed.kv / layout.seqs))
    yield Diagnostic(
        "M252",
        f"`{name}` needs about {_size(needed.weights)} for weights and {_size(needed.kv)} for "
        f"{layout.seqs} slots of {length:,} tokens; this machine has {_size(memory)}",
        span,
        help=f"write `slots: {slots}` in its placement, or a smaller `context`"
        if slots > 0
        else "take a smaller model, or more strongly quantised weights",
    )


def _needs(shape: Shape, layout: Layout, length: int) -> Needs:
    return needs(shape, context=length, bits=layout.bits, parts=layout.parts, seqs=layout.seqs)


def _way_out(found: Fit, shape: Shape, layout: Layout, length: int, room: Room) -> str:
    if found.context:
        return f"write `max_model_len: {found.context}` in its placement: so much has room"
    parts = layout.parts
    while (parts := parts * 2) <= _MOST_PARTS:
        wider = Room(parts * layout.stages, room.memory, room.share, room.beside)
        needed = needs(shape, context=length, bits=layout.bits, parts=parts, seqs=layout.seqs)
        if fit(needed, wider, length).batch >= 1:
            return f"spread it over more GPUs: `tensor_parallel: {parts}`; or take smaller weights"
    return "take smaller weights, or quantised ones, or a shorter `max_model_len` on more GPUs"


def _of_memory(room: Room) -> str:
    beside = f", and {_size(room.beside)} beside" if room.beside else ""
    each = "of its" if room.gpus == 1 else "of each"
    return f"{room.share:.0%} {each} {_size(room.memory)} (gpu_memory_utilization){beside}"


def _size(size: float) -> str:
    """16.4 GB, 0.3 GB: one digit, by 1000."""
    return f"{size / 1e9:,.1f} GB"
