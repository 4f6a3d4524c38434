from __future__ import annotations

import pytest

from mashbill.runtime.facts import kept
from mashbill.runtime.facts.names import find_names
from mashbill.runtime.facts.text import read


@pytest.mark.parametrize(
    ("sentence", "names"),
    [
        ("However, the dog barked.", []),
        ("We met Dave Crossland of Google Fonts.", ["Dave Crossland", "Google Fonts"]),
        ("iPhone sales and OWASP rules", ["iPhone", "OWASP"]),
        ("He said: “The Reds won” twice.", ["Reds"]),
        ("I think that I'm right, and I've said so.", []),
        ("All You Need To Know About Baking", []),
        ("It runs on the QC35, made by AT&T.", ["QC35", "AT T"]),
        ("Sir John Fowler designed it with Benjamin Baker.", ["John Fowler", "Benjamin Baker"]),
        ("Он живёт в Москве и любит Анну.", ["Москве", "Анну"]),
        ("東京は日本の首都です。", []),
        ("", []),
    ],
)
def test_names_of_a_sentence(sentence: str, names: list[str]) -> None:
    assert [" ".join(name) for name in find_names(sentence)] == names


KEPT = [
    ("The OEM says so.", "The Original Equipment Manufacturer says so."),
    ("The United States says so.", "The US says so."),
    ("It calls our APIs.", "It calls our API."),
    ("Then crossland spoke.", "Then Dave Crossland spoke."),
    ("Use JavaScript here.", "Use Java Script here."),
    ("We like Houston's trams.", "We like Houston and its trams."),
]


@pytest.mark.parametrize(("got", "source"), KEPT)
def test_kept_in_another_form(got: str, source: str) -> None:
    assert kept.names_invented(read(got), read(source)) == []
    assert kept.names_lost(read(got), read(source))[1] == 1.0


@pytest.mark.parametrize(
    ("got", "source", "invented"),
    [
        ("We met Dave Franklin.", "We met Dave Crossland.", "Dave Franklin"),
        ("It came from the GMO team.", "It came from the OEM team.", "GMO"),
        ("She bought a Toastes box.", "She bought a Toastees box.", "Toastes"),
    ],
)
def test_invented(got: str, source: str, invented: str) -> None:
    assert kept.names_invented(read(got), read(source)) == [invented]


def test_lost() -> None:
    source = read("Then Dave Crossland met Ada Lovelace in Paris.")
    lost, share = kept.names_lost(read("Then Lovelace met someone in Paris."), source)
    assert lost == ["Dave Crossland"]
    assert share == pytest.approx(2 / 3)
