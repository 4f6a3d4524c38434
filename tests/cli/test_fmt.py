"""`mashbill fmt`: one layout, nothing lost, nothing said anew."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mashbill.compiler.compile import compile_recipe
from mashbill.compiler.document import parse_document, plain
from mashbill.compiler.layout.canonical import format_recipe
from mashbill.compiler.world import Pins
from mashbill.runtime.catalog import load_catalog
from mashbill.runtime.cli import command
from mashbill.runtime.project import find_project
from mashbill.runtime.starter import TEMPLATES, find_starters, write_starter

ROOT = Path(__file__).resolve().parents[2]
FORMAT = Path("/work/shared/design/format.md")
CATALOG = load_catalog()
RECIPES = sorted(
    p
    for folder in ("recipes/*", "examples/*", "runtime/templates/*")
    for p in ROOT.glob(f"{folder}/recipe.yaml")
)


def formatted(text: str) -> str:
    found = format_recipe(text, CATALOG)
    assert not found.diagnostics
    return found.text


def says(text: str) -> Any:
    document, problems = parse_document(text, "recipe.yaml")
    assert document is not None and not problems, problems
    return plain(document)


def digest(text: str, recipe: Path) -> str:
    project = find_project(recipe)
    compiled = compile_recipe(text, "recipe.yaml", CATALOG, project, pins=Pins())
    assert compiled.plan is not None, str(compiled.report)
    return compiled.plan.digest


# -- layouts of one document: what the tests turn recipes into


class Scribe:
    """Writes a document in some layout of its own, with a numbered comment wherever one may be."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.comments = 0
        self.step = self.random.choice([1, 2, 3, 4])

    def comment(self) -> str:
        self.comments += 1
        return f"# note {self.comments};"

    def write(self, value: dict[str, Any]) -> str:
        return "\n".join([*self.above(0), *self.map(value, 0), *self.above(0)]) + "\n"

    def above(self, indent: int) -> list[str]:
        made = []
        while self.random.random() < 0.2:
            made += [""] * self.random.choice([0, 0, 1, 3])
            made.append(" " * indent + self.comment())
        return made + [""] * self.random.choice([0, 0, 0, 1, 2])

    def tail(self) -> str:
        blanks = " " * self.random.choice([1, 2, 9])
        return blanks + self.comment() if self.random.random() < 0.25 else ""

    def map(self, value: dict[str, Any], indent: int) -> list[str]:
        made = []
        names = list(value)
        if not self.keeps_order(names):
            self.random.shuffle(names)
        for name in names:
            made += self.above(indent)
            key = " " * indent + self.key(name) + ":"
            made += self.value(key, value[name], indent)
        if self.random.random() < 0.1:
            made.append(" " * indent + self.comment())
        return made

    def keeps_order(self, names: list[str]) -> bool:
        """Names that are the user's keep their order in what is compared as text."""
        return not {"op", "mashbill", "path", "use"} & set(names)

    def list(self, value: list[Any], indent: int) -> list[str]:
        made = []
        for item in value:
            made += self.above(indent)
            dash = " " * indent + "-"
            if isinstance(item, dict) and item and self.random.random() < 0.5:
                inner = self.map(item, indent + 2)
                while not inner[0].strip() or inner[0].lstrip().startswith("#"):
                    made.append(inner.pop(0))
                made += [dash + inner[0][indent + 1 :], *inner[1:]]
            else:
                made += self.value(dash, item, indent)
        return made

    def value(self, head: str, value: Any, indent: int) -> list[str]:
        inner = indent + self.step
        if isinstance(value, dict | list) and value and self.random.random() < 0.6:
            below = self.map(value, inner) if isinstance(value, dict) else self.list(value, inner)
            return [head + self.tail(), *below]
        if isinstance(value, dict | list):
            if self.random.random() < 0.7:
                return [f"{head} {self.flow(value)}{self.tail()}"]
            return [head + self.tail(), f"{' ' * inner}{self.flow(value)}{self.tail()}"]
        plain = isinstance(value, str) and "\n" not in value and value[:1] not in ("", " ")
        if plain and self.random.random() < 0.2:
            mark = self.random.choice(["|-", ">-"])
            return [f"{head} {mark}{self.tail()}", " " * inner + value]
        if isinstance(value, str) and re.fullmatch(r"\w+(?: \w+)+\.?", value):
            first, *rest = value.split(" ")
            return [f"{head} {first}", *(" " * inner + word for word in rest[:-1]),
                    f"{' ' * inner}{rest[-1]}{self.tail()}"]  # fmt: skip
        return [f"{head} {self.scalar(value)}{self.tail()}"]

    def flow(self, value: Any) -> str:
        gap = self.random.choice(["", " "])
        if isinstance(value, dict):
            body = f",{gap}".join(f"{self.key(k)}: {self.flow(v)}" for k, v in value.items())
            return f"{{{gap}{body}{gap}}}"
        if isinstance(value, list):
            return f"[{gap}{f',{gap}'.join(self.flow(v) for v in value)}{gap}]"
        return self.scalar(value)

    def key(self, name: str) -> str:
        return self.random.choice([name, name, f"'{name}'", json.dumps(name)])

    def scalar(self, value: Any) -> str:
        if not isinstance(value, str):
            return json.dumps(value)
        single = "'" + value.replace("'", "''") + "'"
        return self.random.choice([single, json.dumps(value, ensure_ascii=False)])


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda p: p.parent.name)
def test_a_shipped_recipe_in_any_layout(recipe: Path, tmp_path: Path) -> None:
    text = recipe.read_text("utf-8")
    if recipe.is_relative_to(TEMPLATES):  # its rows are shared
        for _ in write_starter(find_starters()[recipe.parent.name], tmp_path, ""):
            recipe = tmp_path / "recipe.yaml"
    want, same = says(text), digest(text, recipe)
    assert digest(formatted(text), recipe) == same
    for seed in range(25):
        scribe = Scribe(seed)
        written = scribe.write(want)
        assert says(written) == want, f"the test's own layout is wrong:\n{written}"
        made = formatted(written)
        assert formatted(made) == made, written
        assert says(made) == want
        found = re.findall(r"# note \d+;", made)
        assert sorted(found) == sorted(f"# note {i + 1};" for i in range(scribe.comments))
        if seed < 8:
            assert digest(made, recipe) == same


