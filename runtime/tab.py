"""What a row has had paid for while a step works on it: counted where requests are answered.

A step works on each row in a task of its own, and whatever it starts for that row inherits the
context of that task, checks that ask models among it. So the window that is asked finds the row's
tab without being told whose request it is.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .hidden import hidden_tokens

if TYPE_CHECKING:
    from .requests import Completion


@dataclass(slots=True)
class Paid:
    """New replies of one model, and what they took.

    Attributes:
        calls: Replies that were paid for in this run.
        prompt_tokens: Of their prompts, as the engine counted.
        reply_tokens: Of the replies.
        cached_tokens: Of `prompt_tokens`, those that the server had seen before.
        seconds: Time between sending and reply, added up over calls.
        hidden_tokens: Of `reply_tokens`, those that the text does not show: thoughts.
    """

    calls: int = 0
    prompt_tokens: int = 0
    reply_tokens: int = 0
    cached_tokens: int = 0
    seconds: float = 0.0
    hidden_tokens: int = 0

    def add(self, completion: Completion, seconds: float) -> None:
        """Count a reply."""
        self.calls += 1
        self.prompt_tokens += completion.prompt_tokens
        self.reply_tokens += completion.completion_tokens
        self.cached_tokens += completion.cached_tokens
        self.hidden_tokens += hidden_tokens(completion)
        self.seconds += seconds

    def plus(self, other: Paid) -> None:
        """Count what another counted."""
        self.calls += other.calls
        self.prompt_tokens += other.prompt_tokens
        self.reply_tokens += other.reply_tokens
        self.cached_tokens += other.cached_tokens
        self.hidden_tokens += other.hidden_tokens
        self.seconds += other.seconds

    def to_json(self) -> dict[str, Any]:
        """As the run record holds it."""
        return {
            "calls": self.calls,
            "prompt_tokens": self.prompt_tokens,
            "reply_tokens": self.reply_tokens,
            "cached_tokens": self.cached_tokens,
            "hidden_tokens": self.hidden_tokens,
            "seconds": round(self.seconds, 3),
        }


@dataclass(slots=True)
class Tab:
    """What one row asked for.

    Attributes:
        paid: New replies, by model.
        held: Replies that were in the ledger, or that an equal request got.
        in_flight: Requests that are sent and not answered.
    """

    paid: dict[str, Paid] = field(default_factory=dict)
    held: int = 0
    in_flight: int = 0
    _sent: float = 0.0
    """When those in flight were sent, added up."""
    _gone: float = 0.0
    """Seconds that others were under way, added up."""

    @property
    def calls(self) -> int:
        """New replies of all models."""
        return sum(p.calls for p in self.paid.values())

    def seconds(self, now: float) -> float:
        """Time that its requests have been under way, added up: no waiting for their turn.

        Args:
            now: The time, as `time.monotonic` gives it; of no matter where none is in flight.
        """
        return self._gone + (self.in_flight * now - self._sent if self.in_flight else 0.0)

    def sent(self, now: float) -> None:
        """A request is sent."""
        self.in_flight += 1
        self._sent += now

    def back(self, started: float, now: float) -> None:
        """What was sent at some time has come back, answered or not."""
        self.in_flight -= 1
        self._sent -= started
        self._gone += now - started


_TAB: ContextVar[Tab | None] = ContextVar("tab", default=None)


def open_tab() -> Tab:
    """The tab of the row that this task works on from now on."""
    tab = Tab()
    _TAB.set(tab)
    return tab


def note_sent(now: float) -> Tab | None:
    """A request is sent; the tab that it is noted on, which is to be told when it is back."""
    if (tab := _TAB.get()) is not None:
        tab.sent(now)
    return tab


def note_paid(model: str, completion: Completion, seconds: float) -> None:
    """A reply was paid for; noted nowhere where no row is worked on."""
    if (tab := _TAB.get()) is not None:
        tab.paid.setdefault(model, Paid()).add(completion, seconds)


def note_held() -> None:
    """A reply did not have to be paid for."""
    if (tab := _TAB.get()) is not None:
        tab.held += 1
