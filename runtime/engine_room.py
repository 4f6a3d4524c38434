"""Models of a plan: which engine serves each, what identifies it, and its tokenizer."""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from ..compiler.plan import Plan
from .engines.base import EngineModule, ModelInfo, ModelSpec, Tokens
from .project import Project
from .requests import EngineError, Message

VARIABLE = re.compile(r"\$\{([A-Z_][A-Z0-9_]*)\}")


def filled(text: str | None) -> str | None:
    """Fill `${NAME}` from the environment.

    Raises:
        EngineError: A variable is not set; the message names it.
    """
    if text is None:
        return None
    for name in VARIABLE.findall(text):
        if name not in os.environ:
            raise EngineError("unset", f"set the variable {name}", retryable=False)
    return VARIABLE.sub(lambda m: os.environ[m[1]], text)


def spec_of(name: str, model: Mapping[str, Any], project: Project) -> ModelSpec:
    """A model of a plan, ready for its engine. Raises `EngineError`."""
    return ModelSpec(
        name=name,
        engine=str(model["engine"]),
        model=str(model["model"]),
        urls=tuple(filter(None, map(filled, model.get("urls") or ()))),
        key=filled(model.get("key")),
        placement=dict(model.get("placement") or {}),
        options=dict(model.get("options") or {}),
        base=str(Path.cwd()) if model.get("typed") else str(project.folder),
    )


def engine_module(name: str) -> EngineModule:
    """The file of an engine. Raises `EngineError` if there is none."""
    try:
        module = importlib.import_module(f"{__package__}.engines.{name}")
    except ModuleNotFoundError as error:
        if error.name and error.name.endswith(f"engines.{name}"):
            raise EngineError(
                "unknown", f"no engine is called `{name}`", retryable=False
            ) from error
        raise
    return cast(EngineModule, module)


@dataclass(slots=True)
class EngineRoom:
    """The models of one plan. Describing and tokenizing start nothing."""

    project: Project
    models: Mapping[str, Mapping[str, Any]]
    _tokens: dict[str, Tokens] = field(default_factory=dict)
    _infos: dict[str, ModelInfo] = field(default_factory=dict)

    def spec(self, name: str) -> ModelSpec:
        """The spec of a model. Raises `EngineError`."""
        return spec_of(name, self.models[name], self.project)

    def info(self, name: str) -> ModelInfo:
        """What identifies a model. Raises `EngineError`."""
        if name not in self._infos:
            spec = self.spec(name)
            self._infos[name] = engine_module(spec.engine).describe(spec)
        return self._infos[name]

    def tokens(self, name: str) -> Tokens:
        """The tokenizer of a model, or of a local `tokenizer.json`. Raises `EngineError`."""
        if name not in self._tokens:
            if name in self.models:
                spec = self.spec(name)
                self._tokens[name] = engine_module(spec.engine).tokens(spec)
            else:
                self._tokens[name] = FileTokens.read(self.project, name)
        return self._tokens[name]


@dataclass(frozen=True, slots=True)
class FileTokens:
    """A `tokenizer.json` of the recipe, to count a mix with."""

    tokenizer: Any

    @classmethod
    def read(cls, project: Project, path: str) -> FileTokens:
        """Load it. Raises `EngineError`."""
        from tokenizers import Tokenizer

        file = project.confined(path)
        if not file.is_file():
            raise EngineError(
                "tokenizer", f"no model and no file is called {path}", retryable=False
            )
        return cls(Tokenizer.from_file(str(file)))

    def count(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, no special tokens added."""
        batch = self.tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        return [len(e) for e in batch]

    def count_chat(self, chats: Sequence[Sequence[Message]]) -> list[int]:
        """Tokens of the messages' text alone: a tokenizer file has no chat template."""
        return [sum(self.count([m.content for m in chat])) for chat in chats]

    @property
    def special(self) -> tuple[str, ...]:
        """Added tokens that are marked special."""
        added = self.tokenizer.get_added_tokens_decoder().values()
        return tuple(t.content for t in added if t.special)


def room_of(plan: Plan, project: Project) -> EngineRoom:
    """The engine room of a plan."""
    return EngineRoom(project, plan.models)
