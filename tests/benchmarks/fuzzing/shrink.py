"""A failing text made short: stretches are left out as long as the same fault shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence


def shrink(text: str, fails: Callable[[str], bool], most: int = 400) -> str:
    """Leave out lines, then words, then characters (delta debugging, Zeller 2002).

    Args:
        text: A text that fails.
        fails: Whether another text fails in the same way.
        most: How many texts are tried.
    """
    left = [most]

    def tried(parts: Sequence[str]) -> bool:
        left[0] -= 1
        return left[0] >= 0 and fails("".join(parts))

    for split in (_lines, _words, list):
        text = "".join(_reduced(split(text), tried))
    return text


def _reduced(parts: Sequence[str], fails: Callable[[Sequence[str]], bool]) -> Sequence[str]:
    size = max(1, len(parts) // 2)
    while parts:
        at = 0
        while at < len(parts):
            shorter = [*parts[:at], *parts[at + size :]]
            if fails(shorter):
                parts = shorter
            else:
                at += size
        if size == 1:
            return parts
        size //= 2
    return parts


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


def _words(text: str) -> list[str]:
    from .text import tokens

    return tokens(text)
