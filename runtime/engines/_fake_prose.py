"""`fake/prose`: replies of lognormal length that are right in a known share of cases.

Its settings stand behind its name, `fake/prose:tokens=200,sigma=0.6,right=0.7`, since they decide
what it replies. It stands for a real model where estimates are held against what really comes:
`mashbill plan` is never told these settings, and draws nothing from the streams used here.
"""

from __future__ import annotations

import hashlib
import math
import re
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

from ..requests import EngineError, Request
from ._estimate import size_of

SHAPES = ("plain", "boxed", "code")
WRONG = "Sure, here it is: "
"""What a plain reply begins with that is not right."""
_NUMBER = re.compile(r"-?\d+")
_WORDS = ("kettle", "river", "stone", "light", "green", "paper", "seven", "north", "glass", "wind")
_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Prose:
    """How replies come out.

    Attributes:
        tokens: Mean tokens of a reply, whatever it is asked; None for `ratio`.
        ratio: Mean tokens of a reply by token of the last user message.
        sigma: Spread of the logarithm of a reply's length.
        right: Share of replies that are right.
        uneven: Spread of the logit of that share from prompt to prompt.
        shape: `plain`; `boxed` or `code` with the last number of the prompt in it.
    """

    tokens: float | None = None
    ratio: float = 1.0
    sigma: float = 0.5
    right: float = 1.0
    uneven: float = 0.0
    shape: str = "plain"

    @classmethod
    def of(cls, settings: str) -> Prose:
        """Read `tokens=200,sigma=0.6`. Raises `EngineError` for what makes no sense."""
        given: dict[str, Any] = {}
        for setting in filter(None, settings.split(",")):
            key, _, value = setting.partition("=")
            known = key in cls.__dataclass_fields__
            given[key] = value if key == "shape" else _number(value)
            sound = value in SHAPES if key == "shape" else given[key] is not None
            if not known or not sound or (key == "right" and given[key] > 1):
                wanted = f"`shape` is {', '.join(SHAPES)}; others are numbers from 0 on"
                names = ", ".join(cls.__dataclass_fields__)
                message = f"fake/prose: {setting!r} is no setting; there are {names}; {wanted}"
                raise EngineError("missing", message, retryable=False)
        return cls(**given)

    def reply(self, key: bytes, request: Request) -> str:
        """The reply to a request whose key this is."""
        asked = next((m.content for m in reversed(request.messages) if m.role == "user"), "")
        mean = self.tokens if self.tokens is not None else self.ratio * size_of(asked)
        noise = _NORMAL.inv_cdf(_draw(key, "length"))
        length = max(1, round(mean * math.exp(self.sigma * noise - self.sigma**2 / 2)))
        right = _draw(key, "right") < self._chance(request)
        if self.shape == "plain":
            return _babble(key, length) if right else WRONG + _babble(key, max(1, length - 4))
        number = int((_NUMBER.findall(asked) or ["0"])[-1]) + (not right)
        if self.shape == "boxed":
            return f"{_babble(key, max(1, length - 4))}\n\\boxed{{{number}}}"
        thought = _babble(key, max(1, length - 12))
        return f"{thought}\n\n```python\ndef answer():\n    return {number}\n```"

    def _chance(self, request: Request) -> float:
        """Share of the replies to these messages that are right."""
        if not self.uneven or not 0 < self.right < 1:
            return self.right
        words = "\0".join(m.content for m in request.messages)
        prompt = hashlib.blake2b(words.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        logit = math.log(self.right / (1 - self.right))
        shift = self.uneven * _NORMAL.inv_cdf(_draw(prompt, "difficulty"))
        return 1 / (1 + math.exp(-(logit + shift)))


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 <= value < math.inf else None


def _babble(key: bytes, tokens: int) -> str:
    """So many tokens of words, by the rule of `_estimate`."""
    at = key[0]
    words: list[str] = []
    left = tokens
    while left > 0:
        word = _WORDS[at % len(_WORDS)]
        words.append(word if left > 1 else word[:4])
        left -= (len(words[-1]) + 3) >> 2
        at += 1 + key[at % len(key)] % 3
    return " ".join(words)


def _draw(key: bytes, purpose: str) -> float:
    """A number in (0, 1), decided by the key and what it is for."""
    digest = hashlib.blake2b(purpose.encode(), digest_size=8, key=key).digest()
    return (int.from_bytes(digest, "big") + 0.5) / 2**64
