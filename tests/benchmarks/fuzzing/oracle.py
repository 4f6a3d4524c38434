"""What must hold of every input: nothing but diagnostics, each in its place; fixes that mend."""

from __future__ import annotations

import json
import re
import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Literal

from jinja2 import Environment, TemplateSyntaxError

from mashbill.compiler.codes import CODES
from mashbill.compiler.compile import Compiled, compile_recipe
from mashbill.compiler.diagnostics import Diagnostic, Report
from mashbill.compiler.document import parse_document
from mashbill.compiler.drawing.dot import draw_dot
from mashbill.compiler.drawing.mermaid import draw_mermaid
from mashbill.compiler.drawing.picture import picture_of
from mashbill.compiler.drawing.text import draw_text
from mashbill.compiler.explaining import Told, explain
from mashbill.compiler.expr import infer_type, parse_expr, show_expr
from mashbill.compiler.layout.canonical import LayoutError, format_recipe
from mashbill.compiler.meaning import meaning_of
from mashbill.compiler.optimise import optimise
from mashbill.compiler.plan import Plan
from mashbill.compiler.render import render, render_github, render_json
from mashbill.compiler.resolve import resolve_recipe, settings, show_settings
from mashbill.compiler.spec import violations
from mashbill.runtime.catalog import load_catalog
from mashbill.runtime.cli.check_ import mended
from mashbill.runtime.cli.columns import columns_json, columns_text

from .case import RECIPE, Case

SECONDS = 5.0
"""Of processor time that a case may take."""

Stage = Literal["text", "yaml", "shape", "bound", "plan"]
"""How far a case came: no YAML, a document, one of the right shape, bound, a plan."""

