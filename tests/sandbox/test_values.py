"""Values that travel to the judge: equal when they come out, whatever their classes pretend."""

from __future__ import annotations

import json
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import IntEnum
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mashbill.runtime.sandbox.inside.values import Foreign, decode, encode

plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary(),
    lambda inner: (
        st.lists(inner)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text() | st.integers(), inner)
    ),
    max_leaves=20,
)


def there_and_back(value: Any) -> Any:
    return decode(json.loads(json.dumps(encode(value))))


@given(plain)
def test_plain_values_come_back_as_they_were(value: Any) -> None:
    back = there_and_back(value)
    assert back == value
    assert type(back) is type(value)
    assert repr(back) == repr(value), "also -0.0, and True for 1"


Point = namedtuple("Point", "x y")
Colour = IntEnum("Colour", "RED BLUE")


@pytest.mark.parametrize(
    ("value", "equal", "different"),
    [
        (Point(1, 2), (1, 2), [1, 2]),
        (Counter("aab"), {"a": 2, "b": 1}, {"a": 2}),
        (OrderedDict(a=1), {"a": 1}, {"a": 2}),
        (defaultdict(int, a=1), {"a": 1}, {}),
        (deque([1, 2]), deque([1, 2]), [1, 2]),
        (Colour.BLUE, 2, 1),
        (Decimal("1.5"), 1.5, 1.6),
        (Fraction(1, 2), 0.5, 0.6),
        ({1, 2}, {2, 1}, frozenset({1})),
        (frozenset({1}), {1}, {2}),
        (1j, 1j, 2j),
        (float("inf"), float("inf"), 1e308),
        (10**30, 10**30, 10**30 + 1),
        (range(3), range(3), [0, 1, 2]),
        ({"a": 1}.keys(), {"a"}, {"b"}),
        (datetime(2026, 1, 2), datetime(2026, 1, 2), date(2026, 1, 2)),
        (time(3), time(3), time(4)),
        (timedelta(1, 2), timedelta(1, 2), timedelta(1)),
        (bytearray(b"a"), b"a", b"b"),
    ],
)
def test_standard_types_equal_what_python_says(value: Any, equal: Any, different: Any) -> None:
    back = there_and_back(value)
    assert back == equal and value == equal
    assert back != different and value != different


def test_a_class_is_not_asked_what_it_equals() -> None:
    class Liar:
        def __eq__(self, other: object) -> bool:
            return True

        def __repr__(self) -> str:
            raise ValueError

    class LyingList(list):  # type: ignore[type-arg]
        def __eq__(self, other: object) -> bool:
            return True

        def __iter__(self) -> Any:
            return iter([42])

    back = there_and_back(Liar())
    assert isinstance(back, Foreign) and back != 1 and "Liar" in repr(back)
    assert there_and_back(LyingList([1])) == [1]


def test_a_value_too_deep_is_refused() -> None:
    value: list[Any] = []
    for _ in range(200):
        value = [value]
    with pytest.raises(RecursionError):
        encode(value)
