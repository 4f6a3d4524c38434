"""The data set on disk: shards, card, recipe, plan and run record, put in place as a whole."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..compiler.plan import Plan
from .card import write_card
from .project import Project
from .runs import dump_json, write_whole

DEFAULT_COLUMNS = ("text", "_id", "_doc", "_source", "_origin")


class OutputError(Exception):
    """The output folder holds something else; the message says what to type."""


@dataclass(frozen=True, slots=True)
class Output:
    """Where a plan's data set goes.

    Attributes:
        path: The folder.
        format: parquet or jsonl.
        shard: Bytes of text a shard.
        columns: In order.
    """

    path: Path
    format: str
    shard: int
    columns: tuple[str, ...]

    @property
    def partial(self) -> Path:
        """Where it grows until it is whole."""
        return self.path.with_name(self.path.name + ".partial")

    def standing(self) -> dict[str, Any] | None:
        """The run record of the data set that stands there; None if there is none."""
        try:
            value = json.loads((self.path / "run.json").read_text("utf-8"))
        except (OSError, ValueError):
            return None
        return value if isinstance(value, dict) else None

    def complete(self, digest: str) -> bool:
        """Whether the data set of a plan stands there, with all its shards."""
        record = self.standing()
        if not record or record.get("plan") != digest or record.get("status") != "done":
            return False
        shards = record.get("output", {}).get("shards", [])
        return all(
            (file := self.path / s["file"]).is_file() and file.stat().st_size == s["bytes"]
            for s in shards
        )

    def refuse_foreign(self, digest: str, replace: bool) -> None:
        """Refuse to overwrite what is not this plan's.

        Raises:
            OutputError: The folder holds another run's data set, or other files.
        """
        if not self.path.exists() or (self.path.is_dir() and not any(self.path.iterdir())):
            return
        shown = os.path.relpath(self.path)
        record = self.standing()
        if record is None:
            raise OutputError(
                f"{shown} holds files that mashbill did not write; use another output.path"
            )
        if record.get("plan") != digest and not replace:
            raise OutputError(
                f"{shown} holds run {record.get('run')} of another plan; "
                "use another output.path, or type: mashbill run --replace"
            )

    def begin(self) -> Path:
        """An empty folder to write into. Raises `OSError`."""
        shutil.rmtree(self.partial, ignore_errors=True)
        self.partial.mkdir(parents=True)
        return self.partial

    def finish(self, plan: Plan, record: Mapping[str, Any], project: Project) -> None:
        """Add card, recipe, plan and record, and put the folder in place. Raises `OSError`."""
        write_whole(self.partial / "plan.json", plan.dump())
        write_whole(self.partial / "run.json", dump_json(record))
        write_whole(self.partial / "README.md", write_card(plan, record))
        copy_recipe(project, plan, self.partial / "recipe")
        old = self.path.with_name(self.path.name + ".old")
        shutil.rmtree(old, ignore_errors=True)
        if self.path.exists():
            self.path.replace(old)
        self.partial.replace(self.path)
        shutil.rmtree(old, ignore_errors=True)


def output_of(plan: Plan, project: Project) -> Output:
    """Where a plan writes; beside the recipe unless the user typed the path.

    Raises:
        OutsideError: The recipe's path leaves its project.
    """
    written = plan.output["path"]
    name = str(plan.recipe["name"])
    if written and plan.output.get("typed"):
        path = Path.cwd() / written
    else:
        path = project.confined(str(written or f"out/{name}"))
    columns = tuple(plan.output["columns"]) or DEFAULT_COLUMNS
    if plan.mix and not plan.output["columns"]:
        columns = (*columns, "_part")
    return Output(Path(os.path.abspath(path)), plan.output["format"], plan.output["shard"], columns)


def copy_recipe(project: Project, plan: Plan, folder: Path) -> None:
    """Copy the recipe and the prompt files that the plan uses. Raises `OSError`."""
    folder.mkdir(parents=True)
    shutil.copyfile(project.recipe, folder / "recipe.yaml")
    for node in plan.nodes:
        for path, text in (node.prompt or {}).get("files", {}).items():
            target = folder / path
            if not target.resolve().is_relative_to(folder.resolve()):
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8", newline="")
