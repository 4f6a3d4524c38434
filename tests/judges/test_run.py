"""Recipes with judges and rating models, run on the `fake` engine: what is kept, asked and paid."""

from __future__ import annotations

import re
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

import mashbill as mb
from mashbill.runtime.checkpool import CheckPool

from ..runtime.conftest import Spine, documents, make_spine

RUBRIC = """\
---
inputs: { text: str }
reply: { score: tag, why: tag }
---
{% block system %}How clear is this? Write <score>1 to 5</score> and <why>…</why>.{% endblock %}
{% block user %}{{ text }}{% endblock %}
"""
RECIPE = """\
mashbill: 1
name: spine
seed: 7
models:
  writer: { use: fake/rewrite, placement: { journal: JOURNAL } }
  judge: { use: fake/judge, placement: { journal: JOURNAL } }
  rm: { use: fake/words, task: reward, placement: { journal: JOURNAL } }
  near: { use: fake/words, task: embed, placement: { journal: JOURNAL } }
  infers: { use: fake/words, task: nli, placement: { journal: JOURNAL } }
sources:
  docs: { path: docs.jsonl, license: CC0-1.0, origin: human }
steps:
  book: { op: rewrite, from: docs, model: writer, prompt: prompts/book.md.j2 }
  judged:
    op: verify
    from: book
    checks: CHECKS
  scored: { op: score, from: judged, model: rm, set: { rm: = score, twice: = 2 * score } }
output: { columns: [text, score, rm, twice, _origin] }
"""
JUDGE = "{ judge: { model: judge, prompt: judge.md.j2, pass: int(score) >= 3, votes: 3 } }"


@pytest.fixture(autouse=True)
def in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Checks that ask nobody run in this process."""
    monkeypatch.setattr(CheckPool.__init__, "__defaults__", (0,))


def spine(folder: Path, checks: str = JUDGE, rows: int = 24) -> Spine:
    made = make_spine(folder, documents(rows, 2), recipe=RECIPE.replace("CHECKS", checks))
    (folder / "judge.md.j2").write_text(RUBRIC)
    return made


def test_a_judge_rejects_and_what_it_keeps_is_scored(tmp_path: Path) -> None:
    here = spine(tmp_path)
    record = here.good_run()
    judged, scored = record["steps"]["judged"], record["steps"]["scored"]
    assert judged["rejected"].keys() == {"judge"}
    assert 0 < judged["out"] < 24
    rows = here.rows()
    assert rows.height == judged["out"] == scored["out"]
    assert rows["score"].to_list() == rows["rm"].to_list()
    assert rows["twice"].to_list() == [2 * s for s in rows["score"]]
    assert len(set(rows["score"])) > rows.height // 2
    assert set(rows["_origin"]) == {"synthetic"}


def test_nothing_is_asked_twice_and_a_replay_asks_nobody(tmp_path: Path) -> None:
    here = spine(tmp_path)
    here.good_run()
    shards, sent = here.shards(), here.sent()
    assert len(sent) == len(set(sent))
    here.forget_output()
    here.good_run("--replay")
    assert here.shards() == shards
    here.forget_output()
    here.good_run()
    assert (here.shards(), here.sent()) == (shards, sent)


def test_further_votes_pay_for_the_further_draws_alone(tmp_path: Path) -> None:
    here = spine(tmp_path)
    here.good_run()
    before = here.sent()
    here.edit("votes: 3", "votes: 5")
    here.good_run("--replace")
    more = here.sent()[len(before) :]
    assert more
    assert not set(more) & set(before)


def test_votes_stop_once_they_are_decided(tmp_path: Path) -> None:
    here = spine(tmp_path, rows=40)
    here.good_run()
    draws = [line.split()[1] for line in here.sent()]
    judged = 40
    third = draws.count("2")
    assert 0 < third < judged


def test_checks_that_ask_nobody_come_first_whatever_they_are_called(tmp_path: Path) -> None:
    checks = "{ a: { kind: judge, model: judge, prompt: judge.md.j2, pass: int(score) >= 1 }, "
    here = spine(tmp_path, checks + "z: { kind: expr, pass: \"contains(text, 'Station 1 ')\" } }")
    record = here.good_run()
    assert record["steps"]["judged"]["out"] == 1
    assert len(here.sent()) == 24 + 1 + 1


def test_the_whole_fact_gate(tmp_path: Path) -> None:
    checks = (
        "{ facts: { embedder: near, similarity: [0.3, 1], nli: infers, support: 60%, "
        "judge: judge, key_points: 10% } }"
    )
    here = spine(tmp_path, checks)
    record = here.good_run()
    judged = record["steps"]["judged"]
    assert judged["out"] + sum(judged["rejected"].values()) == 24
    assert judged["errors"] == {}
    assert {"number_invented", "name_invented"} & judged["rejected"].keys()
    assert "unsupported" in judged["rejected"]


def test_a_reward_below_the_least_is_a_rejection(tmp_path: Path) -> None:
    here = spine(tmp_path, "{ reward: { model: rm, min: 0 } }")
    record = here.good_run()
    assert record["steps"]["judged"]["rejected"].keys() == {"reward"}
    assert min(here.rows()["score"]) >= 0
    # The step asks what the check has paid for.
    assert len(here.sent()) == 24 + 24


class Refuses(BaseHTTPRequestHandler):
    """A server that refuses every request for good."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        body = b'{"error": "no"}'
        self.send_response(400)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


def test_rows_of_a_judge_that_fails_are_errors_and_no_rejections(tmp_path: Path) -> None:
    here = spine(tmp_path, rows=6)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Refuses)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        here.edit(
            "judge: { use: fake/judge, placement: ", "judge: { use: http/x, url: URL, placement: "
        )
        here.edit("URL", f'"http://127.0.0.1:{server.server_port}"')
        file = here.folder / "recipe.yaml"
        file.write_text(re.sub(r"(url: \S+), placement: {[^}]*}", r"\1", file.read_text()))
        assert here.run().code == 1
    finally:
        server.shutdown()
        server.server_close()
    record = here.record()
    assert record["steps"]["judged"]["rejected"] == {}
    assert record["steps"]["judged"]["errors"] == {"status-400": 6}


def test_identity_follows_the_judges_words_and_model_and_not_its_name(tmp_path: Path) -> None:
    here = spine(tmp_path)

    def digest() -> str:
        return mb.load(str(here.folder)).plan().record.digest

    first = digest()
    here.edit("  judge: {", "  arbiter: {")
    here.edit("model: judge,", "model: arbiter,")
    assert digest() == first
    file = here.folder / "judge.md.j2"
    file.write_text(file.read_text().replace("How clear", "How true"))
    assert digest() != first
    file.write_text(RUBRIC)
    here.edit("votes: 3", "votes: 5")
    assert digest() != first
