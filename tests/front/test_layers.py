"""Three layers: what a profile and `--set` replace, and what matches nothing."""

from __future__ import annotations

from typing import Any

import pytest

from mashbill.compiler.diagnostics import Diagnostic, Report
from mashbill.compiler.document import Map, find, parse_document, plain
from mashbill.compiler.layers import Layered, apply_layers, check_profiles
from mashbill.compiler.render import render
from mashbill.compiler.shape import check_shape

from .operators import CATALOG, GOOD


def recipe(text: str = GOOD) -> Map:
    node, diagnostics = parse_document(text, "recipe.yaml")
    assert isinstance(node, Map) and not diagnostics
    return node


def at(layered: Layered, *path: str | int) -> Any:
    node = find(layered.document, path)
    return None if node is None else plain(node)


def laid(*sets: str, profile: str | None = None) -> Layered:
    done = apply_layers(recipe(), profile, sets)
    assert not done.diagnostics, done.diagnostics
    return done


def refused(*sets: str, profile: str | None = None) -> tuple[Diagnostic, str]:
    done = apply_layers(recipe(), profile, sets)
    (found,) = done.diagnostics
    files = {"recipe.yaml": GOOD, **done.files}
    assert found.span
    return found, files[found.span.file][found.span.start : found.span.end]


def test_no_layers_change_nothing() -> None:
    assert laid().document == recipe()


def test_a_later_layer_wins() -> None:
    assert at(laid(), "mix", "total") == "2M tokens"
    assert at(laid(profile="smoke"), "mix", "total") == "1k tokens"
    assert at(laid("mix.total=5k tokens", profile="smoke"), "mix", "total") == "5k tokens"
    assert at(laid("mix.total=5k tokens", "mix.total=6k tokens"), "mix", "total") == "6k tokens"


@pytest.mark.parametrize(
    ("argument", "path", "value"),
    [
        ("models.judge=local/x", ("models", "judge"), "local/x"),
        ("steps.book.on_fail=[reject]", ("steps", "book", "on_fail"), ["reject"]),
        ("steps.book.on_fail=reject", ("steps", "book", "on_fail"), "reject"),
        ("steps.pages.keep=words(text) > 3", ("steps", "pages", "keep"), "words(text) > 3"),
        ("steps.book.set.rank== choose([1])", ("steps", "book", "set", "rank"), "= choose([1])"),
        ("steps.book.set.new=1", ("steps", "book", "set", "new"), 1),
        ("output.path=/tmp/a=b", ("output", "path"), "/tmp/a=b"),
        ("seed=11", ("seed",), 11),
        ("about='7'", ("about",), "7"),
        ("tokenizer=writer", ("tokenizer",), "writer"),
        ("steps.book.sampling.temperature=0", ("steps", "book", "sampling"), {"temperature": 0}),
        ("models.writer.sampling.temperature=0.2", ("models", "writer"),
         {"use": "local/smollm2-135m", "sampling": {"temperature": 0.2}}),
        ("mix.parts.pages.max_epochs=3", ("mix", "parts", "pages"),
         {"weight": "50%", "max_epochs": 3}),
        ("models.judge.placement={concurrency: 1}", ("models", "judge", "placement"),
         {"concurrency": 1}),
    ],
)  # fmt: skip
def test_set(argument: str, path: tuple[str, ...], value: object) -> None:
    done = laid(argument)
    assert at(done, *path) == value
    assert check_shape(done.document, CATALOG) == ()


def test_all_else_stays() -> None:
    before, after = plain(recipe()), plain(laid("steps.book.samples=3").document)
    assert after["steps"]["book"].pop("samples") == 3
    assert before["steps"]["book"].pop("samples") == 2
    assert before == after


def test_a_key_that_the_recipe_lacks_and_the_format_has() -> None:
    bare = recipe("mashbill: 1\nname: x\nsources: { a: { path: p, license: l, origin: human } }\n")
    done = apply_layers(bare, None, ["output.path=out/y", "sources.a.limit=2"])
    assert not done.diagnostics and not check_shape(done.document, CATALOG)
    assert at(done, "output") == {"path": "out/y"} and at(done, "sources", "a", "limit") == 2


