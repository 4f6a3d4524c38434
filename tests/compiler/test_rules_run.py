"""Rules change nothing but the bill: a plan with and without them, run on the fake engine."""

from __future__ import annotations

from pathlib import Path

import pytest

from .both_ways import Compared, compared, named

BOOK_STEP = """\
  book:
    op: rewrite
    from: pages
    model: writer
    prompt: prompts/book.md.j2
    set:
      style: "= choose(['plain', 'fine'])"
    chunk: { by: sentence, max: 60 tokens }
    checks: { length: { min: 0.8, max: 1.1 }, ours: { kind: expr, pass: words(text) > 5 } }
    on_fail: [{ retry: 2 }, { fallback: input }]
"""
ASK_STEP = """\
  asked:
    op: generate
    from: pages
    model: writer
    prompt: prompts/ask.md.j2
    samples: 3
    checks: { short: { kind: expr, pass: words(summary) < 14 } }
    on_fail: [{ retry: 1 }, { fallback: input }]
"""
PLAIN_STEP = """\
  again:
    op: rewrite
    from: pages
    again: true
    model: writer
    prompt: prompts/plain.md.j2
    on_fail: [{ fallback: input }]
"""
PLAIN_OUTPUT = "output: { columns: [text, _id] }\n"
TWIN = BOOK_STEP.replace("choose(['plain', 'fine'])", "lower('PLAIN')")

PUSH = {
    "a_column_of_the_source": BOOK_STEP
    + "  english: { op: filter, from: book, keep: lang == 'en' }\n",
    "a_set_and_a_draw": BOOK_STEP
    + """\
  english:
    op: filter
    from: book
    set: { lang: "= choose(['xx', 'yy', 'zz'])" }
    keep: hash01(_doc) < 0.7 and choose([true, true, false])
""",
    "a_chain": BOOK_STEP
    + """\
  english: { op: filter, from: book, keep: lang == 'en' }
  some: { op: filter, from: english, keep: hash01(_doc) < 0.6 }
  long: { op: filter, from: some, keep: words(text) > 5 }
""",
    "samples": ASK_STEP + "  english: { op: filter, from: asked, keep: lang == 'en' }\n",
    "several_inputs": BOOK_STEP.replace("from: pages", "from: [pages, web]")
    + "  some: { op: filter, from: book, keep: _source == 'web' or hash01(_doc) < 0.5 }\n",
    "rejected_rows": BOOK_STEP.replace("from: pages", "from: pages.rejected")
    + "  english: { op: filter, from: book, keep: lang == 'en' }\n",
    "a_limit_above_and_below": BOOK_STEP.replace("from: pages", "from: some")
    + """\
  some: { op: filter, from: pages, limit: 20 }
  english: { op: filter, from: book, keep: lang == 'en' }
  few: { op: filter, from: english, limit: 4 }
""",
    "before_a_mix": BOOK_STEP
    + """\
  english: { op: filter, from: book, keep: lang == 'en' }
  long: { op: filter, from: english, keep: words(text) > 5 }
mix:
  total: 900 tokens
  parts: { pages: 60%, long: 40% }
  min_human: 60%
  on_shortfall: shrink
""",
}
SHARE = {
    "two_readers": TWIN
    + TWIN.replace("book:", "same:")
    + """\
  long: { op: filter, from: book, keep: words(text) > 14 }
  short: { op: filter, from: same, keep: words(text) <= 14 }
  all: { op: filter, from: [long, short], set: { kind: any } }
""",
    "one_reader_of_both": TWIN
    + TWIN.replace("book:", "same:")
    + "  all: { op: filter, from: [book, same], set: { kind: any } }\n",
    "what_is_rejected": TWIN.replace(", { fallback: input }", "")
    + TWIN.replace("book:", "same:").replace(", { fallback: input }", "")
    + """\
  bad: { op: filter, from: same.rejected, keep: "_reason == 'too_long'" }
  all: { op: filter, from: [book, bad], set: { kind: any } }
""",
    "a_part_of_a_mix": TWIN
    + TWIN.replace("book:", "same:")
    + """\
  long: { op: filter, from: book, set: { text: = upper(text) }, keep: words(text) > 5 }
mix:
  total: 900 tokens
  parts: { pages: 50%, same: 30%, long: 20% }
  min_human: 50%
  on_shortfall: shrink
""",
}

