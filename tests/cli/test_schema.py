"""`mashbill schema`: the editor schema accepts what is shipped and refuses typical slips."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from mashbill.compiler.document import parse_document, plain
from mashbill.compiler.registry import Share, step
from mashbill.runtime import catalog
from mashbill.runtime.cli import command
from mashbill.runtime.cli.schema_ import PUBLISHED, schema_text

ROOT = Path(__file__).resolve().parents[2]
RECIPES = sorted(
    p
    for folder in ("recipes/*", "examples/*", "runtime/templates/*")
    for p in ROOT.glob(f"{folder}/recipe.yaml")
)
SCHEMA = json.loads(schema_text())
GOOD = (ROOT / "runtime/templates/rewrite/recipe.yaml").read_text("utf-8")


def errors(text: str, schema: Any = SCHEMA) -> list[Any]:
    document, _ = parse_document(text, "recipe.yaml")
    assert document is not None
    return list(Draft202012Validator(schema).iter_errors(plain(document)))


def test_it_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda p: f"{p.parts[-3]}-{p.parts[-2]}")
def test_what_is_shipped_fits(recipe: Path) -> None:
    assert errors(recipe.read_text("utf-8")) == []


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("mashbill: 1", "mashbill: 2"),
        ("mashbill: 1\n", ""),
        ("name: rewrite", "name: Rewrite It"),
        ("seed: 1", "seed: one"),
        ("sources:", "source:"),
        ("path: docs.jsonl", "pth: docs.jsonl"),
        (", origin: human", ""),
        ("origin: human", "origin: humans"),
        ("op: filter", "op: filtr"),
        ("op: rewrite", "op: filter"),
        ("    model: writer\n", ""),
        ("keep: words", "kep: words"),
        ("by: sentence", "by: sentences"),
        ("max: 60 tokens", "most: 60 tokens"),
        ("temperature: 0.4", "temprature: 0.4"),
        ("temperature: 0.4", "temperature: hot"),
        ("max_tokens: 96", "max_tokens: 9.5"),
        ("{ style: sentence }", "{ style: sentences }"),
        ("facts: {", "factz: {"),
        ("min: 0.5", "mini: 0.5"),
        ("retry: 2", "retry: 0"),
        ("fallback: input", "fallback: output"),
        ("parts: {", "part: {"),
        ("on_shortfall: shrink", "on_shortfall: shrinks"),
        ("local/smollm2-135m", "smollm2"),
    ],
)
def test_typical_slips_do_not_fit(right: str, wrong: str) -> None:
    assert right in GOOD
    assert errors(GOOD.replace(right, wrong, 1))


def everywhere(schema: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(schema, dict):
        yield path, schema
        for key, value in schema.items():
            yield from everywhere(value, f"{path}/{key}")
    elif isinstance(schema, list):
        for i, value in enumerate(schema):
            yield from everywhere(value, f"{path}/{i}")


def test_what_editors_offer() -> None:
    step = SCHEMA["properties"]["steps"]["additionalProperties"]
    op = step["properties"]["op"]
    assert len(op["enum"]) == len(op["markdownEnumDescriptions"]) == len(step["allOf"])
    assert {s["label"] for s in step["defaultSnippets"]} == set(op["enum"])
    for name in op["enum"]:
        body = next(s["body"] for s in step["defaultSnippets"] if s["label"] == name)
        assert set(SCHEMA["$defs"][f"step_{name}"]["required"]) <= set(body)
        assert SCHEMA["$defs"][f"step_{name}"]["additionalProperties"] is False
    for path, found in everywhere(SCHEMA):
        if path.rpartition("/")[0].endswith("/properties") and "/if/" not in path:
            about = found.get("description", "")
            assert about and not about.startswith("See "), f"{path} is not described"
        assert not {"oneOf", "anyOf"} & set(found), f"{path}: editors say nothing useful of these"


def test_every_example_fits_its_place() -> None:
    tried = 0
    for path, found in everywhere(SCHEMA):
        for example in found.get("examples", ()) if isinstance(found, dict) else ():
            whole = {**found, "$defs": SCHEMA["$defs"]}
            assert list(Draft202012Validator(whole).iter_errors(example)) == [], path
            tried += 1
    assert tried > 30


def test_it_is_printed_or_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["schema"]) == 0
    assert json.loads(capsys.readouterr().out) == SCHEMA
    target = tmp_path / ".mashbill" / "recipe.schema.json"
    assert command(["schema", "-o", str(target)]) == 0
    assert json.loads(target.read_text("utf-8")) == SCHEMA
    assert capsys.readouterr().out == ""


def test_plug_ins_are_in_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    module = ModuleType("acme")

    @step(stage="map", version=1)
    def shuffle(most: Share) -> Any:
        """Shuffle words.

        Args:
            most: How many of them.
        """

    shuffle.__module__ = "acme"
    vars(module)["shuffle"] = shuffle

    class Point:
        name = "acme"

        def load(self) -> ModuleType:
            return module

    monkeypatch.setattr(catalog, "_entry_points", lambda: [Point()])
    catalog.load_catalog.cache_clear()
    try:
        assert command(["schema"]) == 0
    finally:
        monkeypatch.undo()
        catalog.load_catalog.cache_clear()
    made = json.loads(capsys.readouterr().out)
    assert made["$defs"]["step_shuffle"]["properties"]["most"]["description"] == "How many of them."
    text = GOOD.replace(
        "op: filter, from: docs, keep: words(text) >= 20", "op: shuffle, from: docs, most: 50%"
    )
    assert errors(text) and errors(text, made) == []


def test_the_form_of_a_plan_is_printed_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    published = (ROOT / "schemas/plan.schema.json").read_text("utf-8")
    assert command(["schema", "plan"]) == 0
    assert capsys.readouterr().out == published
    Draft202012Validator.check_schema(json.loads(published))
    file = tmp_path / "new" / "plan.schema.json"
    assert command(["schema", "plan", "-o", str(file)]) == 0
    assert file.read_text("utf-8") == published
    assert command(["schema"]) == 0 and command(["schema", "recipe"]) == 0
    assert capsys.readouterr().out == schema_text() * 2
    assert command(["schema", "run"]) == 64
    assert command(["__complete", "schema", "p"]) == 0
    assert capsys.readouterr().out.split() == ["plan"]


def test_it_is_installed_where_the_command_looks() -> None:
    """Packages lie as folders do: `mashbill/schemas` beside `mashbill/runtime`."""
    setup = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]
    places = setup["package-dir"]
    assert places["mashbill.runtime"] == "runtime" and places["mashbill.schemas"] == "schemas"
    assert ROOT / places["mashbill.schemas"] == PUBLISHED
    assert "mashbill.schemas" in setup["packages"]
    assert setup["package-data"]["mashbill.schemas"] == ["*.json"]
