"""Disk, contexts, the line, and that nothing of a preflight is data."""

from __future__ import annotations

import os
from collections import namedtuple
from dataclasses import replace
from pathlib import Path

import pytest

from mashbill.compiler.diagnostics import Diagnostic
from mashbill.compiler.estimating.facts import Facts
from mashbill.compiler.estimating.propagate import estimate
from mashbill.runtime.api import Recipe
from mashbill.runtime.budget import NoPurse, Purse, open_purse
from mashbill.runtime.faults import RunError
from mashbill.runtime.hardware import fitting
from mashbill.runtime.interrupts import run_async
from mashbill.runtime.preflight import Answer, Preflight, disk, preflight
from mashbill.runtime.preflight.contexts import misfits
from mashbill.runtime.preflight.disk import bytes_made, disk_needs
from mashbill.runtime.preflight.spent import charge, spent_before
from mashbill.runtime.requests import Completion
from mashbill.runtime.runs import new_run
from tests.engines.tiny_gguf import write_tiny

from .facts import RECIPE, compiled, facts, moments
from .folders import planned, project
from .server import Server, serving

Usage = namedtuple("Usage", "total used free")
GB = 10**9


def flown(
    folder: Path, server: Server, seen: Facts | None = None, *, ask: bool = True
) -> Preflight:
    with serving(server):
        where = project(folder, solver=server.url)
        seen = seen or facts()
        plan = planned(where, seen)
        return preflight(
            plan.record,
            where,
            seen,
            estimate(plan.record, seen),
            lock="lock ok (9 pins)",
            ask=ask,
        )


def free(monkeypatch: pytest.MonkeyPatch, size: float) -> None:
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda _: Usage(size, 0, size))


def test_the_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    free(monkeypatch, 380 * GB)
    found = flown(tmp_path, Server([{"id": "large", "max_model_len": 8192}]))
    parts = found.line.split(" · ")
    assert parts[0] == "lock ok (9 pins)"
    assert parts[1].startswith("disk 1") and parts[1].endswith("MB needed, 380 GB free")
    assert parts[2:] == ["1/1 model answered", "prompts fit context"]
    assert found.warnings == ()
    assert not (tmp_path / ".mashbill/ledger").exists(), "what it replies is no data"


def test_a_replay_asks_nobody(tmp_path: Path) -> None:
    server = Server()
    found = flown(tmp_path, server, ask=False)
    assert server.asked == [] and "answered" not in found.line


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    recipe = RECIPE.replace(
        "op: rewrite\n    from: web\n    model: solver",
        "op: rewrite\n    from: web\n    model: small",
    )
    where = project(tmp_path, recipe)
    plan = planned(where).record
    with pytest.raises(RunError) as caught:
        preflight(plan, where)
    assert caught.value.diagnostic == "M251" and caught.value.code == 1
    assert str(caught.value).startswith("small: 127") and "\n  solver: 127" in str(caught.value)


# -- contexts


@pytest.mark.parametrize(
    ("context", "levels"),
    [
        (8192, []),
        (1400, ["warn"]),  # the longest prompt of book has 900, and 512 are to follow
        (640, ["warn", "fail"]),  # its mean one 150, and those of solved 100
        (512, ["fail", "fail"]),
    ],
)
def test_prompts_against_what_a_model_holds(context: int, levels: list[str]) -> None:
    _, plan = compiled()
    found = list(misfits(plan, facts(), {"solver": context}))
    assert sorted(levels) == sorted(a.level for a in found)
    assert all(f"{context:,}" in a.said and a.help for a in found)
    assert list(misfits(plan, facts(), {})) == [], "where nobody says, nobody knows"


def test_prompts_that_never_fit_stop_the_run_before_it_begins(tmp_path: Path) -> None:
    with pytest.raises(RunError) as caught:
        flown(tmp_path, Server([{"id": "large", "max_model_len": 600}]))
    assert caught.value.diagnostic == "P205" and "`book`" in str(caught.value)


