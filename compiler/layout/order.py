"""The order of keys: that of the schema in fixed places; names that the user chose stay in theirs.

A key that the schema does not know stays below the key that it follows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..nodes import Map, Scalar
from ..registry import Catalog
from ..schema import STEP_KEYS, TOP, Schema, kind_schema, step_schema
from .tree import Branch, Entry

_NOTHING: Schema = {}


@dataclass(slots=True)
class Order:
    """Orders the keys of a recipe by the schemas of a catalogue's operators."""

    catalog: Catalog
    schemas: dict[tuple[str, str], Schema] = field(default_factory=dict)

    def arrange(self, root: Branch) -> None:
        """Order a whole recipe, in place."""
        self._arrange(root, TOP)

    def _arrange(self, branch: Branch, schema: Schema) -> None:
        properties: Mapping[str, Any] = schema.get("properties", _NOTHING)
        for entry in branch.entries:
            if isinstance(entry.value, Branch):
                self._arrange(entry.value, self._inner(entry, schema))
        if properties and isinstance(branch.node, Map):
            branch.entries = ordered(branch.entries, properties)

    def _inner(self, entry: Entry, schema: Schema) -> Schema:
        """The schema of an entry's value."""
        if entry.key is None:
            found = schema.get("items")
            return found if isinstance(found, dict) else _NOTHING
        name = str(entry.key.value)
        node = entry.value.node if isinstance(entry.value, Branch) else None
        if schema is TOP["properties"]["steps"]:
            return self._of("step", _text(node, "op"))
        if schema.get("format") == "checks":
            return self._of("check", _text(node, "kind") or name)
        found = schema.get("properties", _NOTHING).get(name, schema.get("additionalProperties"))
        return found if isinstance(found, dict) else _NOTHING

    def _of(self, kind: str, name: str) -> Schema:
        """The schema of a step or check; of one that is not known, of what all steps share."""
        if (kind, name) not in self.schemas:
            made: Schema = {"properties": STEP_KEYS} if kind == "step" else _NOTHING
            if kind == "step" and name in self.catalog.steps:
                made = step_schema(self.catalog.steps[name])
            elif kind == "check" and name in self.catalog.checks:
                made = kind_schema(self.catalog.checks[name])
            self.schemas[kind, name] = made
        return self.schemas[kind, name]


def ordered(entries: list[Entry], properties: Mapping[str, Any]) -> list[Entry]:
    """Entries in the order of a schema's properties."""
    rank = {name: i for i, name in enumerate(properties)}
    keyed: list[tuple[int, Entry]] = []
    last = -1
    for entry in entries:
        name = str(entry.key.value) if entry.key else ""
        last = rank.get(name, last)
        keyed.append((last, entry))
    return [entry for _, entry in sorted(keyed, key=lambda pair: pair[0])]


def _text(node: object, key: str) -> str:
    value = node.get(key) if isinstance(node, Map) else None
    return str(value.value) if isinstance(value, Scalar) else ""
