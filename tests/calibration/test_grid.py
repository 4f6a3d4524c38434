"""Values that are tried where the user names none."""

from __future__ import annotations

import pytest

from mashbill.runtime.calibration.labelled import CalibrationError
from mashbill.runtime.calibration.subject import grid_of, typed
from mashbill.runtime.catalog import load_catalog


def test_the_grid_of_a_parameter() -> None:
    params = {p.name: p for p in load_catalog().checks["facts"].params}
    assert grid_of(params["numbers"])[:3] == [0.0, 0.05, 0.1]
    assert grid_of(params["longest"])[-1] == 3.0
    assert grid_of(params["span"])[:2] == [1.0, 2.0]
    (_, least) = load_catalog().checks["arithmetic"].params
    with pytest.raises(CalibrationError, match=r"--by min=0\.1,0\.2,0\.5"):
        grid_of(least)


def test_a_count_is_a_whole_number() -> None:
    params = {p.name: p for p in load_catalog().checks["facts"].params}
    assert typed(params["span"], 3.0) == 3
    with pytest.raises(CalibrationError, match="is no whole number"):
        typed(params["span"], 2.5)