def test_long_ones_alone_are_a_warning(tmp_path: Path) -> None:
    found = flown(tmp_path, Server([{"id": "large", "max_model_len": 1300}]))
    assert found.line.endswith("the longest prompts do not fit context")
    (warning,) = found.warnings
    assert "`book` has 900 tokens" in warning and "`overlong:`" in warning


def test_prompts_that_the_survey_found_too_long(tmp_path: Path) -> None:
    seen = facts()
    book = replace(seen.nodes["book"], overlong=0.007)
    found = flown(tmp_path, Server(), replace(seen, nodes={**seen.nodes, "book": book}))
    assert found.line.endswith("0.7% of prompts do not fit context")


# -- disk


def test_bytes_by_what_is_made() -> None:
    _, plan = compiled()
    made = bytes_made(plan, facts(), estimate(plan, facts()))
    tokens, calls = 10_000 * 1600 + 10_000 * 142, 80_000 + 14_200
    assert made["ledger"] == pytest.approx(tokens * 4.5 + calls * 160, rel=0.02)
    supply = 2_000_000 + 950_000
    assert made["spool"] == pytest.approx(supply * 4.5 + 19_670 * 120, rel=0.03)
    assert 1_900_000 * 4.5 < made["output"] < made["spool"]


def test_without_a_mix_by_the_size_of_rows() -> None:
    steps = RECIPE[: RECIPE.index("  book:")]
    _, plan = compiled(recipe=steps + "tokenizer: small\nbudget: { usd: BUDGET }\n")
    assert plan.outputs == (("best", ""),)
    seen = facts()
    chosen = moments(1024, rows_out=0.25, size_out=250)
    nodes = {**seen.nodes, "best": replace(seen.nodes["best"], reached=chosen)}
    made = bytes_made(plan, seen, estimate(plan, replace(seen, nodes=nodes)))
    assert made["spool"] == made["output"] == pytest.approx(40_000 * 250 + 10_000 * 120, rel=0.02)


def test_rows_that_nobody_has_seen_are_as_long_as_replies_are_expected_to_be() -> None:
    steps = RECIPE[: RECIPE.index("  right:")]
    _, plan = compiled(recipe=steps + "tokenizer: small\nbudget: { usd: BUDGET }\n")
    seen = facts(piloted=False)
    estimates = estimate(plan, seen)
    assert estimates.total is not None
    tokens = estimates.total.reply_tokens.value or 0.0
    made = bytes_made(plan, seen, estimates)
    assert tokens > 0 and made["output"] == pytest.approx(tokens * 4.5 + 80_000 * 120, rel=0.02)


def test_too_little_disk_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    free(monkeypatch, 0.1 * GB)
    server = Server()
    with pytest.raises(RunError) as caught:
        flown(tmp_path, server)
    assert caught.value.diagnostic == "O804" and "100 MB are free" in str(caught.value)
    assert server.asked == [], "what costs nothing is looked at first"


def test_a_small_run_is_never_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    free(monkeypatch, 1000.0)
    assert "1.0 kB free" in flown(tmp_path, Server(), facts(2_000)).line


def test_little_disk_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    free(monkeypatch, 0.125 * GB)
    assert any("little more than is expected" in w for w in flown(tmp_path, Server()).warnings)


def test_file_systems_are_told_apart(tmp_path: Path) -> None:
    other = Path("/dev/shm")
    if not other.is_dir() or other.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("one file system is all there is")
    _, plan = compiled()
    estimates = estimate(plan, facts())
    needs = disk_needs(plan, facts(), estimates, tmp_path / ".mashbill", other / "not/yet/there")
    made = bytes_made(plan, facts(), estimates)
    assert {n.folder: n.needed for n in needs} == {
        tmp_path: pytest.approx(made["ledger"] + made["spool"]),
        other: pytest.approx(made["output"]),
    }