def blocks() -> list[str]:
    if not FORMAT.exists():
        return []
    found = re.findall(r"```yaml\n(.*?)```", FORMAT.read_text("utf-8"), re.DOTALL)
    return [b for b in found if not parse_document(b, "r.yaml")[1]]


@pytest.mark.skipif(not FORMAT.exists(), reason="the design is not on this machine")
@pytest.mark.parametrize("at", range(len(blocks())))
def test_the_blocks_of_the_design(at: int) -> None:
    text = blocks()[at]
    made = formatted(text)
    assert says(made) == says(text) and formatted(made) == made
    assert sorted(re.findall(r"#.*", made)) == sorted(re.findall(r"#.*", text))
    for seed in range(10):
        again = formatted(Scribe(seed).write(says(text)))
        assert formatted(again) == again and says(again) == says(text)


def strewn(text: str, seed: int) -> str:
    """A text with comments on lines of their own anywhere but in blocks, and blank lines."""
    rng, made, count, block = random.Random(seed), [], 0, -1
    for line in text.split("\n"):
        indent = len(line) - len(line.lstrip())
        inside = indent > block >= 0  # a line of a block scalar is text, whatever it begins with
        block = block if inside else indent if line.endswith((">-", "|")) else -1
        while not inside and rng.random() < 0.25:
            count += 1
            made.append(rng.choice(["", f"{' ' * rng.randint(0, 9)}# here {count};"]))
        made.append(line)
    return "\n".join(made)


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda p: p.parent.name)
def test_comments_anywhere(recipe: Path) -> None:
    text = recipe.read_text("utf-8")
    for seed in range(25):
        written = strewn(text, seed)
        made = formatted(written)
        assert formatted(made) == made and says(made) == says(text)
        assert sorted(re.findall("# here .*;", made)) == sorted(re.findall("# here .*;", written))
        assert "\n\n\n" not in made and made.endswith("\n") and not made.endswith("\n\n")


