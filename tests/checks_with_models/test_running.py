"""Checks that ask models, in runs: what they ask, what it costs, what they leave behind."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path

import pytest

from mashbill.runtime.cli import command
from tests.runtime.conftest import Spine, documents, make_spine

HEAD = """\
mashbill: 1
name: spine
seed: 7
models:
  writer: { use: fake/echo, placement: { journal: JOURNAL } }
  judge: { use: fake/echo, placement: { journal: JOURNAL.judge } }
sources:
  docs: { path: docs.jsonl, license: CC0-1.0, origin: human }
steps:
"""
VERIFIED = (
    HEAD
    + """\
  good:
    op: verify
    from: docs
    checks:
      jury: { model: judge, prompt: prompts/jury.md.j2 }
      short: { kind: expr, pass: chars(text) < 200 }
"""
)
JURY = """\
---
inputs: { text: str }
---
{% block user %}{% if 'Station 3' in text %}bad{% else %}good{% endif %}: {{ text }}{% endblock %}
"""


def project(folder: Path, recipe: str, rows: int = 20) -> Spine:
    spine = make_spine(folder, documents(rows, 2), recipe=recipe)
    (folder / "prompts/jury.md.j2").write_text(JURY)
    return spine


def asked(spine: Spine) -> list[str]:
    journal = spine.folder / "journal.judge"
    return journal.read_text().splitlines() if journal.exists() else []


def test_a_check_asks_its_model_and_rejects(tmp_path: Path) -> None:
    spine = project(tmp_path, VERIFIED)
    record = spine.good_run()
    assert record["steps"]["good"]["rejected"] == {"model_against": 1}
    assert record["steps"]["good"]["out"] == 19
    assert len(asked(spine)) == 20
    assert record["models"]["judge"]["sent"] == 20
    spine.forget_output()
    spine.good_run("--replay")
    assert len(asked(spine)) == 20


def test_what_a_free_check_refuses_costs_nothing(tmp_path: Path) -> None:
    recipe = VERIFIED.replace("chars(text) < 200", "\"contains(text, 'Station 1')\"")
    spine = project(tmp_path, recipe)
    record = spine.good_run()
    assert record["steps"]["good"]["rejected"] == {"expr": 9}
    assert len(asked(spine)) == 11
    checks = record["checks"]["good"]
    assert (checks["short"]["judged"], checks["jury"]["judged"]) == (20, 11)


def test_a_check_of_replies(tmp_path: Path) -> None:
    recipe = (
        HEAD
        + """\
  made:
    op: generate
    from: docs
    model: writer
    prompt: prompts/book.md.j2
    checks: { jury: { model: judge, prompt: prompts/jury.md.j2, votes: 2 } }
    on_fail: [ { retry: 1 }, reject ]
