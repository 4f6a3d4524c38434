"""Whether a data set's licence gives more than the licences of its sources do.

Only what an SPDX identifier says on its face: the clauses of Creative Commons licences
(https://creativecommons.org/share-your-work/cclicenses/) and share-alike terms of open data
licences (ODbL-1.0, section 4.4). It is a check for slips and no legal advice.
"""

from __future__ import annotations

import re

_ALIKE = ("ODbL-", "GPL-", "AGPL-", "LGPL-", "GFDL-", "CDLA-Sharing-")


def conflict(source: str, whole: str, *, adapted: bool) -> str | None:
    """Why text under one licence cannot go into a data set under another; None if nothing says so.

    Args:
        source: SPDX identifier of the source's licence.
        whole: Of the data set's.
        adapted: Whether a model rewrites the source's text.
    """
    given, taken = _clauses(source), _clauses(whole)
    if "ND" in given and adapted:
        return f"{source} does not allow changed versions, and the recipe makes some"
    if "NC" in given and "NC" not in taken:
        return f"{source} does not allow commercial use, and {whole} does"
    if "SA" in given and _family(source) != _family(whole):
        return f"{source} asks for the same licence, and the data set has {whole}"
    return None


def _clauses(licence: str) -> frozenset[str]:
    found = {part.upper() for part in re.split(r"[-_ ]", licence)} & {"NC", "ND", "SA"}
    if licence.startswith(_ALIKE):
        found.add("SA")
    return frozenset(found)


def _family(licence: str) -> str:
    """A licence without its version: CC-BY-SA-3.0 and CC-BY-SA-4.0 are one here."""
    return re.sub(r"-\d+(?:\.\d+)*.*$", "", licence).upper()
