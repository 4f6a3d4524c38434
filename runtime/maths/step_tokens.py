"""The tokens of a text in which calculations stand among prose."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_LATEX = (
    (re.compile(r"\\(?:times|cdot|ast)(?![A-Za-z])|[×·∙⋅∗✕]"), "*"),
    (re.compile(r"\\div(?![A-Za-z])|÷"), "/"),
    (re.compile(r"\\(?:approx|simeq)(?![A-Za-z])|≈"), " ≈ "),
    (re.compile(r"(?<=\d)(?:\{,\}|\\,)(?=\d{3})"), ","),
    (
        re.compile(r"\\(?:left|right|bigl?|bigr?|quad|qquad|displaystyle)(?![A-Za-z])|\\[,;:! ]"),
        " ",
    ),
    (re.compile(r"\\(?:text|mathrm|textbf|mathbf|mbox)\s*\{([^{}]*)\}"), r" \1 "),
    (re.compile(r"\\boxed\s*\{([^{}]*)\}"), r" \1 "),
    (re.compile(r"[−–]"), "-"),
    (re.compile(r"\\%"), "%"),
    (re.compile(r"\\?[$€£]|\*\*|\\[()\[\]]|&"), " "),
    (re.compile(r"\^\s*\{\s*(\d+)\s*\}"), r"^\1"),
    (re.compile(r"(?<![\d.,])(\d+)\s+and\s+\((\d+/\d+)\)"), r"(\1+\2)"),
    (re.compile(r"(?<![\d.,])(\d+)\s+and\s+(\d+/\d+)(?![\d/])"), r"(\1+\2)"),
    (re.compile(r"²"), "^2"),
    (re.compile(r"³"), "^3"),
)
_FRACTION = re.compile(r"\\[dt]?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}|\\[dt]?frac\s*(\d)\s*(\d)")
_TOKEN = re.compile(
    r"(?P<number>(?<![\w.])(?<!\d,)(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?%?|(?<![\w.])\.\d+%?)"
    r"|(?P<relation>(?<![=<>!:+\-*/])=(?![=>])|≈)"
    r"|(?P<of>\bof\b|(?<=[\d\s)a-z]) ?\b[xX]\b(?=[ \t]*[(\d.]))"
    r"|(?P<operator>[-+*/^])"
    r"|(?P<left>\()|(?P<right>\))"
    r"|(?P<word>(?:lbs?|oz|ft|yds?|hrs?|mins?|secs?|gals?|pts?|qts?)\.|[A-Za-z]+(?:['.-][A-Za-z]+)*)"
    r"|(?P<line>\n)|(?P<other>[^\s])"
)


@dataclass(frozen=True, slots=True)
class Token:
    """A number, a sign or a word of a text."""

    kind: str
    text: str
    glued: bool = False
    """Whether no space parts it from what stands before."""


def tokens_of(text: str) -> list[Token]:
    """The tokens of a text, LaTeX and prices made plain."""
    text = _plain(text)
    made: list[Token] = []
    end = 0
    for match in _TOKEN.finditer(text):
        glued = match.start() == end and match[0][0] != " "
        made.append(Token(match.lastgroup or "", match[0].strip(" "), glued))
        end = match.end()
    return list(_without_mixed(made))


def _is_grouped(tokens: list[Token]) -> bool:
    """Whether two numbers are one: `18 000`."""
    return (
        [t.kind for t in tokens[:2]] == ["number", "number"]
        and tokens[0].text.isdigit()
        and tokens[1].text.isdigit()
        and len(tokens[0].text) <= 3 == len(tokens[1].text)
        and not tokens[1].glued
    )


def _without_mixed(tokens: list[Token]) -> Iterator[Token]:
    """Tokens with `1 1/2` as one number, `(1+1/2)`, and `18 000` as well."""
    i = 0
    while i < len(tokens):
        four = tokens[i : i + 4]
        if (
            [t.kind for t in four] == ["number", "number", "operator", "number"]
            and four[2].text == "/"
            and not four[1].glued
            and four[2].glued
            and four[3].glued
            and all(t.text.isdigit() for t in (four[0], four[1], four[3]))
            and int(four[1].text) < int(four[3].text)
        ):
            text = f"({four[0].text}+{four[1].text}/{four[3].text})"
            yield Token("number", text, four[0].glued)
            i += 4
        elif _is_grouped(four):
            yield Token("number", four[0].text + four[1].text, four[0].glued)
            i += 2
        else:
            yield tokens[i]
            i += 1


def _plain(text: str) -> str:
    if "\\" in text:
        for _ in range(3):
            text = _FRACTION.sub(_divided, text)
    for pattern, plain in _LATEX:
        text = pattern.sub(plain, text)
    return text


def _divided(match: re.Match[str]) -> str:
    top, bottom = (match[1], match[2]) if match[1] is not None else (match[3], match[4])
    return f"(({top})/({bottom}))"
