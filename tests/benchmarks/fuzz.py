"""Recipes, expressions and prompts mutated at random: nothing but diagnostics may come of them.

make bench NAME=fuzz ARGS="--minutes 5"          cases per target, how far they came, each defect
make bench NAME=fuzz ARGS="--case yaml:17"       one case again, with its text and traceback
"""

from __future__ import annotations

import argparse
import faulthandler
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.benchmarks.fuzzing.case import Case
from tests.benchmarks.fuzzing.cases import TARGETS, case_of, on_disk, seeds
from tests.benchmarks.fuzzing.oracle import SECONDS, Verdict, judge
from tests.benchmarks.fuzzing.shrink import shrink

STAGES = ("text", "yaml", "shape", "bound", "plan")
HEADS = ("target", "cases", "read", "in shape", "bound", "plan", "median ms", "slowest")


def main() -> int:
    """Run for a while and print the table; the exit code is 1 if there is a defect."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--minutes", type=float, default=1.0)
    arguments.add_argument("--seed", type=int, default=0, help="the first seed")
    arguments.add_argument("--target", choices=TARGETS)
    arguments.add_argument("--case", help="TARGET:SEED")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        disk = on_disk(Path(folder))
        if given.case:
            target, _, seed = given.case.partition(":")
            return again(*case_of(target, int(seed), disk))
        return run(disk, given.minutes * 60, given.seed, given.target)


def run(disk: dict[str, Path], seconds: float, first: int, only: str | None) -> int:
    """Judge cases for so long."""
    stages: Counter[tuple[str, str]] = Counter()
    read: Counter[str] = Counter()
    times: dict[str, list[float]] = {target: [] for target in TARGETS}
    faults: dict[str, list[tuple[Case, tuple[str, ...], Verdict, str]]] = {}
    end, seed = time.monotonic() + seconds, first
    for target, seed in seeds(first):
        if time.monotonic() > end:
            break
        if only and target != only:
            continue
        case, expressions = case_of(target, seed, disk)
        faulthandler.dump_traceback_later(20 * SECONDS, exit=True)  # a hang that hears no signal
        begun = time.process_time()
        verdict = judge(case, expressions)
        times[target].append(time.process_time() - begun)
        faulthandler.cancel_dump_traceback_later()
        stages[target, verdict.stage] += 1
        read[target] += verdict.parsed
        if verdict.fault:
            faults.setdefault(verdict.fault, []).append(
                (case, expressions, verdict, f"{target}:{seed}")
            )
    table(stages, read, times)
    for fault, found in sorted(faults.items(), key=lambda item: -len(item[1])):
        told(fault, found)
    print(f"\n{len(faults)} defects, next seed {seed}")
    return 1 if faults else 0


def table(
    stages: Counter[tuple[str, str]], read: Counter[str], times: dict[str, list[float]]
) -> None:
    """How far the cases of each target came: the share that reached each stage."""
    print("".join(f"{head:>12}" for head in HEADS))
    for target in TARGETS:
        many = max(1, len(times[target]))
        reached = [sum(stages[target, s] for s in STAGES[at:]) / many for at in range(2, 5)]
        shares = [read[target] / many, *reached]
        taken = sorted(times[target]) or [0.0]
        cells = [target, f"{len(times[target]):,}", *(f"{share:.0%}" for share in shares)]
        cells += [f"{taken[len(taken) // 2] * 1000:.0f}", f"{taken[-1]:.2f} s"]
        print("".join(f"{cell:>12}" for cell in cells))


def told(fault: str, found: list[tuple[Case, tuple[str, ...], Verdict, str]]) -> None:
    """A defect: how often, where, and the shortest text that shows it."""
    case, expressions, verdict, _ = min(found, key=lambda f: len(f[0].text))
    names = ", ".join(name for *_, name in found[:5])
    print(f"\n=== {fault}\n    {len(found)} cases: {names}")
    print("\n".join(verdict.story.splitlines()[-9:]))
    if expressions:
        print(f"expressions: {expressions!r}")
    short = shrink(case.text, lambda t: judge(case.with_text(t), expressions).fault == fault, 300)
    print(f"base {case.base}, file {case.changed}, profile {case.profile!r}, sets {case.sets!r}")
    print(f"disk: {case.disk is not None}\n{short!r}", flush=True)


def again(case: Case, expressions: tuple[str, ...]) -> int:
    """One case, with all that is known of it."""
    verdict = judge(case, expressions)
    print(f"{case.base} {case.changed} {case.profile!r} {case.sets!r}\n{case.text}")
    print(expressions, verdict.stage, verdict.fault or "no defect")
    print(verdict.story)
    return 1 if verdict.fault else 0


if __name__ == "__main__":
    sys.exit(main())
