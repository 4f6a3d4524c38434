"""`mashbill check`, whole process, against an interpreter that imports yaml, jsonschema and lark.

Prints the median of each, CPU and wall seconds, and the ratio; the goal is below 2.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RUNS = 15
COMMANDS = {
    "bare imports": [sys.executable, "-c", "import yaml, jsonschema, lark"],
    "mashbill check": [
        sys.executable,
        "-m",
        "mashbill",
        "check",
        str(ROOT / "recipes/textbook-web"),
    ],
}


def measure(command: list[str]) -> tuple[float, float]:
    """CPU and wall seconds of one process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    wall = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall


def main() -> None:
    """Measure in turns, so that a busy moment hits both."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in COMMANDS}
    for _ in range(RUNS):
        for name, command in COMMANDS.items():
            found[name].append(measure(command))
    medians = {n: [statistics.median(v) for v in zip(*f, strict=True)] for n, f in found.items()}
    for name, (cpu, wall) in medians.items():
        print(f"{name:<16} cpu {cpu:.3f} s   wall {wall:.3f} s   (median of {RUNS})")
    bare, check = medians["bare imports"], medians["mashbill check"]
    print(f"ratio            cpu {check[0] / bare[0]:.2f}     wall {check[1] / bare[1]:.2f}")


if __name__ == "__main__":
    main()
