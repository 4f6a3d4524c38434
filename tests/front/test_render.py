"""A report as text: the layout of `commands.md`, §3.2, and what odd sources do to it."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mashbill.compiler.diagnostics import Diagnostic, Edit, Label, Report, Span
from mashbill.compiler.render import display_width, render, render_github, render_json

PROMPT = "Solve it.\n" * 13 + "Problem: {{ problm }}\n"
RECIPE = "\n" * 95 + "    from: math_seeds\n" + "\n" * 74 + "      weight: 10%\n"


def place(text: str, word: str, file: str = "r.yaml") -> Span:
    at = text.index(word)
    return Span(file, at, at + len(word))


def target() -> Report:
    """The example of the design."""
    spot = place(PROMPT, "problm", "prompts/cot.md.j2")
    return Report(
        (
            Diagnostic(
                "P201",
                "prompt uses a variable that no upstream step produces",
                spot,
                "`problm` is not a column here",
                (
                    Label(
                        place(RECIPE, "math_seeds", "recipe.yaml"),
                        "columns: id, problem, answer, level",
                    ),
                ),
                help="did you mean `problem`?",
                fix=(Edit(spot, "problem"),),
            ),
            Diagnostic(
                "C501",
                "part `code` would repeat 2.7 times to reach its share",
                place(RECIPE, "10%", "recipe.yaml"),
                "10% × 600M = 60M tokens; last plan has 22M [18M–26M]",
                notes=("`max_epochs: 4` allows this; lower the weight",),
            ),
            Diagnostic("O801", "out/edu holds run r-0412", help="use another output.path"),
        ),
        {"prompts/cot.md.j2": PROMPT, "recipe.yaml": RECIPE},
        "Checked 1 recipe, 6 prompts, 14 steps in 0.21 s",
    )


def test_the_target() -> None:
    assert (
        render(target())
        == """\
error[P201]: prompt uses a variable that no upstream step produces
  --> prompts/cot.md.j2:14:13
   |
14 | Problem: {{ problm }}
   |             ^^^^^^ `problm` is not a column here
   |
  ::: recipe.yaml:96:11
   |
96 |     from: math_seeds
   |           ---------- columns: id, problem, answer, level
   |
   = help: did you mean `problem`?  [*] fixable

error[O801]: out/edu holds run r-0412
   = help: use another output.path

warning[C501]: part `code` would repeat 2.7 times to reach its share
  --> recipe.yaml:171:15
    |
171 |       weight: 10%
    |               ^^^ 10% × 600M = 60M tokens; last plan has 22M [18M–26M]
    = note: `max_epochs: 4` allows this; lower the weight

Checked 1 recipe, 6 prompts, 14 steps in 0.21 s: 2 errors, 1 warning (1 fixable with --fix)"""
    )


def one(text: str, span: Span, label: str = "", width: int = 80, **facts: object) -> list[str]:
    """The lines of one diagnostic's snippet, without the head and the summary."""
    d = Diagnostic("S001", "m", span, label, **facts)  # type: ignore[arg-type]
    lines = render(Report((d,), {"r.yaml": text}), width=width).split("\n")
    return lines[3:-2]


def test_a_wide_character_takes_two_columns() -> None:
    text = 'name: "日本" x é̈ y\n'
    assert one(text, place(text, "x")) == [f" 1 | {text[:-1]}", "   |              ^"]
    assert one(text, place(text, "日本")) == [f" 1 | {text[:-1]}", "   |        ^^^^"]
    row = one(text, place(text, "y"))[1]
    assert row.index("^") - 5 == display_width(text[: text.index("y")])


def test_a_tab_is_four_columns() -> None:
    assert one("a:\tb\n", Span("r.yaml", 3, 4)) == [" 1 | a:    b", "   |       ^"]


def test_nothing_in_a_source_steers_the_terminal() -> None:
    text = "a: \x1b[31m\u202eb\x9b\r\n"
    d = Diagnostic("S001", f"got {text}", Span("r.yaml", 3, 5))
    shown = render(Report((d,), {"r.yaml": text}))
    assert not set(shown) & {"\x1b", "\u202e", "\x9b", "\r"}


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_long_line_is_cut_around_what_is_marked(width: int) -> None:
    text = "a: " + "x" * 300 + " HERE " + "y" * 300 + "\n"
    source, under = one(text, place(text, "HERE"), "this", width)
    assert len(source) <= width and source.count("…") == 2
    assert source[under.index("^") : under.rindex("^") + 1] == "HERE"
    start, _ = one(text, Span("r.yaml", 0, 1), "", width)
    assert start.startswith(" 1 | a: xxx") and len(start) <= width and start.endswith("…")
    end, _ = one(text, Span("r.yaml", len(text) - 2, len(text) - 1), "", width)
    assert end.endswith("yyy") and len(end) <= width


