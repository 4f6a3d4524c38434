"""A pilot on the embedded model: real tokens, and a speed."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from mashbill.runtime.models import find_model
from mashbill.runtime.piloting.pilot_log import pilot_speeds
from mashbill.runtime.requests import EngineError
from tests.runtime.conftest import MODELS, documents

from .conftest import surveyed

STEPS = """\
steps:
  made:
    op: generate
    from: docs
    model: writer
    prompt: prompts/book.md.j2
    sampling: { max_tokens: 12 }
    on_fail: [{ fallback: input }]
"""


def test_on_the_embedded_model(tmp_path: Path) -> None:
    try:
        find_model("smollm2-135m")
    except EngineError as missing:
        pytest.skip(str(missing))
    if importlib.util.find_spec("xllamacpp") is None:
        pytest.skip('llama.cpp is not installed: pip install "mashbill[local]"')
    start = MODELS.index("{ use: fake")
    models = MODELS[:start] + "{ use: local/smollm2-135m }" + MODELS[MODELS.index("\nsources") :]
    project = surveyed(tmp_path, documents(6, 1), STEPS, models)
    before = project.node("made")
    made = project.pilot(3)
    assert (made.sent, made.usd) == (3, 0.0)
    assert 0 < made.reply_tokens <= 36
    after = project.node("made")
    assert before.reached is not None
    assert after.settled is not None
    # Prompts were counted as the engine counts them, chat template and all.
    assert (after.settled.of("prompt:writer") or 0) * 3 == pytest.approx(made.prompt_tokens)
    assert before.reached.of("prompt") == pytest.approx(made.prompt_tokens / 3, rel=0.05)
    assert pilot_speeds(project.project, project.plan)["writer"].reply > 0
    record = project.spine.good_run()
    assert record["models"]["writer"]["sent"] == 3
