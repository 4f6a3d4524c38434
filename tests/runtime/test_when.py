"""`when:`: a step applies to some rows; the others pass as they came, and nothing is lost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from .conftest import MODELS, documents, make_spine

FIRST = """\
output: { format: parquet, columns: [text, part, kind, answer, _id, _doc, _origin] }
"""


def rows_of(tmp_path: Path, steps: str, count: int = 30) -> tuple[pl.DataFrame, dict[str, Any]]:
    spine = make_spine(tmp_path / "p", documents(count, 2), recipe=MODELS + "steps:\n" + steps)
    (spine.folder / "prompts/ask.md.j2").write_text(
        "---\ninputs: { text: str }\nreply: { answer: text }\n---\n"
        "{% block system %}Answer.{% endblock %}{% block user %}{{ text }}{% endblock %}\n"
    )
    record = spine.good_run()
    files = [
        spine.folder / record["output"]["path"] / s["file"] for s in record["output"]["shards"]
    ]
    return pl.concat(pl.read_parquet(f) for f in files), record["steps"]


HALF = "hash01(_doc) < 0.5"
OUT = "output: { columns: [text, kind, answer, _id, _doc, _origin] }\n"


def test_a_filter_holds_only_the_rows_it_applies_to(tmp_path: Path) -> None:
    mark = "  mark: { op: filter, from: docs, set: { kind: \"= 'a' if " + HALF + " else 'b'\" } }\n"
    keep = "contains(text, 'Station 1')"
    only = f"  some: {{ op: filter, from: mark, when: kind == 'a', keep: \"{keep}\" }}\n"
    rows, steps = rows_of(tmp_path, mark + only + "output: { columns: [text, kind] }\n")
    whole, _ = rows_of(tmp_path / "w", mark + "output: { columns: [text, kind] }\n")
    expected = whole.filter((pl.col("kind") != "a") | pl.col("text").str.contains("Station 1"))
    assert rows.equals(expected)
    assert 0 < rows.height < whole.height
    assert steps["some"]["in"] == whole.height


def test_columns_set_by_the_step_are_null_in_rows_that_pass(tmp_path: Path) -> None:
    steps = "  mark: { op: filter, from: docs, when: " + HALF + ", set: { kind: new } }\n"
    rows, _ = rows_of(tmp_path, steps + "output: { columns: [kind, _doc] }\n")
    assert set(rows["kind"].unique()) == {"new", None}
    assert rows.height == 30


def test_a_model_is_asked_about_the_rows_that_are_meant(tmp_path: Path) -> None:
    ask = (
        "  ask: { op: generate, from: docs, model: writer, prompt: prompts/ask.md.j2, "
        "samples: 2, when: " + HALF + " }\n"
    )
    rows, steps = rows_of(tmp_path, ask + "output: { columns: [answer, _doc, _id, _origin] }\n")
    meant = rows.filter(pl.col("answer").is_not_null())
    passed = rows.filter(pl.col("answer").is_null())
    assert steps["ask"]["attempts"] == meant.height == 2 * meant["_doc"].n_unique()
    assert meant["_doc"].n_unique() + passed.height == 30
    assert not set(meant["_doc"]) & set(passed["_doc"])
    assert passed.height
    assert meant.height


def test_a_rewrite_leaves_the_others_human(tmp_path: Path) -> None:
    book = (
        "  book: { op: rewrite, from: docs, model: writer, prompt: prompts/book.md.j2, "
        "when: " + HALF + " }\n"
    )
    rows, _ = rows_of(tmp_path, book + "output: { columns: [text, _accepted, _origin] }\n")
    assert rows.filter(pl.col("_accepted").is_null())["_origin"].unique().to_list() == ["human"]
    assert rows.filter(pl.col("_accepted").is_not_null())["_origin"].unique().to_list() == [
        "synthetic"
    ]


def test_a_null_condition_does_not_apply(tmp_path: Path) -> None:
    mark = "  mark: { op: filter, from: docs, when: " + HALF + ", set: { kind: a } }\n"
    drop = "  drop: { op: filter, from: mark, when: \"coalesce(kind, '') == 'a'\", keep: false }\n"
    rows, steps = rows_of(tmp_path, mark + drop + "output: { columns: [kind] }\n")
    assert rows["kind"].null_count() == rows.height
    assert steps["drop"]["rejected"] == {"keep": 30 - rows.height}


def test_what_is_null_in_rows_that_pass_must_be_spoken_of(tmp_path: Path) -> None:
    mark = "  mark: { op: filter, from: docs, when: " + HALF + ", set: { kind: a } }\n"
    use = "  use: { op: filter, from: mark, keep: kind == 'a' }\n"
    spine = make_spine(tmp_path, documents(3), recipe=MODELS + "steps:\n" + mark + use)
    said = spine.do("check")
    assert said.code == 1
    assert "X153" in said.out


@pytest.mark.parametrize("rows", [1, 40])
def test_the_plan_counts_only_the_rows_that_are_meant(tmp_path: Path, rows: int) -> None:
    ask = (
        "  ask: { op: generate, from: docs, model: writer, prompt: prompts/ask.md.j2, "
        "when: \"contains(text, 'Station 0 ')\" }\n"
    )
    spine = make_spine(tmp_path, documents(rows, 2), recipe=MODELS + "steps:\n" + ask)
    (spine.folder / "prompts/ask.md.j2").write_text(
        "---\ninputs: { text: str }\nreply: { answer: text }\n---\n"
        "{% block system %}Answer.{% endblock %}{% block user %}{{ text }}{% endblock %}\n"
    )

    def planned() -> tuple[float, float, float]:
        steps = json.loads(spine.do("plan", "--format", "json").out)["steps"]
        ask = next(s["estimate"] for s in steps if s["name"] == "ask")
        calls = ask["spending"]["calls"]["value"]
        return ask["rows_in"]["value"], ask["rows_out"]["value"], calls

    assert planned() == (rows, pytest.approx(rows, abs=0.1), 1)
    spine.good_run()
    assert planned() == (rows, rows, 0)


def test_a_row_that_passed_can_be_explained(tmp_path: Path) -> None:
    book = (
        "  book: { op: rewrite, from: docs, model: writer, prompt: prompts/book.md.j2, "
        "when: " + HALF + " }\n"
    )
    spine = make_spine(tmp_path, documents(12, 2), recipe=MODELS + "steps:\n" + book)
    record = spine.good_run()
    rows = pl.read_parquet(spine.folder / "out/spine/train-00000.parquet")
    assert record["output"]["rows"] == 12
    for row in rows.iter_rows(named=True):
        said = spine.do("show", row["_id"])
        assert said.code == 0, said.text
        assert row["text"].split(".")[0] in said.out.replace("\n", " ")


def test_a_condition_may_read_a_column_that_one_input_lacks(tmp_path: Path) -> None:
    steps = (
        "  marked: { op: filter, from: docs, keep: hash01(_doc) < 0.5, set: { kind: a } }\n"
        "  plain: { op: filter, from: docs, keep: hash01(_doc) >= 0.5 }\n"
        "  both: { op: filter, from: [marked, plain], when: kind is not null, "
        "set: { seen: true } }\n"
    )
    rows, _ = rows_of(tmp_path, steps + "output: { columns: [kind, seen] }\n")
    assert rows.height == 30
    assert set(rows.rows()) == {("a", True), (None, None)}
