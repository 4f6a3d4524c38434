"""Text to tree and back, and what is said of text that is no expression."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mashbill.compiler.expr import (
    columns_read,
    infer_type,
    is_random,
    parse_expr,
    patterns,
    show_expr,
)
from mashbill.compiler.expr.nodes import (
    MAX_DEPTH,
    Column,
    Compare,
    Constant,
    Expr,
    Index,
    walk,
)
from mashbill.compiler.expr.patterns import groups
from mashbill.runtime.frames import regex_problem

from .strategies import COLUMNS, KINDS, expressions, modest, with_fields

ANY_KIND = KINDS | st.sampled_from(["ints", "floats", "strs", "bools"])


def parse(text: str) -> Expr:
    expr, problems = parse_expr(text)
    assert expr is not None, problems
    assert not problems
    return expr


@modest(120)
@given(data=st.data(), kind=ANY_KIND)
def test_parse_undoes_show(data: st.DataObject, kind: str) -> None:
    expr = data.draw(expressions(kind, 4))
    for e in (expr, with_fields(expr)):
        text = show_expr(e)
        again = parse(text)
        assert again == e
        assert show_expr(again) == text


@modest(120)
@given(data=st.data(), kind=ANY_KIND)
def test_the_place_of_every_part_parses_to_that_part(data: st.DataObject, kind: str) -> None:
    text = show_expr(data.draw(expressions(kind)))
    for node in walk(parse(text)):
        assert 0 <= node.start < node.end <= len(text)
        assert parse(text[node.start : node.end]) == node


WORDS = """and or not in is if else null true false True None AND words len choose coalesce text
score xs 0 1 2.5 1e5 9223372036854775808 1e999 == <= // ** => matches for lambda"""
_PIECES = [
    *"()[]<>=!+-*/%.,'\"\\ \n&|?{}$#@:;^~`éΩ\x00\ud800",
    *WORDS.split(),
]
GARBAGE = st.lists(st.sampled_from(_PIECES), max_size=25).map(" ".join) | st.text(max_size=40)
GARBAGE |= st.lists(st.sampled_from(_PIECES), max_size=25).map("".join)


@modest(300)
@given(text=GARBAGE)
def test_no_text_raises_and_every_problem_has_a_place(text: str) -> None:
    expr, problems = parse_expr(text)
    assert (expr is None) == bool(problems)
    if expr is not None:
        assert columns_read(expr) is not None and patterns(expr) is not None
        problems = infer_type(expr, COLUMNS)[1]
        assert parse(show_expr(expr)) == expr
    for problem in problems:
        assert 0 <= problem.start <= problem.end <= len(text)
        assert problem.message and "\n" not in problem.message
        assert problem.code in {"X150", "X151", "X152", "X153", "X154"}


@modest(60)
@given(data=st.data(), kind=KINDS)
def test_a_replacement_mends_its_fault_of_syntax(data: st.DataObject, kind: str) -> None:
    """Whatever a replacement is offered for, the text gets further with it."""
    text = show_expr(data.draw(expressions(kind)))
    for old, new in (("==", "="), (" and ", " && "), ("null", "None"), ("true", "True")):
        broken = text.replace(old, new)
        for _ in range(60):
            expr, problems = parse_expr(broken)
            if expr is not None:
                break
            p = problems[0]
            assert p.replacement is not None, (broken, p)
            broken = broken[: p.start] + p.replacement + broken[p.end :]


