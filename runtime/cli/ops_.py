"""`mashbill ops`: the catalogue of operators, checks, engines and sources."""

from __future__ import annotations

import argparse
import json
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from .command import USAGE, fail, width

if TYPE_CHECKING:
    from ...compiler.registry import Case
    from .catalogue import Entry, Key

EXPRESSIONS, PROMPTS = PAGES = ("expressions", "prompts")
CASES = 5
"""Examples of what it makes of rows that an entry shows."""

TITLES = {
    "step": "steps  (op:)",
    "check": "checks  (under checks:)",
    "engine": "engines  (models: { name: engine/model })",
    "source": "sources",
}


def add_arguments(sub: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    sub.add_argument("name", nargs="?", help=f"one of them, `{EXPRESSIONS}` or `{PROMPTS}`")
    sub.add_argument("--format", choices=["text", "json"], default="text")


def act(given: argparse.Namespace) -> int:
    """Print the catalogue, or one entry."""
    from ..catalog import load_catalog
    from .catalogue import entries

    if given.name in PAGES:
        print(_language(given.name))
        return 0
    catalog = load_catalog()
    for fault in catalog.faults:
        fail(fault)
    found = list(entries(catalog))
    if given.name is None:
        print(_json([asdict(e) for e in found]) if given.format == "json" else _list(found))
        return 0
    chosen = [entry for entry in found if entry.name == given.name]
    if not chosen:
        return _unknown(given.name, [entry.name for entry in found])
    if given.format == "json":
        print(_json([asdict(entry) for entry in chosen]))
    else:
        print("\n\n".join("\n".join(_page(entry, width())) for entry in chosen))
    return 0


def _language(name: str) -> str:
    """The page on expressions or on prompt files, as Markdown."""
    from importlib.resources import files

    from ...compiler.expr.reference import reference

    if name == EXPRESSIONS:
        return reference()
    return (files("mashbill.compiler.prompts") / "PROMPTS.md").read_text("utf-8").rstrip()


def _unknown(name: str, known: list[str]) -> int:
    from ...compiler.suggest import nearest

    close = nearest(name, [*known, *PAGES])
    hint = f"did you mean `{close}`?" if close else "see them all: mashbill ops"
    return fail(f"no operator, check or engine is called `{name}`; {hint}", USAGE)


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False, default=str)


def _list(found: list[Entry]) -> str:
    longest = max(len(entry.name) for entry in found)
    blocks = []
    for kind, title in TITLES.items():
        rows = [e for e in found if e.kind == kind]
        lines = [
            part
            for e in rows
            for part in _hanging(f"  {e.name:<{longest}}  ", e.about.rstrip("."), width())
        ]
        blocks.append("\n".join([title, *lines]))
    tail = (
        "One of them: mashbill ops NAME\n"
        "The languages: mashbill ops expressions, mashbill ops prompts"
    )
    return "\n\n".join([*blocks, tail])


def _page(entry: Entry, room: int) -> Iterator[str]:
    from .catalogue import COSTS, common_keys

    version = f" (version {entry.version})" if entry.version else ""
    yield f"{entry.name}   {entry.kind}{version}"
    yield from _wrapped(entry.about, room)
    for paragraph in entry.more.split("\n\n") if entry.more else ():
        yield ""
        yield from _wrapped(paragraph, room)
    if entry.keys:
        yield from ("", {"engine": "placement"}.get(entry.kind, "parameters"))
        yield from _keys(entry.keys, room)
    if entry.kind == "step":
        names = ", ".join(key.name for key in common_keys())
        yield from ("", f"and of every step: {names}")
    if entry.ports:
        yield f"ports: {', '.join(f'.{port}' for port in entry.ports)}"
    if entry.cost:
        yield f"cost: {COSTS[entry.cost]}"
    if entry.example:
        yield from ("", "example", *(f"  {line}" for line in entry.example.split("\n")))
    if entry.cases:
        yield from ("", "what it makes of rows")
        for case in _telling(entry.cases):
            yield from _case(case, room)
        if (more := len(entry.cases) - CASES) > 0:
            yield f"  … and {more} more: mashbill ops {entry.name} --format json"


def _keys(keys: tuple[Key, ...], room: int) -> Iterator[str]:
    longest = max(len(key.name) for key in keys)
    for key in keys:
        need = "required" if key.required else ""
        if not key.required and key.default is not None:
            need = f"default {json.dumps(key.default, ensure_ascii=False, default=str)}"
        facts = "; ".join(
            part for part in (key.type if key.type != "setting" else "", need) if part
        )
        words = f"{key.about} ({facts})" if facts and key.about else key.about or facts
        yield from _hanging(f"  {key.name:<{longest}}  ", words, room)


def _telling(cases: Sequence[Case]) -> list[Case]:
    """The first cases of each outcome, in their order."""
    firsts = {str(case.expect): case for case in reversed(cases)}
    chosen = [case for case in cases if firsts[str(case.expect)] is case]
    rest = [case for case in cases if case not in chosen]
    picked = [*chosen, *rest][:CASES]
    return [case for case in cases if case in picked]


def _case(case: Case, room: int) -> Iterator[str]:
    from .specimen import flow

    if case.params:
        yield from _hanging("  with ", flow(dict(case.params)), room)
    longest = max(map(len, case.row))
    shared = _shared([value for value in case.row.values() if isinstance(value, str)])
    for name, value in case.row.items():
        yield f"  {name:<{longest}}  {_excerpt(value, shared, room - longest - 4)}"
    for reply in case.replies:
        yield f"  {'the model says':<{longest}}  {_excerpt(reply, 0, room - max(longest, 14) - 4)}"
    yield f"    → {_cut(_outcome(case), room - 6)}"


def _outcome(case: Case) -> str:
    if case.expect is True:
        return "passes"
    if isinstance(case.expect, str):
        return f"rejected: {case.expect}"
    if isinstance(case.expect, Mapping):
        changed = {k: v for k, v in case.expect.items() if case.row.get(k) != v}
        return ", ".join(f"{k}  {_json_line(v)}" for k, v in changed.items()) or "goes on as it is"
    return "fails"


def _excerpt(value: Any, shared: int, room: int) -> str:
    """A value on one line; what it shares with its neighbour is cut first."""
    text = _json_line(value)
    if len(text) > room and shared > room // 2:
        text = "…" + text[shared - room // 4 :]
    return _cut(text, room)


def _shared(texts: Sequence[str]) -> int:
    """How many characters two texts or more begin with alike; 0 if they are the same."""
    if len(set(texts)) < 2:
        return 0
    columns = enumerate(zip(*texts, strict=False))
    return next((i for i, column in columns if len(set(column)) > 1), min(map(len, texts)))


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else f"{text[: room - 1]}…"


def _json_line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _wrapped(text: str, room: int) -> list[str]:
    return textwrap.wrap(" ".join(text.split()), room, break_on_hyphens=False)


def _hanging(head: str, text: str, room: int) -> list[str]:
    """Text behind a head, its further lines indented as far."""
    return textwrap.wrap(
        text,
        room,
        initial_indent=head,
        subsequent_indent=" " * len(head),
        break_on_hyphens=False,
    ) or [head.rstrip()]
