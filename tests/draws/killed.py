"""`mashbill` in a process of its own, with the model of these tests."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

if __name__ == "__main__":
    from mashbill.runtime.cli import command
    from tests.draws.solver import solving

    with solving():
        sys.exit(command(sys.argv[1:]))
