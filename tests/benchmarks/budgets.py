"""Random budgets against a simulated engine: caps are reached, and never overshot.

make bench NAME=budgets                          1,000 configurations
make bench NAME=budgets ARGS="--count 100"
make bench NAME=budgets ARGS="--case 17"         one of them, with its numbers

A configuration draws caps of all kinds for the run and for steps, prices, limits of replies,
faults, cancellations and what an earlier run has spent; up to 256 requests are in flight, in
virtual time. What the engine was paid is counted a second time, in fractions. Asserted for each:
no cap on tokens, requests or money is overshot by anything; a cap that stopped a request is spent
to 90 % or more, where it holds at least ten worst cases of a request; nobody waits for ever.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import time
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from mashbill.runtime.budget import Purse
from mashbill.runtime.budget.amounts import RESERVED, Price
from mashbill.runtime.requests import Completion
from tests.budget.simulation import WORST_CASES, Trial, run_trial
from tests.budget.virtual import StuckError


def main() -> int:
    """Run the trials and print a table; the exit code is 1 if one of them breaks a rule."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--count", type=int, default=1000)
    arguments.add_argument("--seed", type=int, default=0, help="the first seed")
    arguments.add_argument("--case", type=int, help="one seed, with its numbers")
    given = arguments.parse_args()
    if given.case is not None:
        return show(run_trial(given.case))
    started, broken, sent, door, full = time.perf_counter(), 0, 0, 0, 0
    shares: dict[str, list[float]] = defaultdict(list)
    for seed in range(given.seed, given.seed + given.count):
        try:
            trial = run_trial(seed)
            problems = list(trial.problems())
        except StuckError:
            problems = ["stuck: everybody waits for somebody"]
        else:
            sent += trial.sent
            door += trial.in_flight == 256
            full += trial.most == 256
            for path, share in reached(trial).items():
                shares[path.rpartition(".")[2]].append(share)
        for problem in problems:
            print(f"seed {seed}: {problem}")
        broken += bool(problems)
    seconds = time.perf_counter() - started
    print(f"{given.count:,} configurations, {sent:,} requests, {seconds:.1f} s; broken: {broken}")
    print(f"256 at once: wanted in {door:,}, and let in by the caps in {full:,}")
    print(f"{'cap':>14} {'reached':>8} {'least spent':>12} {'mean':>7}")
    for kind in RESERVED:
        if spent := shares[kind]:
            mean = statistics.fmean(spent)
            print(f"{kind:>14} {len(spent):>8,} {min(spent):>12.2%} {mean:>7.2%}")
    print(f"reserve and settle, with room: {asyncio.run(cost()):.1f} µs a request")
    return 1 if broken else 0


def reached(trial: Trial) -> dict[str, float]:
    """Share spent of each cap that stopped a request and holds ten worst cases."""
    return {
        path: trial.share(path)
        for path, error in trial.reached.items()
        if error.gauge.kind in RESERVED and error.gauge.limit >= WORST_CASES * trial.worst(path)
    }


def show(trial: Trial) -> int:
    """One trial: each cap, and what is wrong."""
    print(f"{trial.sent:,} requests, at most {trial.most} at once, {trial.seconds:.1f} s virtual")
    for path in trial.purse.caps:
        gauge = trial.purse.gauges[path]
        mark = "reached" if path in trial.reached else ""
        print(f"{path:>32} {gauge.spent:>22,} of {gauge.limit:>22,} {mark}")
    problems = list(trial.problems())
    for problem in problems:
        print(problem)
    return 1 if problems else 0


async def cost(requests: int = 20_000) -> float:
    """Microseconds of one request that finds room; the best of three rounds."""
    purse = Purse(
        {"budget.tokens": 10**15, "budget.usd": 10**24, "budget.steps.book.requests": 10**9},
        {"writer": Price(400_000, 1_600_000, 100_000)},
    )
    completion = Completion("", "stop", 100, 50, 512)
    rounds = []
    for _ in range(3):
        started = time.perf_counter()
        for _ in range(requests):
            reservation = await purse.reserve("book", "writer", 300, 512)
            purse.settle(reservation, completion)
        rounds.append((time.perf_counter() - started) / requests * 1e6)
    return min(rounds)


if __name__ == "__main__":
    sys.exit(main())
