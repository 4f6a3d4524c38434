"""`mashbill ledger`: figures, soundness, travelling, and what is removed."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from mashbill.runtime.ledger import Ledger

from .changing import Changing, make


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Changing:
    return make(tmp_path, monkeypatch)


def data_set(folder: Path) -> dict[str, bytes]:
    """The shards of the project's data set."""
    files = sorted(p for p in (folder / "out").rglob("*") if p.suffix in (".parquet", ".jsonl"))
    assert files
    return {p.name: p.read_bytes() for p in files}


def held(folder: Path) -> int:
    with Ledger.open(folder / ".mashbill/ledger", write=False) as ledger:
        return ledger.stats().completions


def other_project(project: Changing, monkeypatch: pytest.MonkeyPatch) -> Changing:
    """The same recipe and data in another folder, whose ledger is empty."""
    folder = project.folder / "elsewhere/copy"
    shutil.copytree(
        project.folder,
        folder,
        ignore=shutil.ignore_patterns(".mashbill", "out", "elsewhere", "*.mbl"),
    )
    (folder / ".mashbill").mkdir()
    monkeypatch.chdir(folder)
    return Changing(folder)


def test_stats(project: Changing) -> None:
    assert project.good("ledger", "stats").startswith("0 completions")
    project.good("run", "-q")
    out = project.good("ledger", "stats")
    assert out.startswith("6 completions   tokens in ")
    assert "fake/rewrite" in out and "small.book" in out
    found = json.loads(project.good("ledger", "stats", "--format", "json"))
    (model,) = found["models"]
    assert (model["engine"], model["model"], model["completions"]) == ("fake", "rewrite", 6)
    assert model["completion_tokens"] == found["completion_tokens"] > 0
    assert found["recipes"]["small"]["sent"] == 6
    assert found["recipes"]["small"]["completion_tokens"] == found["completion_tokens"]
    project.good("ledger", "gc", "--yes")
    packed = json.loads(project.good("ledger", "stats", "--format", "json"))
    assert (packed["packs"], packed["segments"]) == (1, 0)
    assert packed["models"] == found["models"]


def test_verify_names_damage_and_what_is_lost(project: Changing) -> None:
    project.good("run", "-q")
    assert project.good("ledger", "verify") == "6 completions, all sound\n"
    (segment,) = project.folder.glob(".mashbill/ledger/segments/*/*.seg")
    data = bytearray(segment.read_bytes())
    data[120] ^= 1
    segment.write_bytes(data)
    code, out, err = project.do("ledger", "verify")
    assert code == 1
    assert out.startswith(os.path.relpath(segment)) and "bytes are damaged" in out
    assert "L606" in err and "1 completion lost" in err
    found = json.loads(project.do("ledger", "verify", "--format", "json")[1])
    assert found["lost"] == 1


@pytest.mark.parametrize("scope", [(), (".",), ("--run", "r-0001")])
def test_an_export_replays_elsewhere(
    project: Changing, monkeypatch: pytest.MonkeyPatch, scope: tuple[str, ...]
) -> None:
    project.good("run", "-q")
    made = data_set(project.folder)
    project.good("ledger", "export", "all.mbl", *scope)
    other = other_project(project, monkeypatch)
    code, _, err = other.do("run", "-q", "--replay")
    assert code == 1 and "ledger has no completion" in err
    assert other.good("ledger", "import", "../../all.mbl") == "6 completions imported\n"
    other.good("run", "-q", "--replay")
    assert data_set(other.folder) == made
    # It is the same ledger: its export has the same bytes, before and after it is compacted.
    for _ in range(2):
        other.good("ledger", "export", "back.mbl", "--replace")
        assert Path("back.mbl").read_bytes() == (project.folder / "all.mbl").read_bytes()
        other.good("ledger", "gc", "--yes")
    assert other.good("ledger", "import", "back.mbl").startswith("0 completions imported, 6 were")


def test_an_export_takes_only_what_is_needed(project: Changing) -> None:
    project.good("run", "-q")
    project.edit_prompt()
    code, _, err = project.do("ledger", "export", "x.mbl", ".")
    assert code == 1 and "L608" in err and "6 completions that . needs are not in the ledger" in err
    project.good("run", "-q", "--replace")
    sizes = {}
    for scope in ((), (".",), ("--run", "r-0001"), ("--run", "r-0002")):
        out = project.good("ledger", "export", "x.mbl", *scope, "--replace", "--format", "json")
        sizes[scope] = json.loads(out)["completions"]
    assert list(sizes.values()) == [12, 6, 6, 6]


def test_an_export_refuses_what_it_cannot_do(project: Changing) -> None:
    code, _, err = project.do("ledger", "export", "x.mbl")
    assert code == 1 and "no ledger yet" in err
    project.good("run", "-q")
    for words, said in (
        (("x.mbl", "--run", "r-0009"), "no run r-0009"),
        (("x.mbl", "--run", "../runs/r-0001"), "no run"),
        (("recipe.yaml",), "is a recipe"),
        (("docs.jsonl",), "--replace"),
    ):
        code, _, err = project.do("ledger", "export", *words)
        assert code and said in err
    assert "Station" in Path("docs.jsonl").read_text()
    (Path(".mashbill/runs/r-0001/completions.keys")).write_bytes(b"\1" * 40)  # killed while noting
    code, _, err = project.do("ledger", "export", "x.mbl", "--run", "r-0001")
    assert code == 1 and "L609" in err and "killed" in err
    assert not Path("x.mbl").exists()


