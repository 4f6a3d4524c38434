"""The terminal text to the letter, at 80 columns, with colour and without: long, wide, odd lines.

`MASHBILL_UPDATE=1` writes `snapshots/`; read the difference before committing it. In the coloured
ones `\\x1b` stands for the escape character, so that a pull request shows them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mashbill.compiler.cells import display_width, wrapped
from mashbill.compiler.diagnostics import Diagnostic, Edit, Label, Report, Span
from mashbill.compiler.render import render

SNAPSHOTS = Path(__file__).parent / "snapshots"


def place(text: str, word: str, nth: int = 0, file: str = "recipe.yaml") -> Span:
    at = [m.start() for m in re.finditer(re.escape(word), text)][nth]
    return Span(file, at, at + len(word))


def far_apart() -> Report:
    text = "steps: { a: { op: filter, from: docs }, " + "b: { op: filter, from: a }, " * 6
    text += "a: { op: clean, from: b } }\n"
    last = Span("recipe.yaml", text.rindex("a: {"), text.rindex("a: {") + 1)
    d = Diagnostic(
        "S004",
        "key 'a' appears twice (line 1); YAML readers keep only the last",
        last,
        "again here",
        (Label(Span("recipe.yaml", 9, 10), "first here"),),
        help="rename one of the two",
    )
    return Report((d,), {"recipe.yaml": text})


def near_together() -> Report:
    text = "x" * 100 + ": { weight: 60%, other: 60% }" + " " * 3 + "# " + "y" * 90 + "\n"
    return Report(
        (
            Diagnostic(
                "C502",
                "weights sum to 120%",
                place(text, "60%", 1),
                "the parts must sum to 100%",
                (Label(place(text, "60%"), "the first"),),
            ),
        ),
        {"recipe.yaml": text},
    )


def wide_characters() -> Report:
    text = 'name: "日本語のテキスト"   # 説明 ' + "漢字" * 30 + " x: é̈ ÄÖ  한글 x\n"
    return Report(
        (
            Diagnostic(
                "S012", "a name is ASCII", place(text, "日本語のテキスト"), "eight wide characters"
            ),
            Diagnostic("S002", "unknown key 'x'", place(text, "x"), "behind them"),
            Diagnostic("S002", "unknown key 'x'", place(text, "x", 1), "and at the end"),
        ),
        {"recipe.yaml": text},
    )


def tabs_and_controls() -> Report:
    text = "\tkeep:\tx\x1b[31m > \u202e1\x07 \ufeff\u200b\r\n"
    return Report(
        (
            Diagnostic("S001", "a tab cannot indent", Span("recipe.yaml", 0, 1), "write blanks"),
            Diagnostic("S001", f"got {text!s}", place(text, "x"), f"here {text}"),
        ),
        {"recipe.yaml": text},
    )


def long_words() -> Report:
    text = "steps:\n  book: { op: rewrite }\n"
    note = (
        "the prompt says `inputs: { text: str, audience: str, style: str }`, and the step sets "
        "neither `audience` nor `style`, which no step above it makes either"
    )
    return Report(
        (
            Diagnostic(
                "R104",
                "step `book` needs columns `audience` and `style`, which no upstream step makes",
                place(text, "book"),
                "it has text, source.text, title, url, date, score, language, topic and nine more "
                "columns that come from the source `web`",
                notes=(note, "two lines:\n  the second is indented, and it is long enough to go on "
                       "below itself, indented as it was"),
                help="write `set: { audience: pupil }` in the step, or take them out of the prompt",
                fix=(Edit(place(text, "book"), "x"),),
            ),
        ),
        {"recipe.yaml": text},
        "Checked 1 recipe, 1 prompt, 1 step",
    )  # fmt: skip


def several_files() -> Report:
    prompt = "Solve it.\n" * 120 + "Problem: {{ problm }}" + " and so on" * 12 + "\n"
    recipe = "\n" * 8 + "    from: seeds\n"
    spot = place(prompt, "problm", file="prompts/cot.md.j2")
    return Report(
        (
            Diagnostic(
                "P201",
                "prompt uses a variable that no upstream step produces",
                spot,
                "`problm` is not a column here",
                (Label(place(recipe, "seeds"), "columns: id, problem, answer, level"),),
                help="did you mean `problem`?",
                fix=(Edit(spot, "problem"),),
            ),
            Diagnostic(
                "L601", "lock is out of date", None, notes=("~ model writer",), help="mashbill lock"
            ),
        ),
        {"prompts/cot.md.j2": prompt, "recipe.yaml": recipe},
        "Checked 1 recipe, 1 prompt, 4 steps",
    )


HEADS = re.compile(r"error|warning|Checked")
"""Lines that are never broken, so that they can be searched for and read by other programs."""

REPORTS: dict[str, Callable[[], Report]] = {
    made.__name__: made
    for made in (
        *(far_apart, near_together, wide_characters),
        *(tabs_and_controls, long_words, several_files),
    )
}


@pytest.mark.parametrize("colour", [False, True], ids=["plain", "colour"])
@pytest.mark.parametrize("name", REPORTS)
def test_the_text(name: str, colour: bool) -> None:
    text = render(REPORTS[name](), width=80, colour=colour).replace("\x1b", "\\x1b") + "\n"
    golden = SNAPSHOTS / f"{name}.{'ansi' if colour else 'txt'}"
    if os.environ.get("MASHBILL_UPDATE"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text("utf-8")


@pytest.mark.parametrize("name", REPORTS)
def test_every_caret_is_below_what_it_marks(name: str) -> None:
    for width in (60, 80, 200):
        lines = render(REPORTS[name](), width=width).split("\n")
        assert all(display_width(line) <= width for line in lines if not HEADS.match(line))
        for above, line in pairwise(lines):
            if (found := re.fullmatch(r"( +\| )( *)(\^+)( .*)?", line)) and "│" not in above:
                start, size = len(found[1] + found[2]), len(found[3])
                marked = by_column(above)[start : start + size]
                assert marked and "…" not in marked, (above, line)


def by_column(line: str) -> list[str]:
    """The character that covers each column of a line; a wide one covers two."""
    columns: list[str] = []
    for char in line:
        columns += [char] * display_width(char)
    return columns


def test_marks_far_apart_are_both_in_sight() -> None:
    lines = render(far_apart(), width=80).split("\n")
    shown = [line for line in lines if line.startswith(" 1 | ")]
    assert len(shown) == 2
    for line, sign in zip(shown, "^-", strict=True):
        under = lines[lines.index(line) + 1]
        assert line[under.index(sign)] == "a"


def test_marks_near_together_share_a_line() -> None:
    lines = render(near_together(), width=80).split("\n")
    (shown,) = [line for line in lines if line.startswith(" 1 | ")]
    for sign in "^-":
        under = next(line for line in lines if sign * 3 in line)
        assert shown[under.index(sign * 3) :][:3] == "60%"


@given(st.text(st.sampled_from("ab 日é\u0301\n-"), max_size=80), st.integers(1, 30))
def test_wrapping_loses_no_word(text: str, room: int) -> None:
    lines = wrapped(text, room)
    assert " ".join(lines).split() == text.split()
    for line in lines:
        assert display_width(line) <= room or len(line.split()) <= 1


TEXTS = st.text(st.sampled_from("ab 日\té\u0301\x1b"), max_size=150)


@given(TEXTS, st.lists(st.tuples(st.integers(0, 150), st.integers(1, 9)), min_size=1, max_size=4))
def test_every_mark_has_its_line(text: str, spans: list[tuple[int, int]]) -> None:
    labels = tuple(Label(Span("f", a, a + n), f"l{i}") for i, (a, n) in enumerate(spans))
    d = Diagnostic("S001", "m", labels[0].span, "l0", labels[1:])
    lines = render(Report((d,), {"f": text}), width=60).split("\n")
    for i in range(len(spans)):
        assert sum(line.rstrip().endswith(f"l{i}") for line in lines) == 1
    assert all(display_width(line) <= 60 for line in lines)
