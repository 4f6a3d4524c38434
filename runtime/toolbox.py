"""What a step of a plan is handed, put together: its models, its judge, its repairs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ..compiler.prompts import PromptFile, read_prompt
from .judging import builder_of, judging
from .repairs import repairs_of
from .tools import NOBODY, Judge, Line, Tools

if TYPE_CHECKING:
    from ..compiler.plan import PlanNode


def tools_of(node: PlanNode, line: Callable[[str], Line], workers: Judge, passes: int = 1) -> Tools:
    """The tools of a step.

    Args:
        node: The step.
        line: A model of the plan by its name; called once for each that the step asks.
        workers: Judges by checks that ask nobody.
        passes: How often a ladder is gone down before a row is given up.

    Raises:
        EngineError: As `line` raises it.
    """
    by_name = {name: line(name) for name in node.asked}
    lines = {place: by_name[name] for place, name in node.models.items()}
    own = by_name[node.model] if node.model else NOBODY
    judge = workers
    if any(place.startswith("checks.") for place in lines):
        prompts = {
            place: stored_prompt(stored)
            for place, stored in node.prompts.items()
            if place.startswith("checks.")
        }
        judge = judging(workers, lines, builder_of(prompts))
    repairs = repairs_of(node, own, lines, stored_prompt)
    return Tools(own.ask, judge, own.tokens, node.rule, own.context, passes, repairs)


def stored_prompt(stored: Mapping[str, Any]) -> PromptFile:
    """A prompt, read from the texts that a plan carries."""
    return _read(stored["path"], tuple(sorted(stored["files"].items())))


@lru_cache(maxsize=64)  # `plan` and `preview` make the tools of a step for each row anew
def _read(path: str, files: tuple[tuple[str, str], ...]) -> PromptFile:
    prompt, problems = read_prompt(path, dict(files).__getitem__)
    if prompt is None:
        raise ValueError(f"the plan's prompt does not read: {problems}")
    return prompt
