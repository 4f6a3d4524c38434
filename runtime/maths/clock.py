"""Times of day and dates."""

from __future__ import annotations

import re

from ..facts.number_words import MONTHS
from .forms import Date, Moment

_TIME = re.compile(
    r"(?:at )?(\d{1,2})(?::(\d{2}))?(?::(\d{2}))?\s*(?:\\text\s*\{\s*)?([ap])\.?\s?m\b\.?\s*\}?",
    re.I,
)
_PLAIN = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?")
_NAMES = {"noon": 43_200, "midnight": 0}
_ISO = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})")
_MONTH = "|".join(MONTHS)
_MONTH_DAY = re.compile(rf"({_MONTH})\.? (\d{{1,2}})(?:st|nd|rd|th)?(?:,? (\d{{4}}))?", re.I)
_DAY_MONTH = re.compile(
    rf"(?:the )?(\d{{1,2}})(?:st|nd|rd|th)?(?: of)? ({_MONTH})\.?(?:,? (\d{{4}}))?", re.I
)
_SLASHED = re.compile(r"\d{1,2}[/.-]\d{1,2}[/.-]\d{4}")


def read_clock(text: str) -> Moment | Date | None:
    """The time or the date that a text is."""
    if text.lower() in _NAMES:
        return Moment(_NAMES[text.lower()], True)
    if match := _TIME.fullmatch(text):
        hour, minute, second = int(match[1]), int(match[2] or 0), int(match[3] or 0)
        if 1 <= hour <= 12 and minute < 60 and second < 60:
            hour = hour % 12 + 12 * (match[4].lower() == "p")
            return Moment(hour * 3600 + minute * 60 + second, True)
    if match := _PLAIN.fullmatch(text):
        hour, minute, second = int(match[1]), int(match[2]), int(match[3] or 0)
        if hour < 24 and minute < 60 and second < 60:
            named = hour > 12 or hour == 0
            return Moment(hour * 3600 + minute * 60 + second, named)
    if match := _ISO.fullmatch(text):
        return _date(int(match[1]), int(match[2]), int(match[3]))
    if match := _MONTH_DAY.fullmatch(text):
        return _date(int(match[3] or 0), MONTHS[match[1].lower()], int(match[2]))
    if match := _DAY_MONTH.fullmatch(text):
        return _date(int(match[3] or 0), MONTHS[match[2].lower()], int(match[1]))
    return None


def _date(year: int, month: int, day: int) -> Date | None:
    return Date(year, month, day) if 1 <= month <= 12 and 1 <= day <= 31 else None


def is_slashed_date(text: str) -> bool:
    """Whether a text is a date of which nobody knows which number is the month."""
    return bool(_SLASHED.fullmatch(text))
