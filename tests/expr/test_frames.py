"""What expressions, modest compute: polars against plain Python."""

from __future__ import annotations

import math
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mashbill.compiler.expr import FUNCTIONS, infer_type, parse_expr, patterns, show_expr
from mashbill.compiler.expr.function import Example
from mashbill.compiler.expr.nodes import Call, Expr, walk
from mashbill.compiler.types import Type
from mashbill.runtime.counting import counts_of
from mashbill.runtime.dtypes import dtype_of, type_of
from mashbill.runtime.frames import Context, lower, regex_problem

from .evaluator import counted_words, evaluate
from .strategies import COLUMNS, KINDS, ROWS, WHOLE, WHOLE_ROWS, expressions, modest


def _dtype(type: Type) -> pl.DataType:
    if type.kind == "struct":
        return pl.Struct({name: _dtype(inner) for name, inner in type.fields})
    if type.kind == "list" and type.item:
        return pl.List(_dtype(type.item))
    return dtype_of(type) or pl.Null()


SCHEMA = {name: _dtype(type) for name, type in COLUMNS.items()}
BARE = [name for name in COLUMNS if name not in ("meta", "people")]


def parse(text: str) -> Expr:
    expr, problems = parse_expr(text)
    assert expr is not None, problems
    return expr


def compute(text: str | Expr, frame: pl.DataFrame, seed: int = 0, site: str = "x") -> list[Any]:
    expr = parse(text) if isinstance(text, str) else text
    lowered = lower(expr, Context(seed, site, frame.schema))
    return frame.with_columns(lowered.alias("__result"))["__result"].to_list()


def same(a: Any, b: Any) -> bool:
    if isinstance(a, float) and isinstance(b, float):
        return a == b or (math.isnan(a) and math.isnan(b))
    return type(a) is type(b) and a == b


@modest(300)
@given(data=st.data(), rows=ROWS, kind=KINDS)
def test_polars_computes_what_plain_python_does(
    data: st.DataObject, rows: list[dict[str, Any]], kind: str
) -> None:
    expr = data.draw(expressions(kind))
    frame = pl.DataFrame(rows, schema=SCHEMA)
    lowered = lower(expr, Context(0, "x", frame.schema))
    result = frame.with_columns(lowered.alias("__result"))["__result"]
    expected = [evaluate(expr, row, COLUMNS) for row in rows]
    assert all(map(same, result.to_list(), expected)), (show_expr(expr), result, expected)
    type, problems = infer_type(expr, COLUMNS)
    assert not {p.code for p in problems} & {"X150", "X151", "X152"}, problems
    if type.kind != "any":
        assert result.dtype == dtype_of(type)
        assert type.nullable or result.null_count() == 0 or problems


@modest(150)
@given(data=st.data(), rows=ROWS, kind=KINDS)
def test_columns_of_nulls_alone_compute_too(
    data: st.DataObject, rows: list[dict[str, Any]], kind: str
) -> None:
    expr = data.draw(expressions(kind, 3))
    bare = data.draw(st.sets(st.sampled_from(BARE), min_size=1))
    rows = [{n: _emptied(v) if n in bare else v for n, v in row.items()} for row in rows]
    frame = pl.DataFrame(
        [
            pl.Series(n, [r[n] for r in rows], dtype=None if n in bare else SCHEMA[n])
            for n in COLUMNS
        ]
    )
    expected = [evaluate(expr, row, COLUMNS) for row in rows]
    assert all(map(same, compute(expr, frame), expected)), (show_expr(expr), expected)


@modest(150)
@given(data=st.data(), rows=WHOLE_ROWS, kind=KINDS)
def test_no_null_comes_out_where_the_type_says_so(
    data: st.DataObject, rows: list[dict[str, Any]], kind: str
) -> None:
    expr = data.draw(expressions(kind, 3))
    type, problems = infer_type(expr, WHOLE)
    assert not [p for p in problems if p.code == "X153" and " may be null" in p.message]
    if not type.nullable:
        assert None not in compute(expr, pl.DataFrame(rows, schema=SCHEMA)), show_expr(expr)


