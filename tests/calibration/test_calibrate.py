"""`mashbill calibrate`: as a user types it, on toy rows, on a recipe's checks, with a model."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

import mashbill as mb
from mashbill.runtime.calibration.figures import figures_of
from mashbill.runtime.calibration.judging import judge_all
from mashbill.runtime.calibration.labelled import Example
from mashbill.runtime.checkpool import CheckPool
from mashbill.runtime.checkworker import CheckError, CheckSpec
from mashbill.runtime.cli import command
from mashbill.runtime.verdict import Row, Verdict

SHARED = Path("/work/shared/data")

ROWS = [
    {"text": "Sure, here it is.", "good": False, "error": "meta"},
    {"text": "Sure! The sea.", "good": False, "error": "meta"},
    {"text": "The sea is green.", "good": False, "error": "claim"},
    {"text": "The sea is wide.", "good": True},
    {"text": "Sure enough, the sea is wide.", "good": True},
]


@pytest.fixture(autouse=True)
def checks_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    begin = CheckPool.__init__

    def inline(self: CheckPool, workers: int | None = None, **options: Any) -> None:
        begin(self, 0, **options)

    monkeypatch.setattr(CheckPool, "__init__", inline)


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "toy.jsonl", ROWS)
    return tmp_path


def write(file: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))


def do(*words: str) -> tuple[int, str, str]:
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = command(["calibrate", *words])
    assert "Traceback" not in err.getvalue()
    return code, out.getvalue(), err.getvalue()


def good(*words: str) -> Any:
    code, out, err = do(*words, "--format", "json")
    assert code == 0, err
    return json.loads(out)


REGEX = ("regex", "--data", "toy.jsonl", "--set", "forbid=^Sure")


def test_the_figures_of_a_kind(toy: Path) -> None:
    found = good(*REGEX)
    assert (found["good"], found["bad"], found["label"]) == (2, 3, "good")
    assert (found["phi"]["kept"], found["phi"]["of"]) == (1, 2)
    assert (found["psi"]["kept"], found["psi"]["of"]) == (1, 3)
    assert {k: r["kept"] for k, r in found["psi_by_kind"].items()} == {"meta": 0, "claim": 1}
    assert found["rejected"] == {"forbidden": {"good": 1, "bad": 2}}
    assert [m["row"] for m in found["kept_wrongly"]] == [3]
    assert [m["row"] for m in found["rejected_wrongly"]] == [5]
    assert found["p_star"] == pytest.approx(1 / (1 + (1 / 3) / 0.5))
    assert found["precision"] == pytest.approx(0.5)
    assert good(*REGEX, "--wrong", "10%")["precision"] == pytest.approx(0.45 / (0.45 + 0.1 / 3))


def test_the_text(toy: Path) -> None:
    code, out, _ = do(*REGEX, "-v", "-o", "found.json")
    assert code == 0
    lines = out.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[:2] == ["regex on toy.jsonl", "5 rows: 2 good, 3 bad (good, kinds from error)"]
    assert "φ  good rows kept       1       2   0.500   0.095 to 0.905" in lines
    assert "   meta                 0       2   0.000   0.000 to 0.658" in lines
    assert "rejected: forbidden (2 bad, 1 good)" in lines
    assert any(line.startswith("p* 0.600: up to this share of wrong rows") for line in lines)
    assert "no guarantee for language models" in " ".join(out.split())
    assert "   row 3   labelled claim" in lines
    assert json.loads((toy / "found.json").read_text())["psi"]["kept"] == 1


def test_a_threshold_of_a_parameter(toy: Path) -> None:
    rows = [{"text": "w " * n, "input.text": "w " * 10, "good": n > 4} for n in range(1, 9)] * 5
    write(toy / "long.jsonl", rows)
    found = good("length", "--data", "long.jsonl", "--by", "min=0.1:0.9:0.1", "--precision", "1")
    threshold = found["threshold"]
    assert (threshold["by"], threshold["at"], threshold["met"]) == ("min", 0.5, True)
    assert threshold["held_out"]["precision"] == 1.0
    assert threshold["held_out"]["phi"]["share"] == 1.0
    assert [p["at"] for p in threshold["tried"]] == [i / 10 for i in range(1, 10)]
    found = good("length", "--data", "long.jsonl", "--set", "min=0", "--by", "ratio")
    assert (found["threshold"]["by"], found["threshold"]["at"]) == ("ratio >=", 0.5)
    _, out, _ = do("length", "--data", "long.jsonl", "--by", "ratio>=")
    assert "ratio >= 0.5   of 8 values tried, this keeps most good rows" in out
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("rgex", "--data", "toy.jsonl"), 1, "no check is called rgex; did you mean regex?"),
        (("regex", "--data", "toy.jsonl"), 1, "needs forbid or require; give it: --set NAME=V"),
        (("regex", "--data", "toy.jsonl", "--set", "forbit=x"), 1, "did you mean 'forbid'?"),
        ((*REGEX, "--set", "got=txt"), 1, "--map txt=text"),
        ((*REGEX, "--label", "godo"), 1, "did you mean good?"),
        ((*REGEX, "--map", "text"), 1, "write CHECK_COLUMN=DATA_COLUMN"),
        ((*REGEX, "--precision", "0.9"), 64, "--precision needs --by"),
        ((*REGEX, "--wrong", "300%"), 1, "--wrong 300%: a share is at most"),
        ((*REGEX, "--by", "forbid"), 1, "--by forbid: forbid is no number"),
        ((*REGEX, "--by", "ratio"), 1, "--by ratio: no number among parameters and evidence"),
        (("length", "--data", "toy.jsonl"), 1, "check `length` reads `input.text`, which"),
        (("judge", "--data", "toy.jsonl"), 1, "mashbill calibrate STEP.judge"),
        (("book.facts", "--data", "toy.jsonl"), 1, "no recipe.yaml in this folder"),
        (("regex", "toy", "--data", "toy.jsonl"), 64, "name one check"),
        (("regex", "--data", "none.jsonl"), 1, "No such file"),
    ],
)
def test_what_is_wrong_is_said(toy: Path, words: Sequence[str], code: int, said: str) -> None:
    got, out, err = do(*words)
    assert got == code
    assert said in " ".join((out + err).split())


def test_rows_that_cannot_be_judged_are_no_rejections() -> None:
    async def judge(specs: tuple[CheckSpec, ...], row: Row) -> tuple[Verdict, ...]:
        if row["n"] == 2:
            raise CheckError("check `x` failed: ValueError: no")
        return (Verdict(row["n"] == 0, evidence={"n": row["n"]}),)

    examples = [Example(i + 1, {"n": i}, i == 0, (), str(i)) for i in range(3)]
    done: list[int] = []
    judged = asyncio.run(judge_all(judge, CheckSpec("x", "x"), examples, lambda: done.append(1)))
    figures = figures_of(judged)
    assert [one.kept for one in judged] == [True, False, None]
    assert (figures.psi.of, figures.errors) == (1, {"check `x` failed: ValueError: no": 1})
    assert len(done) == 3


RECIPE = """\
mashbill: 1
name: held
models: { judge: fake/echo }
sources: { docs: { path: docs.jsonl, license: CC0-1.0, origin: human, columns: { mark: mark } } }
steps:
  held: { op: verify, from: docs, checks: { wide: { kind: expr, pass: "contains(text, 'wide')" } } }
  judged:
    op: verify
    from: held
    checks:
      clear: { kind: judge, model: judge, prompt: prompts/judge.md.j2, pass: int(score) >= 4 }