SYNTAX = [
    ("", "", "the expression is empty", None),
    ("  \n", "  \n", "the expression is empty", None),
    ("a ==", "", "the expression ends too early", None),
    ("a\n and ", "", "the expression ends too early", None),
    ("(a + 2", "(", "this `(` is never closed", None),
    ("f([1, 2", "[", "this `[` is never closed", None),
    ("len('a(')) > 2", ")", "an operator was expected before `)`", None),
    ("a == 'abc", "'abc", "this text has no closing quote", None),
    ("a = 3", "=", "`=` is written `==`", "=="),
    ("a === 3", "===", "`===` is written `==`", "=="),
    ("a => 3", "=>", "`=>` is written `>=`", ">="),
    ("a <> 3", "<>", "`<>` is written `!=`", "!="),
    ("a && b", "&&", "`&&` is written `and`", "and"),
    ("a | b", "|", "`|` is written `or`", "or"),
    ("!a", "!", "`!` is written `not`", "not "),
    ("a AND b", "AND", "`AND` is written `and`", "and"),
    ("NOT a", "NOT", "`NOT` is written `not`", "not"),
    ("a and or b", "or", "a value was expected before `or`", None),
    ("a == and", "and", "a value was expected before `and`", None),
    ("a is None", "None", "`None` is written `null`", "null"),
    ("a is NULL", "NULL", "`NULL` is written `null`", "null"),
    ("a is nul", "nul", "`null` was expected, not `nul`", "null"),
    ("a is 5", "is ", "`is` only asks for null", "== "),
    ("a is not 'x'", "is not ", "`is not` only asks for null", "!= "),
    ("a > + 1", "+", "there is no sign `+` before a value", ""),
    ("a > 1_000", "1_000", "`1_000` is written `1000`", "1000"),
    ("a > 0xFF and b", "0xFF", "`0xFF` is written `255`", "255"),
    ("a > 0b101", "0b101", "`0b101` is written `5`", "5"),
    ("a > 1,000,000", "1,000,000", "`1,000,000` is written `1000000`", "1000000"),
    ("a > .5", ".5", "`.5` is written `0.5`", "0.5"),
    ("a > 5.", "5.", "`5.` is written `5.0`", "5.0"),
    ("a > 2k", "2k", "`2k` is written `2000`", "2000"),
    ("a > 1.5M", "1.5M", "`1.5M` is written `1500000`", "1500000"),
    ("a > 50%", "50%", "`50%` is written `0.5`", "0.5"),
    ("a > 50% and b", "50%", "`50%` is written `0.5`", "0.5"),
    ("a > 3px", "px", "an operator was expected before `px`", None),
    ("a > 0x", "x", "an operator was expected before `x`", None),
    ("a ≥ 3", "≥", "`≥` is written `>=`", ">="),
    ("a ≠ 3", "≠", "`≠` is written `!=`", "!="),
    ("a − 3", "−", "`−` is written `-`", "-"),
    ("a\xa0== 3", "\xa0", "a no-break space is written a space", " "),
    (
        "text.lower() == 'a'",
        "text.lower()",
        "a function stands before what it takes: `lower(text)`",
        "lower(text)",
    ),
    (
        "text.startswith('a')",
        "text.startswith(",
        "a function stands before what it takes: `startswith(text, …)`",
        "startswith(text, ",
    ),
    ("input.text.size() > 3", "input.text.size()", None, "len(input.text)"),
    ("text.frobnicate()", "frobnicate", "there is no method `frobnicate`", None),
    ("r'\\d\\n' == a", "r'\\d\\n'", "a text has no prefix `r`", "'\\d\\\\n'"),
    ("f'{a}' == b", "f'{a}'", "a text has no holes in it", None),
    ("a == “it's”", "“it's”", "a text stands in straight quotes", "'it\\'s'"),
    ("a in (1, 2)", "(1, 2)", "a list stands in square brackets", "[1, 2]"),
    ("text like 'a'", "like", "`like` means nothing here", None),
    ("lambda x", "lambda", "`lambda` means nothing here", None),
    ("a == 3 # why", "#", "`#` means nothing here", None),
    ("xs[1:2]", ":", "`:` means nothing here", None),
    ("z" * 300 + " 3 ", "3", "an operator was expected before `3`", None),
    ("3 " + "z" * 300, "z" * 300, f"an operator was expected before `{'z' * 39}…`", None),
    ("a not 3", "3", "`in` was expected, not `3`", None),
    ("a == True", "True", "`True` is written `true`", "true"),
    ("a ** 2", "**", "`**` means nothing here", None),
    ("a ? 1 : 2", "?", "`?` means nothing here", None),
    ("{a}", "{", "`{` means nothing here", None),
    ("any(x for x in xs)", "for", "`for` means nothing here", None),
    ("a 3", "3", "an operator was expected before `3`", None),
    ("a + * b", "*", "a value was expected before `*`", None),
    ("(a, b)", ",", "an operator was expected before `,`", None),
    ("é == 3", "é", "a value was expected before `é`", None),
    ("a + 9223372036854775808", "9223372036854775808", "an integer is at most 64 bits wide", None),
    (
        "-9223372036854775809 < a",
        "-9223372036854775809",
        "an integer is at most 64 bits wide",
        None,
    ),
    ("a < 1e999", "1e999", "a number is at most about 1.8e308", None),
]


@pytest.mark.parametrize(("text", "place", "message", "replacement"), SYNTAX)
def test_faults_of_syntax(
    text: str, place: str, message: str | None, replacement: str | None
) -> None:
    expr, (problem,) = parse_expr(text)
    assert expr is None
    assert problem.code == "X150"
    assert text[problem.start : problem.end] == place
    assert message in (None, problem.message)
    assert problem.replacement == replacement
    if replacement is not None:
        mended = text[: problem.start] + replacement + text[problem.end :]
        assert problem not in parse_expr(mended)[1]
    if message == "the expression ends too early":
        assert problem.start == len(text.rstrip())


@pytest.mark.parametrize(
    "text",
    [
        "-" * 100_000 + "a",
        "not " * 4000 + "a",
        "a" + "[0]" * 5000,
        "f(" * 5000 + "a" + ")" * 5000,
        "a" + " + a" * 4000,
        "a" + " if b else c" * 1000,
        "[" * 9000 + "]" * 9000,
        "(" * 10_000 + "a" + ")" * 10_000,
        "a == " * 200_000,
        "'" + "x" * 1_000_000 + "'",
    ],
)
def test_depth_is_bounded_and_nothing_overflows(text: str) -> None:
    expr, (problem,) = parse_expr(text)
    assert expr is None
    assert problem.code == "X150"
    assert "at most" in problem.message


