"""Calibrations that a project keeps, and those of them that fit the checks of a plan.

`calibrations.jsonl` in the project's state folder, one line a calibration, only ever appended to. A
line that is torn or of another program is passed over.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...compiler.worth.gates import GateRates
from ..project import RECIPE, STATE, Project, find_project
from .fitting import own_rates, shipped_rates, writers_before

if TYPE_CHECKING:
    from ...compiler.plan import Plan
    from .calibrate import Calibration

FORMAT = 1
FILE = "calibrations.jsonl"


@dataclass(frozen=True, slots=True)
class Kept:
    """A calibration as it is kept.

    Attributes:
        at: When it was measured, UTC, `2026-11-22T20:15:00Z`.
        check: As the user named it.
        kind: Of the check.
        version: Of its operator.
        params: As bound.
        data: The file of labelled rows, as the user named it.
        data_digest: Of its content; empty where it could not be read again.
        where: Which of its rows, as the user said it; empty for all.
        good: Good rows that could be judged.
        good_kept: Of these, those kept.
        bad: Bad rows, likewise.
        bad_kept: Of these, those kept.
    """

    at: str
    check: str
    kind: str
    version: int
    params: Mapping[str, Any]
    data: str
    data_digest: str
    where: str
    good: int
    good_kept: int
    bad: int
    bad_kept: int

    def rates(self, other: tuple[str, ...]) -> GateRates:
        """As a gate's rates; `other` names the parameters that a plan has otherwise."""
        said = f"{Path(self.data).name}, {self.good:,} good and {self.bad:,} bad rows"
        said += f" where {self.where}" if self.where else ""
        said += f", {self.at[:10]}"
        said += f"; measured with other {' and '.join(other)}" if other else ""
        return GateRates(self.good_kept, self.good, self.bad_kept, self.bad, said, alike=not other)


def keep(found: Calibration, state: Path, *, where: str | None = None) -> None:
    """Append a calibration; of a disk that takes nothing nothing is said.

    Args:
        found: What was measured. Without a judged good row and a bad one nothing is kept.
        state: The project's state folder, which is made if it is missing.
        where: Which rows of the file were taken; None for all.
    """
    phi, psi = found.figures.phi, found.figures.psi
    if not phi.of or not psi.of:
        return
    one = Kept(
        at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        check=found.subject.name,
        kind=found.subject.operator.name,
        version=found.subject.operator.version,
        params=dict(found.subject.check["params"]),
        data=found.data.file,
        data_digest=_digest(Path(found.data.file)),
        where=where or "",
        good=phi.of,
        good_kept=phi.kept,
        bad=psi.of,
        bad_kept=psi.kept,
    )
    value = {"mashbill_calibration": FORMAT, **asdict(one)}
    line = json.dumps(value, ensure_ascii=False, default=str)
    with suppress(OSError):
        state.mkdir(parents=True, exist_ok=True)
        # One write to the end of the file: two calibrations at once do not tear each other's line.
        end = os.open(state / FILE, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(end, f"\n{line}\n".encode())
        finally:
            os.close(end)


def kept(state: Path) -> Iterator[Kept]:
    """The calibrations of a project, the newest first."""
    try:
        lines = (state / FILE).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return
    for line in reversed(lines):
        with suppress(ValueError, TypeError, LookupError, AttributeError):
            value = json.loads(line)
            if value.pop("mashbill_calibration") == FORMAT:
                yield _sound(Kept(**value))


def state_near(folder: Path) -> Path | None:
    """The state folder of the project that a folder is in; None where it is in none."""
    if (folder / RECIPE).is_file():
        return find_project(folder).state
    return next((p / STATE for p in (folder, *folder.parents) if (p / STATE).is_dir()), None)


def gate_rates(plan: Plan, project: Project) -> dict[str, GateRates]:
    """What is known of the checks of a plan, by `step.check`.

    The newest calibration of the project that has the check's parameters; else the newest of which
    numbers alone differ, which is said; else what was measured of the checks as they are shipped.

    Args:
        plan: The plan.
        project: Whose calibrations are looked at.
    """
    from ...compiler.worth.passing import checks_of
    from ..catalog import load_catalog

    operators = load_catalog().checks
    stored = list(kept(project.state))
    found: dict[str, GateRates] = {}
    for node in plan.nodes:
        for check in checks_of(node):
            operator = operators.get(check["kind"])
            rates = operator and (
                own_rates(check, operator, stored)
                or shipped_rates(check, operator, writers_before(node, plan))
            )
            if rates:
                found[f"{node.name}.{check['name']}"] = rates
    return found


def _sound(one: Kept) -> Kept:
    """Raises `ValueError` where the numbers cannot be counts."""
    counts = (one.good_kept, one.good, one.bad_kept, one.bad)
    if not all(type(n) is int for n in counts) or not isinstance(one.params, dict):
        raise ValueError
    if not (0 <= one.good_kept <= one.good and 0 <= one.bad_kept <= one.bad):
        raise ValueError
    if not (one.good and one.bad and isinstance(one.at, str) and isinstance(one.data, str)):
        raise ValueError
    return one


def _digest(file: Path) -> str:
    try:
        with file.open("rb") as data:
            return hashlib.file_digest(data, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
    except OSError:
        return ""