budget: { tokens: 100k }
"""
JUDGE = """\
---
inputs: { text: str, mark: int }
reply: { score: tag }
---
{% block user %}How clear is the text, from 1 to 5? Write the number in <score>.

<text>
{{ text }}
</text>

<score>{{ mark }}</score>{% endblock %}
"""


@pytest.fixture
def recipe(toy: Path) -> Path:
    (toy / "prompts").mkdir()
    (toy / "recipe.yaml").write_text(RECIPE)
    (toy / "prompts/judge.md.j2").write_text(JUDGE)
    write(toy / "docs.jsonl", [{"text": "The sea is wide.", "mark": 5}])
    rows = [{"text": f"Text {i}.", "mark": i % 5 + 1, "good": i % 5 > 2} for i in range(20)]
    write(toy / "marks.jsonl", rows)
    return toy


def test_a_check_of_a_recipe(recipe: Path) -> None:
    found = good("held.wide", "--data", "toy.jsonl")
    assert (found["check"], found["kind"]) == ("held.wide", "expr")
    assert (found["phi"]["kept"], found["psi"]["kept"]) == (2, 0)
    pass_ = "pass=contains(text, 'green')"
    assert good("held.wide", "--data", "toy.jsonl", "--set", pass_)["psi"]["kept"] == 1
    assert mb.load(recipe).calibrate("held.wide", "toy.jsonl").figures.phi.kept == 2
    code, _, err = do("held.wde", "--data", "toy.jsonl")
    assert code == 1 and "did you mean held.wide?" in err
    code, out, _ = do(".", "held.wide", "--data", "toy.jsonl")
    assert code == 0 and out.startswith("held.wide on toy.jsonl")


def test_a_check_that_asks_a_model(recipe: Path) -> None:
    code, out, err = do("judged.clear", "--data", "marks.jsonl", "--by", "score")
    assert code == 0, err
    assert "asks `judge` about 20 rows" in err
    assert "20 calls paid for, 0 from the ledger" in out
    assert "score >= 4   of 5 values tried" in out
    again = good("judged.clear", "--data", "marks.jsonl")
    assert again["calls"] == {"sent": 0, "reused": 20}
    assert (again["phi"]["share"], again["psi"]["share"]) == (1.0, 0.0)


def test_a_cap_of_the_recipe_holds(recipe: Path) -> None:
    text = RECIPE.replace("fake/echo", "{ use: fake/echo, sampling: { max_tokens: 8 } }")
    (recipe / "recipe.yaml").write_text(text.replace("100k", "40"))
    code, _, err = do("judged.clear", "--data", "marks.jsonl")
    assert code == 5, err
    assert "40" in err
    (recipe / "recipe.yaml").write_text(text)
    found = good("judged.clear", "--data", "marks.jsonl")
    assert found["calls"]["reused"] > 0, "what was paid for is kept"


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs the shared data: /work/shared/data")
def test_the_fact_gate_on_real_rewrites() -> None:
    file = str(SHARED / "rewrite_faithfulness_labelled.jsonl.gz")
    found = good(
        "facts", "--data", file, "--map", "text=rewrite", "--map", "input.text=source",
        "--label", "faithful", "--where", "style == 'sentence'",
    )  # fmt: skip
    assert found["good"] + found["bad"] == 160 and not found["errors"]
    assert found["phi"]["interval_95"][0] > found["psi"]["interval_95"][1]
    assert found["p_star"] > 0.8


def test_nothing_heavy_is_loaded_for_its_help() -> None:
    import subprocess

    code = (
        "import sys; from mashbill.runtime.cli import command; command(['calibrate', '--help']); "
        "print({'polars', 'asyncio', 'aiohttp', 'rich'} & {m.split('.')[0] for m in sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "set()"
    assert "--by WHAT" in done.stdout