def _emptied(value: Any) -> Any:
    return [] if isinstance(value, list) else None


EXAMPLES = [pytest.param(e, id=e.text) for f in FUNCTIONS.values() for e in f.examples]


@pytest.mark.parametrize("example", EXAMPLES)
@pytest.mark.parametrize("height", [1, 3])
def test_examples_of_the_table(example: Example, height: int) -> None:
    frame = pl.DataFrame([{"_": 0, **example.row}] * height)
    expr = parse(example.text)
    if add := counts_of([expr], counted_words, 0, "example"):
        frame = add(frame)
    result = compute(expr, frame, site="example")
    assert len(result) == height
    assert all(same(v, example.expect) for v in result), result
    types = {name: type_of(dtype) for name, dtype in frame.schema.items()}
    found, problems = infer_type(expr, types)
    assert not [p for p in problems if p.code != "X153"]
    if not {"choose", "hash01"} & {n.name for n in walk(expr) if isinstance(n, Call)}:
        assert same(evaluate(expr, example.row, types), example.expect)
    assert found.nullable or example.expect is not None


def test_every_function_has_an_example_that_calls_it() -> None:
    for name, function in FUNCTIONS.items():
        assert function.examples and all(f"{name}(" in e.text for e in function.examples)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 / 0", None),
        ("1.0 / 0.0", None),
        ("7 // 0", None),
        ("7.5 // 0.0", None),
        ("7 % 0", None),
        ("7.5 % -0.0", None),
        ("-7 // 2", -4),
        ("-7 % 2", 1),
        ("7 % -2", -1),
        ("7 / 2", 3.5),
        ("9223372036854775807 + 1", -9223372036854775808),
        ("-(-9223372036854775808)", -9223372036854775808),
        ("2 < 3 < 4", True),
        ("2 < 3 > 4", False),
        ("not false and false", False),
        ("1 + 2 * 3 - 4 / 2", 5.0),
        ("1 if false else 2 if false else 3", 3),
        ("3 in [1, 2.5, 3.0]", True),
        ("'b' not in ['a']", True),
        ("[1, 2, 3][-1]", 3),
        ("[1, 2, 3][3]", None),
        ("'a' < 'b' == true", None),
        ("'it\\'s' + \"\\n\\d\"", "it's\n\\d"),
        ("len([])", 0),
        ("int('1_0')", None),
        ("int(' 1')", None),
        ("int('-7') + int(true)", -6),
        ("float('nan')", float("nan")),
        ("float('nan') == float('nan')", True),
        ("float('nan') > 1e300", True),
        ("1.0 % 0", None),
        ("round(2.5) + round(-3.5)", -2.0),
        ("len('👍🏽')", 2),
        ("matches('a\n', 'a$')", False),
        ("extract('ab', '(x)?ab')", None),
        ("extract('ab', '(x)?ab', 0)", "ab"),
        ("split('aXbxc', 'x')", ["aXb", "c"]),
        ("split('', ',')", [""]),
        ("len(split('  '))", 0),
        ("count('aaaa', 'aa')", 2),
        ("frac('a\n\n b \r\nc.\n', '^.$|\\.$')", 2 / 3),
        ("frac('', 'a')", None),
        ("any([])", False),
        ("all([])", True),
        ("count([true, null, true])", 2),
        ("any([null, 'xa'], 'a')", True),
        ("all([null, 'xa'], 'a')", None),
        ("min([3, null, 1]) + max([2.5])", 3.5),
        ("min([])", None),
        ("max([1.0, float('nan')])", float("nan")),
        ("hash01('x') == hash01('x')", True),
        ("hash01(1) == hash01(1.0)", True),
    ],
)
def test_constants(text: str, expected: Any) -> None:
    frame = pl.DataFrame({"_": [0, 1]})
    if text == "'a' < 'b' == true":
        assert infer_type(parse(text), {})[1][0].code == "X152"
        return
    result = compute(text, frame)
    assert all(same(v, expected) for v in result), result


