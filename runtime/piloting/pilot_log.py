"""What pilots measured, kept for later plans: `.mashbill/pilots.jsonl`, a line a pilot."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ...compiler.budgets import OWN_HARDWARE
from ...compiler.estimating.facts import Speed
from ...compiler.identity import digest

if TYPE_CHECKING:
    from pathlib import Path

    from ...compiler.plan import Plan
    from ..project import Project

FILE = "pilots.jsonl"
FORMAT = 1
MEASURED = 0.1
"""Spread of a speed that was measured on this machine for long enough."""


def note_pilot(state: Path, line: Mapping[str, Any]) -> None:
    """Add a pilot. Raises `OSError`."""
    text = json.dumps({"mashbill_pilot": FORMAT, **line}, ensure_ascii=False, sort_keys=True)
    with (state / FILE).open("a", encoding="utf-8") as out:
        out.write(text + "\n")


def pilots(state: Path) -> Iterator[dict[str, Any]]:
    """All pilots, the latest first; lines that do not read are passed over."""
    try:
        lines = (state / FILE).read_text("utf-8", errors="replace").splitlines()
    except OSError:
        return
    for line in reversed(lines):
        try:
            value = json.loads(line)
        except ValueError:
            continue
        if isinstance(value, dict) and value.get("mashbill_pilot") == FORMAT:
            yield value


def placed(model: Mapping[str, Any]) -> str:
    """Identity of a model and of where it runs, on which its speed depends.

    Args:
        model: Of a plan, pinned.
    """
    return digest({k: model.get(k) for k in ("engine", "digest", "urls", "placement", "options")})


def pilot_speeds(project: Project, plan: Plan) -> dict[str, Speed]:
    """Speeds of a plan's models by their latest pilot, of this recipe if there was one.

    Models that nobody has piloted where they run now are left out.
    """
    name = str(plan.recipe["name"])
    found: dict[str, Speed] = {}
    lines = list(pilots(project.state))
    lines.sort(key=lambda line: line.get("recipe") != name)
    for line in lines:
        measured = {m["placed"]: m for m in line["models"].values() if m.get("reply_per_second")}
        for model, said in plan.models.items():
            seen = measured.get(placed(said))
            if seen is not None and model not in found:
                found[model] = _speed(plan, str(said["engine"]), seen, line)
    return found


def _speed(plan: Plan, engine: str, seen: Mapping[str, Any], line: Mapping[str, Any]) -> Speed:
    count = int((plan.hardware or {}).get("count") or 1) if engine in OWN_HARDWARE else 1
    gpus = 1 if engine == "local" else count
    # A handful of replies scatter around what many would take.
    spread = math.hypot(MEASURED, 1 / math.sqrt(max(int(seen["requests"]), 1)))
    return Speed(
        float(seen["reply_per_second"]) / gpus,
        None,
        spread,
        "p",
        f"measured in a pilot of {line['documents']} documents",
    )
