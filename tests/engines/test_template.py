from __future__ import annotations

import pytest

from mashbill.runtime.llama.template import CHATML, render_chat
from mashbill.runtime.requests import EngineError, Message

TURNS = (Message("system", "Be brief."), Message("user", "{{ 1 }} <b>"))


def test_the_fallback_is_chatml() -> None:
    assert render_chat(CHATML, TURNS) == (
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n{{ 1 }} <b><|im_end|>\n"
        "<|im_start|>assistant\n"
    )


def test_blocks_leave_no_white_space_of_their_own() -> None:
    template = (
        "{% for m in messages %}\n    {% if true %}\n{{ m.role }}\n    {% endif %}\n{% endfor %}\n"
    )
    assert render_chat(template, TURNS) == "system\nuser\n"


def test_helpers_that_templates_expect() -> None:
    template = (
        "{{ bos_token }}{{ messages[1].content | tojson }}"
        "{% generation %}g{% endgeneration %}"
        "{% for m in messages %}{% if loop.index == 2 %}{% break %}{% endif %}x{% endfor %}"
        "{{ strftime_now('%Y') | length }}{{ eos_token }}{{ add_generation_prompt }}"
    )
    assert render_chat(template, TURNS, bos="<s>", eos="</s>") == ('<s>"{{ 1 }} <b>"gx4</s>True')


@pytest.mark.parametrize(
    "template",
    [
        "{{ raise_exception('no system role') }}",
        "{% for %}",
        "{{ messages[0].content.__class__.__mro__[1].__subclasses__() }}",
        "{{ messages.append(1) }}",
        "{{ 1 / 0 }}",
        "{{ nothing.at.all }}",
    ],
)
def test_what_a_template_may_not_do_or_refuses(template: str) -> None:
    with pytest.raises(EngineError) as caught:
        render_chat(template, TURNS)
    assert (caught.value.kind, caught.value.retryable) == ("template", False)


def test_what_the_prompt_begins_stands_behind_the_opening_to_the_letter() -> None:
    begun = (*TURNS, Message("assistant", " ```python\ndef f(): "))
    assert render_chat(CHATML, begun) == render_chat(CHATML, TURNS) + " ```python\ndef f(): "
    trims = CHATML.replace("m['content']", "m['content'] | trim")
    assert render_chat(trims, begun).endswith(" ```python\ndef f(): ")
    again = (*begun, Message("user", "Go on."))
    assert render_chat(CHATML, again).endswith("<|im_end|>\n<|im_start|>assistant\n"), (
        "it has ended"
    )


def test_a_thought_is_no_place_for_a_reply() -> None:
    thinks = CHATML.replace("assistant\\n'", "assistant\\n<think>\\n'")
    with pytest.raises(EngineError, match="thinking: false") as caught:
        render_chat(thinks, (*TURNS, Message("assistant", "So:")))
    assert (caught.value.kind, caught.value.retryable) == ("template", False)
    ended = Message("assistant", "</think>\n\nSo:")
    assert render_chat(thinks, (*TURNS, ended)).endswith("<think>\n</think>\n\nSo:")
