"""Inputs that nobody would write: a standing sample of them, and those that once broke something.

`make bench NAME=fuzz` runs as many as one likes.
"""

from __future__ import annotations

import cProfile
import pstats
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from mashbill.compiler.bind import MOST_CYCLES
from mashbill.compiler.compile import Compiled
from mashbill.compiler.diagnostics import Diagnostic, Edit, Label, Report, Span
from mashbill.compiler.render import PLACES, render

from .benchmarks.compile_speed import generated
from .benchmarks.fuzzing.case import RECIPE, Case
from .benchmarks.fuzzing.cases import TARGETS, case_of, on_disk, valid
from .benchmarks.fuzzing.expressions import FILES, SOUND, place
from .benchmarks.fuzzing.oracle import Fault, compile_case, judge, renders, spans_in_range
from .benchmarks.fuzzing.shrink import shrink

SAMPLE = 40

SMALL = """\
mashbill: 1
name: small
models: { writer: fake/words }
sources: { docs: { path: docs.jsonl, license: CC0-1.0, origin: human } }
steps:
  said:
    op: generate
    from: docs
    model: writer
    prompt: prompts/say.md.j2
    checks: { length: { min: 0.5 } }
profiles:
  more: { steps.said.samples: 2 }
"""
PROMPT = FILES["prompts/say.md.j2"]


def small(recipe: str = SMALL, prompt: str = PROMPT, **more: object) -> Case:
    files = {RECIPE: recipe, **FILES, "prompts/say.md.j2": prompt}
    return replace(Case("yaml", "small", files), **more)  # type: ignore[arg-type]


REGRESSIONS: Mapping[str, Case] = {
    "an argument of several lines is told in one": small(sets=("%YAML 1.1\n",)),
    "an expression that gives no text is not put in quotes": small(
        SMALL.replace("models:", "params: { n: 8 }\nmodels:").replace(
            "license: CC0", "columns: { a: =params.n }, license: CC0"
        )
    ),
    "a model of several lines is told in one": small(
        SMALL.replace("model: writer", 'model: "wri\\nter"')
    ),
    "a share of several lines is told in one": small(SMALL.replace("0.5", '"\\n\\n"')),
    "a fix ends behind an escape": small(place(['(d if t else d and null == "")', *SOUND[1:]])),
    "a fix ends behind a doubled quote": small(place(["not (null == '')", *SOUND[1:]], 1)),
    "a ladder of a profile counts nothing": small(
        SMALL.replace("steps.said.samples: 2", "steps.said.on_fail: [ { retry: }, { } ]"),
        profile="more",
    ),
    "an empty block is formatted once": small(f"{SMALL}about: >\n"),
    "a block begins with a break of YAML 1.1": small(f"{SMALL}about: >\u2028 e\n"),
    "a break of YAML 1.1 in a block": small(f"{SMALL}about: |\n  a\u2028  b\n  c\x85d\n"),
    "blanks around the dot of a filter": small(
        prompt=PROMPT.replace("{{ text }}", "{{ text | int .a }}")
    ),
    "a tag that ends with the file": small(prompt=PROMPT + "{%for"),
    "a name that would break the braces it is put in": small(
        SMALL.replace("from: docs", "from: doks").replace("docs: {", "do}ks: {")
    ),
    "a comment with a break of YAML 1.1": small(f"{SMALL}about: a # b\u2028-\n"),
    "a number in hexadecimal": small(prompt=PROMPT.replace("{{ text }}", "{{ text[0x1F] }}")),
    "blanks around the dot of a test": small(
        prompt=PROMPT.replace("{{ text }}", "{{ 'a' if text is a .b else '' }}")
    ),
}


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return on_disk(tmp_path_factory.mktemp("bases"))


@pytest.mark.parametrize("name", REGRESSIONS)
def test_what_once_broke(name: str) -> None:
    verdict = judge(REGRESSIONS[name])
    assert not verdict.fault, verdict.story


@pytest.mark.parametrize("target", TARGETS)
def test_a_sample(target: str, disk: dict[str, Path]) -> None:
    read = 0
    for seed in range(SAMPLE):
        case, expressions = case_of(target, seed, disk)
        verdict = judge(case, expressions)
        assert not verdict.fault, f"{target}:{seed}\n{verdict.story}"
        read += verdict.parsed
    assert read >= SAMPLE / 2, "too few get past parsing to test anything"


def test_what_is_mutated_is_sound() -> None:
    assert len(valid()) >= 9
    found = [Case("yaml", base.name, base.files) for base in valid()]
    for case in (small(), small(place(SOUND)), *found):
        compiled = compile_case(case)
        assert compiled.plan is not None, str(compiled.report)


def test_a_case_is_the_same_again(disk: dict[str, Path]) -> None:
    for target in TARGETS:
        assert case_of(target, 7, disk) == case_of(target, 7, disk)
        assert case_of(target, 7, disk) != case_of(target, 8, disk)


