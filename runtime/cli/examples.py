"""Input and reply side by side."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping
from typing import Any

HEADS = {
    "accepted": "accepted",
    "fallback": "fell back to the input; its last reply",
    "rejected": "refused reply",
}


def side_by_side(kind: str, example: Mapping[str, Any], width: int) -> str:
    """One example as two columns, and under them why."""
    half = (width - 3) // 2
    left = _column(example["source"], half)
    right = _column(example["reply"] or "(nothing)", half)
    lines = [f"{'input':<{half}} │ {HEADS.get(kind, kind)}", f"{'─' * half}─┼─{'─' * half}"]
    for i in range(max(len(left), len(right))):
        a = left[i] if i < len(left) else ""
        b = right[i] if i < len(right) else ""
        lines.append(f"{a:<{half}} │ {b}".rstrip())
    if example["reason"]:
        lines.append(f"  {example['reason']} {evidence(example['evidence'])}".rstrip())
    return "\n".join(lines)


def evidence(found: Mapping[str, Any], room: int = 100) -> str:
    """Evidence in a line."""
    text = " ".join(f"{k}={_value(v)}" for k, v in found.items() if v not in ([], {}, None, ""))
    return text if len(text) <= room else text[: room - 1] + "…"


def _value(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.2f}"
    return json.dumps(value, ensure_ascii=False) if not isinstance(value, str) else value


def _column(text: str, width: int, most: int = 12) -> list[str]:
    lines = [w for line in text.splitlines() for w in (textwrap.wrap(line, width) or [""])]
    return lines if len(lines) <= most else [*lines[: most - 1], "…"]
