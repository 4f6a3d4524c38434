"""Count with a `tokenizer.json`, as model repositories carry it."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from ..llama.tokenizer import ChatTokens
from ..requests import EngineError
from ._estimate import EstimatedTokens


@lru_cache(maxsize=4)
def load_tokens(file: Path) -> ChatTokens | EstimatedTokens:
    """Tokens by `file`; exact for conversations if a chat template lies beside it.

    The template is looked for in `tokenizer_config.json`, then in `chat_template.jinja`.

    Raises:
        EngineError: `missing`, if `file` is not a tokenizer.
    """
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_str(file.read_text(encoding="utf-8"))
    # The library raises a bare Exception for a file it cannot read.
    except Exception as reason:
        raise EngineError(
            "missing", f"{file} is not a tokenizer.json: {reason}", retryable=False
        ) from reason
    # Some files pad or cut all texts to one length, for training.
    tokenizer.no_padding()
    tokenizer.no_truncation()
    config = _config(file.parent)
    template = config.get("chat_template") or _text(file.parent / "chat_template.jinja")
    added = tokenizer.get_added_tokens_decoder().values()
    if not isinstance(template, str):
        return EstimatedTokens(ChatTokens(tokenizer, "").count)
    return ChatTokens(
        tokenizer,
        template,
        special=tuple(token.content for token in added if token.special),
        bos=_token(config, "bos_token"),
        eos=_token(config, "eos_token"),
    )


def _config(folder: Path) -> dict[str, Any]:
    import orjson

    try:
        config = orjson.loads((folder / "tokenizer_config.json").read_bytes())
    except (OSError, ValueError):
        return {}
    return config if isinstance(config, dict) else {}


def _text(file: Path) -> str | None:
    try:
        return file.read_text(encoding="utf-8")
    except OSError:
        return None


def _token(config: dict[str, Any], name: str) -> str:
    value = config.get(name)
    if isinstance(value, dict):
        value = value.get("content")
    return value if isinstance(value, str) else ""
