"""The classes of mutants."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from . import inside, keys, layout, names, values
from .layout import means_the_same
from .mutant import Base, Mutant

CLASSES: Mapping[str, Callable[[Base], Iterator[Mutant]]] = {
    "key misspelled": keys.misspelled_keys,
    "key dropped": keys.dropped_keys,
    "key duplicated": keys.duplicated_keys,
    "name declared otherwise": keys.renamed_declarations,
    "reference misspelled": names.misspelled_references,
    "column misspelled": names.misspelled_columns,
    "function misspelled": names.misspelled_functions,
    "prompt variable misspelled": names.misspelled_variables,
    "choice misspelled": names.misspelled_choices,
    "value retyped": values.retyped_values,
    "unit changed": values.changed_units,
    "out of range": values.out_of_range,
    "shares do not add up": values.unbalanced_shares,
    "indentation broken": layout.broken_indentation,
    "punctuation broken": layout.broken_punctuation,
    "operator broken": inside.broken_operators,
    "prompt broken": inside.broken_prompts,
}

LAYOUT = ("value retyped", "indentation broken", "punctuation broken")
"""Classes of slips that YAML may read as what was meant."""


def mutants_of(kind: str, of: Iterable[Base]) -> tuple[list[Mutant], int]:
    """All mutants of a class, each once, and how many more there were that change nothing."""
    found: list[Mutant] = []
    same = 0
    for base in of:
        seen: set[tuple[str, str]] = set()
        for mutant in CLASSES[kind](base):
            key = (mutant.file, mutant.text)
            if key in seen or mutant.text == base.files[mutant.file]:
                continue
            seen.add(key)
            if kind in LAYOUT and means_the_same(mutant):
                same += 1
            else:
                found.append(mutant)
    return found, same
