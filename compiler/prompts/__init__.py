"""Prompt files: front matter, then `system`, `user`, `assistant` blocks in a part of Jinja."""

from __future__ import annotations

from .expressions import FILTERS
from .read import read_prompt
from .record import PromptFile, Reader, Use
from .template import OPTIONS

__all__ = ["FILTERS", "OPTIONS", "PromptFile", "Reader", "Use", "read_prompt"]