def test_gc_keeps_what_runs_and_recipes_refer_to(project: Changing) -> None:
    project.good("run", "-q")
    project.edit_prompt()
    project.good("run", "-q", "--replace")
    assert project.good("ledger", "gc") == "nothing to remove\n"
    shutil.rmtree(".mashbill/runs/r-0001")
    out = project.good("ledger", "gc")
    assert out.startswith("would remove 6 completions") and held(project.folder) == 12
    # The present recipe needs what no run refers to any more.
    shutil.rmtree(".mashbill/runs/r-0002")
    assert project.good("ledger", "gc").startswith("would remove 6 completions")
    assert project.good("ledger", "gc", "--runs-only").startswith("would remove 12 completions")
    made = data_set(project.folder)
    assert project.good("ledger", "gc", "--yes").startswith("removed 6 completions")
    assert held(project.folder) == 6
    assert project.good("ledger", "verify") == "6 completions, all sound\n"
    shutil.rmtree("out")
    project.good("run", "-q", "--replay")
    assert data_set(project.folder) == made
    assert project.good("ledger", "gc", "--yes") == "nothing to remove; compacted\n"
    shutil.rmtree(".mashbill/runs")
    project.good("ledger", "gc", "--yes", "--runs-only")
    assert held(project.folder) == 0
    assert not list(Path(".mashbill/ledger/packs").iterdir())
    shutil.rmtree("out")
    project.good("run", "-q")
    assert held(project.folder) == 6


def test_gc_keeps_what_a_profile_of_a_recipe_refers_to(project: Changing) -> None:
    project.edit(
        "steps:",
        "profiles: { hot: { models: { writer: "
        "{ use: fake/rewrite, sampling: { temperature: 1 } } } } }\nsteps:",
    )
    project.good("run", "-q", "--profile", "hot")
    shutil.rmtree(".mashbill/runs")
    assert project.good("ledger", "gc") == "nothing to remove\n"


def test_gc_does_not_guess(project: Changing) -> None:
    project.good("run", "-q")
    keys = Path(".mashbill/runs/r-0001/completions.keys")
    keys.unlink()  # a run by a Mashbill that noted nothing
    project.edit_prompt()
    project.good("run", "-q", "--replace")
    out = project.good("ledger", "gc")
    assert "r-0001 did not note" in out and "nothing to remove" in out
    project.edit("op: filter", "op: filtre")
    code, _, err = project.do("ledger", "gc", "--yes")
    assert code == 1 and "L609" in err and "mashbill check" in err
    assert held(project.folder) == 12


def test_gc_waits_for_nobody(project: Changing) -> None:
    project.good("run", "-q")
    shutil.rmtree(".mashbill/runs")
    with Ledger.open(project.folder / ".mashbill/ledger", write=False):
        code, _, err = project.do("ledger", "gc", "--yes", "--runs-only")
        assert code == 1 and "L607" in err and "another process uses it" in err
        assert project.good("ledger", "gc", "--runs-only").startswith("would remove 6")
    assert held(project.folder) == 6


def writer(run: str) -> dict[str, int]:
    record = json.loads(Path(f".mashbill/runs/{run}/record.json").read_text())
    return dict(record["models"]["writer"])


def test_only_what_was_truncated_is_paid_again(project: Changing) -> None:
    lines = (f'{{"text": "Station {i} measured {"rain " * i}."}}\n' for i in range(2, 8))
    Path("docs.jsonl").write_text("".join(lines))
    project.edit("on_fail: [{ retry: 2 }, { fallback: input }]", "on_fail: [{ fallback: input }]")
    project.edit("model: writer\n", "model: writer\n    sampling: { max_tokens: 12 }\n")
    project.do("run", "-q")
    assert (writer("r-0001")["sent"], writer("r-0001")["reused"]) == (6, 0)
    project.edit("max_tokens: 12", "max_tokens: 512")
    project.do("run", "-q", "--replace")
    paid, reused = writer("r-0002")["sent"], writer("r-0002")["reused"]
    assert paid + reused == 6 and paid and reused
    project.edit("max_tokens: 512", "max_tokens: 400")  # a finished one fits any limit above it
    project.do("run", "-q", "--replace")
    assert (writer("r-0003")["sent"], writer("r-0003")["reused"]) == (0, 6)


def test_more_samples_pay_only_the_new_draws(project: Changing) -> None:
    project.edit("op: rewrite", "op: generate")
    project.edit(
        "    checks: { length: { min: 0.1, max: 4 } }\n"
        "    on_fail: [{ retry: 2 }, { fallback: input }]\n",
        "    samples: 2\n",
    )
    project.good("run", "-q")
    assert (writer("r-0001")["sent"], writer("r-0001")["reused"]) == (12, 0)
    project.edit("samples: 2", "samples: 5")
    project.good("run", "-q", "--replace")
    assert (writer("r-0002")["sent"], writer("r-0002")["reused"]) == (18, 12)