def test_what_is_wide_or_in_parentheses_is_not_deep() -> None:
    assert len(list(walk(parse("a or " * 3000 + "a")))) == 3002
    assert parse("(" * 5000 + "a" + ")" * 5000) == Column("a")
    assert parse("a" + " + a" * (MAX_DEPTH - 1))
    assert parse_expr("a" + " + a" * MAX_DEPTH)[0] is None


def test_precedence() -> None:
    for text, canonical in [
        ("not a and b or c", "not a and b or c"),
        ("not (a and b)", "not (a and b)"),
        ("(not a) and b", "not a and b"),
        ("a or (b and c)", "a or b and c"),
        ("(a or b) and c", "(a or b) and c"),
        ("(a and b) and c", "(a and b) and c"),
        ("1 - (2 - 3) - 4", "1 - (2 - 3) - 4"),
        ("(1 * 2) % 3", "1 * 2 % 3"),
        ("-(a + b) * -c", "-(a + b) * -c"),
        ("- 5", "-5"),
        ("(-5)[0]", "(-5)[0]"),
        ("not a in [1, 2,]", "not a in [1, 2]"),
        ("(a is null) == b", "(a is null) == b"),
        ("1 < 2 <= 3", "1 < 2 <= 3"),
        ("(1 < 2) <= 3", "(1 < 2) <= 3"),
        ("a if b else (c if d else e)", "a if b else c if d else e"),
        ("(a if b else c) if d else e", "(a if b else c) if d else e"),
        ("input . text", "input.text"),
        ('"it\'s"', "'it\\'s'"),
        ("'\\d\\\\'", "'\\\\d\\\\'"),
        ("1e16 + 007", "1e+16 + 7"),
    ]:
        assert show_expr(parse(text)) == canonical


def test_places_leave_out_parentheses_and_equality_leaves_out_places() -> None:
    expr = parse("  (score)  >  3 ")
    assert isinstance(expr, Compare)
    assert (expr.start, expr.end) == (2, 15)
    assert (expr.operands[0].start, expr.operands[0].end) == (3, 8)
    assert expr == parse("score>3")
    assert hash(expr) == hash(parse("score>3"))


def test_constants_of_different_types_are_different() -> None:
    assert len({Constant(1), Constant(True), Constant(1.0), Constant("1"), Constant(None)}) == 5
    assert parse("1 == true") != parse("true == 1")


def test_columns_read() -> None:
    expr = parse("len(meta.lang) > 2 and input.text == xs[i].name or choose(['a']) == text")
    assert columns_read(expr) == {"meta.lang", "input.text", "xs", "i", "text", "_doc"}
    known = ["meta", "input.text", "xs", "text", "_doc"]
    assert columns_read(expr, known) == {"meta", "input.text", "xs", "i", "text", "_doc"}
    assert is_random(expr)
    assert not is_random(parse("hash01(_doc) < 0.5"))


def test_patterns_have_places() -> None:
    text = r"matches(text, '^\d') or not matches(lower(a), 'x|y') and contains(a, 'z')"
    found = patterns(parse(text))
    assert [p[0] for p in found] == [r"^\d", "x|y"]
    assert [text[start:end] for _, start, end in found] == [r"'^\d'", "'x|y'"]


def test_patterns_of_all_functions_are_found() -> None:
    text = "frac(a, '1') + count(a, '2') > 0 and any(b, '3') and extract(a, '4') == split(a, '5')"
    assert [p for p, _, _ in patterns(parse(text))] == ["1", "2", "3", "4"]


@pytest.mark.parametrize(
    ("pattern", "count"),
    [
        ("a", 0),
        ("(a)(b)", 2),
        (r"\((a)\)", 1),
        ("(?:a)(?i)(?i:b)", 0),
        ("(?P<year>a)(?<month>b)", 2),
        ("[(]([)(])", 1),
        ("[]()](a)", 1),
        ("[^]()](a)", 1),
        ("[[:alpha:](](a)", 1),
        ("((a)|(b))", 3),
    ],
)
def test_groups_are_counted(pattern: str, count: int) -> None:
    assert groups(pattern) == count
    names = ", ".join(f"'{pattern}', {g}" for g in [count])
    assert regex_problem(pattern) is None, names


def test_a_keyword_is_a_name_behind_a_dot_alone() -> None:
    assert parse("meta.in") == Column("meta.in")
    assert parse("xs[0].is is null")
    assert parse("nullable and notes or input")
    assert parse_expr("in == 3")[0] is None


@pytest.mark.parametrize(
    "text",
    [
        "1" * 19_000 + ".",
        "1" * 19_000 + "_",
        "a." * 9000 + "b(",
        "in (" * 4000 + ",",
        " " * 19_000 + "x y",
        "is " * 6000,
        "((((" * 4000 + "1_0",
        "'\\" * 9000,
    ],
)
def test_long_nonsense_is_explained_at_once(text: str) -> None:
    """Each is explained in well under a second; a pattern that backtracks would take minutes."""
    expr, (problem,) = parse_expr(text)
    assert expr is None
    assert len(problem.message) < 200


def test_names_of_functions_are_columns_without_parentheses() -> None:
    assert parse("len") == Column("len")
    assert parse("max[0]") == Index(Column("max"), Constant(0))
