"""First attempts as they would be sent."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from mashbill.runtime.engines import fake
from mashbill.runtime.engines._estimate import EstimatedTokens
from mashbill.runtime.engines.base import ModelInfo, ModelSpec
from mashbill.runtime.surveying.remembering import Remembering

from .conftest import surveyed

GENERATE = """\
steps:
  made:
    op: generate
    from: docs
    model: writer
    prompt: prompts/book.md.j2
    overlong: OVERLONG
    sampling: { max_tokens: 20 }
"""
SHORT, LONG = "A short text.", "Here is one sentence more. " * 40


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fake models read 100 tokens, replies included."""
    described = fake.describe

    def describe(spec: ModelSpec) -> ModelInfo:
        return ModelInfo(described(spec).digest, 100, False)

    monkeypatch.setattr(fake, "describe", describe)


@pytest.mark.usefixtures("narrow")
@pytest.mark.parametrize(("overlong", "asked"), [("reject", 6), ("truncate", 8)])
def test_prompts_that_do_not_fit(tmp_path: Path, overlong: str, asked: int) -> None:
    texts = [f"{SHORT} {i}" for i in range(6)] + [f"{i} {LONG}" for i in range(2)]
    project = surveyed(tmp_path, texts, GENERATE.replace("OVERLONG", overlong))
    made = project.node("made")
    assert made.overlong == pytest.approx(2 / 8)
    assert made.reached is not None
    assert (made.reached.of("units") or 0) * 8 == pytest.approx(asked)
    assert made.longest_prompt <= 80
    spent = project.spine.good_run()["models"]["writer"]
    assert spent["sent"] == asked
    assert (made.reached.of("prompt") or 0) * 8 == pytest.approx(spent["prompt_tokens"])


def test_what_all_prompts_begin_with(tmp_path: Path) -> None:
    texts = [f"{letter * 4} {i}" for i, letter in enumerate("abcdefgh")]
    project = surveyed(tmp_path, texts, GENERATE.replace("OVERLONG", "reject"))
    made = project.node("made")
    assert made.reached is not None
    system = EstimatedTokens().count(["Rewrite the sentence. Keep all facts."])[0]
    assert made.prefix_share == pytest.approx(system * 7 / 8 / (made.reached.of("prompt") or 0))


class Counting(EstimatedTokens):
    """Notes what it counts."""

    def __init__(self) -> None:
        super().__init__()
        self.counted: list[str] = []

    def count(self, texts: Sequence[str]) -> list[int]:
        self.counted += texts
        return super().count(texts)


def test_no_text_is_counted_twice() -> None:
    inner = Counting()
    tokens = Remembering(inner)
    plain = EstimatedTokens()
    for texts in (["one two", "three", "one two"], ["three", "four\ud800"], []):
        assert tokens.count(texts) == plain.count(texts)
    assert inner.counted == ["one two", "three", "four\ud800"]