_ESCAPES = re.compile(r"\x1b\[[0-9;]*m")
_STEERING = re.compile(
    "[\0-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)

_ODD_BREAKS = re.compile("[\x85\u2028\u2029]")


class Fault(Exception):
    """Something that must hold does not."""


class TooSlow(BaseException):
    """A case takes longer than it may. No `Exception`, so that no pass takes it for its own."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How far a case came, and what is wrong with the compiler.

    Attributes:
        stage: The last stage that it reached.
        parsed: Whether what was mutated could be read: YAML, the expressions, the template.
        fault: One line that names the defect by its place; empty if there is none.
        story: The traceback.
    """

    stage: Stage
    parsed: bool = False
    fault: str = ""
    story: str = ""


def judge(case: Case, expressions: tuple[str, ...] = (), seconds: float = SECONDS) -> Verdict:
    """Put one case through everything that reads recipes."""
    stage: Stage = "text"
    try:
        with time_limit(seconds):
            for text in expressions:
                _expression(text)
            compiled = compile_case(case)
            stage = _stage(compiled)
            for rule in RULES:
                rule(case, compiled)
            parsed = _parsed(case, compiled, expressions)
    except (Exception, TooSlow) as error:
        return Verdict(stage, False, _name(error), traceback.format_exc(limit=-12))
    return Verdict(stage, parsed)


def compile_case(case: Case, files: dict[str, str] | None = None) -> Compiled:
    """Compile a case, or the same with other texts."""
    changed = replace(case, files={**case.files, **(files or {})})
    return compile_recipe(
        changed.files[RECIPE],
        RECIPE,
        load_catalog(),
        changed.world(),
        profile=case.profile,
        sets=case.sets,
    )


def spans_in_range(case: Case, compiled: Compiled) -> None:
    """Every diagnostic stands in the table, on one line, and points into a text that is there."""
    report = compiled.report
    for d in report.diagnostics:
        if d.code not in CODES or not d.message or "\n" in d.message:
            raise Fault(f"{d.code}: no code, or more than one line: {d.message!r}")
        spans = [d.span, *(s.span for s in d.secondary), *(e.span for e in d.fix)]
        for span in filter(None, spans):
            if span.file not in report.files:
                raise Fault(f"{d.code}: no text of {span.file!r}")
            if not 0 <= span.start <= span.end <= len(report.files[span.file]):
                raise Fault(f"{d.code}: {span} is outside of its text")


def renders(case: Case, compiled: Compiled) -> None:
    """Every form can be written; the terminal is not steered, colour changes no word."""
    report = compiled.report
    plain = render(report, width=80)
    if _ESCAPES.sub("", render(report, width=80, colour=True)) != plain:
        raise Fault("render: colours change the text")
    if found := _STEERING.search(plain):
        raise Fault(f"render: U+{ord(found[0]):04X} reaches the terminal")
    render(report, width=40, limit=1)
    value = json.loads(render_json(report))
    if len(value["diagnostics"]) != len(report.diagnostics):
        raise Fault("json: diagnostics are lost")
    if report.diagnostics and len(render_github(report).split("\n")) != len(report.diagnostics):
        raise Fault("github: an annotation is no line")


def fixes_mend(case: Case, compiled: Compiled) -> None:
    """`--fix` leaves a text that can still be read; the first fix alone mends what it is for."""
    report = compiled.report
    if not any(d.fix for d in report.diagnostics):
        return
    first = next(d for d in report.diagnostics if d.fix)
    _mend(case, compiled, replace(report, diagnostics=(first,)), alone=first)
    _mend(case, compiled, report)


def _mend(case: Case, before: Compiled, report: Report, alone: Diagnostic | None = None) -> None:
    texts, _ = mended(report)
    if not texts:
        return
    after = compile_case(case, texts)
    codes = sorted({d.code for d in report.diagnostics if d.fix})
    where = f"fix of {', '.join(codes)}"
    read = parse_document(texts.get(RECIPE, case.files[RECIPE]), RECIPE)[0]
    if before.recipe is not None and read is None:
        raise Fault(f"{where}: the recipe can be read no more")
    for rule in (spans_in_range, renders):
        rule(replace(case, files={**case.files, **texts}), after)
    if alone and any(_alike(d, alone) for d in after.report.diagnostics):
        raise Fault(f"fix of {alone.code}: the error stands as before")


def _alike(one: Diagnostic, other: Diagnostic) -> bool:
    """Whether two reports say the same of one place; the next of its kind is another."""
    if one.code != other.code or one.message != other.message or not (one.span and other.span):
        return False
    return (one.span.file, one.span.start) == (other.span.file, other.span.start)


def formats(case: Case, compiled: Compiled) -> None:
    """`fmt` gives a text that it leaves as it is, with the same meaning."""
    try:
        made = format_recipe(case.files[RECIPE], load_catalog(), RECIPE)
    except LayoutError:
        if _ODD_BREAKS.search(case.files[RECIPE]):  # what ends a comment there ends no line here
            return
        raise
    if made.diagnostics:
        _in_range(made.diagnostics, made.text)
        return
    again = format_recipe(made.text, load_catalog(), RECIPE)
    if again.text != made.text:
        raise Fault("fmt: formatting again changes the text")
    if compiled.plan is not None and not case.sets:
        plan = compile_case(case, {RECIPE: made.text}).plan
        if plan is None or plan.digest != compiled.plan.digest:
            raise Fault("fmt: another plan")


def _in_range(diagnostics: tuple[Diagnostic, ...], text: str) -> None:
    for span in (d.span for d in diagnostics if d.span):
        if not 0 <= span.start <= span.end <= len(text):
            raise Fault(f"fmt: {span} is outside of its text")


def resolves(case: Case, compiled: Compiled) -> None:
    """`show --resolved` shows any document."""
    made = resolve_recipe(case.files[RECIPE], RECIPE, load_catalog(), case.profile, case.sets)
    show_settings(made)
    list(settings(made))


def draws(case: Case, compiled: Compiled) -> None:
    """`graph` and `show --columns` show whatever could be bound."""
    if compiled.graph is None or compiled.recipe is None:
        return
    picture = picture_of(compiled.graph, compiled.recipe)
    for text in (draw_text(picture), draw_text(picture, ascii_only=True)):
        if found := _STEERING.search(text):
            raise Fault(f"graph: U+{ord(found[0]):04X} reaches the terminal")
    draw_dot(picture)
    draw_mermaid(picture)
    for node in compiled.graph:
        columns_text(node, None, 80)
        columns_json(node, None)


def plans(case: Case, compiled: Compiled) -> None:
    """A plan survives its file, its graph keeps the invariants, and it can be told."""
    plan, graph = compiled.plan, compiled.graph
    if plan is None or graph is None:
        return
    text = plan.dump()
    read = Plan.load(text)
    if read.dump() != text or read.digest != plan.digest:
        raise Fault("plan: loading changes it")
    if wrong := [*violations(graph), *violations(optimise(graph)[0])]:
        raise Fault(f"graph: {wrong[0]}")
    explain(Told(plan, meaning=meaning_of(plan, graph, load_catalog())))


Rule = Callable[[Case, Compiled], None]
RULES: tuple[Rule, ...] = (
    spans_in_range, renders, fixes_mend, formats, resolves, draws, plans,
)  # fmt: skip


def _expression(text: str) -> None:
    """An expression alone: its problems lie inside it, and what it shows reads as the same."""
    expr, problems = parse_expr(text)
    if expr is not None:
        _, problems = infer_type(expr, {})
        shown = show_expr(expr)
        if parse_expr(shown)[0] != expr:
            raise Fault(f"show_expr: {shown!r} reads otherwise than {text!r}")
    for problem in problems:
        if not 0 <= problem.start <= problem.end <= len(text):
            raise Fault(f"expression: {problem} is outside of {text!r}")


def _stage(compiled: Compiled) -> Stage:
    if compiled.plan is not None:
        return "plan"
    if compiled.recipe is None:
        return "text"
    codes = {d.code for d in compiled.report.errors}
    if any(code.startswith("S") for code in codes):
        return "yaml"
    return "bound" if not any(code.startswith("R") for code in codes) else "shape"


def _parsed(case: Case, compiled: Compiled, expressions: tuple[str, ...]) -> bool:
    if case.target == "expressions":
        return all(parse_expr(text)[0] is not None for text in expressions)
    if case.target == "prompts":
        broken = {d.code for d in compiled.report.errors if d.span and d.span.file == case.changed}
        return not any(code.startswith("S") for code in broken) and _is_template(case.text)
    return compiled.recipe is not None


def _is_template(text: str) -> bool:
    try:
        Environment().parse(text)
    except (TemplateSyntaxError, ValueError, RecursionError):  # numbers too long, nesting too deep
        return False
    return True


def _name(error: BaseException) -> str:
    """One line that is the same for the same defect."""
    if isinstance(error, Fault):
        return str(error).split("\n")[0][:200]
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if "/compiler/" in f.filename or "/runtime/" in f.filename]
    at = (own or frames)[-1]
    place = f"{at.filename.rpartition('/main/')[2]}:{at.name}"
    if isinstance(error, TooSlow | RecursionError | LayoutError):
        place = at.filename.rpartition("/main/")[2]
    return f"{type(error).__name__} in {place}"


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise `TooSlow` after so much processor time."""

    def stop(number: int, frame: Any) -> None:
        raise TooSlow

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
