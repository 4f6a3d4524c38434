"""How many requests one server gets at once: fewer when it refuses or slows down, then more again.

Published rules, applied once a round (as many outcomes as requests were admitted at once):

- Refusals (429, 503, silence): the limit shrinks by half of their share, as a DCTCP sender does by
  the share of marked packets (Alizadeh et al., SIGCOMM 2010; RFC 8257, section 3.3), and grows back
  by a step in rounds with next to none. All refused halves it; one of a hundred is no sign:
  a server that now and then answers 503 is not a full one.
- Latency: when a round takes more than `TOLERANCE` times as long as rounds did lately, the limit
  shrinks in proportion, at most by half (Gradient2 of Netflix's concurrency-limits). Replies differ
  in length by far more than that, so that a server counts as slower only if it is slower both by
  the request and by the token: neither longer replies nor shorter ones look like congestion. And
  only by `NOTICEABLE` seconds: less may as well be this process, busy with other things.
- The step is smallest near the value that was refused last, and grows with the distance from it, as
  in CUBIC (Ha, Rhee and Xu, 2008; RFC 9438): a known edge is tested rarely, and left behind fast
  when it is gone.
"""

from __future__ import annotations

TOLERATED = 0.05
"""Share of refusals that is no sign, as BBRv2 bears some loss: resending so few costs little."""
STEPS = 32
"""Rounds that take the limit from nothing to the top."""
TOLERANCE = 2.0
NOTICEABLE = 0.25
LEAST_REPLIES = 16
"""So many say something about latency."""
_LONG = 1 / 32
"""Weight of a round in the latency that counts as usual."""
_SHORT = 1 / 8
"""Weight of an outcome in whether the server is refusing."""


class Limit:
    """The number of requests that one server is trusted with.

    Attributes:
        most: The most there may ever be.
        refusing: Share of refusals lately, from 0 to 1.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.refusing: float | None = None
        self._value = float(most)
        self._sent = 0
        self._edge: float | None = None
        """Where it was refused last."""
        self._shrunk = 0
        """Requests sent before this one saw another limit; their refusals are old news."""
        self._usual: tuple[float, float] | None = None
        """Seconds by the request and by the token."""
        self._outcomes = self._refusals = self._peak = 0
        self._replies = self._tokens = 0
        self._seconds = 0.0

    @property
    def now(self) -> int:
        """Requests to have in flight at most, at least 1."""
        return int(self._value)

    def sent(self, in_flight: int) -> int:
        """Count a request that is sent; returns its number.

        Args:
            in_flight: How many there are now, this one included.
        """
        self._sent += 1
        self._peak = max(self._peak, in_flight)
        return self._sent

    def replied(self, seconds: float, tokens: int) -> None:
        """Note a reply, the time it took and its length."""
        self._outcomes += 1
        self._replies += 1
        self._seconds += seconds
        self._tokens += tokens
        self._note(refused=False)

    def refused(self, number: int) -> None:
        """Note that a request was refused, or met silence.

        Args:
            number: What `sent` returned for it.
        """
        if number > self._shrunk:
            self._outcomes += 1
            self._refusals += 1
        self._note(refused=True)

    def _note(self, *, refused: bool) -> None:
        last = self.refusing
        self.refusing = float(refused) if last is None else last + _SHORT * (refused - last)
        if self._replies >= max(self.now, LEAST_REPLIES):
            self._judge()
        if self._outcomes >= self.now:
            self._end()

    def _begin(self) -> None:
        self._outcomes = self._refusals = self._peak = 0

    def _end(self) -> None:
        share = self._refusals / self._outcomes
        if share > TOLERATED:
            self._edge = self._value
            self._shrink(1 - share / 2)
        elif 2 * self._peak > self.now:  # With fewer in flight, nothing is known of so many.
            self._value = min(self._value + self._step(), float(self.most))
        self._begin()

    def _step(self) -> float:
        step = max(self.most / STEPS, 1.0)
        if self._edge is None:
            return step
        distance = abs(self._value - self._edge) / (self.most / 8)
        return step * min(max(distance, 1 / 4), 1.0)

    def _shrink(self, factor: float) -> None:
        self._value = max(self._value * factor, 1.0)
        self._shrunk = self._sent

    def _judge(self) -> None:
        """Compare the replies since the last time with what is usual, and learn from them."""
        by_request = self._seconds / self._replies
        by_token = self._seconds / max(self._tokens, 1)
        self._replies = self._tokens = 0
        self._seconds = 0.0
        if 2 * self._peak <= self.now:
            return
        request, token = self._usual or (by_request, by_token)
        slower = min(by_request / max(request, 1e-9), by_token / max(token, 1e-9))
        self._usual = (
            request + _LONG * (by_request - request),
            token + _LONG * (by_token - token),
        )
        if slower > TOLERANCE and by_request - request > NOTICEABLE:
            self._shrink(max(TOLERANCE / slower, 0.5))
            self._begin()
