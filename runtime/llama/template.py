"""Render a model's chat template as its tokenizer's authors meant it.

Templates come with model files, so they run in Jinja's immutable sandbox. Settings and helpers are
those that Hugging Face transformers documents for chat templates.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ..requests import EngineError, Message, begun_of

if TYPE_CHECKING:
    from jinja2 import Template

CHATML = (
    "{% for m in messages %}"
    "{{ '<|im_start|>' + m['role'] + '\\n' + m['content'] + '<|im_end|>\\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
"""What llama.cpp falls back to when a model file brings no template."""


def go_on(opened: str, begun: str) -> str:
    """A prompt that has opened the assistant's turn, with what its reply begins with.

    The beginning stands there to the letter, as if the model had written it: many templates trim
    what they are given as a turn.

    Raises:
        EngineError: `template`, if the template opens a thought, which is no place for a reply.
    """
    if begun and opened.rstrip().endswith("<think>") and "</think>" not in begun:
        raise EngineError(
            "template",
            "the model's chat template opens a thought, and the prompt's assistant block would "
            "stand inside it; give the model `thinking: false`, or leave that block out",
            retryable=False,
        )
    return opened + begun


def render_chat(template: str, messages: Sequence[Message], *, bos: str = "", eos: str = "") -> str:
    """The prompt that opens the assistant's turn after `messages`, or goes on with it.

    Raises:
        EngineError: `template`, if the model's template refuses these messages.
    """
    from jinja2 import TemplateError

    begun = begun_of(messages)
    turns = [{"role": m.role, "content": m.content} for m in messages[: -1 if begun else None]]
    try:
        opened = _compiled(template).render(
            messages=turns, add_generation_prompt=True, bos_token=bos, eos_token=eos, tools=None
        )
    except (
        TemplateError,
        ArithmeticError,
        LookupError,
        RuntimeError,
        TypeError,
        ValueError,
    ) as wrong:
        raise EngineError(
            "template", f"the model's chat template refuses the messages: {wrong}", retryable=False
        ) from wrong
    return go_on(opened, begun)


@lru_cache(maxsize=16)
def _compiled(source: str) -> Template:
    from jinja2 import TemplateError, nodes
    from jinja2.ext import Extension, loopcontrols
    from jinja2.parser import Parser
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Generation(Extension):
        """`{% generation %}` marks the assistant's words for training; here it is transparent."""

        tags = {"generation"}  # noqa: RUF012 (Jinja's own interface)

        def parse(self, parser: Parser) -> list[nodes.Node]:
            next(parser.stream)
            return parser.parse_statements(("name:endgeneration",), drop_needle=True)

    def raise_exception(message: str) -> None:
        raise TemplateError(message)

    def to_json(value: Any, indent: int | None = None) -> str:
        return json.dumps(value, ensure_ascii=False, indent=indent)

    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols]
    )
    environment.filters["tojson"] = to_json
    environment.globals["raise_exception"] = raise_exception
    environment.globals["strftime_now"] = lambda form: datetime.now().strftime(form)
    return environment.from_string(source)
