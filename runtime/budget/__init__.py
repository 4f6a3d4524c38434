"""Budgets: worst cases are reserved before a request is sent, so no cap is ever overshot.

    purse = open_purse(plan, folder, state)         # NoPurse where the recipe caps nothing
    reservation = await purse.reserve(step, model, input_tokens, max_tokens)    # may wait
    try:
        completion = await engine.complete(request)
    except EngineError as error:
        purse.settle(reservation, lost=is_lost(error.kind))
        raise
    except BaseException:                           # cancelled: the server may have written it all
        purse.settle(reservation, lost=True)
        raise
    purse.settle(reservation, completion)
    …
    purse.close()                                   # exact figures to `spent.json`, at any end

`reserve` is called once a send, right before it, not for what the ledger holds; every reservation
is settled exactly once. It raises `Exhausted` where a cap leaves no room: `error.cap` is what the
user wrote (`budget.tokens`), `error.step` the step if it caps only one, and `str(error)` the
sentence. Its worst input comes from `input_bound`, or the exact tokenizer. `purse.clock` is told of
engines (`engine_up`, `engine_down`); `purse.seconds_left()` says when a cap on time is reached.

`report(purse)` is for the record, `line(purse)` for progress, `at_cap` and `raised` for the end.

    breakers = Breakers.of(plan.budget, steps)
    trip = breakers.observe(step, index, end, reason)     # None, or why the run should stop

Everything runs on one event loop and takes no locks.
"""

from __future__ import annotations

from .bounds import input_bound
from .breakers import Breakers, Trip
from .carried import Carry, carried
from .deadline import Deadline
from .exhausted import Exhausted
from .nopurse import NoPurse
from .opening import open_purse
from .purse import Purse
from .report import line, report
from .reservation import Reservation, is_lost
from .words import at_cap, raised

__all__ = [
    "Breakers",
    "Carry",
    "Deadline",
    "Exhausted",
    "NoPurse",
    "Purse",
    "Reservation",
    "Trip",
    "at_cap",
    "carried",
    "input_bound",
    "is_lost",
    "line",
    "open_purse",
    "raised",
    "report",
]
