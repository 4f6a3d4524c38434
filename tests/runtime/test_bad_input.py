"""Bad recipes, bad data, bad models: one clear message with its place, a fitting exit code."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from mashbill.runtime.cli import command
from mashbill.runtime.preflight.asking import WORDS
from mashbill.runtime.window import health

from .conftest import MODELS, RECIPE, Spine, balance, documents, make_spine

GENERATE = (
    MODELS
    + """\
steps:
  made: { op: generate, from: docs, model: writer, prompt: prompts/book.md.j2 }
"""
)


FAKE = "{ use: fake/rewrite, placement: { latency: LATENCY, slots: SLOTS, journal: JOURNAL } }"


def one_error(spine: Spine, *words: str, verb: str = "run", code: int = 1) -> str:
    """Run, and expect one error that says so; the text of it."""
    said = spine.run() if verb == "run" else spine.do(verb)
    assert said.code == code, said.text
    assert said.text.count("error") == 1 or said.text.count("error[") == 1, said.text
    for word in words:
        assert word in said.text, said.text
    assert spine.leftovers() == []
    return said.text


# -- the command line


def test_no_recipe(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["run", str(tmp_path)]) == 1
    assert "no recipe.yaml in" in capsys.readouterr().err


@pytest.mark.parametrize("line", [["rum"], ["run", "--nonsense"], [], ["run", "--format", "xml"]])
def test_usage_is_64(line: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert command(line) == 64
    capsys.readouterr()


# -- the recipe


@pytest.mark.parametrize(
    ("old", "new", "place", "words"),
    [
        ("path: docs.jsonl", "path: nosuch.jsonl", "recipe.yaml:7", "matches no files"),
        ("keep: words", "kepe: words", "recipe.yaml:9", "kepe"),
        ("long: 50%, book: 50%", "long: 50%, book: 40%", "recipe.yaml:20", "sum to 90%"),
        ("from: docs, keep", "from: book, keep", "recipe.yaml:9", "cycle"),
        ("parts: { long", "parts: { lang", "recipe.yaml:20", "lang"),
    ],
)
def test_recipe_errors_have_a_place(
    spine: Spine, old: str, new: str, place: str, words: str
) -> None:
    spine.edit(old, new)
    for verb in ("check", "plan", "run"):
        said = spine.do(verb)
        assert said.code == 1
        assert place in said.out, said.text
        assert words in said.out
    assert not spine.sent()


def test_a_column_that_no_row_has(spine: Spine) -> None:
    prompt = spine.folder / "prompts/book.md.j2"
    prompt.write_text(prompt.read_text().replace("{{ text }}", "{{ txt }}"))
    text = one_error(spine, "book.md.j2:5", "txt")
    assert "text" in text


# -- data


def test_a_source_without_rows(spine: Spine) -> None:
    spine.feed([])
    one_error(spine, "recipe.yaml:7", "no rows")
    spine.feed([b"", b"  "])
    one_error(spine, "recipe.yaml:7")


BROKEN = {
    "not JSON": b'{"text": "broken',
    "not UTF-8": b'{"text": "a \xff b"}',
    "no column text": b'{"body": "elsewhere"}',
    "not an object": b"[1, 2]",
}


def test_broken_lines_are_kept_aside_and_the_rest_is_written(spine: Spine) -> None:
    good = [{"text": t} for t in documents(6)]
    spine.feed([*good[:3], *BROKEN.values(), *good[3:]])
    said = spine.run()
    assert said.code == 1, said.text
    assert "4 rows could not be read or made" in said.out
    kept = spine.errors()
    assert [(e["file"].rsplit("/")[-1], e["line"]) for e in kept] == [
        ("docs.jsonl", n) for n in range(4, 8)
    ]
    for error, reason in zip(kept, BROKEN, strict=True):
        assert error["message"].startswith(reason)
    record = spine.record()
    balance(record)
    assert record["status"] == "done"
    assert record["steps"]["docs"]["errors"] == {"unreadable": 4}
    assert record["steps"]["docs"]["out"] == 6
    assert spine.rows().height > 0
    assert spine.leftovers() == []


def test_no_line_is_a_row(spine: Spine) -> None:
    spine.feed([BROKEN["no column text"]] * 3)
    one_error(spine, "docs.jsonl:1", "no column text", "2 more")
    assert not spine.sent()


def test_a_document_of_five_megabytes(spine: Spine) -> None:
    """Without a sentence end it cannot be cut: it falls back whole, and the others go on."""
    spine.feed([{"text": "word " * 1_000_000}, {"text": documents(1)[0]}])
    spine.edit("parts: { long: 50%, book: 50% }", "parts: { book: 100% }")
    spine.edit("total: 4000 tokens", "total: 9M tokens")
    spine.edit("  min_human: 50%\n", "")
    record = spine.good_run()
    assert record["steps"]["book"]["units"] == {"accepted": 6, "fallback": 1}
    assert sorted(spine.rows()["_origin"]) == ["human", "synthetic"]
    assert (spine.folder / ".mashbill/runs/r-0001/record.json").stat().st_size < 100_000


@pytest.mark.slow
def test_a_document_of_many_sentences(spine: Spine) -> None:
    spine.feed([{"text": "A plain sentence of eight words stands here. " * 20_000}])
    spine.edit("parts: { long: 50%, book: 50% }", "parts: { book: 100% }")
    spine.edit("total: 4000 tokens", "total: 9M tokens")
    spine.edit("  min_human: 50%\n", "")
    record = spine.good_run()
    assert sum(record["steps"]["book"]["units"].values()) == 20_000
    assert record["models"]["writer"]["sent"] < 10, "equal requests in flight are sent once"


def test_an_expression_that_the_data_does_not_fit(spine: Spine) -> None:
    spine.feed({"text": t, "score": "high"} for t in documents(3))
    spine.edit("origin: human }", "origin: human, columns: { score: score } }")
    spine.edit("words(text) > 8", "score > 3")
    one_error(spine, "recipe.yaml:9", "`long`", verb="plan")
    one_error(spine, "recipe.yaml:9", "`long`")
    assert not spine.sent()


def test_a_column_of_two_types_from_two_sources(spine: Spine) -> None:
    """Whole numbers and floats meet as floats: no value is cut, and all shards have one schema."""
    texts = documents(8)
    spine.feed(({"text": t, "score": i + 0.5} for i, t in enumerate(texts[4:])), "a.jsonl")
    spine.feed(({"text": t, "score": i} for i, t in enumerate(texts[:4])), "b.jsonl")
    source = "license: CC0-1.0, origin: human, columns: { score: score } }"
    spine.write(
        GENERATE.replace(
            "  docs: { path: docs.jsonl, license: CC0-1.0, origin: human }",
            f"  a: {{ path: a.jsonl, {source}\n  b: {{ path: b.jsonl, {source}",
        ).replace("from: docs", "from: [a, b]")
        + "output: { columns: [text, score], shard: 1kB }\n"
    )
    spine.good_run()
    assert len(spine.shards()) > 1
    assert sorted(spine.rows()["score"]) == [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5]


def test_a_column_that_one_part_lacks(spine: Spine) -> None:
    """It is null there, with the type that it has elsewhere, in every shard."""
    texts = documents(12)
    spine.feed(({"text": t, "score": i} for i, t in enumerate(texts[:6])), "a.jsonl")
    spine.feed(({"text": t} for t in texts[6:]), "b.jsonl")
    spine.write(
        MODELS.replace(
            "  docs: { path: docs.jsonl, license: CC0-1.0, origin: human }",
            "  a: { path: a.jsonl, license: CC0-1.0, origin: human, columns: { score: score } }\n"
            "  b: { path: b.jsonl, license: CC0-1.0, origin: human }",
        )
        + "tokenizer: writer\n"
        "mix: { total: 900 tokens, parts: { a: 50%, b: 50% }, on_shortfall: shrink }\n"
        "output: { columns: [text, score], shard: 700B }\n"
    )
    spine.good_run()
    assert len(spine.shards()) > 4
    assert spine.rows()["score"].drop_nulls().sort().to_list() == [0, 1, 2, 3, 4, 5]


# -- models


@pytest.mark.parametrize(
    ("use", "words"),
    [
        ("local/nosuch.gguf", ["nosuch.gguf"]),
        ("local/smollm2-135m", ["mashbill models get smollm2-135m"]),
    ],
)
def test_no_model_file(
    spine: Spine, use: str, words: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MASHBILL_MODELS", str(tmp_path / "empty"))
    spine.write(RECIPE.replace(FAKE, use))
    one_error(spine, *words)
    said = spine.do("plan")
    assert said.code == 1
    assert words[0].replace(" ", "") in "".join(said.out.split())


def http_recipe(url: str, extra: str = "") -> str:
    return GENERATE.replace(FAKE, f"{{ use: http/some, url: {url}{extra} }}")


def test_an_unset_variable(spine: Spine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MASHBILL_TEST_URL", raising=False)
    spine.write(http_recipe("${MASHBILL_TEST_URL}"))
    one_error(spine, "MASHBILL_TEST_URL")


@contextmanager
def server(answer: int | Callable[[int], int]) -> Iterator[tuple[str, list[bytes]]]:
    """A chat server; `answer` is a status, or a function from the count of requests to one."""
    asked: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            said, status = self.rfile.read(int(self.headers["Content-Length"])), 200
            if WORDS.encode() not in said:  # the preflight is answered, and no row's
                asked.append(said)
                status = answer if isinstance(answer, int) else answer(len(asked))
            body = json.dumps(
                {
                    "choices": [{"message": {"content": "A reply."}, "finish_reason": "stop"}],
                    "usage": {"prompt_tokens": 3, "completion_tokens": 2},
                }
                if status == 200
                else {"error": {"message": "something broke"}}
            ).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """Clients that hang up are expected."""

    http = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=http.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{http.server_address[1]}", asked
    finally:
        http.shutdown()
        http.server_close()


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries without waiting."""
    monkeypatch.setattr(health, "FIRST_WAIT", 0.001)
    monkeypatch.setattr(health, "LONGEST_WAIT", 0.002)
    monkeypatch.setattr(health, "DOWN_SECONDS", 0.3)


