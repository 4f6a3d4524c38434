"""Models that think before they reply: what of it is billed and not seen, and what to type."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .quantities import show_share

HIDDEN = 0.2
"""Share of a model's reply tokens that no text shows from which on it is worth a word."""
SEEN = 4
"""Replies, or rows with replies, from which on that share is no chance."""
ALL = 0.995
SWITCHED = ("http", "vllm")
"""Engines that know `thinking:`."""

_BY_DEFAULT = re.compile(
    r"^(qwen-?3(?!.*(instruct|coder|base|embedding|reranker|guard))|qwq-|o[134](-|$)|gpt-5(?!\.|-chat)"
    r"|gpt-oss|gemini-(2\.5(?!-flash-lite)|3)|grok-4(?!.*non-reasoning)|deepseek-r1|glm-4\.[5-9]"
    r"|magistral|smollm3)|(?<!non-)(thinking|reasoning|reasoner)",
    re.IGNORECASE,
)


def by_default(model: Mapping[str, Any]) -> bool:
    """Whether a model of a plan is known to think where nobody says whether it should.

    By its name, so this is no more than a hint; what the ledger holds of it says more.
    """
    options = model.get("options") or {}
    if model["engine"] not in SWITCHED or "thinking" in options:
        return False
    if options.get("api") == "completion" or options.get("task", "generate") != "generate":
        return False
    return bool(_BY_DEFAULT.search(str(model["model"]).rpartition("/")[2]))


def told(name: str, model: Mapping[str, Any], share: float, where: str) -> tuple[str, str] | None:
    """What is said of a model whose replies are thoughts in part, and what to type.

    Args:
        name: The recipe's name for it.
        model: Of the plan.
        share: Of its reply tokens, those that no text shows.
        where: In which replies: in `book`.

    Returns:
        Words and help; None where it is not worth a word, or the recipe wants it to think.
    """
    switch = (model.get("options") or {}).get("thinking")
    if switch is True or share < HIDDEN:
        return None
    how = "in spite of `thinking: false`" if switch is False else "by default"
    beside = "all there is" if share >= ALL else f"{_times(share)}× the visible ones"
    words = (
        f"`{name}` thinks {how}; hidden tokens are billed and were {beside} {where} "
        f"({show_share(share)} of its reply tokens)"
    )
    off = "take a model that does not think"
    if switch is None and model["engine"] in SWITCHED:
        off = f"switch it off: `thinking: false` in models.{name}"
    return words, f"{off}; if it is to think, give max_tokens room for thoughts and reply"


def _times(share: float) -> str:
    times = share / (1 - share)
    return f"{times:,.0f}" if times >= 9.5 else f"{times:.1f}"
