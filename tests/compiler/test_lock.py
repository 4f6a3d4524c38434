"""The lock as text and as a comparison: readable, mergeable, the same for the same pins."""

from __future__ import annotations

import random
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mashbill.compiler.lock import (
    LockError,
    Pin,
    compare_pins,
    pinned,
    read_lock,
    show_stale,
    suggestion,
    upgraded,
    write_lock,
)

PINS = pinned(
    [
        Pin("writer", "weights", "1" * 32, "local/small"),
        Pin("book", "prompt", "2" * 32, "prompts/a file.md.j2"),
        Pin("book", "operator", "rewrite@5"),
        Pin("book", "check.facts", "facts@3"),
        Pin("book", "package.polars", "2.1.0"),
        Pin("docs", "data", "3" * 32, "docs.jsonl"),
    ]
)


def with_pin(*pins: Pin) -> dict[tuple[str, str], Pin]:
    return pinned({**PINS, **pinned(pins)}.values())


def test_a_lock_reads_as_it_was_written() -> None:
    text = write_lock(PINS.values())
    assert read_lock(text) == PINS
    assert write_lock(read_lock(text).values()) == text


def test_the_text_rests_on_the_pins_alone() -> None:
    shuffled = list(PINS.values())
    random.Random(3).shuffle(shuffled)
    text = write_lock(shuffled)
    assert text == write_lock(PINS.values())
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert lines[0] == "mashbill-lock 1"
    assert lines[1:] == sorted(lines[1:])
    assert "book package.polars 2.1.0" in lines
    assert all(line == line.strip() for line in lines)


WORD = st.text("abcdefghij0123456789_.@", min_size=1, max_size=9)


@given(st.lists(st.builds(Pin, WORD, WORD, WORD, st.sampled_from(["", "a b", "x/y.jsonl"]))))
def test_any_pins_survive_the_text(pins: list[Pin]) -> None:
    assert read_lock(write_lock(pins)) == pinned(pins)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "line 1: a lock begins with"),
        ("book operator rewrite@5\n", "line 1: not a pin"),
        ("mashbill-lock 2\n", "another version"),
        ("mashbill-lock 1\nbook\n", "line 2: not a pin: book"),
        ("mashbill-lock 1\n<<<<<<< HEAD\nbook operator a\n", "line 2: a merge left a conflict"),
        ("mashbill-lock 1\na data 1\n=======\n", "line 3: a merge left"),
        ("mashbill-lock 1\na data 1\na data 2\n", "line 3: a data is pinned twice, differently"),
    ],
)
def test_what_is_no_lock_is_refused_with_its_line(text: str, why: str) -> None:
    with pytest.raises(LockError, match=why):
        read_lock(text)


def test_a_pin_that_stands_twice_alike_is_one() -> None:
    text = write_lock(PINS.values())
    assert read_lock(text + text) == PINS


def test_only_values_are_compared() -> None:
    moved = with_pin(Pin("docs", "data", "3" * 32, "data/docs.jsonl"))
    assert compare_pins(PINS, moved) == ()
    stale = compare_pins(PINS, with_pin(Pin("docs", "data", "4" * 32, "docs.jsonl")))
    assert [(s.symbol, s.pin.name) for s in stale] == [("~", "docs")]


def test_new_and_lost_pins_are_told_apart() -> None:
    less = {k: p for k, p in PINS.items() if k[0] != "docs"}
    assert [s.symbol for s in compare_pins(less, PINS)] == ["+"]
    assert [s.symbol for s in compare_pins(PINS, less)] == ["-"]
    assert compare_pins(PINS, less, unknown=["docs"]) == ()


def test_a_prompt_of_an_unknown_model_is_still_compared() -> None:
    less = {k: p for k, p in PINS.items() if k[1] != "prompt"}
    assert len(compare_pins(PINS, less, unknown=["book"])) == 1


