"""`mashbill completion`: what may come next, asked as the shells ask."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mashbill.runtime.cli import command
from mashbill.runtime.cli.command import VERBS

RECIPE = """\
mashbill: 1
name: small
profiles:
  smoke: { steps.long.limit: 2 }
  full: { seed: 2 }
models: { writer: fake/echo }
sources:
  docs: { path: docs.jsonl, license: CC0-1.0, origin: human }
steps:
  long: { op: filter, from: docs, keep: words(text) > 3 }
  book: { op: rewrite, from: long, model: writer, prompt: book.md.j2 }
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "recipe.yaml").write_text(RECIPE.replace("book:", "tome:"))
    return tmp_path


@pytest.fixture(autouse=True)
def checked(folder: Path) -> None:
    (folder / "checked").mkdir()
    held = "  held: { op: verify, from: long, checks: { brief: { kind: length } } }\n"
    (folder / "checked/recipe.yaml").write_text(RECIPE + held)


def offered(capsys: pytest.CaptureFixture[str], *words: str) -> list[str]:
    assert command(["__complete", *words]) == 0
    seen = capsys.readouterr()
    assert seen.err == ""
    return [line.split("\t")[0] for line in seen.out.splitlines()]


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["sch"], ["schema"]),
        (["--ver"], ["--version"]),
        (["check", "--expl"], ["--explain"]),
        (["check", "--explain", "S00"], ["S001", "S002", "S003"]),
        (["plan", "--profile", ""], ["smoke", "full"]),
        (["plan", "--profile", "s"], ["smoke"]),
        (["plan", "--profile", "=", "f"], ["full"]),
        (["plan", "--profile", "="], ["smoke", "full"]),
        (["run", "--set", "steps.long.k"], ["steps.long.keep="]),
        (["run", "--format", ""], ["text", "json"]),
        (["show", ""], ["long", "book", "docs"]),
        (["calibrate", "--data", "rows.jsonl", "leng"], ["length"]),
        (["calibrate", "checked", "held."], ["held.brief"]),
        (["show", "-n", "3", "b"], ["book"]),
        (["show", "sub", "t"], ["tome"]),
        (["show", "sub/recipe.yaml", "t"], ["tome"]),
        (["-C", "sub", "show", "t"], ["tome"]),
        (["-C", "sub", "plan", "--profile", "sm"], ["smoke"]),
        (["ls", "+l"], ["+long"]),
        (["ls", "2+b"], ["2+book"]),
        (["ops", "fil"], ["filter"]),
        (["ops", "len"], ["length"]),
        (["init", "gen"], ["generate"]),
        (["completion", ""], ["bash", "zsh", "fish"]),
        (["models", "get", ""], ["smollm2-135m"]),
        (["models", ""], ["get"]),
        (["run", ""], []),  # a file name
        (["fmt", ""], []),
        (["schema", "-o", ""], []),
        (["nothing", ""], []),
        (["check", "--no-such", ""], []),
    ],
)
def test_what_is_offered(
    folder: Path, capsys: pytest.CaptureFixture[str], words: list[str], wanted: list[str]
) -> None:
    assert offered(capsys, *words)[: max(len(wanted), 1)] == wanted


def test_every_verb_and_its_options(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert offered(capsys, "") == list(VERBS)
    assert offered(capsys) == list(VERBS)
    for verb in VERBS:
        assert "--help" in offered(capsys, verb, "--")
        offered(capsys, verb, "")


@pytest.mark.parametrize("text", ["", "a: [", "- x\n", "steps: 3\n", "steps: { a: 1, b: }\n"])
def test_a_broken_recipe_is_no_fault(
    folder: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    (folder / "recipe.yaml").write_text(text)
    for words in (["show", ""], ["plan", "--profile", ""], ["run", "--set", ""]):
        assert set(offered(capsys, *words)) <= {"a", "b", "steps=", "steps.a=", "steps.b="}
    (folder / "recipe.yaml").unlink()
    assert offered(capsys, "show", "") == []


def test_nothing_heavy_is_loaded_to_complete(folder: Path) -> None:
    code = (
        "from mashbill.runtime.cli import command; command(['__complete', 'show', 'l']);"
        "import sys; print(' '.join(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("long\t")
    assert not {"polars", "networkx", "jsonschema", "jinja2", "lark", "rich"} & set(
        done.stdout.split()
    )


def script(shell: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert command(["completion", shell]) == 0
    return capsys.readouterr().out


@pytest.fixture
def on_path(folder: Path) -> dict[str, str]:
    """An environment in which `mashbill` is this one."""
    tool = folder / "bin" / "mashbill"
    tool.parent.mkdir()
    tool.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m mashbill "$@"\n')
    tool.chmod(0o755)
    return {**os.environ, "PATH": f"{tool.parent}:{os.environ['PATH']}"}


@pytest.mark.skipif(not shutil.which("bash"), reason="bash is not here")
@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        (["mashbill", "sch"], ["schema"]),
        (["mashbill", "show", ""], ["long", "book", "docs"]),
        (["mashbill", "run", "--profile", "="], ["smoke", "full"]),
        (["mashbill", "run", ""], []),
    ],
)
def test_bash(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    on_path: dict[str, str],
    typed: list[str],
    wanted: list[str],
) -> None:
    words = " ".join(f"'{w}'" for w in typed)
    code = (
        f"{script('bash', capsys)}\ncomplete -p mashbill >&2\n"
        f"COMP_WORDS=({words}); COMP_CWORD={len(typed) - 1}\n"
        '_mashbill\nprintf "%s\\n" "${COMPREPLY[@]}"\n'
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", code], capture_output=True, text=True, check=True, env=on_path
    )
    assert done.stdout.split() == wanted
    assert "-F _mashbill" in done.stderr


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_read_their_script(
    shell: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = script(shell, capsys)
    assert "__complete" in text
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not here")
    (folder / "script").write_text(text)
    subprocess.run([shell, "-n", str(folder / "script")], check=True)


def test_an_unknown_shell(capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["completion", "tcsh"]) == 64
    capsys.readouterr()
