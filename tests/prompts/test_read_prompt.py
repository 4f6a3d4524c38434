"""Reading prompt files: what is accepted, and every complaint with its exact characters."""

from __future__ import annotations

import pytest

from mashbill.compiler.diagnostics import Diagnostic
from mashbill.compiler.prompts import PromptFile, read_prompt
from mashbill.compiler.prompts.kinds import read_type
from mashbill.compiler.types import STR, list_of

ADVICE = ("P206", "P208", "P209", "P213", "P214")
GOOD = """---
inputs: { text: str, audience: str }
examples:
  - { text: "Dr. Curie", audience: pupil, reply: "Curie" }
max_tokens: 99
---
{% block system %}For a {{ audience }}. Keep all facts.{% endblock %}
{% block user %}{{ text }}{% endblock %}
"""


def read(text: str, **files: str) -> tuple[PromptFile | None, tuple[Diagnostic, ...]]:
    known = {"p.md.j2": text, **{k.replace("__", "."): v for k, v in files.items()}}

    def reader(path: str) -> str:
        if path not in known:
            raise FileNotFoundError(path)
        return known[path]

    return read_prompt("p.md.j2", reader, shown="dir/p.md.j2")


def complaints(text: str, **files: str) -> list[tuple[str, str]]:
    """Code and characters of each diagnostic, advice on style left out (`test_advice`)."""
    known = {"dir/p.md.j2": text, **{"dir/" + k.replace("__", "."): v for k, v in files.items()}}
    _, diagnostics = read(text, **files)
    return [(d.code, known[d.span.file][d.span.start : d.span.end] if d.span else "")
            for d in diagnostics if d.code not in ADVICE]  # fmt: skip


def user(body: str, inputs: str = "text: str") -> str:
    return f"---\ninputs: {{ {inputs} }}\n---\n{{% block user %}}{body}{{% endblock %}}\n"


def test_a_good_prompt_is_read_whole() -> None:
    prompt, diagnostics = read(GOOD)
    assert diagnostics == ()
    assert prompt is not None
    assert prompt.inputs == (("text", STR), ("audience", STR))
    assert prompt.rows() == ({"text": "Dr. Curie", "audience": "pupil", "reply": "Curie"},)
    assert prompt.max_tokens == 99
    assert prompt.blocks == (
        ("system", "For a {{ audience }}. Keep all facts."),
        ("user", "{{ text }}"),
    )
    assert [(u.name, GOOD[u.span.start : u.span.end]) for u in prompt.uses] == [
        ("audience", "audience"),
        ("text", "text"),
    ]
    assert prompt.uses[1].span.start == GOOD.index("{{ text }}") + 3
    assert hash(prompt) == hash(read(GOOD)[0])


def test_carriage_returns_and_a_byte_order_mark_do_not_move_places() -> None:
    text = "\ufeff" + GOOD.replace("\n", "\r\n")
    prompt, diagnostics = read(text)
    assert diagnostics == ()
    assert prompt is not None
    assert [text[u.span.start : u.span.end] for u in prompt.uses] == ["audience", "text"]
    plain, _ = read(GOOD)
    assert plain is not None
    assert prompt.canonical() == plain.canonical()
    assert complaints(text.replace("{{ text }}", "{{ txet }}")) == [("P201", "txet")]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("{{ txt }}", [("P201", "txt")]),
        ("{{ text }} {text}", [("P203", "{text}")]),
        ("{{ text }} { text }", [("P203", "{ text }")]),
        ("{{ text }} {place}", [("P203", "{place}")]),
        ('{{ text }} {"answer": {text}}', [("P203", "{text}")]),
        ("{{ text | title }}", [("P211", "title")]),
        ("{{ text | join }}", [("P211", "join")]),
        ("{{ text | trim(1) }}", [("P211", "trim")]),
        ("{{ text.upper() }}", [("P211", "text.upper()")]),
        ("{{ range(9) }}{{ text }}", [("P211", "range(9)")]),
        ("{{ text * 9 }}", [("P211", "text * 9")]),
        ("{{ text ~ 'x' }}", [("P211", "text ~ 'x'")]),
        ("{{ -text }}", [("P211", "-text")]),
        ("{{ text[1:2] }}", [("P211", "1:2")]),
        ("{{ text[text] }}", [("P211", "text")]),
        ("{% set x = 1 %}{{ text }}", [("P211", "set")]),
        ("{% macro m() %}{% endmacro %}{{ text }}", [("P211", "macro"), ("P211", "endmacro")]),
        ("{% import 'x' as x %}{{ text }}", [("P211", "import")]),
        ("{% fi text %}", [("P211", "fi")]),
        ("{% for c in text %}{{ c }}{% endfor %}", [("P211", "text")]),
        ("{% if text is defined %}x{% endif %}", [("P211", "text is defined")]),
        ("{% if text > 3 %}x{% endif %}", [("P211", "text > 3")]),
        ("{{ text if text }}", [("P211", "text if text")]),
        ("{% include text %}", [("P211", "text")]),
        ("{{ text }}{% include '../x' %}", [("R112", "'../x'")]),
        ("{{ text }}{% include '/x' %}", [("R112", "'/x'")]),
        ("{{ text }}{% include 'gone.md' %}", [("R111", "'gone.md'")]),
        ("{{ text ) }}", [("P211", ")")]),
        ("{{ text $ }}", [("P211", "$")]),
        ("{{ text b }}", [("P211", "b")]),
        ("{% if text %}", [("P211", "{% if text %}")]),
        ("{{ text }}{# open", [("P211", "{")]),
        ("{{ text }}{% block system %}{% endblock %}", [("P211", "block")]),
    ],
)  # fmt: skip
def test_what_is_not_allowed_is_shown_to_the_character(
    body: str, expected: list[tuple[str, str]]
) -> None:
    assert sorted(set(complaints(user(body)))) == sorted(expected)


