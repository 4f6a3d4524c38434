"""Expressions from the grammar, with holes in them, in the places where a recipe has some."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from random import Random

from mashbill.compiler.expr import FUNCTIONS

from .case import RECIPE, Case
from .text import mutate_text

NAMES = (
    "text", "score", "tags", "flag", "m", "x", "card", "card.title", "card.year", "lang", "_doc",
    "_id", "_origin", "input.text", "source.text", "params.m", "params.f", "params.s", "params.b",
    "params.zz", "nothing", "txet", "reply",
)  # fmt: skip
LITERALS = (
    "0", "1", "3", "64", "9223372036854775807", "9223372036854775808", "0.5", "1e308", "1e999",
    "1.", ".5", "'a'", '"b"', "''", "'\\n'", "'\\ud83d'", "'é'", "'(a+)+$'", "'['", "'(?=a)'",
    "'\\\\d+'", "true", "false", "null", "True", "None", "[]", "['a', 'b']", "[1, 2.0]", "[1, 'a']",
    "[null]", "[[1], [2]]",
)  # fmt: skip
HOLES = (
    "", "?", "==", "=", "&&", "!", "not", "is", "in", "**", "->", "lambda x: x", "text.lower()",
    "f'{text}'", "text[1:2]", "`text`", "x if", "else", ")", "]", ",", "'", "\\", "\0", "\u202e",
    "é", "and and", "not not", "is not", "not null", "**2", "x y", "os.system('')", "{}",
    "a.b.c.d",
)  # fmt: skip
TYPED: Mapping[str, tuple[str, ...]] = {
    "bool": (
        "<num> > <num>", "<num> <= <num> < <num>", "<str> == <str>", "<bool> and <bool>", "flag",
        "<bool> or <bool>", "not <bool>", "contains(<str>, '(?i)a+')", "matches(<str>, '[a-z]+')",
        "startswith(<str>, <str>)", "endswith(<str>, 'z')", "<str> in ['a', 'b']",
        "<str> in tags", "score is null", "score is not null and <num> > score",
        "(<bool> if <bool> else <bool>)", "<num> in [1, 2, 3]", "params.b", "(<bool>)",
        "hash01(_doc) < <num>", "len(tags) > <num>", "coalesce(<bool>, false)",
        "any([<bool>, <bool>])", "all([<bool>, <bool>])", "<num> % 2 == 0",
    ),
    "num": (
        "words(<str>)", "chars(<str>)", "lines(<str>)", "len(<str>)", "len(tags)", "m",
        "params.m", "params.f", "0", "1", "3.5", "1e3", "<num> + <num>", "<num> - <num>",
        "<num> * <num>", "<num> / <num>", "<num> // 2", "<num> % 7", "-<num>",
        "min(<num>, <num>)", "max(<num>, <num>)", "abs(<num>)", "round(<num>, 2)", "round(<num>)",
        "int(<num>)", "float(<num>)", "count(<str>, 'a')", "frac(<str>, '[0-9]')", "hash01(_doc)",
        "tokens(<str>)", "coalesce(<num>, 0)", "(<num>)", "x", "(<num> if <bool> else <num>)",
        "int(<str>)", "choose([1, 2], [0.5, 0.5])",
    ),
    "str": (
        "text", "lang", "params.s", "'a'", "'é\\n'", '"it\'s"', "lower(<str>)", "upper(<str>)",
        "_origin", "strip(<str>)", "extract(<str>, '([a-z]+)')", "str(<num>)",
        "coalesce(<str>, '')", "tags[0]", "split(<str>, ',')[1]", "choose(['a', 'b'])",
        "choose(['a', 'b'], [4, 3])", "<str> + <str>", "(<str> if <bool> else <str>)", "text[0]",
        "_source", "card.title",
    ),
}  # fmt: skip
"""Texts of the right type, for most of the grammar; `<kind>` is another."""
COMPARE = ("==", "!=", "<", "<=", ">", ">=")
_HOLE = re.compile(r"<(bool|num|str)>")
ARITHMETIC = ("+", "-", "*", "/", "//", "%")

WITH_HOLES = """\
mashbill: 1
name: fuzz
params: { m: 3, f: 0.5, s: abc, b: true }
models: { writer: fake/words }
sources:
  docs:
    path: docs.jsonl
    columns: { score: score, tags: tags, card: card, lang: lang }
    license: CC0-1.0
    origin: human
