"""Mashbill from Python: load a recipe, check it, plan it, run it, look at what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..compiler.compile import Compiled, compile_recipe
from ..compiler.diagnostics import Diagnostic, RecipeError, Report, in_order
from ..compiler.document import decode
from ..compiler.resolve import Resolved, resolve_recipe
from ..compiler.world import Pins
from .catalog import load_catalog
from .prices import user_prices
from .project import Project, find_project

if TYPE_CHECKING:
    import polars as pl

    from ..compiler.changes import StepChange
    from ..compiler.comparison import Comparison
    from ..compiler.estimating.estimates import Estimates
    from ..compiler.estimating.facts import Facts
    from ..compiler.meaning import Meaning
    from ..compiler.plan import Plan as PlanRecord
    from .calibration.calibrate import Calibration
    from .locking import LockState
    from .piloting.pilot import Pilot
    from .preview import Preview


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
            today=date.today(),
            prices=user_prices(),
        )

    def resolve(self) -> Resolved:
        """The document with profile, settings and parameters worked in.

        Raises:
            RecipeError: It is no map of YAML.
        """
        data = self.project.recipe.read_bytes()
        shown = self.project.shown_path(self.project.recipe)
        text, problems = decode(data, shown)
        if text is None:
            files = {shown: data.decode("utf-8", "replace")}
            raise RecipeError(Report(in_order(problems), files))
        made = resolve_recipe(text, shown, load_catalog(), self.profile, self.sets)
        if made.document is None:
            raise RecipeError(Report(in_order(made.diagnostics), made.files))
        return made

    def check(self) -> Report:
        """All that is wrong with it, at once. Opens no data and no model."""
        compiled = self.compile()
        if not self.project.lock.is_file():
            return compiled.report
        from .locking import with_lock

        return with_lock(compiled, self.project, overlaid=self.overlaid)

    @property
    def overlaid(self) -> bool:
        """Whether a profile or settings lie over it, of which its lock does not speak."""
        return bool(self.profile or self.sets)

    def plan(
        self, *, survey: bool = True, pilot: int | None = None, until: str | None = None
    ) -> Plan:
        """What it will do and cost. Reads data; calls no model, except for a pilot.

        Args:
            survey: Whether to measure a sample for the estimates.
            pilot: Rows that are first sent to each model step, and which a run pays for no more.
            until: The step that it ends after; None for the whole recipe.

        Raises:
            RecipeError: It does not compile, or a source holds no row.
            RunError: A model of the pilot does not answer, or a cap is reached.
            SelectorError: No step is called what `until` says.
        """
        from .locking import lock_state
        from .pins import find_pins
        from .planning.noticed import without_template

        compiled = self.compile()
        if compiled.plan is None:
            raise RecipeError(compiled.report)
        pins, missing = find_pins(compiled.plan, self.project)
        compiled = self.compile(pins)
        if compiled.plan is None:
            raise RecipeError(compiled.report)
        if untaught := tuple(without_template(compiled, self.project)):
            report = compiled.report
            raise RecipeError(Report(in_order(untaught), report.files, report.summary))
        lock = lock_state(compiled, pins, self.project, overlaid=self.overlaid)
        if until is not None:
            from ..compiler.until import end_after

            compiled = end_after(compiled, until)
        plan = Plan(self, compiled, missing=missing, lock=lock)
        if pilot and not missing:
            plan.send_pilot(pilot)
        if survey and not missing:
            plan.measure()
        return plan

    def preview(self, n: int = 5, *steps: str, **options: Any) -> Preview:
        """A few real rows through all steps, or through some; see `Plan.preview`."""
        return self.plan(survey=False).preview(n, *steps, **options)

    def run(self, **options: Any) -> Run:
        """Plan and run it; see `Plan.run`."""
        return self.plan().run(**options)

    def calibrate(
        self,
        check: str,
        data: str | Path,
        *,
        label: str | None = None,
        kind: str | None = None,
        group: str | None = None,
        names: Mapping[str, str] | None = None,
        where: str | None = None,
        params: Mapping[str, Any] | None = None,
        by: str | None = None,
        precision: float = 0.95,
        wrong: float | None = None,
    ) -> Calibration:
        """Hold a check against labelled rows; one that asks models spends, as a run does.

        Args:
            check: `step.check` of this recipe, or a kind of check.
            data: JSONL, CSV, TSV, Parquet or Arrow.
            label: Its column that is true for good rows; None finds `label`, `good`, `keep`, ….
            kind: Its column that says what is wrong with a bad row; None finds it.
            group: Its column whose rows share a fold; None finds it.
            names: Column that the check reads to the data's: `{"input.text": "source"}`.
            where: A condition on the data's columns; the other rows are left out.
            params: Parameters of the check, over the recipe's.
            by: What to choose a threshold of: a parameter (`numbers`, `numbers=0.5:1:0.05`), or a
                number of the evidence (`score`, `score>=`).
            precision: That the threshold is to reach.
            wrong: The share of wrong rows in the pool that it is for; None for that of the data.

        Raises:
            CalibrationError: The check, a column or a label is not there.
            RecipeError: A parameter is wrong, or the recipe does not compile.
            RunError: A model does not answer, or a cap is reached.
        """
        from .calibration.measure import Asked, measure

        sets = tuple(_typed(params or {}))
        asked = Asked(label, kind, group, names or {}, where, sets, by, precision, wrong)
        return measure(check, data, asked, recipe=self)


def _typed(values: Mapping[str, Any]) -> Iterator[str]:
    """Values as they are typed after `--set`."""
    import json

    for name, value in values.items():
        yield f"{name}={value if isinstance(value, str) else json.dumps(value)}"


@dataclass(slots=True)
class Plan:
    """A recipe compiled against its data and models: what `run` executes.

    Attributes:
        recipe: Where it came from.
        compiled: The compiler's result.
        missing: Models that are not here, and what to do about it.
        facts: What was measured.
        estimates: What that comes to; None until measured.
        warnings: What measuring noticed.
        lock: The recipe's lock beside what holds now.
        quoted: Estimates of the saved plan that it was loaded from, as JSON.
        piloted: What a pilot has sent, if one was asked for.
    """

    recipe: Recipe
    compiled: Compiled
    missing: Mapping[str, str] = field(default_factory=dict)
    facts: Facts | None = None
    estimates: Estimates | None = None
    warnings: tuple[Diagnostic, ...] = ()
    lock: LockState | None = None
    quoted: Mapping[str, Any] | None = None
    piloted: Pilot | None = None

    @property
    def meaning(self) -> Meaning:
        """What decides its results, step by step, taken before any rewriting."""
        from ..compiler.meaning import meaning_of

        return meaning_of(self.record, self.compiled.graph, load_catalog())

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
        from ..compiler.estimating.propagate import estimate
        from ..compiler.outlook import outlook
        from ..compiler.why import changed_code
        from .faults import MisfitError
        from .planning.measuring import measure
        from .planning.noticed import misfit, source_problems, unreachable
        from .preflight.spent import spent_before
        from .sources.remote import RemoteError

        recipe = self.compiled.recipe
        assert recipe is not None
        try:
            found = measure(self.record, self.recipe.project)
        except MisfitError as error:
            raise self._refused(misfit(error, recipe)) from error
        except RemoteError as error:
            raise self._refused(unreachable(error, recipe)) from error
        problems = tuple(source_problems(found.empty, found.unreadable, recipe))
        if found.empty:
            raise self._refused(*problems)
        self.warnings = (*problems, *changed_code(self.changes(), recipe))
        self.facts = found.facts
        self.estimates = estimate(self.record, found.facts)
        spent = spent_before(self.record, self.recipe.project.state)
        self.warnings += outlook(self.record, recipe, self.facts, self.estimates, spent)

    def _refused(self, *problems: Diagnostic) -> RecipeError:
        report = self.compiled.report
        return RecipeError(Report(in_order(problems), report.files, report.summary))

    def text(self, width: int = 80) -> str:
        """The plan as a table."""
        from ..compiler.explaining import explain
        from .planning.telling import told

        return explain(told(self), width=width)

    def changes(self) -> dict[str, StepChange]:
        """What becomes of each step since the last run; see `changes.compare`."""
        from ..compiler.changes import compare

        before = self.before()
        return compare(before[1] if before else None, self.meaning)

    def before(self) -> tuple[str, Meaning] | None:
        """Id of the last run of this recipe, and what decided its results.

        One that ended early, with `until`, counts where there is no other.
        """
        from .planning.partway import early, last_whole_run

        found = last_whole_run(self.recipe.project.state, str(self.record.recipe["name"]))
        meaning = found[0].meaning() if found else None
        if found is None or meaning is None:
            return None
        if early(self.record.recipe):  # what is left out has not been dropped
            kept = {n: step for n, step in meaning.steps.items() if n in self.meaning.steps}
            meaning = replace(meaning, steps=kept)
        return found[0].id, meaning

    def send_pilot(self, rows: int, *, watch: Any = None) -> None:
        """Send real rows to each model step, kept for the run; `piloted` says what was sent.

        Args:
            rows: How many documents are to reach each first model step.
            watch: As `run` takes it.

        Raises:
            RunError: A model is missing or does not answer, or a cap is reached.
        """
        from .faults import RunError
        from .piloting.pilot import pilot

        if self.missing:
            raise RunError("; ".join(self.missing.values()), diagnostic="M251")
        project = self.recipe.project
        self.piloted = pilot(self.record, project, rows, watch=watch, passes=self.passes())

    def save(self, path: str | Path) -> Path:
        """Write it to a file, which `mashbill run FILE` and `load_plan` run as it is.

        Raises:
            SavedPlanError: The file cannot be written, or a model is missing.
        """
        from .planning.saved_plan import save_plan

        return save_plan(self, path)

    def compare(self, name: str) -> Comparison:
        """What the change costs since a run (`r-0004`) or a git revision (`HEAD~1`, `main`).

        Raises:
            RecipeError: The recipe of that revision does not compile.
            SideError: There is no such run or revision.
        """
        from .planning.plan_sides import compare_plans

        return compare_plans(self, name)

    def preview(self, n: int = 5, *steps: str, watch: Any = None) -> Preview:
        """Send a few real rows through the plan, which a run then pays for no more.

        Args:
            n: How many documents.
            steps: Names of the steps to show; what they are made from runs too. None for all.
            watch: As `run` takes it.

        Raises:
            RunError: A model is missing or does not answer.
        """
        from .faults import RunError
        from .preview import preview

        if self.missing:
            raise RunError("; ".join(self.missing.values()), diagnostic="M251")
        project = self.recipe.project
        return preview(
            self.record, project, n=n, steps=steps or None, passes=self.passes(), watch=watch
        )

    def passes(self, retry: str | None = None) -> int:
        """How often a run goes down the ladders, given what it is to try again."""
        from .output import output_of
        from .passes import next_passes, passes_of

        project = self.recipe.project
        find = next_passes if retry == "rejected" else passes_of
        standing = output_of(self.record, project).standing()
        return find(project.state, self.record.digest, standing)

    def run(self, *, retry: str | None = None, **options: Any) -> Run:
        """Execute the plan; running again continues.

        Args:
            retry: `errors` to ask again for rows that ended in errors, `rejected` to let those that
                were rejected or fell back go down their ladder once more, with fresh draws.
            options: `replay`, `replace`, `watch`, `events`: see `run_plan`.

        Raises:
            RunError: It cannot go on; what was paid for is saved.
        """
        from .execute import run_plan
        from .faults import RunError

        if self.missing:
            raise RunError("; ".join(self.missing.values()), diagnostic="M251")
        estimates = self.estimates.to_json() if self.estimates else self.quoted
        return Run(
            self.recipe.project,
            run_plan(
                self.record,
                self.recipe.project,
                estimates=estimates,
                meaning=self.meaning.to_json(),
                passes=self.passes(retry),
                retry=retry,
                **options,
            ),
        )

    def __repr__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        from html import escape

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
        if not files:  # of a run that ended early
            return pl.LazyFrame()
        if files[0].suffix == ".jsonl":
            rows = any(f.stat().st_size for f in files)
            return pl.scan_ndjson(files) if rows else pl.LazyFrame()
        return pl.scan_parquet(files)

    def __repr__(self) -> str:
        rows = self.record["output"].get("rows", 0)
        if step := self.record["recipe"].get("until"):
            return f"<run {self.record['run']}: ended after `{step}`; no data set>"
        return f"<run {self.record['run']}: {rows:,} rows in {self.project.shown_path(self.path)}>"

    def _repr_html_(self) -> str:
        from html import escape

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
    sets = tuple(_typed(set or {}))
    return Recipe(find_project(path, allow_outside=allow_outside), profile, sets)


def load_plan(path: str | Path, *, allow_outside: bool = False) -> Plan:
    """Load a saved plan, to run it as it is.

    Args:
        path: What `Plan.save` or `mashbill plan -o` wrote.
        allow_outside: Let the recipe's paths leave the project.

    Raises:
        RecipeError: Its recipe does not compile any more.
        SavedPlanError: The file is no saved plan, or its recipe gives another plan now.
    """
    from .planning.saved_plan import read_plan
    from .planning.stale_plan import recompiled, refuse_stale

    saved = read_plan(path)
    plan = recompiled(saved, allow_outside=allow_outside)
    refuse_stale(saved, plan)
    return plan


def load_sets(given: Any) -> Recipe:
    """The recipe that a command line names."""
    project = find_project(given.recipe, allow_outside=given.allow_outside)
    return Recipe(project, given.profile, tuple(given.set))
