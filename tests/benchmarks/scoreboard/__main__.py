"""Estimates against what really came, over recipes of different kinds.

    make bench NAME=scoreboard ARGS="[--seeds 3] [--only plain_rewrite,sorted] [--no-embedded]"

Each recipe is planned from a sample, with a pilot of 64 rows and with one of 256, and then run to
its end, in a fresh project. The models of most are `fake/prose`: lengths are lognormal and a known
share of replies is right, of which `plan` is told nothing. The others run on the embedded model.
Printed are actual by estimated, the share of actuals inside the 90 % interval, and whether the
worst case was ever exceeded. What a pilot spent counts on both sides of a ratio.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from cases import CASES
from measuring import QUANTITIES, Guess, Measured, measure

TIERS = ("sampled", "pilot 64", "pilot 256")
SHORT = {"calls": "calls", "prompt_tokens": "tok in", "reply_tokens": "tok out", "usd": "USD"}
GOALS = {
    ("sampled", "prompt_tokens"): 0.03,
    ("pilot 256", "calls"): 0.08,
    ("pilot 256", "reply_tokens"): 0.10,
    ("pilot 256", "usd"): 0.10,
}


def main() -> int:
    """Measure and print."""
    asking = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    asking.add_argument("--seeds", type=int, default=3, help="of recipes on fake models")
    asking.add_argument("--only", default="", help="names, with commas between")
    asking.add_argument("--no-embedded", action="store_true")
    asking.add_argument("--json", type=Path, help="write all guesses here")
    given = asking.parse_args()
    wanted = set(filter(None, given.only.split(",")))
    found: list[Measured] = []
    with tempfile.TemporaryDirectory(prefix="scoreboard-") as folder:
        for case in CASES:
            if (wanted and case.name not in wanted) or (case.embedded and given.no_embedded):
                continue
            for seed in range(1, (1 if case.embedded else given.seeds) + 1):
                sys.stderr.write(f"{case.name} {seed}: ")
                place = Path(folder) / f"{case.name}-{seed}"
                found.append(
                    measure(case, seed, place, lambda s: print(s, end="  ", file=sys.stderr))
                )
                sys.stderr.write("\n")
    report(found)
    if given.json:
        rows = [
            {name: getattr(g, name) for name in g.__dataclass_fields__}
            for m in found
            for g in m.guesses
        ]
        given.json.write_text(json.dumps(rows, indent=1), "utf-8")
    return 0


def say(words: str) -> None:
    """Tell how far it is."""
    sys.stderr.write(f"{words}  ")
    sys.stderr.flush()


def report(found: Sequence[Measured]) -> None:
    """Print the scoreboard."""
    print(f"{time.strftime('%Y-%m-%d')}  load {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores\n")
    print("actual / estimated (a star: outside the 90 % interval), the first seed of each\n")
    head = [f"{SHORT[q]:>8}" for q in QUANTITIES]
    print(f"{'':16}" + "".join(f"{t:^{len(QUANTITIES) * 10}}" for t in TIERS))
    print(f"{'recipe':16}" + "  ".join(["  ".join(head)] * len(TIERS)) + "  files read")
    for one in found:
        if one.seed > 1:
            continue
        cells = [_cell(one.guesses, tier, q) for tier in TIERS for q in QUANTITIES]
        print(f"{one.case.name:16}" + "  ".join(cells) + f"  {one.files}")
    for title, some in (
        ("all recipes", found),
        ("in their natural order", [m for m in found if not m.case.hard]),
        ("adversarial order", [m for m in found if m.case.hard]),
        ("embedded model", [m for m in found if m.case.embedded]),
    ):
        if some:
            print(f"\n{title} ({len(some)} runs): absolute error, 95th percentile (median)")
            _errors([g for m in some for g in m.guesses])
    exceeded = [g for m in found for g in m.guesses if g.exceeded]
    print(f"\nworst case exceeded: {len(exceeded)} of {sum(len(m.guesses) for m in found)}")
    for guess in exceeded:
        print(
            f"  {guess.case} {guess.tier} {guess.quantity}: {guess.actual:.0f} > {guess.worst:.0f}"
        )
    for one in found:
        if one.case.large and one.seed == 1:
            print(f"{one.case.name}: pilots spent {one.pilot_share:.2%} of all output tokens")


def _cell(guesses: Iterable[Guess], tier: str, quantity: str) -> str:
    for guess in guesses:
        if guess.tier == tier and guess.quantity == quantity:
            shown = "?" if guess.ratio is None else f"{guess.ratio:.3f}"
            return f"{shown + (' ' if guess.inside else '*'):>8}"
    return f"{'–':>8}"


def _errors(guesses: Sequence[Guess]) -> None:
    for tier in TIERS:
        cells = []
        covered: list[bool] = []
        for quantity in QUANTITIES:
            here = [g for g in guesses if g.tier == tier and g.quantity == quantity]
            errors = sorted(abs(g.ratio - 1) for g in here if g.ratio is not None)
            covered += [g.inside for g in here]
            if errors:
                goal = GOALS.get((tier, quantity))
                said = f" goal {goal:.0%}" if goal else ""
                high = errors[min(len(errors) - 1, round(0.95 * (len(errors) - 1)))]
                cells.append(
                    f"{SHORT[quantity]} {high:.1%} ({statistics.median(errors):.1%}){said}"
                )
        a_call = sorted(_by_call(guesses, tier))
        if a_call:
            high = a_call[min(len(a_call) - 1, round(0.95 * (len(a_call) - 1)))]
            cells.append(f"tok in a call {high:.1%} ({statistics.median(a_call):.1%})")
        if covered:
            share = sum(covered) / len(covered)
            print(f"  {tier:10} {'; '.join(cells)}; inside {share:.0%} of {len(covered)}")


def _by_call(guesses: Sequence[Guess], tier: str) -> Iterator[float]:
    """Errors of prompt tokens by call: what tokenising tells, whatever share of replies passes."""
    found = {(g.case, g.seed, g.quantity): g.ratio for g in guesses if g.tier == tier}
    for (case, seed, quantity), tokens in found.items():
        calls = found.get((case, seed, "calls"))
        if quantity == "prompt_tokens" and tokens and calls:
            yield abs(tokens / calls - 1)


if __name__ == "__main__":
    raise SystemExit(main())
