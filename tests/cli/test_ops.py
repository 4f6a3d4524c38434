"""The `ops` command: what it says of every operator is true and whole."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mashbill.compiler.registry import Operator
from mashbill.runtime.catalog import load_catalog
from mashbill.runtime.cli import command
from mashbill.runtime.cli.catalogue import COSTS, Entry, entries, type_words
from mashbill.runtime.cli.specimen import flow, specimen

from ..compiler.world import compile_text

CATALOG = load_catalog()
OPERATORS = [*CATALOG.steps.values(), *CATALOG.checks.values()]
ENTRIES = list(entries(CATALOG))


def operator_id(operator: Operator) -> str:
    return f"{operator.kind} {operator.name}"


@pytest.mark.parametrize("operator", OPERATORS, ids=operator_id)
def test_its_example_compiles(operator: Operator) -> None:
    made = specimen(operator)
    compiled = compile_text(made.recipe, made.files)
    assert compiled.report.diagnostics == (), str(compiled.report)
    assert compiled.graph is not None
    node = compiled.graph.nodes["example"]
    kinds = {check["kind"] for check in node.definition["params"].get("checks") or ()}
    assert node.op == operator.name or operator.name in kinds


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda e: f"{e.kind} {e.name}")
def test_an_entry_is_whole(entry: Entry) -> None:
    assert entry.about and "\n" not in entry.about
    for key in entry.keys:
        assert key.type and "<" not in key.type and "mashbill" not in key.type, key
        assert key.about, f"the docstring of {entry.name} has no word on {key.name}"
    if entry.kind in ("step", "check"):
        assert entry.cost in COSTS and entry.version and entry.example.startswith("steps:\n")


def out(*arguments: str, capsys: pytest.CaptureFixture[str], code: int = 0) -> str:
    assert command(["ops", *arguments]) == code
    return capsys.readouterr().out


def test_the_list(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    text = out(capsys=capsys)
    for entry in ENTRIES:
        assert f"\n  {entry.name} " in text
    assert max(map(len, text.split("\n"))) <= 80


@pytest.mark.parametrize("name", sorted({entry.name for entry in ENTRIES}))
def test_a_page(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    text = out(name, capsys=capsys)
    assert text.startswith(f"{name}   ") and max(map(len, text.split("\n"))) <= 80
    for entry in ENTRIES:
        if entry.name == name:
            assert all(f"\n  {key.name} " in text for key in entry.keys)


def test_the_page_of_filter(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    text = out("filter", capsys=capsys)
    for line in (
        "  keep  What must be true of a row for it to go on. (expression)",
        "ports: .rejected",
        "cost: free: computed column by column",
        "    example: { op: filter, from: docs, keep: words(text) >= 2 }".removeprefix("  "),
        '  text  "one"',
        "    → rejected: keep",
    ):
        assert line in text, line


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    read: list[dict[str, Any]] = json.loads(out("--format", "json", capsys=capsys))
    assert [e["name"] for e in read] == [e.name for e in ENTRIES]
    (length,) = json.loads(out("length", "--format", "json", capsys=capsys))
    assert length["keys"][2] == {
        "name": "min",
        "type": "number from 0",
        "about": "Least ratio of its words to the source's; words are what white space divides.",
        "default": 0.3,
        "required": False,
    }
    assert len(length["cases"]) == 5


def test_a_slip(capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["ops", "fliter"]) == 64
    assert "did you mean `filter`?" in capsys.readouterr().err
    assert command(["ops", "qqqqqqqq"]) == 64
    assert "mashbill ops" in capsys.readouterr().err


def test_expressions(capsys: pytest.CaptureFixture[str]) -> None:
    assert "hash01" in out("expressions", capsys=capsys)


@pytest.mark.parametrize(
    ("hint", "words"),
    [
        (list[str], "list of text"),
        (dict[str, int], "map: name → whole number"),
        (int | None, "whole number"),
        (bool, "true or false"),
    ],
)
def test_types_in_words(hint: Any, words: str) -> None:
    assert type_words(hint) == words


def test_values_on_a_line() -> None:
    import yaml

    for value in ({"a": "x: y", "b": ["no", "1", 1, 0.5, True, None]}, {"k": "a, b"}, "#", {}):
        assert yaml.safe_load(flow(value)) == value and "\n" not in flow(value)
