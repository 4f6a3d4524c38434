"""Models are really asked before a run, all at once, and what is wrong says what to type."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mashbill.compiler.estimating.propagate import estimate
from mashbill.compiler.plan import Plan
from mashbill.runtime.engine_room import room_of
from mashbill.runtime.interrupts import run_async
from mashbill.runtime.preflight import Answer, ask_each, models
from mashbill.runtime.preflight import probe as probing
from mashbill.runtime.preflight.asking import models_asked, tiny_request
from mashbill.runtime.preflight.models import look_at_each
from mashbill.runtime.requests import Sampling

from .facts import COT, RECIPE, compiled, facts
from .folders import DEAD, planned, project
from .server import Server, serving

KEYED = "http/large, url: '${THEIR_URL}', key: '${THEIR_KEY}', price: { input: 1, output: 10 }"
SOLVER = "http/large, url: http://localhost:8000/v1, price: { input: 1, output: 10 }"


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probing, "WAITS", (0.01, 0.01))


def looked(
    folder: Path, recipe: str = RECIPE, names: tuple[str, ...] = ("solver",), **urls: str
) -> list[Answer]:
    where = project(folder, recipe, **urls)
    plan = planned(where).record
    return run_async(look_at_each(plan, room_of(plan, where), names))


def one(folder: Path, server: Server, recipe: str = RECIPE) -> Answer:
    with serving(server):
        (found,) = looked(folder, recipe, solver=server.url)
    return found


def test_all_models_are_asked_at_the_same_time(tmp_path: Path) -> None:
    both = threading.Barrier(2)
    one, other = Server(together=both), Server([{"id": "small"}], together=both)
    with serving(one), serving(other):
        found = looked(tmp_path, names=("small", "solver"), solver=one.url, small=other.url)
    assert [(a.model, a.level, a.answered) for a in found] == [
        ("small", "ok", True),
        ("solver", "ok", True),
    ]
    assert [c.completion_tokens for a in found for c in a.completions] == [3, 3]


def test_a_few_tokens_are_asked_for_in_the_way_of_the_step(tmp_path: Path) -> None:
    server = Server()
    drawn = "price: { input: 1, output: 10 }, sampling: { temperature: 0.9, top_p: 0.8 }"
    recipe = RECIPE.replace("price: { input: 1, output: 10 }", drawn)
    assert one(tmp_path, server, recipe).level == "ok"
    (body,) = server.asked
    assert (body["temperature"], body["top_p"], body["max_tokens"]) == (0.9, 0.8, 8)


def test_a_rejected_key_is_named_and_never_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(Server(key="right")) as server:
        monkeypatch.setenv("THEIR_URL", server.url)
        monkeypatch.setenv("THEIR_KEY", "very-secret")
        (found,) = looked(tmp_path, RECIPE.replace(SOLVER, KEYED))
        assert found.level == "fail" and "the server refused the key" in found.said
        assert found.help == "THEIR_KEY is set but rejected: export THEIR_KEY=…"
        assert "very-secret" not in found.said
        monkeypatch.setenv("THEIR_KEY", "right")
        assert looked(tmp_path, RECIPE.replace(SOLVER, KEYED))[0].level == "ok"
        monkeypatch.delenv("THEIR_KEY")
        (found,) = look_without(tmp_path, RECIPE.replace(SOLVER, KEYED))
        assert found.level == "fail" and found.help == "export THEIR_KEY=…"


def look_without(folder: Path, recipe: str) -> list[Answer]:
    """Look where the plan cannot be pinned."""
    where = project(folder, recipe)
    _, plan = compiled("$150", recipe=recipe)
    return run_async(look_at_each(plan, room_of(plan, where), ("solver",)))


def test_a_server_that_wants_a_key_and_gets_none(tmp_path: Path) -> None:
    found = one(tmp_path, Server(key="right"))
    assert found.level == "fail" and "write `key: ${NAME}` in `models.solver`" in found.help


def test_a_gated_model(tmp_path: Path) -> None:
    gated = Server(statuses=[403], said="Access to model org/x is restricted: it is gated.")
    found = one(tmp_path, gated)
    assert found.level == "fail" and "ask for access on its page" in found.help


def test_a_model_that_the_server_does_not_have(tmp_path: Path) -> None:
    found = one(tmp_path, Server([{"id": "other"}, {"id": "larger"}]))
    assert found.level == "fail"
    assert found.help == "it has other, larger; --set models.solver.use=http/larger"


def test_nobody_listens(tmp_path: Path) -> None:
    (found,) = looked(tmp_path, solver=DEAD)
    assert found.level == "fail" and found.said.startswith("127.0.0.1:9: no connection")
    assert found.help == f"start the server at {DEAD}, or mend `models.solver.url`"


def test_a_server_that_starts_is_asked_again(tmp_path: Path) -> None:
    server = Server(statuses=[503, 503])
    assert one(tmp_path, server).level == "ok" and len(server.asked) == 3
    found = one(tmp_path / "down", Server(statuses=[500] * 9))
    assert found.level == "fail" and "the server answered 500" in found.said


def test_a_busy_server_is_there(tmp_path: Path) -> None:
    found = one(tmp_path, Server(statuses=[429] * 9))
    assert found.level == "warn" and found.said.startswith("busy:")


@pytest.mark.parametrize(
    ("words", "level"),
    [
        ("max_tokens must be at least 16", "warn"),
        ("The model `large` is not available here", "fail"),
        ("invalid model ID", "fail"),
    ],
)
def test_a_request_that_is_refused_may_be_too_short_for_the_server(
    tmp_path: Path, words: str, level: str
) -> None:
    found = one(tmp_path, Server([{"id": "large"}, {"id": "larger"}], [400] * 9, said=words))
    assert found.level == level and words in found.said


def test_an_account_without_money_is_told(tmp_path: Path) -> None:
    found = one(tmp_path, Server(statuses=[402]))
    assert found.level == "fail" and "fill it" in found.help


@pytest.mark.parametrize(("finish", "level"), [("stop", "warn"), ("length", "ok")])
def test_an_empty_reply(tmp_path: Path, finish: str, level: str) -> None:
    """One that was cut off may have been thinking."""
    assert one(tmp_path, Server(reply="", finish=finish)).level == level


def test_silence_comes_to_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probing, "SECONDS", 0.2)
    never = threading.Barrier(2)
    server = Server(together=never)
    with serving(server):
        (found,) = looked(tmp_path, solver=server.url)
        never.abort()
    assert found.level == "fail" and "no reply in" in found.said


def test_of_several_servers_one_may_be_down(tmp_path: Path) -> None:
    with serving(Server()) as server:
        two = RECIPE.replace("url: http://localhost:8000/v1", f"url: ['{server.url}', '{DEAD}']")
        (found,) = looked(tmp_path, two)
        assert found.level == "warn" and found.answered
        assert found.said.startswith("1 of 2 servers do not answer: 127.0.0.1:9")
    (found,) = looked(tmp_path, two)
    assert found.level == "fail"


@pytest.mark.parametrize(
    ("entry", "props", "context"),
    [
        ({"max_model_len": 8192}, None, 8192),
        ({"context_length": 4096}, None, 4096),
        ({"owned_by": "llamacpp"}, {"default_generation_settings": {"n_ctx": 2048}}, 2048),
        ({"meta": {"n_ctx_train": 32768}}, {"n_ctx": 1024}, 1024),
        ({"meta": {}}, None, None),
        ({"max_model_len": "many"}, None, None),
    ],
)
def test_what_a_server_says_of_its_context(
    tmp_path: Path, entry: dict[str, Any], props: dict[str, Any] | None, context: int | None
) -> None:
    found = one(tmp_path, Server([{"id": "large", **entry}], props=props))
    assert found.level == "ok" and found.context == context


# -- models of this machine


def test_a_local_model_is_not_loaded_but_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    local = RECIPE.replace(SOLVER, "local/./missing.gguf")
    (found,) = look_without(tmp_path, local)
    assert found.level == "fail" and "missing.gguf" in found.said
    monkeypatch.setattr(models.importlib.util, "find_spec", lambda _: None)
    monkeypatch.setattr("mashbill.runtime.engine_room.EngineRoom.info", lambda *_: Info())
    (found,) = look_without(tmp_path, local)
    assert found.level == "fail" and found.help == 'pip install "mashbill[local]"'
    monkeypatch.setattr(models.importlib.util, "find_spec", lambda _: object())
    (found,) = look_without(tmp_path, local)
    assert found.level == "ok" and not found.answered and found.context == 512


class Info:
    """What a file says of its model."""

    digest, context, exact_tokens, template = "d", 512, True, True


def test_a_broken_header_is_found(tmp_path: Path) -> None:
    local = RECIPE.replace(SOLVER, "local/./broken.gguf")
    project(tmp_path, local)
    (tmp_path / "broken.gguf").write_bytes(b"GGUF" + b"\0" * 64)
    (found,) = look_without(tmp_path, local)
    assert found.level == "fail" and "broken.gguf" in found.said


def test_a_machine_without_a_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\nexit 9\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setattr(models.importlib.util, "find_spec", lambda _: object())
    monkeypatch.setattr("mashbill.runtime.engine_room.EngineRoom.info", lambda *_: Info())
    vllm = RECIPE.replace(SOLVER, "vllm/org/large").replace("usd: BUDGET", "gpu_hours: 4")
    (found,) = look_without(tmp_path, vllm)
    assert found.level == "fail" and "no GPU" in found.said
    program.write_text("#!/bin/sh\necho 'GPU 0: H200'\n")
    assert look_without(tmp_path, vllm)[0].level == "ok"


# -- who is asked


def plan_of(recipe: str = RECIPE) -> Plan:
    return compiled("$150", recipe=recipe)[1]


def test_who_has_nothing_left_to_say_is_not_asked() -> None:
    plan, seen = plan_of(), facts()
    assert models_asked(plan, estimate(plan, seen)) == ("solver",)
    assert models_asked(plan, None) == ("solver",)
    held = {n: replace(s, held=1e9) for n, s in seen.nodes.items()}
    assert models_asked(plan, estimate(plan, replace(seen, nodes=held))) == ()
    unknown = replace(seen, nodes={})
    assert models_asked(plan, estimate(plan, unknown)) == ("solver",), "nobody knows"


def test_requests_to_models_that_score() -> None:
    plan = plan_of()
    for task, roles in (("embed", ["user"]), ("score", ["user", "assistant"])):
        models_ = {**plan.models, "solver": {**plan.models["solver"], "options": {"task": task}}}
        asked = tiny_request(replace(plan, models=models_), "solver", "d")
        assert [m.role for m in asked.messages] == roles and asked.sampling.max_tokens == 1


def test_a_model_of_a_rung_is_asked_in_the_way_of_the_rung(tmp_path: Path) -> None:
    repaired = RECIPE.replace(
        "{ retry: 2 }",
        "{ repair: { times: 1, prompt: prompts/fix.md.j2, model: small, "
        "sampling: { temperature: 0.25, max_tokens: 4 } } }",
    )
    from .facts import FILES

    FILES["prompts/fix.md.j2"] = (
        "---\ninputs: { text: str }\n---\n{% block user %}Mend: {{ text }}{% endblock %}\n"
    )
    try:
        plan = plan_of(repaired)
    finally:
        del FILES["prompts/fix.md.j2"]
    found = tiny_request(plan, "small", "d").sampling
    assert found == Sampling(temperature=0.25, top_p=found.top_p, max_tokens=4)


def test_the_doctor_asks_in_the_same_way(tmp_path: Path) -> None:
    with serving(Server([{"id": "large", "max_model_len": 8192}])) as server:
        where = project(tmp_path, solver=server.url)
        plan = planned(where).record
        (found,) = run_async(ask_each(plan, room_of(plan, where), ("solver",)))
    assert found.level == "ok" and "3 tokens in" in found.said and "context 8,192" in found.said


BEGINS = RECIPE.replace("prompts/cot.md.j2", "prompts/begun.md.j2")
BEGUN = COT + "{% block assistant %}Well,{% endblock %}\n"


@pytest.mark.parametrize(
    ("server", "level"),
    [
        (Server(reply="The word is yes."), "ok"),
        (Server(reply="Yes."), "fail"),
        (Server(statuses=[400], said="This model does not support assistant prefill."), "fail"),
    ],
    ids=["goes on", "answers anew", "refuses"],
)
def test_a_server_that_goes_on_from_no_beginning_is_found_before_a_run(
    tmp_path: Path, server: Server, level: str
) -> None:
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts/begun.md.j2").write_text(BEGUN)
    answer = one(tmp_path, server, BEGINS)
    assert server.asked[0]["messages"][-1] == {"role": "assistant", "content": "The word is"}
    assert answer.level == level
    assert (level == "ok") != ("placement: { prefill: … }" in answer.help)
