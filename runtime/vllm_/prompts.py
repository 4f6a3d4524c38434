"""Prompts as tokens: by the model's own tokenizer and chat template, once for all siblings."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ..llama.template import go_on
from ..requests import EngineError, Message, begun_of

_KEPT = 512


@dataclass(slots=True)
class Prompts:
    """Turns messages into tokens, and remembers the last ones.

    Attributes:
        tokenizer: As vLLM has loaded it.
        thinking: What the template is told about thinking; None leaves it to the template.
        plain: Whether a prompt is one text to go on with, not turns of a chat.
    """

    tokenizer: Any
    thinking: bool | None = None
    plain: bool = False
    _kept: OrderedDict[tuple[Message, ...], list[int]] = field(default_factory=OrderedDict)

    def tokens(self, messages: tuple[Message, ...]) -> list[int]:
        """Token ids of a prompt, the opening of the reply included. Raises `EngineError`."""
        found = self._kept.get(messages)
        if found is not None:
            self._kept.move_to_end(messages)
            return found
        found = self._encode(messages)
        self._kept[messages] = found
        if len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return found

    def conversation(self, messages: Sequence[Message]) -> list[int]:
        """Token ids of a conversation that is finished, for a model that rates it."""
        return list(self._chat(messages, opened=False))

    def pair(self, question: str, document: str) -> list[int]:
        """Token ids of a pair of texts, as models that compare two texts read them."""
        return list(self.tokenizer(question, text_pair=document)["input_ids"])

    def text(self, text: str) -> list[int]:
        """Token ids of a text by itself, as models that embed read it."""
        return list(self.tokenizer(text)["input_ids"])

    def _encode(self, messages: Sequence[Message]) -> list[int]:
        if self.plain:
            if len(messages) != 1 or messages[0].role != "user":
                raise EngineError(
                    "request",
                    "a model with `api: completion` goes on with one text; "
                    "leave only the user block in the prompt, or write `api: chat`",
                    retryable=False,
                )
            return list(self.tokenizer.encode(messages[0].content))
        if begun := begun_of(messages):
            return self._begun(messages[:-1], begun)
        return list(self._chat(messages, opened=True))

    def _begun(self, messages: Sequence[Message], begun: str) -> list[int]:
        """Token ids of a prompt that begins the reply: by the template, then to the letter."""
        opened = self._chat(messages, opened=True, tokenize=False)
        if not isinstance(opened, str):
            raise EngineError(
                "template",
                "this model's tokenizer renders no text that a reply could be begun in; "
                "leave the assistant block out of the prompt",
                retryable=False,
            )
        text = go_on(opened, begun)
        return list(self.tokenizer.encode(text, add_special_tokens=False))

    def _chat(self, messages: Sequence[Message], *, opened: bool, tokenize: bool = True) -> Any:
        options: dict[str, Any] = {"add_generation_prompt": opened}
        if self.thinking is not None:
            options["enable_thinking"] = self.thinking
        turns = [{"role": m.role, "content": m.content} for m in messages]
        try:
            return self.tokenizer.apply_chat_template(
                turns, tokenize=tokenize, return_dict=False, **options
            )
        # A template may raise whatever its author meant it to: it is code that came with a model.
        except Exception as wrong:
            raise EngineError(
                "template",
                f"the model's chat template refuses the messages: {wrong}",
                retryable=False,
            ) from wrong
