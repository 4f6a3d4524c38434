"""Folders to start a recipe from, and how one is written without harm to what is there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TEMPLATES = Path(__file__).parent / "templates"
SHARED = TEMPLATES / "shared"
ADDED = (".gitignore", ".gitattributes")
"""Files that have other owners too: lines are added to them, and none is taken."""


@dataclass(frozen=True, slots=True)
class Starter:
    """A folder to start from; `about` is what its recipe says of itself."""

    name: str
    about: str
    folder: Path


@dataclass(frozen=True, slots=True)
class Written:
    """What became of one file.

    Attributes:
        done: `created`, `replaced`, `kept` or `left out`.
        path: As shown, relative to the folder.
        about: What it is for, or what was added to it.
    """

    done: str
    path: str
    about: str


def find_starters() -> dict[str, Starter]:
    """All of them by name."""
    made = {}
    for recipe in sorted(TEMPLATES.glob("*/recipe.yaml")):
        about = re.search(r"^about: (.*)$", recipe.read_text("utf-8"), re.MULTILINE)
        name = recipe.parent.name
        made[name] = Starter(name, about[1] if about else "", recipe.parent)
    return made


def write_starter(
    starter: Starter, folder: Path, schema: str, *, force: bool = False
) -> Iterator[Written]:
    """Write a recipe's folder, file by file; what is there stays unless `force`.

    Args:
        starter: What to write.
        folder: Where; made if it is not there.
        schema: The JSON Schema of recipes, for editors.
        force: Replace files that are there; those of `ADDED` are only ever added to.

    Raises:
        OSError: A file cannot be written; those before it are.
    """
    files = {
        "recipe.yaml": starter.folder / "recipe.yaml",
        "docs.jsonl": SHARED / "docs.jsonl",
        **{
            p.relative_to(starter.folder).as_posix(): p
            for p in sorted(starter.folder.rglob("*.j*"))
        },
    }
    for name, source in files.items():
        yield _write(folder, name, source.read_text("utf-8"), force=force)
    yield _write(folder, ".mashbill/recipe.schema.json", schema, force=force)
    for name, source in (
        (".pre-commit-config.yaml", SHARED / "pre-commit-config.yaml"),
        (".github/workflows/mashbill.yml", SHARED / "workflow.yml"),
    ):
        if root := _repository_above(folder):
            yield Written("left out", name, f"belongs in {root}")
        else:
            yield _write(folder, name, source.read_text("utf-8"), force=force)
    for name in ADDED:
        yield _add(folder, name, (SHARED / name.lstrip(".")).read_text("utf-8").splitlines())


def _write(folder: Path, name: str, text: str, *, force: bool) -> Written:
    file = folder / name
    there = file.exists()
    if there and not force:
        return Written("kept", name, "")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8", newline="")
    return Written("replaced" if there else "created", name, _about(name, text))


def _about(name: str, text: str) -> str:
    if name.endswith(".jsonl"):
        return f"{text.count(chr(10))} rows, CC0-1.0"
    if name.endswith(".j2"):
        given = re.search(r"^inputs: \{(.*)\}$", text, re.MULTILINE)
        names = [pair.split(":")[0].strip() for pair in given[1].split(",")] if given else []
        return f"inputs: {', '.join(names)}"
    if name == "recipe.yaml":
        return f"{text.count(chr(10))} lines"
    return {
        ".mashbill/recipe.schema.json": "completion in editors (VS Code, JetBrains, Neovim)",
        ".pre-commit-config.yaml": "mashbill fmt and check before each commit",
        ".github/workflows/mashbill.yml": "the same for each push",
    }[name]


def _add(folder: Path, name: str, wanted: list[str]) -> Written:
    """Add to a file what it lacks."""
    file = folder / name
    there = file.read_text("utf-8") if file.exists() else None
    missing = [line for line in wanted if line not in (there or "").splitlines()]
    if missing:
        gap = "\n" if there and not there.endswith("\n") else ""
        file.write_text(
            f"{there or ''}{gap}{chr(10).join(missing)}\n", encoding="utf-8", newline=""
        )
    done = "created" if there is None else "kept"
    return Written(done, name, f"added {', '.join(missing)}" if missing else "")


def _repository_above(folder: Path) -> str | None:
    """The repository that a folder is a part of, unless it is its root."""
    full = folder.absolute()
    if (full / ".git").exists():
        return None
    found = next((p for p in full.parents if (p / ".git").exists()), None)
    return str(found) if found else None
