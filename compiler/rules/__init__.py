"""Rewrite rules, in the order in which they are tried. One file a rule.

A rule is a function that looks through a draft once, changes it wherever that is shown to be legal,
and yields for each change the sentence that `plan` prints. It goes by declared traits alone; what
is unknown blocks it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .draft import Draft
from .drop_columns import drop_columns
from .fuse_maps import fuse_maps
from .group_by_prefix import group_by_prefix
from .push_filter import push_filter
from .push_limit import push_limit
from .share_calls import share_calls
from .stop_decided import stop_decided


@dataclass(frozen=True, slots=True)
class Applied:
    """A rule that fired, and what it did in the user's words."""

    rule: str
    sentence: str


Rule = Callable[[Draft], Iterator[str]]

# Sharing comes first: a filter pushed below one of two equal calls would make them differ. The last
# four only say how steps run: they come when the order of steps is settled.
RULES: tuple[tuple[str, Rule], ...] = (
    ("share_calls", share_calls),
    ("push_filter", push_filter),
    ("push_limit", push_limit),
    ("stop_decided", stop_decided),
    ("drop_columns", drop_columns),
    ("fuse_maps", fuse_maps),
    ("group_by_prefix", group_by_prefix),
)
