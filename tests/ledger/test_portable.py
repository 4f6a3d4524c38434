"""Exports: equal ledgers make equal files; what is not a whole export leaves no trace."""

from __future__ import annotations

import os
import random
import struct
from hashlib import blake2b
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from ledger_cases import entry, key

from mashbill.runtime.ledger import Entry, Ledger, LedgerError, portable
from mashbill.runtime.ledger.compaction import compact_folder
from mashbill.runtime.ledger.entries import write_body
from mashbill.runtime.ledger.layout import index_lock
from mashbill.runtime.ledger.portable import ExportError, Imported, export, import_file


def filled(folder: Path, *entries: Entry) -> Path:
    with Ledger.open(folder) as ledger:
        ledger.put_sync(*entries)
    return folder


def files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.rglob("*") if p.is_file() and p.suffix != ".lock")


def test_the_way_a_ledger_lies_on_disk_makes_no_difference(tmp_path: Path) -> None:
    entries = [entry(i, seed=-i, extra={"thinking": "h\udfff"}) for i in range(50)]
    filled(tmp_path / "a", *entries)
    filled(tmp_path / "b", *entries[25:])
    compact_folder(tmp_path / "b")
    with Ledger.open(tmp_path / "b", seal_bytes=500, window=0) as ledger:
        for one in reversed(entries[:25]):
            ledger.put_sync(one)
        export(tmp_path / "b", tmp_path / "b.mbl")  # while it is in use
    made = export(tmp_path / "a", tmp_path / "a.mbl")
    assert (tmp_path / "a.mbl").read_bytes() == (tmp_path / "b.mbl").read_bytes()
    assert (made.completions, made.bytes) == (50, (tmp_path / "a.mbl").stat().st_size)
    assert import_file(tmp_path / "c", tmp_path / "a.mbl") == Imported(50, 0, 0)
    with Ledger.open(tmp_path / "c") as ledger:
        assert [ledger.get(e.key, 64) for e in entries] == entries
        assert ledger.verify() == []
    export(tmp_path / "c", tmp_path / "c.mbl")
    assert (tmp_path / "a.mbl").read_bytes() == (tmp_path / "c.mbl").read_bytes()


def test_only_the_keys_asked_for(tmp_path: Path) -> None:
    filled(tmp_path / "a", *(entry(i) for i in range(9)))
    assert export(tmp_path / "a", tmp_path / "f", {key(2), key(5), key(77)}).completions == 2
    import_file(tmp_path / "b", tmp_path / "f")
    with Ledger.open(tmp_path / "b") as ledger:
        assert [i for i in range(9) if ledger.get(key(i), 64)] == [2, 5]


def test_what_is_here_stays(tmp_path: Path) -> None:
    cut = entry(3, text="cut", finish="length", completion_tokens=8, max_tokens=8)
    filled(tmp_path / "a", entry(1), entry(2), cut, entry(3), entry(3, text="never found"))
    assert export(tmp_path / "a", tmp_path / "f").completions == 4
    filled(tmp_path / "b", entry(2, text="mine"), entry(1))
    before = files(tmp_path / "b")
    assert import_file(tmp_path / "b", tmp_path / "f") == Imported(2, 2, 1)
    assert set(before) < set(files(tmp_path / "b"))
    with Ledger.open(tmp_path / "b") as ledger:
        mine = ledger.get(key(2), 64)
        assert mine is not None and mine.text == "mine"
        assert ledger.get(key(1), 64) == entry(1)
        assert ledger.get(key(3), 8) == cut
        assert ledger.get(key(3), 64) == entry(3)
    now = files(tmp_path / "b")
    assert import_file(tmp_path / "b", tmp_path / "f") == Imported(0, 4, 1)
    assert files(tmp_path / "b") == now
    filled(tmp_path / "empty")
    assert export(tmp_path / "empty", tmp_path / "none").completions == 0
    assert import_file(tmp_path / "b", tmp_path / "none") == Imported(0, 0, 0)


replies = st.builds(
    entry,
    st.integers(0, 4),
    text=st.text(max_size=9),
    finish=st.sampled_from(["stop", "length"]),
    completion_tokens=st.integers(0, 4),
    max_tokens=st.integers(1, 4),
)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(replies, max_size=4), max_size=4))
def test_an_import_answers_every_request_alike(
    tmp_path_factory: pytest.TempPathFactory, groups: list[list[Entry]]
) -> None:
    folder = tmp_path_factory.mktemp("model")
    for group in groups:
        filled(folder / "a", *group)
    export(folder / "a", folder / "f")
    import_file(folder / "b", folder / "f")
    export(folder / "b", folder / "g")
    assert (folder / "f").read_bytes() == (folder / "g").read_bytes()
    with Ledger.open(folder / "a") as a, Ledger.open(folder / "b") as b:
        for i in range(5):
            for asked in range(6):
                assert a.get(key(i), asked) == b.get(key(i), asked)


