"""How a step is run, where rewrite rules made more of it than its definition says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Tuning:
    """What rules decided about one step. It changes no result and is no part of identity.

    Attributes:
        first: Only rows of the first so many `_doc` are let in, ties kept: a `limit:` further on
            keeps no others (`push_limit`).
        keeps: Columns that rows still have when they leave, besides those that begin with `_`;
            None for all (`drop_columns`).
        skips: Columns of `set:` that are not computed (`drop_columns`).
        fused: The first step of the physical stage that it shares with others; empty for a stage of
            its own (`fuse_maps`).
        prefix: Inputs that its prompt begins with, by which rows are handed over in groups
            (`group_by_prefix`).
        until: When it stops drawing a row, as `until:` says it (`stop_decided`).
        fed: The step further on that says when enough source rows have been let in, how many it
            accepts, and of how many at most. No rule's doing: the identity of that step says it.
    """

    first: int | None = None
    keeps: tuple[str, ...] | None = None
    skips: tuple[str, ...] = ()
    fused: str = ""
    prefix: tuple[str, ...] = ()
    until: Mapping[str, Any] | None = None
    fed: tuple[str, int, int] | None = None

    def to_json(self) -> dict[str, Any]:
        """What differs from the default, as plain JSON."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name in self.__dataclass_fields__
            if (value := getattr(self, name)) != getattr(PLAIN, name)
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Tuning:
        """Read what `to_json` wrote."""
        fields: dict[str, Any] = {
            name: tuple(v) if isinstance(v, list) else v for name, v in value.items()
        }
        return cls(**fields)


PLAIN = Tuning()
"""A step that no rule has touched."""
