"""Mashbill: a compiler for dataset recipes.

import mashbill as mb

recipe = mb.load("recipe.yaml")
recipe.check()
plan = recipe.plan()
out = plan.run()
out.scan()  # a polars LazyFrame
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = [
    "Calibration",
    "CalibrationError",
    "Plan",
    "Recipe",
    "RecipeError",
    "Report",
    "Run",
    "RunError",
    "__version__",
    "load",
    "load_plan",
]

if TYPE_CHECKING:
    from mashbill.compiler.diagnostics import RecipeError, Report
    from mashbill.runtime.api import Plan, Recipe, Run, load, load_plan
    from mashbill.runtime.calibration.calibrate import Calibration
    from mashbill.runtime.calibration.labelled import CalibrationError
    from mashbill.runtime.execute import RunError

_HOMES = {
    "load": "mashbill.runtime.api",
    "load_plan": "mashbill.runtime.api",
    "Recipe": "mashbill.runtime.api",
    "Plan": "mashbill.runtime.api",
    "Run": "mashbill.runtime.api",
    "RunError": "mashbill.runtime.execute",
    "Calibration": "mashbill.runtime.calibration.calibrate",
    "CalibrationError": "mashbill.runtime.calibration.labelled",
    "RecipeError": "mashbill.compiler.diagnostics",
    "Report": "mashbill.compiler.diagnostics",
}


def __getattr__(name: str) -> Any:
    """Public names, imported when asked for: `import mashbill` alone costs nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module 'mashbill' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
