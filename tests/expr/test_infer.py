"""Types, and what is said of expressions that do not fit their columns."""

from __future__ import annotations

import pytest

from mashbill.compiler.expr import infer_type, parse_expr
from mashbill.compiler.types import ANY, BOOL, FLOAT, INT, NULL, STR, Type, list_of

COLUMNS = {
    "text": STR,
    "input.text": STR,
    "score": FLOAT.maybe(),
    "n": INT,
    "flag": BOOL,
    "tags": list_of(STR),
    "lang": STR.maybe(),
    "meta": Type("struct", fields=(("lang", STR), ("year", INT.maybe()), ("in", ANY))),
    "rows": list_of(Type("struct", fields=(("name", STR),))),
    "later": ANY,
    "nothing": NULL,
    "_doc": STR,
}


def problems(text: str, **options: list[str]) -> list[tuple[str, str, str]]:
    expr, found = parse_expr(text)
    assert expr is not None, found
    found = infer_type(expr, COLUMNS, **options)[1]
    return [(p.code, text[p.start : p.end], p.message) for p in found]


@pytest.mark.parametrize(
    ("text", "type"),
    [
        ("50 <= words(text) <= 2000", "bool"),
        ("n + 1", "int"),
        ("n / 2", "float"),
        ("n // 2.0", "float"),
        ("n % n", "int?"),
        ("n + score", "float?"),
        ("text + 'x'", "str"),
        ("later + 1", "any?"),
        ("later + 'x'", "str?"),
        ("tags", "list[str]"),
        ("tags[0]", "str?"),
        ("rows[0].name", "str?"),
        ("meta.lang", "str"),
        ("meta.year", "int?"),
        ("meta.in.deep", "any?"),
        ("later.deep[0].er", "any?"),
        ("[1, 2.5]", "list[float]"),
        ("[1, null]", "list[int?]"),
        ("1 if flag else null", "int?"),
        ("1 if flag else 2.5", "float"),
        ("score if score is not null else 0", "float"),
        ("0 if score is null else score", "float"),
        ("coalesce(score, n)", "float"),
        ("coalesce(score, null)", "float?"),
        ("coalesce(nothing, 3)", "int"),
        ("coalesce(tags, [])", "list[str]"),
        ("min(n, 2.5)", "float"),
        ("int(text)", "int?"),
        ("startswith(lang, 'e')", "bool?"),
        ("score is null", "bool"),
        ("choose(['a', 'b'], [1, 2])", "str"),
        ("choose(tags)", "str?"),
        ("choose([1, null])", "int?"),
        ("hash01(_doc)", "float"),
        ("tokens(text)", "int"),
        ("extract(text, 'a')", "str?"),
        ("split(text)", "list[str]"),
        ("split(lang, ',')", "list[str]?"),
        ("any(tags, 'a')", "bool"),
        ("any([flag, null])", "bool?"),
        ("all(later)", "bool?"),
        ("count(text, 'a')", "int"),
        ("count(tags, 'a')", "int"),
        ("frac(text, 'a')", "float?"),
        ("min([1, n])", "int?"),
        ("max([1, 2.5])", "float?"),
        ("max(later)", "any?"),
        ("split(text)[-1]", "str?"),
        ("len(rows)", "int"),
        ("round(score, 2)", "float?"),
        ("'a' in tags", "bool"),
        ("later in tags and 'a' in later", "bool?"),
    ],
)
def test_types(text: str, type: str) -> None:
    expr, _ = parse_expr(text)
    assert expr is not None
    found, wrong = infer_type(expr, COLUMNS)
    assert not wrong
    assert str(found) == type


