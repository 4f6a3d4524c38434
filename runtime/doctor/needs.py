"""What a recipe needs: variables, sources, models, tokenizers."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from ...compiler.plan import Plan
from ..engine_room import VARIABLE, EngineRoom, engine_module, room_of
from ..project import Project
from ..requests import EngineError
from .finding import Finding, Level


def examine_needs(plan: Plan, project: Project) -> Iterator[Finding]:
    """Look for what a plan needs; models are described, none is started.

    Args:
        plan: The plan.
        project: Where it runs.
    """
    yield from _variables(plan)
    yield from _sources(plan, project)
    room = room_of(plan, project)
    for name, model in plan.models.items():
        yield _model(name, model, room)
        yield from _open_files(name, room)
    yield from _memory(plan, room)
    yield from _sandboxes(plan)


def _variables(plan: Plan) -> Iterator[Finding]:
    """Variables that models name; never their values."""
    names = sorted(
        {
            v
            for m in plan.models.values()
            for text in (*(m.get("urls") or ()), m.get("key") or "")
            for v in VARIABLE.findall(text)
        }
    )
    for name in names:
        if os.environ.get(name):
            yield Finding("ok", f"${name}", "set (value not shown)")
        else:
            yield Finding("fail", f"${name}", "not set", f"export {name}=…")


def _sources(plan: Plan, project: Project) -> Iterator[Finding]:
    from ...compiler.world import OutsideError
    from ..sources.locate import locate
    from ..sources.remote import RemoteError

    for name, source in plan.sources.items():
        try:
            files = locate(project, source["path"], typed=source["typed"])
        except (OSError, OutsideError, RemoteError) as error:
            yield Finding("fail", f"source {name}", str(error), "mashbill check")
            continue
        plural = "" if len(files) == 1 else "s"
        if files:
            yield Finding("ok", f"source {name}", f"{len(files):,} file{plural}")
        else:
            said = f"{source['path']} matches no file"
            yield Finding("fail", f"source {name}", said, "mashbill check")


def _memory(plan: Plan, room: EngineRoom) -> Iterator[Finding]:
    """Whether models fit their memory, by their shapes."""
    from ..hardware.fitting import fit_problems

    for found in fit_problems(plan, room):
        level: Level = "fail" if found.severity == "error" else "warn"
        yield Finding(level, "memory", f"{found.message} ({found.code})", found.help or "")


def _model(name: str, model: Mapping[str, Any], room: EngineRoom) -> Finding:
    what = f"model {name}"
    use = f"{model['engine']}/{model['model']}"
    try:
        info = room.info(name)
        room.tokens(name)
    except (EngineError, OSError) as error:
        return Finding("fail", what, f"{use}: {error}")
    context = f", context {info.context:,} tokens" if info.context else ""
    tokens = "its own tokenizer" if info.exact_tokens else "tokens estimated"
    if not info.template:
        said = f"{use} has no chat template"
        return Finding("fail", what, said, "use the instruct version of the model")
    return Finding("ok", what, f"{use}{context}, {tokens}")


def _sandboxes(plan: Plan) -> Iterator[Finding]:
    """Steps that run programs and need a better sandbox than there is."""
    from ..sandbox.isolation import isolation
    from ..sandbox.wanted import wanted

    for name, strict in wanted(plan).items():
        found = isolation()
        if found.level == "bubblewrap":
            yield Finding("ok", f"step {name}", "its programs run in bubblewrap")
        elif found.level and not strict:
            said = f"its programs run under process limits alone: {found.why} (V403)"
            yield Finding("warn", f"step {name}", said, found.fix)
        else:
            said = f"`sandbox: required`, but {found.why} (V403)"
            yield Finding("fail", f"step {name}", said, found.fix)


def _open_files(name: str, room: EngineRoom) -> Iterator[Finding]:
    """Whether as many connections as the model has slots can be open at once."""
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(EngineError, OSError):
        spec = room.spec(name)
        if spec.urls:
            slots = engine_module(spec.engine).open_engine(spec).slots
            if 0 < soft < 2 * slots:
                said = f"{slots:,} in flight, but only {soft:,} files may be open"
                yield Finding("warn", f"model {name}", said, f"ulimit -n {4 * slots}")