def test_a_label_that_does_not_fit_goes_below() -> None:
    text = "a: " + "x" * 60 + " HERE\n"
    _, under, label = one(text, place(text, "HERE"), "a remark of some length")
    assert under.endswith("^^^^") and label.endswith("a remark of some length")
    assert len(label) <= 80


def test_a_stretch_of_lines_shows_its_first_and_last() -> None:
    text = "a: [ 1,\n  2,\n  3,\n  4 ]\nb: 1\n"
    assert one(text, place(text, text[3:24]), "here") == [
        " 1 | a: [ 1,",
        "   |    ^^^^",
        "...",
        " 4 |   4 ]",
        "   |   ^^^ here",
    ]


def test_places_of_one_file_come_in_the_order_of_lines() -> None:
    text = "a: 1\nb: 2\na: 3\n"
    first = (Label(Span("r.yaml", 0, 1), "first here"),)
    assert one(text, Span("r.yaml", 10, 11), secondary=first) == [
        " 1 | a: 1",
        "   | - first here",
        " 2 | b: 2",
        " 3 | a: 3",
        "   | ^",
    ]


@pytest.mark.parametrize("text", ["", "a: [", "a: [\n", "a\n\n\n"])
def test_the_end_of_a_file_can_be_marked(text: str) -> None:
    *_, under = one(text, Span("r.yaml", len(text), len(text)))
    assert under.endswith("^")


def test_a_file_that_is_not_at_hand() -> None:
    d = Diagnostic("S001", "m", Span("gone.yaml", 3, 4), help="h")
    assert render(Report((d,))) == "error[S001]: m\n  --> gone.yaml\n   = help: h\n\n1 error"


def test_a_secret_is_not_shown_by_any_diagnostic() -> None:
    text = "writer: { key: sk-123456, keyy: 1 }\n"
    found = (
        Diagnostic("G704", "the key is written out", place(text, "sk-123456")),
        Diagnostic("S002", "unknown key 'keyy'", place(text, "keyy")),
    )
    shown = render(Report(found, {"r.yaml": text}))
    assert "sk-123456" not in shown and shown.count("writer: { key: *********, keyy: 1 }") == 2


def test_colour_only_adds_escapes() -> None:
    plain, painted = render(target()), render(target(), colour=True)
    assert "\x1b[" in painted and "\x1b[" not in plain
    assert re.sub(r"\x1b\[[\d;]*m", "", painted) == plain


def test_limit_says_what_it_hides() -> None:
    shown = render(target(), limit=1)
    assert "C501" not in shown and "… and 2 more" in shown and "2 errors, 1 warning" in shown


def test_nothing_wrong() -> None:
    assert render(Report(summary="Checked 1 recipe")) == "Checked 1 recipe: no problems"
    assert render(Report()) == ""


SOURCES = st.text(st.sampled_from("ab 日\t\n\r…é\u0301\x1b\u200b"), max_size=60)


@given(SOURCES, st.integers(0, 70), st.integers(0, 70), st.text(max_size=20), st.integers(20, 100))
def test_any_place_of_any_text_renders(
    text: str, start: int, length: int, label: str, width: int
) -> None:
    d = Diagnostic("S001", "m", Span("f", start, start + length), label)
    for line in render(Report((d,), {"f": text}), width=width).split("\n"):
        if re.match(r" +\d+ \| ", line):
            assert display_width(line) <= max(width, 40)


def test_json_counts_from_one() -> None:
    read = json.loads(render_json(target()))
    assert (read["errors"], read["warnings"], read["notes"]) == (2, 1, 0)
    first, _, last = read["diagnostics"]
    assert first["slug"] == "undefined-variable" and last["place"] is None
    spot = first["place"]
    assert (spot["file"], spot["line"], spot["column"], spot["end_column"]) == (
        "prompts/cot.md.j2", 14, 13, 19,
    )  # fmt: skip
    assert PROMPT[spot["start"] : spot["end"]] == "problm"
    assert first["fix"][0]["replacement"] == "problem"
    assert first["secondary"][0]["place"]["line"] == 96


def test_github_annotations_are_escaped() -> None:
    d = Diagnostic("S002", "100% wrong\nreally", Span("a,b:c.yaml", 3, 4), help="x")
    out = render_github(Report((d,), {"a,b:c.yaml": "a: b\n"}))
    assert out == (
        "::error file=a%2Cb%3Ac.yaml,title=S002 unknown-key,line=1,endLine=1,col=4,endColumn=5"
        "::100%25 wrong%0Areally%0Ax"
    )
    assert render_github(target()).count("\n") == 2
