"""One tiny real generation, since what a server advertises proves nothing."""

from __future__ import annotations

import asyncio

from ..engines.base import Engine
from ..requests import Completion, EngineError, Request

SECONDS = 120.0
"""How long one reply of a few tokens may take, the server's own start included."""
WAITS = (0.3, 1.0)
"""Seconds before the second and the third try, where a server says that it is busy."""
MOST_WAIT = 5.0
"""Seconds that a server may ask to be left alone for."""
_AT_ONCE = ("timeout", "connect")
"""Kinds of errors that another try would only wait for again."""


async def probe(engine: Engine, request: Request) -> Completion:
    """Ask once, and again where the server says that it may then answer.

    Args:
        engine: Started by its owner, who closes it.
        request: A tiny one.

    Raises:
        EngineError: It does not answer.
    """
    for wait in (*WAITS, None):
        try:
            async with asyncio.timeout(SECONDS):
                return await engine.complete(request)
        except TimeoutError:
            raise EngineError("slow", f"no reply in {SECONDS:.0f} s", retryable=True) from None
        except EngineError as error:
            if wait is None or not error.retryable or error.kind in _AT_ONCE:
                raise
            await asyncio.sleep(min(MOST_WAIT, max(wait, error.retry_after or 0.0)))
    raise AssertionError("unreachable")
