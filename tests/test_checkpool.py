"""The check pool, with real worker processes."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest

from mashbill.runtime.checkpool import CheckCrash, CheckError, CheckPool, CheckSpec
from mashbill.runtime.verdict import Verdict

CASES = '''
import os, sys, threading, time
from collections.abc import Mapping
from mashbill.compiler.registry import check
from mashbill.runtime.verdict import Verdict

BUILT = []

@check(version=1)
def longer(than: int = 0):
    """Longer."""
    def judge(row):
        return Verdict(len(row["text"]) > than, "" if len(row["text"]) > than else "short",
                       {"pid": os.getpid()})
    return judge

@check(version=1)
def not_(words: list[str], weights: Mapping[str, int]):
    """Not."""
    assert isinstance(words, list) and isinstance(weights, dict)
    return lambda row: Verdict(row["text"] not in words, "word", dict(weights))

@check(version=1)
def deadly():
    """Exits on a word."""
    def judge(row):
        if row["text"] == "segv":
            os.kill(os.getpid(), 11)
        if row["text"] == "die":
            os._exit(3)
        if row["text"] == "once" and not os.path.exists(row["mark"]):
            open(row["mark"], "w").close()
            os._exit(3)
        return Verdict(True)
    return judge

@check(version=1)
def faulty():
    """Raises on a word."""
    def judge(row):
        print("noise on standard output")
        if row["text"] == "raise":
            raise KeyError("gold")
        if row["text"] == "odd":
            return True
        if row["text"] == "unsendable":
            return Verdict(True, "", {"lock": threading.Lock()})
        return Verdict(True)
    return judge

@check(version=1)
def slow():
    """Sleeps on a word."""
    def judge(row):
        if row["text"] == "hang":
            time.sleep(60)
        return Verdict(True)
    return judge

@check(version=1)
def counted(label: str):
    """Counts how often it is built."""
    BUILT.append(label)
    return lambda row: Verdict(True, "", {"built": BUILT.count(label), "pid": os.getpid()})

@check(version=1)
def unbuildable():
    """Cannot be built."""
    raise ImportError("no module named math_verify")
'''

LONGER = (CheckSpec("long", "longer", (("than", 3),)),)


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    folder = tmp_path / "checkpool_cases"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "some.py").write_text(CASES)
    monkeypatch.syspath_prepend(tmp_path)
    for name in [m for m in sys.modules if m.startswith("checkpool_cases")]:
        monkeypatch.delitem(sys.modules, name)
    return ("checkpool_cases",)


def judged(pool: CheckPool, *jobs: tuple[tuple[CheckSpec, ...], dict[str, Any]]) -> list[Any]:
    """The verdicts or exceptions of rows judged at once."""

    async def run() -> list[Any]:
        try:
            return await asyncio.gather(*(pool.judge(*j) for j in jobs), return_exceptions=True)
        finally:
            await pool.close()

    return asyncio.run(run())


@pytest.mark.parametrize("workers", [0, 2])
def test_rows_get_their_own_verdicts(modules: tuple[str, ...], workers: int) -> None:
    rows = [{"text": "x" * (i % 7)} for i in range(300)]
    results = judged(CheckPool(workers, modules=modules), *((LONGER, row) for row in rows))
    assert [v.passed for (v,) in results] == [len(row["text"]) > 3 for row in rows]
    assert {v.reason for (v,) in results} == {"", "short"}
    pids = {v.evidence["pid"] for (v,) in results}
    assert (os.getpid() in pids) == (workers == 0)
    assert 1 <= len(pids) <= max(workers, 1)


@pytest.mark.parametrize("workers", [0, 1])
def test_checks_stop_at_the_first_failure(modules: tuple[str, ...], workers: int) -> None:
    later = CheckSpec("never", "faulty")
    words = CheckSpec("w", "not", (("words", ("die",)), ("weights", (("a", 1),))))
    first, second, none = judged(
        CheckPool(workers, modules=modules),
        ((words, *LONGER, later), {"text": "abc"}),
        ((words, later), {"text": "die"}),
        ((), {"text": "die"}),
    )
    assert [v.passed for v in first] == [True, False]
    assert second == (Verdict(False, "word", {"a": 1}),)
    assert none == ()


@pytest.mark.parametrize("workers", [0, 1])
def test_errors_are_of_one_row_and_say_why(modules: tuple[str, ...], workers: int) -> None:
    faulty = (CheckSpec("gate", "faulty"),)
    results = judged(
        CheckPool(workers, modules=modules),
        (faulty, {"text": "raise"}),
        (faulty, {"text": "fine"}),
        (faulty, {"text": "odd"}),
        ((CheckSpec("x", "missing"),), {"text": ""}),
        ((CheckSpec("y", "unbuildable"),), {"text": ""}),
        ((CheckSpec("z", "longer", (("thn", 1),)),), {"text": ""}),
    )
    assert results[1] == (Verdict(True),)
    said = [str(r) for r in results if isinstance(r, CheckError)]
    assert len(said) == 5
    for text, words in zip(
        said,
        ["`gate` failed: KeyError: 'gold'", "returned a bool", "no check `missing`", "math_verify"],
        strict=False,
    ):
        assert words in text
    assert not any(isinstance(r, CheckCrash) for r in results)


def test_what_cannot_travel_is_an_error_of_its_row(modules: tuple[str, ...]) -> None:
    faulty = (CheckSpec("gate", "faulty"),)
    row, verdict, fine = judged(
        CheckPool(1, modules=modules),
        (faulty, {"text": (lambda: 1)}),
        (faulty, {"text": "unsendable"}),
        (faulty, {"text": "fine"}),
    )
    assert isinstance(row, CheckError) and isinstance(verdict, CheckError)
    assert fine == (Verdict(True),)


def test_a_row_that_kills_its_worker_harms_no_other(modules: tuple[str, ...]) -> None:
    deadly = (CheckSpec("deadly", "deadly"),)
    texts = ["a", "b", "die", "c", "segv", "d"] + ["e"] * 40
    results = judged(CheckPool(1, modules=modules), *((deadly, {"text": t}) for t in texts))
    for text, result in zip(texts, results, strict=True):
        if text in ("die", "segv"):
            assert isinstance(result, CheckCrash)
            assert ("status 3" if text == "die" else "SIGSEGV") in str(result)
            assert "`deadly`" in str(result)
        else:
            assert result == (Verdict(True),)


def test_a_crash_that_does_not_come_again_is_forgiven(
    modules: tuple[str, ...], tmp_path: Path
) -> None:
    deadly = (CheckSpec("deadly", "deadly"),)
    row = {"text": "once", "mark": str(tmp_path / "mark")}
    assert judged(CheckPool(1, modules=modules), (deadly, row)) == [(Verdict(True),)]
    assert (tmp_path / "mark").exists()


def test_a_row_that_hangs_is_given_up(modules: tuple[str, ...]) -> None:
    slow = (CheckSpec("slow", "slow"),)
    hang, fine = judged(
        CheckPool(1, modules=modules, timeout=1.0),
        (slow, {"text": "hang"}),
        (slow, {"text": "fine"}),
    )
    assert isinstance(hang, CheckCrash)
    assert "longer than 1 seconds" in str(hang)
    assert fine == (Verdict(True),)


def test_a_check_is_built_once_a_worker(modules: tuple[str, ...]) -> None:
    a, b = (CheckSpec("a", "counted", (("label", x),)) for x in "ab")
    results = judged(
        CheckPool(2, modules=modules), *(((a, b), {"text": str(i)}) for i in range(200))
    )
    assert {v.evidence["built"] for result in results for v in result} == {1}


def test_both_workers_serve(modules: tuple[str, ...], tmp_path: Path) -> None:
    # Each row waits until another process has marked itself: one worker alone would never finish.
    (tmp_path / "checkpool_cases" / "meet.py").write_text(
        textwrap.dedent(
            """
            import os, time
            from pathlib import Path
            from mashbill.compiler.registry import check
            from mashbill.runtime.verdict import Verdict

            @check(version=1)
            def meet(folder: str):
                '''Meet.'''
                def judge(row):
                    (Path(folder) / str(os.getpid())).touch()
                    while len(list(Path(folder).iterdir())) < 2:
                        time.sleep(0.01)
                    return Verdict(True)
                return judge
            """
        )
    )
    (tmp_path / "marks").mkdir()
    spec = (CheckSpec("m", "meet", (("folder", str(tmp_path / "marks")),)),)
    pool = CheckPool(2, modules=modules, timeout=30)
    assert judged(pool, *((spec, {"text": str(i)}) for i in range(4))) == [(Verdict(True),)] * 4


def test_the_event_loop_stays_free(modules: tuple[str, ...]) -> None:
    async def run() -> int:
        pool = CheckPool(1, modules=modules, timeout=1.0)
        hanging = asyncio.create_task(pool.judge((CheckSpec("s", "slow"),), {"text": "hang"}))
        ticks = 0
        while not hanging.done():
            ticks += 1
            await asyncio.sleep(0.01)
        with pytest.raises(CheckCrash):
            await hanging
        await pool.close()
        return ticks

    assert asyncio.run(run()) > 20


def test_closing_ends_workers_and_waiting_rows(modules: tuple[str, ...]) -> None:
    async def run() -> int:
        pool = CheckPool(1, modules=modules)
        ((verdict),) = await pool.judge(LONGER, {"text": "long enough"})
        hanging = asyncio.create_task(pool.judge((CheckSpec("s", "slow"),), {"text": "hang"}))
        await asyncio.sleep(0.05)
        await pool.close()
        with pytest.raises(CheckError, match="closed"):
            await hanging
        with pytest.raises(CheckError, match="closed"):
            await pool.judge(LONGER, {"text": ""})
        await pool.close()
        return int(verdict.evidence["pid"])

    assert not _alive(asyncio.run(run()))


def test_a_caller_that_gives_up_harms_no_other(modules: tuple[str, ...]) -> None:
    async def run() -> tuple[Verdict, ...]:
        pool = CheckPool(1, modules=modules)
        tasks = [asyncio.create_task(pool.judge(LONGER, {"text": "abcd"})) for _ in range(50)]
        await asyncio.sleep(0)
        for task in tasks[::2]:
            task.cancel()
        rest = await asyncio.gather(*tasks[1::2])
        again = await pool.judge(LONGER, {"text": "abcd"})
        await pool.close()
        assert all(verdicts[0].passed for verdicts in rest)
        return again

    assert asyncio.run(run())[0].passed


def test_ctrl_c_does_not_reach_workers(modules: tuple[str, ...]) -> None:
    async def run() -> None:
        pool = CheckPool(1, modules=modules)
        (before,) = await pool.judge(LONGER, {"text": "abcd"})
        os.kill(before.evidence["pid"], signal.SIGINT)
        (after,) = await pool.judge(LONGER, {"text": "abcd"})
        await pool.close()
        assert before.evidence["pid"] == after.evidence["pid"]

    asyncio.run(run())


@pytest.mark.parametrize("text", ["abcd", "hang"])
def test_workers_die_with_their_parent(modules: tuple[str, ...], tmp_path: Path, text: str) -> None:
    script = f"""
