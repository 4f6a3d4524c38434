"""How fast a plan's models will be: as measured, as published, or by their shapes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...compiler.budgets import OWN_HARDWARE
from ...compiler.hardware.gpus import Gpu
from ...compiler.hardware.published import published
from ...compiler.hardware.roofline import STEP_SECONDS, roofline
from ..requests import EngineError
from .layout import Layout, layout_of
from .machine import Hardware, hardware_of, processor
from .pace import measured, split
from .past import past_work
from .shapes import find_shape

if TYPE_CHECKING:
    from ...compiler.estimating.facts import Speed
    from ...compiler.plan import Plan
    from ..engine_room import EngineRoom
    from ..engines.base import ModelSpec
    from ..project import Project

ROOFLINE_SPREAD = 0.6
"""Standard deviation of the logarithm: 90 % lie within a factor 2.7 each way. Against the published
rates of 17 models it is 0.41."""
CPU_SPREAD = 0.67
"""The same on a processor, whose figures are assumed: a factor 3."""
CPU_STEP_SECONDS = 0.0005


def find_speeds(plan: Plan, project: Project, room: EngineRoom) -> dict[str, Speed]:
    """Speeds of the models that run on this project's hardware.

    In this order: a pilot's, those of earlier runs with the same weights and placement, what was
    published, a roofline. A model of which none is known is left out. All are tokens by GPU-second,
    where all GPUs of the plan count (`hardware.count`), as its GPU-hours do.
    """
    from ..piloting.pilot_log import pilot_speeds

    own = [name for name, model in plan.models.items() if model["engine"] in OWN_HARDWARE]
    if not own:
        return {}
    piloted = pilot_speeds(project, plan)
    past = past_work(plan, project.state)
    left = [name for name in own if name not in piloted]
    # Asking the driver takes a moment.
    on_gpus = any(plan.models[name]["engine"] != "local" for name in left)
    hardware = hardware_of(plan) if on_gpus else None
    found = {name: piloted[name] for name in own if name in piloted}
    for name in left:
        try:
            spec = room.spec(name)
        except EngineError:  # a variable is not set, which is told elsewhere
            continue
        reckoned = _reckoned(spec, hardware)
        speed = measured(past[name], _share(reckoned)) if name in past else None
        speed = speed or _published(spec, hardware, reckoned) or reckoned
        if speed is not None:
            found[name] = speed
    return found


def _share(reckoned: Speed | None) -> float | None:
    """Time of a prompt token over that of a reply token."""
    if reckoned is None or not reckoned.prompt:
        return None
    return reckoned.reply / reckoned.prompt


def _published(spec: ModelSpec, hardware: Hardware | None, reckoned: Speed | None) -> Speed | None:
    from ...compiler.estimating.facts import Speed

    writes = spec.options.get("task", "generate") == "generate"
    if spec.engine != "vllm" or hardware is None or hardware.gpu is None or not writes:
        return None
    known = published(spec.model, hardware.gpu)
    if known is None:
        return None
    name, rate, spread = known
    used, charged = _gpus(layout_of(spec), hardware)
    reply, prompt = split(rate * used / charged, _share(reckoned))
    scaled = "" if hardware.gpu.name == "H100" else f", scaled to {hardware.gpu.name}"
    origin = f"published for {name} on one H100{scaled} (FinePhrase)"
    return Speed(reply, prompt, spread, "a", origin)


def _reckoned(spec: ModelSpec, hardware: Hardware | None) -> Speed | None:
    """The speed by a roofline; None where shape or hardware are not known, or it does not fit."""
    layout = layout_of(spec)
    if spec.engine == "local":
        return _roofline(spec, processor(layout.threads), layout, (1, 1))
    if hardware is None or hardware.gpu is None:
        return None
    return _roofline(spec, hardware.gpu, layout, _gpus(layout, hardware))


def _roofline(spec: ModelSpec, gpu: Gpu, layout: Layout, gpus: tuple[int, int]) -> Speed | None:
    from ...compiler.estimating.facts import Speed

    shape, machine = find_shape(spec), spec.engine == "local"
    if shape is None:
        return None
    rate = roofline(
        shape,
        gpu,
        layout.room(gpu.memory),
        seqs=layout.seqs,
        bits=layout.bits,
        step_seconds=CPU_STEP_SECONDS if machine else STEP_SECONDS,
    )
    if rate is None:
        return None
    weighs = f"{shape.weights(layout.bits) / 1e9:.1f} GB over {gpu.bandwidth / 1e9:,.0f} GB/s"
    return Speed(
        reply=rate.reply * layout.copies / gpus[1],
        prompt=rate.prompt * layout.copies / gpus[1],
        spread=CPU_SPREAD if machine else ROOFLINE_SPREAD,
        basis="a",
        origin=f"roofline of {weighs} of {gpu.name}" + (" (assumed)" if machine else ""),
    )


def _gpus(layout: Layout, hardware: Hardware) -> tuple[int, int]:
    """GPUs that a model uses, and those that its time is charged for."""
    used = layout.gpus * layout.copies
    return used, max(hardware.count, used)