@pytest.mark.parametrize(
    "body",
    [
        "{{ text }} {% raw %}{text} {{ anything }}{% endraw %}",
        "{{ text }} `{text}` and\n```\n{text}\n```\n",
        "{{ text }} $\\frac{a}{b}$ x^{n} y_{i} \\text{text}",
        '{{ text }} {"a": 1, "b": [2]} {} {{ "{text}" }}',
        "{{ text | trim | lower | upper }} {{ text | length }}",
        "{% if text == 'a' or not (text in ['b'] and text is not none) %}{{ text }}{% endif %}",
        "{% if text %}a{% elif text == 'x' %}b{% else %}c{% endif %}",
        "{{ text if text != '' else 'nothing' }}",
    ],
)
def test_what_is_allowed_passes(body: str) -> None:
    assert complaints(user(body)) == []


def test_lists_structs_and_dotted_inputs() -> None:
    inputs = 'tags: "list[str]", meta: { site: { name: str } }, input.text: str?'
    body = (
        "{% for t in tags %}{{ loop.index }}. {{ t | trim }}{% if not loop.last %},{% endif %}"
        "{% endfor %}{{ tags | join(', ') }}{{ tags[0] }}{{ meta.site.name }}{{ input.text }}"
    )
    assert complaints(user(body, inputs)) == []
    prompt, _ = read(user(body, inputs))
    assert prompt is not None
    text = user(body, inputs)
    assert {u.name: text[u.span.start : u.span.end] for u in prompt.uses} == {
        "tags": "tags",
        "meta": "meta",
        "input.text": "input.text",
    }
    assert complaints(user(body.replace("site.name", "site.nam"), inputs)) == [("P201", "nam")]
    assert complaints(user(body.replace("loop.last", "loop.length"), inputs)) == [
        ("P211", "loop.length")
    ]
    assert ("P201", "input.txt") in complaints(
        user(body.replace("input.text", "input.txt"), inputs)
    )
    assert complaints(user(body.replace("join(', ')", "join(tags)"), inputs)) == [("P211", "join")]


def test_loops_nest_two_deep() -> None:
    inputs = 'a: "list[list[list[str]]]"'
    two = "{% for x in a %}{% for y in x %}{{ y | length }}{% endfor %}{% endfor %}"
    assert complaints(user(two, inputs)) == []
    three = two.replace("{{ y | length }}", "{% for z in y %}{{ z }}{% endfor %}")
    assert complaints(user(three, inputs)) == [("P211", "for")]


def test_a_slip_carries_its_fix() -> None:
    _, diagnostics = read(GOOD.replace("{{ audience }}", "{{ audiance }}"))
    assert [(d.code, [e.replacement for e in d.fix]) for d in diagnostics] == [
        ("P201", ["audience"])
    ]
    assert diagnostics[0].help == "did you mean `audience`?"
    _, diagnostics = read(user("{{ text }} {text}"))
    assert [e.replacement for e in diagnostics[0].fix] == ["{{ text }}"]


def test_applying_the_fix_of_single_braces_mends_the_prompt() -> None:
    text = user("{text} and { text }").replace("\n", "\r\n")
    _, diagnostics = read(text)
    for edit in sorted((e for d in diagnostics for e in d.fix), key=lambda e: -e.span.start):
        text = text[: edit.span.start] + edit.replacement + text[edit.span.end :]
    assert "{{ text }} and {{ text }}" in text
    assert complaints(text) == []


def test_only_single_braces_leave_a_usable_prompt() -> None:
    assert read(user("{{ text }} {text}"))[0] is not None
    assert read(user("{{ txt }}"))[0] is None


