"""A recipe from elsewhere is data: what tries to be more is refused, in little time and memory.

Each case runs the command in a process whose memory and processor time are limited, so that a bomb
that goes off fails the test and not the machine.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

HEAD = "mashbill: 1\nname: first\n"
SOURCE = "sources:\n  docs: { path: docs.jsonl, license: CC0-1.0, origin: human }\n"
STEPS = "steps:\n  long: { op: filter, from: docs, keep: words(text) > 3 }\n"
MODEL = "models: { writer: fake/words }\n"
ASK = "steps:\n  ask: { op: generate, from: docs, model: writer, prompt: p.md.j2 }\n"
MEMORY = 1_500_000_000
SECONDS = 20


@dataclass(frozen=True)
class Said:
    code: int
    out: str


def check(folder: Path, *arguments: str) -> Said:
    """`mashbill check` under limits."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))

    done = subprocess.run(
        [sys.executable, "-m", "mashbill", "check", *arguments],
        cwd=folder,
        env={**os.environ, "NO_COLOR": "1", "POLARS_MAX_THREADS": "1"},
        text=True,
        capture_output=True,
        check=False,
        preexec_fn=limit,
    )
    assert "Traceback" not in done.stdout + done.stderr, done.stderr[-2000:]
    return Said(done.returncode, done.stdout)


def refused(folder: Path, recipe: str | bytes, *words: str, prompt: str | None = None) -> str:
    """Check a recipe that must be refused with these words; what was said."""
    data = recipe if isinstance(recipe, bytes) else recipe.encode()
    (folder / "recipe.yaml").write_bytes(data)
    (folder / "docs.jsonl").write_text('{"text": "some words"}\n')
    if prompt is not None:
        (folder / "p.md.j2").write_text(prompt)
    said = check(folder)
    assert said.code == 1
    for word in words:
        assert word in said.out
    assert len(said.out) < 20_000
    return said.out


# -- YAML


def test_an_alias_bomb(tmp_path: Path) -> None:
    levels = ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    levels += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
    refused(tmp_path, HEAD + "\n".join(levels) + "\n" + SOURCE, "S007", "anchors")


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ("{a: ", "}")])
def test_deep_nesting(tmp_path: Path, opening: str, closing: str) -> None:
    deep = opening * 100_000 + closing * 100_000
    refused(tmp_path, f"{HEAD}about: {deep}\n{SOURCE}", "nested more than 64 levels")


def test_deep_indentation(tmp_path: Path) -> None:
    deep = "".join(f"{' ' * i}a:\n" for i in range(1_000))
    refused(tmp_path, HEAD + deep, "nested more than 64 levels")


def test_a_recipe_of_100_megabytes(tmp_path: Path) -> None:
    recipe = HEAD + SOURCE + "# " + "x" * 100_000_000 + "\n"
    refused(tmp_path, recipe, "million characters")


@pytest.mark.parametrize("number", ["9" * 5_000, "0x" + "f" * 5_000, "1e400", "-" + "1" * 400])
def test_huge_numbers(tmp_path: Path, number: str) -> None:
    refused(tmp_path, f"{HEAD}seed: {number}\n{SOURCE}", "S005")


def test_a_huge_quantity(tmp_path: Path) -> None:
    total = "9" * 400 + "B tokens"
    mix = f"tokenizer: t.json\nmix: {{ total: {total}, parts: {{ docs: 100% }} }}\n"
    refused(tmp_path, HEAD + SOURCE + mix, "S005", "too large")


@pytest.mark.parametrize(
    "tag", ["!!python/object/apply:os.system ['touch pwned']", "!include /etc/passwd", "!!binary x"]
)
def test_tags_do_nothing(tmp_path: Path, tag: str) -> None:
    refused(tmp_path, f"{HEAD}about: {tag}\n{SOURCE}", "S007", "tags")
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize("data", [b"\xff\xfe\x00m", b"mashbill: 1\nname: \x00\n", b"\xed\xa0\x80"])
def test_bytes_that_are_no_text(tmp_path: Path, data: bytes) -> None:
    refused(tmp_path, data, "S001")


def test_ten_thousand_errors_are_not_all_printed_as_one_wall(tmp_path: Path) -> None:
    steps = "".join(f"  s{i}: {{ op: nothing, from: docs }}\n" for i in range(40))
    out = refused(tmp_path, HEAD + SOURCE + "steps:\n" + steps, "S010")
    assert "40 errors" in out


# -- expressions


@pytest.mark.parametrize(
    "keep",
    [
        "(" * 20_000 + "1" + ")" * 20_000,
        "not " * 50_000 + "true",
        "-" * 100_000 + "1",
        " + ".join(["1"] * 50_000) + " > 0",
        "text == '" + "x" * 2_000_000 + "'",
        "[" * 30_000,
        "chars(" * 30_000 + "text" + ")" * 30_000,
    ],
    ids=["parentheses", "nots", "signs", "terms", "text", "brackets", "calls"],
)
def test_monstrous_expressions(tmp_path: Path, keep: str) -> None:
    steps = f'steps:\n  long: {{ op: filter, from: docs, keep: "{keep}" }}\n'
    refused(tmp_path, HEAD + SOURCE + steps, "error[")


