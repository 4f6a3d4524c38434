"""Mashbill from Python: load a recipe, check it, plan it, run it, look at what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..compiler.compile import Compiled, compile_recipe
from ..compiler.diagnostics import Diagnostic, RecipeError, Report, in_order
from ..compiler.document import decode
from ..compiler.world import OutsideError, Pins
from .catalog import load_catalog
from .project import Project, find_project

if TYPE_CHECKING:
    import polars as pl

    from ..compiler.cost import Estimates, Facts
    from ..compiler.plan import Plan as PlanRecord
    from .faults import MisfitError


@dataclass(slots=True)
class Recipe:
    """A recipe on disk, with the profile and settings it is read under."""

    project: Project
    profile: str | None = None
    sets: tuple[str, ...] = ()

    def compile(self, pins: Pins | None = None) -> Compiled:
        """Compile it; nothing is raised for what it says. Raises `OSError` if it cannot be read."""
        data = self.project.recipe.read_bytes()
        shown = self.project.shown_path(self.project.recipe)
        text, problems = decode(data, shown)
        if text is None:
            return Compiled(Report(in_order(problems), {shown: data.decode("utf-8", "replace")}))
        return compile_recipe(
            text,
            shown,
            load_catalog(),
            self.project,
            profile=self.profile,
            sets=self.sets,
            pins=pins or Pins(),
        )

    def check(self) -> Report:
        """All that is wrong with it, at once. Opens no data and no model."""
        return self.compile().report

    def plan(self, *, survey: bool = True) -> Plan:
        """What it will do and cost. Reads data; calls no model.

        Args:
            survey: Whether to measure a sample for the estimates.

        Raises:
            RecipeError: It does not compile, or a source holds no row.
        """
        compiled = self.compile()
        if compiled.plan is None:
            raise RecipeError(compiled.report)
        pins, missing = find_pins(compiled.plan, self.project)
        compiled = self.compile(pins)
        if compiled.plan is None:
            raise RecipeError(compiled.report)
        plan = Plan(self, compiled, missing=missing)
        if survey and not missing:
            plan.measure()
        return plan

    def run(self, **options: Any) -> Run:
        """Plan and run it; see `Plan.run`."""
        return self.plan().run(**options)


def find_pins(plan: PlanRecord, project: Project) -> tuple[Pins, dict[str, str]]:
    """Digests of the plan's models and sources, and of models that cannot be described: why."""
    from .engine_room import room_of
    from .manifest import digest_files
    from .requests import EngineError

    room = room_of(plan, project)
    models: dict[str, str] = {}
    missing: dict[str, str] = {}
    for name in plan.models:
        try:
            models[name] = room.info(name).digest
        except EngineError as error:
            missing[name] = str(error)
    sources: dict[str, str] = {}
    for name, source in plan.sources.items():
        try:
            files = project.files(source["path"], typed=source["typed"])
            sources[name] = digest_files(files)
        except (OSError, OutsideError):  # the scan says what is wrong with it
            continue
    return Pins(models, sources), missing


