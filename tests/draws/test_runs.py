"""Recipes that draw and choose, from end to end."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import polars as pl
import pytest

from mashbill.compiler import compile as compiling
from mashbill.compiler.rules import RULES
from mashbill.runtime import gather, stages
from mashbill.runtime.requests import Request
from mashbill.runtime.voting.tally import Vote

from .conftest import COLUMNS, COT, HEAD, RIGHT, accepted, again, by_doc, problems, run
from .solver import failing, write_project

VOTE = "solved: { %s, from: docs, samples: 8 }\n  best: { op: select, from: solved, %s }\n"


def steps(select: str, cot: str = COT) -> str:
    return "  " + VOTE % (cot, select)


def drawn_answers(folder: Path, texts: list[str], samples: int) -> dict[str, list[str | None]]:
    """All answers to each problem, in order of draws, as a run without any choice has them."""
    ran = run(folder, f"  solved: {{ {COT}, from: docs, samples: {samples} }}\n", texts)
    rows = ran.rows().sort("_draw")
    assert rows.height == samples * len(texts)
    return {t: rows.filter(pl.col("text") == t)["answer"].to_list() for t in texts}


@pytest.fixture
def texts() -> list[str]:
    return problems(33)


SELECTS = {
    "vote: answer": Vote(8),
    "vote: answer, min_agree: 0.5": Vote(8, 0.5),
    "vote: answer, drop: [all_agree, none_agree]": Vote(
        8, drop=frozenset({"all_agree", "none_agree"})
    ),
    "vote: answer, take: 3": Vote(8, take=3),
    "vote: answer, take: all": Vote(8, take=None),
}


@pytest.mark.parametrize("select", SELECTS)
def test_a_vote_is_what_all_draws_say_and_stopping_early_changes_no_byte(
    tmp_path: Path, texts: list[str], select: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers, vote = drawn_answers(tmp_path / "all", texts, 8), SELECTS[select]
    columns = "output: { columns: [text, _id, answer, _draw, _agree, _votes] }\n"
    ruled = run(tmp_path / "ruled", steps(select), texts, columns=columns)
    rest = tuple((name, rule) for name, rule in RULES if name != "stop_decided")
    original = compiling.optimise
    monkeypatch.setattr(compiling, "optimise", lambda graph: original(graph, rest))
    plain = run(tmp_path / "plain", steps(select), texts, columns=columns)
    assert ruled.shards() == plain.shards()
    assert plain.calls == 8 * len(texts)
    rulings = {t: vote.rule(a) for t, a in answers.items()}
    assert ruled.calls == sum(r.draws for r in rulings.values() if r)
    assert (ruled.calls < plain.calls) == (vote.take is not None)
    for text, rows in by_doc(texts, ruled).items():
        ruling = rulings[text]
        assert ruling is not None
        wanted = vote.draws if vote.take is None else vote.take
        assert rows.height == (0 if ruling.reason else min(wanted, ruling.votes))
        for row in rows.iter_rows(named=True):
            assert row["answer"] == ruling.answer
            assert (row["_votes"], row["_agree"]) == (ruling.votes, ruling.share)
    reasons = set(plain.step("best")["rejected"]) - {"late"}
    assert reasons == set(ruled.step("best")["rejected"])


@pytest.mark.parametrize(
    ("cot", "select"),
    [
        (COT, "vote: answer, min_agree: 0.4, by: -chars(reasoning)"),
        (f"{COT}, checks: {{ right: {RIGHT} }}, until: {{ accepted: 2 }}", "by: chars(reasoning)"),
        (
            f"{COT}, checks: {{ right: {RIGHT} }}, until: {{ accepted: 3, spread: hard }}",
            "take: all",
        ),
    ],
)
def test_the_order_in_which_replies_come_changes_nothing(
    tmp_path: Path, texts: list[str], cot: str, select: str
) -> None:
    still = run(tmp_path / "still", steps(select, cot), texts)
    shuffled = run(tmp_path / "shuffled", steps(select, cot), texts, jitter="12ms", slots=200)
    assert still.shards() == shuffled.shards()
    assert still.calls == shuffled.calls
    assert still.step("best") == shuffled.step("best")
    assert still.step("solved") == shuffled.step("solved")


def test_until_accepted_draws_the_shortest_prefix_that_has_enough(
    tmp_path: Path, texts: list[str]
) -> None:
    answers = drawn_answers(tmp_path / "all", texts, 8)
    cot = f"{COT}, checks: {{ right: {RIGHT} }}, until: {{ accepted: 2 }}"
    ran = run(tmp_path / "two", f"  solved: {{ {cot}, from: docs, samples: 8 }}\n", texts)
    calls = 0
    for text, rows in by_doc(texts, ran).items():
        right = [i for i, a in enumerate(answers[text]) if a == text.split()[1][:-1]]
        assert rows["_draw"].sort().to_list() == right[:2]
        calls += right[1] + 1 if len(right) > 1 else 8
    assert ran.calls == calls < 8 * len(texts)


def test_hard_problems_have_more_accepted_draws(tmp_path: Path) -> None:
    texts = problems(110)
    cot = f"{COT}, checks: {{ right: {RIGHT} }}, until: {{ accepted: 4, spread: hard, pilot: 4 }}"
    ran = run(tmp_path, f"  solved: {{ {cot}, from: docs, samples: 40 }}\n", texts)
    found = accepted(ran)
    rows = {t: r.height for t, r in by_doc(texts, ran).items()}
    easy = [n for t, n in rows.items() if "right 1.00" in t]
    hard = [n for t, n in rows.items() if "right 0.20" in t]
    assert set(easy) == {1}
    assert sum(hard) > 2.5 * sum(easy)
    assert found and max(found.values()) == 4
    assert ran.step("solved")["rejected"]["enough"] > 0


def test_the_first_correct_one_behind_a_verify(tmp_path: Path, texts: list[str]) -> None:
    answers = drawn_answers(tmp_path / "all", texts, 4)
    chain = (
        f"  solved: {{ {COT}, from: docs, samples: 4 }}\n"
        f"  right: {{ op: verify, from: solved, checks: {{ right: {RIGHT} }} }}\n"
        "  best: { op: select, from: right }\n"
    )
    ran = run(tmp_path / "first", chain, texts)
    for text, rows in by_doc(texts, ran).items():
        right = [i for i, a in enumerate(answers[text]) if a == text.split()[1][:-1]]
        assert rows["_draw"].to_list() == right[:1]


def test_agreement_behind_a_verify_is_a_share_of_all_draws(
    tmp_path: Path, texts: list[str]
) -> None:
    answers = drawn_answers(tmp_path / "all", texts, 4)
    chain = (
        f"  solved: {{ {COT}, from: docs, samples: 4 }}\n"
        f"  right: {{ op: verify, from: solved, checks: {{ right: {RIGHT} }} }}\n"
        "  best: { op: select, from: right, vote: answer, min_agree: 0.5, drop: [all_agree] }\n"
    )
    ran = run(tmp_path / "half", chain, texts)
    for text, rows in by_doc(texts, ran).items():
        right = sum(a == text.split()[1][:-1] for a in answers[text])
        assert rows.height == (2 <= right <= 3), (text, answers[text])


def test_equal_rows_are_two_groups(tmp_path: Path) -> None:
    texts = problems(6) * 2
    ran = run(tmp_path, steps("vote: answer"), texts)
    assert set(accepted(ran).values()) == {2}
    assert ran.rows()["_id"].n_unique() == 12


def test_draws_of_a_chain_are_numbered_through(tmp_path: Path, texts: list[str]) -> None:
    chain = (
        f"  asked: {{ {COT.replace('cot,', 'generate,', 1)}, from: docs, samples: 2 }}\n"
        "  more: { op: filter, from: asked, set: { answer: first, reasoning: none } }\n"
        f"  solved: {{ {COT}, from: more, samples: 3 }}\n"
    )
    columns = "output: { columns: [text, _draw] }\n"
    found = run(tmp_path, chain, texts[:3], columns=columns).rows()
    assert Counter(found["_draw"].to_list()) == dict.fromkeys(range(6), 3)


def test_a_when_lets_rows_pass_that_were_never_drawn(tmp_path: Path, texts: list[str]) -> None:
    chain = (
        f"  solved: {{ {COT}, from: docs, samples: 4, when: \"not contains(text, '7')\" }}\n"
        "  best: { op: select, from: solved, take: 2 }\n"
    )
    ran = run(tmp_path, chain, texts)
    rows = by_doc(texts, ran)
    assert {r.height for t, r in rows.items() if "7" in t} == {1}
    assert {r.height for t, r in rows.items() if "7" not in t} == {2}


def test_a_template_makes_the_text_of_a_draw(tmp_path: Path, texts: list[str]) -> None:
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts/out.j2").write_text("Q: {{ text }}\nA: {{ answer }}\n")
    cot = f"{COT}, render: prompts/out.j2"
    columns = "output: { columns: [text, answer, _origin] }\n"
    ran = run(tmp_path, steps("vote: answer", cot), texts[:3], columns=columns)
    for row in ran.rows().iter_rows(named=True):
        assert row["text"].startswith("Q: Problem ") and row["text"].endswith(f"A: {row['answer']}")
        assert row["_origin"] == "synthetic"


# -- enough rows, and no more calls than that


@pytest.mark.parametrize("jitter", ["0ms", "8ms"])
def test_rows_are_the_first_that_are_accepted_and_no_more_are_drawn(
    tmp_path: Path, jitter: str
) -> None:
    texts = problems(66)
    select = "vote: answer, min_agree: 0.5"
    whole = run(tmp_path / "whole", steps(select), texts)
    some = run(
        tmp_path / "some", steps(f"{select}, rows: 12, candidates: 50"), texts, jitter=jitter
    )
    docs = sorted(accepted(whole))[:12]
    assert sorted(accepted(some)) == docs
    account = some.step("solved")
    everything = {d for d in _docs(tmp_path / "whole", texts)}
    assert account["rejected"]["candidates"] == 16
    let_in = 50 - account["rejected"]["enough"]
    assert let_in == sum(d <= docs[-1] for d in everything)
    assert some.calls < whole.calls / 2


def _docs(folder: Path, texts: list[str]) -> list[str]:
    columns = "output: { columns: [text, _doc] }\n"
    keep = "  all: { op: filter, from: docs, keep: chars(text) > 0 }\n"
    return run(folder / "docs", keep, texts, columns=columns).rows()["_doc"].to_list()


def test_fewer_come_out_where_the_candidates_are_used_up(tmp_path: Path) -> None:
    texts = problems(22)
    ran = run(tmp_path, steps("vote: answer, min_agree: 1, rows: 20, candidates: 22"), texts)
    assert 0 < ran.rows().height < 20
    assert "enough" not in ran.step("solved")["rejected"]


# -- faults


def broken(draw: int, *numbers: int) -> object:
    """Requests of some problems fail at one draw."""

    def fails(request: Request) -> bool:
        words = request.messages[-1].content
        return request.draw == draw and any(f"Problem {n}:" in words for n in numbers)

    return fails


TWO_CALLS = (
    f"  solved: {{ {COT}, from: docs, samples: 4 }}\n"
    "  told: { op: rewrite, model: solver, prompt: prompts/tell.md.j2, from: solved }\n"
    "  best: { op: select, from: told, %s }\n"
)
TELL = """\
---
inputs: { text: str, answer: str, reasoning: str }
---
{% block user %}{{ text }} Tell it: {{ answer }}, since {{ reasoning }}{% endblock %}
"""


@pytest.mark.parametrize(
    ("select", "settled"), [("take: 1", True), ("by: chars(text)", False), ("take: all", False)]
)
def test_a_group_with_a_fault_is_settled_by_the_draws_before_it_or_waits(
    tmp_path: Path, texts: list[str], select: str, settled: bool
) -> None:
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts/tell.md.j2").write_text(TELL)
    chain, columns = TWO_CALLS % select, "output: { columns: [text, _doc, _draw] }\n"

    # The second call of a problem's third draw: its prompt holds that draw's words.
    def fails(request: Request) -> bool:
        words = request.messages[-1].content
        return (
            "Tell it" in words
            and any(f"Problem {n}:" in words for n in (3, 5))
            and (words.split("since ")[1] == third[words.split(":")[0]])
        )

    whole = run(tmp_path / "first", f"  solved: {{ {COT}, from: docs, samples: 4 }}\n", texts[:8])
    rows = whole.rows().filter(pl.col("_draw") == 2)
    third = {t.split(":")[0]: r for t, r in zip(rows["text"], rows["reasoning"], strict=True)}
    with failing(fails):
        ran = run(tmp_path, chain, texts[:8], columns=columns, code=1)
    assert ran.step("told")["errors"] == {"status-500": 2}
    if settled:
        assert ran.rows().height == 8
        return
    assert ran.step("best")["errors"] == {"waits": 6}
    assert ran.rows()["_doc"].n_unique() == 6
    waiting = [e for e in ran.errors() if e["reason"] == "waits"]
    assert len(waiting) == 6 and "another draw" in waiting[0]["message"]
    mended = again(tmp_path, "--retry", "errors")
    assert mended.rows()["_doc"].n_unique() == 8
    assert mended.calls == 2


def test_nothing_is_decided_on_a_draw_that_failed(tmp_path: Path, texts: list[str]) -> None:
    clean = run(tmp_path / "clean", steps("vote: answer"), texts)
    with failing(broken(2, 3, 5)):  # type: ignore[arg-type]
        ran = run(tmp_path / "torn", steps("vote: answer"), texts, code=1)
    assert ran.step("solved")["errors"] == {"status-500": 2}
    mended = again(tmp_path / "torn", "--retry", "errors")
    assert mended.shards() == clean.shards()


def test_a_row_that_waits_keeps_its_place_among_those_wanted(tmp_path: Path) -> None:
    texts = problems(40)
    chain = steps("vote: answer, rows: 10, candidates: 40")
    clean = run(tmp_path / "clean", chain, texts)
    first = sorted(accepted(clean))
    text = clean.rows().filter(pl.col("_doc") == first[4])["text"][0]
    with failing(broken(1, int(text.split()[1][:-1]))):  # type: ignore[arg-type]
        ran = run(tmp_path / "torn", chain, texts, code=1)
    assert sorted(accepted(ran)) == first[:4] + first[5:]
    assert again(tmp_path / "torn", "--retry", "errors").shards() == clean.shards()


# -- memory


def test_finished_rows_move_on_and_little_is_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stages, "MARK_ROWS", 20)
    monkeypatch.setattr(stages, "FLUSH_ROWS", 20)
    monkeypatch.setattr(stages, "FLUSH_SECONDS", 0.01)
    monkeypatch.setattr("mashbill.runtime.pipeline.ROWS_UNDER_WAY", 30)
    held: list[int] = []
    original = gather.GatherStage._settle

    async def spied(self: gather.GatherStage, mark: object) -> None:
        held.append(sum(f.height for f in self._held))
        await original(self, mark)  # type: ignore[arg-type]

    monkeypatch.setattr(gather.GatherStage, "_settle", spied)
    texts = problems(400)
    chain = (
        f"  solved: {{ {COT}, from: docs, samples: 3 }}\n"
        f"  right: {{ op: verify, from: solved, checks: {{ right: {RIGHT} }} }}\n"
        "  long: { op: filter, from: [right, right.rejected], keep: chars(reasoning) > 3 }\n"
        "  best: { op: select, from: long, take: 2 }\n"
    )
    ran = run(tmp_path, chain, texts, jitter="2ms")
    assert ran.rows().height == 800
    assert len(held) > 15
    assert max(held) <= 600, "half of all"


def test_a_union_of_sources_is_settled_source_by_source(tmp_path: Path) -> None:
    (tmp_path / "more.jsonl").write_text('{"text": "Problem 1: right 1.00 of 5 answers."}\n')
    sources = "  more: { path: more.jsonl, license: CC0-1.0, origin: human }\nsteps:\n"
    chain = (
        f"  solved: {{ {COT}, from: [docs, more], samples: 3 }}\n"
        "  best: { op: select, from: solved, vote: answer }\n"
    )
    recipe = (HEAD.replace("steps:\n", sources) + chain + COLUMNS).replace("JITTER", "0ms")
    write_project(tmp_path, recipe.replace("SLOTS", "8"), problems(5))
    assert again(tmp_path).rows().height == 6
