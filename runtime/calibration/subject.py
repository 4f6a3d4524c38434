"""The check that is calibrated: one that a recipe holds a step to, or a kind with parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...compiler.diagnostics import RecipeError, Report, in_order
from ...compiler.expr import columns_read, parse_expr
from ...compiler.recipe import read_recipe
from ...compiler.registry import Column, Count, Expression, Model, Operator, Param, Ratio, Share
from ...compiler.resolve import resolve_recipe
from ...compiler.scope import Binding, Scope
from ...compiler.suggest import nearest
from ...compiler.types import Columns
from ...compiler.values import bind_params
from ...compiler.world import Pins
from ..catalog import load_catalog
from ..project import Project
from ..specs import check_specs
from .fitting import NUMBERS, core
from .labelled import CalibrationError

if TYPE_CHECKING:
    from ...compiler.plan import PlanNode
    from ..api import Plan, Recipe
    from ..checkpool import CheckSpec

STEP = "judged"


@dataclass(frozen=True, slots=True)
class Subject:
    """A bound check.

    Attributes:
        name: As the user named it: `facts`, or `book.facts`.
        operator: Its kind.
        check: Its bound form, as a definition holds it.
        reads: The columns that it looks at.
        plan: The recipe's, if it is of a recipe.
        node: Of the plan, likewise.
    """

    name: str
    operator: Operator
    check: Mapping[str, Any]
    reads: tuple[str, ...]
    plan: Plan | None = None
    node: PlanNode | None = None

    @property
    def asks(self) -> tuple[str, ...]:
        """Names of the models that it asks."""
        if self.node is None:
            return ()
        place = f"checks.{self.check['name']}."
        return tuple(sorted({m for p, m in self.node.models.items() if p.startswith(place)}))

    def spec(self, changed: Mapping[str, Any] | None = None) -> CheckSpec:
        """What travels to a worker, with some parameters changed."""
        params = {**self.check["params"], **(changed or {})}
        (made,) = check_specs([{**self.check, "params": params}])
        return made

    @property
    def numbers(self) -> list[str]:
        """The parameters that can be tried at many values."""
        return [p.name for p in self.operator.params if core(p.type) in NUMBERS]

    def number_param(self, name: str) -> Param:
        """A parameter that can be tried at many values.

        Raises:
            CalibrationError: There is none of that name, or it is no number.
        """
        params = {p.name: p for p in self.operator.params}
        numbers = self.numbers
        if name in params and name in numbers:
            return params[name]
        close = nearest(name, numbers)
        told = "is no number" if name in params else f"is no parameter of `{self.operator.name}`"
        hint = f"did you mean {close}?" if close else f"those that are: {', '.join(numbers)}"
        raise CalibrationError(
            f"--by {name}: {name} {told}; {hint if numbers else ''}".rstrip("; ")
        )


def grid_of(param: Param) -> list[float]:
    """Values at which a parameter is tried where the user names none.

    Raises:
        CalibrationError: Of this one nobody can say which.
    """
    kind = core(param.type)
    if kind is Share:
        return [i / 20 for i in range(21)]
    if kind is Ratio:
        return [i / 10 for i in range(31)]
    if kind is Count:
        return [float(i) for i in range(1, 21)]
    raise CalibrationError(f"say which values to try: --by {param.name}=0.1,0.2,0.5")


def typed(param: Param, value: float) -> int | float:
    """A value as the parameter takes it.

    Raises:
        CalibrationError: It is a whole number and the value is none.
    """
    if core(param.type) in (Count, int):
        if value != int(value):
            raise CalibrationError(f"--by {param.name}: {value:g} is no whole number")
        return int(value)
    return value


def subject_of_kind(kind: str, sets: Sequence[str], columns: Columns, here: Path) -> Subject:
    """A kind of check, with its parameters.

    Args:
        kind: The name of the operator.
        sets: Parameters, as `name=value`.
        columns: Of the data, under the names that the check reads.
        here: The folder in which files that parameters name are looked for.

    Raises:
        CalibrationError: There is no such check, or it asks a model.
        RecipeError: A parameter is wrong.
    """
    operator, catalog = kind_of(kind), load_catalog()
    text = (
        f"mashbill: 1\nname: calibration\nsources:\n  rows: {{ path: rows, license: CC0-1.0, "
        f"origin: human }}\nsteps:\n  {STEP}:\n    op: verify\n    from: rows\n    checks:\n"
        f"      {kind}: {{}}\n"
    )
    file = "calibration"
    laid = [f"steps.{STEP}.checks.{kind}.{one}" for one in sets]
    resolved = resolve_recipe(text, file, catalog, None, laid)
    world = Project(here / "recipe.yaml", here, allow_outside=True)
    found, document = resolved.diagnostics, resolved.document
    check: Mapping[str, Any] | None = None
    if document is not None:
        recipe = read_recipe(document)
        binding = Binding(recipe, catalog, world, Pins(), found, resolved.files)
        (step,) = recipe.steps
        # What a column of the data is missing for is told in the words of a calibration.
        scope = Scope(step, columns, frozenset(), open=True)
        bound = bind_params(
            catalog.steps["verify"], dict(step.params), binding, scope, step.op_span
        )
        check = next(iter(bound.params.get("checks") or ()), None)
    report = Report(in_order(found), resolved.files)
    if lacking := [d for d in report.errors if d.span is not None and d.span.file == file]:
        raise CalibrationError(f"{lacking[0].message}; give it: --set NAME=VALUE")
    if not report.ok or check is None:
        raise RecipeError(report)
    return Subject(kind, operator, check, tuple(_reads(operator, check, None)))


def kind_of(kind: str) -> Operator:
    """A kind of check that needs no recipe.

    Raises:
        CalibrationError: There is no such check, or it asks a model.
    """
    checks = load_catalog().checks
    operator = checks.get(kind)
    if operator is None:
        close = nearest(kind, checks)
        hint = f"did you mean {close}?" if close else f"checks: {', '.join(sorted(checks))}"
        raise CalibrationError(f"no check is called {kind}; {hint}")
    if any(core(p.type) is Model and p.required for p in operator.params):
        raise CalibrationError(
            f"{kind} asks a model, which a recipe names: mashbill calibrate STEP.{kind}"
        )
    return operator


def subject_of_step(recipe: Recipe, name: str, sets: Sequence[str]) -> Subject:
    """A check that a recipe holds a step to, named `step.check`.

    Args:
        recipe: The recipe.
        name: What the user typed.
        sets: Parameters of the check, as `name=value`; others lie over the recipe.

    Raises:
        CalibrationError: There is no such check.
        RecipeError: The recipe does not compile.
    """
    step, _, check_name = name.partition(".")
    laid = [_laid(recipe, step, check_name, one) for one in sets]
    recipe = replace(recipe, sets=(*recipe.sets, *laid))
    plan = recipe.plan(survey=False)
    found = {
        f"{alias}.{check['name']}": (node, check)
        for node in plan.record.nodes
        for alias in (node.name, *(a for a, n in plan.record.aliases.items() if n == node.name))
        for check in node.definition.get("params", {}).get("checks") or ()
    }
    if name not in found:
        close = nearest(name, found)
        known = ", ".join(found) or "none"
        hint = f"did you mean {close}?" if close else f"this recipe's checks: {known}"
        raise CalibrationError(f"no step has a check {name}; {hint}")
    node, check = found[name]
    operator = load_catalog().checks[check["kind"]]
    return Subject(name, operator, check, tuple(_reads(operator, check, node)), plan, node)


def _laid(recipe: Recipe, step: str, check: str, one: str) -> str:
    """A `--set` whose first word is a parameter of the check is the check's."""
    name = one.partition("=")[0].strip()
    kind = check
    document = recipe.resolve().document
    written = read_recipe(document) if document is not None else None
    found = next((s for s in written.steps if s.name == step), None) if written else None
    checks = found.param("checks") if found else None
    body = getattr(checks, "get", lambda _: None)(check)
    if (said := getattr(body, "get", lambda _: None)("kind")) is not None:
        kind = str(getattr(said, "value", check))
    operator = load_catalog().checks.get(kind)
    own = {p.name for p in operator.params} if operator else set[str]()
    return f"steps.{step}.checks.{check}.{one}" if name in own else one


def _reads(operator: Operator, check: Mapping[str, Any], node: PlanNode | None) -> Iterator[str]:
    """The columns that a bound check looks at, each once."""
    seen: set[str] = set(operator.makes)
    prompts = _prompts(check, node)
    for prompt in prompts:
        seen |= dict(prompt.reply).keys()
    named = [*operator.reads, *(name for p in prompts for name, _ in p.inputs)]
    for param in operator.params:
        value = check["params"].get(param.name)
        if value is None:
            continue
        if core(param.type) is Column:
            named.append(str(value))
        elif core(param.type) is Expression and (expr := parse_expr(str(value))[0]) is not None:
            named += columns_read(expr, {})
    for name in named:
        if name not in seen:
            seen.add(name)
            yield name


def _prompts(check: Mapping[str, Any], node: PlanNode | None) -> list[Any]:
    from ..toolbox import stored_prompt

    place = f"checks.{check['name']}."
    stored = node.prompts if node is not None else {}
    return [stored_prompt(s) for p, s in stored.items() if p.startswith(place)]
