"""A model without a chat template is found before it is asked anything."""

from __future__ import annotations

from pathlib import Path

from tests.engines.gguf_files import gguf

from .conftest import MODELS, documents, make_spine

STEPS = "steps:\n  book: { op: rewrite, from: docs, model: writer, prompt: prompts/book.md.j2 }\n"
META = {"general.architecture": "llama", "llama.context_length": 512}
RECIPE = MODELS.replace("use: fake/rewrite, placement: {", "use: local/m.gguf } #")


def test_a_base_model_is_refused_with_its_place(tmp_path: Path) -> None:
    spine = make_spine(tmp_path, documents(2), recipe=RECIPE + STEPS)
    (tmp_path / "m.gguf").write_bytes(gguf(META))
    assert spine.do("check").code == 0
    for verb in ("plan", "run"):
        said = spine.do(verb)
        assert said.code == 1
        assert "error[P207]: model `writer` has no chat template" in said.text
        assert "recipe.yaml:5:" in said.text


def test_one_that_has_a_template_is_not(tmp_path: Path) -> None:
    spine = make_spine(tmp_path, documents(2), recipe=RECIPE + STEPS)
    meta = {**META, "tokenizer.chat_template": "{% for m in messages %}{{ m.content }}{% endfor %}"}
    (tmp_path / "m.gguf").write_bytes(gguf(meta))
    assert "P207" not in spine.do("plan").text
