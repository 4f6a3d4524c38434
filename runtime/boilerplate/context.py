"""What a line's place shows: its neighbours, the page, and the stretch that holds the main text.

Main text is mostly one stretch of a page, so the stretch whose lines sum highest is found as in
maximum subsequence segmentation (Pasternack & Roth 2009), in one pass over running sums.
"""

from __future__ import annotations

import polars as pl

from .phrases import FAMILIES

WINDOWS = (1, 3, 8, 25)
"""Lines on either side over which neighbours are averaged."""

COSTS = (0.25, 0.5)
"""What a line must earn to lengthen the stretch; a low one bridges gaps."""


def place(lines: pl.DataFrame) -> pl.DataFrame:
    """Add the features of `PLACE_FEATURES`.

    Args:
        lines: `row`, `words` and `chance` (of being main text, 0 to 1), in page order.
    """
    chance, words = pl.col("chance"), pl.col("words")
    mass = chance * words
    lines = lines.with_columns(
        mass.alias("_mass"),
        words.cum_sum().over("row").alias("_words_sofar"),
        mass.cum_sum().over("row").alias("_mass_sofar"),
        pl.int_range(pl.len()).over("row").cast(pl.Float64).alias("_at"),
        pl.len().over("row").cast(pl.Float64).alias("_lines"),
    ).with_columns(
        words.sum().over("row").alias("_words_all"),
        (pl.col("_mass").sum().over("row") + 1e-9).alias("_mass_all"),
        *(s for i, cost in enumerate(COSTS) for s in _stretch(i, cost)),
        pl.sum_horizontal(f"{name}_short" for name in FAMILIES).clip(0, 1).alias("_tells"),
        pl.when(pl.col("titled").any().over("row"))
        .then(pl.col("titled").cum_max().over("row"))
        .otherwise(0.5)
        .alias("_titled_sofar"),
        pl.when(pl.col("titled") > 0).then(pl.col("_at")).max().over("row").alias("_title_at"),
    )
    lines = lines.with_columns(_features())
    return lines.drop(c for c in lines.columns if c.startswith("_"))


def _stretch(number: int, cost: float) -> list[pl.Expr]:
    """First and last line of the stretch of highest sum of (chance - cost) x sqrt(words)."""
    gain = (pl.col("chance") - cost) * pl.col("words").sqrt()
    total = gain.cum_sum()
    before = total.shift(1, fill_value=0.0)
    floor = before.cum_min()
    last = (total - floor).arg_max()
    first = (before == floor.get(last)).arg_max()
    return [
        first.over("row").cast(pl.Float64).alias(f"_first_{number}"),
        last.over("row").cast(pl.Float64).alias(f"_last_{number}"),
    ]


def _features() -> list[pl.Expr]:
    chance, words, mass = pl.col("chance"), pl.col("words"), pl.col("_mass")
    at = pl.col("_at")
    prose = pl.col("_mass_all") / pl.col("_words_all")

    def near(e: pl.Expr, n: int) -> pl.Expr:
        return e.rolling_mean(2 * n + 1, center=True, min_samples=1).over("row")

    odds = (chance.clip(1e-6, 1 - 1e-6) / (1 - chance.clip(1e-6, 1 - 1e-6))).log()
    before = (pl.col("_mass_sofar") - mass) / pl.col("_mass_all")
    after = 1 - pl.col("_mass_sofar") / pl.col("_mass_all")
    features: dict[str, pl.Expr] = {
        "odds": odds / 3,
        "odds_long": pl.when(words >= 9).then(odds / 3).otherwise(0),
        "above": chance.shift(1, fill_value=0.0).over("row"),
        "below": chance.shift(-1, fill_value=0.0).over("row"),
        "above_2": chance.shift(2, fill_value=0.0).over("row"),
        "below_2": chance.shift(-2, fill_value=0.0).over("row"),
        "between": (chance.shift(1, fill_value=0.0) * chance.shift(-1, fill_value=0.0)).over("row"),
        "before": before,
        "after": after,
        "nothing_before": before < 0.01,
        "nothing_after": after < 0.01,
        "top": (at < 3) & (pl.col("ends_long") == 0),
        # A page mostly begins with its title, but text that was cleaned before with a sentence.
        "first": (at < 1) & (pl.col("ends_long") == 0),
        "depth": at / pl.col("_lines"),
        "prose": prose,
        "page_lines": (pl.col("_lines").log1p() / 6).clip(0, 1.2),
        "words_before": ((pl.col("_words_sofar") - words) / pl.col("_words_all")),
        "titled_sofar": pl.col("_titled_sofar"),
        "under_title": (at > pl.col("_title_at")).fill_null(False),
        "title_near": (1 / (1 + (at - pl.col("_title_at")).clip(0))).fill_null(0),
    }
    for name in ("reply", "more", "legal", "share"):
        marks = pl.col(f"{name}_short").cum_sum().over("row")
        features[f"after_{name}"] = marks.log1p() / 2
        late = pl.when(before > 0.5).then(pl.col(f"{name}_short")).otherwise(0)
        features[f"late_{name}"] = late.cum_max().over("row")
    for n in (2, 8):
        features[f"tells_{n}"] = near(pl.col("_tells"), n)
        features[f"shorts_{n}"] = near((words <= 3).cast(pl.Float64), n)
    for n in WINDOWS:
        features[f"near_{n}"] = near(chance, n)
        features[f"dense_{n}"] = near(mass, n) / (near(words, n) + 1e-9)
        features[f"wordy_{n}"] = (near(words.log1p(), n) / 2).clip(0, 3)
    for i in range(len(COSTS)):
        first, last = pl.col(f"_first_{i}"), pl.col(f"_last_{i}")
        inside = (at >= first) & (at <= last)
        outside = pl.max_horizontal(first - at, at - last, pl.lit(0.0))
        features[f"inside_{i}"] = inside
        features[f"inside_{i}_listy"] = pl.when(inside).then(1 - prose).otherwise(0)
        features[f"inside_{i}_short"] = inside & (words <= 5)
        features[f"outside_{i}"] = outside.log1p() / 3
        features[f"just_above_{i}"] = (at < first) & (first - at <= 2)
    return [e.cast(pl.Float32).alias(n) for n, e in features.items()]


PLACE_FEATURES: tuple[str, ...] = tuple(e.meta.output_name() for e in _features())
"""Names of the features, in the order of their weights."""
