"""Control tokens inside row text, broken so that no tokenizer reads them as control.

A page that says `<|im_end|>` must not end the turn it is quoted in. One zero-width space (U+200B)
goes behind the token's first character. Why that one: tokenizers look for special tokens in the raw
characters, so any character between breaks them; it is invisible, so the model still reads and
copies the text as what it is, where a look-alike letter or a deleted mark would change it; it is in
no token and in next to no text, so `restore` can take it out again, where a plain space could not
be told from the text's own; and normalisers that know it make a space of it, which breaks the token
as well.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

BREAK = "\u200b"

Spans = Sequence[tuple[int, int]]
"""Half-open ranges of characters, in order, none empty."""

_NAME = r"[^\s<>|｜\u200b]{1,64}"
GENERAL = (
    ("<", rf"\|{_NAME}\|>"),  # ChatML, Llama 3, Phi, GPT, OLMo
    ("<", rf"｜{_NAME}｜>"),  # DeepSeek, with full-width bars
    ("<", rf"\|{_NAME}>"),  # half-open pairs of newer templates
    ("<", rf"{_NAME}\|>"),
    ("[", r"/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|TOOL_CONTENT|THINK)\]"),
    ("<", r"</?SYS>>"),
    ("<", r"/?(?:s|bos|eos|pad|unk|start_of_turn|end_of_turn|start_of_image|end_of_image)>"),
    ("<", r"/?(?:think|tool_call|tool_response|tool_calls|function_calls)>"),
    ("<", r"(?:sop|eop|mask|sep|seed:[a-z_]{1,32}|(?:extra_id_|reserved_|unused)\d{1,4})>"),
    ("<", r"(?:fim_(?:prefix|middle|suffix|pad)|file_sep|repo_name|endoftext)>"),  # StarCoder
    ("[", r"(?:\|[^\s|\[\]\u200b]{1,64}\|\]|[gs]MASK\]|ARGS\]|CALL_ID\])"),  # EXAONE, GLM, Mistral
    ("]", r"~!?b[\[\]]"),  # MiniMax
    ("[", r"e~\["),
)
"""First character and rest of the control tokens in wide use, for models that name none."""


def breaker(special: Iterable[str]) -> Callable[[str, Spans], str]:
    """A function that breaks control tokens in a text.

    Args:
        special: A model's own control tokens; the general shapes are always added. What is blank
            or a single character cannot be broken and is left alone.

    Returns:
        A function of a text and the half-open ranges in it that come from outside, in order. A
        token is broken if at least one of its characters does; so a token that two values, or a
        value and the prompt, make only together is broken too. Breaking what is broken changes
        nothing.
    """
    pattern = _pattern(special, "")

    def break_tokens(text: str, outside: Spans) -> str:
        # Each round leaves fewer tokens: none of them holds a break.
        while cuts := list(_cuts(text, outside, pattern)):
            text, outside = _insert(text, outside, cuts)
        return text

    return break_tokens


def neutralise(text: str, special: Iterable[str] = ()) -> str:
    """A text of a row with its control tokens broken. Idempotent."""
    return breaker(special)(text, [(0, len(text))])


def restore(text: str, special: Iterable[str] = ()) -> str:
    """Undo `neutralise`, in a model's reply say: join what is a control token when joined."""
    if BREAK not in text:
        return text
    pattern, count = _pattern(special, BREAK), 1
    while count:
        text, count = pattern.subn(lambda m: m[0][0] + m[0][2:], text)
    return text


def _pattern(special: Iterable[str], between: str) -> re.Pattern[str]:
    """All control tokens, with something behind the first character of each."""
    general = "|".join(f"(?:{re.escape(a)}{between}{b})" for a, b in GENERAL)
    shapes = re.compile("|".join(f"(?:{re.escape(a)}{b})" for a, b in GENERAL))
    own = {t for t in special if len(t) > 1 and t.strip() and not shapes.fullmatch(t)}
    # Longest first: some models reserve thousands of names with one beginning.
    firsts = {a: _any_of(sorted(t[1:] for t in own if t[0] == a)) for a in {t[0] for t in own}}
    parts = [f"(?:{re.escape(a)}{between}{rest})" for a, rest in sorted(firsts.items())]
    return re.compile("|".join((*parts, general)))


def _any_of(words: Sequence[str]) -> str:
    """A regular expression for one of some words, common beginnings written once.

    >>> _any_of(["ab", "ac", "b"])
    '(?:a(?:b|c)|b)'
    """
    whole = "" in words
    heads = sorted({w[0] for w in words if w})
    parts = []
    for head in heads:
        tails = [w[1:] for w in words if w.startswith(head)]
        parts.append(re.escape(head) + (_any_of(tails) if tails != [""] else ""))
    if not parts:
        return ""
    one = parts[0] if len(parts) == 1 and not whole else f"(?:{'|'.join(parts)})"
    return f"{one}?" if whole else one


def _cuts(text: str, outside: Spans, pattern: re.Pattern[str]) -> Iterable[int]:
    """Offsets where a token has to be broken; tokens that overlap are found in later rounds."""
    at, k = 0, 0
    while found := pattern.search(text, at):
        start, end = found.span()
        while k < len(outside) and outside[k][1] <= start:
            k += 1
        if k < len(outside) and outside[k][0] < end:
            yield start + 1
            at = end
        else:
            at = start + 1  # the prompt's own; one that overlaps it may not be


def _insert(text: str, outside: Spans, cuts: Sequence[int]) -> tuple[str, Spans]:
    pieces: list[str] = []
    at = 0
    for cut in cuts:
        pieces.append(text[at:cut])
        at = cut
    moved: list[tuple[int, int]] = []
    k = 0
    for start, end in outside:
        while k < len(cuts) and cuts[k] <= start:
            k += 1
        inside = k
        while inside < len(cuts) and cuts[inside] < end:
            inside += 1
        moved.append((start + k, end + inside))
        k = inside
    return BREAK.join((*pieces, text[at:])), moved
