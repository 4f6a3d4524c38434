"""Mathematical answers: where they stand in a text, whether two are equal, whether steps hold."""

from __future__ import annotations
