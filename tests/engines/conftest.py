"""Shared by the tests of engines."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from mashbill.runtime.engines.base import ModelSpec
from mashbill.runtime.models import find_model
from mashbill.runtime.requests import EngineError

MODEL = "smollm2-135m"


@pytest.fixture(scope="session")
def model_path() -> Path:
    """The small model's file, if this machine has it."""
    try:
        return find_model(MODEL)
    except EngineError as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def local_spec(model_path: Path) -> ModelSpec:
    """The small model as a recipe names it, with llama.cpp at hand."""
    assert model_path.is_file()
    if importlib.util.find_spec("xllamacpp") is None:
        pytest.skip('llama.cpp is not installed: pip install "mashbill[local]"')
    return ModelSpec("writer", "local", MODEL)
