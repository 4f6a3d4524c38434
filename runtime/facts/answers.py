"""Questions and answers: what of a reply states something."""

from __future__ import annotations

import re

from .text import Text

_ASKED = re.compile(
    r"[\W\d_]*(?:q(?:uestion)?\s*\d*\s*[:.)]|[^\n]*\?[\"'”’)\]*_]*$)", re.IGNORECASE | re.DOTALL
)


def without_questions(text: Text) -> Text:
    """A text without its questions: `Q: …`, and whatever ends in a question mark."""
    return text.only(s for s in text.sentences if not _ASKED.match(s.raw))
