"""The main text of web pages, line by line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...compiler.registry import Case, Pace, Share, step
from ..kernel import REASON, Kernel, Mapped

if TYPE_CHECKING:
    import polars as pl

_STORY = (
    "The old mill on the river Tarn was built in 1784, and it ground flour for the whole valley.\n"
    "A flood carried the wheel away in 1910, but the walls and the grinding floor still stand."
)


@step(
    stage="map",
    version=1,
    cost="cpu",
    reads=("text",),
    writes=("text",),
    pace=Pace(byte=125e-9),
    cases=(
        Case(
            {},
            {"text": f"Home\nNews\nContact\nLog in\n{_STORY}\nShare this\n© 2024 Valley News"},
            {"text": _STORY},
        ),
        Case({}, {"text": "Home\nNews\nContact us\nLog in\nPrivacy policy\n© 2024"}, "empty"),
        Case({"min_words": 50}, {"text": _STORY}, "empty"),
    ),
)
def clean(threshold: Share = Share(0.4), min_words: int = 10) -> Kernel:  # noqa: B008
    """Drop boilerplate lines: menus, adverts, cookie notes, related links, footers.

    A line is kept if its chance of being main text is at least `threshold`; a higher one keeps less
    and purer text. Lines are kept whole and in order. A page is rejected as
    `empty` if fewer than `min_words` words are left in running text, which is lines that end like a
    sentence or have at least ten words.

    Args:
        threshold: Least chance of being main text at which a line is kept.
        min_words: Words of running text below which a page is rejected.
    """

    def kernel(frame: pl.DataFrame) -> Mapped:
        import polars as pl

        from ..boilerplate.select import main_text

        text = main_text(frame["text"], threshold, min_words)
        kept = text.is_not_null()
        out = frame.with_columns(text.alias("text")).filter(kept)
        if kept.all():
            return Mapped(out)
        return Mapped(out, frame.filter(~kept).with_columns(pl.lit("empty").alias(REASON)))

    return kernel
