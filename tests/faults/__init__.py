"""A server that fails in every way one can think of, and what must survive it."""

from .process import FaultServer

__all__ = ["FaultServer"]
