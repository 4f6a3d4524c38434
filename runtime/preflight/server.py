"""What a server says of itself: which models it has, and how long their prompts may be."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from ..engines.base import ModelSpec
from ..http.address import PATHS, call_address
from ..requests import EngineError

SECONDS = 5.0
"""How long it is waited for: not to know is no fault."""
LONGEST = 1 << 20
"""Bytes of an answer that are read."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a server said.

    Attributes:
        models: Ids of its models; empty where it does not tell.
        context: Tokens of prompt and reply that the model holds.
    """

    models: tuple[str, ...] = ()
    context: int | None = None


async def server_says(spec: ModelSpec) -> Said:
    """Ask a server for its models: vLLM, SGLang and some hosted ones tell their context there.

    llama.cpp tells it at `/props`. Nothing is raised: what a server does not say is not known.
    """
    try:
        base = call_address(spec.name, spec.urls[0] if spec.urls else "").removesuffix(
            PATHS["chat"]
        )
    except EngineError:
        return Said()
    listed = await _get(f"{base}/models", spec.key)
    entries = [e for e in _list(listed.get("data")) if isinstance(e, dict)]
    ids = tuple(str(e["id"]) for e in entries if "id" in e)
    own = next((e for e in entries if e.get("id") == spec.model), {})
    meta = own.get("meta")
    context = _first(own, "max_model_len", "context_length", "context_window")
    if context is None and (isinstance(meta, dict) or _is_llama(entries)):
        props = await _get(f"{base.removesuffix('/v1')}/props", spec.key)
        settings = props.get("default_generation_settings")
        context = _first(settings if isinstance(settings, dict) else props, "n_ctx")
    return Said(ids, context)


def _is_llama(entries: list[dict[str, Any]]) -> bool:
    return any(e.get("owned_by") == "llamacpp" for e in entries)


def _first(found: Mapping[str, Any], *names: str) -> int | None:
    values = (found.get(name) for name in names)
    return next((v for v in values if type(v) is int and v > 0), None)


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


async def _get(address: str, key: str | None) -> dict[str, Any]:
    """The JSON object at an address; empty if there is none."""
    import aiohttp
    import orjson

    near = urlsplit(address).hostname in ("localhost", "127.0.0.1", "::1")
    with suppress(aiohttp.ClientError, OSError, ValueError):
        async with (
            aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=SECONDS),
                headers={"Authorization": f"Bearer {key}"} if key else {},
                trust_env=not near,
            ) as session,
            session.get(address, allow_redirects=False) as response,
        ):
            if response.status == 200:
                value = orjson.loads(await response.content.read(LONGEST))
                return value if isinstance(value, dict) else {}
    return {}
