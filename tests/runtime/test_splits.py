"""`split:`: by document, whatever was made of it, in files that data set hubs read as splits."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from mashbill.runtime.splits import splits_of

from .conftest import MODELS, Spine, documents, make_spine

RECIPE = (
    MODELS
    + """\
steps:
  ask: { op: generate, from: docs, model: writer, prompt: prompts/book.md.j2, samples: 3 }
mix:
  total: 40k tokens
  parts: { docs: 50%, ask: 50% }
  on_shortfall: shrink
split: { by: document, train: 60%, test: 30%, validation: 10% }
"""
)


def made(spine: Spine) -> dict[str, pl.DataFrame]:
    folder = spine.folder / "out/spine"
    names = ("train", "test", "validation")
    return {n: pl.concat(pl.read_parquet(f) for f in sorted(folder.glob(f"{n}-*"))) for n in names}


def test_a_document_and_all_that_was_made_of_it_stay_together(tmp_path: Path) -> None:
    spine = make_spine(tmp_path, documents(200, 2), recipe=RECIPE)
    record = spine.good_run()
    splits = made(spine)
    docs = {name: set(rows["_doc"]) for name, rows in splits.items()}
    assert not docs["train"] & docs["test"]
    assert not docs["train"] & docs["validation"]
    assert not docs["test"] & docs["validation"]
    assert any(rows["_doc"].is_duplicated().any() for rows in splits.values())
    total = sum(map(len, docs.values()))
    assert docs["train"] and 0.45 < len(docs["train"]) / total < 0.75
    assert record["output"]["rows"] == sum(r.height for r in splits.values())
    card = (spine.folder / "out/spine/README.md").read_text()
    assert "  - {split: validation, path: validation-*.parquet}" in card
    assert "| train |" in card


def test_the_same_documents_go_the_same_way_whatever_else_there_is(tmp_path: Path) -> None:
    small = make_spine(tmp_path / "a", documents(60, 2), recipe=RECIPE)
    large = make_spine(tmp_path / "b", documents(120, 2), recipe=RECIPE)
    small.good_run()
    large.good_run()
    where = {d: n for n, rows in made(large).items() for d in rows["_doc"]}
    for name, rows in made(small).items():
        assert {where[d] for d in rows["_doc"] if d in where} <= {name}


def test_a_split_without_rows_is_an_empty_file_that_reads(tmp_path: Path) -> None:
    recipe = RECIPE.replace("train: 60%, test: 30%, validation: 10%", "train: 99.99%, test: 0.01%")
    spine = make_spine(tmp_path, documents(5, 2), recipe=recipe)
    spine.good_run()
    assert pl.read_parquet(spine.folder / "out/spine/test-00000.parquet").height == 0


def test_changing_the_split_runs_no_call_again(tmp_path: Path) -> None:
    spine = make_spine(tmp_path, documents(20, 2), recipe=RECIPE)
    spine.good_run()
    sent = len(spine.sent())
    spine.edit("train: 60%, test: 30%", "train: 80%, test: 10%")
    spine.good_run("--replace")
    assert len(spine.sent()) == sent


@pytest.mark.parametrize("share", [0.002, 0.1, 0.5])
def test_shares_are_shares(share: float) -> None:
    splits = splits_of({"train": 1 - share, "validation": share}, 5)
    count = sum(splits.name_of(str(i)) == "validation" for i in range(40_000))
    assert abs(count / 40_000 - share) < 4 * (share * (1 - share) / 40_000) ** 0.5


def test_a_larger_validation_split_holds_the_smaller_one() -> None:
    small = splits_of({"train": 0.99, "validation": 0.01}, 5)
    large = splits_of({"validation": 0.05, "train": 0.95}, 5)
    docs = [str(i) for i in range(5_000)]
    chosen = {d for d in docs if small.name_of(d) == "validation"}
    assert chosen < {d for d in docs if large.name_of(d) == "validation"}


def test_without_a_split_there_is_train() -> None:
    splits = splits_of({}, 5)
    assert splits.names == ("train",)
    assert splits.name_of("any") == "train"
