"""Models that are known to think: a line below the plan before any reply, and no more than that."""

from __future__ import annotations

from pathlib import Path

import pytest

from mashbill.compiler.thinking import by_default, told

from .server import Thinker, thinking
from .test_plan import RECIPE, made

NAMED = RECIPE.replace("http/large", "http/Qwen/Qwen3-8B")
LINE = "solver thinks by default, to go by its name"


@pytest.mark.parametrize(
    "name",
    [
        "Qwen/Qwen3-8B",
        "Qwen3-30B-A3B-Thinking-2507",
        "QwQ-32B",
        "o3-mini",
        "openai/gpt-5-mini",
        "gpt-oss-20b",
        "gemini-2.5-flash",
        "deepseek-reasoner",
        "DeepSeek-R1-Distill-Qwen-7B",
        "grok-4-fast-reasoning",
        "GLM-4.6",
        "Phi-4-reasoning",
    ],
)
def test_models_that_think(name: str) -> None:
    model = {"engine": "http", "model": name}
    assert by_default(model)
    for option in ({"thinking": False}, {"thinking": True}, {"api": "completion"}):
        assert not by_default({**model, "options": option}), option
    assert not by_default({**model, "options": {"task": "reward"}})
    assert not by_default({**model, "engine": "local"}), "which has no `thinking:`"


@pytest.mark.parametrize(
    "name",
    [
        "Qwen3-4B-Instruct-2507",
        "Qwen3-Coder-30B",
        "Qwen3-0.6B-Base",
        "Qwen2.5-7B-Instruct",
        "gpt-4o",
        "gpt-5-chat-latest",
        "grok-4-fast-non-reasoning",
        "gemini-2.5-flash-lite",
        "Llama-3.1-8B",
        "judge-large",
        "large",
    ],
)
def test_models_that_do_not(name: str) -> None:
    assert not by_default({"engine": "http", "model": name})


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0.2, "0.2× the visible ones in `book` (20% of its reply tokens)"),
        (0.75, "3.0× the visible ones"),
        (0.9583, "23× the visible ones"),
        (1.0, "were all there is in `book` (100% of its reply tokens)"),
    ],
)
def test_how_much_in_words(share: float, words: str) -> None:
    said = told("w", {"engine": "http"}, share, "in `book`")
    assert said is not None and words in said[0]
    assert told("w", {"engine": "http"}, 0.19, "in `book`") is None
    assert told("w", {"engine": "http", "options": {"thinking": True}}, share, "") is None


def test_an_engine_without_the_switch_is_not_told_of_it() -> None:
    said = told("w", {"engine": "local"}, 0.9, "in `book`")
    assert said is not None and "thinking:" not in said[1]


def test_the_plan_says_so_until_there_are_replies(tmp_path: Path) -> None:
    with thinking(Thinker(models=[{"id": "Qwen/Qwen3-8B"}])) as server:
        case = made(tmp_path, server, NAMED)
        said = case.do("plan")
        assert said.code == 0 and "M254" not in said.text
        assert LINE in " ".join(said.out.split())
        assert LINE in case.do("plan", "--md").out
        assert LINE not in case.do("plan", "--pilot", "8").text
    assert LINE not in made(tmp_path / "other", server).do("plan").text
