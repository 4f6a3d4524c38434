"""How many completions stay usable after a change, by rule: what stands in a request's key.

A completion is found again under the model's digest, the rendered messages, the sampling except
`max_tokens`, and the draw (`runtime/ledger/keys.py`). So each sort of change leaves all of them
usable, none, or those whose request stays the same; counting those takes the ledger.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .changes import Change, StepChange

Share = Literal["none", "same", "finished", "all"]
_ORDER: tuple[Share, ...] = ("none", "same", "finished", "all")

_WORDS: dict[Share, str] = {
    "none": "none",
    "same": "those whose request stays the same",
    "finished": "those that ended by themselves within the limit",
    "all": "all",
}


@dataclass(frozen=True, slots=True)
class Usable:
    """Which completions of a step stay usable, and why not more."""

    share: Share
    because: str

    def __str__(self) -> str:
        return f"{_WORDS[self.share]} ({self.because})"


def usable(change: StepChange) -> Usable:
    """Which completions of a model step stay usable after a change; the least over its parts."""
    if change.symbol in "=-":
        return Usable("all", "nothing that a request holds changed")
    if change.symbol == "+":
        return Usable("same", "another step may have asked the same")
    found = [_of_change(c) for c in change.changes]
    if change.upstream:
        found.append(Usable("same", "other rows may come in"))
    return min(found, key=lambda u: _ORDER.index(u.share))


def _of_change(change: Change) -> Usable:
    top, _, rest = change.field.partition(".")
    top = top.partition("[")[0]
    last = change.field.rpartition(".")[2]
    if change.kind == "model" and top == "model":
        return Usable("none", "the model is part of every request's key")
    if last == "max_tokens":
        return Usable("finished", "`max_tokens` is no part of a request's key")
    if change.kind == "prompt" and top == "prompt" and last != "reply":
        return Usable("none", "the prompt is part of every request's key")
    if top == "render":
        return Usable("all", "`render` is no part of a request's key")
    if top == "sampling":
        return Usable("none", f"`{rest or top}` is part of every request's key")
    if top == "on_fail" and ("sampling" in rest or "prompt" in rest):
        return Usable("same", f"`{change.field}` changes what is asked on failure alone")
    if top in ("checks", "on_fail", "samples", "limit"):
        return Usable("all", f"`{top}` is no part of a request's key")
    return Usable("same", f"`{change.field}` may change what is asked")
