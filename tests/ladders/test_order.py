"""Rungs in order: which fires, which is skipped, how many attempts there are, and their draws."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mashbill.compiler.estimating.attempts import most_tries
from mashbill.runtime.ladder import REPAIRS, STRIDE, last_rung, rungs_tried

from .conftest import project, prompt, sent
from .test_repairs import MAKE, generated

BAD = prompt("<answer>bad {{ reply }}</answer>", "reply: str", "reply: { answer: tag }\n")
RUNGS = st.one_of(
    st.builds(
        lambda word, times, wanted: {"rung": word, "times": times, "for": wanted},
        st.sampled_from(["retry", "repair"]),
        st.integers(1, 4),
        st.lists(st.sampled_from("abc"), max_size=2),
    )
)


@given(st.lists(RUNGS, max_size=4), st.lists(st.sampled_from("abcd"), min_size=20, max_size=20))
def test_rungs_go_down_and_none_is_come_back_to(
    rungs: list[dict[str, Any]], failures: list[str]
) -> None:
    ladder = [*rungs, {"rung": "reject"}]
    failed: Iterator[str] = iter(failures)
    now = [next(failed)]
    tried: list[int] = []
    for number in rungs_tried(ladder, lambda: now[0]):
        assert not rungs[number]["for"] or now[0] in rungs[number]["for"]
        tried.append(number)
        now[0] = next(failed)
    assert tried == sorted(tried)
    assert len(tried) + 1 <= most_tries(ladder)
    if not any(r["for"] for r in rungs):
        assert len(tried) + 1 == most_tries(ladder)


@pytest.mark.parametrize("word", ["fallback", "route", "reject"])
def test_the_end_of_a_ladder(word: str) -> None:
    assert last_rung([{"rung": "retry", "times": 1}, {"rung": word}]) == word
    assert last_rung([{"rung": "repair", "times": 1}]) == "reject"
    assert last_rung([]) == "reject"


def numbers(journal: Any) -> list[int]:
    """Numbers of attempts by the journal, over all samples."""
    return sorted(int(line.split()[1]) // STRIDE for line in journal.elements())


def test_a_rung_that_does_not_apply_is_skipped(tmp_path: Path) -> None:
    ladder = """[
      { retry: { times: 3, for: [empty] } },
      { repair: { times: 2, prompt: prompts/bad.md.j2, for: [clean] } },
      { retry: { times: 1, for: [clean] } } ]"""
    spine = generated(tmp_path, ladder, 1, bad=BAD)
    record = spine.last() if spine.run().code else spine.record()
    assert numbers(sent(spine)) == [0, 1, REPAIRS, REPAIRS + 1]
    assert record["steps"]["made"]["rejected"] == {"forbidden": 1}


def test_the_plans_worst_case_is_the_most_that_is_asked(tmp_path: Path) -> None:
    ladder = """[
      { retry: 2 },
      { repair: { times: 3, prompt: prompts/bad.md.j2 } },
      { repair: { prompt: prompts/bad.md.j2, model: mender } },
      reject ]"""
    spine = generated(tmp_path, ladder, 6, bad=BAD)
    spine.feed({"text": f"row {n} bad"} for n in range(6))
    spine.run()
    step = spine.last()["estimates"]["steps"]["made"]
    by_model = step["by_model"]
    assert by_model["writer"]["worst_calls"]["value"] == sent(spine).total() == 6 * 6
    assert by_model["mender"]["worst_calls"]["value"] == sent(spine, "mender").total() == 6
    assert step["spending"]["worst_calls"]["value"] == 42
    assert 6 < step["spending"]["calls"]["value"] < 6 * 2.2


def test_more_retries_leave_repairs_as_they_are(tmp_path: Path) -> None:
    ladder = "[ { retry: 1 }, { repair: { times: 2, prompt: prompts/bad.md.j2 } } ]"
    spine = generated(tmp_path, ladder, 1, bad=BAD)
    spine.run()
    before = sent(spine)
    spine.edit("retry: 1", "retry: 2")
    spine.good_run("--replace")
    new = sent(spine) - before
    assert numbers(new) == [2], "of the echo's equal replies the same repairs are asked for"


def test_another_pass_draws_anew(tmp_path: Path) -> None:
    ladder = "[ { repair: { prompt: prompts/bad.md.j2 } } ]"
    spine = generated(tmp_path, ladder, 3, bad=BAD)
    spine.good_run()
    assert numbers(sent(spine)) == [0, 0, 0, REPAIRS]
    spine.good_run("--retry", "rejected")
    assert numbers(sent(spine)) == [0, 0, 0, 1, REPAIRS, REPAIRS + 1]
    spine.good_run()
    assert sent(spine).total() == 6


def test_samples_have_draws_of_their_own(tmp_path: Path) -> None:
    ladder = "[ { repair: { times: 2, prompt: prompts/bad.md.j2 } } ]"
    spine = generated(tmp_path, ladder, 1, bad=BAD)
    spine.edit("    checks:", "    samples: 2\n    checks:")
    spine.run()
    draws = sorted(int(line.split()[1]) for line in sent(spine))
    assert draws == [0, 1, *(n * STRIDE + s for n in (REPAIRS, REPAIRS + 1) for s in (0, 1))]


def test_a_cap_is_never_overshot_by_repairs(tmp_path: Path) -> None:
    ladder = "[ { repair: { times: 3, prompt: prompts/bad.md.j2, model: mender } } ]"
    spine = project(
        tmp_path,
        "  made:\n    op: generate\n    from: docs\n    model: writer\n"
        "    prompt: prompts/make.md.j2\n"
        "    checks: { clean: { kind: regex, got: answer, forbid: bad } }\n"
        f"    on_fail: {ladder}\n"
        "budget: { steps: { made: { requests: 15 } } }\n",
        {"make": MAKE, "bad": BAD},
    )
    said = spine.run()
    assert said.code == 5, said.text
    assert sent(spine).total() + sent(spine, "mender").total() == 15
    spine.edit("requests: 15", "requests: 24")
    spine.good_run()
    lines = [*sent(spine).elements(), *sent(spine, "mender").elements()]
    assert len(lines) == len(set(lines)) == 24, "nothing is paid for twice"
