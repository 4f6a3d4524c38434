"""Small projects whose models echo what they are asked, so that prompts decide every reply."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from mashbill.runtime.checkpool import CheckPool
from tests.runtime.conftest import Spine

HEAD = """\
mashbill: 1
name: spine
seed: 7
models:
  writer: { use: fake/echo, placement: { journal: JOURNAL } }
  mender: { use: fake/echo, placement: { journal: JOURNAL.mender } }
sources:
  docs: { path: docs.jsonl, license: CC0-1.0, origin: human }
steps:
"""


def prompt(user: str, inputs: str = "text: str", front: str = "") -> str:
    """A prompt file."""
    head = f"---\ninputs: {{ {inputs} }}\n{front}---\n"
    return head + "{% block user %}" + user + "{% endblock %}\n"


def project(folder: Path, steps: str, prompts: dict[str, str], rows: int = 12) -> Spine:
    """A project; row `n` reads `row n`, and every third one `row n bad`."""
    (folder / "prompts").mkdir(parents=True, exist_ok=True)
    (folder / ".mashbill").mkdir(exist_ok=True)
    spine = Spine(folder)
    spine.feed({"text": f"row {n}" + " bad" * (n % 3 == 0)} for n in range(rows))
    spine.write(HEAD + steps)
    for name, text in prompts.items():
        (folder / f"prompts/{name}.md.j2").write_text(text)
    return spine


def sent(spine: Spine, model: str = "") -> Counter[str]:
    """Requests that a model was sent, by key and draw."""
    journal = spine.folder / f"journal{model and '.' + model}"
    return Counter(journal.read_text().splitlines()) if journal.exists() else Counter()


@pytest.fixture(autouse=True)
def checks_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """No workers for small runs."""
    monkeypatch.setattr(CheckPool.__init__, "__defaults__", (0,))
