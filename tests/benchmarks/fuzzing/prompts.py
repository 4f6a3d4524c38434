"""Edits of prompt files: their front matter, their tags, their text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from random import Random

from .text import NASTY, mutate_text

_TAG = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.S)
PIECES = (
    "{{ text }}", "{{ txet }}", "{{ text | upper }}", "{{ text | default('x') }}",
    "{{ text.a[0] }}", "{{ text | truncate(10) | trim }}", "{{ 1 + 1 }}",
    "{{ text ~ 'a' * 99999999 }}", "{{ ''.__class__ }}", "{{ text | replace('a', 'b') }}",
    "{{ [1, 2, 3] | length }}", "{{ loop.index }}", "{{ self.user() }}",
    "{% if text %}a{% elif audience %}b{% else %}c{% endif %}",
    "{% if text == 'a' and not audience %}", "{% for t in text %}{{ t }}{% endfor %}",
    "{% for a, b in text %}{{ a }}{% endfor %}", "{% endif %}", "{% endfor %}", "{% else %}",
    "{% include 'prompts/book.md.j2' %}", "{% include 'x.j2' %}",
    "{% include '../../etc/passwd' %}", "{% include text %}", "{% block user %}",
    "{% endblock %}", "{% block other %}x{% endblock %}", "{% set a = 1 %}",
    "{% macro m() %}{% endmacro %}", "{% raw %}", "{% endraw %}", "{% extends 'a' %}",
    "{% import 'a' as b %}", "{% do 1 %}", "{%- if text -%}", "{{- text -}}", "{# a comment #}",
    "{#", "{# mashbill: allow P203 — so #}", "{{", "}}", "{%", "%}", "{text}", "{ text }",
    "{{{ text }}}", "<|im_start|>", "<s>", "</think>", "<text>{{ text }}</text>",
    "```\n{{ text }}\n```", "\n---\n", "---\n", "{{ text if audience else '' }}",
    "{{ text[:10] }}", "{{ range(9999999) }}", "{{ 'a' }}", "{{ text|tojson }}", "{{ caller() }}",
    "{{ 10 ** 10 ** 10 }}",
)  # fmt: skip
FILTERS = (
    "", "", " | upper", " | trim", " | default('x')", " | truncate(20)", " | join(', ')",
    " | length", " | first", " | replace('a', 'b')", " | int", " | round(1)", " | indent(2)",
    "[0]", ".a", " ~ 'x'",
)  # fmt: skip
FRONT = (
    "inputs: { text: str }", "inputs: { text: str, audience: str }",
    "inputs: { tags: list[str] }", "inputs: []", "inputs: { text: nothing }",
    "inputs: { _x: str, 'a b': int }", "reply: { answer: boxed }",
    "reply: { reasoning: text, answer: boxed }", "reply: { plan: section, code: fence python }",
    "reply: { json: schemas/card.json }", "reply: { json: { type: object } }",
    "reply: { a: tag }", "reply: { text: text }", "reply: text", "reply: { a: tag, a: tag }",
    "reply: {}", "reply: { _a: text }", "examples: []", "examples: [{ text: a, reply: b }]",
    "examples: solved.jsonl", "examples: { k: 2 }", "examples: [{ text: 3, reply: [] }]",
    "max_tokens: 10", "max_tokens: -1", "max_tokens: '9'", "max_tokens: 99999999999999999999",
    "unknown: 1", "mashbill: 1", "- a", "a", "{", "? a", "&a b: *a",
)  # fmt: skip


def mutate_prompt(text: str, random: Random, others: Sequence[str]) -> str:
    """A prompt file with a few things wrong, most of which still are templates."""
    for _ in range(random.choice((1, 1, 1, 2))):
        text = random.choice(_WAYS)(text, random, others)
    return text


def _insert_piece(text: str, random: Random, others: Sequence[str]) -> str:
    """A piece of template where text stands, outside of tags."""
    spots = [0, *(m.end() for m in _TAG.finditer(text)), len(text)]
    spots += [m.start() for m in _TAG.finditer(text)]
    at = random.choice(spots)
    return text[:at] + random.choice(PIECES) + text[at:]


def _replace_tag(text: str, random: Random, others: Sequence[str]) -> str:
    """A tag by another, of the list or of another prompt."""
    own = [*_TAG.finditer(text)]
    given = [m[0] for m in _TAG.finditer(random.choice(others))]
    if not own:
        return text
    found = random.choice(own)
    new = random.choice([*given, random.choice(PIECES), ""])
    return text[: found.start()] + new + text[found.end() :]


def _within_tag(text: str, random: Random, others: Sequence[str]) -> str:
    """Edit what stands in a tag."""
    own = [*_TAG.finditer(text)]
    if not own:
        return text
    found = random.choice(own)
    inner = mutate_text(found[0][2:-2], random, others)
    return text[: found.start() + 2] + inner + text[found.end() - 2 :]


def _output(text: str, random: Random, others: Sequence[str]) -> str:
    """An output where one stands, of names that the prompt has and filters that there are."""
    own = [m for m in _TAG.finditer(text) if m[0].startswith("{{")]
    if not own:
        return text
    found = random.choice(own)
    name = random.choice(
        ("text", "audience", "tags", "_doc", "input.text", random.choice(own)[0][2:-2])
    )
    return (
        text[: found.start()] + "{{ " + name + random.choice(FILTERS) + " }}" + text[found.end() :]
    )


def _front(text: str, random: Random, others: Sequence[str]) -> str:
    """Another line of front matter, in place of one or besides."""
    lines = text.split("\n")
    end = next((i for i, line in enumerate(lines[1:], 1) if line.startswith("---")), 1)
    at = random.randrange(1, max(2, end))
    lines[at : at + random.choice((0, 1))] = [random.choice(FRONT)]
    return "\n".join(lines)


def _words(text: str, random: Random, others: Sequence[str]) -> str:
    """Odd signs between tags."""
    spots = [m.end() for m in _TAG.finditer(text)] or [len(text)]
    at = random.choice(spots)
    return text[:at] + random.choice(NASTY) + text[at:]


_WAYS = (_insert_piece, _replace_tag, _output, _output, _within_tag, _front, _words, mutate_text)
