"""Prompts that do not fit a model's context: found before anything is sent, and cut to fit.

A text is cut from its end: behind the last sentence that fits, or, where not even the first one
does, between two words. Characters that belong together are never parted, and what is left is
tokenised anew, so no token is cut in two.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from .ladder import last_rung
from .outcome import Attempt, Unit, UnitEnd
from .requests import Message
from .tools import Tools

if TYPE_CHECKING:
    from .chunks import Chunk

Overlong = Literal["reject", "truncate"]
Render = Callable[[str], tuple[Message, ...]]
"""The prompt with a text in the place of the row's."""

CHARACTERS = 4.0
"""A token, about: where the search for a place to cut begins."""
WIDE = 16
"""Characters a token that are looked at for such a place at first: more than any prose has."""
GUESSES = 8
"""Of where to cut, before the search halves what is left."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """A prompt that was held against the context.

    Attributes:
        text: What is left of the row's text, or all of it.
        messages: The prompt.
        fits: Whether prompt and longest reply fit.
        evidence: Tokens of the prompt, of the longest reply and of the context where it does not
            fit; tokens that were cut, and of how many, where it was cut; else empty.
    """

    text: str
    messages: tuple[Message, ...]
    fits: bool = True
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Room:
    """What a model's context leaves for the prompts of a step.

    Attributes:
        tools: Of the step.
        max_tokens: Of the longest reply.
        overlong: What is done with a prompt that does not fit.
    """

    tools: Tools
    max_tokens: int
    overlong: Overlong
    _marks: dict[tuple[str, ...], int] = field(default_factory=dict)
    """Tokens of turns without content, by their roles."""

    def fit(self, text: str, messages: tuple[Message, ...], render: Render) -> Fitted:
        """A prompt as it is sent, cut if need be and allowed.

        Raises:
            RenderError: The prompt cannot be rendered for less of the text.
        """
        if self.fits(messages):
            return Fitted(text, messages)
        if self.overlong == "truncate":
            kept = text[: self.longest(text, render)]
            if kept:
                whole, left = self.tools.count([text, kept])
                evidence = {"cut_tokens": whole - left, "of_tokens": whole}
                return Fitted(kept, render(kept), True, evidence)
        return Fitted(text, messages, False, self._lack(messages))

    def fits(self, messages: tuple[Message, ...]) -> bool:
        """Whether a prompt and its longest reply fit the context, if that is known.

        A token stands for a byte or more, so short prompts need no tokenizer.
        """
        context = self.tools.context
        if context is None:
            return True
        roles = tuple(m.role for m in messages)
        if (marks := self._marks.get(roles)) is None:
            marks = self._count(tuple(Message(m.role, "") for m in messages))
            self._marks[roles] = marks
        most = marks + sum(len(m.content.encode("utf-8", "replace")) for m in messages)
        return most <= self._limit or self._count(messages) <= self._limit

    @property
    def _limit(self) -> int:
        return (self.tools.context or 0) - self.max_tokens

    def _count(self, messages: tuple[Message, ...]) -> int:
        return self.tools.tokens.count_chat([messages])[0]

    def _lack(self, messages: tuple[Message, ...]) -> dict[str, Any]:
        return {
            "tokens": self._count(messages),
            "max_tokens": self.max_tokens,
            "context": self.tools.context,
        }

    def longest(self, text: str, render: Render) -> int:
        """Where to end a text that does not fit; 0 if nothing of it does."""
        from .chunks import cut_places

        def measure(end: int) -> int:
            return self._count(render(text[:end]))

        if measure(0) >= self._limit:
            return 0
        seen = max(WIDE * self._limit, 1)
        while True:
            ends = cut_places(text[:seen])
            if seen < len(text):
                ends = ends[:-1]  # its end may stand within a sentence
            found = last_fitting(ends, measure, self._limit)
            if found == len(ends) and seen < len(text):
                seen *= 4
                continue
            if found:
                return ends[found - 1]
            words = list(_word_ends(text, min(ends[0] if ends else len(text), seen)))
            found = last_fitting(words, measure, self._limit)
            return words[found - 1] if found else 0

    def split(self, piece: Chunk, render: Render) -> tuple[Chunk, ...]:
        """A chunk in runs of sentences that fit; a sentence that does not fit by itself is one."""
        from .chunks import Chunk, cut_places

        if self.fits(render(piece.text)):
            return (piece,)
        ends = cut_places(piece.text)
        made: list[Chunk] = []
        at, start, lead = 0, 0, piece.lead
        while at < len(ends):
            first = start

            def measure(end: int, first: int = first) -> int:
                return self._count(render(piece.text[first:end]))

            rest = ends[at:]
            taken = max(1, last_fitting(rest, measure, self._limit, start))
            end = rest[taken - 1]
            made.append(Chunk(piece.text[start:end], lead, piece.prose, piece.overlong))
            at += taken
            start = _skip_space(piece.text, end)
            lead = piece.text[end:start]
        return tuple(made)


def last_fitting(
    ends: Sequence[int], measure: Callable[[int], int], limit: int, start: int = 0
) -> int:
    """How many of rising places can be gone to until more than `limit` tokens are measured.

    The next guess comes from how many tokens the characters so far had, so about five prompts are
    measured, whatever the length of the text.
    """
    low, high = 0, len(ends) + 1  # ends[low - 1] fits, ends[high - 1] does not
    rate, base, guesses = CHARACTERS, measure(start), 0
    while high - low > 1:
        guess = bisect_right(ends, start + (limit - base) * rate)
        at = min(max(guess, low + 1), high - 1) if guesses < GUESSES else (low + high) // 2
        tokens, guesses = measure(ends[at - 1]), guesses + 1
        low, high = (at, high) if tokens <= limit else (low, at)
        rate = (ends[at - 1] - start) / max(tokens - base, 1)
    return low


def _word_ends(text: str, stop: int) -> Iterator[int]:
    """Places up to `stop` where a word ends; in a script without spaces, where a character does."""
    spaced = " " in text[:stop].strip()
    for at in range(1, stop):
        here = text[at]
        if here.isspace() if spaced else not _goes_on(text, at):
            yield at


def _goes_on(text: str, at: int) -> bool:
    """Whether a character belongs to the one before it: a combining mark, a joiner."""
    joined = ("\u200d", "\ufe0f")
    return (
        text[at] in joined
        or text[at - 1] == joined[0]
        or bool(unicodedata.combining(text[at]))
        or "\U0001f3fb" <= text[at] <= "\U0001f3ff"
    )


def _skip_space(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def overlong_unit(
    source: str,
    messages: tuple[Message, ...],
    ladder: Sequence[Mapping[str, Any]],
    evidence: Mapping[str, Any],
) -> Unit:
    """The unit of a prompt that is never sent: it goes to the end of the ladder."""
    attempt = Attempt(0, "", "", "", "overlong", "overlong", evidence)
    ends: dict[str, UnitEnd] = {"fallback": "fallback", "route": "routed"}
    end = ends.get(last_rung(ladder), "rejected")
    return Unit(source, messages, (attempt,), end, source if end == "fallback" else None)
