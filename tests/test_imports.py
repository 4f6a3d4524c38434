"""What a command loads: `check` must start fast."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
HEAVY = ("polars", "aiohttp", "tokenizers", "numpy", "networkx", "rich", "xllamacpp", "vllm", "ray")


def loaded(code: str) -> set[str]:
    """Modules loaded after some code, in a fresh interpreter."""
    code += "\nimport sys; print('\\n'.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "code",
    [
        "import mashbill",
        "import mashbill.compiler.compile",
        "from mashbill.runtime.catalog import load_catalog; load_catalog()",
        "from mashbill.runtime.cli import command; command(['check', 'recipes/textbook-web'])",
    ],
)
def test_nothing_heavy_is_loaded(code: str) -> None:
    assert not loaded(code) & {*HEAVY, "asyncio", "jsonschema"}


def test_import_mashbill_alone_loads_nothing_of_it() -> None:
    assert {m for m in loaded("import mashbill") if m.startswith("mashbill.")} == set()
