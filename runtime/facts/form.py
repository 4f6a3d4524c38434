"""Talk about the rewriting in place of, or around, the rewrite; and refusals."""

from __future__ import annotations

import re

_TEXT = (
    r"(?:text|passage|sentence|paragraph|version|rewrite|draft|message|wording|phrasing|"
    r"explanation|response|tone|meaning|intent)s?"
)
_SELF = r"(?:text|passage|paragraph|rewrite|draft)s?"
_EDITED = (
    r"(?:original|revised|rewritten|re-written|rephrased|reworded|edited|reworked|simplified|"
    r"improved|polished|paraphrased|updated|given|provided|above|following)"
)
_EDIT = (
    r"(?:rewr[io]t|re-wr[io]t|rephras|reword|revis|edit|paraphras|rework|reorgani[sz]|simplif|"
    r"polish|refine)"
)

_REFUSAL = re.compile(
    r"\bas an ai\b|\bas a (?:large )?language model\b|\bi(?:'m| am) (?:sorry|unable|not able)\b|"
    r"\bi (?:cannot|can't|can not) (?:help|assist|fulfil|provide|rewrite|comply|do that)",
    re.IGNORECASE,
)
_META = re.compile(
    rf"\b{_EDITED} (?:\w+ )?{_TEXT}\b|"
    rf"\b(?:this|the|your|that) (?:\w+ )?{_SELF} (?:is|was|has been|can be|could be|aims?|"
    rf"needs?|provides|now|above|contains|appears|seems)\b|"
    rf"\b{_EDIT}\w* (?:\w+ )?(?:this|the|your|it|that|these) ?(?:\w+ )?(?:{_TEXT}|to\b|as\b|in\b)|"
    r"^[^\w\n]{0,8}(?:re-?write|rephrase|reword|paraphrase)\b|"
    rf"\bi(?:'ve| have|'ll| will|'d| would)? (?:also |just |then |tried to |aimed to )*"
    rf"{_EDIT}\w*\b|"
    r"\bi(?:'ve| have| also)+ (?:also )?(?:added|removed|replaced|corrected|changed|"
    r"made (?:\w+ ){0,2}(?:changes|adjustments|edits)|made (?:it|this|the \w+|your \w+) )|"
    r"\bi (?:added|removed|changed|replaced|corrected) (?:the|a|an|\")|"
    r"\bi(?:'m| am) (?:glad|happy|ready|here|thrilled) (?:you|to help|that you)|"
    r"\bi hope (?:this|that)(?:'s| is)? help|\blet me know if\b|\bfeel free to (?:ask|reach)\b|"
    r"\b(?:changed|replaced|replacing|added|removed) \"[^\"\n]*\" (?:to|with|after|before|for|in)|"
    r"\bhere(?:'s| is| are) (?:a|an|the|your|my|some) (?:\w+ ){0,4}(?:text|version|rewrite|"
    r"sentence|passage|paragraph|revision|summary)|"
    r"^[^\w\n]{0,8}(?:sure|certainly|of course|absolutely|you're right|great question|"
    r"thank you)[,.!]",
    re.IGNORECASE | re.MULTILINE,
)


def refusal(got: str, source: str) -> str:
    """The words that refuse the task, if the source does not say the like; else nothing."""
    return _foreign(_REFUSAL, got, source)


def meta_talk(got: str, source: str) -> str:
    """The words that speak of the rewriting, if the source does not say the like; else nothing."""
    return _foreign(_META, got, source)


def _foreign(pattern: re.Pattern[str], got: str, source: str) -> str:
    known = _plain(source)
    for found in pattern.finditer(got.replace("’", "'")):
        if _plain(found[0]) not in known:
            return found[0].strip()
    return ""


def _plain(text: str) -> str:
    return " ".join(text.replace("’", "'").casefold().split())
