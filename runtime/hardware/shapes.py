"""The shapes of a plan's models: from their files here, or from a table. Nothing is downloaded."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ...compiler.hardware.known_shapes import KNOWN_SHAPES
from ...compiler.hardware.naming import find_named, packed
from ...compiler.hardware.reading import shape_of_config, shape_of_gguf
from ..requests import EngineError

if TYPE_CHECKING:
    from ...compiler.hardware.shapes import Shape
    from ..engines.base import ModelSpec

_WEIGHTS = (".safetensors", ".bin", ".pt", ".pth")


def find_shape(spec: ModelSpec) -> Shape | None:
    """The shape of a model of engine `local` or `vllm`; None where nobody knows it."""
    try:
        found = _from_gguf(spec) if spec.engine == "local" else _from_config(spec)
    except (EngineError, OSError, ValueError):  # not here, or not as it should be
        found = None
    return found or _known(spec)


def find_parameters(spec: ModelSpec) -> float | None:
    """How many parameters a model has, on whichever engine; None where nobody knows."""
    own = spec.engine in ("local", "vllm")
    shape = find_shape(spec) if own else _known(spec)
    return shape.parameters if shape else None


def _from_gguf(spec: ModelSpec) -> Shape | None:
    from ..llama.gguf import read_metadata
    from ..models import find_model

    path = find_model(spec.model, base=spec.base)
    return shape_of_gguf(read_metadata(path), spec.model, path.stat().st_size)


def _from_config(spec: ModelSpec) -> Shape | None:
    from ..vllm_.files import find_files

    revision = spec.options.get("revision")
    files = find_files(
        spec.model,
        base=spec.base,
        revision=revision if isinstance(revision, str) else None,
        weights=False,
    )
    config = files.config()
    return shape_of_config(config, spec.model, _size(files.folder)) if config else None


def _size(folder: Path) -> float | None:
    """Bytes of the weights in a folder, of the format that vLLM would read; None if there are none.

    A repository that holds them twice, whole and in one piece (`consolidated.safetensors`), is
    counted once.
    """
    files = [f for f in folder.iterdir() if f.is_file() and not f.name.startswith("consolidated")]
    for suffix in _WEIGHTS:
        sizes = [f.stat().st_size for f in files if f.suffix == suffix]
        if sizes:
            return float(sum(sizes))
    return None


def _known(spec: ModelSpec) -> Shape | None:
    """By name. Of weights that their name calls quantised, the table does not know how much so."""
    name = find_named(spec.model, KNOWN_SHAPES)
    return KNOWN_SHAPES[name] if name and not packed(spec.model) else None
