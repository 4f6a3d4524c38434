"""The fast yes is never wrong: whatever it accepts, jsonschema accepts too."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mashbill.compiler.document import parse_document, plain
from mashbill.compiler.fits import fits
from mashbill.compiler.schema import (
    LADDER_SCHEMA,
    MIX,
    SAMPLING_SCHEMA,
    TOP,
    kind_schema,
    step_schema,
)
from mashbill.compiler.shape import READERS, errors_of

from .operators import CATALOG, GOOD

DOCUMENT, _ = parse_document(GOOD, "r.yaml")
assert DOCUMENT is not None
RECIPE: dict[str, Any] = plain(DOCUMENT)
BOOK = RECIPE["steps"]["book"]
PAIRS: list[tuple[dict[str, Any], Any]] = [
    (TOP, RECIPE),
    (step_schema(CATALOG.steps["rewrite"]), BOOK),
    (step_schema(CATALOG.steps["filter"]), RECIPE["steps"]["pages"]),
    (LADDER_SCHEMA, BOOK["on_fail"]),
    (SAMPLING_SCHEMA, RECIPE["models"]["judge"]["sampling"]),
    (MIX, RECIPE["mix"]),
    (kind_schema(CATALOG.checks["length"]), {"max": 1.6}),
]
LEAVES: st.SearchStrategy[object] = (
    st.none()
    | st.booleans()
    | st.integers(-3, 200)
    | st.floats(0, 3)
    | st.sampled_from(["", "reject", "50%", "2M tokens", "a/b", "no", "x.y", "=1", "Name", []])
    | st.just({})
)


def changed(value: Any, draw: Any, depth: int = 0) -> Any:
    """The value with one place replaced, dropped or added."""
    if isinstance(value, dict) and value and (depth == 0 or draw(st.booleans())):
        key = draw(st.sampled_from(sorted(value)))
        action = draw(st.sampled_from(["in", "in", "in", "drop", "add", "rename"]))
        if action == "in":
            return {**value, key: changed(value[key], draw, depth + 1)}
        if action == "add":
            new = draw(st.sampled_from(["extra", "kind", "retry", "_x", "weight", "op"]))
            return {**value, new: draw(LEAVES)}
        rest = {k: v for k, v in value.items() if k != key}
        return rest if action == "drop" else {**rest, key + "x": value[key]}
    if isinstance(value, list) and value and draw(st.booleans()):
        at = draw(st.integers(0, len(value) - 1))
        return [*value[:at], changed(value[at], draw, depth + 1), *value[at + 1 :]]
    return draw(LEAVES)


@pytest.mark.parametrize("at", range(len(PAIRS)))
def test_what_is_right_fits(at: int) -> None:
    schema, value = PAIRS[at]
    assert fits(schema, READERS)(value)
    assert not list(errors_of(schema, value))


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_agrees_with_jsonschema(data: st.DataObject) -> None:
    schema, value = data.draw(st.sampled_from(PAIRS))
    for _ in range(data.draw(st.integers(1, 2))):
        value = changed(value, data.draw)
    assert fits(schema, READERS)(value) == (not list(errors_of(schema, value)))


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"oneOf": [{"type": "integer"}]}, 1),
        ({"properties": {"a": {"if": {}, "then": {}}}}, {"a": 1}),
        ({"items": {"uniqueItems": True}}, [[1]]),
    ],
)
def test_an_unknown_keyword_is_never_a_yes(schema: dict[str, Any], value: object) -> None:
    assert not fits(schema, READERS)(value)
    assert not list(errors_of(schema, value))


def test_a_boolean_is_no_integer_and_a_whole_float_neither() -> None:
    whole = fits({"type": "integer"}, READERS)
    assert [whole(v) for v in (1, True, 1.0, "1")] == [True, False, False, False]
