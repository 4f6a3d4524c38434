"""A document of many chunks costs what its length does, not the square of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pytest

from mashbill.compiler.prompts import read_prompt
from mashbill.runtime.checkpool import CheckSpec
from mashbill.runtime.engines._estimate import EstimatedTokens
from mashbill.runtime.judged import LONG, lean, looked_at
from mashbill.runtime.ledger import Entry
from mashbill.runtime.ops.rewrite import rewrite
from mashbill.runtime.requests import Message
from mashbill.runtime.tools import Tools
from mashbill.runtime.verdict import Row, Verdict

from .conftest import MODELS, PROMPT, Spine, documents

LENGTH = {"name": "length", "kind": "length", "version": 1, "params": {"source": "input.text"}}
OURS = {"name": "o", "kind": "expr", "version": 1, "params": {"pass": "len(source.text) > 3"}}


@pytest.mark.parametrize(("checks", "there"), [([LENGTH], False), ([LENGTH, OURS], True)])
def test_checks_of_a_chunk_are_shown_what_they_look_at(
    checks: list[dict[str, Any]], there: bool
) -> None:
    seen: list[Row] = []

    async def ask(messages: tuple[Message, ...], sampling: Any, draw: int) -> Entry:
        return Entry(bytes(16), messages[-1].content, "stop", 1, 1, 9)

    async def judge(specs: tuple[CheckSpec, ...], row: Row) -> tuple[Verdict, ...]:
        seen.append(row)
        return (Verdict(True),)

    prompt, problems = read_prompt("p.md.j2", {"p.md.j2": PROMPT}.__getitem__)
    assert prompt is not None, problems
    built = rewrite(
        model="writer",  # type: ignore[arg-type]
        prompt=prompt,  # type: ignore[arg-type]
        chunk={"by": "sentence", "max": 99},  # type: ignore[arg-type]
        samples=1,  # type: ignore[arg-type]
        sampling={"max_tokens": 9},  # type: ignore[arg-type]
        checks=checks,  # type: ignore[arg-type]
    )(Tools(ask, judge, EstimatedTokens(), ""))
    text = " ".join(documents(100))
    row = {"text": text, "source.text": text, "kind": "weather", "_doc": "d", "_id": "i"}
    (outcome,) = asyncio.run(built.run({**row, "_origin": "human"}))
    assert outcome.end == "out" and len(seen) == 600
    assert outcome.rows[0]["source.text"] == text, "the row itself keeps it"
    for one in seen:
        assert one["kind"] == "weather" and one["text"] == one["input.text"] != text
        assert one.get("source.text") == (text if there else None)


def test_a_short_text_is_never_left_out() -> None:
    row: Mapping[str, Any] = {"a": "x" * LONG, "b": "x" * (LONG + 1), "c": 5, "d": None}
    assert set(lean(row, looked_at([LENGTH]))) == {"a", "c", "d"}
    named = {**LENGTH, "params": {"source": "b"}}
    assert lean(row, looked_at([named])) == row


def test_a_check_of_a_whole_run_still_sees_the_source(spine: Spine) -> None:
    spine.feed([{"text": " ".join(documents(40))}])
    spine.write(
        MODELS
        + """\
steps:
  book:
    op: rewrite
    from: docs
    model: writer
    prompt: prompts/book.md.j2
    chunk: { by: sentence, max: 80 tokens }
    checks: { known: { kind: expr, pass: "contains(source.text, 'Station 39 measured')" } }
    on_fail: [{ fallback: input }]
"""
    )
    account = spine.good_run()["steps"]["book"]
    assert json.dumps(account["units"]) == '{"accepted": 240}'
