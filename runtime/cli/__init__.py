"""The command line: a thin layer over `runtime/api.py`. One file a verb."""

from .command import command

__all__ = ["command"]
