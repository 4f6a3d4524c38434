"""Facts for estimates: real rows, filters, prompts, replies in the ledger; no model is called.

Rows come from all over the sources, in an order that does not depend on how many are asked for.
Each stands for so many rows of its source. Columnar steps are run on them; model steps against the
ledger alone: rows whose every call it holds show what the step really does, and only these go on
where there are enough of them.
"""

from .measure import Survey, survey

__all__ = ["Survey", "survey"]
