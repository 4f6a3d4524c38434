"""How well programs are shut in on this machine: tried once, never claimed."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import cache

from . import bubblewrap
from .box import Box, BoxLostError, Level
from .wanted import NoSandboxError


@dataclass(frozen=True, slots=True)
class Isolation:
    """The best level that works here.

    Attributes:
        level: `bubblewrap`: no network, no files of this machine but the system's, read-only, a
            folder and processes of its own. `limits`: only limits on what each process uses. None:
            not even that.
        why: Why it is no better; empty for the best.
        fix: What to type.
    """

    level: Level | None
    why: str = ""
    fix: str = ""


@cache
def isolation() -> Isolation:
    """Try what works here, in a fraction of a second; the answer is kept."""
    if not sys.platform.startswith("linux"):
        return Isolation(None, "sandboxes need Linux", "run this recipe on Linux or in a container")
    why, fix = _problem()
    if not why:
        return Isolation("bubblewrap")
    return Isolation("limits" if not _fault("limits") else None, why, fix)


def require(strict: bool) -> Level:
    """The level to run at: bubblewrap, or else whatever there is unless `strict`.

    Raises:
        NoSandboxError: If there is none, or none good enough.
    """
    found = isolation()
    if found.level == "bubblewrap" or (found.level and not strict):
        return found.level
    has = "only process limits are available" if found.level else "there is none"
    raise NoSandboxError(f"a sandbox is required, but {has}: {found.why} (V403); {found.fix}")


def _problem() -> tuple[str, str]:
    """What is wrong with bubblewrap here, and what to type; empty words if nothing."""
    if bubblewrap.find() is None:
        return "bubblewrap is not installed", "apt install bubblewrap"
    said = _fault("bubblewrap")
    if not said:
        return "", ""
    return f"bubblewrap cannot start here: {said}", "sysctl user.max_user_namespaces=10000"


def _fault(level: Level) -> str:
    """What keeps a level from working; empty if it does."""
    from .limits import Limits
    from .program import Program

    box = Box(level)
    try:
        box.start()
        if box.run(Program("compile"), Limits()).passed:
            return ""
        return "an empty program does not run in it"
    except BoxLostError as error:
        return str(error) or "it ends at once"
    finally:
        box.close()