def test_a_filter_keeps_neither_false_nor_null() -> None:
    frame = pl.DataFrame({"n": [1, None, 5]})
    kept = frame.filter(lower(parse("n > 3"), Context(0, "x", frame.schema)))
    assert kept["n"].to_list() == [5]
    kept = frame.filter(lower(parse("not n > 3"), Context(0, "x", frame.schema)))
    assert kept["n"].to_list() == [1]


@pytest.mark.parametrize("height", [1, 2, 50])
def test_division_by_a_constant_is_exact_in_frames_of_any_height(height: int) -> None:
    frame = pl.DataFrame({"n": [7] * height, "m": range(height)})
    assert compute("n / 10 == 0.7", frame) == [True] * height
    assert compute("n / 12", frame) == [7 / 12] * height
    assert compute("(n + 0.5) // 0.1", frame) == [float(math.floor(7.5 / 0.1))] * height
    assert compute("m / 49", frame) == [m / 49 for m in range(height)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0 == (n if p else 0)", True),
        ("3 > (n if p else 1)", True),
        ("0 // 0 == (n if p else 0)", None),
        ("2 < m / (n - n)", None),
        ("(xs if p else null)[0]", None),
        ("(['a'] if false else null)[n]", None),
        ("xs[-9223372036854775807 - 1]", None),
        ("max(2, n if p else 1)", 2),
    ],
)
def test_columns_of_one_value_keep_their_height(text: str, expected: Any) -> None:
    """Each of these gave one row, or a panic, when handed to polars 2.1 as it is written."""
    frame = pl.DataFrame({"p": [False] * 3, "n": [1, 2, 3], "m": [4, 5, 6], "xs": [[1]] * 3})
    assert compute(text, frame) == [expected] * 3


def test_narrow_columns_are_widened() -> None:
    frame = pl.DataFrame(
        {"n": [2**31 - 1, 5], "u": [0, 7], "h": [0.1, 0.5], "c": ["a", "b"], "xs": [[1], [2]]},
        schema={
            "n": pl.Int32,
            "u": pl.UInt32,
            "h": pl.Float32,
            "c": pl.Categorical,
            "xs": pl.List(pl.Int16),
        },
    )
    assert compute("n + n", frame) == [2**32 - 2, 10]
    assert compute("u - 1", frame) == [-1, 6]
    assert compute("upper(c) + 'x'", frame) == ["Ax", "Bx"]
    assert compute("xs[0] * 40000", frame) == [40000, 80000]
    assert compute("n in xs", frame) == [False, False]
    assert compute("0.5 in [h]", frame) == [False, True]


def test_a_dotted_name_is_a_column_before_it_is_a_field() -> None:
    frame = pl.DataFrame({"input.text": ["a"], "input": [{"text": "b", "k": {"n": 1}}]})
    assert compute("input.text", frame) == ["a"]
    assert compute("input.k.n", frame) == [1]
    listed = pl.DataFrame({"xs": [[{"n": 1}, {"n": 2}]]})
    assert compute("xs[1].n", listed) == [2]


def test_hash01_is_pinned_and_depends_on_the_seed() -> None:
    frame = pl.DataFrame({"s": ["a", "b", None]})
    assert compute("hash01(s)", frame, seed=0) == [HASH_A, HASH_B, None]
    assert compute("hash01(s)", frame, seed=1)[0] != HASH_A
    assert compute("hash01(s)", frame, site="elsewhere")[0] == HASH_A


HASH_A, HASH_B = 0.4109741219881653, 0.3879006651111222


