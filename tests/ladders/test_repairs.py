"""Repairs: what they are told, what becomes of their replies, in each step that has a ladder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mashbill.runtime.outcome import Attempt
from mashbill.runtime.prompting import RenderError
from mashbill.runtime.repairs import Repair, as_text, repair_of
from mashbill.runtime.requests import Message
from mashbill.runtime.toolbox import stored_prompt
from mashbill.runtime.tools import NOBODY, Line
from tests.runtime.conftest import Spine

from .conftest import project, prompt, sent

GENERATED = """\
  made:
    op: generate
    from: docs
    model: writer
    prompt: prompts/make.md.j2
    checks: { clean: { kind: regex, got: answer, forbid: bad } }
    on_fail: LADDER
"""
MAKE = prompt("<answer>{{ text }}</answer>", front="reply: { answer: tag }\n")
TOLD = "text: str, answer: str, check: str, reason: str, evidence: str, reply: str"
WORDS = "{{ check }}, {{ reason }}, {{ evidence }}, {{ reply }}, {{ answer | upper }}"
FIX = prompt(f"<answer>{WORDS}</answer>", TOLD, "reply: { answer: tag }\n")
GOOD = prompt(
    "<answer>{{ reason }}: {{ text | upper }}</answer>",
    "reason: str, text: str",
    "reply: { answer: tag }\n",
)


def generated(folder: Path, ladder: str, rows: int = 12, **prompts: str) -> Spine:
    return project(folder, GENERATED.replace("LADDER", ladder), {"make": MAKE, **prompts}, rows)


def test_a_repair_is_told_what_failed(tmp_path: Path) -> None:
    steps = GENERATED.replace("LADDER", "{ repair: prompts/fix.md.j2 }").replace("bad }", "bad$ }")
    spine = project(tmp_path, steps, {"make": MAKE, "fix": FIX})
    record = spine.good_run()
    answers = spine.rows().sort("_doc")["answer"].to_list()
    assert sum(a.startswith("row") for a in answers) == 8
    assert {a for a in answers if not a.startswith("row")} == {
        f"clean, forbidden, found: bad, <answer>row {n} bad</answer>, ROW {n} BAD"
        for n in (0, 3, 6, 9)
    }
    made = record["steps"]["made"]
    assert (made["units"], made["attempts"]) == ({"accepted": 12}, 16)
    assert made["failures"] == {"forbidden": 4}


def test_a_reply_without_its_shape_is_repaired(tmp_path: Path) -> None:
    make = prompt(
        "{% if 'bad' in text %}no tag{% else %}<answer>{{ text }}</answer>{% endif %}",
        front="reply: { answer: tag }\n",
    )
    ladder = "[ { repair: { prompt: prompts/fix.md.j2, for: [unparsed] } } ]"
    spine = generated(tmp_path, ladder, 3, make=make, fix=FIX)
    spine.good_run()
    told = [a for a in spine.rows()["answer"] if "unparsed" in a]
    assert told == ["unparsed, unparsed, missing: answer, no tag,"]


def test_another_model_repairs(tmp_path: Path) -> None:
    ladder = "[ { repair: { prompt: prompts/good.md.j2, model: mender } } ]"
    spine = generated(tmp_path, ladder, good=GOOD)
    record = spine.good_run()
    assert sent(spine).total() == 12
    assert sent(spine, "mender").total() == 4
    assert record["models"]["mender"]["sent"] == 4
    spine.forget_output()
    spine.good_run()
    assert sent(spine, "mender").total() == 4


def test_a_repaired_chunk(tmp_path: Path) -> None:
    steps = """\
  book:
    op: rewrite
    from: docs
    model: writer
    prompt: prompts/make.md.j2
    chunk: { by: sentence, max: 30 tokens }
    checks: { clean: { kind: regex, forbid: bad } }
    on_fail: [ { repair: prompts/fix.md.j2 }, { fallback: input } ]
"""
    fix = prompt("{{ input.text | upper }} was {{ text | upper }}", "input.text: str, text: str")
    spine = project(tmp_path, steps, {"make": prompt("bad {{ text }}"), "fix": fix}, 0)
    spine.feed([{"text": "One is here. Two is there."}])
    record = spine.good_run()
    (row,) = spine.rows().iter_rows(named=True)
    assert "ONE IS HERE. was BAD ONE IS HERE." in row["text"]
    assert "TWO IS THERE. was BAD TWO IS THERE." in row["text"]
    assert record["steps"]["book"]["units"] == {"accepted": 2}
    assert row["_origin"] == "synthetic"


VERIFIED = """\
  made: { op: generate, from: docs, model: mender, prompt: prompts/make.md.j2 }
  good:
    op: verify
    from: made
    checks: { clean: { kind: regex, got: answer, forbid: bad } }
    on_fail: LADDER
