"""The data set on disk: shards, card, recipe, plan and run record, put in place as a whole."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..compiler.plan import Plan
from .card import write_card
from .holding import LOCK, held, sweep
from .project import Project
from .runs import dump_json, write_whole


class OutputError(Exception):
    """The output folder holds something else; the message says what to type."""


@dataclass(frozen=True, slots=True)
class Output:
    """Where a plan's data set goes.

    Attributes:
        path: The folder.
        format: parquet or jsonl.
        shard: Bytes a shard, about.
        columns: In order.
    """

    path: Path
    format: str
    shard: int
    columns: tuple[str, ...]

    def standing(self) -> dict[str, Any] | None:
        """The run record of the data set that stands there; None if there is none."""
        try:
            value = json.loads((self.path / "run.json").read_text("utf-8"))
        except (OSError, ValueError):
            return None
        return value if isinstance(value, dict) else None

    @property
    def partial(self) -> Output:
        """Where a run that pauses puts what it has."""
        return replace(self, path=self.path.with_name(f"{self.path.name}.partial"))

    def discard(self) -> None:
        """Remove a partial data set, which the whole one has made useless."""
        record = self.standing()
        if record is not None and record.get("status") == "paused":
            shutil.rmtree(self.path, ignore_errors=True)

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
        if not os.path.lexists(self.path):
            return
        shown = os.path.relpath(self.path)
        if not self.path.is_dir():
            raise OutputError(f"{shown} is not a folder; use another output.path")
        record = self.standing()
        own = {"run.json", "plan.json", "README.md", "recipe", LOCK} if record else set()
        own |= {s["file"] for s in (record or {}).get("output", {}).get("shards", [])}
        if foreign := sorted({p.name for p in self.path.iterdir()} - own):
            more = f" and {len(foreign) - 1} more" if len(foreign) > 1 else ""
            raise OutputError(
                f"{shown} holds {foreign[0]}{more}, which mashbill did not write; "
                "use another output.path"
            )
        if record and record.get("plan") != digest and not replace:
            raise OutputError(
                f"{shown} holds run {record.get('run')} of another plan; "
                "use another output.path, or type: mashbill run --replace"
            )

    @contextmanager
    def staging(self, run: str) -> Iterator[Path]:
        """A folder for the files of a run until they are whole. Raises `OSError`."""
        left = f".{self.path.name}."
        parent = self.path.parent
        if parent.is_dir():
            sweep(p for p in parent.iterdir() if p.name.startswith(left) and p.suffix == ".tmp")
        with held(parent / f"{left}{run}-{os.getpid()}.tmp") as folder:
            yield folder

    def finish(
        self, folder: Path, plan: Plan, record: Mapping[str, Any], project: Project, replacing: bool
    ) -> None:
        """Add card, recipe, plan and record to a staging folder, and put it in place.

        Raises:
            OSError: A file cannot be written or moved.
            OutputError: Meanwhile, something else has come to stand there.
        """
        write_whole(folder / "plan.json", plan.dump())
        write_whole(folder / "run.json", dump_json(record))
        write_whole(folder / "README.md", write_card(plan, record))
        copy_recipe(project, plan, folder / "recipe")
        while True:
            self.refuse_foreign(plan.digest, replacing)
            with held(folder.with_suffix(".old.tmp")) as aside:
                with suppress(FileNotFoundError):
                    self.path.rename(aside / "was")
                try:
                    folder.rename(self.path)
                except OSError as error:
                    if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
                        continue  # another run was faster: look again
                    with suppress(OSError):
                        (aside / "was").rename(self.path)
                    raise
            (self.path / LOCK).unlink(missing_ok=True)
            return


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
    return Output(
        Path(os.path.abspath(path)),  # noqa: PTH100, links stay as written
        plan.output["format"],
        plan.output["shard"],
        tuple(plan.output["columns"]),
    )


def copy_recipe(project: Project, plan: Plan, folder: Path) -> None:
    """Copy the recipe, its lock and the prompt files that the plan uses. Raises `OSError`."""
    folder.mkdir(parents=True)
    shutil.copyfile(project.recipe, folder / "recipe.yaml")
    lock = project.folder / "recipe.lock"
    if lock.is_file() and not lock.is_symlink():
        shutil.copyfile(lock, folder / "recipe.lock")
    for read in (*(node.prompt or {} for node in plan.nodes), *plan.renders.values()):
        for path, text in read.get("files", {}).items():
            target = folder / path
            if not target.resolve().is_relative_to(folder.resolve()):
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8", newline="")
