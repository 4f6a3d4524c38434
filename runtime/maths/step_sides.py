"""The expressions on both sides of an `=` in prose: how far each reaches, and its readings."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from .step_tokens import Token

MAX_OPERANDS = 40
_WORDS_BETWEEN = 4
_PERCENT = re.compile(r"([\d.,]+)%")
_TWICE_DIVIDED = re.compile(r"([\d.,]+) / ([\d.,]+ / [\d.,]+)")
_PROSE = (
    "and or if then is are was were be been so has have had she he it they we you i in on at "
    "to by for with from that this than as when while since because after before there will "
    "would can but only plus minus times divided equals gives let total of day step year "
    "problem question means half twice double"
)
_STOPS = frozenset(_PROSE.split())
"""Words that no unit is: an operand never reaches across them."""


@dataclass(frozen=True, slots=True)
class Side:
    """An expression beside a relation: its readings, each a text for `evaluate`."""

    readings: tuple[str, ...]
    works: bool
    """Whether it has an operator."""
    shown: str
    units: frozenset[str]


def left_of(tokens: Sequence[Token], at: int) -> Side | None:
    """The expression that ends at a relation, as far back as it goes."""
    taken: list[Token] = []
    units: list[str] = []
    need = True
    depth = operands = 0
    i = at - 1
    while i >= 0 and operands < MAX_OPERANDS:
        token = tokens[i]
        if need:
            i, words = _units_before(tokens, i)
            if i < 0:
                break
            token = tokens[i]
            if token.kind == "right":
                if _is_unknown(tokens, i):
                    return None
                depth += 1
                taken.append(token)
                i -= 1
                continue
            if token.kind != "number" or _is_unknown(tokens, i):
                return None
            if words:
                units.append(" ".join(words))
            taken.append(token)
            operands += 1
            need = False
        elif token.kind in ("operator", "of"):
            if token.kind == "of" and not _is_share(tokens, i):
                break
            taken.append(Token("operator", "*") if token.kind == "of" else token)
            need = True
        elif token.kind == "left" and depth:
            depth -= 1
            taken.append(token)
        elif token.kind == "number" and taken[-1].text == "(" and tokens[i + 1].glued:
            taken.append(Token("operator", "*"))  # 86(2)
            need = True
            continue
        else:
            break
        i -= 1
    if i >= 0 and tokens[i].kind in ("number", "right") and not need:
        return None  # two numbers side by side: no expression
    if need and taken and taken[-1].text == "-" and len(taken) > 1:
        need = False  # a sign
    if depth or need or not taken:
        return None
    return _side(taken[::-1], units)


def right_of(tokens: Sequence[Token], at: int) -> Side | None:
    """The expression that begins behind a relation: one operand, or all that follows it."""
    taken: list[Token] = []
    ends: list[int] = []
    units: list[str] = []
    need = True
    depth = 0
    i = at + 1
    while i < len(tokens) and len(ends) < MAX_OPERANDS:
        token = tokens[i]
        if need and token.kind == "left":
            depth += 1
            taken.append(token)
        elif need and token.text == "-" and not taken:
            taken.append(token)
        elif need:
            letter = token.kind == "word" and len(token.text) == 1
            if letter or (token.kind == "number" and _is_unknown(tokens, i)):
                return None
            if token.kind != "number":
                break
            taken.append(token)
            need = False
            if not depth:
                ends.append(len(taken))
            i, words = _units_after(tokens, i)
            if words:
                units.append(" ".join(words))
        elif token.kind == "right" and depth:
            if _is_unknown(tokens, i):
                return None
            depth -= 1
            taken.append(token)
            if not depth:
                ends.append(len(taken))
        elif token.kind in ("operator", "of"):
            if token.kind == "of" and not _is_share(tokens, i):
                break
            taken.append(Token("operator", "*") if token.kind == "of" else token)
            need = True
        else:
            break
        i += 1
    if not ends:
        return None
    closes = i < len(tokens) and tokens[i].kind == "relation" and not need and not depth
    if closes:
        return _side(taken[: ends[-1]], units)
    # What follows may be prose: `= 10 - so`. A power always belongs to what it stands behind.
    first = ends[0]
    while len(taken) > first + 1 and taken[first].text == "^":
        first += 2
    cuts = sorted({first, *(end for end in ends if end > first)}, reverse=True)[:6]
    sides = [_side(taken[:cut], units) for cut in cuts]
    readings = tuple(dict.fromkeys(r for side in sides for r in side.readings))
    return Side(readings, sides[0].works, sides[-1].shown, sides[0].units)


def _units_before(tokens: Sequence[Token], i: int) -> tuple[int, list[str]]:
    """Step over the unit behind an operand, read backwards."""
    words: list[str] = []
    start = i
    while i >= 0 and (tokens[i].kind == "word" or _is_per(tokens, i)):
        word = tokens[i].text.lower()
        if word in _STOPS or len(words) >= _WORDS_BETWEEN or (len(word) == 1 and word.isalpha()):
            return start, []
        words.append(word)
        i -= 1
    if i >= 0 and tokens[i].kind in ("number", "right"):
        return i, words[::-1]
    return start, []


def _units_after(tokens: Sequence[Token], i: int) -> tuple[int, list[str]]:
    """Step over the unit behind an operand; words that an operator does not follow are prose."""
    words: list[str] = []
    at = i + 1
    while at < len(tokens) and (tokens[at].kind == "word" or _is_per(tokens, at)):
        word = tokens[at].text.lower()
        if word in _STOPS or len(words) >= _WORDS_BETWEEN:
            return i, words
        words.append(word)
        at += 1
    follows = at < len(tokens) and tokens[at].kind in ("operator", "relation", "right")
    return (at - 1 if follows else i), words


def _is_per(tokens: Sequence[Token], i: int) -> bool:
    """The slash of `60 minutes/hour` and `$5/game`."""
    if tokens[i].text != "/" or not 0 < i < len(tokens) - 1:
        return False
    after = tokens[i + 1]
    return tokens[i - 1].kind in ("word", "number") and after.kind == "word" and len(after.text) > 1


def _is_share(tokens: Sequence[Token], i: int) -> bool:
    """Whether `of` multiplies: behind a percentage or a fraction. A lone `x` always does."""
    if tokens[i].text.lower() != "of":
        return True
    before = tokens[max(0, i - 3) : i]
    return bool(before) and (
        before[-1].text.endswith("%")
        or ([t.kind for t in before] == ["number", "operator", "number"] and before[1].text == "/")
        or before[-1].kind == "right"
    )


def _is_unknown(tokens: Sequence[Token], i: int) -> bool:
    """Whether a number or a bracket is the factor of a letter: `5x`, `(1/2)x`."""
    after = tokens[i + 1] if i + 1 < len(tokens) else None
    return after is not None and after.kind == "word" and after.glued and len(after.text) < 3


def _side(tokens: Sequence[Token], units: list[str]) -> Side:
    text = " ".join(token.text for token in tokens).replace("( ", "(").replace(" )", ")")
    text = text.replace(" ^ ", "^")
    readings: tuple[str, ...] = (text,)
    if "%" in text:
        readings = (_PERCENT.sub(r"(\1/100)", text), text.replace("%", ""))
    if match := _TWICE_DIVIDED.fullmatch(text):  # `60 / 3/4`
        readings = (*readings, f"{match[1]} / ({match[2]})")
    works = any(token.kind == "operator" for token in tokens[1:])
    return Side(readings, works, text, frozenset(units))
