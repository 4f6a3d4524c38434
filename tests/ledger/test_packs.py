"""Packs: smaller, self-indexed, taking the place of segments in one step; and damage to them."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ledger_cases import entry, key

from mashbill.runtime.ledger import Ledger, LedgerError
from mashbill.runtime.ledger import view as view_module
from mashbill.runtime.ledger.compaction import compact_folder
from mashbill.runtime.ledger.holdings import Holding, holdings
from mashbill.runtime.ledger.layout import alone, join


def filled(folder: Path, *starts: int, count: int = 40, **facts: Any) -> None:
    """A segment of `count` entries from each start."""
    for start in starts:
        with Ledger.open(folder) as ledger:
            ledger.put_sync(*(entry(i, **facts) for i in range(start, start + count)))


def names(folder: Path, kind: str) -> list[str]:
    return sorted(p.name for p in folder.rglob(f"*.{kind}"))


def size(folder: Path) -> int:
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())


def found(folder: Path, numbers: range) -> list[bool]:
    with Ledger.open(folder, write=False) as ledger:
        entries = ledger.get_many((key(i), 64) for i in numbers)
    assert all(e is None or e == entry(i) for i, e in zip(numbers, entries, strict=True))
    return [e is not None for e in entries]


def test_compaction_keeps_everything_in_less(tmp_path: Path) -> None:
    words = [" ".join(f"word{i * i % 97}" for i in range(n, n + 20)) for n in range(300)]
    for low in (0, 1000, 2000):
        with Ledger.open(tmp_path) as ledger:
            ledger.put_sync(*(entry(low + i, text=words[i]) for i in range(300)))
    before = size(tmp_path)
    with Ledger.open(tmp_path) as ledger:
        known = ledger.stats()
        ledger.compact()
        after = ledger.stats()
        assert (after.segments, after.packs) == (0, 1)
        assert after.completions == known.completions == 900
        assert after.prompt_tokens == known.prompt_tokens
        assert after.completion_tokens == known.completion_tokens
        assert ledger.verify() == []
    assert not names(tmp_path, "seg") and not names(tmp_path, "run") and not names(tmp_path, "tmp")
    assert size(tmp_path) < 0.75 * before
    with Ledger.open(tmp_path, write=False) as ledger:
        for i in range(300):
            assert ledger.get(key(1000 + i), 64) == entry(1000 + i, text=words[i])
            assert ledger.get(key(300 + i), 64) is None


def test_packs_join_only_while_they_are_small(tmp_path: Path) -> None:
    filled(tmp_path, 0, count=200)
    compact_folder(tmp_path)
    (large,) = names(tmp_path, "pack")
    filled(tmp_path, 1000)
    compact_folder(tmp_path)
    assert len(names(tmp_path, "pack")) == 2 and large in names(tmp_path, "pack")
    filled(tmp_path, 2000)
    compact_folder(tmp_path)  # the two small ones become one
    assert len(names(tmp_path, "pack")) == 2 and large in names(tmp_path, "pack")
    same = names(tmp_path, "pack")
    compact_folder(tmp_path)
    assert names(tmp_path, "pack") == same
    filled(tmp_path, 3000, count=300)
    compact_folder(tmp_path)
    assert len(names(tmp_path, "pack")) == 1
    with Ledger.open(tmp_path) as ledger:
        assert ledger.stats().completions == 580 and ledger.verify() == []


def test_a_ledger_in_use_finds_what_was_packed(tmp_path: Path) -> None:
    with Ledger.open(tmp_path, seal_bytes=1500, window=0) as writer:
        for i in range(60):
            writer.put_sync(entry(i))
        with Ledger.open(tmp_path, write=False) as reader:
            compact_folder(tmp_path)
            assert len(names(tmp_path, "seg")) <= 1  # what the writer has not sealed yet
            for ledger in (writer, reader):
                assert [ledger.get(key(i), 64) for i in range(60)] == [entry(i) for i in range(60)]
                assert ledger.get(key(99), 64) is None
        writer.put_sync(entry(60))
    assert all(found(tmp_path, range(61)))
    with Ledger.open(tmp_path) as ledger:
        assert ledger.stats().completions == 61 and ledger.verify() == []


@pytest.mark.parametrize("removing", [False, True])
def test_a_death_between_any_two_changes_of_names(tmp_path: Path, removing: bool) -> None:
    """Compaction or removal dies before each rename and removal in turn; then somebody opens."""
    filled(tmp_path / "whole", 0, 40)
    compact_folder(tmp_path / "whole")
    filled(tmp_path / "whole", 80, 120)
    kept = {key(i) for i in range(0, 160, 2)}
    keep = (lambda head: head.key in kept) if removing else None

    class DiedError(BaseException):
        pass

    for n in range(100):
        folder = tmp_path / str(n)
        shutil.copytree(tmp_path / "whole", folder)
        left = [n]

        def dying(real: Callable[..., Any], left: list[int] = left) -> Callable[..., Any]:
            def act(*args: Any, **options: Any) -> Any:
                left[0] -= 1
                if left[0] < 0:
                    raise DiedError
                return real(*args, **options)

            return act

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Path, "rename", dying(Path.rename))
            patch.setattr(Path, "unlink", dying(Path.unlink))
            try:
                compact_folder(folder, keep)
            except DiedError:
                died = True
            else:
                died = False
        for write in (False, True, False):
            there = found(folder, range(160))
            assert all(there[::2]) and len(set(there[1::2])) == 1
            assert removing or all(there)
            with Ledger.open(folder, write=write) as ledger:
                assert ledger.stats().completions == sum(there)
                assert ledger.verify() == []
        if removing:
            compact_folder(folder, keep)
            assert not any(found(folder, range(160))[1::2])
            assert not names(folder / "packs", "tmp")
        if not died:
            assert n > 4
            return
    raise AssertionError("it never came to its end")


def test_flipped_bits_in_a_pack(tmp_path: Path) -> None:
    filled(tmp_path, 0)
    compact_folder(tmp_path)
    (pack,) = tmp_path.glob("packs/*.pack")
    good = pack.read_bytes()
    dice = random.Random(4)
    losses = 0
    for _ in range(200):
        bad = bytearray(good)
        bad[dice.randrange(len(good))] ^= 1 << dice.randrange(8)
        pack.write_bytes(bad)
        there = found(tmp_path, range(40))  # what is found is as it was put
        losses += not all(there)
        assert sum(there) >= 39
        with Ledger.open(tmp_path, write=False) as ledger:
            problems = ledger.verify()
            assert [p.file for p in problems] == [pack] * len(problems)
            assert problems or all(there)
            record_damaged = any(p.lost for p in problems)
            assert record_damaged or sum(there) >= 39
    assert losses > 10


def test_a_pack_without_an_end_is_read_record_by_record(tmp_path: Path) -> None:
    filled(tmp_path, 0)
    compact_folder(tmp_path)
    (pack,) = tmp_path.glob("packs/*.pack")
    data = pack.read_bytes()
    pack.write_bytes(data[:-1])
    assert all(found(tmp_path, range(40)))
    with Ledger.open(tmp_path) as ledger:
        assert ledger.stats().completions == 40
        assert "table or dictionary" in str(ledger.verify()[0])
    assert sum(h.completions for h in holdings(tmp_path)) == 40
    pack.write_bytes(b"")
    assert not any(found(tmp_path, range(40)))
    with Ledger.open(tmp_path) as ledger:
        assert "nothing in it can be read" in str(ledger.verify()[0])


def test_damaged_files_are_not_packed(tmp_path: Path) -> None:
    filled(tmp_path, 0, 40)
    hurt, _ = sorted(tmp_path.glob("segments/*/*.seg"), key=lambda p: p.stem)
    data = bytearray(hurt.read_bytes())
    data[100] ^= 1
    hurt.write_bytes(data)
    removed = compact_folder(tmp_path, lambda head: head.key == key(1))
    assert removed.damaged == [hurt] and removed.completions == 40
    assert sum(found(tmp_path, range(40))) == 39
    assert not any(found(tmp_path, range(40, 80)))


def test_another_pack_format_says_so(tmp_path: Path) -> None:
    from mashbill.runtime.ledger import pack_writer

    filled(tmp_path, 0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pack_writer, "VERSION", 2)
        with pytest.raises(LedgerError):
            compact_folder(tmp_path)
    with pytest.raises(LedgerError, match="pip install -U mashbill"):
        Ledger.open(tmp_path, write=False)


def test_a_pack_that_only_says_what_is_gone(tmp_path: Path) -> None:
    """Everything is removed, and the process dies before the files that held it are."""
    filled(tmp_path, 0)
    compact_folder(tmp_path)
    (old,) = tmp_path.glob("packs/*.pack")
    data = old.read_bytes()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(view_module, "_drop_hidden", lambda folder, view, runs: runs)
        compact_folder(tmp_path, lambda head: False)
    assert old.read_bytes() == data and len(names(tmp_path, "pack")) == 2
    assert not any(found(tmp_path, range(40)))
    with Ledger.open(tmp_path, write=False) as ledger:
        assert ledger.verify() == [] and ledger.stats().completions == 0
    Ledger.open(tmp_path).close()
    assert names(tmp_path, "pack") == []


def test_holdings_by_model(tmp_path: Path) -> None:
    filled(tmp_path, 0, count=30, model="a", engine="http")
    filled(tmp_path, 100, count=20, model="b", engine="local")
    known = [Holding("http", "a", 30, 90, 150), Holding("local", "b", 20, 60, 100)]
    assert holdings(tmp_path) == known
    compact_folder(tmp_path)
    filled(tmp_path, 200, count=1, model="b", engine="local")
    assert holdings(tmp_path) == [known[0], Holding("local", "b", 21, 63, 105)]


def test_who_is_alone(tmp_path: Path) -> None:
    with (
        Ledger.open(tmp_path),
        Ledger.open(tmp_path, write=False),
        pytest.raises(LedgerError, match="another process uses it"),
        alone(tmp_path),
    ):
        pass
    with alone(tmp_path):
        with pytest.raises(LedgerError, match="`ledger gc` is at work"):
            Ledger.open(tmp_path)
        with Ledger.open(tmp_path, write=False) as reader:  # it only looks
            assert reader.get(key(1), 64) is None
    fd = join(tmp_path, write=True)
    assert fd is not None
    os.close(fd)


def test_two_writers_learn_of_each_other_while_they_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mashbill.runtime.ledger import ledger as module

    monkeypatch.setattr(module, "REFRESH_SECONDS", 1e9)
    with Ledger.open(tmp_path, window=0) as one, Ledger.open(tmp_path, window=0) as other:
        one.put_sync(entry(1))
        assert other.get(key(1), 64) is None, "it has looked a moment ago"
        known = other.news
        other.refresh()
        assert other.get(key(1), 64) == entry(1)
        assert other.news != known
    monkeypatch.setattr(module, "REFRESH_SECONDS", 0.0)
    monkeypatch.setattr(module, "REFRESH_SHARE", 1e9)
    with Ledger.open(tmp_path, window=0) as one, Ledger.open(tmp_path, window=0) as other:
        one.put_sync(entry(2))
        assert other.get(key(2), 64) == entry(2), "whoever misses something looks again"
        known = other.news
        other.put_sync(entry(3))
        assert other.news == known, "its own completions are no news"
        one.put_sync(entry(4))
        assert other.news != known
        assert one.get(key(3), 64) == entry(3)
    with Ledger.open(tmp_path, write=False) as reader, Ledger.open(tmp_path) as one:
        one.put_sync(entry(5))
        assert reader.get(key(5), 64) is None, "a reader sees one moment, until `refresh`"