import asyncio, sys
sys.path.insert(0, {str(tmp_path)!r})
from mashbill.runtime.checkpool import CheckPool, CheckSpec
async def main():
    pool = CheckPool(1, modules={modules!r})
    (v,) = await pool.judge((CheckSpec("l", "longer"),), {{"text": "abcd"}})
    print(v.evidence["pid"], flush=True)
    await pool.judge((CheckSpec("s", "slow"),), {{"text": {text!r}}})
    await asyncio.sleep(60)
asyncio.run(main())
"""
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    worker = int(parent.stdout.readline())
    assert _alive(worker)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    for _ in range(1000):
        if not _alive(worker):
            break
        time.sleep(0.01)
    assert not _alive(worker)


def test_a_worker_imports_little() -> None:
    code = "import mashbill.runtime.checkworker, sys; print('\\n'.join(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert "mashbill.runtime.checkworker" in loaded
    heavy = {"aiohttp", "asyncio", "xllamacpp", "polars", "tokenizers", "lark", "networkx", "rich"}
    assert not heavy & set(loaded)


def test_shipped_checks_are_found_by_name() -> None:
    import mashbill.runtime.checks as shipped

    names = [p.stem for p in Path(shipped.__path__[0]).glob("[a-z]*.py")]
    if not names:
        pytest.skip("no checks are shipped yet")
    (unknown,) = judged(CheckPool(0), ((CheckSpec("x", "surely_not_there"),), {}))
    assert "no check `surely_not_there`" in str(unknown)


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
