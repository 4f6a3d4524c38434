"""What changed between two meanings, in words: one function for `plan`, `run`, `why` and `diff`."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mashbill.compiler.changes import compare, phrase, reason, roots
from mashbill.compiler.contrast import contrast, runs_json, tell_runs
from mashbill.compiler.contrast import tell as tell_contrast
from mashbill.compiler.document import Map, parse_document
from mashbill.compiler.explaining import Told, explain
from mashbill.compiler.meaning import Meaning, meaning_of
from mashbill.compiler.reuse import usable
from mashbill.compiler.textdiff import diff_lines, diff_prompts
from mashbill.compiler.why import Why, changed_code, explain_step, tell
from mashbill.compiler.world import Pins
from mashbill.runtime.catalog import load_catalog

from .edits import BOOK, FILES, PINS, RECIPE, operator_changed
from .world import compile_text

CATALOG = load_catalog()


def meaning(*pairs: tuple[str, str], pins: Pins = PINS, catalog=CATALOG) -> Meaning:  # type: ignore[no-untyped-def]
    recipe, book = RECIPE, BOOK
    for old, new in pairs:
        assert old in recipe or old in book, old
        recipe, book = recipe.replace(old, new), book.replace(old, new)
    files = {**FILES, "prompts/book.md.j2": book}
    compiled = compile_text(recipe, files, pins=pins, catalog=catalog)
    assert compiled.plan and compiled.graph
    return meaning_of(compiled.plan, compiled.graph, catalog)


NOW = meaning()


def symbols(old: Meaning | None, new: Meaning = NOW) -> str:
    return "".join(change.symbol for change in compare(old, new).values())


def told(step: str, *pairs: tuple[str, str], **facts: object) -> str:
    return reason(compare(meaning(*pairs, **facts), NOW)[step])  # type: ignore[arg-type]


def test_a_step_runs_again_if_and_only_if_its_fingerprint_is_another() -> None:
    old = meaning(("words(text) > 3", "words(text) > 2"))
    for name, change in compare(old, NOW).items():
        same = old.steps[name].fingerprint == NOW.steps[name].fingerprint
        assert (change.symbol == "=") == same


def test_all_changes_of_a_step_are_found() -> None:
    old = meaning(("min: 0.5", "min: 0.4"), ("retry: 2", "retry: 1"), ("Keep all", "Keep"))
    changes = compare(old, NOW)["book"].changes
    assert [c.field for c in changes] == ["checks.length.min", "on_fail[0].times", "prompt.system"]
    assert reason(compare(old, NOW)["book"]) == "checks.length.min: 0.4 → 0.5 (+2 more)"


def test_a_first_run_and_a_dropped_step() -> None:
    assert set(symbols(None)) == {"+"}
    old = meaning(("  half:", "  other: { op: filter, from: docs, limit: 3 }\n  half:"),
                  ("half: 25%", "half: 15%, other: 10%"))  # fmt: skip
    changes = compare(old, NOW)
    assert changes["other"].symbol == "-" and list(changes)[-1] == "other"
    assert reason(changes["other"]) == "dropped"


def test_a_renamed_step_is_not_a_new_one() -> None:
    old = meaning(("  clean:", "  tidy:"), ("from: clean", "from: tidy"))
    changes = compare(old, NOW)
    assert (changes["clean"].symbol, changes["clean"].was) == ("=", "tidy")
    assert "tidy" not in changes
    assert set(symbols(old)) == {"="}


def test_a_step_below_a_renamed_and_changed_one_is_fed_by_the_change() -> None:
    old = meaning(("  clean:", "  tidy:"), ("from: clean", "from: tidy"),
                  ("words(text) > 3", "words(text) > 2"))  # fmt: skip
    changes = compare(old, NOW)
    assert changes["pages"].symbol == "~"
    assert changes["clean"].symbol == "+"  # its name and what it reads are others: no telling
    assert changes["book"].symbol == "~"
    assert reason(changes["book"]) == "from: tidy → clean"


@pytest.mark.parametrize(
    ("step", "pair", "why"),
    [
        ("pages", ("[docs, web]", "[docs]"), "from: docs → docs, web"),
        ("book", ("from: clean", "from: clean.rejected"), "from: clean.rejected → clean"),
        ("book", ("retry: 2", "retry: { times: 2, for: [length] }"),
         "on_fail[0].for: length → none"),
        ("book", ("max_tokens: 400", "max_tokens: 300"), "prompt: max_tokens"),
        ("drawn", ("['plain', 'fine']", "['plain']"),
         "set.style: choose(['plain']) → …(['plain', 'fine…"),
        ("docs", ("docs.jsonl,", "docs.jsonl, limit: 9,"), "limit: 9 → none"),
        ("clean", ("op: clean, from", "op: filter, from"), "op: filter → clean"),
    ],
)  # fmt: skip
def test_the_reason(step: str, pair: tuple[str, str], why: str) -> None:
    assert told(step, pair) == why


def test_versions_of_operators_checks_and_packages_are_told() -> None:
    older = meaning(catalog=operator_changed("clean", version=0))
    assert reason(compare(older, NOW)["clean"]).startswith("operator version: 0 → ")
    older = meaning(catalog=operator_changed("length", version=0))
    assert reason(compare(older, NOW)["book"]).startswith("checks.length.version: 0 → ")
    catalog = replace(operator_changed("length", packages=("numpy",)), versions={"numpy": "1.0"})
    later = replace(catalog, versions={"numpy": "2.0"})
    found = compare(meaning(catalog=catalog), meaning(catalog=later))["book"]
    assert reason(found) == "package numpy: 1.0 → 2.0"


def test_a_plan_alone_does_not_know_packages() -> None:
    compiled = compile_text(
        RECIPE, FILES, pins=PINS, catalog=operator_changed("length", packages=("x",))
    )
    assert compiled.plan is not None
    assert told_by_plans(meaning_of(compiled.plan)) == "other package versions"


def told_by_plans(old: Meaning) -> str:
    compiled = compile_text(RECIPE, FILES, pins=PINS)
    assert compiled.plan is not None
    return reason(compare(old, meaning_of(compiled.plan))["book"])


def test_the_steps_that_changed_themselves_are_the_roots() -> None:
    old = meaning(("words(text) > 3", "words(text) > 2"), ("retry: 2", "retry: 1"))
    changes = compare(old, NOW)
    assert roots(changes, "half") == ("pages",)
    assert roots(changes, "book") == ("book", "pages")
    assert roots(changes, "drawn") == ()


def test_plan_tells_what_the_comparison_tells() -> None:
    old = meaning(("words(text) > 3", "words(text) > 2"))
    compiled = compile_text(RECIPE, FILES, pins=PINS)
    assert compiled.plan is not None
    text = explain(
        Told(compiled.plan, last=("r-0007", old), meaning=NOW, lock="lock ok (3 pins)"),
        width=200,
        verbose=True,
    )
    assert text.startswith("edits  plan ") and "   lock ok (3 pins)   compared with r-0007" in text
    for name, change in compare(old, NOW).items():
        line = next(li for li in text.splitlines() if li[3:].startswith(f"{name} "))
        assert line[1] == change.symbol and reason(change) in line


def test_a_model_that_is_not_here_is_not_called_another() -> None:
    away = meaning(pins=Pins({"judge": "j1"}, PINS.sources))
    told = reason(compare(NOW, away)["book"])
    assert told.startswith("model: ") and "other weights" not in told
    assert "(cannot be described on this machine)" in str(compare(NOW, away)["book"].changes[0].new)


# -- what stays usable


@pytest.mark.parametrize(
    ("pair", "share"),
    [
        (("Keep all facts.", "Keep."), "none"),
        (("2 + 2 = 4.", "4."), "none"),
        (("max_tokens: 400", "max_tokens: 300"), "finished"),
        (("retry: 2", "retry: 1"), "all"),
        (("min: 0.5", "min: 0.4"), "all"),
        (("    chunk:", "    limit: 3\n    chunk:"), "all"),
        (("retry: 2", "retry: { times: 2, sampling: { top_p: 0.5 } }"), "same"),
        (("max: 60 tokens", "max: 50 tokens"), "same"),
        (("words(text) > 3", "words(text) > 2"), "same"),
        (("\"'plain'\"", "fine"), "same"),
        (("    chunk:", "    sampling: { top_p: 0.5 }\n    chunk:"), "none"),
    ],
)
def test_what_stays_usable(pair: tuple[str, str], share: str) -> None:
    assert usable(compare(meaning(pair), NOW)["book"]).share == share


def test_the_least_of_several_changes_counts() -> None:
    old = meaning(("retry: 2", "retry: 1"), ("Keep all facts.", "Keep."))
    left = usable(compare(old, NOW)["book"])
    assert left.share == "none" and "prompt" in left.because
    other = meaning(pins=replace(PINS, models={**PINS.models, "writer": "w9"}))
    assert usable(compare(other, NOW)["book"]).because.startswith("the model")
    assert usable(compare(NOW, NOW)["book"]).share == "all"


# -- why


def why(step: str, *pairs: tuple[str, str]) -> Why:
    text = RECIPE
    document, _ = parse_document(text, "recipe.yaml")
    assert isinstance(document, Map)
    old = meaning(*pairs)
    return explain_step(step, "r-0007", old, NOW, document, {"recipe.yaml": text})


def test_why_names_the_place_of_each_field() -> None:
    found = why("book", ("min: 0.5", "min: 0.4"), ("retry: 2", "retry: 1"))
    lines = [i for i, line in enumerate(RECIPE.splitlines(), 1) if "min: 0.5" in line]
    assert found.places["checks.length.min"] == f"recipe.yaml:{lines[0]}"
    ladder = [i for i, line in enumerate(RECIPE.splitlines(), 1) if "retry: 2" in line]
    assert found.places["on_fail[0].times"] == f"recipe.yaml:{ladder[0]}"
    text = "\n".join(tell(found))
    assert "book will run again: its definition changed since r-0007" in text
    assert f"checks.length.min   recipe.yaml:{lines[0]}   0.4 → 0.5" in text
    assert "completions that stay usable: all" in text


def test_why_shows_the_lines_of_a_prompt() -> None:
    found = why("book", ("Keep all facts.", "Keep facts."))
    text = "\n".join(tell(found))
    assert "prompt: system block" in text
    assert "prompts/book.md.j2  +1 -1" in text
    assert "7 - " in text and "7 + " in text and "Keep all facts." in text
    unchanged = next(li for li in text.splitlines() if li.startswith("unchanged: "))
    assert "checks" in unchanged and "sampling" in unchanged and "prompt" not in unchanged
    assert "placement" in text and "comments" in text


def test_why_of_a_step_that_is_fed_by_a_change_names_the_change() -> None:
    text = "\n".join(tell(why("half", ("words(text) > 3", "words(text) > 2"))))
    assert text.startswith("half will run again: what it reads changed since r-0007")
    assert "upstream pages   keep: words(text) > 2 and lang is not null → words(text) > 3" in text


@pytest.mark.parametrize(
    ("run", "old", "head"),
    [
        (None, None, "book has not run yet: there is no run of this recipe"),
        ("r-0007", NOW, "book is unchanged since r-0007"),
    ],
)
def test_why_of_nothing(run: str | None, old: Meaning | None, head: str) -> None:
    (line,) = tell(explain_step("book", run, old, NOW, None, {}))
    assert line.startswith(head)


def test_why_of_new_dropped_renamed_and_unknown_steps() -> None:
    def head(step: str, old: Meaning, new: Meaning) -> str:
        return tell(explain_step(step, "r-0007", old, new, None, {}))[0]

    renamed = meaning(("  clean:", "  tidy:"), ("from: clean", "from: tidy"))
    assert head("clean", renamed, NOW).endswith("where it was called tidy")
    without = replace(NOW, steps={k: v for k, v in NOW.steps.items() if k != "half"})
    assert head("half", without, NOW) == "half will run: the step is new since r-0007"
    assert head("half", NOW, without).startswith("half will not run")
    with pytest.raises(KeyError):
        explain_step("nobody", None, NOW, NOW, None, {})


def test_why_as_json_says_the_same() -> None:
    value = why("book", ("min: 0.5", "min: 0.4"), ("Keep all", "Keep")).to_json()
    assert value["symbol"] == "~" and value["compared_with"] == "r-0007"
    assert [c["field"] for c in value["changes"]] == ["checks.length.min", "prompt.system"]
    assert value["changes"][0] | {"place": None} == {
        "kind": "field", "field": "checks.length.min", "old": 0.4, "new": 0.5, "place": None
    }  # fmt: skip
    assert value["prompts"] == [{"path": "prompts/book.md.j2", "added": 1, "removed": 1}]
    assert value["usable"]["share"] == "none"


def test_text_of_a_recipe_cannot_steer_the_terminal() -> None:
    old = meaning(("\"'plain'\"", '"\\e[31mred"'))
    for line in tell(explain_step("book", "r", old, NOW, None, {})):
        assert "\x1b" not in line
    assert all("\x1b" not in line for line in tell_contrast(contrast(old, NOW)))


def test_changed_code_is_a_note_at_the_operator() -> None:
    recipe = compile_text(RECIPE, FILES, pins=PINS).recipe
    assert recipe is not None
    older = meaning(catalog=operator_changed("clean", version=0))
    (note,) = changed_code(compare(older, NOW), recipe)
    assert note.code == "L605" and note.severity == "note" and note.span is not None
    assert RECIPE[note.span.start : note.span.end] == "clean"
    assert "`clean` runs again, and 1 more below it" in note.message
    assert not list(changed_code(compare(NOW, NOW), recipe))


# -- diff


def test_a_diff_of_equals_says_so() -> None:
    same = contrast(NOW, meaning(("{ retry: 2 }", "{ retry: { times: 2 } }")))
    assert same.equal
    assert tell_contrast(same) == ["nothing that decides the data set differs"]


def test_a_diff_in_the_words_of_the_recipe() -> None:
    new = meaning(
        ("words(text) > 3", "words(text) > 4"), ("total: 2M", "total: 3M"),
        ("Keep all facts.", "Keep."), ("\"'plain'\"", "fine"),
        pins=Pins({**PINS.models, "judge": "j9"}, {"docs": "d9", "web": "e1"}),
    )  # fmt: skip
    lines = tell_contrast(contrast(NOW, new), {"book": 0.25})
    text = "\n".join(lines)
    assert "pages.keep: words(text) > 3 and lang is not null → words(text) > 4" in text
    assert "mix.total: 2000000 → 3000000" in text
    assert "prompts   prompts/book.md.j2  +1 -1" in text
    assert "models    asked   model: other weights" in text
    assert "data      docs   data changed" in text
    assert "~ book  prompt: system block (+1 more)" in text
    assert "↻ clean  upstream pages" in text
    assert "book: none (the prompt is part of every request's key); the ledger holds 25%" in text
    assert "= web" in text


def test_a_change_of_the_mix_alone_is_a_difference() -> None:
    found = contrast(NOW, meaning(("on_shortfall: shrink", "on_shortfall: reweight")))
    assert not found.equal
    assert [c.field for c in found.data] == ["mix.on_shortfall"]
    assert phrase(found.data[0]) == "mix.on_shortfall: shrink → reweight"
    assert not found.usable


RUNS = [
    {
        "steps": {"book": {"out": out}},
        "output": {"rows": out},
        "models": {"writer": {"sent": calls, "prompt_tokens": 100, "completion_tokens": 2 * calls}},
        "mix": {"tokens": 1000 * out, "human_share": 0.5},
    }
    for out, calls in ((100, 50), (90, 60))
]


def test_two_runs_are_compared_by_what_they_made() -> None:
    text = "\n".join(tell_runs(*RUNS))
    assert "yield     book 100 → 90 rows  -10.0%" in text
    assert "output    rows 100 → 90  -10.0%" in text and "human share 50%" in text
    assert "calls 50 → 60  +20.0% · tokens in 100 · tokens out 100 → 120  +20.0%" in text
    assert runs_json(*RUNS)["spent"]["sent"] == [50, 60]


def test_a_run_that_stopped_early_can_be_compared() -> None:
    assert tell_runs({}, RUNS[0])
    assert tell_runs(RUNS[0], {"steps": {}, "output": {"path": "x"}, "models": {}, "mix": None})


# -- lines of prompts


def test_lines_are_counted_and_numbered_on_their_side() -> None:
    lines = diff_lines("a\nb\nc\n", "a\nB\nB2\nc\nd\n")
    assert [(li.sign, li.number, li.text) for li in lines] == [
        ("-", 2, "b"), ("+", 2, "B"), ("+", 3, "B2"), ("+", 5, "d")
    ]  # fmt: skip
    assert diff_lines("same\n", "same") == ()
    assert [li.at for li in diff_lines("keep all\n", "keep some\n")] == [5, 5]


def test_a_moved_prompt_is_compared_with_itself() -> None:
    old = {"path": "a.j2", "files": {"a.j2": "x\ny\n", "r.j2": "1"}}
    new = {"path": "b.j2", "files": {"b.j2": "x\nz\n", "r.j2": "1"}}
    (found,) = diff_prompts(old, new)
    assert str(found) == "b.j2  +1 -1"
    assert str(*diff_prompts(None, new)[:1]) == "b.j2  +2 -0"
