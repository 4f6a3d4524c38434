"""Rewrite rules, in the order in which they are tried. One file a rule.

A rule is a function from a graph to `None` (nothing to do, or not legal) or to the new graph and
the sentence that `plan` prints. It goes by declared traits alone; what is unknown blocks it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..graph import Graph
from .push_filter import push_filter
from .share_calls import share_calls


@dataclass(frozen=True, slots=True)
class Applied:
    """A rule that fired, and what it did in the user's words."""

    rule: str
    sentence: str


Rule = Callable[[Graph], tuple[Graph, str] | None]

# Sharing comes first: a filter pushed below one of two equal calls would make them differ.
RULES: tuple[tuple[str, Rule], ...] = (
    ("share_calls", share_calls),
    ("push_filter", push_filter),
)