PROBLEMS = [
    ("scroe > 3", "X151", "scroe", "no column `scroe` here"),
    ("zebra > 3", "X151", "zebra", "no column `zebra` here"),
    ("text == en", "X151", "en", "no column `en` here"),
    ("input.txt == text", "X151", "input.txt", "no column `input.txt` here"),
    (
        "meta.lagn == 'x'",
        "X151",
        "lagn",
        "`meta` ({lang: str, year: int?, in: any?}) has no field `lagn`",
    ),
    ("text.x.y == 'x'", "X151", "text.x.y", "`text` (str) has no field `x`"),
    ("rows[0].nam == 'x'", "X151", "nam", "`rows[0]` ({name: str}?) has no field `nam`"),
    ("2 < word(text)", "X151", "word", "no function `word`"),
    ("words > 3", "X151", "words", "no column `words` here"),
    ("n + text", "X152", "n + text", "`+` takes two numbers or two texts, not int and str"),
    ("(n - text) * 2", "X152", "n - text", "`-` takes numbers, not int and str"),
    ("-text", "X152", "text", "`-` takes a number, not str"),
    ("n == 'a'", "X152", "n == 'a'", "cannot compare int `n` with str `'a'`"),
    ("n == true", "X152", "n == true", "cannot compare int `n` with bool `true`"),
    (
        "tags == tags",
        "X152",
        "tags == tags",
        "cannot compare list[str] `tags` with list[str] `tags`",
    ),
    (
        "meta == 'en'",
        "X152",
        "meta == 'en'",
        "cannot compare {lang: str, year: int?, in: any?} with str `'en'`",
    ),
    ("meta == tags", "X152", "meta == tags", None),
    ("meta == meta", "X152", "meta == meta", None),
    (
        f"{'n + ' * 20}n == 'a'",
        "X152",
        f"{'n + ' * 20}n == 'a'",
        "cannot compare int with str `'a'`",
    ),
    ("flag < true", "X152", "flag < true", "`<` orders numbers or texts, not bool"),
    ("n and flag", "X152", "n", "`and` takes a bool, not int"),
    ("not text", "X152", "text", "`not` takes a bool, not str"),
    ("1 if n else 2", "X152", "n", "`if` takes a bool, not int"),
    (
        "n if flag else text",
        "X152",
        "n if flag else text",
        "both sides of `if` give one type, not int and str",
    ),
    ("[n, text]", "X152", "text", "a list holds one type, not int and str"),
    ("[tags]", "X152", "tags", "a list here holds plain values, not list[str]"),
    ("n in ['a']", "X152", "n in ['a']", "a list of str never holds int"),
    ("'a' in text", "X152", "'a' in text", "`in` looks into a list, not into a text"),
    ("n in n", "X152", "n", "`in` looks into a list, not int"),
    ("tags['x']", "X152", "'x'", "an index is an int, not str"),
    ("text[0]", "X152", "text", "only a list has items, not str"),
    ("words(n)", "X152", "n", "`words` takes str for `text`, not int"),
    ("words(text, 2)", "X152", "words(text, 2)", "`words` takes 1 argument, not 2"),
    ("min(n)", "X152", "min(n)", "`min` takes 2 numbers or more, or a list of numbers, not int"),
    ("round()", "X152", "round()", "`round` takes 1–2 arguments, not 0"),
    (
        "coalesce(n, text)",
        "X152",
        "coalesce(n, text)",
        "`coalesce` takes values of one type, not int, str",
    ),
    ("score > 3", "X153", "score", "`score` may be null, and nothing says what that means here"),
    (
        "1 + score / 2 > 3",
        "X153",
        "score",
        "`score` may be null, and nothing says what that means here",
    ),
    (
        "meta.year > 3",
        "X153",
        "meta.year",
        "`meta.year` may be null, and nothing says what that means here",
    ),
    (
        "upper(lang) == 'EN'",
        "X153",
        "lang",
        "`lang` may be null, and nothing says what that means here",
    ),
    ("lang in ['en']", "X153", "lang", "`lang` may be null, and nothing says what that means here"),
    (
        "nothing > 3",
        "X153",
        "nothing",
        "`nothing` may be null, and nothing says what that means here",
    ),
    (
        "score > score",
        "X153",
        "score",
        "`score` may be null, and nothing says what that means here",
    ),
    (
        "score == null",
        "X153",
        "score == null",
        "`== null` is never true: a comparison with null is null",
    ),
    ("null in tags", "X153", "null in tags", "`null in` is always null"),
    ("null + 1", "X153", "null", "this is always null"),
    ("words(null)", "X153", "null", "this is always null"),
    ("n / 0", "X154", "0", "a division by zero is always null"),
    ("n in []", "X154", "[]", "nothing is in an empty list"),
    ("round(score, 16)", "X152", "16", "`digits` is 0 to 15, not 16"),
    ("round(score, n)", "X152", "n", "`digits` of `round` is a constant"),
    ("matches(text, lang)", "X152", "lang", "`pattern` of `matches` is a constant"),
    ("choose([])", "X152", "[]", "there is nothing to choose from"),
    ("choose(['a'], [1, 2])", "X152", "[1, 2]", "1 options have 2 weights"),
    ("choose(['a'], [-1])", "X152", "-1", "a weight is a number of at least 0"),
    ("choose(['a'], ['b'])", "X152", "'b'", "a weight is a number of at least 0"),
    ("choose(['a'], [0])", "X152", "[0]", "the weights add up to nothing that can be drawn"),
    ("choose(tags, [1])", "X152", "[1]", "weights need options that stand here"),
    ("min(n, tags)", "X152", "tags", "`min` takes int or float for `y`, not list[str]"),
    ("min(tags)", "X152", "min(tags)", "`min` takes a list of numbers, not list[str]"),
    ("max(tags, n)", "X152", "max(tags, n)", None),
    ("any(text)", "X152", "text", "`any` takes list for `items`, not str"),
    ("any(tags)", "X152", "any(tags)", None),
    ("any([1, 2])", "X152", "any([1, 2])", "`any` takes a list of bool or of str, not list[int]"),
    ("all([flag], 'x')", "X152", "all([flag], 'x')", "`all` takes no pattern for a list of bool"),
    ("count(text)", "X152", "count(text)", None),
    ("frac(rows)", "X152", "frac(rows)", None),
    ("split(text, '')", "X152", "''", "nothing stands between empty separators"),
    ("split(text, lang)", "X152", "lang", "`separator` of `split` is a constant"),
    ("split(text, null)", "X152", "null", "`separator` of `split` is never null"),
    ("extract(text, '(a)', 2)", "X152", "2", "the pattern has 1 group, not 2"),
    ("extract(text, '(?:a)[(]', 1)", "X152", "1", "the pattern has 0 groups, not 1"),
    ("extract(text, '(a)', -1)", "X152", "-1", "the pattern has 1 group, not -1"),
    ("tokens(n)", "X152", "n", "`tokens` takes str for `text`, not int"),
    ("n == n", "X154", "n == n", "both sides are the same"),
    ("2000 <= n <= 50", "X154", "2000 <= n <= 50", None),
    ("50 > n >= 50.0", "X154", "50 > n >= 50.0", None),
    ("true or n > 3", "X154", "true", "`true or …` is always true"),
    ("n > 3 and true", "X154", "true", "`true and …` is what the rest is"),
    ("n > 3 or 1 < 2", "X154", "1 < 2", "this part is the same for every row"),
    ("n if 1 < 2 else 3", "X154", "1 < 2", "this condition is the same for every row"),
    ("NULL == n", "X151", "NULL", "no column `NULL` here"),
    ("choose(['a'], [n])", "X152", "[n]", "`weights` of `choose` is a constant"),
]