@pytest.mark.usefixtures("at_once")
def test_a_server_that_refuses_connections(spine: Spine) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    spine.write(http_recipe(f"http://127.0.0.1:{port}"))
    one_error(spine, "error[M251]: writer", "no connection", "start the server at")
    assert not list(spine.folder.glob(".mashbill/runs/*")), "found before there is a run"


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("rows", [1, 40])
@pytest.mark.parametrize(("status", "words"), [(500, "500"), (401, "refused the key")])
def test_a_server_that_always_fails(spine: Spine, rows: int, status: int, words: str) -> None:
    """Whatever the size of the data set, the run stops; nobody waits for a night of refusals."""
    spine.feed({"text": t} for t in documents(rows))
    with server(status) as (url, asked):
        spine.write(http_recipe(url))
        if status == 401 and rows == 1:
            assert spine.run().code == 1
            assert "refused the key" in spine.errors()[0]["message"]
        else:
            one_error(spine, "writer is down", words)
        assert len(asked) < 110


@pytest.mark.usefixtures("at_once")
def test_a_server_that_breaks_down_midway(spine: Spine) -> None:
    """What it answered before is saved, and not asked again once it is back."""
    state = {"down": True}

    def answer(count: int) -> int:
        return 500 if state["down"] and count > 10 else 200

    with server(answer) as (url, asked):
        spine.write(http_recipe(url, ", placement: { concurrency: 4 }"))
        one_error(spine, "writer is down", "500")
        state["down"] = False
        before = len(asked)
        spine.good_run()
        assert len(asked) - before == 30
        assert spine.record()["models"]["writer"]["reused"] == 10


