"""What the runs of a project showed of each step, for the estimates of the next: one line a step.

`lines` is the file, `deriving` what a run's record says for it, `keys` which steps are like which,
`priors` what a plan is told. How fast models were stands in the records (`hardware.past`).
"""

from __future__ import annotations

from .lines import HISTORY
from .priors import priors
from .remembering import remember

__all__ = ["HISTORY", "priors", "remember"]
