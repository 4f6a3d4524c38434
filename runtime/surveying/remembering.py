"""A tokenizer that counts no text twice: a row is settled, and its prompts are rendered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import xxhash

from .effort import Effort

if TYPE_CHECKING:
    from ..engines.base import Tokens
    from ..requests import Message


@dataclass(frozen=True, slots=True)
class Remembering:
    """Meets `engines.base.Tokens`; notes the work of what it has to count."""

    tokens: Tokens
    effort: Effort = field(default_factory=Effort)
    _seen: dict[bytes, int] = field(default_factory=dict)

    def count(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, no special tokens added."""
        keys = [_digest("t", text) for text in texts]
        new = {k: text for k, text in zip(keys, texts, strict=True) if k not in self._seen}
        if new:
            self.effort.tokenising(sum(map(len, new.values())))
            counted = self.tokens.count(list(new.values()))
            self._seen.update(zip(new, counted, strict=True))
        return [self._seen[k] for k in keys]

    def count_chat(self, chats: Sequence[Sequence[Message]]) -> list[int]:
        """Prompt tokens of each conversation, chat template and generation prompt included."""
        keys = [_digest("c", *(p for m in chat for p in (m.role, m.content))) for chat in chats]
        new = {k: chat for k, chat in zip(keys, chats, strict=True) if k not in self._seen}
        if new:
            size = sum(len(m.content) for chat in new.values() for m in chat)
            self.effort.tokenising(size, len(new))
            counted = self.tokens.count_chat(list(new.values()))
            self._seen.update(zip(new, counted, strict=True))
        return [self._seen[k] for k in keys]

    @property
    def special(self) -> tuple[str, ...]:
        """Control tokens of the chat template."""
        return self.tokens.special


def _digest(kind: str, *parts: str) -> bytes:
    made = xxhash.xxh3_128(kind.encode())
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        made.update(len(data).to_bytes(8, "little"))
        made.update(data)
    return made.digest()
