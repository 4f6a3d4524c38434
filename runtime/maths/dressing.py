r"""From the many ways of writing to one: Unicode signs, spacing commands, fonts, delimiters.

What comes out is LaTeX without dressing: `½` is `\frac{1}{2}`, `×` is `\times`, `\dfrac` is
`\frac`, fonts are `\text{…}`, delimiters and emphasis around the whole are gone.
"""

from __future__ import annotations

import re
import unicodedata

MAX_CHARS = 2_000
"""Longer texts are no answers."""

_SUPER = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ", "0123456789+-n")
_SUB = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
_SUPERS = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ]+")
_SUBS = re.compile("[₀₁₂₃₄₅₆₇₈₉]+")
_VULGAR = re.compile("[¼½¾⅐-⅞]")
_GREEK = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma "
    "tau upsilon phi chi psi omega"
)
_SIGNS = {
    "−": "-", "‐": "-", "‑": "-", "–": "-", "—": "-", "×": r"\times ", "✕": r"\times ",
    "÷": r"\div ", "·": r"\cdot ", "⋅": r"\cdot ", "∙": r"\cdot ", "∗": "*", "√": r"\sqrt ",
    "∛": r"\sqrt[3]", "∞": r"\infty ", "≤": r"\le ", "≥": r"\ge ", "≠": r"\neq ", "±": r"\pm ",
    "∪": r"\cup ", "∩": r"\cap ", "∈": r"\in ", "∅": r"\emptyset ", "Ø": r"\emptyset ",
    "ℝ": r"\mathbb{R}", "ℤ": r"\mathbb{Z}", "∖": r"\setminus ", "°": r"^\circ ", "º": r"^\circ ",
    "≈": r"\approx ", "⟨": r"\langle ", "⟩": r"\rangle ", "⌊": r"\lfloor ", "⌋": r"\rfloor ",
    "⌈": r"\lceil ", "⌉": r"\rceil ", "’": "'", "‘": "'", "“": '"', "”": '"', "⁄": "/", "∕": "/",
    "µ": r"\mu ",
}  # fmt: skip
_SIGN = re.compile("|".join(map(re.escape, _SIGNS)))
_LETTERS = {
    **{chr(0x3B1 + i + (i > 16)): f"\\{name} " for i, name in enumerate(_GREEK.split())},
    "Δ": r"\Delta ", "Ω": r"\Omega ", "Σ": r"\Sigma ", "ϕ": r"\phi ", "ϵ": r"\epsilon ",
}  # fmt: skip
_LETTER = re.compile("[" + "".join(_LETTERS) + "]")
_SPACING = re.compile(
    r"(?<!\\)\\(?:[,;:!> ]|displaystyle|textstyle|phantom\{[^{}]*\}"
    r"|(?:q?quad|limits|left|right|[bB]igg?[lrm]?)(?![A-Za-z]))|[~\u00a0]"
)
_THIN = re.compile(r"(?<=\d)(?:\{,\}|\\[,;:! ]|[\u202f\u2009])(?=\d{3}(?!\d))")
_FRACTION = re.compile(r"\\[dtc]frac(?![A-Za-z])")
_FONT = re.compile(
    r"\\(?:math(?:rm|bf|it|sf|tt|normal)|text(?:bf|it|rm|sf|tt|normal|up|sc)|mbox|hbox|textsc|emph"
    r"|operatorname\*?|boldsymbol|bm|vec|rm|bf)(?=\s*\{)"
)
_HOLDS_NUMBER = re.compile(r"\\text\s*\{\s*(-?[\d.,/ ]+|[A-Za-z]|\([A-Za-z]\))\s*\}")
_BOX = re.compile(r"\\(?:boxed|fbox)(?![A-Za-z])\s*")
_EMPHASIS = re.compile(r"(\*{1,3}|_{2,3}|`+)(\S(?:.*?\S)?)\1[.,;:]?", re.S)
_OVER = re.compile(r"\{?([^{}]*)\\over(?![A-Za-z])([^{}]*)\}?")
_ENDS = " \t\r\n.,;:?"


def undress(text: str) -> str:
    """The text in its plainest LaTeX."""
    text = _THIN.sub("", text)
    if not text.isascii():
        text = _plain_signs(text)
    text = _unwrap(text.strip())
    text = _FONT.sub(r"\\text", _FRACTION.sub(r"\\frac", text))
    text = text.replace(r"\$", "$").replace(r"\%", "%").replace(r"\#", "#").replace(r"\&", "&")
    text = _HOLDS_NUMBER.sub(r" \1 ", _SPACING.sub(" ", text))
    text = text.replace("{,}", ",").replace("^{\\circ}", r"^\circ ").replace(r"\degree", r"^\circ ")
    if r"\over" in text:
        text = _OVER.sub(r"\\frac{\1}{\2}", text)
    text = text.replace(r"\dots", "...").replace(r"\ldots", "...")
    return " ".join(_unwrap(text).split())


def _plain_signs(text: str) -> str:
    text = _SUPERS.sub(lambda m: "^{" + m[0].translate(_SUPER) + "}", text)
    text = _SUBS.sub(lambda m: "_{" + m[0].translate(_SUB) + "}", text)
    text = _SIGN.sub(lambda m: _SIGNS[m[0]], _VULGAR.sub(_fraction, text))
    text = unicodedata.normalize("NFKC", text)
    text = _SIGN.sub(lambda m: _SIGNS[m[0]], text)
    return _LETTER.sub(lambda m: _LETTERS[m[0]], text)


def _fraction(match: re.Match[str]) -> str:
    top, _, bottom = unicodedata.normalize("NFKC", match[0]).partition("⁄")
    return f"\\frac{{{top}}}{{{bottom}}}" if bottom else match[0]


def _unwrap(text: str) -> str:
    """Without delimiters, boxes, emphasis and end marks around the whole."""
    before = None
    while before != text:
        before = text
        text = text.strip(" \t\r\n")
        text = text.removesuffix("\\\\")
        if len(text) > 1 and text[-1] in _ENDS and not text.endswith("..."):
            text = text.rstrip(_ENDS)
        for left, right in ((r"\(", r"\)"), (r"\[", r"\]"), ("$$", "$$"), ("$", "$")):
            if len(text) > len(left + right) and text.startswith(left) and text.endswith(right):
                inner = text[len(left) : -len(right)]
                if left not in inner and right not in inner:
                    text = inner
        if match := _EMPHASIS.fullmatch(text):
            text = match[2]
        if match := _BOX.match(text):
            text = _braced(text[match.end() :]) or text[match.end() :]
        elif text.startswith("{"):
            bare = _braced(text)
            text = text if bare is None or "," in bare else bare
    return text


def _braced(text: str) -> str | None:
    """What stands in the braces that are the whole text, one that is never closed included."""
    if not text.startswith("{"):
        return None
    depth = 0
    for at, char in enumerate(text):
        if char in "{}" and text[at - 1 : at] != "\\":
            depth += 1 if char == "{" else -1
            if not depth:
                return text[1:at] if at == len(text) - 1 else None
    return text[1:]