"""


def test_verify_repairs_with_the_model_that_wrote_the_column(tmp_path: Path) -> None:
    ladder = "[ { repair: prompts/good.md.j2 }, reject ]"
    prompts = {"make": MAKE, "good": GOOD}
    spine = project(tmp_path, VERIFIED.replace("LADDER", ladder), prompts)
    record = spine.good_run()
    assert record["steps"]["good"]["out"] == 12
    assert sent(spine, "mender").total() == 16
    assert not sent(spine)
    mended = spine.rows().filter(spine.rows()["answer"].str.starts_with("forbidden: ROW"))
    assert mended.height == 4
    assert mended["_id"].n_unique() == 4
    assert set(mended["_origin"]) == {"human"}, "its text is still that of the source"
    before = spine.rows()["_id"].to_list()
    spine.forget_output()
    spine.good_run("--replay")
    assert spine.rows()["_id"].to_list() == before


def test_a_repaired_text_is_the_models(tmp_path: Path) -> None:
    steps = """\
  good:
    op: verify
    from: docs
    checks: { clean: { kind: regex, forbid: bad } }
    on_fail: { repair: { prompt: prompts/fix.md.j2, model: mender } }
"""
    spine = project(tmp_path, steps, {"fix": prompt("mended {{ check }}", "check: str")})
    spine.good_run()
    rows = spine.rows()
    assert set(rows.filter(rows["text"] == "mended clean")["_origin"]) == {"synthetic"}
    assert set(rows.filter(rows["text"] != "mended clean")["_origin"]) == {"human"}


def test_what_no_repair_mends_leaves_as_it_came(tmp_path: Path) -> None:
    ladder = "[ { repair: { times: 2, prompt: prompts/worse.md.j2 } }, route ]"
    worse = prompt("<answer>bad again: {{ answer }}</answer>", "answer: str",
                   "reply: { answer: tag }\n")  # fmt: skip
    steps = VERIFIED.replace("LADDER", ladder)
    steps += "  seen: { op: filter, from: [good, good.routed], keep: true }\n"
    spine = project(tmp_path, steps, {"make": MAKE, "worse": worse})
    record = spine.good_run()
    good = record["steps"]["good"]
    assert (good["out"], good["routed"], good["attempts"]) == (8, 4, 8)
    assert good["failures"] == {"forbidden": 8}, "of replies, not of rows as they came"
    assert sorted(spine.rows()["answer"])[0].startswith("row 0")
    assert not any("again" in answer for answer in spine.rows()["answer"])


def test_show_tells_of_each_attempt(tmp_path: Path) -> None:
    ladder = "[ { retry: 1 }, { repair: { prompt: prompts/good.md.j2, model: mender } } ]"
    spine = generated(tmp_path, ladder, 1, good=GOOD)
    spine.good_run()
    said = spine.do("show", str(spine.rows()["_id"][0])).out
    lines = [line.split("   ")[1] for line in said.splitlines() if line.startswith("│   ")]
    assert [x for x in lines if x.startswith(("draw", "repair"))] == [
        "draw 0.0", "draw 0.1 retry", "repair 0.1",
    ]  # fmt: skip
    assert "refused by clean: forbidden found=bad" in said
    assert "asking mender" in said
    with_prompts = spine.do("show", str(spine.rows()["_id"][0]), "--prompt").out
    assert "<answer>forbidden: ROW 0 BAD</answer>" in with_prompts
    shown = json.loads(spine.do("show", str(spine.rows()["_id"][0]), "--format", "json").out)
    (unit,) = shown["steps"][0]["outcomes"][0]["units"]
    assert [a["rung"] for a in unit["attempts"]] == ["", "retry", "repair"]


# -- parts


def test_evidence_as_text() -> None:
    found = {"lost": ["1903", "1911"], "share": 0.25, "output": "a\nb", "new": [], "at": {"x": 1}}
    assert as_text(found) == ("lost: 1903, 1911\nshare: 0.25\noutput:\na\nb\nnew: none\nat: x: 1")
    assert as_text({}) == ""


class Tens:
    """Ten tokens a turn."""

    special = ()

    def count(self, texts: list[str]) -> list[int]:
        return [10] * len(texts)

    def count_chat(self, chats: list[list[Message]]) -> list[int]:
        return [10 * len(chat) for chat in chats]


@pytest.mark.parametrize(("context", "fits"), [(None, True), (30, True), (29, False)])
def test_a_repair_that_its_model_cannot_hold_is_not_asked_for(
    context: int | None, fits: bool
) -> None:
    line = Line(NOBODY.ask, Tens(), context)  # type: ignore[arg-type]
    repair: Repair = repair_of(
        stored_prompt({"path": "fix.md.j2", "files": {"fix.md.j2": FIX}}), line, {"max_tokens": 20}
    )
    messages = repair.messages({"text": "a"}, Attempt(0, "", "bad", "stop", "clean", "forbidden"))
    assert repair.fits(messages) is fits
    assert messages[-1].content == "<answer>clean, forbidden, , bad, </answer>"


def test_a_prompt_that_does_not_render_is_the_rows_error() -> None:
    plain = {"path": "p.md.j2", "files": {"p.md.j2": prompt("{{ text }}")}}
    repair = repair_of(stored_prompt(plain), NOBODY, {"max_tokens": 20})
    with pytest.raises(RenderError):
        repair.messages({"text": "a" * 17_000_000}, Attempt(0, "", "", "stop"))
