"""Replies at run time: read before checks, retried as `unparsed`, typed in the data set."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import mashbill as mb
from mashbill.runtime.ledger import Entry, key_of
from mashbill.runtime.ops.generate import generate
from mashbill.runtime.ops.rewrite import rewrite
from mashbill.runtime.outcome import Outcome
from mashbill.runtime.requests import Message, Request, Sampling
from mashbill.runtime.tools import Tools, no_model

from ..engines.test_http import answer, talk
from ..engines.test_http import json as replying
from .reading import asking, good

ASK = asking("{ reasoning: text, answer: tag }", "Write <answer>.")
SCHEMA = {
    "type": "object",
    "properties": {
        "why": {"type": "string"},
        "score": {"type": "integer", "minimum": 1, "maximum": 5},
        "tags": {"type": "array", "items": {"type": "string"}},
        "who": {"type": "object", "properties": {"name": {"type": "string"}}},
    },
    "required": ["why", "score"],
}
JUDGE = asking("{ json: schemas/s.json }", "Answer in JSON.")
JUDGE_FILES = {"schemas/s.json": json.dumps(SCHEMA)}


class Script:
    """A model that gives its replies in order, and keeps what it was asked."""

    def __init__(self, *replies: str, finish: str = "stop") -> None:
        self.replies, self.finish = list(replies), finish
        self.asked: list[tuple[tuple[Message, ...], Mapping[str, Any], int]] = []

    async def __call__(
        self, messages: tuple[Message, ...], sampling: Mapping[str, Any], draw: int
    ) -> Entry:
        self.asked.append((messages, sampling, draw))
        text = self.replies.pop(0)
        return Entry(b"k" * 16, text, "stop" if self.finish == "stop" else "length", 1, 1, 9)


def outcome(
    text: str,
    script: Script,
    ladder: Sequence[Mapping[str, Any]] = (),
    files: Mapping[str, str] | None = None,
) -> Outcome:
    """What comes of one row."""

    async def judge(checks: object, row: object) -> tuple[()]:
        raise AssertionError("there are no checks")

    tools = Tools(script, judge, no_model(judge, "").tokens, "rule")
    build = generate(
        model="m",  # type: ignore[arg-type]
        prompt=good(text, files),  # type: ignore[arg-type]
        sampling={"temperature": 1.0, "max_tokens": 9},  # type: ignore[arg-type]
        on_fail=list(ladder),  # type: ignore[arg-type]
    )
    row = {"text": "Two and two?", "_doc": "d", "_id": "i", "_origin": "human"}
    (found,) = asyncio.run(build(tools).run(row))
    assert isinstance(found, Outcome)
    return found


RETRY = {"rung": "retry", "times": 2, "sampling": {}, "for": []}
REJECT = {"rung": "reject"}


def test_a_reply_becomes_columns_and_the_row_stays() -> None:
    found = outcome(ASK, Script("So.\n<answer>4</answer>"))
    (row,) = found.rows
    assert (row["reasoning"], row["answer"]) == ("So.", "4")
    assert (row["text"], row["_origin"]) == ("Two and two?", "human")
    assert row["_id"] != "i"


def test_a_reply_without_its_shape_goes_down_the_ladder() -> None:
    script = Script("4", "So.\n<answer>", "So.\n<answer>4</answer>")
    found = outcome(ASK, script, [RETRY, REJECT])
    assert found.end == "out"
    (unit,) = found.units
    assert [(a.failed, a.reason) for a in unit.attempts] == [
        ("unparsed", "unparsed"), ("unparsed", "unparsed"), ("", "")
    ]  # fmt: skip
    assert [a.evidence for a in unit.attempts] == [{"missing": ["answer"]}] * 2 + [{}]
    assert len({draw for _, _, draw in script.asked}) == 3


def test_a_retry_may_be_for_unparsed_alone() -> None:
    only = {**RETRY, "for": ["unparsed"]}
    assert outcome(ASK, Script("4", "So <answer>4</answer>"), [only, REJECT]).end == "out"
    script = Script(" ", "So <answer>4</answer>")
    found = outcome(ASK, script, [only, REJECT])
    assert (found.end, found.reason, len(script.asked)) == ("rejected", "empty", 1)


def test_what_is_never_parsed_is_rejected_with_its_evidence() -> None:
    found = outcome(ASK, Script("4", "5", "6"), [RETRY, REJECT])
    assert (found.end, found.reason) == ("rejected", "unparsed")
    assert found.evidence == {"missing": ["answer"]}
    (row,) = found.rows
    assert "answer" not in row


def test_a_truncated_reply_is_truncated_whatever_it_holds() -> None:
    found = outcome(ASK, Script("So <answer>4</answer>", finish="length"))
    assert (found.end, found.reason) == ("rejected", "truncated")


@pytest.mark.parametrize(
    ("shape", "begun", "reply", "expected"),
    [
        ("{ answer: tag }", "<answer>", "4</answer>", {"answer": "4"}),
        ("{ code: fence python }", "```python", "\nx = 1\n```", {"code": "x = 1"}),
        ("{ plan: section }", "So.\n## Plan", "\nfirst", {"plan": "first"}),
        ("{ why: text, answer: tag }", "I see", " it: <answer>4</answer>",
         {"why": "I see it:", "answer": "4"}),
        ("{ title: text }", "Title:", "Four", {"title": "Four"}),
        ("{ title: text }", "Title:", "  Four\n", {"title": "Four"}),
        ("{ code: text }", "Code:", "\n\n    x = 1\n    y = 2\n", {"code": "    x = 1\n    y = 2"}),
        ("{ code: fence python }", "```python\ndef f():\n", "\n    return 1\n```",
         {"code": "def f():\n    return 1"}),
        ("{ code: fence python }", "```python\ndef f():", " return 1\n```",
         {"code": "def f(): return 1"}),
        ("{ code: fence }", "```", "python\nx = 1\n```", {"code": "x = 1"}),
        ("{ code: tag }", "<code>\nif x:", "\n    y()\nz()</code>",
         {"code": "if x:\n    y()\nz()"}),
        ("{ plan: section }", "So.\n## Plan\n\n1. Go", "ing up\n   - slowly",
         {"plan": "1. Going up\n   - slowly"}),
    ],
)  # fmt: skip
def test_what_the_prompt_begins_belongs_to_the_reply(
    shape: str, begun: str, reply: str, expected: dict[str, str]
) -> None:
    text = asking(shape) + f"{{% block assistant %}}{begun}{{% endblock %}}\n"
    (row,) = outcome(text, Script(reply)).rows
    assert {name: row[name] for name in expected} == expected


def test_a_reply_keeps_the_indent_of_its_first_line() -> None:
    (row,) = outcome(asking("{ code: text }"), Script("\n    if x:\n        y\n    z\n")).rows
    assert row["code"] == "    if x:\n        y\n    z"
    found = outcome(asking("{ code: text }"), Script(" \n\t "))
    assert (found.end, found.reason) == ("rejected", "empty")


def test_an_empty_rest_of_a_begun_reply_is_empty() -> None:
    text = asking("{ code: fence }") + "{% block assistant %}```\nx = 1{% endblock %}\n"
    found = outcome(text, Script("\n  \n"))
    assert (found.end, found.reason) == ("rejected", "empty")


def test_a_rewrite_keeps_the_indent_and_not_the_space_behind_what_was_begun() -> None:
    assert rewritten("", "\n    a\n    b\n") == "    a\n    b"
    assert rewritten("Rewritten:", "  a\n    b\n") == "a\n    b"
    assert rewritten("Rewritten:", "\n\n    a\n    b\n") == "    a\n    b"


def rewritten(begun: str, reply: str) -> str:
    """The text that a rewrite makes, given what its prompt begins and what the model replies."""
    script = Script(reply)

    async def judge(checks: object, row: object) -> tuple[()]:
        raise AssertionError("there are no checks")

    prompt = asking("{ text: text }").replace("reply: { text: text }\n", "")
    if begun:
        prompt += f"{{% block assistant %}}{begun}{{% endblock %}}\n"
    build = rewrite(
        model="m",  # type: ignore[arg-type]
        prompt=good(prompt),  # type: ignore[arg-type]
        sampling={"temperature": 1.0, "max_tokens": 9},  # type: ignore[arg-type]
        on_fail=[],  # type: ignore[arg-type]
    )
    row = {"text": "Two and two?", "_doc": "d", "_id": "i", "_origin": "human"}
    tools = Tools(script, judge, no_model(judge, "").tokens, "rule")
    (found,) = asyncio.run(build(tools).run(row))
    assert isinstance(found, Outcome)
    return str(found.rows[0]["text"])


def test_a_reply_that_replaces_the_text_is_the_models() -> None:
    text = asking("{ text: tag, note: 'tag? note' }", "Write <text>, <note>.")
    (row,) = outcome(text, Script("<text>new</text>")).rows
    assert (row["text"], row["input.text"], row["note"]) == ("new", "Two and two?", None)
    assert row["_origin"] == "synthetic"


# -- the schema on its way to the engine


def test_a_schema_is_sent_where_the_reply_is_nothing_else() -> None:
    script = Script('{"why": "so", "score": 4}')
    (row,) = outcome(JUDGE, script, files=JUDGE_FILES).rows
    assert (row["why"], row["score"], row["tags"]) == ("so", 4, None)
    ((_, sampling, _),) = script.asked
    assert json.loads(sampling["schema"]) == {**SCHEMA, "required": ["score", "why"]}
    beside = Script('So.\n{"why": "so", "score": 4}')
    outcome(JUDGE.replace("{ json", "{ how: text, json"), beside, files=JUDGE_FILES)
    ((_, sampling, _),) = beside.asked
    assert "schema" not in sampling


def test_no_schema_is_sent_where_the_prompt_begins_the_object() -> None:
    script = Script(' "so", "score": 4}')
    begun = JUDGE + '{% block assistant %}{ "why":{% endblock %}\n'
    (row,) = outcome(begun, script, files=JUDGE_FILES).rows
    assert (row["why"], row["score"]) == ("so", 4)
    ((messages, sampling, _),) = script.asked
    assert messages[-1] == Message("assistant", '{ "why":')
    assert "schema" not in sampling, "the rest of an object is none"


def test_a_server_is_told_the_schema_as_it_stands() -> None:
    schema = '{"type":"object","properties":{"b":{"type":"string"},"a":{"type":"string"}}}'
    asked = Request("m", (Message("user", "hi"),), Sampling(schema=schema))
    _, peer = talk(replying(answer()), asked=asked)
    (body,) = peer.bodies
    assert body["response_format"]["type"] == "json_schema"
    form = body["response_format"]["json_schema"]
    assert json.dumps(form["schema"], separators=(",", ":")) == schema
    assert form["name"]
    _, peer = talk(replying(answer()))
    assert "response_format" not in peer.bodies[0]


def test_a_schema_is_part_of_a_request_and_none_is_not() -> None:
    bare = Request("m", (Message("user", "hi"),), Sampling())
    held = Request("m", (Message("user", "hi"),), Sampling(schema="{}"))
    other = Request("m", (Message("user", "hi"),), Sampling(schema='{"type":"object"}'))
    assert len({key_of(r) for r in (bare, held, other)}) == 3


# -- a whole run

RECIPE = """\
mashbill: 1
name: shaped
models: { writer: fake/echo }
sources: { docs: { path: docs.jsonl, license: CC0-1.0, origin: human } }
steps:
  asked:
    op: generate
    from: docs
    model: writer
    prompt: prompts/p.md.j2
    checks: { high: { kind: expr, pass: score > 1 } }
    on_fail: [{ retry: { times: 1, for: [unparsed] } }, reject]
  best: { op: filter, from: asked, keep: "'a' in coalesce(tags, ['a'])" }
