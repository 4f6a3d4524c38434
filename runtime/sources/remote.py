"""Addresses (`hf://…`, `s3://…`): what is there, and a copy of a file when it is read.

`fsspec` lists and fetches; `hf://` is a file system that `huggingface_hub` gives it. Files are
fetched one by one, whole, when a run or a sample first reads them, and kept: a file that changed
at its address has another stamp and so another copy. `ledger gc` removes those that no recipe
reads.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import xxhash

from .copies import touch

EXTRA = 'pip install "mashbill[hub]"'
BLOCK = 1 << 20
PACKAGES = {"hf": "huggingface_hub", "s3": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "az": "adlfs"}
"""Packages that serve a scheme, beside fsspec itself."""


HUB = ("datasets", "models", "spaces", "buckets")
"""What an `hf://` path may begin with; `hf://owner/name` is a data set."""


class RemoteError(OSError):
    """An address cannot be read; the message says what to do.

    Attributes:
        address: As the recipe gives it, or a file there.
    """

    def __init__(self, message: str, address: str) -> None:
        super().__init__(message)
        self.address = address


@dataclass(frozen=True, slots=True)
class Remote:
    """A file at an address.

    Attributes:
        address: With its scheme.
        size: In bytes.
        stamp: What changes when its content does: a digest, an etag, or size and time.
        store: The folder that copies are kept in.
    """

    address: str
    size: int
    stamp: str
    store: Path

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.address.rpartition("/")[2]

    @property
    def copy(self) -> Path:
        """Where its copy is, or will be."""
        digest = xxhash.xxh3_128_hexdigest(f"{self.address}\n{self.stamp}".encode())
        return self.store / digest[:2] / f"{digest}-{self.name}"


def is_address(path: str) -> bool:
    """Whether a source's path is an address, not files of this machine."""
    scheme, mark, _ = path.partition("://")
    return bool(mark) and scheme.isalnum()


def list_remote(address: str, store: Path) -> tuple[Remote, ...]:
    """The files that an address or pattern names, sorted; all that lie in it where it is a folder.

    Raises:
        RemoteError: No package serves it, or it cannot be reached.
    """
    system, path = _system(address)
    scheme = address.partition("://")[0]
    try:
        pattern = _is_pattern(path)
        found: dict[str, Any] = (system.glob if pattern else system.find)(path, detail=True)
        if not found and not pattern:  # some systems find nothing in what is a file
            found = {path: system.info(path)}
    except FileNotFoundError:
        return ()
    except Exception as error:
        raise RemoteError(f"{address} cannot be listed: {_said(error)}", address) from error
    return tuple(
        Remote(_address(scheme, name), int(facts.get("size") or 0), _stamp(facts), store)
        for name, facts in sorted(found.items())
        if facts.get("type") == "file" and not _hidden(name)
    )


def _address(scheme: str, name: str) -> str:
    """The address of a name that a file system gives, which may be one already."""
    if "://" in name:
        return name
    return f"{scheme}://{name if scheme in ('file', 'local') else name.lstrip('/')}"


def local(file: Path | Remote) -> Path:
    """A file on this machine: itself, or its copy, which is fetched if it is not here yet.

    Raises:
        RemoteError: It cannot be fetched.
    """
    if isinstance(file, Path):
        return file
    copy = file.copy
    if copy.exists():
        touch(copy)
        return copy
    system, path = _system(file.address)
    part = copy.with_name(f"{copy.name}.{os.getpid()}.part")
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        with system.open(path, "rb") as there, part.open("wb") as here:
            while block := there.read(BLOCK):
                here.write(block)
            here.flush()
            os.fsync(here.fileno())
        if file.size and part.stat().st_size != file.size:
            raise RemoteError(f"{file.address} came cut short; run it again", file.address)
        part.replace(copy)
    except RemoteError:
        raise
    except Exception as error:
        message = f"{file.address} cannot be fetched: {_said(error)}"
        raise RemoteError(message, file.address) from error
    finally:
        part.unlink(missing_ok=True)
    return copy


def size_of(file: Path | Remote) -> int:
    """Bytes of a file, without fetching it."""
    return file.stat().st_size if isinstance(file, Path) else file.size


def _system(address: str) -> tuple[Any, str]:
    scheme, _, path = address.partition("://")
    if scheme == "hf" and path.partition("/")[0] not in HUB:
        address = f"hf://datasets/{path}"
    try:
        found: tuple[Any, str] = import_module("fsspec.core").url_to_fs(address)
        return found
    except ImportError as error:
        package = PACKAGES.get(scheme)
        if package in (None, "huggingface_hub"):
            raise RemoteError(f"{scheme}:// needs an extra: {EXTRA}", address) from error
        raise RemoteError(f"{scheme}:// needs {package}: pip install {package}", address) from error
    except ValueError as error:
        raise RemoteError(f"{address}: {_said(error)}", address) from error


def _is_pattern(path: str) -> bool:
    return any(mark in path for mark in "*?[")


def _hidden(name: str) -> bool:
    return name.rpartition("/")[2].startswith((".", "_"))


def _stamp(facts: dict[str, Any]) -> str:
    """The best there is: object stores give an etag, the hub a digest, others a time."""
    for key in ("sha256", "blob_id", "ETag", "etag", "md5Hash", "checksum"):
        if facts.get(key):
            return str(facts[key])
    if lfs := facts.get("lfs"):
        return str(lfs)
    when = facts.get("mtime") or facts.get("LastModified") or facts.get("created")
    return f"{facts.get('size')}:{when}"


def _said(error: BaseException) -> str:
    return str(error).partition("\n")[0][:200] or type(error).__name__
