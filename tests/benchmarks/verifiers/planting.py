"""True rewrites by rule, and errors planted in them.

A true rewrite says what its source says in another way: clauses change places, numbers are written
otherwise, contractions open and close, sentences join and part, words give way to words of the same
sense. The gate knows 31 of the 56 synonyms too. Each error is planted in a true rewrite, never in
the source itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from random import Random

_SYNONYMS = """
begin:start started:began help:assist important:significant show:demonstrate shows:demonstrates
large:big buy:purchase bought:purchased use:employ quick:rapid quickly:rapidly choose:select
children:kids often:frequently usually:normally also:additionally needed:required
build:construct built:constructed near:close~to enough:sufficient
easy:straightforward difficult:challenging beautiful:pretty house:home ensure:make~sure
allows:lets allow:let sure:certain make~sure:ensure because:since although:though
many:numerous whole:entire answer:reply keep:retain perfect:ideal simply:just
wonderful:marvellous explore:look~into visit:go~to discover:find entire:whole attempt:try
receive:get provides:offers provide:offer offers:provides maybe:perhaps believe:think
sometimes:at~times looked:gazed road:street journey:trip gave:handed large:sizeable
"""
SYNONYMS = {old: new for old, _, new in (pair.partition(":") for pair in _SYNONYMS.split())}

_CONTRACTED = {
    "do not": "don't", "does not": "doesn't", "did not": "didn't", "is not": "isn't",
    "are not": "aren't", "was not": "wasn't", "cannot": "can't", "will not": "won't",
    "it is": "it's", "that is": "that's", "you are": "you're", "we are": "we're",
    "they are": "they're", "I have": "I've", "you will": "you'll", "I am": "I'm",
}  # fmt: skip
_SPELT = "two three four five six seven eight nine ten eleven twelve"
_DIGITS = {str(value): word for value, word in enumerate(_SPELT.split(), start=2)}
_UNITS = {
    "km": "kilometres", "kg": "kilograms", "cm": "centimetres", "mm": "millimetres",
    "lbs": "pounds", "hrs": "hours", "GB": "gigabytes", "ft": "feet", "mph": "miles per hour",
}  # fmt: skip
_MONTH = "January|February|March|April|May|June|July|August|September|October|November|December"
_SUBORDINATE = "When|If|While|Although|Because|After|Before|Once|Since|Though|Unless|As"

NAME = re.compile(
    r"(?<=[a-z,;] )(?!(?:I|January|February|March|April|May|June|July|August|September|October|"
    r"November|December|Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)\b)"
    r"[A-Z][a-z]{2,}(?: [A-Z][a-z]{2,}){0,2}"
)
NUMBER = re.compile(
    r"(?<![\w.,:/$€£-])\d{1,3}(?:,\d{3})+(?![\w,])|(?<![\w.,:/-])\d+(?![\w:/-]|[.,]\d)"
)

_NOUN = re.compile(
    r"(?<=\bthe |..\ba )[a-z]{4,}"
    r"(?= (?:of|in|on|at|to|from|with|for|that|is|was|are|has)\b|[.,;])"
)

Edit = Callable[[str, Random], str]


def synonyms(text: str, draw: Random) -> str:
    """One or two words of a sentence give way to others."""
    found = [m for m in re.finditer(r"[A-Za-z]+", text) if m[0] in SYNONYMS]
    for mark in sorted(draw.sample(found, min(len(found), 2)), key=lambda m: -m.start()):
        new = SYNONYMS[mark[0]].replace("~", " ")
        text = text[: mark.start()] + new + text[mark.end() :]
    text = re.sub(r"\ba(?= [aeiou][a-z])(?! (?:uni|use|one|eu))", "an", text)
    return re.sub(r"\ban(?= [b-df-gj-np-tv-z][a-z])", "a", text)


def contractions(text: str, draw: Random) -> str:
    """`do not` and `don't` change places."""
    for long, short in _CONTRACTED.items():
        if f" {long} " in text:
            return text.replace(f" {long} ", f" {short} ", 1)
        if f" {short} " in text:
            return text.replace(f" {short} ", f" {long} ", 1)
    return text


def numbers(text: str, draw: Random) -> str:
    """Numbers, units, money, percent and dates written otherwise."""
    text = re.sub(rf"\b({_MONTH}) (\d{{1,2}}), (\d{{4}})\b", r"\2 \1 \3", text)
    text = re.sub(r"(?<=\d)%(?!\w)", " percent", text)
    text = re.sub(r"(?<![\w.,$€£-])(\d{1,3}),(\d{3})(?![\w,])", r"\1\2", text)
    text = re.sub(r"\$(\d+(?:\.\d+)?)(?![\w,.]|\s(?:m|b|tr)illion)", r"\1 dollars", text)
    text = re.sub(rf"(?<=\d) ?({'|'.join(_UNITS)})\b", lambda m: f" {_UNITS[m[1]]}", text)
    return re.sub(
        r"(?<=[a-z] )(\d{1,2})(?= [a-z])", lambda m: _DIGITS.get(m[1], m[1]), text, count=2
    )


def clauses(text: str, draw: Random) -> str:
    """A clause at the front goes to the end, or the other way round."""
    lead = re.fullmatch(rf"({_SUBORDINATE}) ([^,;:]{{8,80}}), ([a-z][^,;:]+)\.", text)
    if lead:
        rest = lead[3][0].upper() + lead[3][1:]
        return f"{rest} {lead[1].lower()} {lead[2]}."
    tail = re.fullmatch(r"([A-Z][^,;:]{12,120}) (because|when|while|although|if) ([^,;:]+)\.", text)
    if tail and re.match(r"(?:The|This|That|It|We|You|They|He|She|A|An|There)\b", tail[1]):
        first = tail[1][0].lower() + tail[1][1:]
        return f"{tail[2].capitalize()} {tail[3]}, {first}."
    when = re.fullmatch(r"In (\d{4}|[A-Z][a-z]+ \d{4}), ([a-z][^;:]+)\.", text)
    if when:
        return f"{when[2][0].upper()}{when[2][1:]} in {when[1]}."
    return text


def lists(text: str, draw: Random) -> str:
    """The first two of a list of three change places."""
    return re.sub(
        r"\b([a-z]{3,}), ([a-z]{3,}),? and ([a-z]{3,})\b", r"\2, \1 and \3", text, count=1
    )


def joints(text: str, draw: Random) -> str:
    """A semicolon becomes a full stop."""
    return re.sub(r"; ([a-z])", lambda m: f". {m[1].upper()}", text, count=1)


EDITS: tuple[Edit, ...] = (clauses, lists, joints, contractions, numbers, synonyms)


def rewritten(sentences: Sequence[str], draw: Random) -> list[str] | None:
    """The same sentences in other words; nothing where less than half of them change."""
    out, changed = [], 0
    for sentence in sentences:
        new = sentence
        for edit in EDITS:
            new = edit(new, draw)
        changed += new != sentence
        out.append(new)
    return out if 2 * changed >= len(sentences) else None


@dataclass(frozen=True, slots=True)
class Material:
    """What an error may be made of: names, numbers and sentences of other texts."""

    names: Sequence[str]
    sentences: Sequence[str]


Error = Callable[[list[str], str, Random, Material], list[str] | None]


def _changed(said: list[str], i: int, new: str) -> list[str]:
    return [*said[:i], new, *said[i + 1 :]]


def _marks(said: list[str], pattern: re.Pattern[str]) -> list[tuple[int, re.Match[str]]]:
    return [(i, mark) for i, sentence in enumerate(said) for mark in pattern.finditer(sentence)]


def number_swap(said: list[str], source: str, draw: Random, more: Material) -> list[str] | None:
    """A number becomes another: one of the same text where there is one, else one near by."""
    found = _marks(said, NUMBER)
    if not found:
        return None
    i, mark = draw.choice(found)
    others = sorted({m[0] for _, m in found} - {mark[0]})
    value = int(mark[0].replace(",", ""))
    near = str(value + draw.choice([-3, -2, 2, 3, 10])) if value > 3 else str(value + 2)
    new = draw.choice(others) if others and draw.random() < 0.5 else near
    text = said[i]
    return _changed(said, i, text[: mark.start()] + new + text[mark.end() :])


def name_swap(said: list[str], source: str, draw: Random, more: Material) -> list[str] | None:
    """A name becomes another: one of the same text, or one of another."""
    found = _marks(said, NAME)
    if not found:
        return None
    i, mark = draw.choice(found)
    own = {m[0] for _, m in found if not set(m[0].split()) & set(mark[0].split())}
    others = sorted(name for name in own if name not in said[i])
    new = draw.choice(others) if others and draw.random() < 0.5 else draw.choice(more.names)
    if (new in source and new not in others) or set(new.split()) & set(mark[0].split()):
        return None
    text = said[i]
    return _changed(said, i, text[: mark.start()] + new + text[mark.end() :])


def negation(said: list[str], source: str, draw: Random, more: Material) -> list[str] | None:
    """A statement is denied, or a denial dropped."""
    for pattern, new in (
        (
            r"\b(is|are|was|were|can|will|should|has been|could|would) (?!not\b)(?=[a-z])",
            r"\1 not ",
        ),
        (r"\b(is|are|was|were|do|does|did|will|should|could|would) not\b", r"\1"),
    ):
        found = _marks(said, re.compile(pattern))
        if found and (draw.random() < 0.7 or "not" not in pattern[-6:]):
            i, mark = draw.choice(found)
            text = said[i]
            return _changed(said, i, text[: mark.start()] + mark.expand(new) + text[mark.end() :])
    return None


def added_claim(said: list[str], source: str, draw: Random, more: Material) -> list[str] | None:
    """A sentence of another text, or a clause of one, is said as well."""
    other = draw.choice(more.sentences)
    if draw.random() < 0.5:
        i = draw.randrange(len(said) + 1)
        return [*said[:i], other, *said[i:]]
    i = draw.randrange(len(said))
    clause = " ".join(other.rstrip(".!?").split()[:9])
    joined = f"{said[i].rstrip('.!?')}, and {clause[0].lower()}{clause[1:]}."
    return _changed(said, i, joined)


def dropped_clause(said: list[str], source: str, draw: Random, more: Material) -> list[str] | None:
    """A clause of at least five words is left out."""
    cut = re.compile(
        r",? (?:which|who|because|while|although|and|but|so|where) [^,.;]{20,}(?=[.,;])"
    )
    found = [(i, m) for i, m in _marks(said, cut) if m[0].count(" ") >= 5]
    if not found:
        return None
    i, mark = draw.choice(found)
    text = said[i]
    return _changed(said, i, text[: mark.start()] + text[mark.end() :])


def unit_change(said: list[str], source: str, draw: Random, more: Material) -> list[str] | None:
    """A number counts something else."""
    turned = {
        "kilometres": "miles", "kilograms": "pounds", "pounds": "kilograms", "hours": "days",
        "days": "weeks", "weeks": "months", "months": "years", "years": "months",
        "minutes": "hours", "miles": "kilometres", "feet": "metres", "inches": "centimetres",
        "percent": "dollars", "dollars": "euros", "gigabytes": "megabytes", "metres": "feet",
    }  # fmt: skip
    found = _marks(said, re.compile(rf"(?<=\d )({'|'.join(turned)})\b"))
    if not found:
        return None
    i, mark = draw.choice(found)
    text = said[i]
    return _changed(said, i, text[: mark.start()] + turned[mark[0]] + text[mark.end() :])


def role_swap(said: list[str], source: str, draw: Random, more: Material) -> list[str] | None:
    """Two names, or two nouns behind articles, change places; not those of a plain list."""
    for pattern in (NAME, _NOUN):
        found = [(i, list(pattern.finditer(sentence))) for i, sentence in enumerate(said)]
        pairs = [(i, a, b) for i, marks in found for a, b in pairwise(marks)]
        apart = [(i, a, b) for i, a, b in pairs if len(said[i][a.end() : b.start()].split()) > 2]
        apart = [(i, a, b) for i, a, b in apart if not {*a[0].split()} & {*b[0].split()}]
        if apart:
            i, a, b = draw.choice(apart)
            text = said[i]
            turned = b[0] + text[a.end() : b.start()] + a[0]
            return _changed(said, i, text[: a.start()] + turned + text[b.end() :])
    return None


def direction_swap(said: list[str], source: str, draw: Random, more: Material) -> list[str] | None:
    """A word gives way to its opposite."""
    pairs = (
        "increase:decrease increases:decreases increased:decreased before:after more:less "
        "first:last higher:lower best:worst always:never better:worse above:below inside:outside "
        "easy:difficult large:small new:old early:late good:bad most:least high:low long:short "
        "strong:weak larger:smaller older:younger largest:smallest rise:fall rose:fell"
    )
    turned = {one: other for one, _, other in (pair.partition(":") for pair in pairs.split())}
    turned |= {other: one for one, other in turned.items()}
    found = _marks(said, re.compile(rf"\b(?:{'|'.join(turned)})\b"))
    if not found:
        return None
    i, mark = draw.choice(found)
    text = said[i]
    return _changed(said, i, text[: mark.start()] + turned[mark[0]] + text[mark.end() :])


ERRORS: dict[str, Error] = {
    "number swap": number_swap,
    "unit change": unit_change,
    "name swap": name_swap,
    "negation": negation,
    "direction swap": direction_swap,
    "role swap": role_swap,
    "added claim": added_claim,
    "dropped clause": dropped_clause,
}
