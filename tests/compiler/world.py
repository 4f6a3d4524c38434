"""Recipes and prompts as strings: a world in memory for the compiler's tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from textwrap import dedent

from mashbill.compiler.compile import UNPINNED, Compiled, compile_recipe
from mashbill.compiler.plan import Plan
from mashbill.compiler.registry import Catalog
from mashbill.compiler.render import render
from mashbill.compiler.world import OutsideError, Pins
from mashbill.runtime.catalog import load_catalog
from mashbill.runtime.frames import regex_problem

BOOK = """\
---
inputs: { text: str }
---
{% block system %}Rewrite the text. Keep all facts.{% endblock %}
{% block user %}{{ text }}{% endblock %}
"""


@dataclass(frozen=True, slots=True)
class Memory:
    """A project whose files are strings; `..` and `/` lead outside, `\\udcff` is no UTF-8."""

    files: Mapping[str, str] = field(default_factory=dict)

    def read(self, path: str) -> str:
        self._confine(path)
        if path not in self.files:
            raise FileNotFoundError(path)
        return self.files[path].encode("utf-8", "surrogateescape").decode("utf-8")

    def shown(self, path: str) -> str:
        return path

    def match(self, pattern: str, *, typed: bool) -> tuple[str, ...]:
        if not typed:
            self._confine(pattern)
        return tuple(sorted(f for f in self.files if fnmatch(f, pattern)))

    def regex_problem(self, pattern: str) -> str | None:
        return regex_problem(pattern)

    @staticmethod
    def _confine(path: str) -> None:
        if path.startswith(("..", "/")):
            raise OutsideError(f"{path} is outside the project")


FILES = {"docs.jsonl": "", "web.jsonl": "", "prompts/book.md.j2": BOOK}
"""Files that every recipe of these tests may name."""


def compile_text(
    recipe: str,
    files: Mapping[str, str] | None = None,
    *,
    sets: Sequence[str] = (),
    profile: str | None = None,
    pins: Pins = UNPINNED,
    catalog: Catalog | None = None,
) -> Compiled:
    """Compile a recipe; `files` are laid over `FILES`."""
    return compile_recipe(
        dedent(recipe),
        "recipe.yaml",
        catalog or load_catalog(),
        Memory({**FILES, **(files or {})}),
        sets=sets,
        profile=profile,
        pins=pins,
    )


def plan_of(recipe: str, files: Mapping[str, str] | None = None, *, pins: Pins = UNPINNED) -> Plan:
    """The plan of a recipe that has nothing wrong with it."""
    compiled = compile_text(recipe, files, pins=pins)
    assert compiled.plan is not None, render(compiled.report)
    return compiled.plan
