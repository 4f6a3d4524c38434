"""Types of calls from the types of their arguments, or what is wrong with these."""

from __future__ import annotations

from collections.abc import Sequence

from ..types import ANY, BOOL, FLOAT, NULL, Type
from .function import Result
from .kinds import is_number, unify

_LOOSE = ("any", "null")


def always(type: Type) -> Result:
    """The same type, whatever the arguments."""
    return lambda _: type


def like_first(args: Sequence[Type]) -> Type:
    """The type of the first argument."""
    return args[0]


def together(args: Sequence[Type]) -> Type | str:
    """The type that holds values of all arguments."""
    found: Type | None = args[0]
    for arg in args[1:]:
        found = found and unify(found, arg)
    return found or f"values of one type, not {_shown(args)}"


def extreme(args: Sequence[Type]) -> Type | str:
    """The type of the least or greatest of several numbers, or of the numbers of one list."""
    first = args[0]
    if len(args) > 1:
        listed = any(arg.kind == "list" for arg in args)
        return f"numbers, or one list alone, not {_shown(args)}" if listed else together(args)
    if first.kind in _LOOSE:
        return ANY if first.kind == "any" else first
    if first.kind != "list":
        return f"2 numbers or more, or a list of numbers, not {first}"
    item = first.item or NULL
    return item.maybe() if is_number(item) else f"a list of numbers, not {first}"


def item_of(args: Sequence[Type]) -> Type:
    """The type of the items of the first argument."""
    first = args[0]
    return (first.item or NULL) if first.kind == "list" else first


def tested(args: Sequence[Type]) -> Type | str:
    """Bool, or what is wrong with items and the pattern that they are tested with.

    A list of bool is its own verdict; texts need a pattern. The result may be null if an item may.
    """
    first, patterned = args[0], len(args) > 1
    if first.kind in _LOOSE:
        return BOOL.maybe()
    if first.kind == "str":
        return BOOL if patterned else "a pattern to look for in a text: `(text, 'pattern')`"
    item = first.item or NULL
    if item.kind in _LOOSE or item.kind == ("str" if patterned else "bool"):
        return BOOL.maybe(item.nullable)
    if item.kind == "str":
        return "a pattern for a list of texts: `(texts, 'pattern')`"
    if item.kind == "bool":
        return "no pattern for a list of bool"
    return f"a list of bool or of str, not {first}"


def share(args: Sequence[Type]) -> Type | str:
    """A share of what is tested; null of nothing."""
    verdict = tested(args)
    return verdict if isinstance(verdict, str) else FLOAT.maybe()


def number(type: Type) -> Result:
    """A number of what is tested."""

    def result(args: Sequence[Type]) -> Type | str:
        verdict = tested(args)
        return verdict if isinstance(verdict, str) else type

    return result


def _shown(args: Sequence[Type]) -> str:
    return ", ".join(map(str, args))
