"""What a folder says of a model that scores, before anything is loaded."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from mashbill.runtime.engines import transformers
from mashbill.runtime.engines.base import ModelSpec
from mashbill.runtime.requests import EngineError
from mashbill.runtime.scoring.layout import nli_labels, read_layout
from mashbill.runtime.vllm_.files import ModelFiles


def folder(home: Path, **files: Any) -> ModelFiles:
    for name, content in {"config": {}, **files}.items():
        file = home / f"{name.replace('__', '/')}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(content))
    (home / "model.safetensors").write_bytes(b"weights")
    return ModelFiles(home)


@pytest.mark.parametrize(
    ("labels", "found"),
    [
        (["CONTRADICTION", "NEUTRAL", "ENTAILMENT"], (2, 1, 0)),
        (["entailment", "neutral", "contradiction"], (0, 1, 2)),
        (["entailment", "not_entailment"], (0, 1, None)),
        (["unsupported", "supported"], (1, 0, None)),
        (["inconsistent", "neutral", "consistent"], (2, 1, 0)),
    ],
)
def test_labels_are_known_by_their_names(labels: list[str], found: tuple[int | None, ...]) -> None:
    read = nli_labels(dict(enumerate(labels)))
    assert tuple(read.get(n) for n in ("entailment", "neutral", "contradiction")) == found


@pytest.mark.parametrize("labels", [["LABEL_0", "LABEL_1", "LABEL_2"], ["toxic"], ["neutral"]])
def test_labels_that_say_nothing_are_refused(labels: list[str]) -> None:
    with pytest.raises(EngineError, match=f"its labels are {', '.join(labels)}"):
        nli_labels(dict(enumerate(labels)))


def test_the_least_limit_counts(tmp_path: Path) -> None:
    files = folder(
        tmp_path,
        config={"max_position_embeddings": 514, "model_type": "roberta"},
        tokenizer_config={"model_max_length": 10**30},
    )
    assert read_layout(files).limit == 512
    folder(tmp_path, sentence_bert_config={"max_seq_length": 256})


def test_sentence_transformers_say_shorter(tmp_path: Path) -> None:
    files = folder(
        tmp_path,
        config={"max_position_embeddings": 512, "model_type": "bert"},
        sentence_bert_config={"max_seq_length": 256},
    )
    assert read_layout(files).limit == 256


POOL = [{"type": "a.Transformer", "path": ""}, {"type": "a.Pooling", "path": "1_Pooling"}]


@pytest.mark.parametrize(
    ("config", "way"),
    [
        ({"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}, "cls"),
        ({"pooling_mode_mean_tokens": True}, "mean"),
        ({"pooling_mode_lasttoken": True, "include_prompt": True}, "last"),
        ({"pooling_mode": "cls"}, "cls"),
    ],
)
def test_pooling_is_as_written_down(tmp_path: Path, config: dict[str, Any], way: str) -> None:
    files = folder(tmp_path, modules=POOL, **{"1_Pooling__config": config})
    assert read_layout(files).pooling == way


def test_what_is_not_run_here_is_refused(tmp_path: Path) -> None:
    dense = folder(tmp_path / "dense", modules=[*POOL, {"type": "a.Dense", "path": "2"}])
    with pytest.raises(EngineError, match="not run here: Dense"):
        read_layout(dense)
    largest = folder(
        tmp_path / "max", modules=POOL, **{"1_Pooling__config": {"pooling_mode_max_tokens": True}}
    )
    with pytest.raises(EngineError, match="pooling_mode_max_tokens"):
        read_layout(largest)


def spec(home: Path, **options: Any) -> ModelSpec:
    return ModelSpec("e", "transformers", str(home), options=options)


def test_identity_is_files_pooling_and_task(tmp_path: Path) -> None:
    folder(tmp_path, modules=POOL, **{"1_Pooling__config": {"pooling_mode": "mean"}})
    first = transformers.describe(spec(tmp_path, task="embed")).digest
    assert transformers.describe(spec(tmp_path, task="embed")).digest == first
    assert transformers.describe(spec(tmp_path, task="reward")).digest != first
    assert transformers.describe(spec(tmp_path, task="embed", dtype="bfloat16")).digest != first
    folder(tmp_path, modules=POOL, **{"1_Pooling__config": {"pooling_mode": "cls"}})
    assert transformers.describe(spec(tmp_path, task="embed")).digest != first
    (tmp_path / "model.safetensors").write_bytes(b"other!!")
    other = transformers.describe(spec(tmp_path, task="embed")).digest
    folder(tmp_path, modules=POOL, **{"1_Pooling__config": {"pooling_mode": "cls"}})
    assert transformers.describe(spec(tmp_path, task="embed")).digest != other


def test_a_model_that_writes_is_not_for_this_engine(tmp_path: Path) -> None:
    folder(tmp_path)
    with pytest.raises(EngineError, match="does reward, score, nli, embed"):
        transformers.describe(spec(tmp_path))


def test_the_extra_is_named_where_it_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import asyncio

    folder(tmp_path)
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *a: None if name == "torch" else real(name, *a)
    )
    engine = transformers.open_engine(spec(tmp_path, task="embed"))
    with pytest.raises(EngineError, match=r'pip install "mashbill\[transformers\]"'):
        asyncio.run(engine.start())
