from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mashbill.runtime.llama.card import read_card, weights_digest
from mashbill.runtime.llama.gguf import GgufError, read_metadata
from mashbill.runtime.llama.tokenizer import build_tokens
from mashbill.runtime.requests import Message

from .gguf_files import gguf

META: dict[str, Any] = {
    "general.architecture": "llama",
    "llama.context_length": 8192,
    "llama.rope.freq_base": 100000.5,
    "tokenizer.ggml.add_bos_token": True,
    "tokenizer.ggml.tokens": ["<s>", "a", "ü日"],
    "nested": [[1, 2], [3]],
    "empty": [],
}


def write(folder: Path, raw: bytes) -> Path:
    path = folder / "m.gguf"
    path.write_bytes(raw)
    return path


@pytest.mark.parametrize("version", [2, 3])
def test_metadata_comes_back_as_written(tmp_path: Path, version: int) -> None:
    assert read_metadata(write(tmp_path, gguf(META, version=version) + b"tensors")) == META


@pytest.mark.parametrize("raw", [b"", b"GG", b"GGML" + bytes(40), gguf({}, version=1)])
def test_other_files_are_refused_by_name(tmp_path: Path, raw: bytes) -> None:
    with pytest.raises(GgufError, match=r"m\.gguf"):
        read_metadata(write(tmp_path, raw))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(cut=st.integers(0, len(gguf(META)) - 1))
def test_a_torn_header_is_refused(tmp_path: Path, cut: int) -> None:
    with pytest.raises(GgufError):
        read_metadata(write(tmp_path, gguf(META)[:cut]))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(at=st.integers(4, len(gguf(META)) - 1), byte=st.integers(0, 255))
def test_a_damaged_header_never_ends_in_another_error(tmp_path: Path, at: int, byte: int) -> None:
    raw = bytearray(gguf(META))
    raw[at] = byte
    with contextlib.suppress(GgufError):
        read_metadata(write(tmp_path, bytes(raw)))


def test_the_digest_follows_the_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path = write(tmp_path, gguf(META))
    first = weights_digest(path)
    assert first == weights_digest(path)
    (note,) = (tmp_path / "cache/mashbill/digests").iterdir()
    path.write_bytes(gguf(META) + b"x")
    assert weights_digest(path) != first
    write(tmp_path, gguf(META))
    note.write_text("torn {")
    assert weights_digest(path) == first
    other = tmp_path / "again.gguf"
    other.write_bytes(gguf(META))
    assert weights_digest(other) == first


def test_a_kept_digest_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path = write(tmp_path, gguf(META))
    first = weights_digest(path)
    (note,) = (tmp_path / "cache/mashbill/digests").iterdir()
    note.write_text(note.read_text().replace(first, "f" * 32))
    assert weights_digest(path) == "f" * 32


# A byte-level vocabulary: the 256 byte characters, one merge, and one control token.
def _bytes() -> list[str]:
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    return [chr(b) for b in plain] + [chr(256 + n) for n in range(256 - len(plain))]


def vocabulary(pre: str, **more: Any) -> dict[str, Any]:
    words = [*_bytes(), "he", "12", "<|end|>"]
    return {
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": pre,
        "tokenizer.ggml.tokens": words,
        "tokenizer.ggml.token_type": [1] * (len(words) - 1) + [3],
        "tokenizer.ggml.merges": ["h e", "1 2"],
        "tokenizer.ggml.bos_token_id": len(words) - 1,
        "tokenizer.chat_template": "{% for m in messages %}{{ m.content }}{% endfor %}",
    } | {f"tokenizer.{k}": v for k, v in more.items()}


@pytest.mark.parametrize(
    ("pre", "twelve"), [("gpt-2", 1), ("llama-bpe", 1), ("qwen2", 2), ("smollm", 2)]
)
def test_word_patterns_decide_what_merges(pre: str, twelve: int) -> None:
    tokens = build_tokens(vocabulary(pre))
    assert tokens is not None
    assert tokens.count(["hehe", "12", "", "h<|end|>e", "日"]) == [2, twelve, 0, 3, 3]
    assert tokens.special == ("<|end|>",)


def test_the_opening_token_is_counted_once() -> None:
    chat = [[Message("user", "he")], [Message("user", "<|end|>he")]]
    plain, with_bos = (
        build_tokens(vocabulary("gpt-2", **{"ggml.add_bos_token": b})) for b in (False, True)
    )
    assert plain is not None and with_bos is not None
    assert plain.count_chat(chat) == [1, 2]
    assert with_bos.count_chat(chat) == [2, 2]


@pytest.mark.parametrize("change", [{"ggml.model": "llama"}, {"ggml.pre": "new-kind"}])
def test_an_unknown_kind_is_not_guessed(change: dict[str, str], tmp_path: Path) -> None:
    meta = vocabulary("gpt-2", **change)
    assert build_tokens(meta) is None
    path = write(tmp_path, gguf({"general.architecture": "x", "x.context_length": 77, **meta}))
    assert read_card(path).tokens is None
    assert read_card(path).context == 77
