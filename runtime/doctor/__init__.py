"""What this machine has and lacks for Mashbill, and for a recipe; what to type about it."""

from __future__ import annotations

from .finding import Finding
from .machine import examine_machine
from .needs import examine_needs
from .probes import ask_models

__all__ = ["Finding", "ask_models", "examine_machine", "examine_needs"]
