"""What `plan` warns of once it has seen the data, to the character."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import MODELS, documents, make_spine

ONE = "steps:\n  long: { op: filter, from: docs, keep: %s }\n"


def warned(folder: Path, recipe: str, texts: list[str] | None = None) -> str:
    spine = make_spine(folder, texts or documents(30, 2), recipe=MODELS + recipe)
    said = spine.do("plan")
    assert said.code == 0, said.text
    return said.err


def test_a_step_that_keeps_nothing_names_its_strictest_clause(tmp_path: Path) -> None:
    keep = "words(text) > 3 and words(text) > 500 and chars(text) > 5"
    err = warned(tmp_path, ONE % keep)
    assert "warning[D306]: `long` keeps none of all rows; its strictest clause is" in err
    assert "`words(text) > 500`" in err.replace("\n", " ")


def test_one_that_keeps_something_is_not_spoken_of(tmp_path: Path) -> None:
    assert warned(tmp_path, ONE % "words(text) > 3") == ""


MIX = "mix: { total: %s, parts: { docs: 50%%, long: 50%% }, on_shortfall: %s }\n"


def test_a_part_that_is_too_small(tmp_path: Path) -> None:
    recipe = ONE % "hash01(_doc) < 0.2" + MIX % ("100k tokens", "error")
    assert warned(tmp_path / "a", recipe.replace("error", "shrink")) == ""
    err = warned(tmp_path / "b", recipe)
    assert "warning[C505]: part `long` can supply about" in err
    assert "of 50.0k tokens; on_shortfall: error" in err


def test_a_part_that_repeats(tmp_path: Path) -> None:
    recipe = ONE % "words(text) > 3" + MIX % ("1400 tokens", "repeat")
    texts = documents(30, 2)
    err = warned(
        tmp_path, recipe.replace("docs: 50%", "docs: 10%").replace("long: 50%", "long: 90%"), texts
    )
    assert "warning[C501]: part `long` would repeat" in err
    assert "times to reach its share" in err


@pytest.mark.parametrize(("weights", "told"), [(("50%", "50%"), True), (("90%", "10%"), False)])
def test_equal_weights_of_very_unequal_rows(
    tmp_path: Path, weights: tuple[str, str], told: bool
) -> None:
    steps = (
        "steps:\n  short: { op: filter, from: docs, keep: words(text) < 30 }\n"
        "  long: { op: filter, from: docs, keep: words(text) >= 30 }\n"
    )
    mix = (
        f"mix: {{ total: 100 tokens, parts: {{ short: {weights[0]}, long: {weights[1]} }}, "
        "on_shortfall: shrink }\n"
    )
    texts = documents(20, 1) + [" ".join(d.split() * 9) for d in documents(20, 6)]
    assert (
        "note[C504]: weights are shares of tokens: `short` gives"
        in warned(tmp_path, steps + mix, texts)
    ) is told


def test_a_thousand_shards(tmp_path: Path) -> None:
    err = warned(
        tmp_path,
        ONE % "words(text) > 3" + MIX % ("400 tokens", "shrink") + "output: { shard: 1B }\n",
    )
    assert "note[O803]: about 1.60k shards of 1 B" in err


def test_replies_that_are_cut_off(tmp_path: Path) -> None:
    made = (
        "steps:\n  made: { op: generate, from: docs, model: writer, prompt: prompts/book.md.j2, "
        "sampling: { max_tokens: %s } }\n"
    )
    for longest, told in ((2, True), (4000, False)):
        spine = make_spine(
            tmp_path / str(longest), documents(30, 2), recipe=MODELS + made % longest
        )
        said = spine.do("plan", "--pilot", "25")
        assert said.code == 0, said.text
        shown = "of the replies in `made` hit max_tokens 2" in said.err
        assert shown == ("warning[M255]" in said.err) == told