output: { columns: [why, score, tags, who] }
"""
REPLIES = [
    '{"why": "one", "score": 4}',
    '```json\n{"why": "two", "score": 3, "tags": ["a", "b"], "who": {"name": "Ann"}}\n```',
    '{"why": "low", "score": 1}',
    '{"why": "high", "score": 9}',
    "no",
    '{"why": "tags", "score": 2, "tags": []}',
]


def test_columns_of_json_have_their_types_through_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for path, text in {
        "recipe.yaml": RECIPE,
        "prompts/p.md.j2": JUDGE,
        "schemas/s.json": json.dumps(SCHEMA),
        "docs.jsonl": "".join(json.dumps({"text": r}) + "\n" for r in REPLIES),
        ".mashbill/here": "",
    }.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
    recipe = mb.load(tmp_path)
    assert not recipe.check().diagnostics, str(recipe.check())
    recipe.plan().run()
    rows = pl.read_parquet(next(tmp_path.glob("out/shaped/*.parquet")))
    assert rows.schema == {
        "why": pl.String(),
        "score": pl.Int64(),
        "tags": pl.List(pl.String()),
        "who": pl.Struct({"name": pl.String()}),
    }
    assert sorted(rows["why"]) == ["one", "two"]
    assert dict(zip(rows["why"], rows["who"], strict=True))["two"] == {"name": "Ann"}
    record = json.loads((tmp_path / "out/shaped/run.json").read_text())
    assert record["steps"]["asked"]["rejected"] == {"expr": 1, "unparsed": 2}
    assert record["steps"]["asked"]["attempts"] == len(REPLIES) + 2


def test_an_edit_of_the_schema_alone_runs_the_step_again(tmp_path: Path) -> None:
    for path, text in {
        "recipe.yaml": RECIPE, "prompts/p.md.j2": JUDGE, "docs.jsonl": '{"text": "a"}\n',
        "schemas/s.json": json.dumps(SCHEMA), ".mashbill/here": "",
    }.items():  # fmt: skip
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
    file = tmp_path / "schemas/s.json"

    def rules() -> dict[str, str]:
        return {n.name: n.rule for n in mb.load(tmp_path).plan().record.nodes}

    before = rules()
    file.write_text(json.dumps(SCHEMA, indent=3))
    assert rules() == before
    file.write_text(json.dumps(SCHEMA).replace('"maximum": 5', '"maximum": 4'))
    assert {n for n, rule in rules().items() if rule != before[n]} == {"asked"}
