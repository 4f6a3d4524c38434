"""What makes two answers one vote."""

from __future__ import annotations

from typing import Any, Literal

Compare = Literal["answer", "text"]


def answer_of(value: Any, compare: Compare) -> str | None:
    """What an answer is counted as; None for one that is missing.

    Args:
        value: Of the column that is voted on; lists and objects are compared as they are shown.
        compare: `answer` reads text as mathematics where it can, so that `1/2` and `0.5` are one;
            `text` takes it as it stands, white space at its ends aside.
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, str):
        return repr(value)
    if compare == "text":
        return value.strip()
    from ..maths.canonical import canonical

    return canonical(value)
