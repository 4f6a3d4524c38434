"""Inside expressions and prompts: operators, parentheses, blocks, braces, fences."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .mutant import FRONT, RECIPE, Base, Mutant, Slip, dotted
from .places import expressions

_OPERATORS: tuple[tuple[str, str, str], ...] = (
    (r"(?<![<>=!])==(?!=)", "=", "= for =="),
    (r"(?<![<>=!])==(?!=)", "===", "=== for =="),
    (r" and ", " && ", "&& for and"),
    (r" and ", " & ", "& for and"),
    (r" or ", " || ", "|| for or"),
    (r"\bnot (?!null)", "! ", "! for not"),
    (r">=", "=>", "=> for >="),
    (r"<=", "=<", "=< for <="),
    (r"!=", "<>", "<> for !="),
    (r"(?<=\w)\(", "", "opening parenthesis left out"),
    (r"\)(?=[^()]*$)", "", "last parenthesis left out"),
    (r"\)(?=[^()]*$)", "))", "last parenthesis twice"),
    (r"(?<=[<>=] )(\d[\d.]*)(?!\w)", r"'\1'", "text for a number"),
    (r"(?<=[<>=] )(\d[\d.]*)(?!\w)", "", "right side left out"),
    (r"is null", "== null", "== null"),
    (r"is null", "is empty", "is empty"),
    (r"is not null", "!= null", "!= null"),
    (r", (?=')", " ", "comma left out"),
    (r"'(?=[^']*$)", "", "quote left open"),
    (r"$", " and", "an operator at the end"),
    (r" and (?=\w)", " and and ", "operator twice"),
)


def broken_operators(base: Base) -> Iterator[Mutant]:
    """Each expression with an operator of another language, or a part left out."""
    for path, node in expressions(base):
        text = str(node.value)
        raw = node.raw
        for pattern, new, how in _OPERATORS:
            found = re.search(pattern, text)
            if not found:
                continue
            replaced = found.expand(new) if "\\" in new else new
            changed = text[: found.start()] + replaced + text[found.end() :]
            start, end = node.span.start, node.span.end
            if raw.startswith(">"):
                spot = node.within(found.start(), max(found.end(), found.start() + 1))
                start, end = spot.start, spot.start + len(found[0])
                written = replaced
                if not found[0]:
                    continue
            else:
                written = _quoted(changed)
            name = f"{dotted(path)}: {how}: {changed}"
            yield Slip(RECIPE, start, end, written, name).on(base, "operator broken")


def _quoted(text: str) -> str:
    """As one value of YAML, so that the slip is in the expression and not in the layout."""
    if '"' not in text and "\\" not in text:
        return f'"{text}"'
    return "'" + text.replace("'", "''") + "'"


_STRUCTURE: tuple[tuple[str, str, str], ...] = (
    (r"\{% endblock %\}", "", "endblock left out"),
    (r"\{% endif %\}", "", "endif left out"),
    (r"\{% endfor %\}", "", "endfor left out"),
    (r"\{% block (\w+) %\}", r"{% blok \1 %}", "blok"),
    (r"\{% block (\w+) %\}", r"{% \1 %}", "block left out"),
    (r"\{% block (\w+) %\}", r"{% block \1s %}", "another name of a block"),
    (r"\{% block (\w+) %\}", r"{ block \1 }", "single braces around block"),
    (r"\{% block (\w+) %\}", r"{% block \1 }", "tag not closed"),
    (r"\{\{ (\w+)([^}]*)\}\}", r"{ \1\2}", "single braces"),
    (r"\{\{ (\w+)([^}]*)\}\}", r"{{ \1\2}", "a brace too few"),
    (r"\{\{ (\w+)([^}]*)\}\}", r"{{ \1 | titel }}", "unknown filter"),
    (r"\{\{ (\w+)([^}]*)\}\}", r"{{ \1 | default('x') }}", "filter that prompts have not"),
    (r"\{\{ (\w+)([^}]*)\}\}", r"{{ \1.lower() }}", "a method"),
    (r"\{\{ (\w+)([^}]*)\}\}", r"{{ }}", "nothing inside"),
    (r"\{% if ", "{% fi ", "fi"),
    (r"\{% for (\w+) in", r"{% for \1 on", "for … on"),
    (r"\{% block user %\}", "Answer.\n{% block user %}", "words outside of blocks"),
    (r"\{% include '(\w)", r"{% include '../\1", "include from outside"),
    (r"\{% include '(\w+)", r"{% include '\1x", "include misspelled"),
    (r"\{% block user %\}", "{% block user %}{% set a = 1 %}", "a tag that prompts have not"),
)


def broken_prompts(base: Base) -> Iterator[Mutant]:
    """Each tag of a prompt broken in its own ways, and the fences of its front matter."""
    for file, text in base.files.items():
        if not file.endswith(".j2"):
            continue
        front = FRONT.match(text)
        body = front.end() if front else 0
        for pattern, new, how in _STRUCTURE:
            for number, found in enumerate(re.finditer(pattern, text)):
                if found.start() < body:
                    continue
                written = found.expand(new)
                also = _opened(text, file, found.start()) if not new else ()
                name = f"{file}: {how} ({number + 1}): {found[0]}"
                slip = Slip(file, found.start(), found.end(), written, name, also)
                yield slip.on(base, "prompt broken")
        if front:
            last = text.index("---", front.end(1))
            for at, how in ((0, "first fence left out"), (last, "last fence left out")):
                both = ((file, 0), (file, last))
                slip = Slip(file, at, at + 4, "", f"{file}: {how}", both)
                yield slip.on(base, "prompt broken")


_TAG = re.compile(r"\{% (end)?(block|if|for)\b[^%]*%\}")


def _opened(text: str, file: str, at: int) -> tuple[tuple[str, int], ...]:
    """Where what an end tag closes was opened: a tag without its end has two ends to tell of."""
    stack: list[int] = []
    for tag in _TAG.finditer(text, 0, at):
        if not tag[1]:
            stack.append(tag.start())
        elif stack:
            stack.pop()
    return ((file, stack[-1]),) if stack else ()
