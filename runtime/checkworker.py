"""What a check worker does: build checks, judge rows. Also the process that `CheckPool` starts.

Imports here are few, so that a worker starts at once; a check imports what it needs.
"""

from __future__ import annotations

import importlib
import inspect
import os
import pickle
import pkgutil
import queue
import signal
import struct
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any, get_args, get_origin

from ..compiler.registry import Operator, operator_of
from .verdict import Check, Row, Verdict

LENGTH = struct.Struct("<I")
"""Goes before each message, in both directions."""

CHECKS = ("mashbill.runtime.checks",)

_FLUSH_SECONDS = 0.02


class CheckError(Exception):
    """A check could not judge a row: infrastructure failed, the row did not."""


@dataclass(frozen=True, slots=True)
class CheckSpec:
    """A check with its parameters, as it travels to a worker.

    Attributes:
        name: What the recipe calls it.
        kind: The operator's name.
        params: Parameters by name; lists and mappings stand as (nested) tuples.
        models: Of a check that asks models, which never travels: the parameters that name them,
            and the sampling that each is asked with, frozen alike.
    """

    name: str
    kind: str
    params: tuple[tuple[str, Any], ...] = ()
    models: tuple[tuple[str, Any], ...] = ()


class Builder:
    """Finds check operators by name in modules, and builds each check once."""

    def __init__(self, modules: Sequence[str] = CHECKS) -> None:
        self._modules = tuple(modules)
        self._built: dict[bytes, tuple[str, Check]] = {}

    def build(self, specs: Sequence[bytes]) -> list[tuple[str, Check]]:
        """The checks of pickled specs, with their names.

        Raises:
            CheckError: If there is no such check, or it does not build.
        """
        for raw in specs:
            if raw not in self._built:
                spec: CheckSpec = pickle.loads(raw)
                try:
                    self._built[raw] = spec.name, build_check(self._operator(spec.kind), spec)
                except CheckError:
                    raise
                except Exception as error:
                    raise CheckError(
                        f"check `{spec.name}` cannot be built: {said(error)}"
                    ) from error
        return [self._built[raw] for raw in specs]

    def _operator(self, kind: str) -> Operator:
        for module in self._sources(kind):
            for value in vars(module).values():
                found = operator_of(value)
                if found and found.kind == "check" and found.name == kind:
                    return found
        raise CheckError(f"there is no check `{kind}` in {', '.join(self._modules)}")

    def _sources(self, kind: str) -> Iterator[ModuleType]:
        """The modules to look in, those named after the check first; others load only if needed."""
        for name in self._modules:
            module = importlib.import_module(name)
            yield module
            inside = [m.name for m in pkgutil.iter_modules(getattr(module, "__path__", []))]
            for child in sorted(inside, key=lambda child: child.rstrip("_") != kind):
                yield importlib.import_module(f"{name}.{child}")


def judge(checks: Sequence[tuple[str, Check]], row: Row) -> tuple[Verdict, ...]:
    """The verdicts in order, up to and including the first failure.

    Raises:
        CheckError: If a check raises, or returns something else than a verdict.
    """
    verdicts: list[Verdict] = []
    for name, check in checks:
        try:
            verdict = check(row)
        except Exception as error:
            raise CheckError(f"check `{name}` failed: {said(error)}") from error
        if not isinstance(verdict, Verdict):
            raise CheckError(f"check `{name}` returned a {type(verdict).__name__}, not a Verdict")
        verdicts.append(verdict)
        if not verdict.passed:
            break
    return tuple(verdicts)


def work(modules: Sequence[str]) -> None:
    """Judge batches from standard input until it ends, as it does when the parent dies.

    A batch is a pickled list of (pickled specs, pickled row); an answer is a pickled list of the
    next results, each None and pickled verdicts, or a sentence about what failed and nothing.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.dup(1)
    os.dup2(2, 1)  # what a check prints must not end up between the answers
    batches: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(batches,), daemon=True).start()
    _die_with_parent()
    builder = Builder(modules)
    _send(answers, [])  # ready
    while True:
        results: list[tuple[str | None, bytes]] = []
        last = time.monotonic()
        for specs, row in pickle.loads(batches.get()):
            results.append(_answer(builder, specs, row))
            if time.monotonic() - last > _FLUSH_SECONDS:
                _send(answers, results)
                results, last = [], time.monotonic()
        if results:
            _send(answers, results)


def _answer(builder: Builder, specs: Sequence[bytes], row: bytes) -> tuple[str | None, bytes]:
    try:
        return None, pickle.dumps(judge(builder.build(specs), pickle.loads(row)))
    except CheckError as error:
        return str(error), b""
    except Exception as error:
        return f"a row or its verdict cannot be sent: {said(error)}", b""


def _listen(batches: queue.SimpleQueue[bytes]) -> None:
    """Read standard input in a thread, so that its end is noticed in the middle of a check."""
    source = sys.stdin.buffer
    while len(head := source.read(LENGTH.size)) == LENGTH.size:
        batches.put(source.read(LENGTH.unpack(head)[0]))
    if os.getpgrp() == os.getpid():  # what its checks started goes too
        os.killpg(0, signal.SIGKILL)
    os._exit(0)


def _die_with_parent() -> None:
    """Ask Linux to kill this process with its parent, even inside a check that never yields."""
    if sys.platform == "linux":
        import ctypes

        set_parent_death_signal = 1  # PR_SET_PDEATHSIG of prctl(2)
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)


def _send(fd: int, message: object) -> None:
    data = pickle.dumps(message)
    view = memoryview(LENGTH.pack(len(data)) + data)
    while view:
        view = view[os.write(fd, view) :]


def build_check(operator: Operator, spec: CheckSpec, **more: Any) -> Any:
    """Build a check from its spec, and what no spec holds, such as its prompts."""
    types = {p.name: p.type for p in operator.params}
    # A parameter that is a Python word is spelled with an underscore in the function alone.
    names = {name.rstrip("_"): name for name in inspect.signature(operator.build).parameters}
    params = {names.get(n, n): _thaw(value, types.get(n)) for n, value in spec.params}
    return operator.build(**{**params, **more})


def _thaw(value: Any, hint: Any) -> Any:
    """A list or mapping again, where the parameter asks for one."""
    if isinstance(value, tuple):
        kinds = [k for k in get_args(hint) if k is not type(None)]
        if type(None) in get_args(hint) and len(kinds) == 1:
            hint = kinds[0]
        origin = get_origin(hint)
        if origin is list:
            return list(value)
        if isinstance(origin, type) and issubclass(origin, Mapping):
            return dict(value)
    return value


def said(error: Exception) -> str:
    """An exception in words."""
    return f"{type(error).__name__}: {error}"
