"""Prompts as strings, for these tests."""

from __future__ import annotations

from collections.abc import Mapping

from mashbill.compiler.diagnostics import Diagnostic
from mashbill.compiler.prompts import PromptFile, read_prompt


def read(
    text: str, files: Mapping[str, str] | None = None, **facts: object
) -> tuple[PromptFile | None, tuple[Diagnostic, ...]]:
    """Read a prompt that stands in the folder `prompts`, with files beside the recipe."""
    known = {"prompts/p.md.j2": text, **(files or {})}

    def reader(path: str) -> str:
        if path not in known:
            raise FileNotFoundError(path)
        return known[path]

    def siblings(folder: str) -> list[str]:
        home = "" if folder == "." else folder + "/"
        below = (p.removeprefix(home) for p in known if p.startswith(home))
        return [p for p in below if "/" not in p]

    return read_prompt("prompts/p.md.j2", reader, siblings=siblings, **facts)  # type: ignore[arg-type]


def good(text: str, files: Mapping[str, str] | None = None) -> PromptFile:
    """A prompt that has no fault (advice aside)."""
    prompt, diagnostics = read(text, files)
    assert prompt is not None, diagnostics
    return prompt


def said(text: str, files: Mapping[str, str] | None = None, **facts: object) -> list[Diagnostic]:
    """Everything said about a prompt."""
    return list(read(text, files, **facts)[1])


def places(text: str, files: Mapping[str, str] | None = None) -> list[tuple[str, str]]:
    """Code and characters of each diagnostic."""
    known = {"prompts/p.md.j2": text, **(files or {})}
    return [
        (d.code, known[d.span.file][d.span.start : d.span.end] if d.span else "")
        for d in said(text, files)
    ]


def user(body: str, front: str = "inputs: { text: str }") -> str:
    """A prompt of a user block alone."""
    return f"---\n{front}\n---\n{{% block user %}}{body}{{% endblock %}}\n"


def asking(reply: str, words: str = "Answer.", examples: str = "") -> str:
    """A prompt whose reply has a shape."""
    head = f"inputs: {{ text: str }}\nreply: {reply}\n{examples}".rstrip()
    return f"---\n{head}\n---\n{{% block system %}}{words}{{% endblock %}}\n" + (
        "{% block user %}{{ text }}{% endblock %}\n"
    )
