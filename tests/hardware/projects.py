"""Recipes on disk whose models need hardware, a driver that says what we like, past runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mashbill.compiler.compile import Compiled
from mashbill.compiler.world import Pins
from mashbill.runtime.api import Recipe
from mashbill.runtime.hardware.machine import found_gpus
from mashbill.runtime.project import find_project

RECIPE = """\
mashbill: 1
name: edu
{hardware}
models:
  writer: {model}
sources:
  docs: {{ path: docs.jsonl, license: CC0-1.0, origin: human }}
steps:
  book: {{ op: rewrite, from: docs, model: writer, prompt: book.md.j2 }}
"""
PROMPT = """\
---
inputs: { text: str }
---
{% block user %}{{ text }}{% endblock %}
"""
QWEN3_8B = {
    "model_type": "qwen3", "head_dim": 128, "hidden_size": 4096, "intermediate_size": 12288,
    "max_position_embeddings": 40960, "num_attention_heads": 32, "num_hidden_layers": 36,
    "num_key_value_heads": 8, "tie_word_embeddings": False, "vocab_size": 151936,
}  # fmt: skip


def project(folder: Path, model: str, hardware: str = "") -> Recipe:
    """A recipe with one model."""
    line = f"hardware: {hardware}" if hardware else ""
    (folder / "recipe.yaml").write_text(RECIPE.format(model=model, hardware=line), "utf-8")
    (folder / "book.md.j2").write_text(PROMPT, "utf-8")
    (folder / "docs.jsonl").write_text('{"text": "a"}\n', "utf-8")
    (folder / ".mashbill").mkdir(exist_ok=True)
    return Recipe(find_project(folder))


def compiled(recipe: Recipe, digest: str = "") -> Compiled:
    """Its plan, with a digest for its model."""
    found = recipe.compile(Pins(models={"writer": digest} if digest else {}))
    assert found.plan is not None, str(found.report)
    return found


def weights(folder: Path, config: dict[str, Any], size: int = 0) -> Path:
    """A model folder as Hugging Face lays it out; its weights are holes of a size."""
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    with (folder / "model.safetensors").open("wb") as file:
        file.truncate(size)
    return folder


def driver(folder: Path, says: str, code: int = 0) -> str:
    """A PATH with an `nvidia-smi` that prints a text."""
    folder.mkdir(exist_ok=True)
    program = folder / "nvidia-smi"
    program.write_text(f"#!/bin/sh\ncat <<'END'\n{says}\nEND\nexit {code}\n", "utf-8")
    program.chmod(0o755)
    found_gpus.cache_clear()
    return f"{folder}:/usr/bin:/bin"


def past_run(recipe: Recipe, digest: str, stats: dict[str, Any], **model: Any) -> None:
    """A run that is over: what its folder holds of one model."""
    runs = recipe.project.state / "runs"
    number = len(list(runs.glob("r-*"))) + 1
    run = runs / f"r-{number:04d}"
    run.mkdir(parents=True)
    said = {"engine": "vllm", "model": "m", "digest": digest, "placement": {}, **model}
    plan = {"models": {"w": said}, "hardware": model.get("hardware")}
    (run / "plan.json").write_text(json.dumps(plan), "utf-8")
    (run / "record.json").write_text(json.dumps({"models": {"w": stats}}), "utf-8")
