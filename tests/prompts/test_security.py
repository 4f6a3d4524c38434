"""Prompts that mean harm, and rows that do: refused with a diagnostic, or bounded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mashbill.compiler.prompts import read_prompt
from mashbill.runtime import prompting
from mashbill.runtime.project import Project
from mashbill.runtime.prompting import Renderer, RenderError

from .reading import good, read, said, user

LISTS = 'inputs: { text: str, x: "list[str]" }'


@pytest.mark.parametrize(
    "body",
    [
        # ways out of the sandbox
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ text.__class__ }}",
        "{{ text['__class__'] }}",
        "{{ text | attr('__class__') }}",
        "{{ self._TemplateReference__context }}",
        "{{ self.user() }}",
        "{{ cycler.__init__.__globals__ }}",
        "{{ lipsum() }}",
        "{{ namespace(a=1) }}",
        "{{ text.upper() }}",
        "{{ '%s' | format(text) }}",
        "{{ '{0.__class__}'.format(text) }}",
        "{{ text is sameas text }}",
        "{{ loop.cycle('a') }}",
        "{% import 'os' as os %}",
        "{% from 'x' import y %}",
        "{% extends 'x' %}",
        "{% macro m() %}{% endmacro %}",
        "{% call m() %}{% endcall %}",
        "{% filter upper %}{{ text }}{% endfilter %}",
        "{% set x = text %}",
        "{% with x = text %}{% endwith %}",
        "{% do text %}",
        "{% autoescape true %}{{ text }}{% endautoescape %}",
        "{% include text %}",
        "{% include ['a', 'b'] %}",
        "{% include '../../etc/passwd' %}",
        "{% include '/etc/passwd' %}",
        "{% include 'C:/x' %}",
        "{% include 'a' ignore missing %}",
        # bombs
        "{{ 'a' * 10**9 }}",
        "{{ 10**10**10 }}",
        "{{ 'a' ~ 'b' }}",
        "{{ 'a' | center(1000000000) }}",
        "{{ 'a' | replace('a', 'bb') }}",
        "{{ text[::2] }}",
        "{% for i in range(10**9) %}x{% endfor %}",
        "{% for i in [1] recursive %}{{ loop([1]) }}{% endfor %}",
        "{{ " + "9" * 5_000 + " }}",
        "{{ 1e999 }}",
        "{{ '\\ud800' }}",
        "{{ " + "(" * 5_000 + "text" + ")" * 5_000 + " }}",
        "{{ " + "[" * 2_000 + "]" * 2_000 + " }}",
        "{{ " + "not " * 3_000 + "text }}",
        "{{ text" + ".a" * 3_000 + " }}",
        "{{ text" + "[0]" * 3_000 + " }}",
        "{{ text" + " | trim" * 3_000 + " }}",
        "{{ text" + " if text else text" * 3_000 + " }}",
        "{% if text %}" * 100 + "{% endif %}" * 100,
        "{% if text %}" + "{% elif text %}a" * 200 + "{% endif %}",
        "{{ text }}" * 3_000,
        "{{" * 50_000,
        "{% for a in x %}{% for b in x %}{% for c in x %}{% endfor %}{% endfor %}{% endfor %}",
    ],
)
def test_a_template_that_means_harm_is_refused(body: str) -> None:
    prompt, found = read(user(body, LISTS))
    assert prompt is None
    assert {d.code for d in found if d.severity == "error"} <= {"P201", "P204", "P211", "R112"}
    assert all(len(d.message) < 300 for d in found)


def test_ten_megabytes_are_refused_unread() -> None:
    (found,) = said("{{ text }}" * 1_000_000)
    assert (found.code, found.span) == ("P211", None)
    assert found.message.startswith("prompts/p.md.j2 has 10.0 million characters")
    files = {"big.md": "x" * 10_000_000}
    (found,) = said(user("{% include 'big.md' %}\n\n\n{{ text }}"), files)
    assert found.code == "P211"
    (found,) = said(user("{{ text }}", "inputs: { text: str }\nexamples: big.md"), files)
    assert found.code == "P211"


@pytest.mark.parametrize(
    "body",
    ["{a}" * 2_000, "{ " * 50_000, "`" * 100_000, "```\n" * 20_000, "\\a{ " * 20_000, "<|" * 50_000,
     " \n" * 200_000 + "x", "{# c #}" * 5_000, "(" * 100_000, "<" * 100_000, "#" * 100_000,
     ": " * 50_000, "{{ text == " + "text == " * 1_000 + "text }}"],
)  # fmt: skip
def test_what_is_only_long_is_read_in_one_pass(body: str) -> None:
    prompt, _ = read(user(body + "\n\n{{ text }}"))
    assert prompt is not None
    prompt.canonical()
    Renderer(prompt).messages({"text": "x"})


# -- rows


def rendered(body: str, values: dict[str, Any], front: str = LISTS) -> str:
    return Renderer(good(user(body, front))).messages({"text": "", "x": [], **values})[0].content


def test_a_loop_that_prints_nothing_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prompting, "MAX_STEPS", 10_000)
    silent = "{% for a in x %}{% for b in x %}{% endfor %}{% endfor %}{{ text }}"
    assert rendered(silent, {"x": ["a"] * 90, "text": "t"}) == "t"
    with pytest.raises(RenderError, match="more than 10,000 items"):
        rendered(silent, {"x": ["a"] * 101})
    asks = "{% for a in x %}{% if a in x %}{% endif %}{% endfor %}"
    with pytest.raises(RenderError, match="more than 10,000 items"):
        rendered(asks, {"x": [str(i) for i in range(101)]})
    inner = "{% for a in w.z %}{% for b in w.z %}{% endfor %}{% endfor %}"
    front = 'inputs: { w: { z: "list[str]" } }'
    with pytest.raises(RenderError, match="more than 10,000 items"):
        rendered(inner, {"w": {"z": ["a"] * 101}}, front)


def test_joining_is_bounded_before_it_is_done() -> None:
    body = "{{ x | join('" + "a" * 900_000 + "') }}"
    with pytest.raises(RenderError, match="longer than"):
        rendered(body, {"x": ["b"] * 100_000})


def test_blank_lines_of_a_row_are_trimmed_in_one_pass() -> None:
    blank = " \n" * 200_000
    assert rendered("{{ text }}", {"text": f"{blank}a{blank}b{blank}"}) == f"a{blank}b "
    assert rendered("{{ text }}", {"text": blank}) == ""


def test_lists_and_structs_keep_their_meaning_under_the_meter() -> None:
    front = 'inputs: { x: "list[str]", w: { z: "list[str]" } }'
    body = "{{ x }}{{ x | length }}{{ w }}{{ x == w.z }}{{ x[1] }}{{ 'a' in w.z }}"
    values = {"x": ["a", "b"], "w": {"z": ["a", "b"]}}
    assert rendered(body, values, front) == '["a","b"]2{"z":["a","b"]}truebtrue'


# -- files


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / ".mashbill").mkdir()
    (tmp_path / "prompts" / "folder").mkdir(parents=True)
    (tmp_path / "recipe.yaml").write_text("")
    return Project(tmp_path / "recipe.yaml", tmp_path)


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("prompts/folder", "R111"),
        ("prompts/a\0b", "R111"),
        ("prompts/" + "n" * 300, "R111"),
        ("prompts/gone.md.j2", "R111"),
        ("../outside.md.j2", "R112"),
        ("/etc/hostname", "R112"),
        ("prompts/link.md.j2", "R112"),
    ],
)
def test_paths_that_are_no_prompt(project: Project, path: str, code: str) -> None:
    (project.folder / "prompts" / "link.md.j2").symlink_to("/etc/hostname")
    prompt, (found,) = read_prompt(path, project.read)
    assert prompt is None
    assert found.code == code
    named = user("{{ text }}", f"inputs: {{ text: str }}\nreply: {{ json: '{path}' }}")
    if "\0" not in path:
        (project.folder / "prompts" / "p.md.j2").write_text(named)
        _, found_ = read_prompt("prompts/p.md.j2", project.read)
        assert [d.code for d in found_ if d.severity == "error"] == [code]
