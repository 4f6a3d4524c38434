"""Rows of a part of the mix as they are written: their text rendered, their origin told."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import polars as pl

from ..compiler.plan import Plan
from ..compiler.prompts.text_template import TextTemplate
from .engines.base import Tokens
from .faults import RunError
from .prompting import RenderError
from .rendering import load_template, text_of

Rendering = Callable[[pl.DataFrame], pl.DataFrame]


def part_renderer(plan: Plan, part: str, tokens: Tokens | None) -> Rendering | None:
    """What renders the rows of a part; None if its text is written as it is.

    Args:
        plan: With the part's template, if it has one.
        part: Its name in the mix.
        tokens: Of the data set; its control tokens are known to templates that write turns.
    """
    carried = plan.renders.get(part)
    if carried is None:
        return None
    template = load_template(carried, carried["files"])
    special = tokens.special if tokens else ()
    return partial(_rendered, part, template, special, tuple(carried["modelled"]))


def _rendered(
    part: str,
    template: TextTemplate,
    special: tuple[str, ...],
    modelled: tuple[str, ...],
    frame: pl.DataFrame,
) -> pl.DataFrame:
    # Of several inputs, the rows of one may lack what others have.
    lacking = [pl.lit(None).alias(c) for c in template.reads if c not in frame.columns]
    frame = frame.with_columns(lacking)
    try:
        rows = frame.select(template.reads).iter_rows(named=True)
        texts = [text_of(template, row, special) for row in rows]
    except RenderError as error:
        raise RunError(
            f"the template of part `{part}` cannot render a row: {error}. All completions are "
            "saved: a new run pays for none of them again"
        ) from None
    made = frame.with_columns(pl.Series("text", texts, pl.String))
    if not modelled:
        return made
    # A row that fell back, or that a `when:` let pass, holds none of the model's words.
    spoken = pl.any_horizontal(pl.col(c).is_not_null() for c in modelled)
    origin = pl.when(spoken).then(pl.lit("synthetic")).otherwise(pl.col("_origin"))
    return made.with_columns(origin.alias("_origin"))
