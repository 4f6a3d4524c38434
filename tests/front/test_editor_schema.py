"""The whole schema for editors: valid, described, and the committed copy is the composed one."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from mashbill.compiler.document import parse_document, plain
from mashbill.compiler.editor import recipe_schema

from .operators import CATALOG, GOOD

COMMITTED = Path(__file__).resolve().parents[2] / "schemas" / "recipe.schema.json"


def test_it_is_a_schema_and_accepts_a_right_recipe() -> None:
    schema = recipe_schema(CATALOG)
    Draft202012Validator.check_schema(schema)
    document, _ = parse_document(GOOD, "r.yaml")
    assert document is not None
    assert list(Draft202012Validator(schema).iter_errors(plain(document))) == []


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("temperature: 0.6", "temprature: 0.6"),
        ("op: filter", "op: filtr"),
        ("model: writer", "modle: writer"),
        ("facts: {}", "factz: {}"),
        ("facts: {}", "facts: { kinds: 1 }"),
        ("kind: length, max: 1.6", "kind: length, mx: 1.6"),
        ("{ retry: 3 }", "{ retry: 3, fallback: input }"),
        ("local/smollm2-135m", "smollm"),
        ("by: sentence", "by: heading"),
    ],
)
def test_it_refuses_what_check_refuses(right: str, wrong: str) -> None:
    document, _ = parse_document(GOOD.replace(right, wrong, 1), "r.yaml")
    assert document is not None
    assert list(Draft202012Validator(recipe_schema(CATALOG)).iter_errors(plain(document)))


def properties(schema: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(schema, dict):
        for name, value in schema.get("properties", {}).items():
            yield f"{path}.{name}", value
        for key, value in schema.items():
            if key not in ("if", "not"):
                yield from properties(value, f"{path}.{key}")
    elif isinstance(schema, list):
        for i, value in enumerate(schema):
            yield from properties(value, f"{path}[{i}]")


def test_every_property_is_described() -> None:
    found = list(properties(recipe_schema(CATALOG)))
    assert len(found) > 50
    assert [path for path, value in found if not value.get("description")] == []


def test_the_committed_copy_is_the_composed_one() -> None:
    catalog = pytest.importorskip("mashbill.runtime.catalog").load_catalog()
    text = json.dumps(recipe_schema(catalog), indent=2, ensure_ascii=False) + "\n"
    if os.environ.get("MASHBILL_UPDATE"):
        COMMITTED.write_text(text, "utf-8")
    assert COMMITTED.exists() and COMMITTED.read_text("utf-8") == text, (
        "run MASHBILL_UPDATE=1 pytest tests/front/test_editor_schema.py"
    )
