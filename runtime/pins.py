"""What of a plan's surroundings decides its results: digests of its models and sources."""

from __future__ import annotations

from ..compiler.plan import Plan
from ..compiler.world import OutsideError, Pins
from .engine_room import room_of
from .manifest import digest_source
from .project import Project
from .requests import EngineError
from .sources.locate import locate


def find_pins(plan: Plan, project: Project) -> tuple[Pins, dict[str, str]]:
    """Digests of the plan's models and sources, and of models that cannot be described: why."""
    room = room_of(plan, project)
    models: dict[str, str] = {}
    missing: dict[str, str] = {}
    for name in plan.models:
        try:
            models[name] = room.info(name).digest
        except EngineError as error:
            missing[name] = str(error)
    sources: dict[str, str] = {}
    for name, source in plan.sources.items():
        try:
            files = locate(project, source["path"], typed=source["typed"])
            sources[name] = digest_source(files, source.get("format"))
        except (OSError, OutsideError):  # the scan says what is wrong with it
            continue
    return Pins(models, sources), missing