"""
    )
    spine = project(tmp_path, recipe)
    record = spine.good_run()
    made = record["steps"]["made"]
    assert (made["out"], made["attempts"]) == (19, 21)
    keys = [line.split()[0] for line in asked(spine)]
    assert len(keys) == len(set(keys)), "the second refusal of one text is the first again"
    rows = spine.rows()
    said = spine.do("show", str(rows["_id"][0]))
    assert "asking judge" in said.out
    lines = [line for line in said.out.splitlines() if "its checks asked" in line]
    assert len(lines) == 1 and lines[0].count(",") == 1
    preview = json.loads(spine.do("preview", "-n", "1", "--format", "json").out)
    (step,) = preview["rows"][0]["steps"]
    (attempt,) = step["outcomes"][0]["units"][0]["attempts"]
    assert [c["check"] for c in attempt["checks"]] == ["jury"]
    spine.forget_output()
    sent = len(asked(spine))
    spine.good_run("--replay")
    assert len(asked(spine)) == sent


@pytest.mark.parametrize(
    ("fault", "words"), [("raises", "no such word"), ("forgets", "returned a bool")]
)
def test_a_check_that_does_wrong_is_an_error(tmp_path: Path, fault: str, words: str) -> None:
    checks = f"{{ careless: {{ model: judge, fault: {fault} }} }}"
    steps = f"  good: {{ op: verify, from: docs, checks: {checks} }}\n"
    spine = project(tmp_path, HEAD + steps, 3)
    spine.run()
    good = spine.last()["steps"]["good"]
    assert (good["errors"], good["rejected"]) == ({"check": 3}, {})
    assert words in spine.errors()[0]["message"]


def test_a_model_that_fails_is_an_error_whatever_the_check_makes_of_it(tmp_path: Path) -> None:
    with refusing() as url:
        steps = "  good: { op: verify, from: docs, checks: { careless: { model: judge } } }\n"
        head = HEAD.replace(
            "judge: { use: fake/echo, placement: { journal: JOURNAL.judge } }",
            f"judge: {{ use: http/any, url: {url}/v1 }}",
        )
        spine = project(tmp_path, head + steps, 3)
        spine.run()
    good = spine.last()["steps"]["good"]
    assert sum(good["errors"].values()) == 3
    assert "check" not in good["errors"] and good["rejected"] == {}


def test_one_check_with_and_without_a_model(tmp_path: Path) -> None:
    spine = project(tmp_path, HEAD + "  good: { op: verify, from: docs, checks: CHECKS }\n", 3)
    spine.feed([{"text": "It is done."}, {"text": "It is not"}])
    spine.edit("CHECKS", "{ either: {} }")
    assert spine.good_run()["steps"]["good"]["rejected"] == {"open": 1}
    assert not asked(spine)
    spine.edit("either: {}", "either: { model: judge }")
    assert spine.good_run("--replace")["steps"]["good"]["out"] == 2
    assert len(asked(spine)) == 2


def test_what_a_check_paid_for_is_kept_and_exported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spine = project(tmp_path, VERIFIED)
    spine.good_run()
    monkeypatch.chdir(tmp_path)
    stats = json.loads(ledger("export", "all.mbl", str(tmp_path), "--format", "json"))
    assert stats["completions"] == 20
    shutil.rmtree(tmp_path / ".mashbill/runs")  # now the recipe alone needs them
    assert ledger("gc", "--yes").startswith("nothing to remove")
    spine.forget_output()
    spine.good_run("--replay")
    assert len(asked(spine)) == 20


def test_caps_hold_for_checks(tmp_path: Path) -> None:
    budget = "budget: { steps: { good: { requests: 7 } } }\n"
    spine = project(tmp_path, VERIFIED + budget)
    assert spine.run("--over-budget").code == 5
    assert len(asked(spine)) == 7
    assert spine.last()["steps"]["good"]["pending"] == 13
    spine.edit("requests: 7", "requests: 20")
    spine.good_run()
    assert len(set(asked(spine))) == len(asked(spine)) == 20


def test_an_audit_measures_and_drops_nothing(tmp_path: Path) -> None:
    recipe = VERIFIED.replace("    checks:", "    mode: audit\n    checks:")
    spine = project(tmp_path, recipe.replace("< 200", "< 50"), 60)
    before = [json.loads(line)["text"] for line in (tmp_path / "docs.jsonl").open()]
    said = spine.do("run", "--quiet")
    record = spine.record()
    assert sorted(spine.rows()["text"]) == sorted(before)
    assert record["audits"] == ["good"]
    jury, short = record["checks"]["good"]["jury"], record["checks"]["good"]["short"]
    assert (jury["judged"], short["judged"]) == (60, 60), "each check judges by itself"
    assert jury["passed"] == 60 - sum("Station 3" in text for text in before)
    assert jury["failed"] == {"model_against": 60 - jury["passed"]}
    low, high = jury["interval"]
    assert low < jury["passed"] / 60 < high
    assert "good would pass" in said.out and "model_against" in said.out
    assert "warning[V402]: check `short` of `good` passed 0 of 60 rows: expr 60" in said.text
    assert "jury" in spine.do("show", "good").out


def test_an_audit_of_a_sample_asks_about_the_sample_alone(tmp_path: Path) -> None:
    recipe = VERIFIED.replace("    checks:", "    mode: audit\n    sample: 25%\n    checks:")
    spine = project(tmp_path, recipe, 200)
    record = spine.good_run()
    assert record["steps"]["good"]["out"] == 200
    judged = record["checks"]["good"]["jury"]["judged"]
    assert 25 < judged < 80
    assert len(asked(spine)) == judged
    calls = record["estimates"]["steps"]["good"]["spending"]["calls"]
    assert calls["value"] == pytest.approx(judged)


@pytest.mark.parametrize("op", ["generate", "verify"])
def test_the_plans_worst_case_is_the_most_that_is_asked(tmp_path: Path, op: str) -> None:
    asks = {
        "generate": "    model: writer\n    prompt: prompts/book.md.j2\n",
        "verify": "",
    }[op]
    recipe = (
        HEAD
        + f"""\
  good:
    op: {op}
    from: docs
{asks}    checks:
      bench: {{ model: judge }}
      short: {{ kind: expr, pass: chars(text) < 2000 }}
    on_fail: [ {{ repair: {{ times: 2, prompt: prompts/fix.md.j2, model: writer }} }}, reject ]
"""
    )
    spine = project(tmp_path, recipe, 5)
    fix = "---\ninputs: { text: str }\n---\n{% block user %}{{ text }} again{% endblock %}\n"
    (tmp_path / "prompts/fix.md.j2").write_text(fix)
    record = spine.good_run()
    assert record["steps"]["good"]["rejected"] == {"overruled": 5}
    worst = record["estimates"]["steps"]["good"]["by_model"]
    sent = {name: stats["sent"] for name, stats in record["models"].items()}
    assert {name: w["worst_calls"]["value"] for name, w in worst.items()} == sent
    assert sent == {"judge": 5 * 3 * 3, "writer": 5 * (3 if op == "generate" else 2)}
    expected = worst["judge"]["calls"]["value"]
    assert 0 < expected < sent["judge"]
    again = json.loads(spine.do("plan", "--format", "json").out)
    step = next(s["estimate"] for s in again["steps"] if s["name"] == "good")
    assert step["spending"]["calls"]["value"] == 0 and step["reused"] == 1


def test_the_lock_pins_prompts_of_checks_and_repairs(tmp_path: Path) -> None:
    ladder = "    on_fail: { repair: { prompt: prompts/fix.md.j2, model: writer } }\n"
    spine = project(tmp_path, VERIFIED + ladder)
    (tmp_path / "prompts/fix.md.j2").write_text(JURY)
    assert spine.do("lock").code == 0
    lock = (tmp_path / "recipe.lock").read_text()
    assert "prompt.jury.prompt" in lock and "prompt.on_fail.0" in lock
    assert "prompts/jury.md.j2" in lock and "prompts/fix.md.j2" in lock
    assert spine.do("check").code == 0
    (tmp_path / "prompts/fix.md.j2").write_text(JURY.replace("good", "fine"))
    assert "L601" in spine.do("check").text


# -- helpers


def ledger(*arguments: str) -> str:
    """`mashbill ledger …`, in the current folder."""
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        command(["ledger", *arguments])
    return out.getvalue()


@contextmanager
def refusing() -> Iterator[str]:
    """A server that refuses every request."""

    class Refuse(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            body = b'{"error": {"message": "no"}}'
            self.send_response(400)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Refuse)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
