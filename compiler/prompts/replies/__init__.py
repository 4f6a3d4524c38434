"""Shapes of replies: how a prompt says what its reply becomes, and how a reply is read by it."""

from __future__ import annotations

from .parse import Reading, read_reply
from .shapes import Part, Reply

__all__ = ["Part", "Reading", "Reply", "read_reply"]
