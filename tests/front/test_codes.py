"""The table of codes: complete, explained, and no code that nothing can look up."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mashbill.compiler.codes import CODES

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("code", CODES)
def test_a_row_is_whole(code: str) -> None:
    row = CODES[code]
    assert re.fullmatch(r"[A-Z]\d{3}", code)
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", row.slug)
    assert len(row.explanation.split()) >= 8, "an explanation explains"
    assert max(map(len, row.explanation.splitlines())) <= 80


def test_slugs_are_unique() -> None:
    assert len({row.slug for row in CODES.values()}) == len(CODES)


def test_every_code_that_is_emitted_has_a_row() -> None:
    used = {
        code
        for folder in ("compiler", "runtime")
        for file in (ROOT / folder).rglob("*.py")
        for code in re.findall(r'"([SRXPDMVCBLGO]\d{3})"', file.read_text("utf-8"))
    }
    assert used <= CODES.keys()
