"""What a data set is worth, before it is made.

`assess.worth` makes the record, `telling` says it in a terminal. The formulas stand one idea a
file: `chinchilla`, `repetition`, `quality`, `collapse`, `gates`, `making`, `stock`.
"""

from .assess import worth as worth
from .gates import GateRates as GateRates
from .record import Worth as Worth
from .telling import worth_summary as worth_summary
from .telling import worth_text as worth_text
