"""Selectors: a few words that name steps and sources of a graph.

| selector | what it names |
|---|---|
| `book`, `tit*` | a step or source by name; `*`, `?` and `[ab]` stand for letters |
| `+x`, `2+x` | `x` and all that it is made from, or that up to two steps away |
| `x+`, `x+1` | `x` and all that is made from it, or that up to one step away |
| `op:generate`, `model:writer` | steps of an operator, steps that call a model |
| `prompt:prompts/cot.md.j2` | steps whose prompt was read from a file |
| `source:web` | a source |
| `state:new` | steps that the last run did not have |
| `state:modified` | those, and steps whose own definition or data is another than then |
| `state:downstream` | steps unchanged in themselves that run again for what they read |
| `state:unchanged` | steps whose rows are the last run's |

`+` goes with every one of them. A comma joins selectors of which all must hold, a space those of
which one is enough. The words, and what `state:modified` holds, are those of dbt's node selection.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Literal

from .graph import Graph, Node
from .suggest import nearest

State = Literal["new", "modified", "downstream", "unchanged"]

_ATOM = re.compile(r"(?:(?P<up>\d{0,6})\+)?(?P<core>.+?)(?:\+(?P<down>\d{0,6}))?", re.S)
_GLOB = re.compile(r"[*?\[]")
_STATES: Mapping[str, frozenset[State]] = {
    "new": frozenset({"new"}),
    "modified": frozenset({"new", "modified"}),
    "downstream": frozenset({"downstream"}),
    "unchanged": frozenset({"unchanged"}),
}


class SelectorError(ValueError):
    """A selector that names nothing; the message says what to type."""


@dataclass(frozen=True, slots=True)
class Item:
    """A step or source as selectors see it.

    Attributes:
        name: The recipe's name for it.
        op: The operator, or `source`.
        reads: The steps and sources whose rows it reads.
        models: The models it asks, those of its checks and its ladder included.
        prompts: Paths of the files that its prompts were read from.
        state: How it stands to the last run; None where that was not asked.
    """

    name: str
    op: str
    reads: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    prompts: tuple[str, ...] = ()
    state: State | None = None


View = Mapping[str, Item]
"""Items by name, in the order in which a selection is given."""


def view_of(graph: Graph, states: Mapping[str, State] = MappingProxyType({})) -> View:
    """A graph as selectors see it, in topological order."""
    return {
        node.name: Item(
            node.name,
            node.op,
            tuple(sorted({edge.node for edge in node.inputs})),
            node.asked,
            _prompt_files(node),
            states.get(node.name),
        )
        for node in graph
    }


def _prompt_files(node: Node) -> tuple[str, ...]:
    prompts = [*filter(None, [node.prompt]), *node.prompts.values()]
    return tuple(dict.fromkeys(path for prompt in prompts for path in prompt["files"]))


def select(view: View, text: str) -> tuple[str, ...]:
    """The names that a selector picks, in the order of the view; all of them for an empty one.

    Raises:
        SelectorError: A part of it names nothing in this graph.
    """
    words = text.split()
    if not words:
        return tuple(view)
    found: set[str] = set()
    for word in words:
        parts = word.split(",")
        if not all(parts):
            raise SelectorError(f"`{word}` has a comma with nothing beside it")
        found |= set.intersection(*(_atom(view, part) for part in parts))
    return tuple(name for name in view if name in found)


def needs_state(text: str) -> bool:
    """Whether a selector asks how steps stand to the last run."""
    atoms = (_ATOM.fullmatch(part) for part in re.split(r"[\s,]+", text) if part)
    return any(a and a["core"].startswith("state:") for a in atoms)


def _atom(view: View, text: str) -> set[str]:
    atom = _ATOM.fullmatch(text)
    if atom is None or atom["core"] == "+":
        raise SelectorError(f"`{text}` names no step; write +NAME, NAME+ or 2+NAME")
    picked = _core(view, atom["core"])
    found = set(picked)
    if atom["up"] is not None:
        found |= _reached(view, picked, atom["up"], against=True)
    if atom["down"] is not None:
        found |= _reached(view, picked, atom["down"], against=False)
    return found


def _reached(view: View, start: set[str], steps: str, *, against: bool) -> set[str]:
    """What a walk along the edges (or against them) comes to, so many steps far at most."""
    import networkx as nx

    arrows = ((read, item.name) for item in view.values() for read in item.reads)
    graph: nx.DiGraph[str] = nx.DiGraph(((b, a) if against else (a, b)) for a, b in arrows)
    graph.add_nodes_from(view)
    most = int(steps) if steps else len(view)
    layers = enumerate(nx.bfs_layers(graph, sorted(start)))
    return {name for distance, layer in layers if distance <= most for name in layer}


def _core(view: View, text: str) -> set[str]:
    method, colon, value = text.partition(":")
    if not colon:
        return _matching(text, view, lambda item: (item.name,), "step or source", "is called")
    if method == "state":
        return _in_state(view, value)
    if method not in _METHODS:
        close = nearest(method, [*_METHODS, "state"])
        meant = f"; did you mean `{close}:{value}`?" if close else ""
        known = ", ".join(f"{m}:" for m in (*_METHODS, "state"))
        raise SelectorError(f"no selector begins with `{method}:`{meant} There is {known}")
    return _matching(value, view, *_METHODS[method])


_METHODS: Mapping[str, tuple[Callable[[Item], Iterable[str]], str, str]] = {
    "op": (lambda item: (item.op,), "step here", "has the operator"),
    "model": (lambda item: item.models, "step here", "calls the model"),
    "prompt": (lambda item: item.prompts, "step here", "has the prompt"),
    "source": (lambda item: (item.name,) if item.op == "source" else (), "source", "is called"),
}


def _matching(
    wanted: str, view: View, values: Callable[[Item], Iterable[str]], what: str, verb: str
) -> set[str]:
    is_glob = _GLOB.search(wanted)

    def fits(value: str) -> bool:
        return value == wanted or bool(is_glob and fnmatchcase(value, wanted))

    found = {item.name for item in view.values() if any(map(fits, values(item)))}
    if not found:
        known = sorted({value for item in view.values() for value in values(item)})
        close = nearest(wanted, known)
        listed = (
            f"there is {', '.join(known[:6])}{', …' * (len(known) > 6)}" if known else "none is"
        )
        hint = f"did you mean `{close}`?" if close else listed
        raise SelectorError(f"no {what} {verb} `{wanted}`; {hint}")
    return found


def _in_state(view: View, value: str) -> set[str]:
    if value not in _STATES:
        close = nearest(value, _STATES)
        hint = f"did you mean `state:{close}`?" if close else f"there is {', '.join(_STATES)}"
        raise SelectorError(f"no state is called `{value}`; {hint}")
    return {item.name for item in view.values() if item.state in _STATES[value]}
