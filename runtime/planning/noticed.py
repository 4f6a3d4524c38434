"""What planning notices of models and data, with its place in the recipe."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from ...compiler.compile import Compiled
from ...compiler.diagnostics import Diagnostic
from ...compiler.recipe import Recipe
from ..engine_room import room_of
from ..faults import MisfitError
from ..project import Project
from ..requests import EngineError
from ..sources.remote import RemoteError


def without_template(compiled: Compiled, project: Project) -> Iterator[Diagnostic]:
    """Models that are to reply to chats, and whose files say nothing of how one is written."""
    assert compiled.plan is not None
    assert compiled.recipe is not None
    room = room_of(compiled.plan, project)
    asked = {m for n in compiled.plan.nodes for m in n.asked}
    for model in compiled.recipe.models:
        with suppress(EngineError):
            if model.name in asked and not room.info(model.name).template:
                yield Diagnostic(
                    "P207",
                    f"model `{model.name}` has no chat template",
                    model.span,
                    "its file holds none",
                    help="use the instruct version of the model",
                )


def misfit(error: MisfitError, recipe: Recipe) -> Diagnostic:
    """A step that cannot work on the data."""
    span = next((s.span for s in recipe.steps if s.name == error.step), recipe.span)
    return Diagnostic("D303", str(error), span)


def unreachable(error: RemoteError, recipe: Recipe) -> Diagnostic:
    """An address that cannot be read."""
    start = error.address.partition("://")[0]
    paths = [s.path_span for s in recipe.sources if s.path.startswith(f"{start}://")]
    return Diagnostic("D311", str(error), paths[0] if paths else recipe.span)


def source_problems(
    empty: Sequence[str], unreadable: Mapping[str, Sequence[Any]], recipe: Recipe
) -> Iterator[Diagnostic]:
    """Sources that hold no row, and lines that are none."""
    spans = {s.name: s.path_span for s in recipe.sources}
    for name in empty:
        if name not in unreadable:
            words = f"source `{name}` has no rows: its files are empty"
            yield Diagnostic("D309", words, spans[name])
    for name, lines in unreadable.items():
        first = lines[0]
        more = f", and {len(lines) - 1:,} more" if len(lines) > 1 else ""
        none = name in empty
        yield Diagnostic(
            "D303" if none else "D310",
            f"{first.file}:{first.line}: {first.reason}{more}",
            spans[name],
            "no row can be read" if none else "these lines are left out, and kept aside",
        )
