"""A model that solves problems as often as the problem says, as one more `fake` engine.

A problem reads `Problem 7: right 0.60 of 5 answers.`: 0.60 of the draws answer `7`, the others one
of four wrong answers, the first of them most often (in proportion to 1, 1/2, 1/3, 1/4).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from mashbill.runtime.engines import fake
from mashbill.runtime.requests import EngineError, Request

PROMPT = """\
---
inputs: { text: str }
reply: { reasoning: text, answer: boxed }
---
{% block user %}{{ text }} Write the answer in \\boxed{}.{% endblock %}
"""

FAILING: list[Callable[[Request], bool]] = []
"""The last of them says which requests fail for good."""

_PROBLEM = re.compile(r"Problem (\d+): right ([\d.]+) of (\d+) answers")


def problem(number: int, right: float, answers: int = 5) -> str:
    """The text of a problem."""
    return f"Problem {number}: right {right:.2f} of {answers} answers."


def solve(key: bytes, request: Request) -> str:
    """A chain of thought and its answer: a pure function of the request."""
    if FAILING and FAILING[-1](request):
        raise EngineError("status-500", "a fault that was asked for", retryable=False)
    found = _PROBLEM.search(request.messages[-1].content)
    assert found, request
    number, right, answers = int(found[1]), float(found[2]), int(found[3])
    drawn = int.from_bytes(key[:8], "big") / 2**64
    words = " ".join(["so"] * (1 + key[8] % 40))
    return f"Let me think, {words}. \\boxed{{{number + _miss(drawn, right, answers)}}}"


def _miss(drawn: float, right: float, answers: int) -> int:
    """0 for the right answer, else which wrong one."""
    left = drawn - right
    if left < 0:
        return 0
    weights = [1 / (n + 1) for n in range(answers - 1)]
    for number, weight in enumerate(weights, 1):
        left -= (1 - right) * weight / sum(weights)
        if left < 0:
            return number
    return answers - 1


@contextmanager
def solving() -> Iterator[None]:
    """`fake/solver` is there, as long as it lasts."""
    fake._REPLIES["solver"] = solve
    try:
        yield
    finally:
        del fake._REPLIES["solver"]


@contextmanager
def failing(fails: Callable[[Request], bool]) -> Iterator[None]:
    """Requests fail for good, as long as it lasts."""
    FAILING.append(fails)
    try:
        yield
    finally:
        FAILING.pop()


def write_project(folder: Path, recipe: str, problems: Sequence[str]) -> None:
    """A recipe over problems, with the prompt `prompts/cot.md.j2`."""
    (folder / "prompts").mkdir(parents=True, exist_ok=True)
    (folder / ".mashbill").mkdir(exist_ok=True)
    (folder / "prompts/cot.md.j2").write_text(PROMPT)
    lines = (json.dumps({"text": text}) for text in problems)
    (folder / "docs.jsonl").write_text("".join(f"{line}\n" for line in lines))
    (folder / "recipe.yaml").write_text(recipe)