@dataclass(slots=True)
class Plan:
    """A recipe compiled against its data and models: what `run` executes.

    Attributes:
        recipe: Where it came from.
        compiled: The compiler's result.
        missing: Models that are not here, and what to do about it.
        facts: What was measured.
        estimates: What that comes to; None until measured.
    """

    recipe: Recipe
    compiled: Compiled
    missing: Mapping[str, str] = field(default_factory=dict)
    facts: Facts | None = None
    estimates: Estimates | None = None
    warnings: tuple[Diagnostic, ...] = ()

    @property
    def record(self) -> PlanRecord:
        """The plan as the compiler made it."""
        assert self.compiled.plan is not None
        return self.compiled.plan

    def measure(self) -> None:
        """Sample the sources and estimate.

        Raises:
            RecipeError: A source holds no row that can be read, or a step does not fit the data.
        """
        from ..compiler.cost import estimate
        from .engine_room import room_of
        from .faults import MisfitError
        from .survey import survey

        project = self.recipe.project
        try:
            found = survey(self.record, project, room_of(self.record, project))
        except MisfitError as error:
            raise self._misfit(error) from error
        problems = tuple(self._source_problems(found.empty, found.unreadable))
        if found.empty:
            files = self.compiled.report.files
            raise RecipeError(Report(in_order(problems), files, self.compiled.report.summary))
        self.warnings = problems
        self.facts = found.facts
        self.estimates = estimate(self.record, found.facts)

    def _misfit(self, error: MisfitError) -> RecipeError:
        """A step that cannot work on the data, with its place in the recipe."""
        recipe = self.compiled.recipe
        assert recipe is not None
        span = next((s.span for s in recipe.steps if s.name == error.step), recipe.span)
        problem = Diagnostic("D303", str(error), span)
        report = self.compiled.report
        return RecipeError(Report(in_order([problem]), report.files, report.summary))

    def _source_problems(
        self, empty: Sequence[str], unreadable: Mapping[str, Sequence[Any]]
    ) -> list[Diagnostic]:
        recipe = self.compiled.recipe
        assert recipe is not None
        spans = {s.name: s.path_span for s in recipe.sources}
        made = []
        for name in empty:
            if name not in unreadable:
                made.append(
                    Diagnostic(
                        "D309", f"source `{name}` has no rows: its files are empty", spans[name]
                    )
                )
        for name, lines in unreadable.items():
            first = lines[0]
            more = f", and {len(lines) - 1:,} more" if len(lines) > 1 else ""
            made.append(
                Diagnostic(
                    "D303" if name in empty else "D310",
                    f"{first.file}:{first.line}: {first.reason}{more}",
                    spans[name],
                    "no row can be read"
                    if name in empty
                    else "these lines are left out, and kept aside",
                )
            )
        return made

    def last(self) -> tuple[str, Mapping[str, str]] | None:
        """Id and step fingerprints of the last finished run of this recipe."""
        from .runs import last_run

        found = last_run(self.recipe.project.state, str(self.record.recipe["name"]))
        return (found[0].id, found[1].get("fingerprints", {})) if found else None

    def text(self, width: int = 80) -> str:
        """The plan as a table."""
        import json

        from ..compiler.explain import explain
        from ..compiler.plan import Plan as PlanRecord

        last = None
        if found := self.last():
            path = self.recipe.project.state / "runs" / found[0] / "plan.json"
            try:
                last = (found[0], PlanRecord.load(path.read_text("utf-8")))
            except (OSError, ValueError, json.JSONDecodeError, TypeError, KeyError):
                last = None
        return explain(self.record, self.estimates, last, self.missing, width=width)

    def run(self, **options: Any) -> Run:
        """Execute the plan; running again continues. Options: `replay`, `replace`, `watch`.

        Raises:
            RunError: It cannot go on; what was paid for is saved.
        """
        from .execute import run_plan
        from .faults import RunError

        if self.missing:
            raise RunError("; ".join(self.missing.values()))
        estimates = self.estimates.to_json() if self.estimates else None
        return Run(
            self.recipe.project,
            run_plan(self.record, self.recipe.project, estimates=estimates, **options),
        )

    def __repr__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        return f"<pre>{escape(self.text(120))}</pre>"


@dataclass(frozen=True, slots=True)
class Run:
    """A finished run."""

    project: Project
    record: Mapping[str, Any]

    @property
    def path(self) -> Path:
        """The folder of the data set."""
        return self.project.root / str(self.record["output"]["path"])

    def scan(self) -> pl.LazyFrame:
        """The data set as a polars LazyFrame."""
        import polars as pl

        files = [self.path / s["file"] for s in self.record["output"]["shards"]]
        if files and files[0].suffix == ".jsonl":
            rows = any(f.stat().st_size for f in files)
            return pl.scan_ndjson(files) if rows else pl.LazyFrame()
        return pl.scan_parquet(files)

    def __repr__(self) -> str:
        rows = self.record["output"].get("rows", 0)
        return f"<run {self.record['run']}: {rows:,} rows in {self.project.shown_path(self.path)}>"

    def _repr_html_(self) -> str:
        steps = "".join(
            f"<tr><td>{escape(n)}</td><td>{a['in']:,}</td><td>{a['out']:,}</td></tr>"
            for n, a in self.record["steps"].items()
        )
        return (
            f"<p>{escape(repr(self))}</p><table><tr><th>step</th><th>in</th><th>out</th></tr>"
            f"{steps}</table>"
        )


def load(
    path: str | Path | None = None,
    *,
    profile: str | None = None,
    set: Mapping[str, Any] | None = None,
    allow_outside: bool = False,
) -> Recipe:
    """Load a recipe: a file, a folder that holds `recipe.yaml`, or nothing for the current folder.

    Args:
        path: The recipe.
        profile: The profile to lay over it.
        set: Values to lay over both, by dotted path: `{"steps.book.limit": 20}`.
        allow_outside: Let its paths leave the project.

    Raises:
        RecipeNotFoundError: There is no recipe.
    """
    import json

    sets = tuple(
        f"{k}={v if isinstance(v, str) else json.dumps(v)}" for k, v in (set or {}).items()
    )
    return Recipe(find_project(path, allow_outside=allow_outside), profile, sets)


def load_sets(given: Any) -> Recipe:
    """The recipe that a command line names."""
    project = find_project(given.recipe, allow_outside=given.allow_outside)
    return Recipe(project, given.profile, tuple(given.set))
