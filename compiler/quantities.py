"""Quantities with units, read and shown: tokens, shares, bytes, time, money.

Readers take what YAML gave (a number or text) and give the number, or, as a `str`, words for the
user: what is expected, with an example, and what was got. They never raise.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from functools import wraps
from typing import TypeVar

_NUMBER = r"(\d+(?:\.\d+)?|\.\d+)"
_SCALES = {"": 1, "k": 10**3, "M": 10**6, "B": 10**9, "T": 10**12}
_BYTES = {
    "B": 1,
    **{f"{p}B": 1000**i for i, p in enumerate(("k", "M", "G", "T"), 1)},
    **{f"{p}iB": 1024**i for i, p in enumerate(("K", "M", "G", "T"), 1)},
    "KB": 1000,
}
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_COUNT = re.compile(_NUMBER + r"\s*([A-Za-z]?)\s*(tokens?)?")
_UNIT = re.compile(_NUMBER + r"\s*([A-Za-z]+)")
_LARGEST = 1 << 63


T = TypeVar("T")


def _or_words(read: Callable[[object], T]) -> Callable[[object], T | str]:
    """Turn a reader that raises into one that gives the words."""

    @wraps(read)
    def reader(value: object) -> T | str:
        try:
            return read(value)
        except ValueError as error:
            return str(error)

    return reader


@_or_words
def parse_tokens(value: object) -> int:
    """`600M tokens` → 600000000. The unit must be written; at least one token."""
    words = "expected a number of tokens like 600M tokens"
    number, unit = _count(value, words)
    if not unit:
        raise ValueError(f"{words}, got {_shown(value)}; did you mean {value} tokens?")
    return number


@_or_words
def parse_count(value: object) -> int:
    """`10k` or 10000 → 10000: how many of something that the key names."""
    words = "expected a count like 500 or 10k"
    number, unit = _count(value, words)
    if unit:
        raise ValueError(f"{words}, got {_shown(value)}")
    return number


@_or_words
def parse_share(value: object) -> float:
    """`50%` or `0.5` → 0.5; from 0 to 1."""
    words = "expected a share like 50% or 0.5"
    text = _text(value, words)
    found = re.fullmatch(_NUMBER + r"(?:[eE]-\d+)?\s*(%?)", text)
    if not found:
        raise ValueError(f"{words}, got {_shown(value)}")
    share = float(text.rstrip("% ")) / (100 if found[2] else 1)
    if share > 1 and not found[2] and share <= 100:
        raise ValueError(f"a share is at most 1 or 100%, got {text}; did you mean {text}%?")
    if share > 1:
        raise ValueError(f"a share is at most 100%, got {text}")
    return share


@_or_words
def parse_bytes(value: object) -> int:
    """`256MB` → 256000000; `MiB` counts by 1024. At least one byte."""
    return max(1, round(_united(value, _BYTES, "expected a size like 256MB")))


@_or_words
def parse_duration(value: object) -> float:
    """`10s`, `24h` → seconds; above zero."""
    return _united(value, _SECONDS, "expected a duration like 10s or 24h")


@_or_words
def parse_money(value: object) -> float:
    """`$150` or 150 → US dollars."""
    words = "expected US dollars like $150"
    text = _text(value, words)
    if not (found := re.fullmatch(r"\$?" + _NUMBER, text)):
        raise ValueError(f"{words}, got {_shown(value)}")
    return float(found[1])


def show_count(number: float) -> str:
    """Three digits: 999, 48.0k, 409k, 1.20M."""
    if abs(number) < 999.5:
        return f"{number:.0f}" if number == round(number) else f"{number:.3g}"
    for unit, scale in (("k", 1e3), ("M", 1e6), ("B", 1e9), ("T", 1e12)):
        if abs(number) < 999.5 * scale or unit == "T":
            small = number / scale
            digits = 2 if abs(small) < 9.995 else 1 if abs(small) < 99.95 else 0
            return f"{small:.{digits}f}{unit}"
    raise AssertionError("unreachable")


def show_tokens(number: float) -> str:
    """1.20M tokens."""
    return f"{show_count(number)} token{'' if number == 1 else 's'}"


def show_share(share: float) -> str:
    """50%, 12.5%, 0.2%; no more digits than the share has, at most one."""
    return f"{share * 100:.1f}".removesuffix(".0") + "%"


def show_bytes(number: float) -> str:
    """256 MB, by 1000."""
    for unit, scale in (("B", 1.0), ("kB", 1e3), ("MB", 1e6), ("GB", 1e9), ("TB", 1e12)):
        if abs(number) < 999.5 * scale or unit == "TB":
            small = number / scale
            digits = 0 if unit == "B" or abs(small) >= 9.95 else 1
            return f"{small:.{digits}f} {unit}"
    raise AssertionError("unreachable")


def show_duration(seconds: float) -> str:
    """0.21 s, 6 s, 9m 02s, 4h 43m, 2d 03h."""
    if seconds < 9.95:
        return f"{seconds:.2g} s" if seconds >= 0.0095 else f"{seconds:.3f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    for high, low, size, part in (("m", "s", 60, 1), ("h", "m", 3600, 60), ("d", "h", 86400, 3600)):
        if whole < size * (60 if high != "h" else 24) or high == "d":
            return f"{whole // size}{high} {whole % size // part:02d}{low}"
    raise AssertionError("unreachable")


def show_money(usd: float) -> str:
    """$150, $8.57, $0.00006."""
    if usd == 0 or usd >= 99.5:
        return f"${usd:,.0f}"
    return f"${usd:.2f}" if usd >= 0.01 else f"${usd:.1g}" if usd >= 1e-4 else f"${usd:.5f}"


def _count(value: object, words: str) -> tuple[int, str]:
    text = _text(value, words)
    found = _COUNT.fullmatch(text)
    if found and found[2] not in _SCALES:
        scale = {s.lower(): s for s in _SCALES}.get(found[2].lower())
        hint = f"; did you mean {found[1]}{scale}{' ' + found[3] if found[3] else ''}?"
        raise ValueError(f"{words}, got {_shown(value)}{hint if scale else ''}")
    if not found:
        raise ValueError(f"{words}, got {_shown(value)}")
    size = float(found[1]) * _SCALES[found[2]]
    number = round(size) if size < _LARGEST else _LARGEST  # 400 digits are infinite
    if not 1 <= number < _LARGEST:
        raise ValueError(
            f"{words}, got {_shown(value)}, which is {'too small' if number < 1 else 'too large'}"
        )
    return number, found[3] or ""


def _united(value: object, units: dict[str, float] | dict[str, int], words: str) -> float:
    text = _text(value, words)
    found = _UNIT.fullmatch(text)
    if not found:
        bare = re.fullmatch(_NUMBER, text)
        raise ValueError(f"{words}, got {_shown(value)}{', which has no unit' if bare else ''}")
    if found[2] not in units:
        near = {u.lower(): u for u in units}.get(found[2].lower())
        hint = f"; did you mean {found[1]}{near}?" if near else f"; units are {', '.join(units)}"
        raise ValueError(f"{words}, got {_shown(value)}{hint}")
    number = float(found[1]) * units[found[2]]
    if not 0 < number < _LARGEST:
        raise ValueError(
            f"{words}, got {_shown(value)}, which is {'too small' if number <= 0 else 'too large'}"
        )
    return number


def _text(value: object, words: str) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise ValueError(f"{words}, got {_shown(value)}")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{words}, got {value}")
    return (
        value.strip()
        if isinstance(value, str)
        else f"{value:.15g}"
        if isinstance(value, float)
        else str(value)
    )


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return "a map"
    if isinstance(value, list | tuple):
        return "a list"
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value)
    text = text if len(text) <= 40 else text[:37] + "…"
    return json.dumps(text, ensure_ascii=False) if isinstance(value, str) else text
