"""`tokens(…)`: a column that the recipe's tokenizer counts before the expression is computed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from mashbill.compiler.expr import parse_expr, token_counts
from mashbill.runtime.counting import counts_of
from mashbill.runtime.expressions import assign, lowered
from tests.compiler.world import compile_text
from tests.runtime.conftest import MODELS, make_spine

from .evaluator import counted_words


class Counter:
    """Counts words, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def __call__(self, texts: Any) -> list[int]:
        self.asked.append(list(texts))
        return counted_words(texts)


FRAME = pl.DataFrame({"text": ["a b c", None, "", "a"], "n": [2, 2, 2, 2]})


def test_each_text_is_counted_once_a_frame_and_null_is_null() -> None:
    counter = Counter()
    keep = lowered("1 <= tokens(text) <= 2 or tokens(text) > tokens(text + text)", 0, "x", counter)
    found = FRAME.select(keep(FRAME).alias("keep"))["keep"].to_list()
    assert found == [False, None, False, True]
    assert counter.asked == [["a b ca b c", "", "aa"], ["a b c", "", "a"]]


def test_counts_inside_counts_and_constants() -> None:
    found = lowered("tokens(str(tokens(text)) + ' x') + tokens('a b')", 0, "x", counted_words)
    assert FRAME.select(found(FRAME).alias("n"))["n"].to_list() == [4, None, 4, 4]
    one = FRAME.head(1)
    assert one.select(found(one).alias("n"))["n"].to_list() == [4]
    assert FRAME.clear().select(found(FRAME.clear()).alias("n"))["n"].to_list() == []


def test_no_column_of_the_count_is_left_behind() -> None:
    columns = {"size": {"=": "tokens(text)"}, "half": {"=": "tokens(text) / n"}}
    made = assign(columns, 0, "x", counted_words)(FRAME)
    assert made.columns == ["text", "n", "size", "half"]
    assert made["size"].to_list() == [3, None, 0, 1]
    assert made["half"].to_list() == [1.5, None, 0.0, 0.5]


def test_what_is_no_text_is_not_counted() -> None:
    with pytest.raises(TypeError, match="counts text, not Int64"):
        lowered("tokens(n)", 0, "x", counted_words)(FRAME)


def test_expressions_without_counts_ask_for_nothing() -> None:
    expr, _ = parse_expr("words(text) > 3")
    assert expr is not None
    assert counts_of([expr], None, 0, "x") is None
    with pytest.raises(ValueError, match="no tokenizer"):
        lowered("tokens(text) > 3", 0, "x")


def test_counts_are_found_inner_ones_first_and_once() -> None:
    expr, _ = parse_expr("tokens(str(tokens(text))) > tokens(text) + tokens(text)")
    assert expr is not None
    assert [str(call.args[0])[:6] for call in token_counts(expr)] == ["Column", "Call(n"]


RECIPE = (
    MODELS
    + """\
steps:
  short: { op: filter, from: docs, keep: tokens(text) <= LIMIT }
  book:
    op: rewrite
    from: short
    model: writer
    prompt: prompts/book.md.j2
    when: tokens(text) > 2
    set: { size: = tokens(text) }
    checks: { brief: { kind: expr, pass: "tokens(text) <= tokens(input.text) * 3" } }
    on_fail: [{ fallback: input }]
output: { columns: [text, size] }
"""
)
TEXTS = ["One two.", "One two three four five.", " ".join(["word"] * 60) + "."]


def test_a_recipe_that_counts(tmp_path: Path) -> None:
    spine = make_spine(tmp_path / "spine", TEXTS, recipe=RECIPE.replace("LIMIT", "30"))
    for verb in ("check", "plan"):
        said = spine.do(verb)
        assert said.code == 0, said.text
    record = spine.good_run()
    assert record["steps"]["short"]["rejected"] == {"keep": 1}
    assert record["steps"]["book"]["units"] == {"accepted": 1}
    rows = spine.rows()
    assert rows.columns == ["text", "size"]
    assert rows["size"].is_null().to_list() == [True, False]
    said = spine.do("show", "book")
    assert "tokens(" not in said.text, said.text


def test_a_check_that_counts_fails_with_the_counts(tmp_path: Path) -> None:
    recipe = RECIPE.replace("LIMIT", "30").replace("tokens(input.text) * 3", "1")
    spine = make_spine(tmp_path / "spine", TEXTS, recipe=recipe)
    record = spine.good_run()
    assert record["steps"]["book"]["units"] == {"fallback": 1}
    assert record["steps"]["book"]["failures"] == {"expr": 1}


COUNTING = """
mashbill: 1
name: t
TOKENIZER
models:
  a: { use: fake/rewrite }
  b: { use: fake/echo }
sources:
  docs: { path: docs.jsonl, license: CC0-1.0, origin: human }
steps:
  long: { op: filter, from: docs, keep: words(text) > 8 }
  size: { op: filter, from: long, set: { many: = tokens(text) } }
"""


def steps(tokenizer: str, files: dict[str, str] | None = None) -> dict[str, Any]:
    compiled = compile_text(COUNTING.replace("TOKENIZER", tokenizer), files)
    assert compiled.plan, compiled.report.diagnostics
    return {node.name: node for node in compiled.plan.nodes}


def test_what_counts_is_part_of_what_a_step_is() -> None:
    one, other = steps("tokenizer: a"), steps("tokenizer: b")
    assert one["size"].definition["tokens"] == {
        "of": ["text"],
        "by": {"engine": "fake", "model": "rewrite"},
    }
    assert "tokens" not in one["long"].definition
    assert one["long"].fingerprint == other["long"].fingerprint
    assert one["size"].fingerprint != other["size"].fingerprint


def test_a_file_that_counts_is_known_by_its_content() -> None:
    found = [steps("tokenizer: t.json", {"t.json": text})["size"] for text in ("{}", "{ }")]
    assert found[0].fingerprint != found[1].fingerprint
    moved = steps("tokenizer: u.json", {"u.json": "{}"})["size"]
    assert moved.fingerprint == found[0].fingerprint


@pytest.mark.parametrize(
    ("tokenizer", "place", "message"),
    [
        ("", "tokens(text)", "`tokens` counts by a tokenizer, and no `tokenizer:` says which"),
        (
            "tokenizer: t.json",
            "t.json",
            "no model and no file of the recipe is called `t.json`",
        ),
    ],
)
def test_a_count_without_a_tokenizer_is_refused(tokenizer: str, place: str, message: str) -> None:
    text = COUNTING.replace("TOKENIZER", tokenizer)
    report = compile_text(text).report
    (found,) = [d for d in report.diagnostics if d.severity == "error"]
    assert (found.code, found.message) == ("C508", message)
    assert found.span is not None
    assert text[found.span.start : found.span.end] == place


def test_the_clause_that_rejects_most_is_found_with_counts_in_it(tmp_path: Path) -> None:
    recipe = RECIPE.replace("tokens(text) <= LIMIT", "tokens(text) > 1000 and words(text) > 1")
    spine = make_spine(tmp_path / "spine", TEXTS, recipe=recipe)
    said = spine.do("plan")
    assert said.code == 0, said.text
