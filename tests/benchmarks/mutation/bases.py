"""What is mutated: every recipe that ships, the blocks of the format's description, and three of
our own that use the rest. Each compiles without a diagnostic of severity error before it is broken.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from mashbill.compiler.compile import Compiled, compile_recipe
from mashbill.compiler.document import Scalar
from mashbill.compiler.registry import Catalog
from mashbill.runtime.catalog import load_catalog
from tests.compiler.world import Memory

from .format_blocks import format_bases
from .mutant import RECIPE, Base

ROOT = Path(__file__).parents[3]
OWN = Path(__file__).parent / "recipes"
TEMPLATES = ROOT / "runtime" / "templates"


@cache
def catalog() -> Catalog:
    """The operators, checks and engines that ship."""
    return load_catalog()


def compile_files(files: dict[str, str]) -> Compiled:
    """Compile a recipe from strings."""
    return compile_recipe(files[RECIPE], RECIPE, catalog(), Memory(files))


@cache
def bases() -> tuple[Base, ...]:
    """All of them. Those from `format.md` are left out where the description is not there."""
    return tuple(with_data(base) for base in (*_shipped(), *_own(), *format_bases()))


def _shipped() -> Iterator[Base]:
    for folder in sorted(p.parent for p in ROOT.glob("recipes/*/recipe.yaml")):
        yield Base(f"recipes/{folder.name}", _files(folder))
    for folder in sorted(p.parent for p in ROOT.glob("examples/*/recipe.yaml")):
        yield Base(f"examples/{folder.name}", _files(folder))
    for folder in sorted(p.parent for p in TEMPLATES.glob("*/recipe.yaml")):
        yield Base(f"init/{folder.name}", _files(folder))


def _own() -> Iterator[Base]:
    for folder in sorted(p.parent for p in OWN.glob("*/recipe.yaml")):
        yield Base(f"own/{folder.name}", _files(folder))


def _files(folder: Path) -> dict[str, str]:
    """A recipe's own files; of its data only the names, since `check` does not look inside."""
    found: dict[str, str] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not name.startswith(("out/", ".mashbill")):
            text = path.suffix in (".yaml", ".j2", ".json") or name.startswith("prompts/")
            found[name] = path.read_text("utf-8") if text else ""
    return found


def with_data(base: Base) -> Base:
    """The base with an empty file for each source that names none which is there."""
    files = dict(base.files)
    sources = base.document().get("sources")
    for _, source in getattr(sources, "entries", ()):
        path = source.get("path")
        assert isinstance(path, Scalar)
        name = re.sub(r"\*+", "part", str(path.value))
        if not Memory(files).match(str(path.value), typed=True):
            files[name] = ""
    return Base(base.name, files)