steps:
  typed:
    op: filter
    from: docs
    set:
      m: = words(text)
      x: = float(score)
      flag: "= contains(text, 'a')"
      lang: = lower(text)
  split: { op: filter, from: typed, set: { tags: "= split(text, ' ')" } }
  a: { op: filter, from: split, keep: @0 }
  b: { op: filter, from: a, when: @1, set: { v: @2, w: 3 }, keep: score is not null }
  said: { op: generate, from: b, model: writer, prompt: prompts/say.md.j2, set: { r: @3 } }
  held:
    op: verify
    from: said
    checks: { ours: { kind: expr, pass: @4 } }
"""
FILES = {
    "docs.jsonl": "",
    "prompts/say.md.j2": "---\ninputs: { text: str }\nreply: { reply: text }\n---\n"
    "{% block system %}Answer.{% endblock %}\n{% block user %}{{ text }}{% endblock %}\n",
}
SOUND = ("words(text) > 3", "len(tags) >= m", "= m + 1", "= upper(reply)", "chars(reply) > 1")
"""What stands in the places that are not fuzzed."""


def generate(random: Random, depth: int = 4) -> str:
    """A text of the grammar."""
    if depth == 0 or random.random() < 0.15:
        return random.choice(NAMES) if random.random() < 0.6 else random.choice(LITERALS)

    def inner() -> str:
        return generate(random, depth - 1)

    match random.randrange(14):
        case 0 | 1 | 2:
            name = random.choice([*FUNCTIONS])
            return f"{name}({', '.join(inner() for _ in range(random.choice((0, 1, 1, 2, 2, 3))))})"
        case 3 | 4:
            return f"{inner()} {random.choice(COMPARE)} {inner()}"
        case 5:
            return (
                f"{inner()} {random.choice(COMPARE)} {inner()} {random.choice(COMPARE)} {inner()}"
            )
        case 6:
            return f"{inner()} {random.choice(('and', 'or'))} {inner()}"
        case 7 | 8:
            return f"{inner()} {random.choice(ARITHMETIC)} {inner()}"
        case 9:
            return f"{inner()} {random.choice(('is null', 'is not null'))}"
        case 10:
            return f"{inner()} {random.choice(('in', 'not in'))} [{inner()}, {inner()}]"
        case 11:
            return f"({inner()} if {inner()} else {inner()})"
        case 12:
            return random.choice((f"not {inner()}", f"-{inner()}", f"({inner()})"))
        case _:
            return random.choice(
                (f"{inner()}[{inner()}]", f"{random.choice(NAMES)}.{random.choice(NAMES)}")
            )


def generate_typed(random: Random, kind: str = "bool", depth: int = 4) -> str:
    """A text of the grammar whose types mostly agree."""
    texts = TYPED[kind]
    if depth <= 0:
        texts = tuple(text for text in texts if "<" not in text)
    return _HOLE.sub(
        lambda found: generate_typed(random, found[1], depth - 1), random.choice(texts)
    )


def mutate_expression(random: Random, others: Sequence[str], kind: str = "bool") -> str:
    """An expression, sometimes with a hole in it, sometimes edited as a text."""
    depth = random.choice((1, 2, 2, 3, 4))
    text = generate_typed(random, kind, depth) if random.random() < 0.7 else generate(random, depth)
    if random.random() < 0.12:
        at = random.randrange(len(text) + 1)
        end = at + random.choice((0, 0, 1, 4))
        text = text[:at] + random.choice(HOLES) + text[end:]
    if random.random() < 0.12:
        text = mutate_text(text, random, others)
    return text


def place(texts: Sequence[str], quote: int = 0) -> str:
    """The recipe with expressions in its places, quoted one way or another."""
    made = WITH_HOLES
    for at, text in enumerate(texts):
        if quote == 1:
            written = "'" + text.replace("'", "''") + "'"
        else:
            written = json.dumps(text, ensure_ascii=bool(quote))
        made = made.replace(f"@{at}", written, 1)
    return made


def expression_case(random: Random, others: Sequence[str]) -> tuple[Case, tuple[str, ...]]:
    """A recipe with one to three fuzzed expressions, and these."""
    texts: list[str] = [*SOUND]
    fuzzed: list[str] = []
    for at in random.sample(range(len(texts)), random.choice((1, 1, 2, 3))):
        kind = random.choice(("num", "str", "bool")) if texts[at].startswith("= ") else "bool"
        text = mutate_expression(random, others, kind)
        fuzzed.append(text)
        texts[at] = f"= {text}" if texts[at].startswith("= ") else text
    recipe = place(texts, random.choice((0, 0, 1, 2)))
    return Case("expressions", "grammar", {RECIPE: recipe, **FILES}), tuple(fuzzed)
