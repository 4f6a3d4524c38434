"""What the page of the language says before its functions."""

# ruff: noqa: E501 - a row of a table is one line

from __future__ import annotations

from .nodes import MAX_DEPTH
from .parse import MAX_LENGTH

HEAD = f"""\
# Expressions

This page is made by `reference.py` from the table of functions; a test holds it equal.

`keep` of a filter, `when` and `pass` of a check are expressions. In any other field a value that
begins with `=` is one:

```yaml
keep: 50 <= words(text) <= 2000 and (score is null or score > params.min_score)
set: {{ audience: "= choose(['pupil', 'student'], [3, 1])", size: = tokens(text) }}
```

The syntax is a small part of Python's. An expression reads one row, has one type that is known
before anything runs, ends for every row, and has no effect. It has at most {MAX_LENGTH:,} characters
and nests at most {MAX_DEPTH} deep.

## What there is

| | |
|---|---|
| constants | `3`, `0.5`, `1e9`, `'text'`, `"text"`, `true`, `false`, `null` |
| in a text | `\\\\`, `\\'`, `\\"`, `\\n`, `\\r`, `\\t`; any other backslash stands for itself, as in `'\\d+'` |
| columns | `score`, `input.text`, `_doc`; a name alone, without quotes |
| parameters | `params.min_score`: a constant of the recipe |
| fields | `meta.lang`, `rows[0].name` |
| items | `tags[0]`, `tags[-1]` is the last; null outside the list |
| lists | `[1, 2.5]`, `['a', 'b']`: plain values of one type |
| functions | the table below; there are no others, no methods, and no loops |

## Operators, from tightest to loosest

| | |
|---|---|
| `x.a` `x[i]` `f(x)` | field, item, call |
| `-x` | sign |
| `*` `/` `//` `%` | `/` always gives a float |
| `+` `-` | `+` also joins texts |
| `==` `!=` `<` `<=` `>` `>=` `in` `not in` `is null` `is not null` | comparisons chain: `1 < x <= 3` |
| `not` | |
| `and` | |
| `or` | |
| `a if condition else b` | |

Types are `bool`, `int` (64 bits), `float`, `str`, `list[…]` and structs `{{lang: str}}`; a `?` behind
one says that it may be null. `==` compares two numbers, two texts or two bools; `<` and its like do
not order bools. A list or struct is not compared as a whole: ask about its items or fields.

## Null

A comparison with null is neither true nor false, and a filter keeps only rows for which its
expression is true. So a column that may be null must have its say before it is compared (X153):

```yaml
keep: coalesce(score, 0) > 3
keep: score is null or score > 3
keep: score is not null and score > 3
```

- Null goes through every operator and function, but for those whose row says otherwise.
- `and` and `or` are Kleene's: `null and false` is false, `null or true` is true, else null.
- A null condition of `if` takes the `else` side.
- `a in xs` is null if `a` or `xs` is; a null item of `xs` equals nothing.
- `any` and `all` are Kleene's over items. `count` and `frac` count no null item as true; `min` and
  `max` of a list leave nulls out.
- Outside a list, of an empty list (`min`, `max`, `frac`), without a match (`extract`) and of text
  that is no number (`int`, `float`) there is null.

## Where it differs from Python

The semantics are those of polars, which computes it.

| here | in Python |
|---|---|
| `1 / 0`, `1 // 0`, `1 % 0` are null, for floats too | an exception |
| integers have 64 bits and wrap: `9223372036854775807 + 1` is the least of them | no bound |
| NaN equals NaN and is above every other number | NaN equals nothing |
| `-7 // 2` is `-4`, `-7 % 2` is `1`: towards minus infinity | the same |
| `a < b < c` computes all three, and is null if a part is and none is false | stops at the first false |
| `round` takes halves to the even neighbour | the same |
| a text has no items: `text[0]` is refused; `'a' in text` is `contains(text, 'a')` | characters |
| texts are ordered by code point, and counted in code points | the same |
| `int('1_0')` and `int(' 1')` are null | numbers |
| `[true, 1]` is refused: no bool is a number; `int(flag)` makes it one | `True == 1` |
| regular expressions match in linear time: no look-around, no back-references | both |
| in them `$` is the very end of the text | also before a last line break |
| `x == null` is refused; ask `x is null` | allowed |

## Patterns

A pattern is a constant text in the syntax of Rust's `regex`: `(?i)` ignores case, `(?m)` lets `^`
and `$` stand at line breaks, `(?s)` lets `.` match them, `\\p{{L}}` is a letter of any script. One that
is too large when compiled, such as `(a{{1000}}){{1000}}`, is refused (X155).

## Rules of published filters

| rule | as an expression |
|---|---|
| Gopher: 50 to 100,000 words | `50 <= words(text) <= 100000` |
| Gopher: mean length of words 3 to 10 | `3 <= count(text, '\\S') / words(text) <= 10` |
| Gopher: hash signs to words at most 0.1 | `count(text, '#') / words(text) <= 0.1` |
| Gopher: at most 0.3 of lines end in an ellipsis | `frac(text, '(?:\\.\\.\\.\\|…)$') <= 0.3` |
| Gopher: at most 0.9 of lines are bullets | `frac(text, '^\\s*[-•]') <= 0.9` |
| Gopher: 0.8 of words hold a letter | `count(text, '\\S*\\p{{L}}\\S*') / words(text) >= 0.8` |
| Gopher: two of the stop words | `count([matches(text, '\\bthe\\b'), matches(text, '\\bof\\b'), …]) >= 2` |
| FineWeb: 0.12 of lines end in punctuation | `frac(text, '[.!?"]$') >= 0.12` |
| FineWeb: at most 0.67 of lines are short | `frac(text, '^.{{0,30}}$') <= 0.67` |
| FineWeb: line breaks to words at most 0.3 | `count(text, '\\n') / words(text) <= 0.3` |
| C4: no lorem ipsum, no braces | `not matches(text, '(?i)lorem ipsum\\|\\{{')` |

A share of nothing is null, which no filter keeps.

## Draws

`hash01(x)` is the same number for the same value under the same `seed:`, wherever it stands:
`hash01(_doc) < 0.5` keeps one half, and `hash01(_doc) >= 0.5` is the other. `choose` draws for each
row from the seed, `_doc` and its own place in the recipe: two of them are independent.

## Tokens

`tokens(x)` is counted by the tokenizer that the recipe names (`tokenizer: writer`, or a
`tokenizer.json`; a recipe with one model need not say). The compiler lifts it out: it is a column
that is counted for a whole batch before the expression is computed, once for each text. What counts
is part of what the step is: with another tokenizer it runs again.

## Functions
"""
