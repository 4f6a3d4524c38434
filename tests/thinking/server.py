"""A server on loopback whose model thinks before it replies, and how it reports that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal
from zlib import crc32

from tests.guarding.server import Server, serving

Report = Literal["details", "apart", "whole", "text", "none"]
"""`details`: as the protocol has it. `apart`: thoughts on top of `completion_tokens`, named in the
details. `whole`: in `total_tokens` alone. `text`: the thoughts themselves, uncounted. `none`: the
model does not think."""


PROBE = "Say one word."


@dataclass
class Thinker(Server):
    """A server whose model thinks, some times as long as it replies.

    Attributes:
        report: What it says of thoughts.
        times: Hidden tokens for each visible one.
        hidden: Tokens that it has thought so far, of all but probes.
        visible: Tokens that it has replied so far, likewise.
        counts: Whether it sends counts at all.
        sums: Whether it sends `total_tokens`.
        heeds: Whether `enable_thinking: false` switches thoughts off.
    """

    report: Report = "details"
    times: int = 23
    hidden: int = 0
    visible: int = 0
    counts: bool = True
    sums: bool = True
    heeds: bool = True

    def answer(self, body: Mapping[str, Any], token: str | None) -> tuple[int, Mapping[str, Any]]:
        """A reply of 4 to 8 words, by the prompt, and what was thought before."""
        status, made = super().answer(body, token)
        if status != 200:
            return status, made
        said = crc32(str(body["messages"]).encode()) % 5 + 4
        off = self.heeds and body.get("chat_template_kwargs") == {"enable_thinking": False}
        thought = 0 if self.report == "none" or off else said * self.times
        if body["messages"][-1]["content"] != PROBE:
            self.visible += said
            self.hidden += thought
        message = {"role": "assistant", "content": " ".join(["yes"] * said)}
        usage: dict[str, Any] = {"prompt_tokens": 11, "completion_tokens": said + thought}
        if thought and self.report == "text":
            message["reasoning_content"] = " ".join(["hmm"] * thought)
        elif thought and self.report == "whole":
            usage |= {"completion_tokens": said, "total_tokens": 11 + said + thought}
        elif thought:
            usage["completion_tokens_details"] = {"reasoning_tokens": thought}
            usage["total_tokens"] = 11 + said + thought
            if self.report == "apart":
                usage["completion_tokens"] = said
        if not self.sums:
            del usage["total_tokens"]
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return 200, {"choices": [choice], "usage": usage if self.counts else {}}


@contextmanager
def thinking(server: Thinker) -> Iterator[Thinker]:
    """Serve it; `url` says where."""
    with serving(server):
        yield server
