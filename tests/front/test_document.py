"""YAML to spanned nodes: what is read, what is refused, and where a mistake is."""

from __future__ import annotations

import json

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from mashbill.compiler.diagnostics import Report
from mashbill.compiler.document import Map, Scalar, decode, find, parse_document, plain, walk
from mashbill.compiler.nodes import Node
from mashbill.compiler.render import render

from .operators import GOOD


def parse(text: str) -> Node:
    node, diagnostics = parse_document(text, "r.yaml")
    assert node is not None and not diagnostics, diagnostics
    return node


def complaints(text: str) -> list[tuple[str, str]]:
    """Code and marked characters of what is wrong with a text."""
    _, diagnostics = parse_document(text, "r.yaml")
    return [(d.code, text[d.span.start : d.span.end]) for d in diagnostics if d.span]


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("true", True), ("False", False), ("null", None), ("~", None), ("", None),
        ("7", 7), ("-7", -7), ("+7", 7), ("0o17", 15), ("0x1f", 31), ("1.5", 1.5), (".5", 0.5),
        ("1e3", 1000.0), ("9223372036854775807", 2**63 - 1),
        ("50%", "50%"), ("2026-11-01", "2026-11-01"), ("0.3.0", "0.3.0"), ("600M tokens",) * 2,
        ("'no'", "no"), ('"1"', "1"), ("nope", "nope"), ("= 1 + 1", "= 1 + 1"), ("tRue", "tRue"),
    ],
)  # fmt: skip
def test_core_schema(raw: str, value: object) -> None:
    read = plain(parse(f"a: {raw}\n"))["a"]
    assert read == value and type(read) is type(value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: no\n", [("S006", "no")]),
        ("yes: 1\n", [("S006", "yes")]),
        ("a: {y: 1, N: 2}\n", [("S006", "y"), ("S006", "N")]),
        ("true: 1\n", [("S006", "true")]),
        ("a: 1_000\n", [("S006", "1_000")]),
        ("a: 0777\n", [("S006", "0777")]),
        ("a: 12:30\n", [("S006", "12:30")]),
        ("a: 9223372036854775808\n", [("S005", "9223372036854775808")]),
        ("a: " + "9" * 9000, [("S005", "9" * 9000)]),
        ("a: .inf\n", [("S005", ".inf")]),
        ("a: 1e999\n", [("S005", "1e999")]),
        ("a: &x 1\nb: *x\n", [("S007", "&x"), ("S007", "*x")]),
        ("a: !!str 5\n", [("S007", "!!str")]),
        ("a: !x {b: 1}\n", [("S007", "!x")]),
        ("a: 1\n<<: {b: 1}\n", [("S007", "<<")]),
        ("? a\n: b\n", [("S007", "a")]),
        ("%YAML 1.2\n---\na: 1\n", [("S007", "%YAML 1.2")]),
        ("a: 1\n---\nb: 2\n", [("S007", "---")]),
        ("a:\t1 # a\tb\n", [("S007", "\t")]),
        ("a: 1\nb: 2\na: 3\na: 4\n", [("S004", "a"), ("S004", "a")]),
        ("a: [1, 2\n", [("S001", "[")]),
        ("a: {b: 1, c}\n", [("S001", "c")]),
        ("a: {{ x }}\n", [("S001", "{")]),
        ("keep\nb: 1\n", [("S001", "keep")]),
        ("a: 'x\nb: 1\n", [("S001", "'")]),
        ("a: @x\n", [("S001", "@")]),
        ("a:\n\tb: 1\n", [("S001", "\t")]),
        ("a: b: c\n", [("S001", ":")]),
        ("a: \x07\n", [("S001", "\x07")]),
        ("a: \ud800\n", [("S001", "\ud800")]),
        ("- a\nb: 1\n", [("S001", "b")]),
    ],
)
def test_refused_at_the_exact_characters(text: str, expected: list[tuple[str, str]]) -> None:
    assert complaints(text) == expected


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n"])
def test_an_empty_text_is_null(text: str) -> None:
    assert plain(parse(text)) is None


def test_every_span_holds_what_it_says() -> None:
    text = "\ufeff# é\nköy: 日本 # x\nm: {a: 'b''c', d: [1,  \"q\\u00e9\"]}\n"
    text += "t: |\n  one\n  two\n\nz: \n"
    spans = {path: text[node.span.start : node.span.end] for path, node in walk(parse(text))}
    assert spans["köy",] == "日本"
    assert spans["m",] == "{a: 'b''c', d: [1,  \"q\\u00e9\"]}"
    assert spans["m", "a"] == "'b''c'"
    assert spans["m", "d"] == '[1,  "q\\u00e9"]'
    assert spans["m", "d", 1] == '"q\\u00e9"'
    assert spans["t",] == "|\n  one\n  two"
    assert spans["z",] == ""


def test_keys_keep_order_and_place() -> None:
    node = parse("b: 1\na: 2\n")
    assert isinstance(node, Map)
    assert node.names == ("b", "a")
    key = node.key("a")
    assert key is not None and (key.span.start, key.span.end) == (5, 6)
    assert "c" not in node and node.get("c") is None


