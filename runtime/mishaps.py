"""What comes of a row whose work broke off: an aside with its reason, never the end of a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .checkpool import CheckError
from .faults import RunError
from .halt import HeldBackError
from .outcome import Outcome
from .prompting import RenderError
from .requests import EngineError
from .window import MissingError


def outcome_of(row: Mapping[str, Any], error: Exception) -> Outcome:
    """The outcome of a row.

    Raises:
        Exception: The error itself, where it is not the row's: a disk, a replay, a run that ends.
    """
    match error:
        case MissingError() | OSError() | RunError():
            raise error
        case HeldBackError():
            return Outcome("pending", (row,))
        case EngineError():
            reason, words = error.kind, str(error)
        case RenderError():
            reason, words = "prompt", str(error)
        case CheckError():
            reason, words = "check", str(error)
        case _:  # a defect that one row brings to light
            reason, words = "fault", f"{type(error).__name__}: {error}"
    return Outcome("error", (row,), reason, {"message": words})