@pytest.mark.parametrize(
    ("argument", "marked", "words", "hint"),
    [
        ("models.writter.use=local/x", "writter",
         "--set models.writter.use matches nothing (2 models: writer, judge)",
         "did you mean `models.writer.use`?"),
        ("steps.boook=1", "boook", "(2 steps: pages, book)", "did you mean `steps.book`?"),
        ("sources.wb.limit=1", "wb", "(1 source: web)", None),
        ("mix.parts.bok=1%", "bok", "(2 parts: pages, book)", "did you mean `mix.parts.book`?"),
        ("mdoels.x=1", "mdoels", "a recipe has no key 'mdoels'", "did you mean `models.x`?"),
        ("mix.totl=1", "totl", "mix has no key 'totl'", "did you mean `mix.total`?"),
        ("models.judge.sampling.temprature=1", "temprature", "has no key 'temprature'",
         "did you mean `models.judge.sampling.temperature`?"),
        ("steps.book.on_fail.retry=2", "retry", "'steps.book.on_fail' is a list; replace it", None),
        ("name.x=1", "x", "'name' is a value", None),
        ("profiles.smoke=1", "profiles", "a recipe has no key 'profiles'", None),
        ("seed", "seed", "--set needs a path and a value, got 'seed'", None),
        ("=1", "=1", "--set needs a path and a value", None),
        (".=1", ".", "matches nothing", None),
    ],
)  # fmt: skip
def test_what_matches_nothing(argument: str, marked: str, words: str, hint: str | None) -> None:
    found, shown = refused(argument)
    assert found.code == "R107" and shown == marked and words in found.message
    if hint:
        assert found.help == hint
    assert not found.fix, "an argument cannot be mended in a file"


def test_a_profile_that_is_not_there() -> None:
    found, shown = refused(profile="smok")
    assert found.code == "R107" and shown == "profiles"
    assert found.message == "no profile 'smok' (1: smoke)"
    assert found.help == "did you mean `--profile smoke`?"


def test_a_typed_value_is_known_as_typed() -> None:
    done = laid("sources.web.path=../a.jsonl", "mix.total=3k tokens", profile="smoke")
    path = find(done.document, ("sources", "web", "path"))
    limit = find(done.document, ("sources", "web", "limit"))
    assert path and limit
    assert (path.span.file, limit.span.file) == ("--set 1", "recipe.yaml")
    text = done.files[path.span.file]
    assert text[path.span.start : path.span.end] == "../a.jsonl"


def test_a_wrong_value_is_shown_where_it_was_typed() -> None:
    done = laid("mix.min_human=many")
    (found,) = check_shape(done.document, CATALOG)
    assert render(Report((found,), {"recipe.yaml": GOOD, **done.files})) == (
        'error[S005]: min_human: expected a share like 50% or 0.5, got "many"\n'
        "  --> --set:1:15\n"
        "   |\n"
        " 1 | mix.min_human=many\n"
        "   |               ^^^^\n"
        "\n"
        "1 error"
    )


def test_bad_yaml_after_set() -> None:
    found, shown = refused("models.writer=[a")
    assert found.code == "S001" and shown == "["


def test_profiles_that_were_not_chosen_are_checked_too() -> None:
    text = GOOD + "  big: { mix.total: 1k, sources.wbe.limit: 2, models.writer: local/y }\n"
    document = recipe(text)
    assert not check_shape(document, CATALOG)
    found = check_profiles(document, CATALOG)
    assert [(d.code, text[d.span.start : d.span.end]) for d in found if d.span] == [
        ("S005", "1k"),
        ("R107", "wbe"),
    ]
    (fix,) = found[1].fix
    assert text[: fix.span.start] + "web" + text[fix.span.end :] == text.replace("wbe", "web")
    assert check_profiles(document, CATALOG, "big") == ()
