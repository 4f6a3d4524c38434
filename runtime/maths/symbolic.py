"""The last resort: two answers compared by math-verify and SymPy, within a time limit.

math-verify (Kydlíček, Hugging Face) reads LaTeX into SymPy and compares. It is given only what
looks like mathematics through and through: of a text with words it would compare the last number.
What runs in C and hears no signal (giant powers, factorials) is refused before.
"""

from __future__ import annotations

import importlib
import logging
import re
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from .dressing import undress

INSTALL = 'pip install "mashbill[math]"'
SECONDS = 5.0
_MAX_CHARS = 400
_DIGITS_OF_SYMPY = 50
"""Digits to which SymPy compares numbers: math-verify's own 15, and 6 of floats, are too few."""

_COMMAND = re.compile(r"\\[A-Za-z]+")
_WORD = re.compile(r"[A-Za-z]{2,}")
_FUNCTIONS_WORDS = "sin cos tan cot sec csc log ln exp sqrt pi max min det gcd lcm arg dx dy dt"
_FUNCTIONS = frozenset(_FUNCTIONS_WORDS.split())
_PROSE = re.compile(r"\\(?:text|input|include|write|def|newcommand|href|url|begin\s*\{[^pbvm])")
_NUMBER = re.compile(r"\d+")
_FACTORIAL = re.compile(r"(\d+)\s*\)*\s*!")
_TOWER = re.compile(r"\^\s*(?:\{[^{}]*|\w\s*)\^")
_ENVIRONMENT = re.compile(r"\\(?:begin|end)\s*\{[pbv]?matrix\}")
_BARE_ARGUMENTS = re.compile(r"\\frac\s*(\\[A-Za-z]+|\w)\s*(\\[A-Za-z]+|\w)")
_POWER = re.compile(r"\^\s*\{?\s*[-+]?\s*\(?\s*(\d+)")
_UNBOUND = re.compile(r"[\])}A-Za-z]\s*!|\\[dt]?binom")
_LARGEST_POWER = 1_000
_LARGEST_FACTORIAL = 1_000
_LONGEST_NUMBER = 60
_DEEPEST = 15


class MissingError(RuntimeError):
    """math-verify is not installed, and a pair needs it."""


class _TimeUp(BaseException):
    pass


def refused(text: str) -> str:
    """Why SymPy is not asked about a text; empty if it is."""
    if len(text) > _MAX_CHARS:
        return "too long"
    letters = _COMMAND.sub(" ", _ENVIRONMENT.sub(" ", text))
    if _PROSE.search(text) or "'" in text:
        return "words"
    if any(w.lower() not in _FUNCTIONS and len(w) > 3 for w in _WORD.findall(letters)):
        return "words"
    if _TOWER.search(text) or any(int(n[:9]) > _LARGEST_POWER for n in _POWER.findall(text)):
        return "a power too high"
    if any(int(n[:9]) > _LARGEST_FACTORIAL for n in _FACTORIAL.findall(text)):
        return "a factorial too large"
    small = "^" not in text and all(len(n) < 3 for n in _NUMBER.findall(text))
    if "!!" in text or (_UNBOUND.search(text) and not small):
        return "a factorial that may be too large"
    if any(len(n) > _LONGEST_NUMBER for n in _NUMBER.findall(text)):
        return "a number too long"
    depth = most = 0
    for char in text:
        depth += (char in "([{") - (char in ")]}")
        most = max(most, depth)
    return "nested too deeply" if most > _DEEPEST or not text.strip() else ""


def equal_by_sympy(gold: str, got: str, seconds: float = SECONDS) -> tuple[bool | None, str]:
    """Whether SymPy finds two answers equal, and why it was not asked or did not answer.

    Args:
        gold: The wanted answer.
        got: The given one.
        seconds: Of computing, so that an answer does not depend on what else a machine does. The
            limit is a signal, so only the main thread of a process is given an answer; checks run
            there.

    Raises:
        MissingError: If math-verify is not installed.
    """
    gold, got = undress(gold), undress(got)
    for side, text in (("the wanted answer", gold), ("the answer", got)):
        if why := refused(text):
            return None, f"{side}: {why}"
    if threading.current_thread() is not threading.main_thread():
        return None, "SymPy is only asked in the main thread of a process"
    library = _library()
    try:
        with _limited(seconds):
            return _verified(library, gold, got)
    except _TimeUp:
        return None, f"SymPy computed for longer than {seconds:g} seconds"
    except (Exception, RecursionError) as error:  # whatever a computer algebra system raises
        return None, f"SymPy failed: {type(error).__name__}"


def _library() -> Any:
    try:
        library = importlib.import_module("math_verify")
    except ImportError as error:
        said = f"this pair needs SymPy, which is not installed; type: {INSTALL}"
        raise MissingError(said) from error
    for name in ("math_verify", "math_verify.grader", "math_verify.parser"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    return library


def _verified(library: Any, gold: str, got: str) -> tuple[bool | None, str]:
    sides = []
    for text in (gold, got):
        text = _BARE_ARGUMENTS.sub(r"\\frac{\1}{\2}", text)
        latex = library.LatexExtractionConfig()
        found = library.parse(f"${text}$", [latex], parsing_timeout=None)
        sides.append([side for side in found if not isinstance(side, str)])
        if not sides[-1]:
            return None, "SymPy cannot read it"
    same = library.verify(
        *sides,
        float_rounding=_DIGITS_OF_SYMPY,
        numeric_precision=_DIGITS_OF_SYMPY,
        timeout_seconds=None,
    )
    return bool(same), ""


@contextmanager
def _limited(seconds: float) -> Iterator[None]:
    """Raise `_TimeUp` inside the block once it takes too long, again and again."""

    def end(_signal: int, _frame: FrameType | None) -> None:
        raise _TimeUp

    before = signal.signal(signal.SIGPROF, end)
    signal.setitimer(signal.ITIMER_PROF, seconds, 0.1)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
