"""The shape of a recipe: each mistake one diagnostic, at its place, in the user's words."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mashbill.compiler.diagnostics import Diagnostic, Report
from mashbill.compiler.document import Map, Scalar, parse_document, walk
from mashbill.compiler.render import render
from mashbill.compiler.shape import check_shape

from .operators import CATALOG, GOOD


def check(text: str) -> tuple[Diagnostic, ...]:
    node, diagnostics = parse_document(text, "r.yaml")
    return (*diagnostics, *(check_shape(node, CATALOG) if node is not None else ()))


def test_a_right_recipe_says_nothing() -> None:
    assert check(GOOD) == ()


# What is written instead, the code, the characters marked, and words of the message.
MISTAKES = [
    ("temperature: 0.6", "temprature: 0.6", "S002", "temprature",
     "unknown key 'temprature' in sampling; did you mean 'temperature'?"),
    ("model: writer", "modle: writer", "S002", "modle", "did you mean 'model'?"),
    ("op: filter", "opp: filter", "S002", "opp", "did you mean 'op'?"),
    ("mix:\n", "mxi:\n", "S002", "mxi", "unknown key 'mxi' in the recipe"),
    ("seed: 7", "retention: 7d", "S002", "retention", "unknown key 'retention' in the recipe"),
    ("concurrency: 4", "threads: 4", "S002", "threads", "unknown key 'threads' in placement"),
    ("shard: 256MB", "pth: x", "S002", "pth", "'path' is there already"),
    ("max: 1.6", "most: 1.6", "S002", "most", "unknown key 'most' in check 'short'"),
    ("min_human: 50%", "max_epochs: 4", "S003", "max_epochs",
     "'max_epochs' belongs under mix.parts.NAME, not in mix"),
    ("overlong: reject", "keep: x", "S003", "keep",
     "'keep' belongs in steps with op: filter, not in step 'book'"),
    ("overlong: reject", "license: x", "S003", "license",
     "'license' belongs at the top level or under sources.NAME"),
    ("samples: 2", 'samples: "eight"', "S005", '"eight"',
     'samples must be an integer, got "eight"'),
    ("samples: 2", "samples: 2.0", "S005", "2.0", "samples must be an integer, got 2.0"),
    ("samples: 2", "samples: true", "S005", "true", "samples must be an integer, got true"),
    ("samples: 2", "samples: = 2", "S005", "= 2", 'samples must be an integer, got "= 2"'),
    ("samples: 2", "samples:", "S005", "samples", "samples must be an integer, got nothing"),
    ("temperature: 0.6", "temperature: 9", "S005", "9", "temperature must be at most 5, got 9"),
    ("temperature: 0.6", "temperature: -1", "S005", "-1", "temperature must be at least 0, got -1"),
    ("limit: 9", "limit: 0", "S005", "0", "limit must be at least 1, got 0"),
    ("version: 0.3.0", "version: 0.3", "S005", "0.3", "version must be text, got 0.3"),
    ("on_shortfall: shrink", "on_shortfall: shrnk", "S005", "shrnk",
     'on_shortfall must be error, reweight, repeat or shrink, got "shrnk"'),
    ("origin: human", "origin: web", "S005", "web", "origin must be human, synthetic or mixed"),
    ("total: 2M tokens", "total: 2M", "S005", "2M", "expected a number of tokens"),
    ("shard: 256MB", "shard: 256", "S005", "256", "which has no unit"),
    ("pages: 50%", "pages: 50", "S005", "50", "at most 1 or 100%"),
    ("weight: 0.5", "weight: half", "S005", "half", "expected a share like 50% or 0.5"),
    ("from: web", "from: [web, 3]", "S005", "3", "an item of from must be text, got 3"),
    ("from: web", "from: []", "S005", "from", "from is empty"),
    ("from: web", "from: a.b.c", "S005", "a.b.c", "from must be the name of a step or source"),
    ("local/smollm2-135m", "smollm", "S005", "smollm", "writer must be engine/model"),
    ("facts: {}, ", "facts: , ", "S005", "facts", "facts must be a map, got nothing"),
    ("retry: 3", "retry: often", "S005", "often", "retry must be an integer or a map"),
    ("{ fallback: input }", "fallback", "S005", "fallback", "an item of on_fail must be route,"),
    ("{ fallback: input }", "reject, route", "S005", "route", "nothing after 'reject'"),
    ("{ retry: 3 }", "{ retry: 3, fallback: input }", "S005", "{ retry: 3, fallback: input }",
     "a rung has one key"),
    ("mashbill: 1", "mashbill: 2", "S008", "2", "format 2 needs a later mashbill"),
    ("mashbill: 1", "mashbill: '1'", "S008", "'1'", "mashbill is the version of the format"),
    ("op: filter", "op: filtr", "S010", "filtr", "unknown op 'filtr'"),
    ("facts: {}", "factz: {}", "S010", "factz", "unknown check 'factz'"),
    ("kind: length", "kind: lenght", "S010", "lenght", "unknown check 'lenght'"),
    ("for: [facts]", "for: [shrt]", "S010", "shrt", "unknown check 'shrt'"),
    ("local/", "lokal/", "S010", "lokal", "unknown engine 'lokal'"),
    ("mashbill: 1\n", "", "S011", "name", "the recipe needs mashbill"),
    ("license: ODC-By-1.0, origin: human, ", "", "S011", "web",
     "source 'web' needs license and origin"),
    ("op: filter, ", "", "S011", "pages", "step 'pages' needs op"),
    ("from: web, ", "", "S011", "pages", "step 'pages' needs from"),
    (", max: 60 tokens", "", "S011", "chunk", "chunk needs max"),
    ("times: 1, ", "", "S011", "retry", "retry needs times"),
    ("  pages: {", "  Pages: {", "S012", "Pages", "'Pages' cannot be a name"),
    ("name: textbook_web", "name: Web", "S012", "Web", "'Web' cannot be a name"),
    ("  pages: {", "  'on': {", "S012", "'on'", "a boolean to some YAML readers"),
    ("rank: 1", "_rank: 1", "S012", "_rank", "belong to Mashbill"),
    ("${JUDGE_KEY}", "sk-123456", "G704", "sk-123456", "the key of model 'judge' is written out"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("right", "wrong", "code", "marked", "words"), MISTAKES, ids=[m[1] or m[0] for m in MISTAKES]
)
def test_one_mistake_one_diagnostic(
    right: str, wrong: str, code: str, marked: str, words: str
) -> None:
    assert right in GOOD
    text = GOOD.replace(right, wrong, 1)
    (found,) = check(text)
    assert found.code == code and found.span
    assert text[found.span.start : found.span.end] == marked
    assert words in found.message
    at = GOOD.index(right)
    assert at - 250 <= found.span.start <= at + len(wrong)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [(r, w) for r, w, code, _, words in MISTAKES if "did you mean" in words or code == "S010"],
)
def test_the_fix_of_a_slip_gives_the_recipe_back(right: str, wrong: str) -> None:
    text = GOOD.replace(right, wrong, 1)
    (found,) = check(text)
    (edit,) = found.fix
    assert text[: edit.span.start] + edit.replacement + text[edit.span.end :] == GOOD or not check(
        text[: edit.span.start] + edit.replacement + text[edit.span.end :]
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [("", "the recipe is empty"), ("- a\n", "got a list"), ("hello\n", 'got "hello"')],
)
def test_what_is_no_recipe(text: str, words: str) -> None:
    (found,) = check(text)
    assert found.code == "S001" and words in found.message


def test_all_mistakes_in_one_pass() -> None:
    text = GOOD
    wanted = []
    for right, wrong, code, _, _ in MISTAKES:
        if code in ("S002", "S005", "S010") and right in text and right not in ("mix:\n",):
            text = text.replace(right, wrong, 1)
            wanted.append(code)
    found = check(text)
    assert len(found) >= len(wanted) * 0.8
    assert [d.span for d in found] == sorted(d.span for d in found if d.span)


def test_an_ambiguous_scalar_is_complained_of_once() -> None:
    (found,) = check(GOOD.replace("samples: 2", "samples: no"))
    assert found.code == "S006"


def keys() -> list[tuple[int, int]]:
    """The places of all keys of the format in `GOOD`; names that a user chooses are left out."""
    node, _ = parse_document(GOOD, "r.yaml")
    assert node is not None
    chosen = ("models", "sources", "steps", "profiles", "mix.parts", "columns", "set", "checks")
    found = []
    for path, inner in walk(node):
        where = ".".join(map(str, path))
        if isinstance(inner, Map) and not where.endswith(chosen) and "profiles" not in path:
            found += [(k.span.start, k.span.end) for k, _ in inner.entries]
    return found


@pytest.mark.parametrize("place", keys(), ids=lambda p: GOOD[p[0] : p[1]])
@pytest.mark.parametrize("slip", ["drop", "double", "swap"])
def test_every_mistyped_key_is_found_on_its_line(place: tuple[int, int], slip: str) -> None:
    start, end = place
    word = GOOD[start:end]
    middle = len(word) // 2
    wrong = {
        "drop": word[:middle] + word[middle + 1 :],
        "double": word[:middle] + word[middle] + word[middle:],
        "swap": word[: middle - 1] + word[middle] + word[middle - 1] + word[middle + 1 :],
    }[slip]
    if wrong == word:
        return
    text = GOOD[:start] + wrong + GOOD[end:]
    found = check(text)
    lines = {text.count("\n", 0, d.span.start) for d in found if d.span}
    assert text.count("\n", 0, start) in lines or word == "mashbill"


@pytest.mark.parametrize("value", ["[]", "{}", "[[1]]", "{ a: 1 }", "~", "3.5", "-1", "true", "x"])
def test_no_value_anywhere_makes_it_stumble(value: str) -> None:
    node, _ = parse_document(GOOD, "r.yaml")
    assert node is not None
    for path, inner in walk(node):
        if path and (isinstance(inner, Scalar) or inner.span.end - inner.span.start < 200):
            text = GOOD[: inner.span.start] + value + GOOD[inner.span.end :]
            found = check(text)
            render(Report(found, {"r.yaml": text}))


PIECES = st.sampled_from([*"{}[]:,-\n ", ": ", "op", "from", "checks", "on_fail", "retry", "~"])
EDITS = st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 12), PIECES), max_size=5)


@settings(max_examples=200, deadline=None)
@given(EDITS)
def test_no_edit_makes_it_stumble(edits: list[tuple[int, int, str]]) -> None:
    text = GOOD
    for at, length, new in edits:
        text = text[: at % len(text)] + new + text[at % len(text) + length :]
    found = check(text)
    assert all(d.span and 0 <= d.span.start <= d.span.end <= len(text) for d in found)
    render(Report(found, {"r.yaml": text}))


def test_a_right_recipe_needs_no_validator() -> None:
    """jsonschema takes a tenth of a second to import; only mistakes are worth that."""
    code = (
        "import sys; sys.path.insert(0, 'tests')\n"
        "from front.test_shape import check, GOOD\n"
        "sys.modules.pop('jsonschema', None)\n"
        "assert check(GOOD) == ()\n"
        "assert 'jsonschema' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
