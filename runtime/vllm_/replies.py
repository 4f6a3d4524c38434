"""What is sent for a request, and what its reply becomes."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from typing import Any

from ..engines._logprobs import Logprob, pack_logprobs
from ..llama.grammar import compile_grammar
from ..requests import Completion, EngineError, Finish, Sampling

_FINISH: dict[str, Finish] = {"stop": "stop", "length": "length"}
_OPEN, _CLOSE = "<think>", "</think>"


def sampling_params(sampling: Sampling, *, seed: int, n: int, logprobs: int) -> Any:
    """Parameters of vLLM for `n` replies; reply number i is drawn with the seed `seed + i`."""
    vllm = importlib.import_module("vllm.sampling_params")
    given: dict[str, Any] = {
        "n": n,
        "seed": seed,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "max_tokens": sampling.max_tokens,
        # Each reply as soon as it is whole: a sibling does not wait for the longest of them.
        "output_kind": vllm.RequestOutputKind.CUMULATIVE,
    }
    for name in ("top_k", "min_p", "repetition_penalty"):
        if (value := getattr(sampling, name)) is not None:
            given[name] = value
    if sampling.stop:
        given["stop"] = list(sampling.stop)
    if logprobs:
        given["logprobs"] = logprobs
    if sampling.schema is not None:
        # vLLM's own way from a schema lets control characters into strings, which is no JSON.
        given["structured_outputs"] = vllm.StructuredOutputsParams(
            grammar=compile_grammar(sampling.schema)
        )
    return vllm.SamplingParams(**given)


def completion(
    output: Any,
    *,
    prompt: Sequence[int],
    cached: int,
    sampling: Sampling,
    seed: int | None,
    logprobs: int,
    opened: bool = False,
) -> Completion:
    """A whole reply.

    Args:
        output: vLLM's `CompletionOutput`.
        prompt: Token ids of the prompt.
        cached: How many of them vLLM had computed before.
        sampling: As asked for.
        seed: Where it is another than the request's.
        logprobs: How many are kept of each token.
        opened: Whether the prompt itself ends in the opening of a thought.

    Raises:
        EngineError: `bad-reply`, for a reply that did not come to an end of its own.
    """
    finish = _FINISH.get(output.finish_reason)
    if finish is None:
        raise EngineError(
            "bad-reply", f"vLLM ended the reply with {output.finish_reason!r}", retryable=True
        )
    thought, text = split_thought(output.text, opened=opened)
    extra = {"reasoning": thought} if thought is not None else {}
    if logprobs and output.logprobs is not None:
        extra["logprobs"] = pack_logprobs(_logprobs(output, logprobs))
    return Completion(
        text=text,
        finish=finish,
        prompt_tokens=len(prompt),
        completion_tokens=len(output.token_ids),
        max_tokens=sampling.max_tokens,
        extra=extra,
        seed=seed,
        cached_tokens=cached,
    )


def split_thought(text: str, *, opened: bool = False) -> tuple[str | None, str]:
    r"""The thought at the head of a reply, if there is one, and the reply itself.

    A reply that was cut while the model still thought is empty.

    >>> split_thought("<think>hm</think>\n\nYes.")
    ('hm', 'Yes.')
    >>> split_thought("Yes.")
    (None, 'Yes.')
    """
    head = text.lstrip()
    if not opened and not head.startswith(_OPEN):
        return None, text
    thought, closed, rest = head.removeprefix(_OPEN).partition(_CLOSE)
    return thought.strip(), rest.lstrip("\n") if closed else ""


def _logprobs(output: Any, count: int) -> Iterator[tuple[Logprob, Sequence[Logprob]]]:
    """The token that was drawn and the likeliest ones, of each position."""
    for token, found in zip(output.token_ids, output.logprobs, strict=False):
        drawn = found[token]
        top = sorted(found.values(), key=lambda p: p.rank or len(found))[:count]
        yield (
            (drawn.decoded_token or "", drawn.logprob),
            [(p.decoded_token or "", p.logprob) for p in top],
        )
