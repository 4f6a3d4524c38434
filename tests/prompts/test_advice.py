"""Warnings about prompts that can be used as they are: few, and none for what is well written."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mashbill.compiler.prompts.use import overflow

from .reading import good, places, said, user


def codes(text: str, **facts: Any) -> list[str]:
    return [d.code for d in said(text, **facts)]


@pytest.mark.parametrize(
    "body",
    [
        "{{ text }}",
        "\n{{ text | trim }}\n",
        "Rewrite this:\n\n{{ text }}",
        "Rewrite this.\n\n{{ text }}\n\nKeep all facts.",
        "Text:\n{{ text }}\nSummary:",
        "Text: {{ text }}",
        "**Problem:** {{ text }}\n",
        "<text>\n{{ text }}\n</text>\nSummarise it.",
        'Summarise the <text lang="en">{{ text }}</text> above.',
        "Say what “{{ text }}” means.",
        "```\n{{ text }}\n```\nWhat does it print?",
        "### Text\n{{ text }}\n### Answer\n",
        "---\n{{ text }}\n---\nSummarise.",
        '"""\n{{ text }}\n"""\nSummarise.',
        "> {{ text }}\nSummarise.",
        "{% if text %}<t>{{ text }}</t>{% endif %} Go.",
        "{{ text | length }} characters; {{ 'long' if text == 'x' else 'short' }}.",
        "<a>\n{% include 'part.md' %}\n</a>",
    ],
)
def test_a_document_with_a_delimiter(body: str) -> None:
    assert [c for c, _ in places(user(body), {"part.md": "{{ text }}"})] == []


@pytest.mark.parametrize(
    "body",
    [
        "Summarise {{ text }}",
        "Summarise {{ text }} in one sentence.",
        "Summarise the text.\n{{ text }}",
        "{{ text }}\nSummarise the above.",
        "{{ text }} Summarise the above.",
        "Text: {{ text }} Summary:",
        "<text>{{ text }}\nSummarise.",
        "Go: {{ text | upper }}, now.",
        "Please read {% include 'part.md' %} and go on.",
    ],
)
def test_a_document_without_one(body: str) -> None:
    found = said(user(body), {"part.md": "{{ text }}"})
    assert [d.code for d in found] == ["P206"]


def test_other_columns_are_the_authors_own() -> None:
    assert codes(user("A text for a {{ audience }}.", "inputs: { audience: str }")) == []


def test_one_word_a_document_however_often_it_stands_there() -> None:
    assert codes(user("See {{ text }} and {{ text }} and {{ text }}.")) == ["P206"]


@pytest.mark.parametrize(
    ("system", "body", "expected"),
    [
        ("<s>You are.", "{{ text }}", [("P208", "<s>")]),
        ("", "\n<|begin_of_text|>\n\n{{ text }}", [("P208", "<|begin_of_text|>")]),
        ("<s>old</s> prices are struck", "{{ text }}", [("P208", "<s>")]),
        ("Prices: <s>3</s>", "{{ text }}", []),
        ("You <think>.", "<tool_call>\n\n{{ text }}", []),
        ("", "<|im_start|>user\n\n{{ text }}\n\n<|im_end|>",
         [("P214", "<|im_start|>"), ("P214", "<|im_end|>")]),
        ("[INST] <<SYS>>", "{{ text }}",
         [("P214", "[INST]"), ("P214", "<<SYS>>")]),
        ("", "<｜User｜>\n\n{{ text }}", [("P214", "<｜User｜>")]),
        ("a <| b |> c", "{{ text }}", []),
    ],
)  # fmt: skip
def test_control_tokens_in_the_prompts_own_words(
    system: str, body: str, expected: list[tuple[str, str]]
) -> None:
    text = user(body)
    if system:
        text = text.replace(
            "{% block user", f"{{% block system %}}{system}{{% endblock %}}\n{{% block user"
        )
    assert places(text) == expected  # fmt: skip


LONG = "Rules that never change. " * 25
TWO = "inputs: { text: str, audience: str }"


def block(system: str, user_: str) -> str:
    return (
        f"---\n{TWO}\n---\n{{% block system %}}{system}{{% endblock %}}\n"
        f"{{% block user %}}{user_}{{% endblock %}}\n"
    )


def test_a_value_before_a_long_text_that_never_changes() -> None:
    late = block(LONG + "For a {{ audience }}.", "{{ text }}")
    early = block("For a {{ audience }}. " + LONG, "{{ text }}")
    behind = block("For all.", "{{ audience }}: {{ text }}\n\n" + LONG)
    assert codes(late) == []
    assert [p for p in places(early) if p[0] == "P209"] == [("P209", "audience")]
    (found,) = [d for d in said(early) if d.code == "P209"]
    assert found.message == "`audience` varies after 6 characters, before 627 that never change"
    assert [p for p in places(behind) if p[0] == "P209"] == [("P209", "audience")]
    assert codes(early, constant={"audience"}) == []
    assert codes(early.replace(LONG, "Be brief.")) == []


def test_examples_are_part_of_what_never_changes_unless_they_are_drawn() -> None:
    row = json.dumps({"text": "a", "audience": "b", "reply": LONG}) + "\n"
    early = block("For a {{ audience }}.", "{{ text }}")
    whole = early.replace(TWO, TWO + "\nexamples: ex.jsonl")
    drawn = early.replace(TWO, TWO + "\nexamples: { file: ex.jsonl, k: 1 }")
    files = {"ex.jsonl": row * 2}
    assert [d.code for d in said(whole, files)] == ["P209"]
    assert [d.code for d in said(drawn, files)] == []


def test_text_under_a_condition_may_not_be_there() -> None:
    maybe = block(
        "For a {{ audience }}. {% if audience == 'x' %}" + LONG + "{% endif %}", "{{ text }}"
    )
    assert codes(maybe) == []  # fmt: skip


def test_the_fewest_tokens_are_the_words_that_every_call_has() -> None:
    text = block("One two{{ audience }}three. {% if text %}four{% endif %}", "Five {{ text }} six.")
    prompt = good(text)
    assert prompt.fewest_tokens == 2 + 2  # "One twothree.", "Five  six."
    examples = '\nexamples: [{ text: a, audience: b, reply: "x y z" }]'
    assert good(text.replace(TWO, TWO + examples)).fewest_tokens == 4 + 3 + 2


def test_the_bound_is_under_what_a_tokenizer_counts() -> None:
    from mashbill.runtime.engines._estimate import EstimatedTokens
    from mashbill.runtime.prompting import Renderer

    text = block(LONG, "{{ text }}, " + LONG.replace(" ", "   "))
    prompt = good(text)
    turns = Renderer(prompt).messages({"text": "", "audience": ""})
    assert 0 < prompt.fewest_tokens <= sum(len(t.content.split()) for t in turns)
    assert prompt.fewest_tokens <= EstimatedTokens().count_chat([turns])[0]


def test_overflow() -> None:
    from mashbill.compiler.document import Map, parse_document

    node, _ = parse_document("{ context: 150, slots: 2 }", "recipe.yaml")
    assert isinstance(node, Map)
    prompt = good(user("word " * 100 + "\n\n{{ text }}"))
    span = node.span
    assert list(overflow(prompt, 50, "m", node, span)) == []
    (found,) = overflow(prompt, 51, "m", node, span)
    assert found.code == "P205"
    assert found.message == "no prompt fits: 151 tokens or more, and `m` holds 150"
    assert [s.span.start for s in found.secondary] == [len("{ context: ")]
    assert list(overflow(prompt, 51, "m", None, span)) == []
