"""Whether an answer is the wanted one: by its text, by exact arithmetic, and last by SymPy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .comparing import EXACT, Rules, compare
from .dressing import MAX_CHARS, undress
from .forms import Unread
from .reading import read
from .symbolic import SECONDS, equal_by_sympy

Route = Literal["text", "exact", "sympy", "none"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What came of comparing two answers.

    Attributes:
        equal: Whether they are equal; what nothing can tell is not.
        route: What decided: `text`, `exact`, `sympy`, or `none`.
        why: Why nothing could tell; empty otherwise.
    """

    equal: bool
    route: Route
    why: str = ""


def equal(gold: str, got: str, rules: Rules = EXACT, seconds: float = SECONDS) -> Comparison:
    """Whether an answer is the wanted one.

    The wanted answer comes first: it says what is asked (a year that it leaves out is not asked
    for). Texts are answers by themselves: `extract` finds them in longer ones.

    Raises:
        MissingError: If only SymPy can tell, and it is not installed.
    """
    wanted, given = read(gold), read(got)
    verdict = compare(wanted, given, rules)
    if verdict is not None:
        return Comparison(verdict, "exact")
    if max(len(gold), len(got)) > MAX_CHARS:
        return Comparison(bool(gold.strip()) and gold.strip() == got.strip(), "text")
    texts = [undress(text) for text in (gold, got)]
    if texts[0] and texts[0] == texts[1]:
        return Comparison(True, "text")
    if not all(texts) or any(isinstance(f, Unread) and not f.text for f in (wanted, given)):
        return Comparison(False, "exact")
    for form in (wanted, given):
        if isinstance(form, Unread) and form.too_large:
            return Comparison(False, "none", form.why)
    found, why = equal_by_sympy(gold, got, seconds)
    return Comparison(found is True, "none" if found is None else "sympy", why)
