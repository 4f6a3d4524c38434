"""The main text of pages: their lines judged, the good ones put back together."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from .lines import END, WORDS
from .verdict import judge

BATCH = 4_000_000
"""Bytes of text taken at once; features of its lines need about twenty times as much memory."""


def main_text(texts: pl.Series, threshold: float, min_words: int) -> pl.Series:
    """The kept lines of each text, in order; null where too little is left.

    A blank line stays where the text has one between two kept lines.

    Args:
        texts: One page each, one block a line.
        threshold: The chance of being main text, 0 to 1, from which a line is kept.
        min_words: Words that must be left in running text: lines that end like a sentence or have
            at least ten words. In scripts without spaces two characters count as a word.
    """
    parts = [_main_text(batch, threshold, min_words) for batch in _batches(texts)]
    return pl.concat(parts) if parts else texts.cast(pl.String)


def _batches(texts: pl.Series) -> Iterator[pl.Series]:
    number = (texts.str.len_bytes().fill_null(0).cum_sum() // BATCH).rle()
    start = 0
    for length in number.struct.field("len"):
        yield texts.slice(start, length)
        start += length


def _main_text(texts: pl.Series, threshold: float, min_words: int) -> pl.Series:
    rows = pl.int_range(len(texts), dtype=pl.UInt32, eager=True).alias("row")
    lines = (
        pl.DataFrame([rows, texts.str.split("\n").alias("line")])
        .explode("line")
        .with_columns(
            pl.col("line").str.strip_chars_end(),
            pl.col("line").str.contains(r"\S").not_().cum_sum().over("row").alias("blanks"),
        )
        .filter(pl.col("line") != "")
    )
    kept = (
        lines.filter(judge(lines.select("row", "line")) >= threshold)
        .with_columns(
            pl.when(pl.col("blanks").diff().over("row") > 0)
            .then("\n" + pl.col("line"))
            .otherwise("line")
            .alias("line"),
            pl.when(pl.col("line").str.contains(END) | (WORDS >= 10))
            .then(WORDS)
            .otherwise(0)
            .alias("running"),
        )
        .group_by("row", maintain_order=True)
        .agg(pl.col("line").str.join("\n"), pl.col("running").sum())
        .filter(pl.col("running") >= min_words)
    )
    return rows.to_frame().join(kept, on="row", how="left", maintain_order="left")["line"]
