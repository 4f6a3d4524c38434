"""Files that a prompt names: read, and where one is missing, the one that was probably meant."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from ..diagnostics import Diagnostic, Edit, Span
from ..suggest import nearest
from ..world import OutsideError
from .record import Reader
from .source import MAX_CHARACTERS

Siblings = Callable[[str], Iterable[str]]
"""A folder of the recipe to the names of the files in it. Raises `world.OutsideError`."""


def no_siblings(folder: str) -> Iterable[str]:
    """Where nobody can say which files there are."""
    return ()


def unreadable(path: str, error: Exception) -> str:
    """What is said of a file that is there and cannot be read."""
    why = error.strerror if isinstance(error, OSError) and error.strerror else "no name of a file"
    return f"cannot read {path!r}: {why.lower()}"


@dataclass(frozen=True, slots=True)
class Files:
    """How a prompt reaches the files beside it.

    Attributes:
        read: Reads them.
        prefix: What the user sees before a path of the recipe.
        siblings: Lists them.
        home: The prompt's own folder.
    """

    read: Reader
    prefix: str = ""
    siblings: Siblings = no_siblings
    home: str = "."

    def text(self, path: str, span: Span | None, diagnostics: list[Diagnostic]) -> str | None:
        """The text of a file of the recipe; None, and a diagnostic, if there is none."""
        try:
            text = self.read(path)
        except FileNotFoundError:
            diagnostics.append(self.missing(path, span))
        except OutsideError as error:
            diagnostics.append(Diagnostic("R112", str(error), span))
        except UnicodeDecodeError as error:
            message = f"{path} is not UTF-8 (byte {error.start})"
            diagnostics.append(Diagnostic("S001", message, span, help="save the file as UTF-8"))
        except (OSError, ValueError) as error:  # a folder, no permission, no name of a file
            diagnostics.append(Diagnostic("R111", unreadable(path, error), span))
        else:
            if len(text) <= MAX_CHARACTERS:
                return text
            size = f"{len(text) / 1e6:.1f}"
            message = (
                f"{path} has {size} million characters; a file of a prompt has at most 1 million"
            )
            diagnostics.append(Diagnostic("P211", message, span))
        return None

    def missing(self, path: str, span: Span | None) -> Diagnostic:
        """The diagnostic for a file that is not there, named in quotes or without."""
        close = self._meant(path)
        fix = (Edit(span, f"'{close}'"),) if close and span else ()
        help = f"did you mean `{close}`?" if close else None
        looked = "paths start at the recipe's folder" if span else ""
        return Diagnostic("R111", f"no such file: {path}", span, looked, help=help, fix=fix)

    def _meant(self, path: str) -> str | None:
        """A file of nearly this name in its folder, or of this name in the prompt's own."""
        here = PurePosixPath(path)
        folder, name = str(here.parent), here.name
        try:
            near = nearest(name, self.siblings(folder))
            at_home = name in self.siblings(self.home) if self.home != folder else False
        except (OutsideError, OSError, ValueError):
            return None
        if at_home:
            return str(PurePosixPath(self.home) / name)
        return str(here.parent / near) if near else None
