"""What decides the turns is identity, and nothing else of a prompt file is."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from .reading import good, user

PROMPT = """\
---
inputs: { text: str, tags: "list[str]" }
reply: { how: text, answer: tag }
examples:
  - { text: "Two and two.", tags: [sum], reply: "Add. <answer>4</answer>" }
max_tokens: 40
---
{% block system %}Answer in <answer> tags.{% include 'part.md' %}{% endblock %}
{% block user %}
{% for t in tags %}
- {{ t | trim }}
{% endfor %}

Text:
{{ text if text != 'a' else "b" }}
{% endblock %}
"""
PART = {"part.md": "Keep {{ text }}:\n"}

COSMETIC = {
    "spaces in tags": lambda t: re.sub(r"\{\{ (.*?) \}\}", r"{{   \1  }}", t),
    "no spaces in tags": lambda t: re.sub(r"\{\{ (.*?) \}\}", r"{{\1}}", t),
    "quotes": lambda t: t.replace("'a'", '"a"').replace('"b"', "'b'"),
    "a comment": lambda t: t.replace("Text:", "{# why #}Text:"),
    "a comment of the front matter": lambda t: t.replace("examples:", "examples:  # few"),
    "order of keys": lambda t: t.replace("max_tokens: 40\n", "").replace(
        "inputs:", "max_tokens: 40\ninputs:"
    ),
    "order of shapes": lambda t: re.sub(r"(how: text), (answer.*?) }", r"\2, \1 }", t),
    "a name written out": lambda t: t.replace("answer: tag", "answer: tag answer"),
    "order of inputs": lambda t: t.replace(
        'text: str, tags: "list[str]"', 'tags: "list[str]", text: str'
    ),
    "line ends": lambda t: t.replace("\n", "\r\n"),
    "a byte order mark": lambda t: "\ufeff" + t,
    "blank lines at the edges": lambda t: t.replace("{% block user %}", "{% block user %}\n \n\n"),
    "blank lines between blocks": lambda t: t.replace("{% block user", "\n\n\n{% block user"),
    "whitespace of a tag": lambda t: t.replace("{% for t in tags %}", "{%  for  t  in  tags  %}"),
}  # fmt: skip
MEANING = {
    "words": lambda t: t.replace("Answer in", "Reply in"),
    "a space": lambda t: t.replace("Text:", "Text :"),
    "a blank line in the middle": lambda t: t.replace("Text:", "\nText:"),
    "a filter": lambda t: t.replace(" | trim", ""),
    "a tag": lambda t: t.replace("answer: tag", "answer: tag answers").replace("er>", "ers>"),
    "an optional part": lambda t: t.replace("answer: tag", "answer: tag?"),
    "a column": lambda t: t.replace("answer: tag", "result: tag answer"),
    "an example": lambda t: t.replace(">4<", ">5<"),
    "max_tokens": lambda t: t.replace("40", "41"),
    "a literal": lambda t: t.replace("'a'", "'c'"),
}


@given(st.lists(st.sampled_from(sorted(COSMETIC)), unique=True, max_size=6))
def test_cosmetic_edits_change_nothing_in_any_order(names: list[str]) -> None:
    text = PROMPT
    for name in sorted(names, key=lambda n: n == "line ends"):  # the others look for line feeds
        text = COSMETIC[name](text)
    assert good(text, PART).canonical() == good(PROMPT, PART).canonical()


@pytest.mark.parametrize("name", COSMETIC)
def test_each_cosmetic_edit_edits_something(name: str) -> None:
    assert COSMETIC[name](PROMPT) != PROMPT


@pytest.mark.parametrize("name", MEANING)
def test_edits_of_meaning_change_it(name: str) -> None:
    assert MEANING[name](PROMPT) != PROMPT
    assert good(MEANING[name](PROMPT), PART).canonical() != good(PROMPT, PART).canonical()


def test_an_included_file_is_part_of_it() -> None:
    other = {"part.md": "Hold {{ text }}:\n"}
    assert good(PROMPT, other).canonical() != good(PROMPT, PART).canonical()


def test_strings_over_lines_and_with_escapes() -> None:
    over = good(user("{{ text if text else 'a\nb' }}")).canonical()
    assert over == good(user("{{ text if text else 'a\\nb' }}")).canonical()
    assert over != good(user("{{ text if text else 'a b' }}")).canonical()
    assert good(user("{{ text if text else 'é' }}")).canonical() == (
        good(user("{{ text if text else '\\xe9' }}")).canonical()
    )
