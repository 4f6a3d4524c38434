"""A picture as text for a terminal: from left to right if it fits, else from top to bottom."""

from __future__ import annotations

from .across import draw_across
from .lanes import draw_lanes
from .picture import Picture
from .words import in_ascii, legend_of


def draw_text(picture: Picture, width: int = 80, *, ascii_only: bool = False) -> str:
    """The picture and the meaning of its signs; no line is longer than `width`."""
    drawn = draw_across(picture, width) or draw_lanes(picture, width)
    if legend := legend_of(picture):
        drawn += f"\n\n{legend[:width]}"
    return in_ascii(drawn) if ascii_only else drawn
