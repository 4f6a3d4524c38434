"""What stands between steps and engines: turns, tries, sharing, and what to do when one dies."""

from __future__ import annotations

from .health import EngineDownError
from .stats import WindowStats
from .window import MissingError, Window, sampling_of

__all__ = ["EngineDownError", "MissingError", "Window", "WindowStats", "sampling_of"]
