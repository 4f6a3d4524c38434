"""What an operator's docstring says of its parameters."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping

from .registry import Operator

_SECTION = re.compile(r"^Args:\n((?:[ ]{4,}.*\n|\n)+)", re.MULTILINE)
_ITEM = re.compile(r"^[ ]{4}(\w+):[ ](.*(?:\n[ ]{5,}.*)*)", re.MULTILINE)


def parameter_docs(operator: Operator) -> Mapping[str, str]:
    """Parameter → its description, from the `Args` section of the function's Google docstring."""
    section = _SECTION.search((inspect.getdoc(operator.build) or "") + "\n")
    found = _ITEM.findall(section[1]) if section else []
    return {name.rstrip("_"): " ".join(text.split()) for name, text in found}
