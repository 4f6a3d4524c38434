"""Rendering: what a row becomes, and what it can never do to the turns."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mashbill.compiler.prompts import PromptFile, read_prompt
from mashbill.runtime import prompting
from mashbill.runtime.control_tokens import BREAK, breaker, neutralise, restore
from mashbill.runtime.prompting import Renderer, RenderError
from mashbill.runtime.requests import Message

TOKENIZERS = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "tokenizers"


def prompt_of(text: str, **files: str) -> PromptFile:
    known = {"p": text, **{k.replace("__", "."): v for k, v in files.items()}}
    prompt, diagnostics = read_prompt("p", known.__getitem__)
    assert prompt is not None, diagnostics
    return prompt


def user(body: str, inputs: str = "text: str") -> str:
    return f"---\ninputs: {{ {inputs} }}\n---\n{{% block user %}}{body}{{% endblock %}}\n"


def render(body: str, values: Mapping[str, Any], inputs: str = "text: str", **files: str) -> str:
    (message,) = Renderer(prompt_of(user(body, inputs), **files)).messages(values)
    return message.content


BOOK = """---
inputs: { text: str, audience: str }
examples:
  - { text: "Dr. Curie won.", audience: pupil, reply: "Curie won a prize." }
  - { text: "It rains.", audience: expert, reply: "Rain falls." }
---
{% block system %}

Rewrite for a {{ audience }}.

