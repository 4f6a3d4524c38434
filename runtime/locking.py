"""The lock of a recipe on disk: what it pins, what holds now, and which of it differs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any, get_args

from ..compiler.compile import Compiled
from ..compiler.diagnostics import Diagnostic, Report, Span, in_order
from ..compiler.graph import Node
from ..compiler.identity import digest
from ..compiler.lock import (
    Key,
    LockError,
    Pin,
    Pinned,
    Stale,
    compare_pins,
    pinned,
    read_lock,
    show_stale,
)
from ..compiler.meaning import packages_of
from ..compiler.registry import Catalog, Prompt
from ..compiler.world import Pins
from .catalog import load_catalog
from .project import Project


@dataclass(frozen=True, slots=True)
class LockState:
    """A lock beside what holds now.

    Attributes:
        path: Where it lies or would lie.
        pins: What it pins; None if there is no lock.
        stale: What differs.
        problem: Why it cannot be read.
        unknown: Names of models and sources that could not be described, so not compared.
    """

    path: Path
    pins: Pinned | None = None
    stale: tuple[Stale, ...] = ()
    problem: str = ""
    unknown: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether there is a lock and all of it holds."""
        return self.pins is not None and not self.stale

    def words(self) -> str:
        """For the head of a plan; nothing without a lock."""
        if self.problem:
            return "lock unreadable"
        if self.pins is None:
            return ""
        count = f"{len(self.pins)} pin{'s' * (len(self.pins) != 1)}"
        if not self.stale:
            return f"lock ok ({count})"
        return f"lock differs ({len(self.stale)} of {count})"

    def lines(self) -> list[str]:
        """What `lock --check` says of it, as an error."""
        if self.problem:
            return [f"{self.path.name}: {self.problem}", HELP]
        if self.pins is None:
            return [f"there is no {self.path.name}", HELP]
        entries = max(len(self.pins), len(self.stale))
        head = f"lock is out of date ({len(self.stale)} of {entries} entries)"
        names = [s.pin.name for s in self.stale if s.symbol == "~"]
        one = f" (or mashbill lock --upgrade {names[0]})" if len(self.stale) > 1 and names else ""
        return [head, *show_stale(self.stale), f"{HELP}{one}"]


HELP = "  = help: mashbill lock"
LARGEST = 16 << 20
"""Bytes of a lock that is read: some 100,000 pins."""


def lock_path(project: Project) -> Path:
    """`recipe.lock` beside `recipe.yaml`."""
    return project.lock


def lock_state(
    compiled: Compiled,
    pins: Pins,
    project: Project,
    *,
    offline: bool = False,
    overlaid: bool = False,
) -> LockState:
    """Compare the lock with what holds now; see `compare_pins`.

    Raises:
        OSError: It cannot be read.
        OutsideError: It is a link that leaves the project.
    """
    path = lock_path(project)
    if not path.is_file():
        return LockState(path)
    project.confined(path.name)
    if path.stat().st_size > LARGEST:
        return LockState(path, problem=f"it is larger than {LARGEST >> 20} MB")
    try:
        locked = read_lock(path.read_text("utf-8"))
    except LockError as error:
        return LockState(path, problem=str(error))
    except UnicodeDecodeError as error:
        return LockState(path, problem=f"it is not UTF-8 (byte {error.start})")
    now, unknown = gather(compiled, pins, project, offline=offline)
    stale = compare_pins(locked, now, unknown=unknown, offline=offline, overlaid=overlaid)
    return LockState(path, locked, stale, unknown=unknown)


def gather(
    compiled: Compiled, pins: Pins, project: Project, *, offline: bool = False
) -> tuple[dict[Key, Pin], tuple[str, ...]]:
    """What results rest on now, and the names of what could not be described.

    Args:
        compiled: A recipe that compiles.
        pins: Digests of its models and sources.
        project: Where it stands.
        offline: Leave out what needs models and data.
    """
    assert compiled.graph is not None and compiled.plan is not None
    catalog = load_catalog()
    found: list[Pin] = []
    unknown: list[str] = []
    for node in compiled.graph:
        if node.op != "source":
            found += _step_pins(node, catalog)
        elif node.name in pins.sources:
            path = " ".join(str(compiled.plan.sources[node.name]["path"]).split())
            found.append(Pin(node.name, "data", pins.sources[node.name], path))
        else:
            unknown.append(node.name)
    for part, render in compiled.plan.renders.items():
        identity = (compiled.plan.mix or {})["parts"][part]["render"]
        found.append(Pin(f"mix.{part}", "prompt.render", digest(identity), render["path"]))
    if not offline:
        for name in compiled.plan.models:
            if name in pins.models:
                found += _model_pins(name, pins.models[name], compiled, project)
            else:
                unknown.append(name)
        tokenizer = compiled.plan.tokenizer
        if tokenizer is not None and tokenizer not in compiled.plan.models and compiled.plan.mix:
            found += _file_pin("mix", "tokenizer", project.confined(tokenizer), tokenizer)
    return pinned(found), tuple(unknown)


