"""Look at each model that a run will ask: those of servers by asking, the others by their files."""

from __future__ import annotations

import asyncio
import importlib.util
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import replace

from ...compiler.plan import Plan
from ...compiler.quantities import show_duration
from ..engine_room import EngineRoom, engine_module
from ..engines.base import ModelSpec
from ..hidden import hidden_tokens
from ..http.address import place
from ..requests import Completion, EngineError
from .advice import advice, names_model
from .answer import Answer
from .asking import tiny_request
from .probe import probe
from .server import Said, server_says

ASKED_AT_ONCE = frozenset({"http"})
"""Engines whose models are asked all at the same time, and before a run."""
LONG_START = 0.5
_THIS_REQUEST = ("status-400", "status-422")
_PACKAGES = {"local": "xllamacpp", "vllm": "vllm", "transformers": "transformers"}


async def ask_each(plan: Plan, room: EngineRoom, names: Sequence[str]) -> list[Answer]:
    """Really ask each model, those that share this machine one after another."""
    hosted = [n for n in names if plan.models[n]["engine"] in ASKED_AT_ONCE]
    answers = {a.model: a for a in await asyncio.gather(*(_ask(plan, room, n) for n in hosted))}
    for name in names:
        if name not in answers:
            answers[name] = await _ask(plan, room, name)
    return [answers[name] for name in names]


async def look_at_each(plan: Plan, room: EngineRoom, names: Sequence[str]) -> list[Answer]:
    """Ask the models of servers; see that the others can be loaded by the run itself."""
    hosted = [n for n in names if plan.models[n]["engine"] in ASKED_AT_ONCE]
    answers = {a.model: a for a in await asyncio.gather(*(_ask(plan, room, n) for n in hosted))}
    return [answers[n] if n in answers else _look(plan, room, n) for n in names]


async def _ask(plan: Plan, room: EngineRoom, name: str) -> Answer:
    model = plan.models[name]
    try:
        spec = room.spec(name)
        if len(spec.urls) < 2:
            return await _ask_one(plan, room, spec)
    except EngineError as error:
        return Answer(name, "fail", str(error), advice(name, model, error))
    # Each of several equal servers; the run goes on with those that live.
    each = [replace(spec, urls=(url,)) for url in spec.urls]
    found = await asyncio.gather(*(_ask_one(plan, room, one) for one in each))
    dead = [(one.urls[0], a) for one, a in zip(each, found, strict=True) if a.level == "fail"]
    best = next((a for a in found if a.level != "fail"), found[0])
    if not dead or best.level == "fail":
        paid = tuple(c for a in found for c in a.completions)
        return replace(best, completions=paid)
    said = (
        f"{len(dead)} of {len(each)} servers do not answer: {place(dead[0][0])}: {dead[0][1].said}"
    )
    paid = tuple(c for a in found for c in a.completions)
    return Answer(name, "warn", said, dead[0][1].help, paid, best.context)


async def _ask_one(plan: Plan, room: EngineRoom, spec: ModelSpec) -> Answer:
    """Ask a model at one address, and meanwhile what its server says of itself."""
    name, model = spec.name, plan.models[spec.name]
    said = asyncio.ensure_future(_said(spec))
    began = time.monotonic()
    try:
        info = room.info(name)
        engine = engine_module(spec.engine).open_engine(spec)
        try:
            await engine.start()
            up = time.monotonic()
            reply = await probe(engine, tiny_request(plan, name, info.digest))
            took = time.monotonic() - up
        finally:
            await engine.close()
    except EngineError as error:
        server = await said
        if error.kind == "status-429":
            # The address, the key and the model are right: the run waits as it always does.
            help = "it will be slow, or lower `placement.concurrency`"
            return Answer(name, "warn", f"busy: {error}", help, context=server.context)
        if error.kind in _THIS_REQUEST and not names_model(str(error)):
            # What is wrong may be that it is so short: rows will tell.
            words = f"a tiny request was refused: {error}"
            return Answer(name, "warn", words, "see real ones: mashbill preview")
        where = f"{place(spec.urls[0])}: " if spec.urls else ""
        help = advice(name, model, error, server.models)
        return Answer(name, "fail", f"{where}{error}", help)
    except BaseException:
        said.cancel()
        raise
    context = (await said).context or info.context
    return _answered(name, reply, took, up - began, context)


async def _said(spec: ModelSpec) -> Said:
    return await server_says(spec) if spec.engine == "http" else Said()


def _answered(
    name: str, reply: Completion, took: float, start: float, context: int | None
) -> Answer:
    started = f", started in {show_duration(start)}" if start > LONG_START else ""
    holds = f", context {context:,} tokens" if context else ""
    hidden = f" ({thought} of them hidden: thoughts)" if (thought := hidden_tokens(reply)) else ""
    said = f"{reply.completion_tokens} tokens{hidden} in {show_duration(took)}{started}{holds}"
    # One that is cut off may still have been thinking.
    if not reply.text.strip() and reply.finish == "stop":
        words = f"an empty reply; {said}"
        return Answer(name, "warn", words, "see real ones: mashbill preview", (reply,), context)
    return Answer(name, "ok", said, "", (reply,), context)


def _look(plan: Plan, room: EngineRoom, name: str) -> Answer:
    """A model that the run will load: what can be known of it without that."""
    model = plan.models[name]
    engine = str(model["engine"])
    try:
        info = room.info(name)
    except EngineError as error:
        return Answer(name, "fail", str(error), advice(name, model, error))
    package = _PACKAGES.get(engine)
    if package is not None and importlib.util.find_spec(package) is None:
        said = f"the {engine} engine is not installed"
        return Answer(name, "fail", said, f'pip install "mashbill[{engine}]"')
    if engine == "vllm" and (missing := _no_gpu()):
        return Answer(name, "fail", missing, "look at the driver: nvidia-smi")
    said = "its files are here; it is loaded with its first call" if package else "always answers"
    return Answer(name, "ok", said, context=info.context)


def _no_gpu() -> str:
    """Why no GPU can be used; empty where one may be, as where there is no nvidia-smi to ask."""
    if shutil.which("nvidia-smi") is None:
        return ""
    try:
        done = subprocess.run(
            ["nvidia-smi", "-L"], capture_output=True, text=True, timeout=15, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return (
        "" if done.stdout.strip() else f"nvidia-smi shows no GPU {done.stderr.strip()[:80]}".strip()
    )
