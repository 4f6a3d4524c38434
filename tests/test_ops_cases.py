"""Every columnar step runs its own cases; never edited when an operator is added."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

import polars as pl
import pytest

from mashbill.compiler.registry import Case, Expression, Operator
from mashbill.runtime.catalog import load_catalog
from mashbill.runtime.expressions import lowered
from mashbill.runtime.kernel import REASON

STEPS = [o for o in load_catalog().steps.values() if o.stage == "map"]
CASES = [pytest.param(o, c, id=f"{o.name}-{i}") for o in STEPS for i, c in enumerate(o.cases)]


def built(operator: Operator, params: Mapping[str, Any]) -> Any:
    """The kernel, its expressions lowered as the pipeline lowers them."""
    made = {}
    for param in operator.params:
        if param.name in params:
            value = params[param.name]
            expression = param.type is Expression or Expression in get_args(param.type)
            made[param.python] = lowered(str(value), 0, "case") if expression else value
    return operator.build(**made)


@pytest.mark.parametrize(("operator", "case"), CASES)
def test_case(operator: Operator, case: Case) -> None:
    mapped = built(operator, case.params)(pl.DataFrame([dict(case.row)]))
    if isinstance(case.expect, Mapping):
        assert mapped.kept.height == 1
        row = mapped.kept.row(0, named=True)
        assert {k: row[k] for k in case.expect} == dict(case.expect)
    else:
        assert mapped.kept.height == 0 and mapped.rejected is not None
        assert mapped.rejected[REASON].to_list() == [case.expect]


@pytest.mark.parametrize("operator", STEPS, ids=lambda o: o.name)
def test_it_has_cases_on_both_sides(operator: Operator) -> None:
    kept = [isinstance(c.expect, Mapping) for c in operator.cases]
    assert any(kept)
    assert not operator.drops or not all(kept)
    assert operator.about.endswith(".")


@pytest.mark.parametrize("operator", STEPS, ids=lambda o: o.name)
def test_rows_do_not_lean_on_each_other(operator: Operator) -> None:
    for case in operator.cases:
        kernel = built(operator, case.params)
        alone = kernel(pl.DataFrame([dict(case.row)])).kept.rows(named=True)
        among = kernel(pl.DataFrame([dict(case.row)] * 3)).kept.rows(named=True)
        assert among == alone * 3
