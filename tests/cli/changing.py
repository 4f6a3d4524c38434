"""A small project on the `fake` engine that tests edit, run, lock and commit."""

from __future__ import annotations

import shutil
import subprocess
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import pytest

from mashbill.runtime.cli import command

RECIPE = """\
mashbill: 1
name: small
seed: 7
models:
  writer: fake/rewrite
sources:
  docs: { path: docs.jsonl, license: CC0-1.0, origin: human }
steps:
  long: { op: filter, from: docs, keep: words(text) > 2 }
  book:
    op: rewrite
    from: long
    model: writer
    prompt: prompts/book.md.j2
    checks: { length: { min: 0.1, max: 4 } }
    on_fail: [{ retry: 2 }, { fallback: input }]
"""
PROMPT = """\
---
inputs: { text: str }
---
{% block system %}Rewrite the sentence. Keep all facts.{% endblock %}
{% block user %}{{ text }}{% endblock %}
"""
WHO = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false")


@dataclass(frozen=True)
class Changing:
    """The project's folder, which is the current one."""

    folder: Path

    def do(self, *arguments: str) -> tuple[int, str, str]:
        """A command: exit code, stdout, stderr."""
        out, err = StringIO(), StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = command(list(arguments))
        assert "Traceback" not in out.getvalue() + err.getvalue()
        return code, out.getvalue(), err.getvalue()

    def good(self, *arguments: str) -> str:
        """A command that must succeed; what it prints."""
        code, out, err = self.do(*arguments)
        assert code == 0, out + err
        return out

    def edit(self, old: str, new: str, name: str = "recipe.yaml") -> None:
        file = self.folder / name
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))

    def edit_prompt(self, old: str = "all facts", new: str = "every fact") -> None:
        self.edit(old, new, "prompts/book.md.j2")

    def git(self, *arguments: str) -> None:
        if shutil.which("git") is None:
            pytest.skip("git is not on this machine")
        subprocess.run(
            ["git", *WHO, *arguments], cwd=self.folder, check=True, capture_output=True
        )  # fmt: skip

    def commit(self, words: str = "one") -> None:
        if not (self.folder / ".git").exists():
            self.git("init", "-q", "-b", "main")
        self.git("add", ".")
        self.git("commit", "-qm", words)


def make(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Changing:
    """Write the project and go there; checks run in this process."""
    from mashbill.runtime.checkpool import CheckPool

    monkeypatch.setattr(CheckPool.__init__, "__defaults__", (0,))
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("NO_COLOR", "1")
    (folder / "prompts").mkdir()
    (folder / ".mashbill").mkdir()
    (folder / ".gitignore").write_text(".mashbill\nout\ndocs.jsonl\n")
    (folder / "recipe.yaml").write_text(RECIPE)
    (folder / "prompts/book.md.j2").write_text(PROMPT)
    lines = (f'{{"text": "Station {i} measured {i} millimetres."}}\n' for i in range(6))
    (folder / "docs.jsonl").write_text("".join(lines))
    return Changing(folder)