WORDS = st.sampled_from(
    [
        *("a", "b7", "no", "1.0", "null", "x y", " led", "it's", '"q"', "a: b", "a #b", "# c"),
        *("- d", "{e}", "[f", "\\d+", "= g", "*h", "tab\there", "l\nm", "n\n", "\no\n\n", "  p\nq"),
        *("é", "", "🙂", "0x1", "~", "%r", "@s", "`t", "!u", "v:", "<<", "---", "?", "2026-11-22"),
    ]
)
LEAVES = WORDS | st.integers(-9, 9) | st.booleans() | st.none() | st.floats(0, 2)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(WORDS, TREES, min_size=1, max_size=4), st.integers(0, 1 << 16))
def test_any_map_in_any_layout(value: dict[str, Any], seed: int) -> None:
    scribe = Scribe(seed)
    scribe.key = json.dumps  # type: ignore[assignment]
    written = scribe.write(value)
    document, problems = parse_document(written, "r.yaml")
    if document is None or problems:
        return
    made = formatted(written)
    assert says(made) == plain(document)
    assert formatted(made) == made


# -- what it does, place by place

PAIRS = {
    "keys of fixed places, in the schema's order; an unknown one follows its neighbour": (
        "sources:\n  d: { origin: human, path: d, nope: 1, license: MIT }\nname: r\nmashbill: 1\n",
        "mashbill: 1\nname: r\nsources:\n  d: { path: d, nope: 1, license: MIT, origin: human }\n",
    ),
    "names that the user chose keep their order": (
        "mashbill: 1\nsteps:\n  b: { from: a, op: filter }\n  a: { op: filter, from: d }\n",
        "mashbill: 1\nsteps:\n  b: { op: filter, from: a }\n  a: { op: filter, from: d }\n",
    ),
    "the parameters of an operator and of a check": (
        "steps:\n  b:\n    prompt: p\n    model: m\n"
        "    checks: { l: { max: 2, min: 1, kind: length } }\n"
        "    from: a\n    op: rewrite\n",
        "steps:\n  b:\n    op: rewrite\n    from: a\n    model: m\n    prompt: p\n"
        "    checks: { l: { kind: length, min: 1, max: 2 } }\n",
    ),
    "a comment goes with its line, one above with what is below": (
        "name: r # the name\n# the version\nmashbill: 1\n",
        "# the version\nmashbill: 1\nname: r # the name\n".replace("r #", "r  #"),
    ),
    "the head of the file stays there": (
        "# head\n\nname: r\nmashbill: 1\n",
        "# head\n\nmashbill: 1\nname: r\n",
    ),
    "a comment at the end of a block stays in the block": (
        "steps:\n    a: 1\n    # b: 2\n\n\n\nmix: 3\n",
        "steps:\n  a: 1\n  # b: 2\n\nmix: 3\n",
    ),
    "brackets that hold a comment are opened": (
        "name: r\nmix: { # why\n  parts: 2, # two\n  total: 1 }\n",
        "name: r\nmix:   # why\n  total: 1\n  parts: 2  # two\n",
    ),
    "brackets over several lines are closed where they fit": (
        "name: [\n  1,\n  2,\n]\nmix: {a: 1,b:   [ 3 ]}\n",
        "name: [1, 2]\nmix: { a: 1, b: [3] }\n",
    ),
    "brackets that do not fit are opened": (
        f"name: [{', '.join(['twenty_characters_abc'] * 5)}]\n",
        "name:\n" + "  - twenty_characters_abc\n" * 5,
    ),
    "quotes: none around a word, single ones else, double ones around single ones": (
        'name: "r"\n"about": "one: two"\nversion: "1.0"\nlicense: \'it\'\'s\'\nseed: "a\\tb"\n',
        "name: r\nabout: 'one: two'\nversion: '1.0'\nlicense: \"it's\"\nseed: \"a\\tb\"\n",
    ),
    "words that other readers take for something else keep their quotes": (
        'a: "no"\nb: "null"\nc: "1_000"\n"on": 1\n',
        "a: 'no'\nb: 'null'\nc: '1_000'\n'on': 1\n",
    ),
    "text over several lines keeps its lines": (
        "about: one\n      two\n\n      three\nname:\n    'a\n    b'\n",
        "name: 'a\n  b'\nabout: one\n  two\n\n  three\n",
    ),
    "blocks move with their key": (
        "x:\n      a: |  # why\n          one\n\n            two\n"
        "      b: >+\n        three\n\n\n      c: 1\n",
        "x:\n  a: |      # why\n    one\n\n      two\n  b: >+\n    three\n\n\n  c: 1\n",
    ),
    "lists": (
        "x:\n- a\n-   - b\n    - c\n-   # why\n    d: 1\n    e: 2\n-\n- []\n",
        "x:\n  - a\n  - - b\n    - c\n  # why\n  - d: 1\n    e: 2\n  -\n  - []\n",
    ),
    "comments keep their column where the lines leave room": (
        "name: r            # one\nmix:               # two\n  a:   1           # three\n",
        "name: r            # one\nmix:               # two\n  a: 1             # three\n",
    ),
    "line ends, byte order mark, document mark": (
        "\ufeff---\r\nname: r\r\nmashbill: 1   \r\n\r\n",
        "mashbill: 1\r\nname: r\r\n",
    ),
}


