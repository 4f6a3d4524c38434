"""What a run that reached a cap says, and what it tells the user to type."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mashbill.compiler.budgets import CAPS
from mashbill.runtime.budget import Carry, Exhausted, NoPurse, Purse, line, raised, report
from mashbill.runtime.budget.amounts import KINDS, PICO, whole
from mashbill.runtime.budget.bounds import input_bound
from mashbill.runtime.budget.gauge import Gauge
from mashbill.runtime.budget.words import typed
from mashbill.runtime.requests import Message, Request, Sampling


def gauge(path: str, limit: int, spent: int, carried: int = 0) -> Gauge:
    """A cap, so far spent."""
    return Gauge(path, path.rpartition(".")[2], limit, carried, spent, spent)


@pytest.mark.parametrize(
    ("full", "runs", "said", "command"),
    [
        (
            gauge("budget.tokens", 3_000_000, 2_999_100, 12_300),
            ("r-0004",),
            "budget.tokens: 2,999,100 of 3,000,000 output tokens spent (12,300 carried from "
            "r-0004)",
            "--set budget.tokens=6M",
        ),
        (
            gauge("budget.steps.book.requests", 30_000, 30_000, 5),
            ("r-0004", "r-0006", "r-0007"),
            "budget.steps.book.requests: 30,000 of 30,000 requests spent (5 carried from r-0004 "
            "to r-0007)",
            "--set budget.steps.book.requests=60k",
        ),
        (
            gauge("budget.usd", 150 * PICO, 149_987_000_000_000),
            (),
            "budget.usd: $149.98 of $150 spent",
            "--set budget.usd=300",
        ),
        (
            gauge("budget.wall", 86_400_000, 86_412_000),
            (),
            "budget.wall: all of 24h spent, 12 s over",
            "--set budget.wall=48h",
        ),
        (
            gauge("budget.gpu_hours", 40 * 3_600_000, 40 * 3_600_000),
            (),
            "budget.gpu_hours: all of 40 GPU-h spent",
            "--set budget.gpu_hours=80",
        ),
    ],
)
def test_the_sentence_and_the_command(
    full: Gauge, runs: tuple[str, ...], said: str, command: str
) -> None:
    error = Exhausted(full, runs)
    assert str(error) == said
    assert raised(error) == command


@given(st.sampled_from(KINDS), st.integers(1, 10**16))
def test_what_is_typed_reads_as_at_least_that_and_little_more(kind: str, value: int) -> None:
    value *= 10**5 if kind == "usd" else 1
    text = typed(kind, value)
    read = CAPS[kind](text)
    assert not isinstance(read, str), read
    rounding = {"usd": PICO // 100, "gpu_hours": 36_000, "wall": 1_000}.get(kind, 1)
    assert value <= whole(kind, read) <= max(value * 2, value + rounding)


@given(st.text(max_size=80), st.text(max_size=20))
def test_no_text_has_more_tokens_than_its_bound(content: str, schema: str) -> None:
    messages = (Message("system", content), Message("user", content))
    request = Request("m", messages, Sampling(schema=schema or None))
    size = 2 * len(content.encode("utf-8", "surrogatepass")) + len(schema.encode())
    assert input_bound(request) > size


def test_what_the_record_and_progress_say() -> None:
    carry = Carry({"budget.tokens": 100}, ("r-0001",))
    purse = Purse({"budget.tokens": 1000, "budget.steps.book.usd": PICO}, carry=carry)
    assert report(purse) == {
        "said": [
            "budget.tokens: 100 of 1,000 output tokens spent (100 carried from r-0001)",
            "budget.steps.book.usd: $0 of $1 spent",
        ],
        "caps": {
            "budget.tokens": {"limit": 1000, "spent": 100, "carried": 100, "over": 0},
            "budget.steps.book.usd": {"limit": 1.0, "spent": 0.0, "carried": 0.0, "over": 0.0},
        },
        "carried_from": ["r-0001"],
    }
    assert line(purse) == "100 of 1,000 output tokens"
    assert report(NoPurse()) is None and line(NoPurse()) == ""