def test_nothing_to_write_fits_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    free(monkeypatch, 1.0)
    _, plan = compiled()
    (need,) = disk_needs(plan, None, None, tmp_path, tmp_path)
    assert not need.short and not need.tight


# -- what it spends


def test_what_asking_costs_is_charged(tmp_path: Path) -> None:
    _, plan = compiled("$150", "budget.steps.book.tokens=1k")
    folder = new_run(tmp_path)
    purse = open_purse(plan, folder, tmp_path)
    assert isinstance(purse, Purse)
    reply = Completion("Yes.", "stop", 11, 3, 8)
    run_async(charge(purse, [Answer("solver", "ok", "", completions=(reply, reply))]))
    purse.close()
    spent = spent_before(plan, tmp_path)
    assert spent["budget.usd"] == pytest.approx(2 * (11e-6 + 3e-5))
    assert (spent["budget.requests"], spent["budget.tokens"]) == (2, 6)
    assert spent["budget.steps.book.tokens"] == 0
    run_async(charge(NoPurse(), [Answer("solver", "ok", "", completions=(reply,))]))


def test_a_cap_that_is_used_up_is_found_by_the_run_itself(tmp_path: Path) -> None:
    _, plan = compiled("$150", "budget.requests=1")
    purse = open_purse(plan, new_run(tmp_path), tmp_path)
    reply = Completion("Yes.", "stop", 11, 3, 8)
    run_async(charge(purse, [Answer("solver", "ok", "", completions=(reply, reply))]))
    assert purse.gauges["budget.requests"].spent == 1


def test_the_default_cap_is_a_cap_like_any_other(tmp_path: Path) -> None:
    _, plan = compiled(recipe=RECIPE.replace("budget: { usd: BUDGET }\n", ""))
    purse = open_purse(plan, new_run(tmp_path), tmp_path)
    assert isinstance(purse, Purse) and purse.gauges["budget.usd"].limit == 10 * 10**12
    assert purse.gauges["budget.tokens"].limit > 10**30


# -- the output folder


def test_a_folder_of_something_else_is_found_before_anything_is_asked(tmp_path: Path) -> None:
    (tmp_path / "out/costly").mkdir(parents=True)
    (tmp_path / "out/costly/thesis.tex").write_text("years of work")
    server = Server()
    with pytest.raises(RunError) as caught:
        flown(tmp_path, server)
    assert caught.value.diagnostic == "O801" and "thesis.tex" in str(caught.value)
    assert server.asked == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir(mode=0o500)
    with pytest.raises(RunError) as caught:
        flown(tmp_path, Server())
    assert caught.value.diagnostic == "O801" and "output.path" in str(caught.value)


# -- memory


def local(folder: Path) -> Preflight:
    """A local model with random weights, looked at."""
    write_tiny(folder / "tiny.gguf")
    recipe = RECIPE.replace(
        "http/large, url: http://localhost:8000/v1, price: { input: 1, output: 10 }",
        "local/./tiny.gguf",
    )
    where = project(folder, recipe)
    plan = Recipe(where).compile().plan
    assert plan is not None
    return preflight(plan, where)


def test_a_model_that_does_not_fit_its_memory_is_not_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("xllamacpp")
    assert local(tmp_path).line == "1 model on this machine"
    monkeypatch.setattr(fitting, "main_memory", lambda: 1000.0)
    with pytest.raises(RunError) as caught:
        local(tmp_path)
    assert caught.value.diagnostic == "M252" and "`solver` needs about" in str(caught.value)


def test_one_that_barely_fits_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("xllamacpp")
    barely = Diagnostic("M258", "`solver` leaves room for 1 text at once", help="ask for less")
    monkeypatch.setattr(fitting, "fit_problems", lambda *_: iter([barely]))
    assert local(tmp_path).warnings == ("`solver` leaves room for 1 text at once  →  ask for less",)
