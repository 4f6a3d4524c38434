"""Values: of another type, with another unit or none, out of range, shares that do not add up."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mashbill.compiler.document import List, Map, Node, Path, Scalar, find, walk

from .mutant import RECIPE, Base, Mutant, Slip, documents, dotted, is_flow, scalars
from .places import chosen_by_user, is_expression, uses_of


def retyped_values(base: Base) -> Iterator[Mutant]:
    """Each value as one of another type."""
    for file, root in documents(base):
        text = base.files[file]
        for path, node in walk(root):
            if not path or (not isinstance(node, Scalar) and not is_flow(text, node)):
                continue
            news = [n for n in _others(node) if not _allowed(file, path, node, n)]
            # Two of them, turn by turn, so that every place meets different ones.
            turn = node.span.start % max(1, len(news))
            start, end = node.span.start, node.span.end
            for new in (news[turn:] + news[:turn])[:2]:
                name = f"{file}: {dotted(path)} = {text[start:end][:30]} → {new}"
                yield Slip(file, start, end, new, name).on(base, "value retyped")


def _others(node: Node) -> list[str]:
    if isinstance(node, Map):
        return ["7.5", "many", "[many]", "true"]
    if isinstance(node, List):
        return ["7.5", "many", "{ many: 1 }", "false"]
    if isinstance(node.value, bool):
        return ["7.5", "many", "[true]", "{ many: 1 }"]
    if isinstance(node.value, int | float):
        return ["many", "[1]", "{ many: 1 }", "true", '"1"']
    return ["7.5", "[many]", "{ many: 1 }", "true"]


def _allowed(file: str, path: Path, node: Node, new: str) -> bool:
    """What the format takes: a computed column or a parameter is of any scalar type."""
    plain = new[0] not in "[{"
    if new == '"1"' and path[-1] in _SHARES:
        return True  # a share is read from text as well
    match path:
        case ("params", _) | ("params", _, "default"):
            return plain or new[0] == "{"
        case ("steps", _, "set", _):
            return plain
        case ("steps", _, "from"):
            return new[0] == "["
        case (*_, "stop"):
            return new[0] == "[" or new == "many"
        case ("steps", _, "limit") | ("tokenizer",):
            return False
    return False


_SHARES = ("max", "names", "numbers", "coverage", "novelty", "threshold", "weight", "min_human")
_NUMBER = re.compile(r"[0-9.]+")


def changed_units(base: Base) -> Iterator[Mutant]:
    """Each quantity without its unit, with a wrong one, and with one that is misspelled."""
    for path, node in scalars(base.document()):
        value = node.value
        if not isinstance(value, str) or is_expression(path, value):
            continue
        number = _NUMBER.match(value)
        if not number:
            continue
        for new in _units(value, number[0]):
            name = f"{dotted(path)} = {value} → {new}"
            span = node.span
            uses = uses_of(base, RECIPE, ("params",), str(path[1])) if path[0] == "params" else []
            slip = Slip(RECIPE, span.start, span.end, new, name, tuple(uses))
            yield slip.on(base, "unit changed")


def _units(value: str, number: str) -> list[str]:
    if value.endswith("tokens"):
        amount = value.removesuffix("tokens").strip()
        scale = amount[len(number) :] or "k"
        return [
            amount,
            f"{amount} tokns",
            f"{amount} words",
            f"{number}MB",
            f"{number}%",
            f"{number}{scale.swapcase()}x tokens",
            f"{number} mio tokens",
        ]
    if value.endswith("%"):
        found = [f"{number} percent", f"{number}%%", f"${number}", f"{number}% tokens"]
        return [*found, number] if float(number) > 1 else found
    if value.endswith("B"):
        return [number, f"{number} tokens", f"{number}MBytes", f"{number}%", f"{number}Q"]
    return []


_RANGES: dict[str, tuple[str, ...]] = {
    "temperature": ("-0.1", "9"),
    "top_p": ("1.5", "-1"),
    "top_k": ("0", "-4"),
    "min_p": ("2", "-0.1"),
    "repetition_penalty": ("0", "99"),
    "max_tokens": ("0", "-5", "12.5"),
    "samples": ("0", "-3", "1.5"),
    "limit": ("0", "-1", "0.5"),
    "times": ("0", "1000"),
    "retry": ("0", "-1"),
    "ngram": ("0", "-2"),
    "threshold": ("2", "-0.5"),
    "numbers": ("1.5", "-0.2"),
    "names": ("150%", "-0.2"),
    "coverage": ("1.5",),
    "novelty": ("1.5",),
    "seed": ("-1", "1.5"),
    "mashbill": ("0", "2"),
    "max_epochs": ("0", "-1"),
    "min_human": ("150%", "-5%"),
    "weight": ("150%", "-5%"),
    "shard": ("0MB", "-1MB"),
    "total": ("0 tokens", "-1k tokens"),
    "slots": ("0", "-1"),
    "k": ("0", "99"),
}


def out_of_range(base: Base) -> Iterator[Mutant]:
    """Each number beyond its limits."""
    for file, root in documents(base):
        for path, node in scalars(root):
            for new in _beyond(file, path, node):
                name = f"{file}: {dotted(path)} = {node.raw} → {new}"
                yield Slip(file, node.span.start, node.span.end, new, name).on(base, "out of range")


def _beyond(file: str, path: Path, node: Scalar) -> tuple[str, ...]:
    key = str(path[-1])
    number = isinstance(node.value, int | float) and not isinstance(node.value, bool)
    if is_expression(path, node.value):
        return ()
    match path:
        case ("mix", "parts" | "max_source", _) | ("split", _) if key != "by":
            return ("150%", "-5%", "2")
        case ("steps", _, "chunk", "max"):
            return ("0 tokens", "-60 tokens")
        case ("steps", _, "checks", check, "min" | "max") if number:
            copy = check == "copy"
            return ("-0.5", "1.5") if copy else ("-0.5", "100" if key == "min" else "0")
        case ("params", _, "default") if number:
            return ("-1", "100000")
        case ("params", _, "min" | "max") if number:
            return ("100000",) if key == "min" else ("0",)
        case ("profiles", _, str(where)):
            return _RANGES.get(where.split(".")[-1], ()) if number else ()
        case ("params", *_) | ("steps", _, "set", _):
            return ()
    if chosen_by_user(file, path[:-1]) and key != "max_tokens":
        return ()
    return _RANGES.get(key, ())


def unbalanced_shares(base: Base) -> Iterator[Mutant]:
    """Weights and splits that do not sum to 100 %, and floors of human text that cannot hold."""
    root = base.document()
    for path, node in scalars(root):
        if is_expression(path, node.value):
            continue
        part = path[:2] == ("mix", "parts") and (len(path) == 3 or path[-1] == "weight")
        if part or (path[:1] == ("split",) and path[-1] != "by"):
            raw = node.raw
            share = float(raw.rstrip("%")) * (1 if raw.endswith("%") else 100)
            region = find(root, ("split",) if path[0] == "split" else ("mix", "parts"))
            names = region.entries if isinstance(region, Map) else ()
            also = tuple((RECIPE, k.span.start) for k, _ in names)
            for new in (share + 10, share / 2, share - 0.1, share * 0.99):
                if 0 < new <= 100:
                    name = f"{dotted(path)} = {raw} → {new:.5g}%"
                    slip = Slip(RECIPE, node.span.start, node.span.end, f"{new:.5g}%", name, also)
                    yield slip.on(base, "shares do not add up")
