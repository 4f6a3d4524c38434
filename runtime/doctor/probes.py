"""One tiny real generation of each model, since what a server advertises proves nothing."""

from __future__ import annotations

import time

from ...compiler.plan import Plan
from ...compiler.quantities import show_duration
from ..engine_room import EngineRoom, engine_module, room_of
from ..interrupts import run_async
from ..project import Project
from ..requests import EngineError, Message, Request, Sampling
from .finding import Finding

TOKENS = 8
WORDS = "Say one word."


def ask_models(plan: Plan, project: Project) -> list[Finding]:
    """Ask each model that can be described for eight tokens. Nothing goes to the ledger."""
    room = room_of(plan, project)
    return run_async(_probe(plan, room))


async def _probe(plan: Plan, room: EngineRoom) -> list[Finding]:
    asked = sorted({m for n in plan.nodes for m in n.asked})
    return [await _ask(name, room) for name in asked]  # one after another: they may share a GPU


async def _ask(name: str, room: EngineRoom) -> Finding:
    what = f"asked {name}"
    try:
        spec, info = room.spec(name), room.info(name)
        engine = engine_module(spec.engine).open_engine(spec)
    except EngineError as error:
        return Finding("fail", what, str(error), "mashbill check --explain M251")
    request = Request(
        info.digest, (Message("user", WORDS),), Sampling(temperature=0.0, max_tokens=TOKENS)
    )
    began = time.monotonic()
    try:
        await engine.start()
        up = time.monotonic()
        reply = await engine.complete(request)
    except EngineError as error:
        return Finding("fail", what, f"{error}", "mashbill check --explain M251")
    finally:
        await engine.close()
    took = show_duration(time.monotonic() - up)
    started = f", started in {show_duration(up - began)}" if up - began > 0.5 else ""
    context = f", context {info.context:,} tokens" if info.context else ""
    said = f"{reply.completion_tokens} tokens in {took}{started}{context}"
    if not reply.text.strip():
        return Finding("warn", what, f"an empty reply; {said}", "see real ones: mashbill preview")
    return Finding("ok", what, said)