def test_offline_leaves_out_what_needs_data_or_models() -> None:
    other = with_pin(
        Pin("docs", "data", "9" * 32), Pin("writer", "weights", "9" * 32),
        Pin("book", "prompt", "9" * 32), Pin("book", "operator", "rewrite@6"),
        Pin("book", "check.facts", "facts@4"), Pin("book", "package.polars", "3"),
    )  # fmt: skip
    found = [s.pin.kind for s in compare_pins(PINS, other, offline=True)]
    assert found == ["check.facts", "operator", "package.polars", "prompt"]
    assert len(compare_pins(PINS, other)) == 6


def test_what_a_profile_puts_in_place_of_something_else_is_not_compared() -> None:
    fake = with_pin(Pin("writer", "weights", "9" * 32, "fake/rewrite"))
    assert compare_pins(PINS, fake, overlaid=True) == ()
    changed = with_pin(Pin("writer", "weights", "9" * 32, "local/small"))
    assert len(compare_pins(PINS, changed, overlaid=True)) == 1


def test_one_thing_is_upgraded_and_no_other() -> None:
    now = with_pin(Pin("docs", "data", "4" * 32), Pin("writer", "weights", "5" * 32))
    made = upgraded(PINS, now, "writer")
    assert made is not None
    assert made[("writer", "weights")].value == "5" * 32
    assert made[("docs", "data")].value == "3" * 32
    assert [s.pin.name for s in compare_pins(PINS, made)] == ["writer"]


@pytest.mark.parametrize("name", ["book.package.polars", "polars"])
def test_a_package_is_upgraded_by_its_name(name: str) -> None:
    now = with_pin(Pin("book", "package.polars", "3.0"), Pin("book", "operator", "rewrite@6"))
    made = upgraded(PINS, now, name)
    assert made is not None
    assert made[("book", "package.polars")].value == "3.0"
    assert made[("book", "operator")].value == "rewrite@5"


def test_an_unknown_name_is_guessed() -> None:
    assert upgraded(PINS, PINS, "wirter") is None
    assert suggestion(PINS, PINS, "wirter") == "writer"


def test_what_differs_is_shown_with_its_entries() -> None:
    now = with_pin(
        Pin("docs", "data", "4" * 32, "docs.jsonl"),
        Pin("writer", "weights", "5" * 32, "local/other"),
        Pin("book", "operator", "rewrite@6"),
    )
    assert show_stale(compare_pins(PINS, now)) == [
        "  ~  operator  book    rewrite@5 → rewrite@6",
        "  ~  data      docs    3333333… → 4444444…    docs.jsonl",
        "  ~  weights   writer  1111111… → 5555555…    local/small → local/other",
    ]
    assert show_stale(compare_pins({}, pinned([Pin("a", "data", "1.0")]))) == [
        "  +  data  a  1.0 (not in the lock)"
    ]


def git(folder: Path, *arguments: str) -> str:
    if shutil.which("git") is None:
        pytest.skip("git is not on this machine")
    who = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
    done = subprocess.run(
        ["git", *who, *arguments], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout


def test_two_branches_merge_by_union(tmp_path: Path) -> None:
    """Each pinned another thing: git's own `union` joins them, neighbours too."""
    lock = tmp_path / "recipe.lock"
    git(tmp_path, "init", "-q", "-b", "main")
    (tmp_path / ".gitattributes").write_text("recipe.lock merge=union\n")
    lock.write_text(write_lock(PINS.values()))
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "base")
    git(tmp_path, "checkout", "-qb", "other")
    theirs = Pin("extra", "data", "7" * 32, "extra.jsonl")
    lock.write_text(write_lock(with_pin(theirs).values()))
    git(tmp_path, "commit", "-qam", "theirs")
    git(tmp_path, "checkout", "-q", "main")
    ours = Pin("dice", "operator", "filter@1")
    lock.write_text(write_lock(with_pin(ours).values()))
    git(tmp_path, "commit", "-qam", "ours")
    git(tmp_path, "merge", "-q", "other")
    assert read_lock(lock.read_text()) == with_pin(ours, theirs)


def test_two_branches_that_pin_one_thing_differently_are_told() -> None:
    text = write_lock(PINS.values())
    union = text + f"docs data {'8' * 32} docs.jsonl\n"
    with pytest.raises(LockError, match="docs data is pinned twice"):
        read_lock(union)
