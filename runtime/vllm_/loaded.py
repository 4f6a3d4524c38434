"""A model that vLLM has loaded: send it prompts, let it rate texts, free it."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import inspect
import itertools
import math
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..requests import Completion, EngineError, Message, Request
from ..scoring.wire import score_reply, scored, text_of, texts_of, vector_reply
from .launch import launch
from .prompts import Prompts
from .replies import completion, sampling_params
from .siblings import Siblings

_LEAVE_SECONDS = 2.0

Rated = Sequence[Message] | tuple[str, str]
"""A conversation, or a question and a document."""


@dataclass(frozen=True, slots=True)
class Load:
    """What to load, and how it is spoken to.

    Attributes:
        arguments: For vLLM's `AsyncEngineArgs`, the model's folder included.
        logprobs: How many are kept of each token.
        thinking: What the chat template is told; None: nothing.
        plain: Whether prompts are texts to go on with.
        lora: Folder of an adapter.
        rates: What a model that writes nothing does instead: `reward`, `score` or `embed`.
    """

    arguments: Mapping[str, Any]
    logprobs: int = 0
    thinking: bool | None = None
    plain: bool = False
    lora: str = ""
    rates: str = ""


@dataclass(slots=True)
class Loaded:
    """vLLM with one model. Used within the event loop that loaded it."""

    load: Load
    llm: Any
    prompts: Prompts
    limit: int
    """Tokens of prompt and reply together."""
    siblings: Siblings = field(init=False)
    obituary: tuple[str, str] | None = None
    """Why it ended, once somebody has asked."""
    _lora: Any = None
    _closed: bool = False
    _ids: itertools.count[int] = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self.siblings = Siblings(self._send)
        if self.load.lora:
            lora = importlib.import_module("vllm.lora.request")
            self._lora = lora.LoRARequest("adapter", 1, self.load.lora)

    @property
    def alive(self) -> bool:
        """Whether its processes run, as far as this one has heard."""
        return not (self._closed or self.llm.errored)

    async def complete(self, request: Request) -> Completion:
        """One reply. Raises `EngineError`, and what vLLM raises."""
        if self.load.rates:
            return await self._rated(request)
        prompt = self.prompts.tokens(request.messages)
        if len(prompt) >= self.limit:
            raise EngineError(
                "overlong",
                f"a prompt of {len(prompt)} tokens leaves no room for a reply in {self.limit}",
                retryable=False,
            )
        answer = await self.siblings.ask(request)
        done = completion(
            answer.output,
            prompt=prompt,
            cached=answer.cached,
            sampling=request.sampling,
            seed=answer.seed if answer.seed != _seed(request) else None,
            logprobs=self.load.logprobs,
            opened=self._thinks(prompt),
        )
        if done.finish == "length" and done.completion_tokens < request.sampling.max_tokens:
            # Cut by the engine's limit, not by the recipe's: it would depend on placement.
            raise EngineError(
                "overlong",
                f"prompt and reply do not fit into {self.limit} tokens; "
                "raise placement.max_model_len or lower max_tokens",
                retryable=False,
            )
        return done

    async def score(self, items: Sequence[Rated]) -> list[float]:
        """A number for each item, the higher the better. Raises as `complete` does."""
        if not self.load.rates:
            raise EngineError(
                "request",
                "the model writes and rates nothing: give it `task: reward`",
                retryable=False,
            )
        return list(await asyncio.gather(*map(self._rate, items)))

    async def close(self) -> None:
        """End its processes; what is under way fails, and may be sent again."""
        self._closed = True
        await self.siblings.close()
        # Whatever goes wrong in there, it is gone or goes with this process.
        with contextlib.suppress(Exception):
            await asyncio.to_thread(_shut_down, self.llm)

    def _send(self, request: Request, n: int, name: str) -> AsyncIterator[Any]:
        params = sampling_params(
            request.sampling, seed=_seed(request), n=n, logprobs=self.load.logprobs
        )
        outputs: AsyncIterator[Any] = self.llm.generate(
            _tokens_input(self.prompts.tokens(request.messages)),
            params,
            name,
            lora_request=self._lora,
        )
        return outputs

    async def _rated(self, request: Request) -> Completion:
        """The numbers that a request asks for, as a reply."""
        messages = request.messages
        match self.load.rates:
            case "embed":
                tokens = self.prompts.text(text_of(messages))
                return scored(request, vector_reply(await self._pool(tokens)), len(tokens))
            case "score":
                tokens = self.prompts.pair(*texts_of(messages))
            case _:
                tokens = self.prompts.conversation(messages)
        return scored(request, score_reply(await self._one(tokens)), len(tokens))

    async def _rate(self, item: Rated) -> float:
        match item:
            case (str(question), str(document)):
                tokens = self.prompts.pair(question, document)
            case _:
                tokens = self.prompts.conversation([m for m in item if isinstance(m, Message)])
        return await self._one(tokens)

    async def _one(self, tokens: list[int]) -> float:
        values = await self._pool(tokens)
        if len(values) != 1 or not math.isfinite(values[0]):
            raise EngineError("bad-reply", f"the rating is {values[:3]}", retryable=False)
        return values[0]

    async def _pool(self, tokens: list[int]) -> list[float]:
        if len(tokens) > self.limit:
            raise EngineError(
                "overlong", f"{len(tokens)} tokens do not fit into {self.limit}", retryable=False
            )
        params = importlib.import_module("vllm.pooling_params").PoolingParams
        # A reward is the number itself; a relevance is made a probability by most models, and a
        # vector is given the length 1.
        task = "embed" if self.load.rates == "embed" else "classify"
        how = params(task=task, use_activation=self.load.rates != "reward")
        name = f"rate-{next(self._ids)}"
        values: list[float] = []
        async for found in self.llm.encode(
            _tokens_input(tokens), how, name, lora_request=self._lora
        ):
            values = found.outputs.data.flatten().tolist()
        return [float(v) for v in values]

    def _thinks(self, prompt: Sequence[int]) -> bool:
        """Whether the template has opened the model's thought in its stead."""
        end: str = self.prompts.tokenizer.decode(prompt[-4:])
        return end.rstrip().endswith("<think>")


async def load_model(load: Load) -> Loaded:
    """Load it. Raises `EngineError`."""
    llm = await launch(load.arguments)
    found = llm.get_tokenizer()
    tokenizer = await found if inspect.isawaitable(found) else found
    return Loaded(
        load,
        llm,
        Prompts(tokenizer, load.thinking, load.plain),
        int(llm.model_config.max_model_len),
    )


def _shut_down(llm: Any) -> None:
    """End vLLM's processes soon: they have nothing to save."""
    if "timeout" in inspect.signature(llm.shutdown).parameters:
        llm.shutdown(timeout=_LEAVE_SECONDS)
    else:
        llm.shutdown()


def _seed(request: Request) -> int:
    # vLLM hands seeds to torch, which takes any of 63 bits.
    return request.seed % 2**63


def _tokens_input(tokens: list[int]) -> dict[str, Any]:
    """Tokens that need no more preparing: newer versions of vLLM look for the type."""
    return {"type": "token", "prompt_token_ids": tokens}
