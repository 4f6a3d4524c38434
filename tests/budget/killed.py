"""A run in a process of its own that is killed: `python -m tests.budget.killed STATE SEED KILL AT`.

What its server bills goes to `STATE/bill`, a line a request, the moment it is sent: a server does
not hear of a kill. `KILL` is `request` or `write`, and `AT` which of them is the last; at 0 the run
ends by itself, and says `done` where no cap stopped it.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from functools import partial
from pathlib import Path

from mashbill.runtime.budget import Exhausted, Purse, carried
from mashbill.runtime.budget.amounts import Price
from mashbill.runtime.budget.carried import write_spent
from mashbill.runtime.requests import Completion
from mashbill.runtime.runs import new_run

CAPS = {"budget.tokens": 100_000, "budget.steps.book.usd": 150_000_000_000}
PRICE = Price.of({"input": 0.5, "output": 1.5, "cached_input": None, "per": 1_000_000})
LIMIT = 500
WORKERS = 16


def die() -> None:
    """At once: nothing is flushed, no handler runs."""
    os.kill(os.getpid(), signal.SIGKILL)


async def main(state: Path, seed: int, kill: str, at: int) -> str:
    """Send until a cap is reached or the process is dead."""
    dice = random.Random(seed)
    folder = new_run(state)
    writes = requests = 0
    fsync = os.fsync

    def counted(file: int) -> None:
        nonlocal writes
        writes += 1
        if kill == "write" and writes == at:
            die()  # the file is written, and has not its name yet
        fsync(file)

    os.fsync = counted
    purse = Purse(
        CAPS,
        {"writer": PRICE},
        carried(state, "edu", folder.id),
        save=partial(write_spent, folder, "edu"),
    )
    bill = os.open(state / "bill", os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    async def work() -> str:
        nonlocal requests
        while True:
            try:
                reservation = await purse.reserve("book", "writer", 200, LIMIT)
            except Exhausted as error:
                return str(error)
            used = min(LIMIT, int(dice.lognormvariate(4.5, 1.0)))
            os.write(bill, b"%d %d\n" % (150, used))
            requests += 1
            if kill == "request" and requests == at:
                die()
            await asyncio.sleep(0)
            purse.settle(reservation, Completion("", "stop", 150, used, LIMIT))

    said = await asyncio.gather(*(work() for _ in range(WORKERS)))
    purse.close()
    return said[0]


if __name__ == "__main__":
    print(asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], int(sys.argv[4]))))
