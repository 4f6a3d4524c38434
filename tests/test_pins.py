"""An operator that changes must say so: a pin of its source, its version and its cases' results.

When this fails, either the change was not meant to change results: rewrite the pins with
`MASHBILL_UPDATE=1`; or it was: raise the operator's `version` first. A run reuses what an operator
of the same version made.
"""

from __future__ import annotations

import ast
import inspect
import json
import os
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pytest

from mashbill.runtime.catalog import load_catalog

PINS = Path(__file__).parent / "pins.json"
CATALOG = load_catalog()
OPERATORS = {
    **{f"step {name}": o for name, o in CATALOG.steps.items()},
    **{f"check {name}": o for name, o in CATALOG.checks.items()},
}


RUNTIME = Path(__file__).resolve().parents[1] / "runtime"
CUTTING = ("chunks.py", "overlong.py", "sentences.py")
MODEL_STEP = (
    *("ladder.py", "prompting.py", "control_tokens.py", *CUTTING),
    "../compiler/whitespace.py",
)
EXPRESSIONS = ("frames.py", "columnar.py", "counting.py", "draws.py", "dtypes.py")
BESIDE = {
    "step clean": ("boilerplate",),
    "step filter": (*EXPRESSIONS, "expressions.py"),
    "step generate": (*MODEL_STEP, "replies.py", "../compiler/prompts/replies"),
    "step cot": (*MODEL_STEP, "replies.py", "ops/generate.py", "voting", "maths"),
    "step rewrite": MODEL_STEP,
    "step select": (*EXPRESSIONS, "expressions.py", "gather.py", "voting", "maths"),
    "check copy": ("facts/words.py",),
    "check expr": EXPRESSIONS,
    "check arithmetic": ("maths", "facts/number_words.py"),
    "check math_equal": (
        "maths",
        "facts/number_words.py",
        "../compiler/prompts/replies/marks.py",
    ),
    "check facts": ("facts", "scoring/wire.py"),
    "check judge": (
        *("scoring/judging.py", "scoring/ballots.py", "prompting.py", "control_tokens.py"),
        *("replies.py", "../compiler/prompts/replies", "../compiler/whitespace.py"),
        *EXPRESSIONS,
    ),
    "check reward": ("scoring/rating.py", "scoring/wire.py"),
    "step score": ("scoring/rating.py", "scoring/wire.py"),
    "check unit_tests": ("sandbox", "sandbox/inside"),
    "check compiles": ("sandbox", "sandbox/inside"),
    "step execute": ("sandbox", "sandbox/inside"),
}
"""Modules that an operator's results rest on besides its own file."""


def meaning(file: Path) -> str:
    """The program of a file: comments, layout and docstrings left out."""
    tree = ast.parse(file.read_text("utf-8"))
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [n for n in body if not _is_docstring(n)]  # type: ignore[attr-defined]
    return ast.unparse(tree)


def _is_docstring(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def pin(name: str) -> dict[str, Any]:
    """What is pinned of an operator."""
    operator = OPERATORS[name]
    files = [Path(inspect.getfile(operator.build))]
    for beside in BESIDE.get(name, ()):
        place = RUNTIME / beside
        files += sorted(place.glob("*.py")) if place.is_dir() else [place]
    source = "\n".join(meaning(f) for f in files)
    cases = repr([(dict(c.params), dict(c.row), c.expect) for c in operator.cases])
    return {
        "version": operator.version,
        "source": blake2b(source.encode(), digest_size=8).hexdigest(),
        "cases": blake2b(cases.encode(), digest_size=8).hexdigest(),
    }


def test_pins_are_of_the_operators_that_there_are() -> None:
    if os.environ.get("MASHBILL_UPDATE"):
        text = json.dumps({n: pin(n) for n in OPERATORS}, indent=1, sort_keys=True)
        PINS.write_text(text + "\n", encoding="utf-8")
    assert set(json.loads(PINS.read_text("utf-8"))) == set(OPERATORS)


@pytest.mark.parametrize("name", OPERATORS)
def test_pin(name: str) -> None:
    pinned = json.loads(PINS.read_text("utf-8"))[name]
    now = pin(name)
    if now["cases"] != pinned["cases"]:
        assert now["version"] > pinned["version"], "its cases changed: raise its `version`"
    assert now == pinned, "the operator changed: see this file's first lines"
