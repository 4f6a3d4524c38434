"""How a chat server is told to go on from what a prompt begins of the reply.

The protocol has no word for it. What servers know by default is another turn: the model then
answers anew, and what the prompt began would be put before a reply that has its own beginning. So
a server is asked to repeat the beginning, which shows that it went on from it, and which is cut
off again: the reply is what follows, on every engine.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ..requests import EngineError


@dataclass(frozen=True, slots=True)
class Prefill:
    """One way to ask.

    Attributes:
        fields: Sent with the request.
        turn: Sent with its last turn.
        repeats: Whether the reply begins with what the prompt began.
    """

    fields: Mapping[str, Any] = field(default_factory=dict)
    turn: Mapping[str, Any] = field(default_factory=dict)
    repeats: Literal["always", "maybe", "never"] = "never"


_OPEN: Mapping[str, Any] = {"add_generation_prompt": False, "continue_final_message": True}

PREFILLS: Mapping[str, Prefill] = {
    "echo": Prefill(fields={**_OPEN, "echo": True}, repeats="always"),
    "continue": Prefill(fields=_OPEN),
    "prefix": Prefill(turn={"prefix": True}, repeats="maybe"),
    "last": Prefill(),
}
"""By name: as vLLM and llama.cpp know it; the same where nothing is repeated (SGLang); a mark of
the turn (Mistral, DeepSeek); nothing, for servers that go on from a last turn by themselves."""

_HOW = "placement.prefill of the model says how ({}), or leave out the prompt's assistant block"
_REFUSES = re.compile(
    r"continue_final_message|add_generation_prompt|\becho\b|\bprefix\b|prefill"
    r"|assistant (message|turn)|last (message|role|turn)|final (message|turn)",
    re.IGNORECASE,
)
"""How servers say that they do not go on from an assistant's turn, or not if asked so."""


def rest_of(prefill: Prefill, begun: str, text: str) -> str:
    """The reply without the beginning that was the prompt's.

    Raises:
        EngineError: `prefill`, if it shows that the server did not go on from it.
    """
    if prefill.repeats == "never":
        return text
    if text.startswith(begun):
        return text[len(begun) :]
    if prefill.repeats == "maybe" or not text:
        return text  # nothing at all: the limit was reached while the model was still thinking
    others = ", ".join(name for name in PREFILLS if PREFILLS[name] is not prefill)
    raise EngineError(
        "prefill",
        "nothing shows that the server went on from what the prompt begins of the reply: "
        + _HOW.format(others),
        retryable=False,
    )


def refused(error: EngineError) -> EngineError:
    """The error of a request that begins the reply: `prefill` if that was the reason."""
    if error.kind not in ("status-400", "status-422") or not _REFUSES.search(str(error)):
        return error
    words = f"{error}; {_HOW.format(', '.join(PREFILLS))}"
    return EngineError("prefill", words, retryable=False)