def _step_pins(node: Node, catalog: Catalog) -> Iterator[Pin]:
    yield Pin(node.name, "operator", f"{node.op}@{node.version}")
    params = node.definition.get("params", {})
    for check in params.get("checks") or ():
        version = f"{check['kind']}@{check['version']}"
        yield Pin(node.name, f"check.{check['name']}", version)
        for place, stored in node.prompts.items():
            _, name, asked = (*place.split("."), "")[:3]
            if place.startswith("checks.") and name == check["name"]:
                identity = digest(check["params"][asked])
                yield Pin(node.name, f"prompt.{name}.{asked}", identity, str(stored["path"]))
    for package, version in packages_of(node, catalog).items():
        yield Pin(node.name, f"package.{package}", version or "none")
    path = str(node.prompt["path"]) if node.prompt else ""
    operator = catalog.steps.get(node.op)
    for param in operator.params if operator else ():
        if Prompt in (param.type, *get_args(param.type)) and params.get(param.name):
            yield Pin(node.name, "prompt", digest(params[param.name]), path)
    for name, template in (node.prompt or {}).get("templates", {}).items():
        yield Pin(node.name, f"prompt.{name}", digest(params[name]), template["path"])
    for number, rung in enumerate(params.get("on_fail") or ()):
        if isinstance(rung.get("prompt"), Mapping):
            place = node.prompts.get(f"on_fail.{number}.prompt", {}).get("path", "")
            yield Pin(node.name, f"prompt.on_fail.{number}", digest(rung["prompt"]), place)


def _model_pins(name: str, weights: str, compiled: Compiled, project: Project) -> Iterator[Pin]:
    assert compiled.plan is not None
    model = compiled.plan.models[name]
    yield Pin(name, "weights", weights, f"{model['engine']}/{model['model']}")
    tokenizer = (model.get("placement") or {}).get("tokenizer")
    if isinstance(tokenizer, str):
        base = Path.cwd() if model.get("typed") else project.folder
        yield from _file_pin(name, "tokenizer", base / Path(tokenizer).expanduser(), tokenizer)
    if model["engine"] == "local":
        yield from _gguf_pins(name, model, project)


def _gguf_pins(name: str, model: Mapping[str, Any], project: Project) -> Iterator[Pin]:
    """Tokenizer and chat template of a model file: its `weights` cover them, these name them."""
    from .llama.gguf import GgufError, read_metadata
    from .models import find_model
    from .requests import EngineError

    base = Path.cwd() if model.get("typed") else project.folder
    try:
        meta = read_metadata(find_model(str(model["model"]), base=base))
    except (EngineError, GgufError, OSError):
        return
    inside = {k: v for k, v in meta.items() if k.startswith("tokenizer.")}
    template = inside.pop("tokenizer.chat_template", None)
    if inside:
        yield Pin(name, "tokenizer", digest({k: repr(v) for k, v in inside.items()}))
    if template is not None:
        yield Pin(name, "template", digest(str(template)))


def _file_pin(name: str, kind: str, file: Path, note: str) -> Iterator[Pin]:
    if file.is_file():
        with file.open("rb") as data:
            found = blake2b(data.read(), digest_size=16).hexdigest()
        yield Pin(name, kind, found, " ".join(note.split()))


# -- in `check`


def _line_of(pin: Pin, text: str, file: str) -> Span:
    """The line of a pin in a lock; the first line if it has none."""
    at = 0
    for line in text.splitlines(keepends=True):
        if line.startswith(f"{pin.name} {pin.kind} "):
            return Span(file, at, at + len(line.rstrip()))
        at += len(line)
    return Span(file, 0, len(text.partition("\n")[0]))


def with_lock(compiled: Compiled, project: Project, *, overlaid: bool = False) -> Report:
    """The report of a compiled recipe, with what its lock says of what needs no data or model."""
    report = compiled.report
    if compiled.plan is None or compiled.recipe is None or not lock_path(project).is_file():
        return report
    state = lock_state(compiled, Pins(), project, offline=True, overlaid=overlaid)
    file = project.shown_path(state.path)
    with state.path.open(encoding="utf-8", errors="replace") as lock:
        text = lock.read(LARGEST)
    found: list[Diagnostic] = []
    if state.problem:
        place = Span(file, 0, len(text.partition("\n")[0]))
        words = f"the lock cannot be read: {state.problem}"
        found.append(Diagnostic("L601", words, place, help="mashbill lock"))
    elif state.stale:
        lines = tuple(line.strip() for line in show_stale(state.stale))
        known = [s for s in state.stale if s.old]
        place = _line_of((known or state.stale)[0].pin, text, file)
        words = f"lock is out of date ({len(state.stale)} of {len(state.pins or ())} entries)"
        found.append(Diagnostic("L601", words, place, notes=lines, help="mashbill lock"))
    found += _unpinned(compiled, state)
    if not found:
        return report
    files = {**report.files, file: text}
    return replace(report, diagnostics=in_order([*report.diagnostics, *found]), files=files)


def _unpinned(compiled: Compiled, state: LockState) -> Iterator[Diagnostic]:
    assert compiled.plan is not None and compiled.recipe is not None
    for source in compiled.recipe.sources:
        used = source.name in compiled.plan.sources
        if used and state.pins is not None and (source.name, "data") not in state.pins:
            words = f"source `{source.name}` is not in {state.path.name}"
            yield Diagnostic("D302", words, source.path_span, help="mashbill lock pins it")
