"""Selectors: what they pick, the laws that they keep, and what they say of a slip."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mashbill.compiler.selectors import (
    Item,
    SelectorError,
    State,
    View,
    needs_state,
    select,
    view_of,
)

from .world import compile_text

RECIPE = """
mashbill: 1
name: sel
tokenizer: writer
models:
  writer: fake/echo
  judge: fake/words
sources:
  web: { path: docs.jsonl, license: CC0-1.0, origin: human }
  notes: { path: docs.jsonl, license: CC0-1.0, origin: human }
steps:
  pages: { op: filter, from: web, keep: words(text) > 3 }
  titles: { op: filter, from: notes, keep: words(text) > 3 }
  both: { op: filter, from: [pages, titles] }
  book: { op: rewrite, from: both, model: writer, prompt: prompts/book.md.j2 }
  blurb: { op: generate, from: titles, model: judge, prompt: prompts/other.md.j2 }
mix:
  total: 1k tokens
  parts: { book: 50%, blurb: 50% }
"""
OTHER = "---\ninputs: { text: str }\n---\n{% block user %}Sum up:\n\n{{ text }}{% endblock %}\n"


@pytest.fixture(scope="module")
def view() -> View:
    compiled = compile_text(RECIPE, {"prompts/other.md.j2": OTHER})
    assert compiled.graph is not None and compiled.report.ok, str(compiled.report)
    states: dict[str, State] = {
        "web": "unchanged",
        "pages": "modified",
        "titles": "new",
        "both": "downstream",
    }
    return view_of(compiled.graph, states)


@pytest.mark.parametrize(
    ("text", "picked"),
    [
        ("book", "book"),
        ("+book", "both book notes pages titles web"),
        ("1+book", "both book"),
        ("2+book", "both book pages titles"),
        ("0+book", "book"),
        ("titles+", "blurb book both titles"),
        ("titles+1", "blurb both titles"),
        ("+titles+", "blurb book both notes titles"),
        ("1+both+1", "book both pages titles"),
        ("tit*", "titles"),
        ("b*", "blurb book both"),
        ("?oo[kl]", "book"),
        ("op:filter", "both pages titles"),
        ("op:source", "notes web"),
        ("model:writer", "book"),
        ("model:*", "blurb book"),
        ("prompt:prompts/book.md.j2", "book"),
        ("prompt:prompts/other.md.j2+", "blurb"),
        ("1+prompt:prompts/*", "blurb book both titles"),
        ("source:web+", "book both pages web"),
        ("state:new", "titles"),
        ("state:modified", "pages titles"),
        ("state:modified+", "blurb book both pages titles"),
        ("state:downstream", "both"),
        ("state:unchanged", "web"),
        ("book pages", "book pages"),
        ("+book,op:filter", "both pages titles"),
        ("+book,op:filter,t* blurb", "blurb titles"),
    ],
)
def test_what_is_picked(view: View, text: str, picked: str) -> None:
    assert set(select(view, text)) == set(picked.split())


def test_nothing_means_everything_in_the_order_of_the_graph(view: View) -> None:
    assert select(view, "") == select(view, "*") == tuple(view)
    assert select(view, "book web") == ("web", "book")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("bok", "no step or source is called `bok`; did you mean `book`?"),
        ("+pagse+", "did you mean `pages`?"),
        ("zzz*", "no step or source is called `zzz*`; there is blurb, book, both, notes, pages"),
        ("op:generat", "no step here has the operator `generat`; did you mean `generate`?"),
        ("model:writr", "no step here calls the model `writr`; did you mean `writer`?"),
        ("prompt:prompts/bok.md.j2", "did you mean `prompts/book.md.j2`?"),
        ("source:wbe", "no source is called `wbe`; did you mean `web`?"),
        ("source:pages", "no source is called `pages`; there is notes, web"),
        ("state:modifed", "did you mean `state:modified`?"),
        ("state:old", "there is new, modified, downstream, unchanged"),
        ("opp:filter", "no selector begins with `opp:`; did you mean `op:filter`?"),
        ("+", "names no step"),
        ("++", "names no step"),
        ("book,", "a comma with nothing beside it"),
        ("op:", "no step here has the operator ``"),
    ],
)
def test_a_slip_is_told(view: View, text: str, said: str) -> None:
    with pytest.raises(SelectorError) as fault:
        select(view, text)
    assert said in str(fault.value)


def test_whether_the_last_run_is_needed() -> None:
    assert needs_state("state:new") and needs_state("+book,2+state:modified+ x")
    assert not needs_state("") and not needs_state("book op:filter+")


NAMES = [f"s{i}" for i in range(9)]


@st.composite
def views(draw: st.DrawFn) -> View:
    made: dict[str, Item] = {}
    for name in NAMES[: draw(st.integers(1, len(NAMES)))]:
        reads = draw(st.lists(st.sampled_from(list(made)), unique=True)) if made else []
        op = draw(st.sampled_from(["filter", "clean"])) if reads else "source"
        made[name] = Item(name, op, tuple(reads))
    return made


def closure(view: View, name: str, *, up: bool) -> set[str]:
    """By the definition: the least set that holds the name and is closed."""
    found = {name}
    while True:
        more = (
            {r for n in found for r in view[n].reads}
            if up
            else {n for n, item in view.items() if found & set(item.reads)}
        )
        if more <= found:
            return found
        found |= more


@given(views(), st.data())
def test_the_laws(view: View, data: st.DataObject) -> None:
    atoms = st.tuples(
        st.sampled_from(["", "+", "0+", "1+", "2+"]),
        st.sampled_from([*view, "s*", "op:source"]),
        st.sampled_from(["", "+", "+0", "+1"]),
    ).map("".join)
    try:
        a, b = data.draw(atoms), data.draw(atoms)
        one, two = set(select(view, a)), set(select(view, b))
    except SelectorError:  # pragma: no cover - every view has a source
        raise AssertionError from None
    assert set(select(view, f"{a} {b}")) == one | two
    assert set(select(view, f"{a},{b}")) == one & two
    assert select(view, f"{a} {a}") == select(view, f"{a},{a}") == select(view, a)
    assert select(view, f"{a} {b}") == tuple(n for n in view if n in one | two)


@given(views(), st.data())
def test_what_is_above_and_below(view: View, data: st.DataObject) -> None:
    x = data.draw(st.sampled_from(list(view)))
    above, below = set(select(view, f"+{x}")), set(select(view, f"{x}+"))
    assert above == closure(view, x, up=True) and below == closure(view, x, up=False)
    assert set(select(view, f"+{x}+")) == above | below
    assert above & below == {x}
    nearer = {x}
    for steps in range(len(view) + 1):
        now = set(select(view, f"{steps}+{x}"))
        assert now == nearer
        nearer = nearer | {r for n in nearer for r in view[n].reads}
    assert nearer == above


@given(st.text(st.sampled_from("s01+:,* op[]-?"), max_size=12))
def test_no_text_breaks_it(text: str) -> None:
    view = {"s0": Item("s0", "source"), "s1": Item("s1", "filter", ("s0",))}
    try:
        assert set(select(view, text)) <= set(view)
    except SelectorError as fault:
        assert str(fault)