@pytest.mark.usefixtures("at_once")
def test_a_request_that_the_server_refuses_is_that_row_s_error(spine: Spine) -> None:
    with server(lambda count: 400 if count == 3 else 200) as (url, _):
        spine.write(http_recipe(url))
        said = spine.run()
    assert said.code == 1
    record = spine.record()
    balance(record)
    assert record["steps"]["made"]["errors"] == {"status-400": 1}
    assert record["steps"]["made"]["out"] == 39
    assert spine.errors()[0]["step"] == "made"


@pytest.mark.usefixtures("at_once")
def test_faults_of_the_engine_are_overcome(spine: Spine) -> None:
    quiet = make_spine(spine.folder.parent / "quiet", documents(40))
    quiet.good_run()
    spine.edit("slots:", "fault_rate: 0.3, slots:")
    record = spine.good_run()
    assert record["models"]["writer"]["retried"] > 20
    assert spine.shards() == quiet.shards()


# -- rows that a step cannot work on


def test_a_prompt_that_cannot_be_rendered_for_one_row(spine: Spine) -> None:
    spine.feed([{"text": t} for t in documents(3)] + [{"text": "x " * 3_000_000}])
    prompt = spine.folder / "prompts/book.md.j2"
    prompt.write_text(prompt.read_text().replace("{{ text }}", "{{ text }}{{ text }}{{ text }}"))
    spine.write(GENERATE)
    assert spine.do("plan").code == 0
    said = spine.run()
    assert said.code == 1, said.text
    record = spine.record()
    balance(record)
    assert record["steps"]["made"]["errors"] == {"prompt": 1}
    assert "longer than 16,000,000 characters" in spine.errors()[0]["message"]
    assert spine.rows().height == 3