LIMIT = {
    "behind_a_rewrite": BOOK_STEP + "  few: { op: filter, from: book, limit: 7 }\n",
    "among_equal_documents": BOOK_STEP + "  few: { op: filter, from: book, limit: 12 }\n",
    "among_equal_documents_and_samples": ASK_STEP
    + "  few: { op: filter, from: asked, limit: 7 }\n",
    "behind_samples": ASK_STEP + "  few: { op: filter, from: asked, limit: 7 }\n",
    "behind_two_rewrites": BOOK_STEP
    + PLAIN_STEP.replace("from: pages", "from: book")
    + "  few: { op: filter, from: again, limit: 5, keep: words(text) > 5 }\n",
    "over_a_set_only_step": BOOK_STEP
    + """\
  sized: { op: filter, from: book, set: { size: = words(text) } }
  few: { op: filter, from: sized, limit: 5, keep: size > 5 }
""",
    "over_another_limit": BOOK_STEP.replace("    chunk", "    limit: 20\n    chunk")
    + "  few: { op: filter, from: book, limit: 12 }\n",
    "several_inputs": BOOK_STEP.replace("from: pages", "from: [pages, web, docs]")
    + "  few: { op: filter, from: book, limit: 12 }\n",
    "rows_that_pass_by": BOOK_STEP.replace(
        "    chunk", "    when: coalesce(lang == 'en', false)\n    chunk"
    )
    + "  few: { op: filter, from: book, limit: 12 }\n",
    "more_than_there_are": BOOK_STEP + "  few: { op: filter, from: book, limit: 5000 }\n",
}
DROP = {
    "columns_of_a_source": BOOK_STEP + PLAIN_OUTPUT,
    "a_column_read_halfway": BOOK_STEP.replace("from: pages", "from: english")
    + "  english: { op: filter, from: pages, keep: lang == 'en' }\n"
    + PLAIN_OUTPUT,
    "set_and_not_read": """\
  sized:
    op: filter
    from: pages
    set: { size: = words(text), lang: = upper(lang), other: none }
    keep: coalesce(lang, 'en') == 'en'
"""
    + BOOK_STEP.replace("from: pages", "from: sized")
    + PLAIN_OUTPUT,
    "set_after_a_model_step": ASK_STEP.replace(
        "    samples", "    set: { size: = words(summary) }\n    samples"
    )
    + PLAIN_OUTPUT,
    "what_meets": BOOK_STEP
    + """\
  sized: { op: filter, from: web, set: { size: = words(text) } }
  all: { op: filter, from: [book, sized], keep: size is null or size > 5 }
"""
    + PLAIN_OUTPUT,
    "reasons_that_are_read": BOOK_STEP.replace(", { fallback: input }", "")
    + """\
  bad:
    op: filter
    from: book.rejected
    keep: "_reason == 'too_long'"
    set: { kind: = _reason }
  all: { op: filter, from: [book, bad], keep: words(text) > 1 }
output: { columns: [text, _id, kind] }
""",
    "what_the_source_said": BOOK_STEP
    + """\
  held:
    op: verify
    from: book
    checks: { facts: { source: source.text, numbers: 0.1, names: 0.1 } }
  kept: { op: verify, from: held, checks: { copy: { max: 0.99, ngram: 4 } } }
"""
    + PLAIN_OUTPUT,
    "rows_that_pass_by": """\
  sized:
    op: filter
    from: pages
    when: coalesce(lang == 'en', false)
    set: { lang: upper, size: = words(text) }
  last: { op: filter, from: sized, keep: "coalesce(size, 6) > 5" }
output: { columns: [text, _id, lang] }
""",
    "parts_of_a_mix": BOOK_STEP
    + """\
mix: { total: 900 tokens, parts: { pages: 60%, book: 40% }, on_shortfall: shrink }
output: { columns: [text, _id] }
""",
}
FUSE = {
    "three_in_a_row": """\
  sized: { op: filter, from: pages, set: { size: = words(text) }, keep: size > 4 }
  main: { op: clean, from: sized, min_words: 6 }
  last: { op: filter, from: main, keep: lang == 'en' }
""",
    "what_is_put_aside_in_the_middle": """\
  sized: { op: filter, from: pages, keep: words(text) > 7 }
  last: { op: filter, from: sized, keep: lang == 'en' }
  short: { op: filter, from: pages.rejected, set: { kind: short } }
  other: { op: filter, from: sized.rejected, keep: lang == 'de' }
  all: { op: filter, from: [last, short, other], keep: hash01(_id) < 0.8 }
""",
    "before_and_behind_a_model_step": """\
  sized: { op: filter, from: pages, keep: words(text) > 4 }
"""
    + BOOK_STEP.replace("from: pages", "from: sized")
    + """\
  long: { op: filter, from: book, keep: words(text) > 6 }
  last: { op: filter, from: long, keep: chars(text) > 40 }
""",
    "a_limit_at_its_head": """\
  few: { op: filter, from: pages, limit: 30, keep: words(text) > 4 }
  last: { op: filter, from: few, keep: hash01(_id) < 0.5 }
""",
    "nothing_left_halfway": """\
  none: { op: filter, from: pages, keep: words(text) > 5000 }
  last: { op: filter, from: none, keep: lang == 'en' }
  all: { op: filter, from: [last, web], keep: words(text) > 1 }
""",
}
PREFIX = {
    "a_style_drawn_by_row": BOOK_STEP,
    "a_column_of_the_source": BOOK_STEP.replace(
        "= choose(['plain', 'fine'])", "= coalesce(lang, 'xx')"
    ),
    "rejected_rows_and_samples": BOOK_STEP.replace(", { fallback: input }", "").replace(
        "    chunk", "    samples: 2\n    chunk"
    ),
    "behind_another_model_step": PLAIN_STEP
    + BOOK_STEP.replace("from: pages", "from: again").replace(
        "    chunk", "    again: true\n    chunk"
    ),
}


