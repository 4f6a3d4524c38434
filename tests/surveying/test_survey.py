"""What a survey sees of a plan, held against what runs really did."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mashbill.compiler.estimating.facts import Moments
from tests.runtime.conftest import MODELS, documents

from .conftest import Surveyed, surveyed

BOOK = """\
steps:
  long: { op: filter, from: docs, keep: words(text) > 40 }
  book:
    op: rewrite
    from: long
    model: writer
    prompt: prompts/book.md.j2
    chunk: { by: sentence, max: 80 tokens }
    checks: { kept: { kind: expr, pass: "not contains(text, '11')" } }
    on_fail: [{ retry: 2 }, reject]
"""


def total(seen: Moments, name: str) -> float:
    value = seen.of(name)
    assert value is not None, seen.names
    return value * seen.rows


@pytest.fixture
def books(tmp_path: Path) -> Surveyed:
    texts = [" ".join(t.split()[: 20 + 2 * i]) for i, t in enumerate(documents(40, 12))]
    return surveyed(tmp_path / "books", texts, BOOK)


def test_before_anything_is_paid_for(books: Surveyed) -> None:
    facts = books.facts()
    long, book = facts.nodes["long"], facts.nodes["book"]
    assert facts.exact
    assert (long.rows_in, long.whole, long.assumed) == (40, True, False)
    record = books.spine.good_run()
    assert long.reached is not None
    assert total(long.reached, "rows_out") == pytest.approx(record["steps"]["long"]["out"])
    assert book.rows_in == record["steps"]["book"]["in"]
    assert book.reached is not None
    assert book.settled is None
    assert (book.settled_rows, book.held) == (0, 0)
    units = sum(n for k, n in record["steps"]["book"]["units"].items() if k != "kept")
    assert total(book.reached, "units") == pytest.approx(units)
    assert total(book.reached, "passed") == 0
    assert book.longest_prompt > 0
    assert 0 < book.prefix_share < 1


def test_after_a_run_the_ledger_says_all(books: Surveyed) -> None:
    record = books.spine.good_run()
    facts = books.facts()
    book, step, spent = facts.nodes["book"], record["steps"]["book"], record["models"]["writer"]
    settled = book.settled
    assert settled is not None
    assert book.settled_rows == settled.rows == step["in"]
    assert book.held == pytest.approx(step["in"])
    assert total(settled, "rows_out") == pytest.approx(step["out"])
    assert total(settled, "calls:writer") == pytest.approx(spent["sent"])
    assert total(settled, "prompt:writer") == pytest.approx(spent["prompt_tokens"])
    assert total(settled, "reply:writer") == pytest.approx(spent["completion_tokens"])
    assert total(settled, "truncated") == 0
    # Prompts of first attempts, as rendered before: fewer than with those of retries.
    assert book.reached is not None
    assert total(settled, "prompt") == pytest.approx(total(book.reached, "prompt"))
    assert total(book.reached, "prompt") < spent["prompt_tokens"]


def test_sizes_are_those_of_the_next_step(books: Surveyed) -> None:
    """What leaves a step is what reaches the next: totals hang together by them."""
    facts = books.facts()
    long, book = facts.nodes["long"].reached, facts.nodes["book"].reached
    assert long is not None
    assert book is not None
    assert facts.sources["docs"].size == pytest.approx(long.size * long.rows)
    assert total(long, "size_out") == pytest.approx(book.size * book.rows)


def test_rows_that_pass_by_when(tmp_path: Path) -> None:
    steps = """\
steps:
  made:
    op: generate
    from: docs
    model: writer
    prompt: prompts/book.md.j2
    when: contains(text, 'Station 1')
    samples: 2
"""
    project = surveyed(tmp_path, documents(30), steps)
    seen = project.node("made")
    assert seen.reached is not None
    assert (seen.rows_in, total(seen.reached, "passed")) == (30, pytest.approx(19))
    assert total(seen.reached, "units") == pytest.approx(22)
    project.spine.good_run()
    seen = project.node("made")
    assert seen.settled is not None
    assert (seen.settled_rows, seen.held) == (11, pytest.approx(11))
    assert total(seen.settled, "rows_out") == pytest.approx(22)


JUDGED = """\
steps:
  made: { op: generate, from: docs, model: writer, prompt: prompts/book.md.j2 }
  good:
    op: verify
    from: made
    checks:
      short: { kind: expr, pass: "not contains(text, '50 ')" }
