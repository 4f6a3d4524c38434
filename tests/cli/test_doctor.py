"""`mashbill doctor`: what is missing, and what to type."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from mashbill.runtime.cli import command
from mashbill.runtime.cli.doctor_ import lines
from mashbill.runtime.doctor import Finding, machine
from tests.runtime.conftest import Spine, checks_in_this_process, spine

__all__ = ["checks_in_this_process", "spine"]

REMOTE = "{ use: http/some-model, url: '${JUDGE_URL}', key: '${JUDGE_KEY}' }"


def examined(spine: Spine, *arguments: str, code: int = 0) -> dict[str, dict[str, Any]]:
    said = spine.do("doctor", *arguments, "--format", "json")
    assert said.code == code, said.text
    return {f["what"]: f for f in json.loads(said.out)}


def remote(spine: Spine) -> None:
    """Let the model be one at an address."""
    recipe = (spine.folder / "recipe.yaml").read_text()
    old = next(line for line in recipe.splitlines() if "writer: {" in line)
    spine.edit(old, f"  writer: {REMOTE}")


def test_a_sound_machine_and_recipe(spine: Spine) -> None:
    found = examined(spine)
    assert {"python", "polars", "disk", "state", "cores", "memory", "open files", "sandbox"} <= set(
        found
    )
    assert found["recipe"]["level"] == found["source docs"]["level"] == "ok"
    assert found["model writer"]["said"].startswith("fake/rewrite")
    assert all(f["help"] for f in found.values() if f["level"] != "ok"), "it says what to type"
    assert spine.sent() == [], "nothing is asked unless --models says so"


def test_models_are_asked(spine: Spine) -> None:
    found = examined(spine, "--models")
    assert found["asked writer"]["level"] == "ok" and "tokens in" in found["asked writer"]["said"]
    assert len(spine.sent()) == 1


def test_variables_are_named_and_their_values_never_shown(
    spine: Spine, monkeypatch: pytest.MonkeyPatch
) -> None:
    remote(spine)
    monkeypatch.setenv("JUDGE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.delenv("JUDGE_KEY", raising=False)
    found = examined(spine, code=1)
    assert found["$JUDGE_URL"]["level"] == "ok"
    assert found["$JUDGE_KEY"]["level"] == "fail"
    assert "export JUDGE_KEY=" in found["$JUDGE_KEY"]["help"]
    monkeypatch.setenv("JUDGE_KEY", "very-secret")
    said = spine.do("doctor")
    assert "JUDGE_KEY" in said.out and "very-secret" not in said.text


def test_a_model_that_refuses(spine: Spine, monkeypatch: pytest.MonkeyPatch) -> None:
    remote(spine)
    monkeypatch.setenv("JUDGE_URL", "http://127.0.0.1:9/v1")  # nobody listens there
    monkeypatch.setenv("JUDGE_KEY", "very-secret")
    found = examined(spine, "--models", code=1)
    asked = found["asked writer"]
    assert asked["level"] == "fail" and "${JUDGE_URL}" in asked["help"], "what to type"
    assert "very-secret" not in json.dumps(found)


def test_a_source_that_is_not_there(spine: Spine) -> None:
    spine.edit("docs.jsonl", "nothing-*.jsonl")
    found = spine.do("doctor")
    assert found.code == 1 and "mashbill check" in " ".join(found.out.split())


def test_a_recipe_that_does_not_compile(spine: Spine) -> None:
    spine.edit("words(text) > 8", "wrds(text) > 8")
    found = examined(spine, code=1)
    assert found["recipe"]["level"] == "fail" and "mashbill check" in found["recipe"]["help"]


def test_outside_any_recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert command(["doctor"]) == 0
    assert command(["doctor", "no/such/folder"]) == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_state_that_cannot_be_written(spine: Spine) -> None:
    state = spine.folder / ".mashbill"
    state.chmod(0o500)
    try:
        assert examined(spine, code=1)["state"]["help"].startswith("chmod")
    finally:
        state.chmod(0o700)


def test_locks_that_do_not_work(spine: Spine, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_locks(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(machine.fcntl, "flock", no_locks)
    found = examined(spine, code=1)
    assert "locks do not work" in found["state"]["said"]


def test_little_of_everything_is_a_warning(spine: Spine, monkeypatch: pytest.MonkeyPatch) -> None:
    for limit in ("LITTLE_DISK", "LITTLE_MEMORY", "FEW_FILES"):
        monkeypatch.setattr(machine, limit, 1 << 60)
    found = examined(spine)
    for what in ("disk", "memory", "open files"):
        assert found[what]["level"] == "warn" and found[what]["help"]


def test_a_finding_is_wrapped_under_itself() -> None:
    long = Finding("fail", "model writer", "word " * 30, "mashbill models get x")
    shown = lines(long, 60)
    assert all(len(line) <= 60 for line in shown) and len(shown) > 2
    assert shown[0].startswith("fail  model writer") and shown[1].startswith(" " * 20)
    assert "→" in " ".join(shown)
