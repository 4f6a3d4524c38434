"""The `local` engine as a test drives it: started once, called from plain functions."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from collections.abc import Coroutine, Sequence
from typing import Any

from mashbill.runtime.engines import local
from mashbill.runtime.engines.base import ModelSpec
from mashbill.runtime.llama.child import Child
from mashbill.runtime.llama.tokenizer import ChatTokens
from mashbill.runtime.requests import Completion, Request


class Served:
    """A started engine and the event loop it lives in."""

    def __init__(self, spec: ModelSpec) -> None:
        self.spec = spec
        self.loop = asyncio.new_event_loop()
        self.engine = local.LocalEngine(spec)
        tokens = local.tokens(spec)
        assert isinstance(tokens, ChatTokens)
        self.tokens = tokens

    def __enter__(self) -> Served:
        self.run(self.engine.start())
        return self

    def __exit__(self, *_: object) -> None:
        self.run(self.engine.close())
        self.loop.close()

    @property
    def child(self) -> Child:
        assert self.engine.child is not None
        return self.engine.child

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    def complete(self, request: Request) -> Completion:
        done: Completion = self.run(self.engine.complete(request))
        return done

    def complete_all(self, requests: Sequence[Request]) -> list[Completion]:
        """All at once, as many as there are."""

        async def all_() -> list[Completion]:
            return await asyncio.gather(*(self.engine.complete(r) for r in requests))

        done: list[Completion] = self.run(all_())
        return done

    def post(self, path: str, body: object, key: str | None = None) -> dict[str, Any]:
        """Ask llama.cpp's server itself."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.child.port}{path}",
            json.dumps(body).encode(),
            {
                "Content-Type": "application/json",
                "Authorization": f"Bearer {self.child.key if key is None else key}",
            },
        )
        with urllib.request.urlopen(request, timeout=60) as response:
            answer: dict[str, Any] = json.load(response)
        return answer