def test_no_inputs_at_all_is_one_complaint() -> None:
    text = "{% block user %}{{ a }} {{ b }}{% endblock %}"
    _, diagnostics = read(text)
    assert [(d.code, text[d.span.start : d.span.end]) for d in diagnostics if d.span] == [
        ("P201", "a")
    ]
    assert "inputs: { a: str, b: str }" in (diagnostics[0].help or "")


def test_blocks() -> None:
    assert complaints("hello") == [("P204", "hello")]
    assert complaints(GOOD.replace("block user", "block usr")) == [("P204", "usr")]
    assert complaints(GOOD.replace("block system", "block sytem")) == [("P211", "sytem")]
    assert complaints(GOOD.replace("block system", "block user")) == [("P211", "user")]
    assert complaints(GOOD + "\nafter the blocks\n") == [("P211", "after the blocks")]
    assert complaints(GOOD.replace("---\n{%", "---\nbefore\n{%")) == [("P211", "before")]
    assert complaints(GOOD + "{% if audience %}x{% endif %}") == [
        ("P211", "{% if audience %}x{% endif %}")
    ]


def test_an_unused_input_is_a_warning_at_its_name() -> None:
    _, diagnostics = read(GOOD.replace("{{ audience }}", "a pupil"))
    assert [(d.code, d.severity) for d in diagnostics] == [("P202", "warning")]
    assert complaints(GOOD.replace("{{ audience }}", "a pupil")) == [("P202", "audience")]
    allowed = GOOD.replace("audience: str }", "audience: str } # mashbill: allow P202")
    assert complaints(allowed.replace("{{ audience }}", "a pupil")) == []


def test_front_matter() -> None:
    assert complaints(GOOD.replace("max_tokens", "max_token")) == [("S002", "max_token")]
    assert complaints(GOOD.replace("99", "-1")) == [("S005", "-1")]
    assert complaints(GOOD.replace("text: str,", "text: string,")) == [("P212", "string")]
    assert complaints(GOOD.replace("inputs: {", "inputs: [").replace("str }", "str ]"))[0] == (
        "S005",
        "[ text: str, audience: str ]",
    )
    assert complaints("---\ninputs: { a: str }\n{% block user %}{% endblock %}") == [
        ("P212", "---\n")
    ]
    assert complaints(GOOD.replace("inputs: {", "inputs: {{"))[0][0] == "S001"
    assert complaints(GOOD.replace("max_tokens: 99", "reply: { text: text }")) == []
    assert complaints(GOOD.replace("max_tokens: 99", "reply: { text: boxes }")) == [
        ("P212", "boxes")
    ]


def test_examples() -> None:
    assert complaints(GOOD.replace("audience: pupil, ", "")) == [
        ("P212", '{ text: "Dr. Curie", reply: "Curie" }')
    ]
    assert complaints(GOOD.replace("audience: pupil", "audiense: pupil")) == [("S002", "audiense")]
    assert complaints(GOOD.replace("audience: pupil", "audience: 3")) == [("P212", "3")]
    assert complaints(GOOD.replace('reply: "Curie"', "reply: 3")) == [("P212", "3")]
    assert complaints(GOOD.replace(', reply: "Curie"', "")) == [
        ("P212", '{ text: "Dr. Curie", audience: pupil }')
    ]


def test_examples_from_a_file() -> None:
    lines = '{"text": "a", "reply": "b", "id": 1}\n\n{"text": "c", "reply": "d"}\n'
    head = "---\ninputs: { text: str }\nexamples: EX\n---\n{% block user %}{{ text }}{% endblock %}"
    prompt, diagnostics = read(head.replace("EX", "{ file: ex.jsonl, k: 1 }"), ex__jsonl=lines)
    assert diagnostics == ()
    assert prompt is not None
    assert prompt.example_k == 1
    assert [r["reply"] for r in prompt.rows()] == ["b", "d"]
    prompt, _ = read(head.replace("EX", "ex.jsonl"), ex__jsonl=lines)
    assert prompt is not None
    assert prompt.example_k is None
    assert complaints(head.replace("EX", "{ file: ex.jsonl, k: 3 }"), ex__jsonl=lines) == [
        ("P212", "3")
    ]
    assert complaints(head.replace("EX", "nowhere.jsonl")) == [("R111", "nowhere.jsonl")]
    broken = lines.replace(', "reply": "d"', "")
    assert complaints(head.replace("EX", "ex.jsonl"), ex__jsonl=broken) == [
        ("P212", '{"text": "c"}')
    ]
    assert complaints(head.replace("EX", "ex.jsonl"), ex__jsonl="{no\n") == [("P212", "{no")]


