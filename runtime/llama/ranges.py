"""Numbers between two bounds, as expressions of a GBNF grammar."""

from __future__ import annotations

DIGITS = 18
"""Most digits of a number without a bound: any of them fits into 64 bits."""
_MOST = 10**DIGITS - 1


def integer_between(low: int | None, high: int | None) -> str | None:
    """The whole numbers from `low` to `high`, without leading zeros; None if there are none.

    >>> integer_between(3, 12)
    '([3-9] | "1" [0-2])'
    >>> integer_between(-3, None)
    '("-" [1-3] | [0-9] | [1-9] [0-9]{1,17})'
    """
    return decimal_between(low, high, places=0)


def decimal_between(low: int | None, high: int | None, *, places: int) -> str | None:
    """The numbers n / 10^places with low <= n <= high; None if there are none.

    Each is written with exactly `places` digits behind the point.

    >>> decimal_between(50, 125, places=2)
    '("0." [5-9] [0-9] | "1." ([0-1] [0-9] | "2" [0-5]))'
    """
    least = -_MOST if low is None else max(low, -_MOST)
    most = _MOST if high is None else min(high, _MOST)
    options: list[str] = []
    if least < 0 and least <= most:
        options += [f'"-" {part}' for part in _decimals(max(1, -most), -least, places)]
    if most >= 0 and least <= most:
        options += _decimals(max(least, 0), most, places)
    return _either(options) if options else None


def _decimals(low: int, high: int, places: int) -> list[str]:
    """Numbers from zero on: whole part, point, and digits behind it."""
    if not places:
        return _integers(low, high)
    one = 10**places
    (first, least), (last, most) = divmod(low, one), divmod(high, one)
    if first == last:
        return [f'"{first}." {_digits(f"{least:0{places}}", f"{most:0{places}}")}']
    options = []
    if least:
        options.append(f'"{first}." {_digits(f"{least:0{places}}", "9" * places)}')
        first += 1
    end = []
    if most < one - 1:
        end.append(f'"{last}." {_digits("0" * places, f"{most:0{places}}")}')
        last -= 1
    if first <= last:
        options.append(f'{_either(_integers(first, last))} "." {_run(places)}')
    return [*options, *end]


def _integers(low: int, high: int) -> list[str]:
    """Whole numbers from zero on, one expression for each count of digits, or for all of them."""
    options: list[str] = []
    size = len(str(low))
    while size <= len(str(high)):
        least, most = 10 ** (size - 1) if size > 1 else 0, 10**size - 1
        if size > 1 and low <= least and most <= high:
            longest = len(str(high)) if high == 10 ** len(str(high)) - 1 else len(str(high)) - 1
            options.append(f"[1-9] {_run(size - 1, longest - 1)}")
            size = longest
        else:
            first, last = max(low, least), min(high, most)
            options.append(_digits(f"{first:0{size}}", f"{last:0{size}}"))
        size += 1
    return options


def _digits(low: str, high: str) -> str:
    """All texts of digits from `low` to `high`, which are equally long."""
    if low == high:
        return f'"{low}"'
    if low[0] == high[0]:
        return f'"{low[0]}" {_digits(low[1:], high[1:])}'
    tail = len(low) - 1
    if not tail:
        return f"[{low}-{high}]"
    least, most = int(low[0]), int(high[0])
    options, end = [], []
    if set(low[1:]) != {"0"}:
        options.append(f'"{least}" {_digits(low[1:], "9" * tail)}')
        least += 1
    if set(high[1:]) != {"9"}:
        end.append(f'"{most}" {_digits("0" * tail, high[1:])}')
        most -= 1
    if least <= most:
        head = f"[{least}-{most}]" if least < most else f'"{least}"'
        options.append(f"{head} {_run(tail)}")
    return _either([*options, *end])


def _run(least: int, most: int | None = None) -> str:
    if most is not None and most != least:
        return f"[0-9]{{{least},{most}}}"
    return "[0-9]" if least == 1 else f"[0-9]{{{least}}}"


def _either(options: list[str]) -> str:
    return options[0] if len(options) == 1 else f"({' | '.join(options)})"
