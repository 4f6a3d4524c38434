"""What may come next on a command line: verbs, options, and names from the recipe at hand."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Candidate = tuple[str, str]
"""What to type, and what it is for."""

_SIGN = re.compile(r"\d*\+|@|!")
"""What may stand before a step in a selector."""


@dataclass(frozen=True, slots=True)
class Line:
    """A command line up to the cursor.

    Attributes:
        verb: The verb.
        words: Words after the verb that are no options and no values of options.
        option: The option whose value is being typed, if one is.
        current: The word being typed; it may be empty.
        folder: Where the command would work.
    """

    verb: str
    words: tuple[str, ...]
    option: argparse.Action | None
    current: str
    folder: Path


def complete(
    words: Sequence[str],
    verbs: Mapping[str, str],
    parser: Callable[[Sequence[str]], argparse.ArgumentParser],
) -> list[Candidate]:
    """What may stand where the last word is.

    Args:
        words: The words after `mashbill`; the last one is being typed.
        verbs: Verb → what it is for.
        parser: The parser of all verbs, which knows the arguments of those that it is given.

    Returns:
        Candidates that begin with the last word; none where a file name is wanted.
    """
    given = [w for w in words[:-1] if w != "="]  # bash takes `--profile=x` apart
    current = "" if not words or words[-1] == "=" else words[-1]
    top, folder = parser(()), Path()
    while given and given[0].startswith("-"):
        option = given.pop(0)
        action = _option(top, option)
        if action is not None and action.nargs != 0:
            if not given:
                return _fitting(_choices(action), current)
            value = given.pop(0)
            folder = Path(value) if action.dest == "folder" else folder
    if not given:
        found = _options(top) if current.startswith("-") else list(verbs.items())
        return _fitting(found, current)
    if given[0] not in verbs:
        return []
    sub = _sub(parser(given[:1]), given[0])
    line = _read(given[0], given[1:], current, sub, folder)
    return _fitting(_candidates(line, sub), current)


def _read(
    verb: str, words: Sequence[str], current: str, sub: argparse.ArgumentParser, folder: Path
) -> Line:
    option: argparse.Action | None = None
    plain: list[str] = []
    for word in words:
        if option is not None:
            option = None
        elif word.startswith("-") and len(word) > 1:
            found = _option(sub, word)
            option = found if found is not None and found.nargs != 0 else None
        else:
            plain.append(word)
    return Line(verb, tuple(plain), option, current, folder)


def _candidates(line: Line, sub: argparse.ArgumentParser) -> Iterable[Candidate]:
    if line.option is not None:
        return _values(line.option, line)
    if line.current.startswith("-"):
        return _options(sub)
    places = [a for a in sub._actions if not a.option_strings]
    if not places:
        return []
    return _values(places[min(len(line.words), len(places) - 1)], line)


def _values(action: argparse.Action, line: Line) -> Iterable[Candidate]:
    """What an argument may be."""
    if action.choices:
        return _choices(action)
    name = f"{line.verb}.{action.dest}"
    maker = _VALUES.get(name) or _VALUES.get(action.dest)
    return maker(line) if maker else []


def _steps(line: Line) -> Iterator[Candidate]:
    """Steps and sources, after the sign of a selector."""
    sign = _SIGN.match(line.current)
    for section, what in (("steps", "op"), ("sources", "path")):
        for name, value in _section(line, section):
            about = value.get(what, "") if isinstance(value, dict) else ""
            yield (sign[0] if sign else "") + name, str(about)


def _names(line: Line) -> Iterator[Candidate]:
    """Whatever has a pin."""
    yield from _steps(line)
    for name, value in _section(line, "models"):
        yield name, value if isinstance(value, str) else "a model"


def _profiles(line: Line) -> Iterator[Candidate]:
    for name, value in _section(line, "profiles"):
        yield name, ", ".join(value) if isinstance(value, dict) else ""


def _settings(line: Line) -> Iterator[Candidate]:
    """Paths of values, for `--set`."""
    from ..compiler.document import Scalar, walk

    document = _document(line)
    for path, node in walk(document) if document is not None else ():
        if isinstance(node, Scalar) and path and all(isinstance(p, str) for p in path):
            yield ".".join(map(str, path)) + "=", node.raw


def _codes(line: Line) -> Iterator[Candidate]:
    from ..compiler.codes import CODES

    for code, row in sorted(CODES.items()):
        yield code, row.slug


def _operators(line: Line) -> Iterator[Candidate]:
    from .catalog import load_catalog

    catalog = load_catalog()
    for operator in (*catalog.steps.values(), *catalog.checks.values()):
        yield operator.name, operator.about


def _checks(line: Line) -> Iterator[Candidate]:
    """Checks of the recipe's steps, and kinds of checks."""
    from .catalog import load_catalog

    kinds = load_catalog().checks
    for step, body in _section(line, "steps"):
        checks = body.get("checks") if isinstance(body, dict) else None
        for name, check in checks.items() if isinstance(checks, dict) else ():
            said = check.get("kind", name) if isinstance(check, dict) else name
            yield f"{step}.{name}", kinds[str(said)].about if said in kinds else ""
    for kind, operator in kinds.items():
        yield kind, operator.about