@pytest.mark.parametrize(("text", "code", "place", "message"), PROBLEMS)
def test_problems(text: str, code: str, place: str, message: str | None) -> None:
    found = problems(text)
    assert [p[:2] for p in found] == [(code, place)]
    assert message in (None, found[0][2])


@pytest.mark.parametrize(
    "text",
    [
        "score is null or score > 3",
        "score > 3 or score is null",
        "score is not null and score > 3",
        "score > 3 and flag and score is not null",
        "not (score is null) and 2 * score > 3",
        "not (score is null or lang is null) and score > 3 and lang == 'en'",
        "score is null or lang is null or score > len(lang)",
        "score is not null and (flag or score > 3)",
        "(score is not null and flag) and score > 3",
        "score > 3 if score is not null else false",
        "false if score is null or flag else score > 3",
        "coalesce(score, 0) > 3",
        "coalesce(score, n) > 3",
        "coalesce(score > 3, false) if score is not null else true",
        "later > 3 and later == 'x'",
        "n / words(text) > 3 and tags[0] == 'a' and int(text) > 3",
        "meta.year is not null and meta.year > 3",
    ],
)
def test_nulls_that_something_speaks_for(text: str) -> None:
    assert problems(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "score is not null or score > 3",
        "score is null and score > 3",
        "lang is not null and score > 3",
        "not (score is null and lang is null) and score > 3",
        "(score is not null or flag) and score > 3",
        "score > 3 if score is null else false",
        "(score is null or flag) and score > 3",
        "coalesce(score, score) > 3",
    ],
)
def test_nulls_that_the_wrong_thing_speaks_for(text: str) -> None:
    assert [(code, place) for code, place, _ in problems(text)] == [("X153", "score")]