def both(folder: Path, steps: str, patch: pytest.MonkeyPatch, *rules: str) -> Compared:
    """Run a recipe with these rules and without; all of them must fire."""
    found = compared(folder, steps, patch, named(*rules))
    assert found is not None and found.fired == set(rules)
    assert found.ruled.rows > 0
    return found


@pytest.mark.parametrize("steps", PUSH.values(), ids=PUSH)
def test_a_moved_filter_gives_the_same_rows_and_reasons_for_fewer_calls(
    steps: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = both(tmp_path, steps, monkeypatch, "push_filter")
    assert 0 < found.ruled.sent < found.plain.sent


@pytest.mark.parametrize("steps", SHARE.values(), ids=SHARE)
def test_a_shared_step_gives_the_same_rows_and_reasons(
    steps: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = both(tmp_path, steps, monkeypatch, "share_calls")
    assert found.ruled.sent == found.plain.sent > 0


@pytest.mark.parametrize(("name", "steps"), LIMIT.items(), ids=LIMIT)
def test_a_limit_felt_earlier_gives_the_same_rows_for_fewer_calls(
    name: str, steps: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = both(tmp_path, steps, monkeypatch, "push_limit")
    if name == "more_than_there_are":
        assert found.ruled.sent == found.plain.sent > 0
    else:
        assert 0 < found.ruled.sent < found.plain.sent
    assert found.ruled.steps["few"]["out"] == found.plain.steps["few"]["out"] > 0


@pytest.mark.parametrize("steps", DROP.values(), ids=DROP)
def test_without_unread_columns_every_account_is_the_same(
    steps: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = both(tmp_path, steps, monkeypatch, "drop_columns")
    assert found.ruled.steps == found.plain.steps
    assert found.ruled.reasons == found.plain.reasons


@pytest.mark.parametrize("steps", FUSE.values(), ids=FUSE)
def test_steps_that_share_a_stage_keep_their_accounts_apart(
    steps: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = both(tmp_path, steps, monkeypatch, "fuse_maps")
    assert found.ruled.steps == found.plain.steps
    assert list(found.ruled.steps) == list(found.plain.steps)
    assert found.ruled.reasons == found.plain.reasons


@pytest.mark.parametrize("steps", PREFIX.values(), ids=PREFIX)
def test_rows_asked_about_in_groups_give_the_same_accounts(
    steps: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = both(tmp_path, steps, monkeypatch, "group_by_prefix")
    assert found.ruled.steps == found.plain.steps
    assert found.ruled.reasons == found.plain.reasons
    assert found.ruled.sent == found.plain.sent
