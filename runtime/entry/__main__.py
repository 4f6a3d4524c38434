"""The command: `mashbill`, or `python -m mashbill`."""

from __future__ import annotations

import gc
import sys


def main() -> int:
    """Run the command.

    Returns:
        The exit code: 0 done, 1 diagnostics or failure, 64 usage, 130 paused by ^C.
    """
    # Imports and parsing make many objects and free few: collecting them again and again costs
    # `check` a good part of its time.
    gc.set_threshold(50_000, 20, 20)
    from mashbill.runtime.cli import command

    return command(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