{% endblock %}
{% block user %}
{{ text }}
{% endblock %}
{% block assistant %}Rewritten:{% endblock %}
"""


def test_the_turns_come_in_order() -> None:
    messages = Renderer(prompt_of(BOOK)).messages({"text": "Snow fell.", "audience": "student"})
    assert messages == (
        Message("system", "Rewrite for a student."),
        Message("user", "Dr. Curie won."),
        Message("assistant", "Curie won a prize."),
        Message("user", "It rains."),
        Message("assistant", "Rain falls."),
        Message("user", "Snow fell."),
        Message("assistant", "Rewritten:"),
    )


def test_a_bare_prompt_is_one_turn() -> None:
    assert Renderer(prompt_of(user("{{ text }}"))).messages({"text": "x"}) == (
        Message("user", "x"),
    )


def test_examples_are_drawn_per_row_and_stay_drawn() -> None:
    rows = "".join(f'{{"text": "q{i}", "reply": "r{i}"}}\n' for i in range(9))
    head = user("{{ text }}").replace("---\n{%", "examples: { file: ex.jsonl, k: 3 }\n---\n{%")
    renderer = Renderer(prompt_of(head, ex__jsonl=rows))

    def drawn(key: str | None) -> list[str]:
        turns = renderer.messages({"text": "x"}, key)
        assert [t.role for t in turns] == ["user", "assistant"] * 3 + ["user"]
        pairs = list(zip(turns[0:6:2], turns[1:6:2], strict=True))
        assert all(q.content[1:] == a.content[1:] for q, a in pairs)
        return [q.content for q, _ in pairs]

    assert drawn(None) == ["q0", "q1", "q2"]
    assert drawn("row 1") == drawn("row 1")
    draws = [drawn(f"row {i}") for i in range(60)]
    assert all(len(set(d)) == 3 for d in draws)
    assert {q for d in draws for q in d} == {f"q{i}" for i in range(9)}
    assert {d[0] for d in draws} == {f"q{i}" for i in range(9)}, "the order is drawn as well"


@pytest.mark.parametrize(
    ("body", "values", "inputs", "expected"),
    [
        ("[{{ x }}]", {"x": None}, "x: str?", "[]"),
        ("{{ x }}", {"x": True}, "x: bool", "true"),
        ("{{ x }}", {"x": 3.0}, "x: float", "3.0"),
        ("{{ x }}", {"x": ["a", None, 1]}, "x: any", '["a",null,1]'),
        ("{{ x | join(', ') }}", {"x": ["a", None, "b"]}, 'x: "list[str]"', "a, b"),
        ("[{{ x | trim }}{{ x | upper }}{{ x | length }}]", {"x": None}, "x: str?", "[]"),
        ("{{ x | length }}{{ x | trim | upper }}", {"x": " a "}, "x: str", "3A"),
        ("{{ x.a.b }}{{ x.a.c }}", {"x": {"a": {"b": 1}}}, "x: { a: { b: int, c: int? } }", "1"),
        ("{{ x.items }}", {"x": {"items": "mine"}}, "x: { items: str }", "mine"),
        ("[{{ x[5] }}{{ x[0] }}]", {"x": ["a"]}, 'x: "list[str]"', "[a]"),
        ("{{ input.text }}", {"input.text": "was"}, "input.text: str", "was"),
        ("{% if x is none %}no{% else %}{{ x }}{% endif %}", {"x": None}, "x: str?", "no"),
        ("{{ 'a' if x else 'b' }}", {"x": ""}, "x: str", "b"),
        (
            "{% for t in x %}\n{{ loop.index }}. {{ t }}{% if not loop.last %};{% endif %}\n\n"
            "{% endfor %}",
            {"x": ["p", "q"]},
            'x: "list[str]"',
            "1. p;\n2. q",
        ),
    ],
)  # fmt: skip
def test_values_render_as_a_reader_expects(
    body: str, values: dict[str, Any], inputs: str, expected: str
) -> None:
    assert render(body, values, inputs) == expected


def test_text_is_never_a_template_nor_html() -> None:
    text = "{{ 7 * 7 }} {% raw %} <b> & 'x' \"y\" {# z #}"
    assert render("{{ text }}", {"text": text}) == text


def test_edges_are_trimmed_and_the_middle_is_not() -> None:
    assert render("\n\n  a\n\n{{ text }}\n \n", {"text": "b"}) == "  a\n\nb"


def test_line_ends_of_the_file_do_not_reach_the_model() -> None:
    text = BOOK.replace("Rewrite for", "Line one.\nRewrite for")
    values = {"text": "x", "audience": "y"}
    windows = Renderer(prompt_of(text.replace("\n", "\r\n"))).messages(values)
    assert windows == Renderer(prompt_of(text)).messages(values)


def test_includes_see_the_row_and_the_loop() -> None:
    body = "{% for t in tags %}{% include 'one.md' %}{% endfor %}"
    inputs = 'text: str, tags: "list[str]"'
    values = {"text": "T", "tags": ["a", "b"]}
    assert render(body, values, inputs, one__md="{{ t }}{{ text }} ") == "aT bT "


def test_a_row_that_cannot_be_rendered_says_why() -> None:
    renderer = Renderer(prompt_of(user("{{ text }}")))
    with pytest.raises(RenderError, match="no `text`"):
        renderer.messages({"txt": "x"})
    compare = Renderer(prompt_of(user("{% if n > 3 %}x{% endif %}", "'n': int?")))
    with pytest.raises(RenderError, match="not supported"):
        compare.messages({"n": None})


def test_output_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prompting, "MAX_CHARACTERS", 1_000)
    body = "{% for a in x %}{% for b in x %}{{ a }}{% endfor %}{% endfor %}"
    renderer = Renderer(prompt_of(user(body, 'x: "list[str]"')))
    assert len(renderer.messages({"x": ["ab"] * 20})[0].content) == 800
    with pytest.raises(RenderError, match="longer than"):
        renderer.messages({"x": ["ab"] * 10_000})


SPECIAL = ("<|im_end|>", "<END>", "[INST]", "</s>", "<a><b>", "<b>|x")


def test_control_tokens_of_a_row_are_broken_and_those_of_the_prompt_are_not() -> None:
    head = BOOK.replace("Rewrite for", "<|own|> Rewrite for").replace("won.", "won.<|ex|>")
    renderer = Renderer(prompt_of(head), SPECIAL)
    turns = renderer.messages({"text": "a <END> <|im_end|>", "audience": "[INST]</s>"})
    assert turns[0].content == f"<|own|> Rewrite for a [{BREAK}INST]<{BREAK}/s>."
    assert turns[1].content == "Dr. Curie won.<|ex|>"
    assert turns[-2].content == f"a <{BREAK}END> <{BREAK}|im_end|>"


@pytest.mark.parametrize(
    ("body", "values", "inputs"),
    [
        ("{{ a }}{{ b }}", {"a": "<|im_", "b": "end|>"}, "a: str, b: str"),
        ("<|{{ a }}", {"a": "im_end|>"}, "a: str"),
        ("{{ a | lower }}", {"a": "<|IM_END|>"}, "a: str"),
        ("{{ a | join }}", {"a": ["<|im_", "end|>"]}, 'a: "list[str]"'),
        ("{{ a.b }}{{ c }}", {"a": {"b": "</"}, "c": "s>"}, "a: { b: str }, c: str"),
        ("{{ a }}", {"a": [{"k": "<|im_end|>"}]}, "a: any"),
        ("{% for x in a %}{{ x }}{% endfor %}", {"a": list("<|im_end|>")}, 'a: "list[str]"'),
    ],
)
def test_tokens_made_only_by_rendering_are_broken_too(
    body: str, values: dict[str, Any], inputs: str
) -> None:
    text = render(body, values, inputs)
    assert BREAK in text
    assert not any(token in text for token in SPECIAL)


PARTS = [
    "<",
    "|",
    "im_end",
    "|>",
    "<|",
    "[INST]",
    "</s>",
    "<END>",
    "<a>",
    "<b>",
    "|x",
    "s",
    "｜",
    " ",
]
texts = st.lists(st.sampled_from(PARTS), max_size=14).map("".join)


@given(texts)
def test_nothing_that_is_left_can_be_a_token(text: str) -> None:
    once = neutralise(text, SPECIAL)
    assert not any(token in once for token in SPECIAL)
    assert neutralise(once, SPECIAL) == once
    assert once.replace(BREAK, "") == text
    assert restore(once, SPECIAL) == text


@given(st.lists(texts, min_size=2, max_size=4))
def test_whatever_the_values_no_turn_holds_a_token(values: list[str]) -> None:
    names = [f"v{i}" for i in range(len(values))]
    body = "".join(f"{{{{ {name} }}}}" for name in names)
    prompt = prompt_of(user(body, ", ".join(f"{n}: str" for n in names)))
    (turn,) = Renderer(prompt, SPECIAL).messages(dict(zip(names, values, strict=True)))
    assert not any(token in turn.content for token in SPECIAL)


def test_thousands_of_reserved_tokens_are_known_each() -> None:
    special = [*(f"<spare{i}>" for i in range(0, 6_000, 2)), "<spare>", "§§a", "§§ab"]
    break_tokens = breaker(special)
    for token in special:
        text = f"x{token}y"
        assert break_tokens(text, [(0, len(text))]) == f"x{token[0]}{BREAK}{token[1:]}y"
    other = "<spar> §a <u"
    assert neutralise(other, special) == other
    assert restore(neutralise("§§ab<spare44>", special), special) == "§§ab<spare44>"


def test_a_zero_width_space_of_the_text_itself_stays() -> None:
    assert restore("a\u200bb <\u200b|im_end|>") == "a\u200bb <|im_end|>"


def test_a_real_tokenizer_reads_no_control_token() -> None:
    path = TOKENIZERS / "mistral.tokenizer.json.gz"
    if not path.exists():
        pytest.skip("shared data is not here: tokenizers/mistral.tokenizer.json.gz")
    import gzip

    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_str(gzip.decompress(path.read_bytes()).decode())
    ids = {tokenizer.token_to_id(t) for t in ("<s>", "</s>", "<unk>")}
    text = "quoted </s> and <s> and <unk>"
    assert ids & set(tokenizer.encode(text, add_special_tokens=False).ids)
    safe = tokenizer.encode(neutralise(text), add_special_tokens=False).ids
    assert not ids & set(safe)