@pytest.mark.parametrize("text", ["null is null or n > null", "null is null or n + null > 3"])
def test_a_parameter_that_is_null_may_be_asked_for_first(text: str) -> None:
    """What stands here when the values of parameters have been put in their places."""
    assert {code for code, _, _ in problems(text)} == {"X154"}


@pytest.mark.parametrize(
    ("text", "help", "replacement"),
    [
        ("scroe > 3", "did you mean `score`?", "score"),
        ("Text == 'x'", "did you mean `text`?", "text"),
        ("2 < wrods(text)", "did you mean `words`?", "words"),
        ("meta.lagn == 'x'", "did you mean `lang`?", "lang"),
        ("words > 3", "`words(text)` is a function", None),
        ("'a' not in text", "write `not contains(text, 'a')`", "not contains(text, 'a')"),
        ("score != null", "write `score is not null`", "score is not null"),
        ("null == lang", "write `lang is null`", "lang is null"),
        (
            "lang < 'x'",
            "write `coalesce(lang, '')`, or `lang is not null and …`",
            "coalesce(lang, '')",
        ),
        (
            "len(lang) < 3",
            "write `coalesce(lang, '')`, or `lang is not null and …`",
            "coalesce(lang, '')",
        ),
        ("Nil != n", "did you mean `null`?", "null"),
        ("text > 3", "write `float(text)`", None),
        ("3 < text", "write `float(text)`", None),
        ("n == '3'", "write `3`, without quotes", None),
        ("tags == 'a'", "write `'a' in tags`", None),
        ("'a' != tags", "write `'a' not in tags`", None),
        ("[1, n] > 3", "write `min([1, n]) > 3` for all items, `max(…)` for any", None),
        ("3 > [1, n]", "write `max([1, n]) < 3` for all items, `min(…)` for any", None),
        ("meta == 'x'", "compare its fields: `meta.lang`, `meta.year`, `meta.in`", None),
    ],
)
def test_help_can_be_typed(text: str, help: str, replacement: str | None) -> None:
    expr, _ = parse_expr(text)
    assert expr is not None
    (problem,) = infer_type(expr, COLUMNS)[1]
    assert problem.help == help
    assert problem.replacement == replacement
    if replacement:
        mended = text[: problem.start] + replacement + text[problem.end :]
        expr, _ = parse_expr(mended)
        assert expr is not None
        assert problem.code not in {p.code for p in infer_type(expr, COLUMNS)[1]}


def test_all_problems_are_told_in_order_and_each_once() -> None:
    text = "scroe > 3 and n + text == 2 and wrods(text) > lang"
    assert [(code, place) for code, place, _ in problems(text)] == [
        ("X151", "scroe"),
        ("X152", "n + text"),
        ("X151", "wrods"),
        ("X153", "lang"),
    ]


def test_functions_can_be_kept_out() -> None:
    assert problems("choose(['a']) == text", allow=["words"]) == [
        ("X151", "choose", "`choose` cannot be used here")
    ]
    assert problems("words(text) > 2", allow=["words"]) == []
