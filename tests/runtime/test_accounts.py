"""Every row of every step is somewhere, and asides carry the rows that they should."""

from __future__ import annotations

from pathlib import Path

import pytest

from mashbill.runtime.account import Account, UnbalancedError
from mashbill.runtime.outcome import Outcome

from .conftest import MODELS, Spine, balance, documents, make_spine

CHECKED = """\
    checks: { kept: { kind: expr, pass: "not contains(text, 'Maren')" } }
"""

STEPS = """\
steps:
  long: { op: filter, from: docs, keep: words(text) > 8 }
  book:
    op: generate
    from: long
    model: writer
    prompt: prompts/book.md.j2
"""


def project(tmp_path: Path, tail: str, rows: int = 60, **options: object) -> Spine:
    return make_spine(tmp_path, documents(rows, 2), recipe=MODELS + tail, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("ladder", "ends"),
    [
        ("[reject]", {"accepted", "rejected"}),
        ("[{ retry: 1 }, reject]", {"accepted", "rejected"}),
        ("[{ route: spare }]", {"accepted", "routed"}),
        ("[{ retry: 1 }, { fallback: input }]", {"accepted", "fallback"}),
    ],
)
@pytest.mark.parametrize("samples", [1, 3])
def test_accounts_balance_however_rows_end(
    tmp_path: Path, ladder: str, ends: set[str], samples: int
) -> None:
    if "route" in ladder:
        ladder = "[route]"
    strict = CHECKED.replace("'Maren'", "'7'")
    spine = project(
        tmp_path, STEPS + f"    samples: {samples}\n" + strict + f"    on_fail: {ladder}\n"
    )
    record = spine.good_run()
    book = record["steps"]["book"]
    assert set(book["units"]) == ends
    assert book["in"] == 60
    assert book["created"] == 60 * (samples - 1)
    assert sum(book["units"].values()) == 60 * samples
    assert spine.rows().height == book["out"]
    assert spine.rows()["_id"].n_unique() == book["out"]


def test_asides_feed_other_steps(tmp_path: Path) -> None:
    """What a step lets go on, rejects and routes is all of what it was given, and nothing twice."""
    tail = """\
steps:
  odd: { op: filter, from: docs, keep: "contains(text, 'tion 1')" }
  none: { op: filter, from: odd.rejected, keep: "contains(text, 'tion 2')" }
  held:
    op: verify
    from: odd
    checks: { two: { kind: expr, pass: "not contains(text, 'tion 17')" } }
    on_fail: [route]
  book:
    op: generate
    from: held
    model: writer
    prompt: prompts/book.md.j2
    checks: { four: { kind: expr, pass: "contains(text, '9')" } }
  all: { op: filter, from: [none, none.rejected, held.routed, book, book.rejected] }
"""
    spine = project(tmp_path, tail)
    record = spine.good_run()
    steps = record["steps"]
    assert steps["none"]["in"] == steps["odd"]["rejected"]["keep"]
    assert steps["held"]["routed"] > 0
    assert sum(steps["book"]["rejected"].values()) > 0
    assert steps["all"]["in"] == 60
    rows = spine.rows()
    assert rows["_doc"].n_unique() == 60
    assert documents(60, 2)[17] in set(rows["text"])
    # A rejected row leaves as it came: the text that was given, not the reply that failed.
    assert set(rows.filter(rows["_origin"] == "human")["text"]) <= set(documents(60, 2))


def test_a_union_is_all_rows_of_its_inputs(tmp_path: Path) -> None:
    tail = """\
  more: { path: more.jsonl, license: CC0-1.0, origin: human, limit: 7 }
steps:
  all: { op: filter, from: [docs, more] }
"""
    spine = project(tmp_path, tail)
    spine.feed(({"text": f"More of it, number {i}."} for i in range(30)), "more.jsonl")
    assert spine.good_run()["steps"]["all"]["out"] == 67
    assert spine.rows().group_by("_source").len().sort("_source")["len"].to_list() == [60, 7]


def test_errors_and_rejections_are_kept_apart(tmp_path: Path) -> None:
    spine = project(tmp_path, STEPS + CHECKED)
    spine.feed([*({"text": t} for t in documents(20)), b"{", {"text": "too short"}])
    said = spine.run()
    assert said.code == 1
    balance(spine.record())
    steps = spine.record()["steps"]
    assert steps["docs"]["errors"] == {"unreadable": 1}
    assert steps["long"]["rejected"] == {"keep": 1}


LIMIT = STEPS.replace("    op: generate", "    op: generate\n    limit: 9")


def test_a_limit_takes_the_first_by_doc(tmp_path: Path) -> None:
    spine = project(tmp_path, LIMIT)
    record = spine.good_run()
    assert record["steps"]["book"]["rejected"]["limit"] == 51
    whole = project(tmp_path / "whole", STEPS)
    whole.good_run()
    assert sorted(spine.rows()["_doc"]) == sorted(whole.rows()["_doc"].unique())[:9]
    assert len(spine.sent()) == 9


def test_a_limit_is_the_same_however_the_data_is_cut(tmp_path: Path) -> None:
    tail = LIMIT.replace("from: docs, keep: words(text) > 8", "from: docs, limit: 30")
    recipe = (MODELS + tail).replace("path: docs.jsonl", "path: part-*.jsonl")
    texts = documents(60, 2)
    found = set()
    for slots, files in ((1, 1), (64, 1), (7, 12)):
        spine = make_spine(
            tmp_path / f"{slots}-{files}", [], recipe=recipe, slots=slots, latency="3ms"
        )
        for k in range(files):
            cut = texts[k * 60 // files : (k + 1) * 60 // files]
            spine.feed(({"text": t} for t in cut), f"part-{k:02d}.jsonl")
        spine.good_run()
        assert spine.rows().height == 9
        found.add(tuple(sorted(spine.rows()["text"])))
    assert len(found) == 1


def test_equal_rows_stay_two_rows(tmp_path: Path) -> None:
    """In the graph they are two, paid once; without a mix both are in the data set."""
    spine = project(tmp_path, STEPS)
    spine.feed({"text": t} for t in documents(5) * 2)
    record = spine.good_run()
    assert record["steps"]["book"]["in"] == 10
    assert spine.rows().height == 10
    assert spine.rows()["_id"].n_unique() == 10
    assert spine.rows()["_doc"].n_unique() == 5
    assert len(spine.sent()) == 5


def test_an_unbalanced_account_is_never_passed_over() -> None:
    account = Account()
    account.add((Outcome("out", ({},)), Outcome("rejected", ({},), "x")))
    account.check("step")
    assert account.created == 1
    account.out += 1
    with pytest.raises(UnbalancedError, match="step: 2 rows in, 3 accounted for"):
        account.check("step")


def test_a_union_of_unlike_sources_is_null_where_a_column_lacks(tmp_path: Path) -> None:
    recipe = """\
mashbill: 1
name: spine
models: { writer: fake/echo }
sources:
  web: { path: web.jsonl, columns: { score: score }, license: CC0-1.0, origin: human }
  books: { path: books.jsonl, license: CC0-1.0, origin: human }
steps:
  pool: { op: filter, from: [web, books], keep: score is null or score > 3 }
output: { columns: [text, score] }
"""
    spine = make_spine(tmp_path / "union", [], recipe=recipe)
    (spine.folder / "web.jsonl").write_text(
        '{"text": "low", "score": 1}\n{"text": "high", "score": 5}\n'
    )
    (spine.folder / "books.jsonl").write_text('{"text": "a book"}\n')
    spine.good_run()
    assert sorted(spine.rows()["text"]) == ["a book", "high"]