def test_a_damaged_or_torn_file_leaves_nothing(tmp_path: Path) -> None:
    filled(tmp_path / "a", *(entry(i) for i in range(30)))
    file = tmp_path / "f"
    export(tmp_path / "a", file)
    good = file.read_bytes()
    dice = random.Random(6)
    bad = [good[:n] for n in {0, 5, 16, 17, *dice.sample(range(len(good) - 16), 25)}]
    for _ in range(60):
        data = bytearray(good)
        data[dice.randrange(len(good))] ^= 1 << dice.randrange(8)
        bad.append(bytes(data))
    bad += [good + b"x", good + good, good + good[16:], b"\0" * 99, b"PK\3\4" + good]
    for data in bad:
        file.write_bytes(data)
        with pytest.raises(ExportError):
            import_file(tmp_path / "b", file)
        assert files(tmp_path / "b") == []
    file.write_bytes(good)
    assert import_file(tmp_path / "b", file).completions == 30


def forged(file: Path, *records: tuple[bytes, bytes], length: int | None = None) -> Path:
    """An export whose checksums are right and whose records are anything."""
    digest = blake2b(digest_size=16)
    body = b""
    for at, raw in records:
        data = struct.pack("<16sIIIBI", at, 1, 1, 1, 0, length or len(raw)) + raw
        digest.update(data)
        body += b"R" + data
    body += b"E" + struct.pack("<Q16s", len(records), digest.digest())
    file.write_bytes(portable._header(1) + zstandard.ZstdCompressor().compress(body))
    return file


def test_forged_records_are_refused(tmp_path: Path) -> None:
    good = write_body(entry(1))
    import_file(tmp_path / "ok", forged(tmp_path / "f", (b"a" * 16, good), (b"b" * 16, good)))
    nested = b'[1,"","",0,0,' + b'{"":' * 90_000 + b"1" + b"}" * 90_000 + b"]"
    for records in (
        [(b"b" * 16, good), (b"a" * 16, good)],
        [(b"a" * 16, b"")],
        [(b"a" * 16, struct.pack("<I", 5) + b"[1,2]")],
        [(b"a" * 16, struct.pack("<I", 24) + b'["1","","",0,0,{}]' + b" " * 6)],
        [(b"a" * 16, struct.pack("<I", 21) + b'[1,"","",0,0,{"a":1}]')],
        [(b"a" * 16, good + b"\xff\xff")],
        [(b"a" * 16, struct.pack("<I", len(nested)) + nested)],
    ):
        with pytest.raises(ExportError, match="is not a completion"):
            import_file(tmp_path / "b", forged(tmp_path / "f", *records))
    with pytest.raises(ExportError, match="expands to more"):
        import_file(tmp_path / "b", forged(tmp_path / "f", (b"a" * 16, good), length=1 << 30))
    assert files(tmp_path / "b") == []


def test_a_bomb_is_not_expanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(portable, "FREE_BYTES", 1 << 20)
    monkeypatch.setattr(portable, "RATIO", 20)
    body = write_body(entry(1)) + b" " * 400_000
    records = [(bytes([i]) * 16, body) for i in range(40)]
    with pytest.raises(ExportError, match="expands to more"):
        import_file(tmp_path / "b", forged(tmp_path / "f", *records))
    wide = zstandard.ZstdCompressor(
        compression_params=zstandard.ZstdCompressionParameters(window_log=29, enable_ldm=True)
    ).compressobj()
    (tmp_path / "w").write_bytes(portable._header(1) + wide.compress(b"R") + wide.flush())
    with pytest.raises(ExportError):
        import_file(tmp_path / "b", tmp_path / "w")
    assert files(tmp_path / "b") == []


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="not a file"):
        import_file(tmp_path / "b", Path("/dev/zero"))
    with pytest.raises(OSError, match="directory"):
        import_file(tmp_path / "b", tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ExportError, match="not a file"):
        import_file(tmp_path / "b", tmp_path / "pipe")
    (tmp_path / "f").write_bytes(portable._header(2) + b"later")
    with pytest.raises(ExportError, match="pip install -U mashbill"):
        import_file(tmp_path / "b", tmp_path / "f")


def test_an_import_waits_for_nobody(tmp_path: Path) -> None:
    filled(tmp_path / "a", entry(1))
    export(tmp_path / "a", tmp_path / "f")
    with index_lock(tmp_path / "b"), pytest.raises(LedgerError, match="another process"):
        import_file(tmp_path / "b", tmp_path / "f")


def test_a_damaged_record_is_not_exported_in_silence(tmp_path: Path) -> None:
    filled(tmp_path / "a", *(entry(i) for i in range(5)))
    (segment,) = tmp_path.glob("a/segments/*/*.seg")
    data = bytearray(segment.read_bytes())
    data[90] ^= 1
    segment.write_bytes(data)
    (tmp_path / "f").write_bytes(b"before")
    with pytest.raises(ExportError, match="ledger verify"):
        export(tmp_path / "a", tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == b"before"
    assert [p.name for p in tmp_path.iterdir() if p.suffix == ".tmp"] == []
