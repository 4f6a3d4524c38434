"""What is installed is what is in the folders."""

from __future__ import annotations

import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def test_every_package_is_listed() -> None:
    listed = set(PROJECT["tool"]["setuptools"]["packages"])
    found = {"mashbill", "mashbill.schemas", "mashbill.recipes"}
    for top in ("compiler", "runtime"):
        for init in (ROOT / top).rglob("__init__.py"):
            if "entry" not in init.parts:
                found.add(".".join(("mashbill", *init.parent.relative_to(ROOT).parts)))
    assert listed == found


def test_every_module_is_in_a_package() -> None:
    for top in ("compiler", "runtime"):
        for file in (ROOT / top).rglob("*.py"):
            assert (file.parent / "__init__.py").is_file(), f"{file} is in no package"


def test_the_checkers_see_the_import_name() -> None:
    links = ROOT / ".dev" / "mashbill"
    for name in ("compiler", "runtime", "__init__.py", "__main__.py"):
        assert (links / name).exists(), f".dev/mashbill/{name} leads nowhere"


def test_constraints_pin_with_hashes_and_name_no_index() -> None:
    text = (ROOT / "constraints.txt").read_text("utf-8")
    assert "://" not in text and "--index" not in text
    pins = [line for line in text.splitlines() if "==" in line and not line.startswith(" ")]
    assert len(pins) > 20 and text.count("--hash=sha256:") >= len(pins)
    names = {line.split("==")[0].strip().lower() for line in pins}
    for requirement in PROJECT["project"]["dependencies"]:
        assert requirement.split(">")[0].strip().lower() in names


def test_no_lock_file_with_addresses() -> None:
    assert not (ROOT / "uv.lock").exists()
