"""Few-shot examples: a list in the front matter or a JSONL file; all of them, or `k` a row."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..diagnostics import Diagnostic, Edit, Span
from ..document import List, Map, Node, Scalar, plain
from ..suggest import nearest
from ..types import STR, Type
from .files import Files
from .kinds import fits
from .record import REPLY, Example, freeze
from .replies import Reply, read_reply

KEYS = ("file", "k")


@dataclass(frozen=True, slots=True)
class Examples:
    """Frozen examples, and how many a row gets (None: all)."""

    examples: tuple[Example, ...] = ()
    k: int | None = None


NO_EXAMPLES = Examples()


@dataclass(frozen=True, slots=True)
class _Whole:
    """What an example has to have: its inputs, and a reply of a shape, if that is known."""

    inputs: Mapping[str, Type]
    shape: Reply | None


def read_examples(
    node: Node | None,
    inputs: Mapping[str, Type],
    shape: Reply | None,
    files: Files,
    diagnostics: list[Diagnostic],
) -> Examples:
    """The examples that a node gives; what is wrong with them goes to `diagnostics`.

    Args:
        node: What the front matter says under `examples`.
        inputs: What each gives, beside its reply.
        shape: What each reply must have; None where that is not known.
        files: Reads a file that is named.
        diagnostics: Gets what is wrong.
    """
    whole = _Whole(inputs, shape)

    def add(code: str, message: str, span: Span, **facts: Any) -> None:
        diagnostics.append(Diagnostic(code, message, span, **facts))

    match node:
        case None | Scalar(value=None):
            return NO_EXAMPLES
        case List():
            found = [_inline(n, f"example {i}", whole, add) for i, n in enumerate(node.items, 1)]
            return Examples(tuple(e for e in found if e is not None))
        case Scalar(value=str()):
            return Examples(_from_file(node, whole, files, diagnostics, add))
        case Map() if "file" in node:
            for key, _ in node.entries:
                if key.value not in KEYS:
                    close = nearest(str(key.value), KEYS)
                    hint = f"did you mean `{close}`?" if close else "keys: file, k"
                    fix = (Edit(key.span, close),) if close else ()
                    add(
                        "S002",
                        f"unknown key `{key.value}` in examples",
                        key.span,
                        help=hint,
                        fix=fix,
                    )
            file, k = node.get("file"), node.get("k")
            rows: tuple[Example, ...] = ()
            if isinstance(file, Scalar) and isinstance(file.value, str):
                rows = _from_file(file, whole, files, diagnostics, add)
            elif file is not None:
                add("S005", "`file` is a path", file.span)
            return Examples(rows, _k(k, len(rows), add))
    hint = "write a list, or `{ file: examples.jsonl, k: 4 }`"
    add("S005", "`examples` is a list, a path, or a map with `file`", node.span, help=hint)
    return NO_EXAMPLES


def _k(node: Node | None, there: int, add: Any) -> int | None:
    if node is None:
        return None
    k = node.value if isinstance(node, Scalar) else None
    if type(k) is not int or k < 1:
        add("S005", "`k` is a whole number above 0", node.span)
        return None
    if there and k > there:
        add("P212", f"`k` is {k}, but there are {there} examples", node.span)
    return k


def _inline(node: Node, what: str, whole: _Whole, add: Any) -> Example | None:
    if not isinstance(node, Map):
        add("S005", f"{what} is a map of inputs and `{REPLY}`", node.span)
        return None
    known = (*whole.inputs, REPLY)
    for key, _ in node.entries:
        if key.value not in known:
            close = nearest(str(key.value), [n for n in known if n not in node])
            hint = (
                f"did you mean `{close}`?" if close else "declare it under `inputs`, or remove it"
            )
            fix = (Edit(key.span, close),) if close else ()
            message = f"{what} has `{key.value}`, which is no input"
            add("S002", message, key.span, help=hint, fix=fix)
    values = {str(k.value): (plain(v), v.span) for k, v in node.entries}
    unknown = [n for n in values if n not in known]
    # A mistyped key has its diagnostic already; that what it meant is missing is the same mistake.
    excused = {nearest(n, [k for k in known if k not in values]) for n in unknown}
    return _check(values, node.span, what, whole, excused, add)


def _from_file(
    node: Scalar,
    whole: _Whole,
    files: Files,
    diagnostics: list[Diagnostic],
    add: Any,
) -> tuple[Example, ...]:
    path = str(node.value)
    text = files.text(path, node.span, diagnostics)
    if text is None:
        return ()
    rows: list[Example] = []
    at = 0
    for number, line in enumerate(text.split("\n"), 1):
        span = Span(files.prefix + path, at, at + len(line.rstrip()))
        at += len(line) + 1
        if not line.strip():
            continue
        try:
            row = json.loads(line.removeprefix("\ufeff"))
        except (ValueError, RecursionError):
            add("P212", f"line {number} of {path} is not JSON", span)
            continue
        if not isinstance(row, dict):
            add("P212", f"line {number} of {path} is not an object", span)
            continue
        # A data file may hold more columns than the prompt needs.
        values = {n: (v, span) for n, v in row.items() if n == REPLY or n in whole.inputs}
        example = _check(values, span, f"line {number} of {path}", whole, set(), add)
        if example is not None:
            rows.append(example)
    if not rows and not text.strip():
        add("P212", f"{path} holds no example", node.span)
    return tuple(rows)


def _check(
    values: Mapping[str, tuple[Any, Span]],
    span: Span,
    what: str,
    whole: _Whole,
    excused: set[str | None],
    add: Any,
) -> Example | None:
    """An example if it has every input, each of its type, and a reply of the prompt's shape."""
    inputs, sound = whole.inputs, True
    for name, kind in (*inputs.items(), (REPLY, STR)):
        if name not in values:
            sound = False
            if name not in excused:
                thing = "`reply`" if name == REPLY else f"input `{name}`"
                add("P212", f"{what} lacks {thing}", span, help=f"add `{name}: …`")
        elif not fits(values[name][0], kind):
            sound = False
            add("P212", f"`{name}` of {what} is not {kind}", values[name][1])
    if not sound:
        return None
    reply, span = values[REPLY]
    if whole.shape is not None and (misfit := read_reply(whole.shape, reply).misfit):
        add("P212", f"the reply of {what} has not the shape of the prompt's replies", span,
            help=_lacking(whole.shape, misfit))  # fmt: skip
        return None
    return tuple((n, freeze(v)) for n, (v, _) in values.items() if n == REPLY or n in inputs)


def _lacking(shape: Reply, misfit: Mapping[str, Any]) -> str:
    wanted = [p.wanted for p in shape.parts if p.column in misfit.get("missing", ())]
    if wanted:
        return f"it lacks {' and '.join(f'`{w}`' for w in wanted)}"
    return str(misfit.get("json", "it is empty"))
