"""Pictures of graphs: that they show every arrow and no other, in the width there is."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from graphlib import TopologicalSorter
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mashbill.compiler.drawing.across import draw_across
from mashbill.compiler.drawing.dot import draw_dot, quoted
from mashbill.compiler.drawing.lanes import draw_lanes
from mashbill.compiler.drawing.mermaid import draw_mermaid
from mashbill.compiler.drawing.picture import Arrow, Picture, Vertex, picture_of
from mashbill.compiler.drawing.text import draw_text
from mashbill.compiler.drawing.words import in_ascii

from .world import compile_text

RECIPE = """
mashbill: 1
name: edu
models:
  writer: { use: fake/echo, sampling: { temperature: 1 } }
sources:
  web: { path: docs.jsonl, license: CC0-1.0, origin: human }
  gsm: { path: docs.jsonl, license: CC0-1.0, origin: human }
steps:
  quality: { op: filter, from: web, keep: words(text) > 3 }
  dedup: { op: filter, from: quality, keep: words(text) > 5 }
  anew:
    op: rewrite
    from: dedup
    model: writer
    prompt: prompts/book.md.j2
    checks: { length: {}, copy: {} }
    on_fail: [route]
  seeds: { op: filter, from: gsm, keep: words(text) > 3 }
  cot:
    op: generate
    from: [seeds, anew.routed]
    model: writer
    prompt: prompts/book.md.j2
    samples: 8
mix:
  total: 2M tokens
  parts: { dedup: 50%, anew: 30%, cot: 20% }
