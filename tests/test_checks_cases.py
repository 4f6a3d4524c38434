"""Every check keeps its promises: runs its own cases, under its own schema, with its own words."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from typing import Any, get_args

import jsonschema
import pytest

import mashbill.runtime.checks as package
from mashbill.compiler.registry import Case, Operator, Prompt, operator_of
from mashbill.runtime.verdict import Verdict

from .scripted import Script, prompt_of


def _checks() -> Iterator[Operator]:
    for info in pkgutil.iter_modules(package.__path__):
        module = importlib.import_module(f"{package.__name__}.{info.name}")
        for value in vars(module).values():
            operator = operator_of(value)
            if operator and operator.build.__module__ == module.__name__:
                yield operator


CHECKS = list(_checks())
CASES = [
    pytest.param(operator, case, id=f"{operator.name}-{i}")
    for operator in CHECKS
    for i, case in enumerate(operator.cases)
]


def _judge(operator: Operator, case: Case) -> Verdict:
    """Build and ask; `pass` is written `pass_` in Python, as a keyword cannot name a parameter."""
    written = {name.rstrip("_"): name for name in inspect.signature(operator.build).parameters}
    prompts = {p.name for p in operator.params if Prompt in (p.type, *get_args(p.type))}
    params = {
        written[name]: prompt_of(case.files[value]) if name in prompts else value
        for name, value in case.params.items()
    }
    built: Any = operator.build(**params)
    if not case.replies:
        verdict: Verdict = built(case.row)
        return verdict
    return asyncio.run(built(case.row, Script(case.replies).consult(operator)))


def test_checks_are_found() -> None:
    assert {"facts", "length", "copy", "regex"} <= {operator.name for operator in CHECKS}


@pytest.mark.parametrize(("operator", "case"), CASES)
def test_case(operator: Operator, case: Case) -> None:
    jsonschema.validate(dict(case.params), operator.schema)
    verdict = _judge(operator, case)
    assert isinstance(verdict, Verdict)
    if case.expect is True:
        assert verdict.passed, f"{verdict.reason}: {verdict.evidence}"
        assert verdict.reason == ""
    else:
        assert not verdict.passed
        assert verdict.reason == case.expect, verdict.evidence
    assert verdict == _judge(operator, case)


@pytest.mark.parametrize("operator", [pytest.param(o, id=o.name) for o in CHECKS])
def test_check_is_whole(operator: Operator) -> None:
    assert operator.kind == "check"
    assert any(case.expect is True for case in operator.cases), "no accepted case"
    assert any(isinstance(case.expect, str) for case in operator.cases), "no rejected case"
    assert operator.about.endswith(".")
    assert inspect.getdoc(operator.build)
    jsonschema.Draft202012Validator.check_schema(operator.schema)
