"""A run over every format writes the same bytes; plan says what is wrong with its data."""

from __future__ import annotations

import json
import sys
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from mashbill.runtime.cli import command

RECIPE = """\
mashbill: 1
name: formats
seed: 7
sources:
  docs:
    { path: "PATH", text: body, columns: { num: num, tags: tags }, key: id, license: CC0-1.0,
      origin: human }
steps:
  kept: { op: filter, from: docs, keep: num % 3 != 0 }
output: { path: out, format: jsonl, columns: [text, num, _doc, _id, _source] }
"""

ROWS: list[dict[str, Any]] = [
    {"body": f'Document {i}, "two"\nlines', "id": f"k{i}", "num": i, "tags": "x"}
    for i in range(300)
]


def project(folder: Path, path: str, recipe: str = RECIPE) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / ".mashbill").mkdir(exist_ok=True)
    (folder / "recipe.yaml").write_text(recipe.replace("PATH", path))
    return folder


def do(verb: str, folder: Path, *arguments: str) -> tuple[int, str]:
    out = StringIO()
    with redirect_stdout(out), redirect_stderr(out):
        code = command([verb, str(folder), *arguments])
    assert "Traceback" not in out.getvalue(), out.getvalue()
    return code, out.getvalue()


def write(folder: Path, name: str, rows: list[dict[str, Any]]) -> None:
    frame = pl.DataFrame(rows)
    match name.rpartition(".")[2]:
        case "parquet":
            frame.write_parquet(folder / name, row_group_size=77)
        case "arrow":
            frame.write_ipc(folder / name)
        case "csv":
            frame.write_csv(folder / name)
        case _:
            (folder / name).write_text("".join(json.dumps(r) + "\n" for r in rows))


def output(folder: Path) -> bytes:
    return b"".join(p.read_bytes() for p in sorted((folder / "out").glob("train-*")))


def test_a_run_writes_the_same_bytes_from_every_format(tmp_path: Path) -> None:
    found: dict[str, bytes] = {}
    for name in ("jsonl", "parquet", "arrow", "csv"):
        folder = project(tmp_path / name, f"docs.{name}")
        write(folder, f"docs.{name}", ROWS)
        code, said = do("run", folder, "--quiet")
        assert code == 0, said
        found[name] = output(folder)
    mixed = project(tmp_path / "mixed", "part*")
    write(mixed, "part1.parquet", ROWS[:100])
    write(mixed, "part2.csv", ROWS[100:200])
    write(mixed, "part3.jsonl", ROWS[200:])
    code, said = do("run", mixed, "--quiet")
    assert code == 0, said
    assert found["jsonl"].count(b"\n") == 200
    assert set(found.values()) == {found["jsonl"]}
    # In three files the rows are the same, their places are not.
    rows, there = (
        [{k: v for k, v in json.loads(line).items() if k != "_id"} for line in text.splitlines()]
        for text in (output(mixed), found["jsonl"])
    )
    assert rows == there


def test_a_column_that_is_not_there_stops_the_plan(tmp_path: Path) -> None:
    folder = project(tmp_path / "p", "docs.parquet")
    write(folder, "docs.parquet", [{"body": "a", "id": "k", "m": 1, "tags": "x"}])
    code, said = do("plan", folder)
    assert code == 1
    assert "D303" in said
    assert "no column num; it has body, id, m, tags" in said
    assert do("check", folder)[0] == 0  # which opens no data


def test_bad_rows_of_a_file_are_kept_aside(tmp_path: Path) -> None:
    folder = project(tmp_path / "p", "docs.csv")
    good = "".join(f"doc {i},k{i},{i},x\n" for i in range(20))
    (folder / "docs.csv").write_text("body,id,num,tags\n" + good + "short,row\n")
    code, said = do("run", folder, "--quiet")
    assert code == 1, said
    assert "docs.csv:22: 2 fields, expected 4" in said
    record = json.loads((folder / "out/run.json").read_text())
    assert record["steps"]["docs"]["errors"] == {"unreadable": 1}
    (run,) = (folder / ".mashbill/runs").glob("r-*")
    (error,) = map(json.loads, (run / "errors.jsonl").read_text().splitlines())
    assert (error["line"], error["message"]) == (22, "2 fields, expected 4")
    assert error["file"].endswith("docs.csv")


def test_notes_with_their_paths(tmp_path: Path) -> None:
    recipe = """\
mashbill: 1
name: notes
sources:
  notes: { path: "PATH", columns: { file: path }, license: CC0-1.0, origin: human }
output: { path: out, format: jsonl, columns: [text, file] }
steps: { kept: { op: filter, from: notes, keep: "true" } }
"""
    folder = project(tmp_path / "p", "notes/**/*.md", recipe)
    (folder / "notes/a").mkdir(parents=True)
    (folder / "notes/a/one.md").write_text("# One\n")
    (folder / "notes/two.md").write_text("# Two\n")
    code, said = do("run", folder, "--quiet")
    assert code == 0, said
    rows = sorted((json.loads(x) for x in output(folder).splitlines()), key=lambda r: r["file"])
    assert rows == [
        {"text": "# One\n", "file": "notes/a/one.md"},
        {"text": "# Two\n", "file": "notes/two.md"},
    ]


def test_an_address_needs_its_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec.core", None)
    folder = project(tmp_path / "p", "hf://owner/name")
    assert do("check", folder)[0] == 0
    for verb in ("plan", "run"):
        code, said = do(verb, folder)
        assert code == 1
        assert "D311" in said
        assert 'hf:// needs an extra: pip install "mashbill[hub]"' in said


def test_an_address_of_this_machine_is_refused(tmp_path: Path) -> None:
    code, said = do("check", project(tmp_path / "p", "file:///etc/*.jsonl"))
    assert code == 1
    assert "R112" in said


def test_an_address_runs(tmp_path: Path) -> None:
    fsspec = pytest.importorskip("fsspec", reason='needs fsspec: pip install "mashbill[hub]"')
    system = fsspec.filesystem("memory")
    write(tmp_path, "docs.parquet", ROWS)
    system.pipe("/runs/docs.parquet", (tmp_path / "docs.parquet").read_bytes())
    folder = project(tmp_path / "p", "memory://runs/*.parquet")
    code, said = do("run", folder, "--quiet")
    assert code == 0, said
    assert output(folder).count(b"\n") == 200
    system.rm("/runs", recursive=True)


def test_said_formats(tmp_path: Path) -> None:
    recipe = RECIPE.replace("key: id", 'key: id, format: csv, delimiter: ";"')
    folder = project(tmp_path / "p", "docs.dat", recipe)
    (folder / "docs.dat").write_text("body;id;num;tags\na, b;k;1;x\n")
    code, said = do("run", folder, "--quiet")
    assert code == 0, said
    assert json.loads(output(folder))["text"] == "a, b"
    for wrong in (recipe.replace("csv", "excel"), recipe.replace('";"', '";;"')):
        code, said = do("check", project(tmp_path / "p", "docs.dat", wrong))
        assert code == 1, said
