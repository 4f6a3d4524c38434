"""From the text of an answer to what it is.

Long for one file: an answer is made of answers, so its readers call each other.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import cast

from .algebra import ONE_TERMS, TooLargeError, UnreadError, Value, atom, equal_values, number
from .choices import read_choice
from .clock import is_slashed_date, read_clock
from .dressing import MAX_CHARS, undress
from .expression import evaluate
from .forms import (
    FLIPPED,
    Equation,
    Form,
    Group,
    Inequality,
    Interval,
    Matrix,
    Named,
    Quantity,
    Ratio,
    Region,
    Relation,
    Unread,
    Words,
)
from .quantities import read_quantity
from .regions import LINE, compare_numbers, intersection, interval, related, union, without
from .splitting import commas, enclosed, split
from .spoken import in_digits

_MAX_ITEMS = 60
_MAX_DEPTH = 8
_MATRIX = re.compile(
    r"\(?\[?\s*\\begin\s*\{(?:[pb]?(?:small)?matrix|array)\}(?:\s*\{[clr| ]*\})?"
    r"(?P<body>.*?)\\end\s*\{(?:[pb]?(?:small)?matrix|array)\}\s*\]?\)?",
    re.S,
)
_TEXT = re.compile(r"\\text\s*\{([^{}]*)\}")
_FUNCTION = re.compile(r"\\?[A-Za-z]+_?\w?'{0,2}\s*\([A-Za-z0-9 ,]+\)")
_LETTERS = re.compile(r"[^\W\d_]{2,}")
_SAME = {"true": "yes", "false": "no"}
_EMPTY = ("\\emptyset", "\\varnothing", "\\O", "empty set", "the empty set")
_LINE = ("\\mathbb{R}", "\\mathbb R", "\\Reals", "all real numbers", "all reals")


@lru_cache(maxsize=2_048)
def read(text: str) -> Form:
    """What an answer is; `Unread` for what exact arithmetic does not know. Never raises."""
    if len(text) > MAX_CHARS:
        return Unread(text[:MAX_CHARS], "too long")
    return _read(undress(text), 0)


def _read(text: str, depth: int) -> Form:
    try:
        if depth > _MAX_DEPTH:
            raise UnreadError("nested too deeply")
        return _form(text, depth)
    except UnreadError as error:
        return _words(text) or Unread(text, str(error), isinstance(error, TooLargeError))
    except (RecursionError, OverflowError, ZeroDivisionError, ValueError) as error:
        return Unread(text, type(error).__name__)


def _form(text: str, depth: int) -> Form:
    if not text:
        raise UnreadError("nothing is written")
    if not text.lstrip("-").isdigit():
        if (clock := read_clock(text)) is not None:
            return clock
        if (choice := read_choice(text)) is not None:
            return choice
        if is_slashed_date(text):
            return Words(text)
        text = in_digits(text)
    if text in _EMPTY:
        return Region(())
    if _TEXT.sub(r"\1", text).strip() in _LINE:
        return Region(LINE)
    if r"\begin" in text:
        return _matrix(text, depth)
    if r"\pm" in text:
        return _both_signs(text, depth)
    parts, signs = split(text, "separator")
    if signs:
        try:
            return read_quantity(text)  # `2 hours and 30 minutes`
        except UnreadError:
            return _several(parts, signs, depth)
    parts, signs = split(text, "relation")
    if signs:
        return _relation(parts, signs, depth)
    if r"\cup" in text or r"\cap" in text or r"\setminus" in text:
        return Region(_ranges(text, depth))
    return _single(text, depth)


def _need_read(items: Sequence[Form]) -> None:
    for item in items:
        if isinstance(item, Unread):
            raise (TooLargeError if item.too_large else UnreadError)(item.why)


def _single(text: str, depth: int) -> Form:
    """An answer without signs that join or relate."""
    bracket = enclosed(text)
    if bracket is not None:
        left, inside, right = bracket
        parts = commas(inside)
        if len(parts) > 1 or left in (r"\{", r"\langle") or (left == "[" and inside):
            return _group(left, parts if inside else [], right, depth)
    parts, signs = split(text, "colon")
    if not signs:
        parts, signs = (text.split(" to "), [":"]) if " to " in text else ([text], [])
    if signs:
        return Ratio(tuple(evaluate(part) for part in parts))
    return read_quantity(text)


def _group(left: str, parts: list[str], right: str, depth: int) -> Form:
    if len(parts) > _MAX_ITEMS:
        raise UnreadError("too many items")
    if len(parts) == 2 and (left, right) in (("(", "]"), ("[", ")")):
        low, high = (evaluate(part) for part in parts)
        return Region(interval(low, high, left == "[", right == "]"))
    items = tuple(_read(part, depth + 1) for part in parts)
    _need_read(items)
    match left:
        case "(":
            return Group("tuple", items)
        case "[":
            rows = [i.items for i in items if isinstance(i, Group) and i.kind == "bracket"]
            if rows and len(rows) == len(items) and len({len(row) for row in rows}) == 1:
                return Matrix(tuple(rows))
            return Group("bracket", items)
        case r"\langle":
            return Group("angle", items)
        case _:
            return Group("set", items)


def _several(parts: list[str], signs: list[str], depth: int) -> Form:
    """Answers joined by commas, `or`, `and`."""
    parts = [part for part in parts if part]
    if len(parts) > _MAX_ITEMS or not parts:
        raise UnreadError("too many items")
    items = tuple(_read(part, depth + 1) for part in parts)
    _need_read(items)
    if all(isinstance(item, Region) for item in items) and set(signs) in ({"or"}, {"and"}):
        regions = [cast(Region, item) for item in items]
        names = {r.variable for r in regions if r.variable}
        if len(names) > 1:
            raise UnreadError("ranges of several variables")
        ranges = regions[0].ranges
        for region in regions[1:]:
            joined = signs[0] == "or"
            ranges = (
                union([*ranges, *region.ranges]) if joined else intersection(ranges, region.ranges)
            )
        return Region(ranges, next(iter(names), None))
    if all(isinstance(item, Words) for item in items):
        raise UnreadError("words")
    flat: list[Form] = []
    for item in items:
        flat += item.items if isinstance(item, Group) and item.kind == "list" else (item,)
    return Group("list", tuple(flat)) if len(flat) > 1 else flat[0]


def _both_signs(text: str, depth: int) -> Form:
    r"""`3 \pm \sqrt{2}` is two answers."""
    if text.count(r"\pm") > 1:
        raise UnreadError("several ±")
    upper = _read(text.replace(r"\pm", "+").replace(r"\mp", "-"), depth + 1)
    lower = _read(text.replace(r"\pm", "-").replace(r"\mp", "+"), depth + 1)
    _need_read((upper, lower))
    flat: list[Form] = []
    for item in (upper, lower):
        for inner in item.items if isinstance(item, Group) and item.kind == "list" else (item,):
            flat += [inner] if inner not in flat else []
    return Group("list", tuple(flat)) if len(flat) > 1 else flat[0]


def _relation(parts: list[str], signs: list[str], depth: int) -> Form:
    if signs == ["in"]:
        inner = _read(parts[1], depth + 1)
        ranges = as_ranges(inner)
        if ranges is None:
            return Named(parts[0], inner)
        return Region(ranges, parts[0])
    if all(sign == "=" for sign in signs):
        return _equation(parts, depth)
    if "=" in signs or "in" in signs:
        raise UnreadError("equations and inequalities in one")
    values = [evaluate(part) for part in parts]
    ranges = LINE
    variable: str | None = None
    for left, sign, right in zip(values, signs, values[1:], strict=False):
        difference = left - right
        relation = cast(Relation, sign)
        bound = _bound(difference, relation)
        if bound is None or (variable is not None and bound[0] != variable):
            if len(signs) > 1:
                raise UnreadError("a chain of several variables")
            return Inequality(difference, relation)
        variable, relation, limit = bound
        ranges = intersection(ranges, related(relation, limit))
    return Region(ranges, variable)


def _bound(difference: Value, relation: Relation) -> tuple[str, Relation, Value] | None:
    """Of an inequality that is linear in one variable: the variable, and what it is held to."""
    names = difference.variables
    if len(names) != 1 or difference.bottom != ONE_TERMS or not difference.certain:
        return None
    (name,) = names
    slope: dict[tuple[tuple[str, object], ...], object] = {}
    rest: dict[tuple[tuple[str, object], ...], object] = {}
    for monomial, coefficient in difference.top.items():
        powers = dict(monomial)
        degree = powers.pop(name, 0)
        if degree not in (0, 1):
            return None
        (slope if degree else rest)[tuple(sorted(powers.items()))] = coefficient
    factor = Value(slope, ONE_TERMS)  # type: ignore[arg-type]
    bound = -Value(rest, ONE_TERMS) / factor  # type: ignore[arg-type]
    turned = compare_numbers(factor, number(0)) < 0
    return name, FLIPPED[relation] if turned else relation, bound


def _equation(parts: list[str], depth: int) -> Form:
    name = parts[0]
    if any(not part for part in parts):
        raise UnreadError("a side is missing")
    if _FUNCTION.fullmatch(name):
        return Named("".join(name.split()), _read_value(parts[1:], depth))
    try:
        first = evaluate(name)
    except UnreadError:
        if _LETTERS.search(name) and not re.search(r"\d", name):
            return Named(_folded(name), _read_value(parts[1:], depth))
        raise
    symbol = first.symbol
    if symbol is not None:
        form = _read_value(parts[1:], depth)
        if not (isinstance(form, Quantity) and symbol in form.value.variables):
            return Named(symbol, form)
    values = [first, *(evaluate(part) for part in parts[1:])]
    if not any(v.atoms for v in values) or not any(v.variables for v in values):
        if all(equal_values(values[0], value) for value in values):
            return Quantity(values[-1])
        raise UnreadError("an equation that does not hold")
    if len(values) > 2:
        raise UnreadError("a chain of equations")
    last = values[1].symbol
    if last is not None and not first.variables:
        return Named(last, read_quantity(parts[0]))
    return Equation(values[0] - values[1])


def _read_value(parts: list[str], depth: int) -> Form:
    """What a name stands for: the last of a chain, of which no part may contradict it."""
    form = _read(parts[-1], depth + 1)
    _need_read((form,))
    for part in parts[:-1]:
        before = _read(part, depth + 1)
        if isinstance(before, Quantity) and isinstance(form, Quantity):
            if equal_values(before.value, form.value) is False:
                raise UnreadError("a chain that does not hold")
        elif before != form:
            raise UnreadError("a chain of several answers")
    return form


def _ranges(text: str, depth: int) -> tuple[Interval, ...]:
    made: list[Interval] = []
    for part in split(text, "cup")[0]:
        kept, *gone = re.split(r"\\setminus|\\backslash", part)
        shared: tuple[Interval, ...] | None = None
        for piece in kept.split(r"\cap"):
            ranges = as_ranges(_read(piece.strip(), depth + 1))
            if ranges is None:
                raise UnreadError("a set that is no range")
            shared = ranges if shared is None else intersection(shared, ranges)
        for points in gone:
            form = _read(points.strip(), depth + 1)
            if not isinstance(form, Group) or form.kind != "set":
                raise UnreadError("what is taken out is no set of points")
            values = [i.value for i in form.items if isinstance(i, Quantity)]
            shared = without(shared or (), values)
        made += shared or ()
    return union(made)


def as_ranges(form: Form) -> tuple[Interval, ...] | None:
    """An answer as a part of the real line, if it can be one."""
    if isinstance(form, Region):
        return form.ranges
    if not isinstance(form, Group):
        return None
    values = [i.value for i in form.items if isinstance(i, Quantity)]
    if len(values) != len(form.items):
        return None
    try:
        if form.kind == "set":
            return union([r for v in values for r in interval(v, v, True, True)])
        if form.kind in ("tuple", "bracket") and len(values) == 2:
            closed = form.kind == "bracket"
            return interval(values[0], values[1], closed, closed)
    except UnreadError:
        return None
    return None


def _matrix(text: str, depth: int) -> Form:
    match = _MATRIX.fullmatch(text)
    if match is None:
        raise UnreadError("more than a matrix")
    lines = [line.strip() for line in match["body"].split(r"\\")]
    lines = [line for line in lines if line.removeprefix(r"\hline").strip()]
    rows = [tuple(_read(cell.strip(), depth + 1) for cell in line.split("&")) for line in lines]
    if not rows or len({len(row) for row in rows}) != 1 or len(rows) * len(rows[0]) > _MAX_ITEMS:
        raise UnreadError("rows of several lengths")
    for row in rows:
        _need_read(row)
    return Matrix(tuple(rows))


def as_equation(form: Named) -> Equation | None:
    """`y = 2x + 1` as what is zero."""
    if isinstance(form.form, Quantity) and (len(form.name) == 1 or "_" in form.name):
        return Equation(atom(form.name) - form.form.value)
    return None


def _words(text: str) -> Words | None:
    plain = _TEXT.sub(r" \1 ", text)
    if "\\" in plain or re.search(r"[\d=<>^{}$+*/|]", plain) or not _LETTERS.search(plain):
        return None
    return Words(_folded(plain))


def _folded(text: str) -> str:
    plain = _TEXT.sub(r" \1 ", text).casefold()
    words = re.findall(r"[^\W_]+(?:['-][^\W_]+)*", plain)
    if len(words) > 1 and words[0] in ("the", "a", "an"):
        words = words[1:]
    joined = " ".join(words)
    return _SAME.get(joined, joined)