@pytest.mark.parametrize(
    "written",
    [
        "it's scroe",
        "'it''s scroe > 3'",
        '"a \\"quoted\\" \\u00e9 scroe"',
        "|\n  two lines\n  scroe",
        ">\n  folded\n  scroe",
        "over\n  two lines scroe",
    ],
)
def test_within_finds_a_word_of_the_value_in_the_file(written: str) -> None:
    text = f"a: {written}\n"
    node = find(parse(text), ("a",))
    assert isinstance(node, Scalar)
    at = str(node.value).index("scroe")
    span = node.within(at, at + 5)
    assert text[span.start : span.end] == "scroe"


def test_part_of_a_text_keeps_the_file_s_offsets() -> None:
    text = "---\ninputs: { a: no }\n---\nbody {% x %}"
    node, diagnostics = parse_document(text, "p.md.j2", within=(4, text.index("\n---", 4)))
    assert node is not None and text[node.span.start : node.span.end] == "inputs: { a: no }"
    assert [text[d.span.start : d.span.end] for d in diagnostics if d.span] == ["no"]


def test_duplicate_names_both_places() -> None:
    text = "steps:\n  a: 1\n  b: 2\n  a: 3\n"
    node, (found,) = parse_document(text, "r.yaml")
    assert "lines 2 and 4" in found.message
    assert [text[label.span.start] for label in found.secondary] == ["a"]
    assert found.secondary[0].span.start == text.index("a:")
    assert node is not None and plain(node) == {"steps": {"a": 1, "b": 2}}


def test_quoting_is_offered_as_a_fix_that_mends() -> None:
    text = "a: no\nb: 1_000\n"
    _, diagnostics = parse_document(text, "r.yaml")
    for edit in sorted((e for d in diagnostics for e in d.fix), key=lambda e: -e.span.start):
        text = text[: edit.span.start] + edit.replacement + text[edit.span.end :]
    assert plain(parse(text)) == {"a": "no", "b": 1000}


@pytest.mark.parametrize("opening", ["[", "{a: ", "- "])
def test_depth_is_bounded(opening: str) -> None:
    assert [code for code, _ in complaints(opening * 100_000)] == ["S007"]
    closing = {"[": "]", "{a: ": "}", "- ": ""}[opening]
    parse(opening * 64 + "1" + closing * 64)


def test_a_huge_file_is_refused_unread() -> None:
    _, (found,) = parse_document("# x\n" * 1_100_000, "r.yaml")
    assert found.code == "S001" and "4.4 million" in found.message


def test_decode_points_at_the_first_bad_byte() -> None:
    text, (found,) = decode("a: é\nb: ".encode() + b"\xff\n", "r.yaml")
    assert text is None and "line 2" in found.message and "0xff" in found.message
    assert found.span is not None and found.span.start == 8
    assert decode("é".encode(), "r.yaml") == ("é", ())


@pytest.mark.parametrize("loader", [yaml.Loader, getattr(yaml, "CLoader", yaml.Loader)])
def test_both_parsers_read_the_same(loader: object, monkeypatch: pytest.MonkeyPatch) -> None:
    want = parse(GOOD)
    monkeypatch.setattr("mashbill.compiler.document._LOADER", loader)
    assert parse(GOOD) == want
    for text in ("a: [1, 2\n", "a: b: c\n", "a: 'x", "keep\nb: 1\n", "a: {b: 1, c}\n"):
        assert [code for code, _ in complaints(text)] == ["S001"], text


TEXT = st.text(max_size=12)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_json_reads_as_json(value: object) -> None:
    """JSON is YAML 1.2: what json writes, we read back the same."""
    node, diagnostics = parse_document(f"a: {json.dumps(value)}\n", "r.yaml")
    if not diagnostics:
        assert node is not None and plain(node)["a"] == value
    else:  # JSON may escape lone surrogates, which YAML has not
        assert "\\ud" in json.dumps(value)


def mutate(text: str, edits: list[tuple[int, int, str]]) -> str:
    for at, length, new in edits:
        at %= len(text) + 1
        text = text[:at] + new + text[at + length :]
    return text


PIECES = st.sampled_from(
    [*"{}[]:,#&*!|>'\"%@`\t\n -?\\", "<<", "---\n", ": ", "\r\n", "é", "\x85", "no"]
)
EDITS = st.lists(
    st.tuples(st.integers(0, 2000), st.integers(0, 8), PIECES | st.text(max_size=4)), max_size=6
)


@settings(max_examples=300, deadline=None)
@given(st.text() | EDITS.map(lambda edits: mutate(GOOD, edits)))
def test_any_text_gives_a_document_or_says_why(text: str) -> None:
    node, diagnostics = parse_document(text, "r.yaml")
    assert node is not None or diagnostics
    for d in diagnostics:
        assert d.span is not None and 0 <= d.span.start <= d.span.end <= len(text)
    if node is not None:
        plain(node)
        for _, inner in walk(node):
            assert 0 <= inner.span.start <= inner.span.end <= len(text)
            if isinstance(inner, Scalar):
                assert text[inner.span.start : inner.span.end] == inner.raw
    render(Report(diagnostics, {"r.yaml": text}), colour=True)