@pytest.mark.parametrize(
    "wrong",
    [
        Diagnostic("S001", "two\nlines"),
        Diagnostic("S001", "outside", Span(RECIPE, 0, 10_000)),
        Diagnostic("S001", "backwards", Span(RECIPE, 3, 2)),
        Diagnostic("S001", "of no file", Span("nowhere", 0, 0)),
        Diagnostic("S001", "a fix outside", fix=(Edit(Span(RECIPE, -1, 2), ""),)),
    ],
    ids=lambda d: d.message.replace("\n", " "),
)
def test_the_judge_sees(wrong: Diagnostic) -> None:
    with pytest.raises(Fault):
        spans_in_range(small(), Compiled(Report((wrong,), {RECIPE: SMALL})))


def test_the_judge_lets_no_text_steer_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    from .benchmarks.fuzzing import oracle

    monkeypatch.setattr(oracle, "render", lambda report, **how: "a\x1b]0;b")
    with pytest.raises(Fault):
        renders(small(), Compiled(Report()))


def test_a_hang_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    from .benchmarks.fuzzing import oracle

    def hang(case: Case, compiled: Compiled) -> None:
        while True:
            pass

    monkeypatch.setattr(oracle, "RULES", (hang,))
    assert judge(small(), seconds=0.05).fault.startswith("TooSlow")


def test_a_failing_text_is_made_short() -> None:
    text = "\n".join(f"line {n} of many" for n in range(50)) + "\nthe fault is here\n"
    assert shrink(text, lambda t: "fault" in t) == "fault"


# -- long recipes: work grows as they do. Calls are counted, since seconds depend on the machine.

HEAD = (
    "mashbill: 1\nname: long\nsources:\n  docs: { path: docs.jsonl, license: MIT, origin: human }\n"
)
STEP = "{{ op: filter, from: {0}, keep: words(text) > 1 }}"


def steps(lines: Callable[[int], str], many: int, rest: str = "") -> str:
    return f"{HEAD}{rest}steps:\n" + "".join(f"  {lines(n)}\n" for n in range(many))


def a_pair(n: int) -> str:
    one, other = (STEP.format(name) for name in (f"b{n}", f"a{n}"))
    return f"a{n}: {one}\n  b{n}: {other}"


LONG: Mapping[str, Callable[[int], str]] = {
    "steps that nothing reads": lambda many: steps(lambda n: f"a{n}: {STEP.format('docs')}", many),
    "names that lead nowhere": lambda many: steps(
        lambda n: f"step{n}: {STEP.format(f'stpe{n}x')}", many
    ),
    "cycles": lambda many: steps(a_pair, many // 2),
    "comments": lambda many: steps(
        lambda n: f"a: {STEP.format('docs')}", 1, "# mashbill: allow C501\n" * many
    ),
    "comments behind steps": lambda many: steps(
        lambda n: f"a{n}: {STEP.format('docs')} # mashbill: allow C501", many
    ),
    "parameters": lambda many: steps(
        lambda n: f"a{n}: {{ op: filter, from: docs, limit: = params.p{n} }}",
        many,
        f"params: {{ {', '.join(f'p{n}: 1' for n in range(many))} }}\n",
    ),
    "one union": lambda many: steps(lambda n: f"a{n}: {STEP.format('docs')}", many)
    + f"  all: {STEP.format('[' + ', '.join(f'a{n}' for n in range(many)) + ']')}\n",
}  # fmt: skip


def calls(recipe: Mapping[str, str]) -> int:
    profile = cProfile.Profile()
    profile.runcall(compile_case, Case("yaml", "long", recipe))
    return pstats.Stats(profile).total_calls  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", LONG)
def test_work_grows_with_length(name: str) -> None:
    short, long = (calls({RECIPE: LONG[name](many), "docs.jsonl": ""}) for many in (150, 600))
    assert long < 5.5 * short


def test_work_of_a_generated_recipe_grows_with_its_steps() -> None:
    compile_case(Case("yaml", "warm", generated(44)))
    short, long = calls(generated(104)), calls(generated(404))
    assert long < 4.4 * short


def test_guesses_end_where_hundreds_of_names_lead_nowhere() -> None:
    recipe = LONG["names that lead nowhere"](600)
    report = compile_case(Case("yaml", "long", {RECIPE: recipe, "docs.jsonl": ""})).report
    found = [d for d in report.diagnostics if d.code == "R101"]
    assert len(found) == 600
    assert found[0].help and found[-1].help is None


def test_so_many_cycles_are_told() -> None:
    report = compile_case(Case("yaml", "long", {RECIPE: LONG["cycles"](300)})).report
    assert [d.code for d in report.errors].count("R102") == MOST_CYCLES


def test_further_places_are_counted() -> None:
    places = tuple(Label(Span(RECIPE, n, n + 1), "here") for n in range(PLACES + 3))
    d = Diagnostic("R101", "many", Span(RECIPE, 0, 1), secondary=places)
    text = render(Report((d,), {RECIPE: SMALL}))
    assert text.count("here") == PLACES
    assert "and 3 more places" in text
