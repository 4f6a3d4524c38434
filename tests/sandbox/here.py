"""What this machine can do."""

from __future__ import annotations

import pytest

from mashbill.runtime.sandbox.isolation import isolation

needs_bubblewrap = pytest.mark.skipif(
    isolation().level != "bubblewrap",
    reason=f"V403: {isolation().why}; {isolation().fix}",
)
