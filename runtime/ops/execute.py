"""What a program prints, as a column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from ...compiler.registry import Column, Count, Duration, Pace, Size, step
from ..outcome import Outcome
from ..tools import Tools

if TYPE_CHECKING:
    from ..sandbox.limits import Limits
    from ..sandbox.program import Program

_CODE = Column("code")
CUT = "\n… (cut)"


@dataclass(frozen=True, slots=True)
class Execute:
    """A built `execute` step."""

    code: str
    commands: tuple[tuple[str, tuple[str, ...]], ...]
    file: str
    limits: Limits
    strict: bool
    most: int

    async def run(self, row: Mapping[str, Any]) -> tuple[Outcome, ...]:
        """Run a row's program. Raises `SandboxError`."""
        import asyncio

        from ..sandbox.pool import sandboxes

        source = str(row[self.code] or "")
        if not source.strip():
            return (Outcome("out", ({**row, "output": "", "status": "empty"},)),)
        program, pool = self.program(source), sandboxes()
        done = await asyncio.to_thread(pool.run, program, self.limits, strict=self.strict)
        if done.reason == "absent":
            raise RuntimeError(f"the sandbox does not have {done.evidence.get('error')}")
        printed = done.stdout
        if done.reason == "syntax":
            printed = str(done.evidence.get("error", ""))
        elif not done.passed and (said := _last_line(done.stderr)):
            printed = f"{printed.rstrip()}\n{said}".lstrip()
        printed = printed.rstrip("\n")
        if len(printed) > self.most:
            printed = printed[: self.most] + CUT
        status = "ok" if done.passed else done.reason
        return (Outcome("out", ({**row, "output": printed, "status": status},)),)

    def program(self, source: str) -> Program:
        """What to run of a row."""
        from ..sandbox.program import Program

        if not self.commands:
            return Program("script", source)
        return Program("command", files={self.file: source}, commands=self.commands)


@step(
    stage="check",
    version=1,
    cost="cpu",
    writes=("output", "status"),
    drops=False,
    pace=Pace(row=15e-3),
)
def execute(
    code: Column = _CODE,
    file: str = "main.py",
    compile: list[str] | None = None,
    run: list[str] | None = None,
    sandbox: Literal["required", "preferred"] = "required",
    timeout: Duration = Duration(10.0),  # noqa: B008
    memory: Size = Size(512_000_000),  # noqa: B008
    processes: Count = Count(32),  # noqa: B008
    disk: Size = Size(64_000_000),  # noqa: B008
    most: Count = Count(2000),  # noqa: B008
) -> Any:
    """Run a program in a sandbox and keep what it prints, for reasoning that uses a tool.

    Writes `output`, what the program printed (and, if it failed, the last line of its error, as an
    interpreter shows it), and `status`: `ok`, `error`, `timeout`, `memory`, `output` (too much
    of it), `syntax`, `compile`, or `empty` where there is no program. No row is rejected: what to
    keep is for `filter`, `verify` or the next prompt to say.

    Args:
        code: The program; Python, unless `run` is given.
        file: What the program's file is called, for other languages.
        compile: Command that runs before `run`, with `{file}`.
        run: Command that runs the program, with `{file}`.
        sandbox: `required` refuses to run without bubblewrap; `preferred` takes process limits
            where there is none, which stop no program that is up to harm.
        timeout: Wall-clock time.
        memory: Memory of all processes together.
        processes: Processes and threads at a time.
        disk: Files, which lie in memory.
        most: Characters of output that are kept.
    """
    stages = (("compile", compile), ("run", run))
    commands = tuple(
        (stage, tuple(word.replace("{file}", file) for word in words))
        for stage, words in stages
        if words
    )

    def build(tools: Tools) -> Execute:
        from ..sandbox.limits import Limits

        limits = Limits(timeout, None, memory, processes, disk)
        return Execute(code, commands, file, limits, sandbox == "required", most)

    return build


def _last_line(text: str) -> str:
    return text.strip().rpartition("\n")[2]