"""


def picture(*names: str) -> Picture:
    compiled = compile_text(RECIPE)
    assert compiled.graph and compiled.recipe
    assert compiled.report.ok, str(compiled.report)
    return picture_of(compiled.graph, compiled.recipe, names or None)


def steps(*arrows: str) -> Picture:
    """`a b` is an arrow from a to b, `a b 50%` one with a weight."""
    parts = [arrow.split() for arrow in arrows]
    reads: dict[str, list[str]] = {}
    for start, end, *_ in parts:
        reads.setdefault(end, []).append(start)
    names = tuple(TopologicalSorter(reads).static_order())
    return Picture(
        "p",
        tuple(Vertex(n, n, "step") for n in names),
        tuple(Arrow(p[0], p[1], weight="".join(p[2:])) for p in parts),
    )


def chain(*names: str) -> list[str]:
    return [f"{a} {b}" for a, b in pairwise(names)]


SIDES = {
    "─": "LR", "│": "UD", "┌": "RD", "┐": "LD", "└": "RU", "┘": "LU",
    "├": "RUD", "┤": "LUD", "┬": "LRD", "┴": "LRU", "┼": "LRUD",
}  # fmt: skip
MOVES = {"R": (0, 1), "U": (-1, 0), "D": (1, 0)}
AGAINST = {"R": "L", "U": "D", "D": "U"}


def arrows_in(text: str) -> set[tuple[str, str]]:
    """Read a picture as an eye does: from each name to the right, along the lines, never back."""
    grid = text.split("\n")
    names = {(y, m.start()): m[0] for y, row in enumerate(grid) for m in re.finditer(r"\w+%?", row)}
    found = set()
    for (y, x), name in names.items():
        todo, seen = [(y, x + len(name) + 1, "R")], set[tuple[int, int, str]]()
        while todo:
            row, column, heading = here = todo.pop()
            line = grid[row] if 0 <= row < len(grid) else ""
            sign = line[column] if column < len(line) else " "
            if here in seen or sign == " ":
                continue
            seen.add(here)
            if (row, column) in names:
                raise AssertionError(f"a line runs into {names[row, column]}:\n{text}")
            crossing = sign == "│" and heading == "R"
            assert crossing or AGAINST[heading] in SIDES[sign], f"a loose end: {here}\n{text}"
            onward = "R" if crossing else SIDES[sign].replace(AGAINST[heading], "").replace("L", "")
            for way in onward:
                if way == "R" and (row, column + 2) in names and line[column + 1] == " ":
                    found.add((name, names[row, column + 2]))
                else:
                    down, right = MOVES[way]
                    todo.append((row + down, column + right, way))
    return found


def read_back(text: str) -> set[tuple[str, str]]:
    """The arrows of a picture; the shares that stand on some are taken out again."""
    found = arrows_in(text)
    shares = {b: a for a, b in found if b.endswith("%")}
    return {(shares.get(a, a), b) for a, b in found if not b.endswith("%")}


@pytest.mark.parametrize(
    "arrows",
    [
        chain("web", "quality", "book", "out"),
        ["a c", "b c"],
        ["a b", "a c"],
        ["a b", "a c", "b d", "c d"],
        ["a b", "b c", "a c"],
        ["a b", "b c", "a c", "a d", "c d", "b d"],
        [f"{x} {y}" for x in "abc" for y in "def"],
        ["a m 40%", "a b", "b m 60%", "m out"],
    ],
    ids=lambda arrows: "-".join(arrows),
)
def test_an_eye_reads_the_arrows_that_there_are(arrows: list[str]) -> None:
    text = draw_across(steps(*arrows), 200)
    assert text is not None
    assert read_back(text) == {tuple(a.split()[:2]) for a in arrows}, text


@st.composite
def pictures(draw: st.DrawFn) -> Picture:
    count = draw(st.integers(1, 12))
    arrows = [
        Arrow(f"s{i}", f"s{j}")
        for j in range(1, count)
        for i in sorted(draw(st.sets(st.integers(0, j - 1), max_size=3)))
    ]
    vertices = tuple(
        Vertex(f"s{i}", "x" * draw(st.integers(0, 7)) + f"s{i}", "step") for i in range(count)
    )
    return Picture("p", vertices, tuple(arrows))


@given(pictures())
def test_an_eye_reads_any_picture(drawn: Picture) -> None:
    text = draw_across(drawn, 10_000)
    assert text is not None
    names = {v.key: v.name for v in drawn.vertices}
    assert arrows_in(text) == {(names[a.start], names[a.end]) for a in drawn.arrows}, text
    for name in names.values():
        assert len(re.findall(rf"\b{name}\b", text)) == 1


@given(pictures(), st.integers(20, 90))
def test_no_line_is_longer_than_the_terminal(drawn: Picture, width: int) -> None:
    across = draw_across(drawn, width)
    for text in (draw_lanes(drawn, width), draw_text(drawn, width), across or ""):
        assert max(map(len, text.split("\n"))) <= width
    assert draw_text(drawn, width, ascii_only=True).isascii()


def lanes_in(text: str) -> set[tuple[str, str]]:
    """Follow each lane of a drawing from the step that opens it to the one that takes it."""
    found = set()
    origin: dict[int, str] = {}
    for line in text.split("\n"):
        cut = re.search(r"  +\w", line)
        drawn, name = (
            line[: cut.start()] if cut else line,
            line[cut.end() - 1 :].split()[0] if cut else "",
        )
        signs = {i: drawn[2 * i] for i in range((len(drawn) + 1) // 2)}
        origin = {i: o for i, o in origin.items() if signs.get(i, " ") in "│●├┴╯"}
        at = next(i for i, sign in signs.items() if sign in "●├")
        if signs[at] == "●":
            taken = [i for i, sign in signs.items() if sign in "●┴╯" and i in origin]
            assert all(i in origin for i, sign in signs.items() if sign in "┴╯")
            found |= {(origin.pop(i), name) for i in taken}
            origin[at] = name
        else:
            opened = [i for i, sign in signs.items() if sign in "┬╮"]
            assert opened and not set(opened) & set(origin)
            origin |= dict.fromkeys(opened, origin[at])
    return found


@given(pictures())
def test_an_eye_reads_any_lanes(drawn: Picture) -> None:
    names = {v.key: v.name for v in drawn.vertices}
    expected = {(names[a.start], names[a.end]) for a in drawn.arrows}
    text = draw_lanes(drawn, 400)
    assert lanes_in(text) == expected, text
    told = set()
    for line in text.split("\n"):
        if "← " in line:
            head, _, read = line.partition("  ← ")
            told |= {(r, head.split()[-1]) for r in read.split(", ")}
    assert told == expected


@pytest.mark.parametrize("width", [60, 80, 110])
def test_the_text(width: int) -> None:
    golden = Path(__file__).parent / "drawings" / f"edu-{width}.txt"
    text = draw_text(picture(), width) + "\n"
    if os.environ.get("MASHBILL_UPDATE"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text("utf-8")


def test_too_many_lanes_leave_the_names() -> None:
    wide = steps(*(f"s{i} t{i}" for i in range(60)), *(f"t{i} m" for i in range(60)))
    lines = draw_lanes(wide, 80).split("\n")
    assert len(lines) == 121 and lines[0].startswith("●  s") and "← s59" in "".join(lines)
    assert lines[-1].endswith("…") and len(lines[-1]) == 80


@pytest.mark.parametrize("shape", ["chain", "fan", "ladder"])
def test_a_thousand_steps(shape: str) -> None:
    names = [f"s{i}" for i in range(1_000)]
    arrows = {
        "chain": chain(*names),
        "fan": [f"{name} mix" for name in names],
        "ladder": [f"{a} {b}" for i, a in enumerate(names) for b in names[i + 1 : i + 4]],
    }[shape]
    drawn = steps(*arrows)
    assert draw_text(drawn, 80).count("●") == len(drawn.vertices)
    assert draw_mermaid(drawn).count("-->") == draw_dot(drawn).count("->") == len(arrows)


def test_a_part_of_the_graph_stands_alone() -> None:
    drawn = picture("web", "quality", "anew")
    assert [v.name for v in drawn.vertices] == ["web", "quality", "anew"]
    assert drawn.arrows == (Arrow("web", "quality"),)
    assert draw_text(drawn) == "web ─ quality\nanew ◆ copy, length\n\n◆ verifier"


def test_ascii() -> None:
    text = draw_text(picture(), 80, ascii_only=True)
    assert text == in_ascii(draw_text(picture(), 80)) and text.isascii()
    assert text.split("\n")[0].startswith("gsm - seeds ---") and "+- cot x8" in text


# -- Mermaid and DOT

ODD = 'say "hi" #1 <b> & `x` \\ é\n日'
STRANGE = Picture(
    ODD,
    (Vertex("a", ODD, "source"), Vertex("b", "end", "step", "rewrite", ODD, 3, (ODD,))),
    (Arrow("a", "b", ODD, "50%"),),
)

_LABEL = r'"(?:[^"#<>&`\\\n]|#\d+;|<br/>)+"'
_BRACKETS = [("[(", ")]"), ("[", "]"), ("{{", "}}"), ("([", "])")]
_SHAPE = "|".join(f"{re.escape(a)}{_LABEL}{re.escape(b)}" for a, b in _BRACKETS)
MERMAID = re.compile(rf"  n\d+(?:{_SHAPE})|  n\d+ -->(?:\|{_LABEL}\|)? n\d+")


SEVERAL = {
    "edu": picture,
    "odd": lambda: STRANGE,
    "words of the languages": lambda: steps("end subgraph", "subgraph o", "o node"),
    "nothing": lambda: Picture("", (), ()),
}


@pytest.mark.parametrize("name", SEVERAL)
def test_mermaid_is_valid(name: str) -> None:
    drawn = SEVERAL[name]()
    head, *lines = draw_mermaid(drawn).split("\n")
    assert head == "flowchart LR" and len(lines) == len(drawn.vertices) + len(drawn.arrows)
    declared = set()
    for line in lines:
        assert MERMAID.fullmatch(line), line
        ids = re.findall(r"^  (n\d+)|(n\d+)$", line)
        if "-->" in line:
            assert {a or b for a, b in ids} <= declared
        else:
            declared.add(ids[0][0])


def test_what_mermaid_shows() -> None:
    lines = draw_mermaid(picture()).split("\n")
    assert '  n0[("gsm")]' in lines
    assert any(line.endswith('"cot ×8<br/>generate by writer"]') for line in lines)
    assert any('|".routed"|' in line for line in lines) and any('|"50%"|' in line for line in lines)


_QUOTED = r'"(?:[^"\\\n]|\\["\\n])*"'
_VERTEX = rf"  n\d+ \[label={_QUOTED}, shape=[a-z]+\];\n"
_ARROW = rf"  n\d+ -> n\d+(?: \[label={_QUOTED}\])?;\n"
DOT = re.compile(rf"digraph {_QUOTED} \{{\n  rankdir=LR;\n(?:{_VERTEX}|{_ARROW})*\}}")


@pytest.mark.parametrize("name", SEVERAL)
def test_dot_is_valid(name: str) -> None:
    text = draw_dot(SEVERAL[name]())
    assert DOT.fullmatch(text), text
    if dot := shutil.which("dot"):
        subprocess.run([dot, "-Tsvg"], input=text, text=True, check=True, capture_output=True)


@given(st.text(max_size=30))
def test_a_quoted_name_ends_where_it_should(text: str) -> None:
    assert re.fullmatch(_QUOTED, quoted(text), re.S if "\r" in text else 0)
    body = quoted(text)[1:-1]
    read = re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], body)
    assert read == text.replace("\r", " ")
