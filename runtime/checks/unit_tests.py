"""The unit_tests check."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from ...compiler.registry import Case, Column, Count, Duration, Pace, Share, Size, check
from ..verdict import Check, Row, Verdict

if TYPE_CHECKING:
    from ..sandbox.limits import Limits
    from ..sandbox.program import Outcome, Program

_CODE = Column("code")
_TESTS = Column("tests")
_ANYWHERE = {"sandbox": "preferred"}
_DOUBLE = "def double(n):\n    return 2 * n\n"


@check(
    version=1,
    pace=Pace(row=15e-3),
    cases=(
        Case(_ANYWHERE, {"code": _DOUBLE, "tests": "assert double(2) == 4"}, True),
        Case(_ANYWHERE, {"code": _DOUBLE, "tests": ["assert double(0) == 1"]}, "wrong"),
        Case(_ANYWHERE, {"code": _DOUBLE, "tests": "assert treble(1) == 3"}, "error"),
        Case(_ANYWHERE, {"code": "def double(n) 2*n", "tests": "assert double(2) == 4"}, "syntax"),
        Case(_ANYWHERE, {"code": _DOUBLE, "tests": "double(2)"}, "no_tests"),
        Case(
            {**_ANYWHERE, "must_bite": True},
            {"code": _DOUBLE, "tests": "assert callable(double)"},
            "stub_passes",
        ),
        Case(
            {**_ANYWHERE, "min_asserts": 2},
            {"code": _DOUBLE, "tests": "assert double(2) == 4"},
            "few_asserts",
        ),
    ),
)
def unit_tests(
    code: Column = _CODE,
    tests: Column = _TESTS,
    setup: Column | None = None,
    framework: Literal["auto", "assert", "pytest"] = "auto",
    file: str = "main.py",
    compile: list[str] | None = None,
    run: list[str] | None = None,
    test_file: str | None = None,
    sandbox: Literal["required", "preferred"] = "required",
    timeout: Duration = Duration(10.0),  # noqa: B008
    cpu: Duration | None = None,
    memory: Size = Size(512_000_000),  # noqa: B008
    processes: Count = Count(32),  # noqa: B008
    disk: Size = Size(64_000_000),  # noqa: B008
    output: Size = Size(1_000_000),  # noqa: B008
    must_bite: bool = False,
    mutants: Count = Count(6),  # noqa: B008
    killed: Share = Share(0.5),  # noqa: B008
    coverage: Share | None = None,
    min_asserts: Count = Count(1),  # noqa: B008
) -> Check:
    """Run a program's tests in a sandbox: they must all run to their end and hold.

    Python needs nothing else: plain asserts, a list of them, test functions, unittest, or pytest
    where it is installed here. The tests see the program's own names, and a module `solution`.
    Other languages run by `run`, with `{file}` for the program's file and `{test_file}` for that of
    the tests; without `test_file` the tests are put behind the program. Status 0 is a pass.

    A row is rejected as `wrong` (an assert does not hold), `error`, `timeout`, `memory`, `output`,
    `syntax`, `compile`, `no_tests`, `few_asserts`, `stub_passes`, `mutant_passes` or `coverage`.
    The evidence is what a repair prompt needs: the assert with both values, or the error with its
    line, and the end of what was printed.

    What it cannot see: a program made for this check alone, which takes its harness apart from
    within. What `assert f(x) == value` expects is never in the program's process, so such tests
    cannot be passed without the right values; others could be.

    Args:
        code: The program.
        tests: Its tests: text, or a list of texts.
        setup: Python that runs between the two.
        framework: How Python tests run; `auto` takes pytest where they import it.
        file: What the program's file is called, for other languages.
        compile: Command that runs before `run`.
        run: Command that runs the tests.
        test_file: What the tests' file is called.
        sandbox: `required` refuses to run without bubblewrap; `preferred` takes process limits
            where there is none, which stop no program that is up to harm.
        timeout: Wall-clock time of the tests.
        cpu: Processor time of each process; `timeout` if absent.
        memory: Memory of all its processes together.
        processes: Processes and threads at a time.
        disk: Files, which lie in memory.
        output: What may be printed.
        must_bite: Whether the tests must fail for a stub of the program, whose functions do
            nothing, and for enough mutants of it (Python).
        mutants: How many mutants are tried at most.
        killed: Share of the mutants that must fail; some mutants do what the program does.
        coverage: Share of the program's lines that the tests must reach (Python).
        min_asserts: Assertions that the tests must hold at least.

    Raises:
        ValueError: For `must_bite` or `coverage` with parameters that they do not go with.
    """
    from ..sandbox.limits import Limits
    from ..sandbox.pool import sandboxes
    from ..sandbox.program import Program

    if run is None and compile is not None:
        raise ValueError("`compile:` needs `run:`, the command that runs the tests")
    if run is not None and coverage is not None:
        raise ValueError("`coverage:` is of Python's tests; it does not go with `run:`")
    limits = Limits(timeout, cpu, memory, processes, disk, output=output)
    strict = sandbox == "required"

    def program(source: str, parts: Sequence[str], row: Row, covered: bool = False) -> Program:
        if run is None:
            before = str(row[setup] or "") if setup else ""
            return Program("tests", source, tuple(parts), before, framework, covered)
        body = "\n".join(parts)
        files = {file: source, test_file: body} if test_file else {file: f"{source}\n{body}\n"}
        names = {"{file}": file, "{test_file}": test_file or file}
        stages = (("compile", compile), ("run", run))
        commands = tuple((s, _filled(c, names)) for s, c in stages if c)
        return Program("command", files=files, commands=commands)

    def judge(row: Row) -> Verdict:
        source, parts = str(row[code] or ""), _parts(row[tests])
        if not parts:
            return Verdict(False, "no_tests")

        def tried(changed: str, within: Limits) -> Outcome:
            return sandboxes().run(program(changed, parts, row), within, strict=strict)

        first = program(source, parts, row, coverage is not None)
        outcome = sandboxes().run(first, limits, strict=strict)
        asserts = outcome.asserts if run is None else sum(part.count("assert") for part in parts)
        if not outcome.passed:
            return _rejected(outcome)
        if asserts < min_asserts and (run is None or min_asserts > 1):
            return Verdict(False, "few_asserts", {"asserts": asserts, "wanted": min_asserts})
        if coverage is not None and (bad := _uncovered(outcome, coverage)):
            return bad
        if must_bite:
            from ..sandbox.bite import toothless

            found = toothless(source, outcome, tried, limits, mutants if run is None else 0, killed)
            if found:
                return found
        return Verdict(True, "", {"asserts": asserts})

    return judge


def _parts(tests: Any) -> list[str]:
    """The tests' sources, without the empty ones."""
    given = tests if isinstance(tests, list | tuple) else [tests]
    return [str(part) for part in given if part is not None and str(part).strip()]


def _filled(command: Sequence[str], names: dict[str, str]) -> tuple[str, ...]:
    made = []
    for word in command:
        for name, value in names.items():
            word = word.replace(name, value)
        made.append(word)
    return tuple(made)


def _rejected(outcome: Outcome) -> Verdict:
    if outcome.reason == "absent":
        raise RuntimeError(f"the sandbox does not have {outcome.evidence.get('error')}")
    evidence = {k: v for k, v in outcome.evidence.items() if v not in (None, "")}
    printed = "\n".join(part for part in (outcome.stdout, outcome.stderr) if part.strip())
    if printed:
        evidence["output"] = printed.strip()[-600:]
    return Verdict(False, outcome.reason, evidence)


def _uncovered(outcome: Outcome, wanted: float) -> Verdict | None:
    ran, missed = outcome.coverage or ((), ())
    share = len(ran) / max(1, len(ran) + len(missed))
    if share >= wanted:
        return None
    return Verdict(False, "coverage", {"covered": round(share, 3), "missed": list(missed[:20])})