@pytest.mark.parametrize(
    "keep",
    [
        "__import__('os').system('touch pwned')",
        "text.__class__.__bases__",
        "open('/etc/passwd')",
        "(lambda: 1)()",
        "[x for x in text]",
        "exec('1')",
    ],
)
def test_expressions_reach_nothing_of_python(tmp_path: Path, keep: str) -> None:
    steps = f'steps:\n  long: {{ op: filter, from: docs, keep: "{keep}" }}\n'
    refused(tmp_path, HEAD + SOURCE + steps, "error[X15")
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize(
    "pattern", ["((a{1000}){1000}){1000}", "(?=a)b", r"(a)\\1", "a" * 3_000_000]
)
def test_patterns_that_are_too_large_or_have_no_linear_form(tmp_path: Path, pattern: str) -> None:
    steps = (
        f"steps:\n  long:\n    op: filter\n    from: docs\n    keep: matches(text, '{pattern}')\n"
    )
    refused(tmp_path, HEAD + SOURCE + steps, "error[")


def test_a_pattern_that_is_catastrophic_elsewhere_is_linear_here(tmp_path: Path) -> None:
    recipe = (
        HEAD
        + SOURCE
        + "steps:\n  long: { op: filter, from: docs, keep: \"matches(text, '^(a+)+$')\" }\n"
    )
    (tmp_path / "recipe.yaml").write_text(recipe)
    (tmp_path / "docs.jsonl").write_text('{"text": "%s!"}\n' % ("a" * 5_000))
    done = subprocess.run(
        [sys.executable, "-m", "mashbill", "run", "-q"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS)),
    )
    assert done.returncode == 0, done.stderr


# -- files


@pytest.mark.parametrize(
    "path",
    ["../secret.jsonl", "/etc/passwd", "../**/*", "a/../../secret.jsonl", "/**/*.jsonl", "~/x"],
)
def test_sources_stay_in_the_project(tmp_path: Path, path: str) -> None:
    (tmp_path / "secret.jsonl").write_text('{"text": "x"}\n')
    (tmp_path / "p").mkdir()
    source = f'sources:\n  docs: {{ path: "{path}", license: CC0-1.0, origin: human }}\n'
    out = refused(tmp_path / "p", HEAD + source)
    assert "error[R112]" in out or (path == "~/x" and "error[D301]" in out)


def test_links_do_not_lead_out(tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret/a.jsonl").write_text('{"text": "x"}\n')
    (tmp_path / "p").mkdir()
    (tmp_path / "p/in.jsonl").symlink_to(tmp_path / "secret/a.jsonl")
    (tmp_path / "p/folder").symlink_to(tmp_path / "secret")
    (tmp_path / "p/p.md.j2").symlink_to("/etc/hostname")
    for path in ("in.jsonl", "folder/a.jsonl", "folder/*.jsonl"):
        source = f"sources:\n  docs: {{ path: {path}, license: CC0-1.0, origin: human }}\n"
        refused(tmp_path / "p", HEAD + source, "error[R112]")
    refused(tmp_path / "p", HEAD + MODEL + SOURCE + ASK, "error[R112]")


@pytest.mark.parametrize("prompt", ["../p.md.j2", "/etc/passwd", "prompts"])
def test_prompts_stay_in_the_project_and_are_files(tmp_path: Path, prompt: str) -> None:
    (tmp_path / "prompts").mkdir()
    recipe = HEAD + MODEL + SOURCE + ASK.replace("p.md.j2", prompt)
    out = refused(tmp_path, recipe)
    assert "error[R112]" in out or "error[R111]" in out


def test_the_output_stays_in_the_project(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    refused(tmp_path / "p", HEAD + SOURCE + "output: { path: ../../out }\n", "error[R112]")


# -- secrets

KEYS = [
    "sk-proj-" + "Ab1_" * 10,
    "hf_" + "aB3" * 12,
    "ghp_" + "x1Y" * 12,
    "AKIA" + "ABCD1234" * 2,
    "-----BEGIN RSA PRIVATE KEY-----",
]


@pytest.mark.parametrize("key", KEYS)
def test_a_secret_is_found_wherever_it_is_typed_and_never_printed(tmp_path: Path, key: str) -> None:
    about = f'{HEAD}about: "the key is {key}"\n{SOURCE}'
    comment = f"{HEAD}{SOURCE}# {key}\n"
    for recipe in (about, comment):
        assert key not in refused(tmp_path, recipe, "error[G704]")
    user = f"{{% block user %}}{{{{ text }}}} {key}{{% endblock %}}\n"
    prompt = f"---\ninputs: {{ text: str }}\n---\n{user}"
    out = refused(tmp_path, HEAD + MODEL + SOURCE + ASK, "error[G704]", "p.md.j2:4", prompt=prompt)
    assert key not in out


def test_a_password_in_an_address(tmp_path: Path) -> None:
    models = "models:\n  judge: { use: http/x, url: https://me:hunter22@example.org/v1 }\n"
    out = refused(tmp_path, HEAD + models + SOURCE, "error[G704]")
    assert "hunter22" not in out


@pytest.mark.parametrize(
    "text", ["sk-8 and task-force-sk-abc", "https://example.org:8080/a@b", "hf_hub"]
)
def test_what_only_looks_a_little_like_one_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "recipe.yaml").write_text(f'{HEAD}about: "{text}"\n{SOURCE}')
    (tmp_path / "docs.jsonl").write_text('{"text": "some words"}\n')
    assert check(tmp_path).code == 0
