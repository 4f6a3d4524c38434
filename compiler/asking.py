"""Binding of a prompt file: its inputs against the columns, its reply against the step."""

from __future__ import annotations

import re
from dataclasses import replace
from glob import escape
from pathlib import PurePath
from typing import Any

from .bound import Bound
from .diagnostics import Diagnostic
from .document import Node, plain
from .prompts import read_prompt
from .prompts.files import Files, Siblings, unreadable
from .prompts.record import Reader
from .prompts.use import used_by
from .scope import Binding, Scope
from .types import STR, Type
from .world import OutsideError


def bind_prompt(node: Node, binding: Binding, scope: Scope, bound: Bound) -> dict[str, Any] | None:
    """Read and check the prompt that a step names; what of it is identity, None if it is wrong."""
    path = str(plain(node))
    read = reader_for(path, node, binding, bound.prompt_files, "prompt file")
    if read is None:
        bound.broken = True
        return None
    return _read_prompt(path, binding.world.shown(path), read, node, binding, scope, bound)


def reader_for(
    path: str, node: Node, binding: Binding, kept: dict[str, str], what: str
) -> Reader | None:
    """What reads a file of the recipe and those that it names; None, and a diagnostic, without it.

    Args:
        path: As the recipe names it.
        node: Where it does.
        binding: Gets the text of each file that is read.
        kept: Likewise, by the recipe's own names.
        what: What the file is, for people.
    """

    def read(path: str) -> str:
        kept[path] = text = binding.world.read(path)
        binding.files[binding.world.shown(path)] = text
        return text

    try:
        read(path)
    except FileNotFoundError:
        words = "looked beside the recipe"
        found = Files(read, siblings=siblings_of(binding)).missing(path, node.span)
        unread = replace(found, message=f"no such {what}: {path}", label=words)
    except OutsideError as error:
        unread = Diagnostic("R112", str(error), node.span, help=ALLOW_OUTSIDE)
    except UnicodeDecodeError as error:
        unread = Diagnostic("S001", f"{path} is not UTF-8 (byte {error.start})", node.span)
    except (OSError, ValueError) as error:
        unread = Diagnostic("R111", unreadable(path, error), node.span)
    else:
        return read
    binding.add(unread)
    return None


ALLOW_OUTSIDE = "copy it into the project, or allow it for this command with --allow-outside"


def _read_prompt(
    path: str,
    shown: str,
    read: Reader,
    node: Node,
    binding: Binding,
    scope: Scope,
    bound: Bound,
) -> dict[str, Any] | None:
    constant = frozenset(a.column for a in scope.step.set if _same_for_all(a.value))
    held = binding.prompts.get((path, constant))
    if held is None:  # several steps may share a prompt
        siblings = siblings_of(binding)
        found = read_prompt(path, read, shown=shown, siblings=siblings, constant=constant)
        held = binding.prompts[path, constant] = (*found, dict(bound.prompt_files))
    prompt, problems, files = held
    bound.prompt_files.update(files)
    binding.diagnostics.extend(used_by(scope.step.name, node.span, problems))
    if prompt is None:
        bound.broken = True
        return None
    bound.prompt = prompt
    uses = {u.name: u.span for u in reversed(prompt.uses)}
    for name, kind in prompt.inputs:
        bound.reads.add(name)
        span = uses.get(name)
        if not scope.has(name):
            verb = "uses a variable" if span else f"declares an input `{name}`"
            what = f"prompt {verb} that no upstream step produces"
            missing = scope.missing(name, span or node.span, code="P201", what=what)
            note = f"`inputs:` of {shown} declares `{name}`"
            # To rename it takes two edits, here and in `inputs:`: no blind fix.
            binding.add(replace(missing, notes=(note,), fix=()))
            bound.broken = True
        elif not _fits(scope.type_of(name), kind):
            binding.add(
                Diagnostic(
                    "X152",
                    f"the prompt's input `{name}` is {kind}, the column is {scope.type_of(name)}",
                    span or node.span,
                    secondary=scope.upstream(),
                    help=f"write `{name}: {scope.type_of(name)}` under the prompt's `inputs`",
                )
            )
            bound.broken = True
    return prompt.canonical()


def siblings_of(binding: Binding) -> Siblings:
    """Names of the files in a folder of the recipe."""

    def list_names(folder: str) -> list[str]:
        found = binding.world.match(f"{escape(folder)}/*".removeprefix("./"), typed=False)
        return [PurePath(path).name for path in found]

    return list_names


_PARAMETER = re.compile(r"=\s*params\.\w+\s*")


def _same_for_all(value: Node) -> bool:
    """Whether a `set:` gives every row the same: a literal, or a parameter."""
    text = plain(value)
    return not (isinstance(text, str) and text.startswith("=")) or bool(_PARAMETER.fullmatch(text))


def _fits(column: Type, wanted: Type) -> bool:
    if "any" in (column.kind, wanted.kind) or column.kind == wanted.kind:
        return True
    return wanted.kind == "float" and column.kind == "int"


def reply_columns(bound: Bound) -> dict[str, Type]:
    """Columns that a reply becomes; without any declared, the reply is the text."""
    if bound.model is None:
        return {}
    reply = dict(bound.prompt.reply if bound.prompt else ()) or {"text": STR}
    return {**reply, "input.text": STR} if "text" in reply else reply