@pytest.mark.parametrize("what", PAIRS)
def test_layout(what: str) -> None:
    before, after = PAIRS[what]
    assert formatted(before) == after
    assert formatted(after) == after


# -- the command


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "recipe.yaml").write_text("name: r   # one\nmashbill: 1\n")
    return tmp_path


def test_it_writes_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["fmt"]) == 0
    assert capsys.readouterr().out == "formatted recipe.yaml\n"
    assert (folder / "recipe.yaml").read_text() == "mashbill: 1\nname: r   # one\n"
    assert command(["fmt"]) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("how", ["--check", "--diff"])
def test_it_only_says_what_it_would_do(
    folder: Path, capsys: pytest.CaptureFixture[str], how: str
) -> None:
    before = (folder / "recipe.yaml").read_text()
    assert command(["fmt", how]) == 1
    out = capsys.readouterr().out
    assert "mashbill fmt recipe.yaml" in out if how == "--check" else "+mashbill: 1" in out
    assert (folder / "recipe.yaml").read_text() == before
    assert command(["fmt"]) == 0 and command(["fmt", how]) == 0


def test_several_recipes_and_one_with_errors(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "sub").mkdir()
    (folder / "sub" / "recipe.yaml").write_text("b: 1\nb: 2\n")
    (folder / "other.yaml").write_text("name: 'other'\n")
    assert command(["fmt", "sub", "other.yaml", "."]) == 1
    seen = capsys.readouterr()
    assert "S004" in seen.err and "sub/recipe.yaml is left as it is" in seen.err
    assert seen.out == "formatted other.yaml\nformatted recipe.yaml\n"
    assert (folder / "sub" / "recipe.yaml").read_text() == "b: 1\nb: 2\n"
    assert (folder / "other.yaml").read_text() == "name: other\n"


def test_a_file_that_is_no_recipe_is_left_alone(folder: Path) -> None:
    for data in (b"", b"- a\n-  b\n", b"just text\n", b"# nothing\n", b"\xff\xfe"):
        (folder / "recipe.yaml").write_bytes(data)
        command(["fmt"])
        assert (folder / "recipe.yaml").read_bytes() == data


def test_standard_input(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import io

    monkeypatch.setattr("sys.stdin", io.StringIO("name: r\nmashbill:   1\n"))
    assert command(["fmt", "-"]) == 0
    assert capsys.readouterr().out == "mashbill: 1\nname: r\n"
