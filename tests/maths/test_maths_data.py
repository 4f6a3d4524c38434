"""On real data: GSM8K solutions and labelled pairs of answers."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from mashbill.runtime.checks.arithmetic import arithmetic
from mashbill.runtime.maths.equality import equal
from mashbill.runtime.maths.extracting import extract

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="needs shared/data beside the repository")


def rows(name: str) -> Iterator[dict[str, Any]]:
    with gzip.open(DATA / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def test_labelled_pairs() -> None:
    wrong = [
        row["id"]
        for row in rows("math_answer_pairs")
        if equal(row["expected"], row["predicted"]).equal != row["equal"]
    ]
    # 1320 against "1320 km": the label reads km as a product, here it is a unit.
    assert wrong == ["pair-020"]


def test_every_final_answer_of_gsm8k_is_found() -> None:
    for row in islice(rows("gsm8k_train_a"), 1_000):
        found = extract(row["answer"])
        assert found is not None and (found.answer, found.how) == (row["final"], "hashes")
        said = extract(f"{row['answer'].split('####')[0]}\nThe answer is ${row['final']}.")
        assert said is not None and equal(row["final"], said.answer).equal


def test_nearly_all_steps_of_gsm8k_hold() -> None:
    check = arithmetic(min=1)
    verdicts = [check({"reasoning": row["answer"]}) for row in islice(rows("gsm8k_train_a"), 600)]
    assert sum(v.reason == "arithmetic" for v in verdicts) <= 8
    assert sum(v.reason == "too_few_steps" for v in verdicts) <= 12
