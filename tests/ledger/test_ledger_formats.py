"""Ledgers that earlier versions wrote stay readable, and can be compacted and exported."""

from __future__ import annotations

import base64
import zlib
from pathlib import Path

import pytest
from ledger_cases import entry, key

from mashbill.runtime.ledger import Ledger
from mashbill.runtime.ledger.compaction import compact_folder
from mashbill.runtime.ledger.portable import export, import_file

FIRST = {
    "index/01795364765723000488-1059-d6180f64.run": (
        "c-r%I^7M0YjbLD8fB+^aZ49MV|L6H+cne9%dhdIfc`b6LudzqXHMgzv95o-UVDSn+S7!P*K{-"
        "w48dUkJbBo)%jJ;J@GA~B{Z{bccfr<-"
        "6M=Kc^np>J0o0*uKnVK6J8yFavSXk&98kkz@rkEL87^In*DCrm*S?U<+nCTcA#Kr;ui~=Ti"
    ),
    "segments/01/01795364765759524882-1059-77c2db01.seg": (
        "c-r%I@^N)>cMW1>U|={g&Hm7T-=u#@K=$E?=!ET|zlEPYixRuUFJw@mpvSQ<>y-"
        "pEP>vOd9T*_M_Wz0Xi{Edayl&A8b&ak1e-"
        "$2_Wnw5gDkL#MGdCikSJ_jD^>v<amge4~<NLRNsy(A}zr@e~sqNMFlRq>*-"
        "dGiMaY2*q+li4!;uouRt!wpo<o%z=Sg7r=U`y*ECVBS*Y)eHPm>Im~ow}?g+1_yg0I$zQy8"
    ),
    "segments/64/01795364765723000488-1059-d6180f64.seg": (
        "c-r%I@^N)>cMW1>U|={g&Hm7T-=u$WK=!%C?On#+DlC~7BmcK>r<kx_)?wV2^-"
        "6*nD8~xK4h#@rG%<Zro7mrPZbb#FG`8yhRY+LN#87lpNPNO_*@{1_qJrN1eY5Y1RZQkP{~Wy|r#*V+%$l-"
        "W|L!Y;4R7C<$!-"
        "r1{Cxh|{$y3R+!^xy&;P$L^y=xF%DnJFn<G<TqY+yIlaq%a6N9xR+dB@B%aVaMI%+;z!QvHuuFUjrf^wS7HC!%"
        "h{Ie&o^3aU+#ugoZV3#ep3UnE(utdYk+!=>@`A;u35%3kcR>eA<t8Lrk2`^PD_N2c&e`fF7ONR|qrF*qjUJX^&"
        "mTnX2U;RJxxJ~tO=Vra-Dm?AVT->glr)C^b6mVi-WM=SgS17!G_^K=;09D$7H2"
    ),
}
"""Segment format 1 and index format 1: entries 1 and 2 in a sealed segment, 3 in one whose writer
was killed."""


@pytest.fixture
def first(tmp_path: Path) -> Path:
    for name, data in FIRST.items():
        path = tmp_path / "ledger" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(zlib.decompress(base64.b85decode(data)))
    return tmp_path / "ledger"


@pytest.mark.parametrize("write", [False, True])
def test_the_first_format_is_read(first: Path, write: bool) -> None:
    with Ledger.open(first, write=write) as ledger:
        assert [ledger.get(key(i), 64) for i in range(5)] == [
            None, entry(1), entry(2), entry(3), None
        ]  # fmt: skip
        assert ledger.stats().completions == 3
        assert ledger.verify() == []


def test_the_first_format_is_carried_over(first: Path) -> None:
    export(first, first.parent / "before")
    compact_folder(first)
    assert not list(first.rglob("*.seg")) and not list(first.rglob("*.run"))
    export(first, first.parent / "after")
    assert (first.parent / "before").read_bytes() == (first.parent / "after").read_bytes()
    import_file(first.parent / "other", first.parent / "after")
    with Ledger.open(first) as ledger, Ledger.open(first.parent / "other") as other:
        for one in (ledger, other):
            assert [one.get(key(i), 64) for i in (1, 2, 3)] == [entry(1), entry(2), entry(3)]
            assert one.verify() == []
