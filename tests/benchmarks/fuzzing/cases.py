"""Cases by target, each the same for the same seed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from random import Random

from tests.benchmarks.mutation.bases import bases
from tests.benchmarks.mutation.mutant import RECIPE, Base

from .case import Case
from .expressions import expression_case
from .prompts import mutate_prompt
from .text import mutate_text
from .trees import mutate_in_place, mutate_tree, random_sets

TARGETS = ("yaml", "expressions", "prompts")
ERRORS = Path(__file__).parents[2] / "compiler" / "errors"


@cache
def valid() -> tuple[Base, ...]:
    """What is mutated: recipes that ship, and those of `format.md`."""
    return bases()


@cache
def broken() -> tuple[str, ...]:
    """Recipes with one fault each, the cases of the error snapshots, as material to splice in."""
    cases = sorted(ERRORS.glob("*.yaml"))
    return tuple(re.split(r"^=== ", c.read_text("utf-8"), flags=re.M)[0] for c in cases)


def case_of(target: str, seed: int, disk: Mapping[str, Path]) -> tuple[Case, tuple[str, ...]]:
    """The case of a seed, and the expressions that were fuzzed in it.

    Args:
        target: One of `TARGETS`.
        seed: Of every choice.
        disk: Folders of bases by name; half of the cases meet a real file system.
    """
    random = Random(f"{target}:{seed}")
    texts = [*(b.recipe for b in valid()), *broken()]
    if target == "expressions":
        return expression_case(random, texts)
    base = random.choice(valid())
    folder = disk.get(base.name) if random.random() < 0.5 else None
    if target == "prompts":
        prompts = {f: t for f, t in base.files.items() if f.endswith(".j2")}
        if prompts:
            changed = random.choice([*prompts])
            others = [t for b in valid() for f, t in b.files.items() if f.endswith(".j2")]
            text = mutate_prompt(prompts[changed], random, others)
            files = {**base.files, changed: text}
            return Case(target, base.name, files, changed, disk=folder), ()
    text = base.recipe
    match random.randrange(10):
        case 0 | 1:
            text = mutate_text(random.choice((text, text, random.choice(texts))), random, texts)
        case 2 | 3 | 4:
            text = mutate_tree(base, random, valid())
        case 5 | 6:
            text = mutate_in_place(base, random, valid())
        case _:
            text = mutate_in_place(base, random, valid(), alike=True)
    own = getattr(base.document().get("profiles"), "names", ())
    odd = random.choice(("smoke", "demo", "nope", "\udcff", "")) if random.random() < 0.1 else None
    profile = random.choice(own) if own and random.random() < 0.4 else odd
    sets = random_sets(base, random) if random.random() < 0.2 else ()
    return Case("yaml", base.name, {**base.files, RECIPE: text}, RECIPE, profile, sets, folder), ()


def on_disk(folder: Path) -> dict[str, Path]:
    """Write the bases into folders of their own; where each is, by name."""
    found = {}
    for number, base in enumerate(valid()):
        found[base.name] = root = folder / str(number)
        for name, text in base.files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text, "utf-8", newline="")
    return found


def seeds(first: int) -> Iterator[tuple[str, int]]:
    """Targets in turn, each with its next seed."""
    number = first
    while True:
        for target in TARGETS:
            yield target, number
        number += 1
