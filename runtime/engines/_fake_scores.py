"""What the `fake` engine says where it scores: functions of the texts, a little like the truth.

An embedding counts hashed words, so that like texts lie near each other; entailment is the share of
the second text's words that the first has, and a `not` in one of them alone contradicts.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from ..requests import Message
from ..scoring.wire import (
    Entailment,
    entailment_reply,
    score_reply,
    text_of,
    texts_of,
    vector_reply,
)

TASKS = ("generate", "reward", "score", "nli", "embed")

_DIMENSIONS = 64
_WORD = re.compile(r"\w+")
_NOT = frozenset({"not", "no", "never"})


def scores(task: str, messages: Sequence[Message]) -> str:
    """The reply of a model with this task. Raises `EngineError` for messages of another shape."""
    match task:
        case "reward":
            said = "\0".join(f"{m.role}\0{m.content}" for m in messages)
            return score_reply(6 * _share(said) - 3)
        case "score":
            return score_reply(_share("\0".join(texts_of(messages))))
        case "nli":
            return entailment_reply(_entailment(*texts_of(messages)))
        case _:
            return vector_reply(_vector(text_of(messages)))


def _entailment(premise: str, hypothesis: str) -> Entailment:
    given, said = _words(premise), _words(hypothesis)
    share = sum(word in given for word in said) / len(said) if said else 1.0
    if bool(_NOT & {*given}) != bool(_NOT & {*said}) and share > 0.5:
        return Entailment(0.05, round(1 - share, 6), round(share - 0.05, 6))
    return Entailment(round(share, 6), round(1 - share, 6), 0.0)


def _vector(text: str) -> list[float]:
    counts = [0.0] * _DIMENSIONS
    for word in _words(text):
        counts[_digest(word)[0] % _DIMENSIONS] += 1.0
    size = sum(c * c for c in counts) ** 0.5
    return [c / size if size else 0.0 for c in counts]


def _words(text: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(text)]


def _share(text: str) -> float:
    """A number in [0, 1), decided by the text."""
    return int.from_bytes(_digest(text), "big") / 2**64


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
