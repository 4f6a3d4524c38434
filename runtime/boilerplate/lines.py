"""What a line shows by itself: length, punctuation, case, function words, tell-tale phrases.

The ideas are those of boilerpipe (Kohlschütter et al. 2010: words per block) and jusText (Pomikálek
2011: length and stop-word density); measures of case and punctuation work without knowing the
language. Every feature lies between 0 and about 3, so that weights can be compared.
"""

from __future__ import annotations

import polars as pl

from .phrases import FAMILIES, FUNCTION_WORD

LENGTHS = (2, 4, 6, 9, 13, 18, 26, 40, 80)
"""Word counts at which a line may change its nature; each gives a yes-or-no feature."""

END = r"[.!?。！？…।؟][\"'”’»」)\]]*$"
"""The end of a line that ends like a sentence."""

_SENTENCE = r"[.!?。！？।؟][\"'”’»」)\]]*(?:\s|$)"
_BULLET = r"^(?:[-*•–▪‣]|\(?\d{1,2}[.)])\s*\S"
_IDEOGRAPH = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}]"

WORDS = (
    pl.col("line").str.count_matches(r"\S+") + pl.col("line").str.count_matches(_IDEOGRAPH) / 2
).cast(pl.Float64)
"""Words of a line. In scripts without spaces about two characters make a word."""


def measure(lines: pl.DataFrame) -> pl.DataFrame:
    """Add the features of `LINE_FEATURES`, and `words`, to lines.

    Args:
        lines: One line a row, in page order: `row` (the page) and `line` (not blank).
    """
    line = pl.col("line")
    counted = lines.with_columns(
        line.str.strip_chars().alias("_line"),
        line.first().over("row").alias("_title"),
        line.str.len_chars().cast(pl.Float64).alias("_chars"),
        line.str.count_matches(_IDEOGRAPH).cast(pl.Float64).alias("_ideographs"),
        line.str.strip_chars().str.to_lowercase().alias("_lower"),
        WORDS.alias("words"),
    )
    measured = counted.with_columns(_features())
    return measured.drop(c for c in measured.columns if c.startswith("_"))


def _features() -> list[pl.Expr]:
    line, lower, words, chars = (pl.col(c) for c in ("_line", "_lower", "words", "_chars"))

    def per_word(count: pl.Expr) -> pl.Expr:
        return (count / words).clip(0, 2)

    def share(pattern: str) -> pl.Expr:
        return (line.str.count_matches(pattern) / chars).clip(0, 1)

    title = pl.col("_title").str.strip_chars()
    top = pl.int_range(pl.len()).over("row") == 0
    ends = line.str.contains(END)
    sentences = line.str.count_matches(_SENTENCE)
    small = per_word(line.str.count_matches(r"(?:^|\s)\p{Ll}"))
    features = {f"words_{n}": words >= n for n in LENGTHS}
    features |= {
        "log_words": (words.log1p() / 2).clip(0, 3),
        "ends": ends,
        "ends_long": ends & (words >= 6),
        "colon": line.str.ends_with(":"),
        "question": line.str.ends_with("?"),
        "dots": line.str.contains(r"(?:\.\.\.|…)\)?$"),
        "sentences": (sentences.log1p() / 2).clip(0, 2),
        "commas": per_word(line.str.count_matches(r"[,;，、；]") * 5),
        "small": small,
        "small_long": pl.when(words >= 6).then(small).otherwise(0),
        "function": per_word(lower.str.count_matches(FUNCTION_WORD)) * 2,
        "digits": share(r"\d"),
        "capitals": share(r"\p{Lu}"),
        "shouts": line.str.contains(r"^\P{Ll}*\p{Lu}{2}\P{Ll}*$"),
        "ideographs": (pl.col("_ideographs") / chars).clip(0, 1),
        "marks": share(r"[|•·»›→←©®™{}<>=_#/\\+*~]") * 3,
        "number_only": line.str.contains(r"^[\d\s.,:/%$€£()+-]+$"),
        "price": line.str.contains(r"[$€£¥]\s?\d|\d\s?[€£]"),
        "year": line.str.contains(r"(?-u:\b)(?:19|20)\d\d(?-u:\b)"),
        "address": line.str.contains(r"https?://|www\.|\S@\S+\.\w"),
        "bullet": line.str.contains(_BULLET),
        "quote": line.str.contains(r"[\"“”«»„]"),
        "first_person": lower.str.contains(r"(?-u:\b)(?:i|my|we|our)(?-u:\b)"),
        "you": lower.str.contains(r"(?-u:\b)(?:you|your)(?-u:\b)"),
        "titled": (title.str.starts_with(line) | title.str.ends_with(line)) & (chars >= 12) & ~top,
        "repeats": line.is_first_distinct().over("row").not_(),
        "repeated": pl.len().over("row", "_line") > 1,
    }
    for name, pattern in FAMILIES.items():
        hit = lower.str.contains(pattern)
        features[name] = pl.when(hit).then(3 / (2 + words.sqrt())).otherwise(0)
        features[f"{name}_short"] = hit & (words <= 8)
    return [e.cast(pl.Float32).alias(n) for n, e in features.items()]


LINE_FEATURES: tuple[str, ...] = tuple(e.meta.output_name() for e in _features())
"""Names of the features, in the order of their weights."""
