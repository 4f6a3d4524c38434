"""Edits inside values leave YAML that reads, and the value that was meant."""

from __future__ import annotations

import pytest

from mashbill.compiler.document import Map, Scalar, parse_document
from mashbill.compiler.mending import edit_within


@pytest.mark.parametrize(
    ("yaml", "old", "new", "mended"),
    [
        ("keep: score > 3", "score", "rank", "keep: rank > 3"),
        ("keep: lang == 'x'", "lang", "coalesce(lang, '')", "keep: \"coalesce(lang, '') == 'x'\""),
        ("m: { keep: n > 3 }", "n", "coalesce(n, 0)", 'm: { keep: "coalesce(n, 0) > 3" }'),
        ("keep: 'n > 3'", "n", "f(n, '')", "keep: 'f(n, '''') > 3'"),
        ('keep: "n > 3"', "n", 'f(n, "\\n")', 'keep: "f(n, \\"\\\\n\\") > 3"'),
        ("keep: >-\n  n\n  > 3", "n", "f(n, '')", "keep: >-\n  f(n, '')\n  > 3"),
        ("keep: f(a, b) > 3", "b", "g(b, 1)", "keep: f(a, g(b, 1)) > 3"),
        ("keep: a \\ b", "a", "'a'", "keep: \"'a' \\\\ b\""),
        ("keep: n > 3", "n", "[n]", 'keep: "[n] > 3"'),
    ],
)
def test_an_edit_is_written_for_its_place(yaml: str, old: str, new: str, mended: str) -> None:
    node = scalar(yaml)
    value = str(node.value)
    start = value.index(old)
    edit = edit_within(node, start, start + len(old), new)
    found = yaml[: edit.span.start] + edit.replacement + yaml[edit.span.end :]
    assert found == mended
    assert scalar(found).value == value.replace(old, new, 1)


def scalar(yaml: str) -> Scalar:
    document, problems = parse_document(yaml, "recipe.yaml")
    assert not problems
    assert isinstance(document, Map)
    (_, node), *_ = document.entries
    if isinstance(node, Map):
        (_, node), *_ = node.entries
    assert isinstance(node, Scalar)
    return node
