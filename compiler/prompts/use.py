"""What a step makes of a prompt: warnings that need its model, and labels that name it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from ..diagnostics import Diagnostic, Label, Span
from ..document import Map, Scalar
from .record import PromptFile

CONTEXTS = ("max_model_len", "context")
"""Settings of `placement` that say how many tokens a prompt and its reply may have together."""


def used_by(
    step: str, span: Span, problems: Iterable[Diagnostic], *, words: str = ""
) -> Iterator[Diagnostic]:
    """Diagnostics of a prompt file, each with the place of the recipe that uses it."""
    label = Label(span, words or f"step `{step}` uses this prompt")
    for d in problems:
        if d.span is None:
            yield replace(d, span=span)
        elif any(s.span.file == span.file for s in d.secondary):
            yield d
        else:
            yield replace(d, secondary=(*d.secondary, label))


def overflow(
    prompt: PromptFile, max_tokens: int, model: str, placement: Map | None, span: Span
) -> Iterator[Diagnostic]:
    """Report a prompt that no row can fit into the context that the model is given.

    Args:
        prompt: The prompt.
        max_tokens: Of its reply, in tokens.
        model: Name of the model.
        placement: The model's settings, as written.
        span: Where the recipe names the prompt.
    """
    for setting in CONTEXTS:
        node = placement.get(setting) if placement else None
        context = node.value if isinstance(node, Scalar) else None
        if node is None or type(context) is not int or context < 1:
            continue
        needed = prompt.fewest_tokens + max_tokens
        if needed > context:
            yield Diagnostic(
                "P205",
                f"no prompt fits: {needed:,} tokens or more, and `{model}` holds {context:,}",
                span,
                f"{prompt.fewest_tokens:,} words of its own, `max_tokens` {max_tokens:,}",
                secondary=(Label(node.span, "prompt and reply together"),),
                help=f"lower `max_tokens`, shorten the prompt, or raise `{setting}`",
            )
