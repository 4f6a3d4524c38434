"""A reply that the prompt begins, through a whole project: pilot, survey, run, replay and show."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.guarding.server import Server, serving
from tests.runtime.conftest import MODELS, documents

from .conftest import surveyed

BEGUN = "```python\ndef rain():"
PROMPT = f"""\
---
inputs: {{ text: str }}
reply: {{ code: fence python }}
---
{{% block user %}}A function in a ```python block for: {{{{ text }}}}{{% endblock %}}
{{% block assistant %}}{BEGUN}
{{% endblock %}}
"""
STEPS = """\
steps:
  made:
    op: generate
    from: docs
    model: writer
    prompt: prompts/code.md.j2
    checks: { runs: { kind: expr, pass: "contains(code, '    return 1')" } }
    on_fail: [reject]
"""


class Echoing(Server):
    """Goes on from what it is given, and repeats that, as vLLM does when told to."""

    def answer(self, body: Mapping[str, Any], token: str | None) -> tuple[int, Mapping[str, Any]]:
        """Status and answer of a call."""
        last = body["messages"][-1]
        begun = last["content"] if last["role"] == "assistant" and body["echo"] else ""
        self.reply = f"{begun}\n    return 1\n```\n"
        return super().answer(body, token)


def test_what_is_paid_for_is_found_again_wherever_it_is_looked_for(tmp_path: Path) -> None:
    with serving(Echoing()) as server:
        start, end = MODELS.index("{ use: fake"), MODELS.index("\nsources")
        model = f"{{ use: http/large, url: '{server.url}' }}"
        (tmp_path / "prompts").mkdir()
        (tmp_path / "prompts/code.md.j2").write_text(PROMPT)
        models = MODELS[:start] + model + MODELS[end:]
        project = surveyed(tmp_path, documents(4, 1), STEPS, models)
        assert project.pilot(2).sent == 2
        assert project.node("made").settled is not None, "the survey finds what the pilot paid for"
        record = project.spine.good_run()
        assert record["models"]["writer"]["sent"] == 2, "the run asks for the others alone"
        codes = project.spine.rows()["code"].to_list()
        assert codes == ["def rain():\n    return 1"] * 4
        begun = [b for b in server.asked if b["messages"][-1]["content"] == BEGUN]
        assert len(begun) == 4
        assert all(b["continue_final_message"] for b in begun)
    project.spine.forget_output()
    assert project.spine.good_run("--replay")["models"]["writer"]["sent"] == 0
    said = project.spine.do("show")
    assert said.code == 0, said.text
    assert "return 1" in said.text
