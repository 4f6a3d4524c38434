"""compiler/ is pure: it never imports runtime/ or anything that reads, calls or computes for it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FORBIDDEN = {
    "aiohttp", "asyncio", "httpx", "multiprocessing", "orjson", "polars", "ray", "requests",
    "socket", "subprocess", "tokenizers", "urllib", "vllm", "xllamacpp",
}  # fmt: skip
FILES = sorted((ROOT / "compiler").rglob("*.py"))


def imported(file: Path) -> set[tuple[str, int]]:
    """Modules that a file imports, with how many dots; type-checking imports too."""
    found: set[tuple[str, int]] = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {(alias.name, 0) for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "", node.level))
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(ROOT)))
def test_the_compiler_imports_nothing_of_the_runtime(file: Path) -> None:
    depth = len(file.relative_to(ROOT / "compiler").parts)
    for module, level in imported(file):
        assert level <= depth, f"{file.name} reaches out of compiler/"
        top = module.split(".")[0]
        assert level or top not in FORBIDDEN, f"{file.name} imports {module}"
        assert "runtime" not in module.split("."), f"{file.name} imports {module}"


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(ROOT)))
def test_the_compiler_opens_no_file(file: Path) -> None:
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in ("open", "exec", "eval", "__import__") or (
                # Annotations of operators, which are source code of this project or of a plug-in.
                node.func.id == "eval" and file.name == "registry.py"
            ), f"{file.name}:{node.lineno} calls {node.func.id}"


def test_inside_the_packages_imports_are_relative() -> None:
    for folder in ("compiler", "runtime"):
        for file in (ROOT / folder).rglob("*.py"):
            if "entry" in file.parts:
                continue
            for module, level in imported(file):
                inside = module.split(".")[0] == "mashbill" and level == 0
                assert not inside or module == "mashbill", f"{file} imports {module}"
