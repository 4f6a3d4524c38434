"""The files of a model as Hugging Face lays them out: where they are, what identifies them."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..llama.card import weights_digest
from ..requests import EngineError

_WEIGHTS = (".safetensors", ".bin", ".pt", ".pth", ".gguf")
_TEXTS = (".json", ".jinja", ".model", ".txt", ".tiktoken")
"""Files that decide a reply beside the weights: configuration, tokenizer, chat template."""
_TRAINING = ("training_args", "optimizer", "scheduler", "rng_state", "trainer_state")


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """A model on this machine.

    Attributes:
        folder: Where its files lie.
        commit: Of the hub repository that they are a snapshot of; empty for other folders.
        repo: That repository.
    """

    folder: Path
    commit: str = ""
    repo: str = ""

    @property
    def tokenizer(self) -> Path:
        """Its `tokenizer.json`, whether it is there or not."""
        return self.folder / "tokenizer.json"

    @property
    def template(self) -> bool:
        """Whether it brings a chat template."""
        if (self.folder / "chat_template.jinja").is_file():
            return True
        return bool(self.config("tokenizer_config.json").get("chat_template"))

    @property
    def context(self) -> int | None:
        """The length that it was made for, in tokens, if its configuration says so."""
        config = self.config()
        for place in (config, config.get("text_config")):
            found = place.get("max_position_embeddings") if isinstance(place, dict) else None
            if isinstance(found, int):
                return found
        return None

    def config(self, name: str = "config.json") -> dict[str, Any]:
        """One of its JSON files; empty if it cannot be read."""
        return _json(self.folder / name)

    def digest(self, *, weights: bool = True) -> str:
        """What identifies its replies: the commit of a snapshot, else every file that counts.

        Args:
            weights: False leaves the weights out, for a model that runs with random ones.
        """
        if self.commit and weights:
            return _blake(f"hub\0{self.repo}\0{self.commit}")
        parts = [f"{f.relative_to(self.folder)}\0{weights_digest(f)}" for f in self._files(weights)]
        return _blake("folder", *parts)

    def _files(self, weights: bool) -> Iterator[Path]:
        found = sorted(f for f in self.folder.iterdir() if f.is_file())
        # Repositories often hold the same weights twice; vLLM reads safetensors where there are.
        best = next((s for s in _WEIGHTS if any(f.suffix == s for f in found)), None)
        for file in found:
            if file.name.startswith(_TRAINING):
                continue
            if file.suffix in _TEXTS or (weights and file.suffix == best):
                yield file


def find_files(
    model: str,
    *,
    base: str,
    revision: str | None = None,
    weights: bool = True,
    config: str = "config.json",
) -> ModelFiles:
    """The files of a folder, or of a hub repository that has been downloaded. Asks nobody.

    Args:
        model: Path of a folder, or `org/name`.
        base: Folder that relative paths start from.
        revision: Branch, tag or commit of a hub repository; `main` if none is given.
        weights: Whether weights must be there too.
        config: The file that makes a folder such a model.

    Raises:
        EngineError: `missing`, with what to type; `revision`, if one is given for a folder.
    """
    path = Path(base) / Path(model.removeprefix("hf://")).expanduser()
    written = model.startswith((".", "/", "~"))
    if written or (path.is_dir() and not model.startswith("hf://")):
        if revision is not None:
            raise EngineError(
                "revision", f"revision is for models of a hub; {model} is a folder", retryable=False
            )
        return _whole(ModelFiles(path.resolve()), model, weights, config)
    found = _snapshot(model.removeprefix("hf://"), revision)
    return _whole(found, model, weights, config)


def _snapshot(repo: str, revision: str | None) -> ModelFiles:
    home = _hub_cache() / f"models--{repo.replace('/', '--')}"
    wanted = revision or "main"
    ref = home / "refs" / wanted
    commit = ref.read_text("utf-8").strip() if ref.is_file() else wanted
    folder = home / "snapshots" / commit
    if not folder.is_dir():
        at = f" --revision {revision}" if revision else ""
        raise EngineError(
            "missing",
            f"model {repo} is not on this machine; type: hf download {repo}{at}",
            retryable=False,
        )
    return ModelFiles(folder, commit, repo)


def _whole(files: ModelFiles, model: str, weights: bool, config: str) -> ModelFiles:
    if not files.folder.is_dir():
        raise EngineError("missing", f"there is no folder {files.folder}", retryable=False)
    if not (files.folder / config).is_file():
        raise EngineError(
            "missing",
            f"{model} holds no {config}; give a folder as Hugging Face lays it out",
            retryable=False,
        )
    if weights and not any(f.suffix in _WEIGHTS for f in files.folder.iterdir()):
        raise EngineError("missing", f"{model} holds no weights", retryable=False)
    return files


def _hub_cache() -> Path:
    """Where `huggingface_hub` keeps downloads, by its documented variables."""
    if given := os.environ.get("HF_HUB_CACHE"):
        return Path(given).expanduser()
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    home = os.environ.get("HF_HOME") or f"{cache}/huggingface"
    return Path(home).expanduser() / "hub"


def _json(file: Path) -> dict[str, Any]:
    try:
        stat = file.stat()
    except OSError:
        return {}
    return _parsed(file, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=32)
def _parsed(file: Path, _mtime_ns: int, _size: int) -> dict[str, Any]:
    try:
        found = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _blake(*parts: str) -> str:
    return hashlib.blake2b("\0\0".join(parts).encode(), digest_size=16).hexdigest()
