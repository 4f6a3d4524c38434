"""Parts of a mix whose rows are rendered: text, tokens, origin, identity, end to end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import mashbill as mb
from mashbill.compiler.plan import Plan
from mashbill.runtime.cli import command

from .conftest import Spine, documents, make_spine

ASK = """\
---
inputs: { text: str }
reply: { question: text }
---
{% block user %}Ask a question about the text between the tags.
<text>
{{ text }}
</text>{% endblock %}
"""
OUT = """\
{# what a pupil reads #}
{{ text }}

{% if question is not none %}
Question: {{ question }}
{% endif %}
"""
RECIPE = """\
mashbill: 1
name: spine
seed: 7
models:
  writer: { use: fake/rewrite, placement: { latency: LATENCY, slots: SLOTS, journal: JOURNAL } }
sources:
  docs: { path: docs.jsonl, license: CC0-1.0, origin: human, columns: { page: page } }
steps:
  plain: { op: filter, from: docs, keep: hash01(_doc) < 0.5 }
  rest: { op: filter, from: docs, keep: hash01(_doc) >= 0.5 }
  asked: { op: generate, from: rest, model: writer, prompt: prompts/ask.md.j2, when: page > 5 }
mix:
  total: 6000 tokens
  parts: { plain: 50%, asked: { weight: 50%, render: prompts/out.j2 } }
  min_human: 50%
  on_shortfall: shrink
output: { columns: [text, _id, _doc, _origin, _source, _part] }
"""


def project(folder: Path, template: str = OUT) -> Spine:
    spine = make_spine(folder, (), recipe=RECIPE)
    spine.feed({"text": t, "page": i} for i, t in enumerate(documents(30)))
    (folder / "prompts/ask.md.j2").write_text(ASK)
    (folder / "prompts/out.j2").write_text(template)
    return spine


@pytest.fixture
def rendered(tmp_path: Path) -> Spine:
    return project(tmp_path / "spine")


def test_rows_are_written_as_the_template_says(rendered: Spine) -> None:
    record = rendered.good_run()
    rows = rendered.rows()
    sources = {json.loads(line)["text"] for line in (rendered.folder / "docs.jsonl").open()}
    asked = rows.filter(pl.col("text").str.contains("\n\nQuestion: "))
    plain = rows.filter(~pl.col("text").str.contains("Question: "))
    assert asked.height and plain.height
    assert {t.split("\n\nQuestion: ")[0] for t in asked["text"]} <= sources
    assert set(plain["text"]) <= sources
    # What `when:` let pass holds no model's words, and is human as it was.
    assert set(asked["_origin"]) == {"synthetic"}
    assert set(plain["_origin"]) == {"human"}
    assert record["mix"]["tokens"] <= 6000


def test_tokens_are_those_of_the_text_that_is_written(tmp_path: Path) -> None:
    long = project(tmp_path / "long", OUT + "\n".join(["a line that every row has"] * 40))
    short = project(tmp_path / "short")
    for spine in (long, short):
        spine.good_run()
    rows = [
        spine.rows().filter(pl.col("text").str.contains("Question")).height
        for spine in (long, short)
    ]
    assert 0 < rows[0] < rows[1]


def test_the_plan_counts_what_will_be_written(rendered: Spine) -> None:
    record = rendered.good_run()
    estimates = mb.load(rendered.folder).plan().estimates
    assert estimates is not None
    # The small source is sampled whole, and the ledger holds every reply.
    supply = estimates.supply["asked"].value
    assert supply == pytest.approx(record["mix"]["parts"]["asked"]["supply"], rel=0.01)


def test_a_comment_changes_nothing_and_a_word_writes_anew(
    rendered: Spine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rendered.good_run()
    before, sent, plan = rendered.shards(), rendered.sent(), rendered.record()["plan"]
    template = rendered.folder / "prompts/out.j2"
    template.write_text(OUT.replace("pupil", "teacher"))
    rendered.good_run()
    assert rendered.shards() == before
    assert rendered.record()["plan"] == plan
    template.write_text(OUT.replace("Question:", "Ask:"))
    monkeypatch.chdir(rendered.folder)
    assert command(["diff", "r-0001"]) == 0
    told = capsys.readouterr().out
    assert told.splitlines()[1:] == [
        "recipe    mix.parts.asked.render: template",
        "prompts   prompts/out.j2  +1 -1",
        "steps     = docs, plain, rest, asked",
    ]
    assert rendered.run("--replace").code == 0
    assert rendered.sent() == sent, "a template is no part of what is asked"
    assert any("Ask: " in t for t in rendered.rows()["text"])


def test_ids_stay_and_rows_that_render_alike_enter_once(rendered: Spine) -> None:
    rendered.good_run()
    ids = set(rendered.rows()["_id"])
    (rendered.folder / "prompts/out.j2").write_text("{{ page }}")
    rendered.edit("asked: { weight: 50%, render", "asked: { weight: 50%, max_epochs: 1, render")
    assert rendered.run("--replace").code == 0
    rows = rendered.rows()
    assert set(rows.filter(pl.col("text").str.len_chars() < 4)["text"]) <= set(map(str, range(30)))
    assert ids & set(rows["_id"])


def test_the_run_keeps_its_template(rendered: Spine) -> None:
    rendered.good_run()
    assert (rendered.folder / "out/spine/recipe/prompts/out.j2").read_text() == OUT
    plan: dict[str, Any] = json.loads((rendered.folder / "out/spine/plan.json").read_text())
    assert plan["renders"]["asked"]["modelled"] == ["question"]
    assert Plan.load(json.dumps(plan)).to_json() == plan


def test_what_shows_the_recipe_shows_the_template(rendered: Spine) -> None:
    rendered.good_run()
    listed = json.loads(rendered.do("ls", "--format", "json").out)
    assert {"path": "prompts/out.j2", "steps": ["mix.asked"]} in listed["prompts"]
    assert "50% rendered" in rendered.do("graph").out
    assert "prompts/out.j2" in rendered.do("plan").out
    rows = rendered.rows().filter(pl.col("_origin") == "synthetic")
    told = rendered.do("show", rows["_id"][0]).out
    assert "rendered   prompts/out.j2" in told, told
    assert "Station" in told.split("rendered   prompts/out.j2")[1]


def test_a_lock_holds_the_template(rendered: Spine) -> None:
    assert rendered.do("lock").code == 0
    assert rendered.do("lock", "--check").code == 0
    assert "prompts/out.j2" in (rendered.folder / "recipe.lock").read_text()
    (rendered.folder / "prompts/out.j2").write_text(OUT.replace("Question", "Ask"))
    assert rendered.do("lock", "--check").code != 0
