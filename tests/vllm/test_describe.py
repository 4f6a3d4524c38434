"""What identifies a model of the `vllm` engine: files and options, read without vLLM."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mashbill.runtime.engines import vllm
from mashbill.runtime.engines.base import EngineModule, ModelSpec
from mashbill.runtime.requests import EngineError, Message

from .tiny_model import CONTEXT, write_lora, write_model

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of its own, so that no digest of another test is remembered."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in ("HF_HOME", "HF_HUB_CACHE"):
        monkeypatch.delenv(name, raising=False)
    write_model(tmp_path / "tiny")
    return tmp_path


def spec(home: Path, model: str = "./tiny", placement: Any = None, **options: Any) -> ModelSpec:
    return ModelSpec(
        "writer", "vllm", model, placement=placement or {}, options=options, base=str(home)
    )


def digest(home: Path, placement: Any = None, **options: Any) -> str:
    return vllm.describe(spec(home, placement=placement, **options)).digest


def error(*args: Any, **options: Any) -> EngineError:
    with pytest.raises(EngineError) as caught:
        vllm.describe(spec(*args, **options))
    assert not caught.value.retryable
    return caught.value


def hub(home: Path, repo: str = "org/tiny") -> Path:
    """A repository as `huggingface_hub` keeps it after a download."""
    place = home / "cache" / "huggingface" / "hub" / f"models--{repo.replace('/', '--')}"
    shutil.copytree(home / "tiny", place / "snapshots" / COMMIT)
    (place / "refs").mkdir()
    (place / "refs" / "main").write_text(COMMIT)
    return place


def test_module_meets_the_protocol(home: Path) -> None:
    module: EngineModule = vllm
    info = module.describe(spec(home))
    assert (info.context, info.exact_tokens, info.template) == (CONTEXT, True, True)
    assert module.open_engine(spec(home)).slots > 256


def test_nothing_is_imported(home: Path) -> None:
    """`check` and `plan` pay for no engine, and work where there is none."""
    code = (
        "import sys; from mashbill.runtime.engines import vllm\n"
        "from mashbill.runtime.engines.base import ModelSpec\n"
        f"s = ModelSpec('w', 'vllm', './tiny', base={str(home)!r})\n"
        "vllm.describe(s); vllm.open_engine(s)\n"
        "assert not {'vllm', 'torch', 'transformers'} & sys.modules.keys()\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_tokens_are_the_models_own(home: Path) -> None:
    tokens = vllm.tokens(spec(home))
    assert tokens.count(["The mill stood"]) < tokens.count(["Zq xw jjkp"])
    one, two = tokens.count_chat([[Message("user", "a")], [Message("user", "a a")]])
    assert two > one > tokens.count(["a"])[0]
    assert "<|im_end|>" in tokens.special


@pytest.mark.parametrize(
    "placement",
    [
        {"max_num_seqs": 8},
        {"max_model_len": 128},
        {"tensor_parallel": 4, "data_parallel": 2},
        {"gpu_memory_utilization": 0.5},
        {"enforce_eager": True, "enable_prefix_caching": False},
        {"load_format": "safetensors"},
        {"logprobs": 5, "timeout": "5m"},
    ],
)
def test_placement_is_no_part_of_identity(home: Path, placement: Any) -> None:
    assert digest(home, placement) == digest(home)


def test_options_are_part_of_identity(home: Path) -> None:
    write_lora(home / "adapter")
    write_lora(home / "other", seed=2)
    made = [
        digest(home),
        digest(home, dtype="bfloat16"),
        digest(home, quantization="fp8"),
        digest(home, thinking=True),
        digest(home, thinking=False),
        digest(home, api="completion"),
        digest(home, task="reward"),
        digest(home, lora="./adapter"),
        digest(home, lora="./other"),
        digest(home, {"load_format": "dummy"}),
    ]
    assert len(set(made)) == len(made)


@pytest.mark.parametrize(
    "file", ["model.safetensors", "tokenizer.json", "tokenizer_config.json", "config.json"]
)
def test_every_file_that_counts_is_part_of_identity(home: Path, file: str) -> None:
    before = digest(home)
    path = home / "tiny" / file
    raw = bytearray(path.read_bytes())
    raw[-2] ^= 1
    path.write_bytes(raw)
    assert digest(home) != before


def test_what_does_not_count_changes_nothing(home: Path) -> None:
    before = digest(home)
    (home / "tiny" / "README.md").write_text("hello")
    (home / "tiny" / "pytorch_model.bin").write_text("the same weights again")
    (home / "tiny" / "optimizer.pt").write_text("of a training run")
    shutil.move(home / "tiny", home / "moved")
    (home / "tiny").symlink_to(home / "moved")
    assert digest(home) == before


def test_a_hub_model_is_its_commit(home: Path) -> None:
    place = hub(home)
    info = vllm.describe(spec(home, "org/tiny"))
    assert info == vllm.describe(spec(home, "hf://org/tiny"))
    assert info == vllm.describe(spec(home, "org/tiny", revision=COMMIT))
    assert (info.context, info.exact_tokens) == (CONTEXT, True)
    (place / "snapshots" / "fedc").symlink_to(place / "snapshots" / COMMIT)
    (place / "refs" / "v2").write_text("fedc")
    assert vllm.describe(spec(home, "org/tiny", revision="v2")).digest != info.digest


def test_begun_replies_of_models_that_write_have_keys_of_their_own(home: Path) -> None:
    begun = (Message("user", "a"), Message("assistant", "b"))
    info = vllm.describe(spec(home))
    assert info.digest_for(begun) != info.digest == info.digest_for(begun[:1])
    rates = vllm.describe(spec(home, task="reward"))
    assert rates.digest_for(begun) == rates.digest


def test_a_hub_cache_elsewhere(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub(home)
    shutil.move(home / "cache" / "huggingface", home / "else")
    assert error(home, "org/tiny").kind == "missing"
    monkeypatch.setenv("HF_HOME", str(home / "else"))
    assert vllm.describe(spec(home, "org/tiny")).exact_tokens


def test_the_bound_of_the_context(home: Path) -> None:
    short = vllm.describe(spec(home, placement={"max_model_len": 100}))
    assert short.context == 100
    assert vllm.describe(spec(home, placement={"max_model_len": 10**6})).context == CONTEXT


def test_dummy_weights_need_no_weights(home: Path) -> None:
    (home / "tiny" / "model.safetensors").unlink()
    assert "holds no weights" in str(error(home))
    assert vllm.describe(spec(home, placement={"load_format": "dummy"})).exact_tokens


def test_without_a_template_or_a_tokenizer(home: Path) -> None:
    tiny = home / "tiny"
    config = json.loads((tiny / "tokenizer_config.json").read_text())
    template = config.pop("chat_template")
    (tiny / "tokenizer_config.json").write_text(json.dumps(config))
    assert not vllm.describe(spec(home)).template
    assert vllm.describe(spec(home, api="completion")).template
    (tiny / "chat_template.jinja").write_text(template)
    assert vllm.describe(spec(home)).template
    (tiny / "tokenizer.json").unlink()
    assert not vllm.describe(spec(home)).exact_tokens


@pytest.mark.parametrize(
    ("model", "options", "said"),
    [
        ("./none", {}, "there is no folder"),
        ("org/none", {}, "type: hf download org/none"),
        ("org/none", {"revision": "v2"}, "type: hf download org/none --revision v2"),
        ("./tiny", {"revision": "v2"}, "revision is for models of a hub"),
        ("./tiny", {"lora": "./tiny"}, "holds no adapter_config.json"),
    ],
)
def test_what_is_not_there(home: Path, model: str, options: Any, said: str) -> None:
    assert said in str(error(home, model, **options))


@pytest.mark.parametrize(
    "placement",
    [
        {"max_num_seqs": 0},
        {"max_model_len": "long"},
        {"gpu_memory_utilization": 1.5},
        {"enforce_eager": "yes"},
        {"load_format": 3},
        {"logprobs": 21},
        {"timeout": "soon"},
    ],
)
def test_placement_that_is_none(home: Path, placement: Any) -> None:
    (name,) = placement
    wrong = error(home, placement=placement)
    assert f"models.writer.placement.{name} is" in str(wrong)
    assert wrong.kind == "placement"
