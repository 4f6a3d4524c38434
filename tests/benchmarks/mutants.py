"""What `check` says of broken recipes: the share that is caught, on the right line, once.

make bench NAME=mutants              the table, and every miss
make bench NAME=mutants ARGS=--show=40   and forty texts as a user sees them
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from mashbill.compiler.render import render
from tests.benchmarks.mutation.bases import bases
from tests.benchmarks.mutation.classes import CLASSES, mutants_of
from tests.benchmarks.mutation.judge import Verdict, judge
from tests.benchmarks.mutation.keys import optional_keys

LEGEND = """
on line: the first error (or warning, where there is no error) begins on a line that was mutated;
  for a name that is declared in one place and used in another, at either (so for a tag and its end
  tag); for what was dropped, at the key of the map that lacks it, or where it is missed
once: exactly one error (or, where there is none, one warning)
same: slips of layout that leave what YAML reads as it was; not counted
not made: slips that the format takes for what they say (text where a share may be text, a column
  that another source has too, marks inside prose, patterns and texts, a tokenizer of a hub)"""
GOAL = 0.95
LEAST = 100


def verdicts(kind: str, same: Counter[str], sample: int) -> list[Verdict]:
    """All mutants of a class, judged; those that mean what the base means are only counted."""
    found, same[kind] = mutants_of(kind, bases())
    return [judge(m) for m in (found[:: max(1, len(found) // sample)] if sample else found)]


def row(name: str, found: Sequence[Verdict], same: int) -> str:
    """One line of the table."""
    caught = [v for v in found if v.caught]
    errors = sum(bool(v.errors) for v in caught)
    once = sum((v.errors or v.warnings) == 1 for v in caught)
    lines = sum(v.on_line for v in caught)
    many, of = max(1, len(found)), max(1, len(caught))
    return (
        f"{name:<28}{len(found):>8}{errors:>8}{len(caught) - errors:>9}"
        f"{len(caught) / many:>9.1%}{lines / of:>9.1%}{once / of:>9.1%}{same:>7}"
    )


def main() -> int:
    """Print the table and what falls short; 1 if a goal is missed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", help="one class")
    parser.add_argument("--show", type=int, default=0, help="print so many texts of each class")
    parser.add_argument("--sample", type=int, default=0, help="about so many of each class")
    options = parser.parse_args()
    print(f"{len(bases())} recipes: {', '.join(b.name for b in bases())}\n")
    print(f"{'class':<28}{'mutants':>8}{'errors':>8}{'warnings':>9}{'caught':>9}{'on line':>9}"
          f"{'once':>9}{'same':>7}")  # fmt: skip
    every: list[Verdict] = []
    same: Counter[str] = Counter()
    short = []
    for kind in CLASSES:
        if options.only and options.only != kind:
            continue
        found = verdicts(kind, same, options.sample)
        print(row(kind, found, same[kind]), flush=True)
        short += [kind] if len(found) < LEAST else []
        every += found
    print(row("all", every, same.total()))
    optional = sum(optional_keys(b) for b in bases())
    print(LEGEND)
    print(f"{optional} keys that the format lets be absent were not dropped")
    for title, listed in (
        ("crashes", [v for v in every if v.crash]),
        ("missed", [v for v in every if not v.caught and not v.crash]),
        ("on another line", [v for v in every if v.caught and not v.on_line]),
        ("more than one", [v for v in every if (v.errors or v.warnings) > 1]),
    ):
        print(f"\n{title}: {len(listed)}")
        for v in listed:
            said = "; ".join(f"{d.code} {d.message}" for d in v.report.diagnostics[:3])
            print(f"  {v.mutant.kind} | {v.mutant.base.name} | {v.mutant.name} | {v.crash or said}")
    if options.show:
        _show(every, options.show)
    caught = [v for v in every if v.caught]
    enough = len(caught) >= GOAL * len(every) and sum(v.on_line for v in caught) >= GOAL * len(
        caught
    )
    return 0 if enough and not short and not any(v.crash for v in every) else 1


def _show(every: Sequence[Verdict], many: int) -> None:
    """Texts as a user sees them, evenly taken from each class."""
    for kind in CLASSES:
        found = [v for v in every if v.mutant.kind == kind and v.caught]
        for verdict in found[:: max(1, len(found) // many)][:many]:
            print(f"\n=== {kind} | {verdict.mutant.base.name} | {verdict.mutant.name}")
            print(render(verdict.report))


if __name__ == "__main__":
    sys.exit(main())
