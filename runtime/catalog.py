"""The operators and engines that are installed, found by their folders and by entry points."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from ..compiler.registry import Catalog, Operator, operator_of

GROUP = "mashbill.ops"
"""Entry-point group by which other packages add operators; each names a module."""


def _siblings(package: str) -> list[ModuleType]:
    parent = importlib.import_module(package)
    names = sorted(m.name for m in pkgutil.iter_modules(parent.__path__))
    return [importlib.import_module(f"{package}.{name}") for name in names]


def _operators(module: ModuleType) -> list[Operator]:
    found = (operator_of(value) for value in vars(module).values())
    return [o for o in found if o is not None and o.build.__module__ == module.__name__]


@cache
def load_catalog() -> Catalog:
    """Import every operator and engine file; plug-ins that fail stand in `faults`."""
    root = __package__ or "mashbill.runtime"
    modules = [*_siblings(f"{root}.ops"), *_siblings(f"{root}.checks")]
    faults: list[str] = []
    for point in _entry_points():
        try:
            modules.append(point.load())
        except Exception as error:  # whatever its import does
            reason = " ".join(str(error).split()) or type(error).__name__
            where = f"plug-in `{point.name}` (entry point {GROUP})"
            faults.append(f"{where} failed to import: {reason}")
    operators = [o for m in modules for o in _operators(m)]
    packages = {p for o in operators for p in o.packages}
    return Catalog(
        steps={o.name: o for o in operators if o.kind == "step"},
        checks={o.name: o for o in operators if o.kind == "check"},
        engines=_Engines(f"{root}.engines", "PLACEMENT"),
        options=_Engines(f"{root}.engines", "OPTIONS"),
        tasks=_Engines(f"{root}.engines", "TASKS", WRITES),
        versions={p: _version(p) for p in sorted(packages)},
        faults=tuple(faults),
    )


WRITES = ("generate",)
"""What an engine does whose file does not say."""


class _Engines(Mapping[str, Any]):
    """Engine name to one of the tables of its file; imported when asked about."""

    def __init__(self, package: str, table: str, usual: Any = None) -> None:
        parent = importlib.import_module(package)
        self._package, self._table, self._usual = package, table, usual
        self._names = sorted(
            m.name
            for m in pkgutil.iter_modules(parent.__path__)
            if m.name != "base" and not m.name.startswith("_")
        )

    def __getitem__(self, name: str) -> Any:
        if name not in self._names:
            raise KeyError(name)
        module = importlib.import_module(f"{self._package}.{name}")
        if self._usual is None:
            return getattr(module, self._table)
        return getattr(module, self._table, self._usual)

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def _entry_points() -> list[Any]:
    """Entry points of our group.

    Reading the metadata of every package takes long, and most installs have none of ours, so their
    texts are searched for the group's name first.
    """
    for folder in sys.path:
        for file in Path(folder or ".").glob("*.*-info/entry_points.txt"):
            if GROUP in file.read_text("utf-8", "replace"):
                from importlib.metadata import entry_points

                return list(entry_points(group=GROUP))
    return []


def _version(package: str) -> str:
    """The version of an installed package; empty if it is not there.

    The folder of its metadata is named after it. `importlib.metadata` reads what is in there, and
    imports a parser of e-mails to do so.
    """
    name = package.replace("-", "_")
    for folder in sys.path:
        for found in Path(folder or ".").glob(f"{name}-*.dist-info"):
            return found.name.removesuffix(".dist-info").rpartition("-")[2]
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return ""
