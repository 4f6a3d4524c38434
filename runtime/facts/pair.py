"""A rewrite beside its source, read once for all rules."""

from __future__ import annotations

from functools import cached_property

from . import support
from .answers import without_questions
from .score import Measures, measure
from .styles import Limits
from .support import Aligned
from .text import Text, read


class Pair:
    """A rewrite and its source; what rules share is made when one first asks for it.

    Attributes:
        limits: What the rewrite is held to.
        said: The rewrite, whole.
        ours: What of it is measured: all, or in a style of questions and answers the answers.
        theirs: The source.
    """

    def __init__(self, got: str, source: str, limits: Limits) -> None:
        self.limits = limits
        self.said = read(got)
        self.ours = without_questions(self.said) if limits.answers else self.said
        self.theirs = read(source)

    @cached_property
    def aligned(self) -> list[Aligned]:
        """Each sentence of the rewrite that is not the source's word for word, in its place."""
        return support.align(self.ours, self.theirs)

    @cached_property
    def retold(self) -> Text:
        """The source without the sentences that the rewrite leaves out."""
        return support.retold(self.ours, self.theirs)

    @cached_property
    def pairs(self) -> frozenset[tuple[str, str]]:
        """All neighbouring word pairs of the source."""
        return support.pairs(self.theirs)

    @cached_property
    def measures(self) -> Measures:
        """What the last step weighs."""
        return measure(self.aligned, self.pairs)