"""


def test_a_later_step_is_assumed_until_there_are_replies(tmp_path: Path) -> None:
    project = surveyed(tmp_path, documents(60), JUDGED)
    good = project.node("good")
    assert (good.rows_in, good.assumed, good.reached) == (60, True, None)
    project.pilot(20)
    facts = project.facts()
    made, good = facts.nodes["made"], facts.nodes["good"]
    assert made.settled_rows == 20
    assert made.held == pytest.approx(20)
    assert (good.rows_in, good.assumed, good.whole) == (20, False, False)
    assert good.reached is not None
    assert 0 < (good.reached.of("rows_out") or 0) < 1


def test_rows_that_ask_nobody_do_not_count_as_replies(tmp_path: Path) -> None:
    """A gate before a judge: what it refuses is known of all rows, what the judge says of few."""
    steps = """\
steps:
  good:
    op: verify
    from: docs
    checks:
      short: { kind: expr, pass: "not contains(text, 'Station 1')" }
      fine: { kind: judge, model: judge, prompt: prompts/judge.md.j2, pass: verdict != 'no' }
"""
    models = MODELS.replace("sources:", "  judge: fake/judge\nsources:")
    project = surveyed(tmp_path, documents(200), steps, models)
    (project.spine.folder / "prompts/judge.md.j2").write_text(
        "---\ninputs: { text: str }\nreply: { verdict: tag }\n---\n"
        "{% block user %}{{ text }}{% endblock %}\n"
    )
    before = project.node("good")
    assert before.settled is None
    assert before.reached is not None
    asked = before.reached.of("units")
    assert asked == pytest.approx(89 / 200)  # 10 to 19, 1 and 100 to 199 are refused
    project.pilot(40)
    seen = project.node("good")
    assert seen.settled is not None
    # The share of rows that ask is that of all, though far fewer were asked about.
    assert seen.settled.of("units") == pytest.approx(89 / 200)
    assert seen.settled.of("calls:judge") == pytest.approx(89 / 200)
    assert seen.held < 60


def test_a_share_of_survivors_is_found_however_few(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    texts = [
        f"{'rare' if rng.random() < 0.02 else 'plain'} {i} " + "word " * int(rng.integers(5, 60))
        for i in range(4000)
    ]
    steps = """\
steps:
  few: { op: filter, from: docs, keep: "startswith(text, 'rare')" }
  made: { op: generate, from: few, model: writer, prompt: prompts/book.md.j2 }
"""
    facts = surveyed(tmp_path, texts, steps).facts()
    rare = sum(t.startswith("rare") for t in texts)
    assert facts.nodes["made"].rows_in == rare
    assert facts.nodes["few"].whole


def test_a_limit_lets_in_the_rows_of_the_run(tmp_path: Path) -> None:
    steps = """\
steps:
  made: { op: generate, from: docs, model: writer, limit: 12, prompt: prompts/book.md.j2 }
"""
    project = surveyed(tmp_path, documents(50), steps)
    assert project.node("made").rows_in == 12
    assert project.pilot(5).sent == 5
    assert project.node("made").held == pytest.approx(5)
    assert project.spine.good_run()["models"]["writer"]["reused"] == 5


def test_tokens_of_the_parts_of_a_mix(tmp_path: Path) -> None:
    steps = """\
steps:
  one: { op: filter, from: docs, keep: "contains(text, 'Station 1')" }
  rest: { op: filter, from: docs, keep: "not contains(text, 'Station 1')" }
  book: { op: rewrite, from: rest, model: writer, prompt: prompts/book.md.j2 }
mix:
  total: 900 tokens
  parts: { one: 50%, book: 50% }
  on_shortfall: shrink
"""
    project = surveyed(tmp_path, documents(30), steps)
    record = project.spine.good_run()
    facts = project.facts()
    parts = record["mix"]["parts"]
    for name in parts:
        seen = facts.nodes[name]
        found = seen.settled or seen.reached
        assert found is not None
        assert total(found, "tokens_out") == pytest.approx(parts[name]["supply"]), name
