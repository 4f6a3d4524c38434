"""The compiles check."""

from __future__ import annotations

from typing import Literal

from ...compiler.registry import Case, Column, Duration, Pace, Size, check
from ..verdict import Check, Row, Verdict

_CODE = Column("code")
_ANYWHERE = {"sandbox": "preferred"}


@check(
    version=1,
    pace=Pace(row=8e-3),
    cases=(
        Case(_ANYWHERE, {"code": "print(1)"}, True),
        Case(_ANYWHERE, {"code": "while True: pass"}, True),
        Case(_ANYWHERE, {"code": "def f(:\n    pass"}, "syntax"),
        Case(_ANYWHERE, {"code": " \n"}, "empty"),
    ),
)
def compiles(
    got: Column = _CODE,
    run: list[str] | None = None,
    file: str = "main.py",
    sandbox: Literal["required", "preferred"] = "required",
    timeout: Duration = Duration(10.0),  # noqa: B008
    memory: Size = Size(1_000_000_000),  # noqa: B008
) -> Check:
    """Hold a program to what its compiler takes; it is not run.

    Python needs nothing else. Other languages declare a command, in which `{file}` stands for the
    program's file, and any compiler on the machine will do: `run: [gcc, -fsyntax-only, "{file}"]`
    with `file: main.c`, `run: [node, --check, "{file}"]`, `run: [bash, -n, "{file}"]`.

    A row is rejected as `syntax`, `timeout`, `memory`, `output`, or `empty` where there is no
    program.

    Args:
        got: The program.
        run: The command; status 0 says that the program compiles.
        file: What the program's file is called.
        sandbox: `required` refuses to run without bubblewrap; `preferred` takes process limits
            where there is none.
        timeout: Wall-clock time.
        memory: Memory of all processes together.
    """
    from ..sandbox.limits import Limits
    from ..sandbox.pool import sandboxes
    from ..sandbox.program import Program

    limits = Limits(timeout, None, memory)
    command = tuple(word.replace("{file}", file) for word in run or ())

    def judge(row: Row) -> Verdict:
        source = str(row[got] or "")
        if not source.strip():
            return Verdict(False, "empty")
        program = Program("compile", source)
        if command:
            program = Program("command", files={file: source}, commands=(("compile", command),))
        outcome = sandboxes().run(program, limits, strict=sandbox == "required")
        if outcome.passed:
            return Verdict(True)
        if outcome.reason == "absent":
            raise RuntimeError(f"the sandbox does not have {outcome.evidence.get('error')}")
        reason = outcome.reason if outcome.reason in ("timeout", "memory", "output") else "syntax"
        said = (outcome.stderr or outcome.stdout).strip()[:600]
        return Verdict(False, reason, {"output": said} if said else dict(outcome.evidence))

    return judge