CRASH = '''
import os
from mashbill.compiler.registry import Case, check
from mashbill.runtime.verdict import Check, Verdict

@check(version=1, cases=())
def crashing(how: str = "raise") -> Check:
    """A check that does not survive a row."""
    def judge(row):
        if "day 3" in row["text"] and "Station 1 " in row["text"]:
            if how == "raise":
                raise RuntimeError("no such thing")
            os._exit(3)
        return Verdict(True)
    return judge
'''


@pytest.mark.parametrize(
    ("how", "words"), [("raise", "no such thing"), ("die", "ended by status 3")]
)
def test_a_check_that_crashes(
    spine: Spine, how: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mashbill.runtime import catalog, checkpool, checks

    package = spine.folder / "extra"
    package.mkdir()
    (package / "crashing.py").write_text(CRASH)
    monkeypatch.setattr(checks, "__path__", [*checks.__path__, str(package)])
    monkeypatch.syspath_prepend(str(package))  # where the worker looks for it
    catalog.load_catalog.cache_clear()
    try:
        spine.feed({"text": t} for t in documents(5))
        spine.write(
            MODELS
            + "steps:\n  held: { op: verify, from: docs, checks: "
            + f"{{ crash: {{ kind: crashing, how: {how} }} }} }}\n"
        )
        monkeypatch.setattr(checkpool.CheckPool.__init__, "__defaults__", (None,))
        monkeypatch.setattr(
            checkpool.CheckPool.__init__,
            "__kwdefaults__",
            {"timeout": 60.0, "modules": ("crashing",)},
        )
        assert spine.do("plan").code == 0
        said = spine.run()
    finally:
        catalog.load_catalog.cache_clear()
    assert said.code == 1, said.text
    record = spine.record()
    balance(record)
    assert record["steps"]["held"]["errors"] == {"check": 1}
    assert words in spine.errors()[0]["message"]
    assert spine.rows().height == 4


# -- the output folder


def test_a_folder_with_other_files_is_left_alone(spine: Spine) -> None:
    out = spine.folder / "out/spine"
    out.mkdir(parents=True)
    (out / "thesis.docx").write_text("mine")
    one_error(spine, "thesis.docx", "output.path")
    assert (out / "thesis.docx").read_text() == "mine"
    assert not spine.sent(), "it was refused before anything was paid"


def test_a_file_put_beside_the_shards_is_never_deleted(spine: Spine) -> None:
    spine.good_run()
    note = spine.folder / "out/spine/notes.txt"
    note.write_text("mine")
    spine.edit("words(text) > 8", "words(text) > 9")
    said = spine.run("--replace")
    assert said.code == 1
    assert "notes.txt" in said.text
    assert note.read_text() == "mine"


def test_another_plan_s_data_set(spine: Spine) -> None:
    spine.good_run()
    old = spine.shards()
    spine.edit("total: 4000 tokens", "total: 2000 tokens")
    one_error(spine, "another plan", "--replace")
    assert spine.shards() == old
    sent = len(spine.sent())
    spine.good_run("--replace")
    assert spine.shards() != old
    assert len(spine.sent()) == sent, "only the mix changed"
