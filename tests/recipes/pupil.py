"""A pupil who knows the seeds of the shipped recipes, as one more `fake` engine.

What it replies to is told by the system block of the prompt; how well, by the sample's number: each
sample has a fault of its own, so that a test knows which one must be chosen, and why the others go.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from mashbill.runtime.engines import fake
from mashbill.runtime.ladder import STRIDE
from mashbill.runtime.requests import Request

RECIPES = Path(__file__).parents[2] / "recipes"
Seed = Mapping[str, Any]


@cache
def seeds(recipe: str) -> tuple[Seed, ...]:
    """The rows that a recipe brings along."""
    files = sorted(RECIPES.glob(f"{recipe}/*/*.jsonl"))
    lines = [line for file in files for line in file.read_text("utf-8").splitlines()]
    return tuple(json.loads(line) for line in lines)


def fenced(code: str) -> str:
    """A program as a reply holds it."""
    return f"```python\n{code}\n```"


def own_words(seed: Seed) -> str:
    """The solution that people wrote, told anew: equal texts are one row of a data set."""
    return f"Look: {seed['solution']}"


def solve(seed: Seed, sample: int) -> str:
    """A worked solution: samples 5 to 7 are right, 6 is the shortest of them."""
    worked, answer = own_words(seed), seed["answer"]
    return (
        "I do not know.",
        "That is 1 + 1000000 = 1000001.\n\\boxed{1000001}",
        f"That is 1 + 1 = 3. So it is {answer}.\n\\boxed{{{answer}}}",
        f"It must be {answer}.\n\\boxed{{{answer}}}",
        f"That is 1 + 1000000 = 1000001.\n\\boxed{{{answer}}}",
        f"Let me see what is asked here. {worked}\n\\boxed{{{answer}}}",
        f"{worked}\n\\boxed{{{answer}}}",
        f"I read it twice, and so I found it. {worked}\n\\boxed{{{answer}}}",
    )[sample % 8]


def hinted(seed: Seed, sample: int) -> str:
    """A solution by who was told the answer; that of every other problem does not hold."""
    told = f"The hint says {seed['answer']}."
    return f"{own_words(seed) if int(seed['id'][-2:]) % 2 else told}\n\\boxed{{{seed['answer']}}}"


def write(seed: Seed, sample: int) -> str:
    """A program: sample 3 is right."""
    return (
        "There is no need for a program.",
        fenced("print(1 / 0)"),
        fenced("print(-1)"),
        fenced(f"answer = {seed['answer']}\nprint(answer + 0)"),
    )[sample % 4]


def think(attempt: int) -> str:
    """How the program works: with a number, then not what it does, then well."""
    return ("Add 0.", "Divide it.", "Add nothing.")[min(attempt, 2)]


def tell(seed: Seed, sample: int, attempt: int) -> str:
    """The answer of a program in words: wrong at first."""
    answer = seed["answer"] if attempt else "-1"
    return f"The program says {answer}.\n\\boxed{{{answer}}}"


def write_tests(seed: Seed) -> str:
    """Asserts: those of the first task would hold for any function."""
    name = seed["reference"].split("(")[0].removeprefix("def ")
    toothless = f"assert callable({name})\nassert {name} is not None"
    return fenced(toothless if seed["id"] == "task-01" else "\n".join(seed["tests"]))


def write_code(seed: Seed, sample: int) -> str:
    """A function: sample 0 is wrong, 1 is no Python, 2 is right, 3 is right and longer."""
    head = seed["reference"].split("\n")[0]
    return fenced(
        (
            f"{head}\n    return 'wrong'",
            f"{head}\n    return return",
            seed["reference"],
            f"# This is the function.\n{seed['reference']}",
        )[sample % 4]
    )


def reply(recipe: str, request: Request) -> str:
    """What the pupil says: a pure function of the request."""
    system, asked = request.messages[0].content, request.messages[-1].content
    key = "task" if recipe == "code-cot-tests" else "question"
    (seed,) = (s for s in seeds(recipe) if s[key] in asked)
    sample, attempt = request.draw % STRIDE, request.draw // STRIDE
    said: Mapping[str, Callable[[], str]] = {
        "Solve the problem": lambda: solve(seed, sample),
        "Show the sum": lambda: hinted(seed, sample),
        "Write a short": lambda: write(seed, sample),
        "Say in one short": lambda: think(attempt),
        "A program has": lambda: tell(seed, sample, attempt),
        "Write three": lambda: write_tests(seed),
        "Say in one sentence": lambda: "Do what the task says.",
        "You write short": lambda: write_code(seed, sample),
        "The function fails": lambda: fenced(seed["reference"]),
    }
    (found,) = (say for begin, say in said.items() if system.startswith(begin))
    return found()


@contextmanager
def teaching(recipe: str) -> Iterator[list[Request]]:
    """`fake/pupil` is there, as long as it lasts; what it is asked."""
    asked: list[Request] = []

    def answer(_key: bytes, request: Request) -> str:
        asked.append(request)
        return reply(recipe, request)

    fake._REPLIES["pupil"] = answer
    try:
        yield asked
    finally:
        del fake._REPLIES["pupil"]