def test_hash01_is_uniform() -> None:
    values = compute("hash01(n)", pl.DataFrame({"n": range(20_000)}), seed=7)
    assert all(0 <= v < 1 for v in values)
    tenths = [sum(int(v * 10) == k for v in values) for k in range(10)]
    # Chi-squared with 9 degrees of freedom: 33.7 has a chance of 1 in 10,000.
    assert sum((n - 2000) ** 2 / 2000 for n in tenths) < 33.7


def test_choose_draws_by_seed_site_row_and_place_in_the_expression() -> None:
    frame = pl.DataFrame({"_doc": [f"d{i}" for i in range(300)]})
    text = "choose(['a', 'b', 'c'])"
    drawn = compute(text, frame)
    assert drawn == compute(text, frame.reverse())[::-1]
    assert drawn[:5] == PINNED
    assert drawn != compute(text, frame, seed=1)
    assert drawn != compute(text, frame, site="y")
    both = compute(f"{text} + {text}", frame)
    assert [pair[0] for pair in both] == drawn
    assert len(set(both)) == 9


PINNED = ["b", "a", "c", "c", "b"]


def test_choose_keeps_to_its_weights() -> None:
    frame = pl.DataFrame({"_doc": range(20_000), "tags": [["x", "y"]] * 20_000})
    drawn = compute("choose(['a', 'b', 'c'], [4, 3, 3])", frame)
    for option, share in (("a", 0.4), ("b", 0.3), ("c", 0.3)):
        # Five standard deviations.
        assert abs(drawn.count(option) / 20_000 - share) < 5 * math.sqrt(share / 20_000)
    assert "b" not in compute("choose(['a', 'b', 'c'], [1, 0, 2])", frame)
    assert abs(compute("choose(tags)", frame).count("x") - 10_000) < 5 * 71


def test_choose_from_lists_of_rows() -> None:
    frame = pl.DataFrame({"_doc": ["a", "b", "c"], "xs": [[1], [], None]})
    assert compute("choose(xs)", frame) == [1, None, None]
    assert set(compute("choose([_doc, 'z'])", frame)) <= {"a", "b", "c", "z"}


def test_regexes_that_polars_refuses() -> None:
    assert regex_problem(r"(?i)^\p{L}+\s") is None
    assert "look-around" in (regex_problem("a(?=b)") or "")
    assert "backreferences" in (regex_problem(r"(a)\1") or "")
    assert regex_problem("(a") == "unclosed group"
    assert "size limit" in (regex_problem("(a{1000}){1000}") or "")


PEOPLE = pl.DataFrame(
    {
        "people": [[{"name": "Ann", "tags": ["a"]}, {"name": None, "tags": None}], [], None],
        "meta": [{"lang": "en", "deep": {"n": [1, 2]}}, None, {"lang": None, "deep": None}],
    }
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("people[0].name", ["Ann", None, None]),
        ("people[-1].name is null", [True, True, True]),
        ("people[0].tags[0]", ["a", None, None]),
        ("'a' in people[0].tags", [True, None, None]),
        ("len(people)", [2, 0, None]),
        ("people[9] is null", [True, True, True]),
        ("meta.lang", ["en", None, None]),
        ("meta.deep.n[-1]", [2, None, None]),
        ("count(split(meta.lang, 'n'), 'e')", [1, None, None]),
        ("max(meta.deep.n) in meta.deep.n", [True, None, None]),
    ],
)
def test_lists_and_structs(text: str, expected: list[Any]) -> None:
    assert compute(text, PEOPLE) == expected


def test_patterns_too_large_or_not_of_the_dialect_are_refused_by_all_functions() -> None:
    for pattern in ("(a{1000}){1000}", "a(?=b)", "(a"):
        for call in ("matches(t, {})", "count(t, {}) > 1", "frac(t, {}) > 1", "any([t], {})"):
            found = patterns(parse(call.format(f"'{pattern}'")))
            assert [regex_problem(p) is None for p, _, _ in found] == [False]
    # What backtracks for ever elsewhere is linear here.
    assert compute("matches(t, '(a+)+$')", pl.DataFrame({"t": ["a" * 50_000 + "b"]})) == [False]