def _templates(line: Line) -> Iterator[Candidate]:
    from .starter import find_starters

    for starter in find_starters().values():
        yield starter.name, starter.about


def _models(line: Line) -> Iterator[Candidate]:
    from .models import KNOWN

    for name, model in KNOWN.items():
        yield name, model.licence


_VALUES: Mapping[str, Callable[[Line], Iterable[Candidate]]] = {
    "profile": _profiles,
    "set": _settings,
    "explain": _codes,
    "select": _codes,
    "ignore": _codes,
    "until": _steps,
    "exclude": _steps,
    "step": _steps,
    "steps": _steps,
    "selector": _steps,
    "selectors": _steps,
    "words": _steps,
    "what": _steps,
    "calibrate.words": _checks,
    "upgrade": _names,
    "template": _templates,
    "init.template": _templates,
    "models.name": _models,
    "ops.name": _operators,
    "ops.names": _operators,
}
"""By verb and argument, or by argument alone; others are file names, or the user's own words."""


def _document(line: Line) -> Any:
    """The recipe that the line names, or the one in its folder; None if it cannot be read."""
    from ..compiler.document import Map, decode, parse_document
    from .project import RecipeNotFoundError, find_project

    named = next((w for w in line.words if _names_recipe(line.folder / w)), "")
    with suppress(OSError, RecipeNotFoundError):
        file = find_project(line.folder / named).recipe
        text, _ = decode(file.read_bytes(), str(file))
        document = parse_document(text, str(file))[0] if text is not None else None
        return document if isinstance(document, Map) else None
    return None


def _names_recipe(path: Path) -> bool:
    return path.suffix in (".yaml", ".yml") or path.is_dir()


def _section(line: Line, name: str) -> list[tuple[str, Any]]:
    from ..compiler.document import Map, plain

    document = _document(line)
    found = document.get(name) if document is not None else None
    return list(plain(found).items()) if isinstance(found, Map) else []


# argparse has no public way to ask a parser what it takes: `_actions` is what such tools read.


def _sub(top: argparse.ArgumentParser, verb: str) -> argparse.ArgumentParser:
    found: argparse.ArgumentParser = next(
        a.choices[verb] for a in top._actions if isinstance(a, argparse._SubParsersAction)
    )
    return found


def _option(parser: argparse.ArgumentParser, word: str) -> argparse.Action | None:
    return next((a for a in parser._actions if word in a.option_strings), None)


def _options(parser: argparse.ArgumentParser) -> Iterator[Candidate]:
    for action in parser._actions:
        if action.option_strings and action.help != argparse.SUPPRESS:
            yield action.option_strings[-1], action.help or ""


def _choices(action: argparse.Action) -> list[Candidate]:
    return [(str(choice), "") for choice in action.choices or ()]


def _fitting(found: Iterable[Candidate], current: str) -> list[Candidate]:
    return [(word, about) for word, about in found if word.startswith(current)]
