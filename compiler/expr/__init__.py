"""The expression language: text, syntax tree, types. `runtime/frames.py` says what it computes."""

from .function import Function
from .functions import FUNCTIONS
from .infer import infer_type
from .nodes import Expr, columns_read, is_random, split_column, token_counts
from .parse import parse_expr
from .patterns import patterns
from .problems import Problem
from .show import show_expr

__all__ = [
    "FUNCTIONS",
    "Expr",
    "Function",
    "Problem",
    "columns_read",
    "infer_type",
    "is_random",
    "parse_expr",
    "patterns",
    "show_expr",
    "split_column",
    "token_counts",
]