def test_includes_are_checked_where_they_are() -> None:
    text = user("{% include 'part.md' %}")
    assert complaints(text, part__md="Read {{ text }}.") == []
    prompt, _ = read(text, part__md="Read {{ text }}.")
    assert prompt is not None
    assert prompt.includes == (("part.md", "Read {{ text }}."),)
    assert prompt.uses[0].span.file == "dir/part.md"
    assert complaints(text, part__md="Read {{ txt }}.") == [("P201", "txt")]
    assert complaints(text, part__md="{{ text }}{% include 'part.md' %}") == [("P211", "'part.md'")]
    assert complaints(text, part__md="{{ text }}{% include 'p.md.j2' %}") == [("P211", "'p.md.j2'")]


def test_bombs_are_refused_quickly() -> None:
    deep = "{{ " + "(" * 5000 + "text" + ")" * 5000 + " }}"
    assert [c for c, _ in complaints(user(deep))] == ["P211"]
    wide = "{{ " + "text and " * 5000 + "text }}"
    assert [c for c, _ in complaints(user(wide))] == ["P211"]
    nested = "{% if text %}" * 100 + "{{ text }}" + "{% endif %}" * 100
    assert [c for c, _ in complaints(user(nested))] == ["P211"]
    files = {f"f{i}__md": "{{ text }}" + f"{{% include 'f{i + 1}.md' %}}" * 8 for i in range(9)}
    codes = {c for c, _ in complaints(user("{% include 'f0.md' %}"), **files, f9__md="x")}
    assert codes == {"P211"}
    assert [c for c, _ in complaints("x" * 1_000_001)] == ["P211"]


def test_a_missing_file_has_no_place_and_says_which() -> None:
    def nothing(path: str) -> str:
        raise FileNotFoundError(path)

    prompt, (diagnostic,) = read_prompt("a.md.j2", nothing)
    assert prompt is None
    assert (diagnostic.code, diagnostic.span) == ("R111", None)
    assert "a.md.j2" in diagnostic.message


SAME = [
    ("{{ audience }}", "{{audience}}"),
    ("{{ audience }}", "{{ audience }}{# a comment #}"),
    ("{% block system %}", "{% block system %}\n\n"),
    ("{% endblock %}\n{%", "{% endblock %}\n\n\n{%"),
    ("max_tokens: 99", "max_tokens:   99   # why"),
    ("text: str,", "text: str, unused: int,"),
    ("audience: pupil, reply:", "unused: 3, audience: pupil, reply:"),
    ("---\n{%", "---\n{# about this file #}\n{%"),
]
DIFFERENT = [
    ("Keep all", "Keep  all"),
    ("{{ audience }}", "{{ text }}"),
    ("{{ audience }}", "{{ audience | lower }}"),
    ("{{ audience }}", "{%raw%}{{ audience }}{%endraw%}{{ audience }}"),
    ("99", "98"),
    ('"Dr. Curie"', '"Dr Curie"'),
    ('reply: "Curie"', 'reply: "Curie."'),
    ("block system", "block assistant"),
]


@pytest.mark.parametrize(("old", "new"), SAME)
def test_edits_that_change_no_turn_keep_the_identity(old: str, new: str) -> None:
    text = GOOD.replace("pupil, reply", "pupil, reply")
    edited = text.replace(old, new)
    if "unused: int" in edited:
        edited = edited.replace("audience: pupil", "audience: pupil, unused: 3")
    if "unused: 3, audience" in edited:
        edited = edited.replace("text: str,", "text: str, unused: int,")
    assert edited != text
    before, after = read(text)[0], read(edited)[0]
    assert before is not None
    assert after is not None
    assert before.canonical() == after.canonical()


@pytest.mark.parametrize(("old", "new"), DIFFERENT)
def test_edits_that_change_a_turn_change_the_identity(old: str, new: str) -> None:
    before, after = read(GOOD)[0], read(GOOD.replace(old, new))[0]
    assert before is not None
    assert after is not None
    assert before.canonical() != after.canonical()


def test_an_included_text_is_identity_and_its_path_is_not() -> None:
    def canonical(path: str, text: str) -> object:
        prompt, _ = read(
            user(f"{{{{ text }}}}{{% include '{path}' %}}"), **{path.replace(".", "__"): text}
        )
        assert prompt is not None
        return prompt.canonical()

    assert canonical("a.md", "one") == canonical("b.md", "one")
    assert canonical("a.md", "one") != canonical("a.md", "two")


@pytest.mark.parametrize("text", ["str", "int?", "list[str]", "list[list[float?]]?", "bool"])
def test_types_read_what_they_show(text: str) -> None:
    assert str(read_type(text)) == text


def test_types_refuse_the_rest() -> None:
    assert read_type("list[str]") == list_of(STR)
    for text in ("", "strings", "list", "list[]", "list[" * 99 + "str" + "]" * 99, "str??"):
        assert read_type(text) is None
