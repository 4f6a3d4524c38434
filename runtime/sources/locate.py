"""Where a source's files are: on this machine, or at an address."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ...compiler.world import OutsideError
from .formats import known_format
from .remote import Remote, is_address, list_remote
from .spec import Named

if TYPE_CHECKING:
    from ..project import Project

STORE = "remote"
"""The folder of the project's state that keeps copies of files from addresses."""

ELSEWHERE = frozenset(
    (
        "hf",
        "s3",
        "s3a",
        "gs",
        "gcs",
        "az",
        "abfs",
        "abfss",
        "adl",
        "oss",
        "http",
        "https",
        "ftp",
        "sftp",
        "hdfs",
        "webhdfs",
        "memory",
    )
)
"""Schemes that never reach the files of this machine."""


def locate(project: Project, path: str, *, typed: bool) -> tuple[Named, ...]:
    """The files that a source's path names, sorted.

    Raises:
        RemoteError: An address cannot be listed.
        OutsideError: The path leaves the project and was not typed by the user.
    """
    if is_address(path):
        confine(project, path, typed=typed)
        remotes = _data(path, list_remote(path, project.state / STORE))
        return tuple(Named(r, r.address, r.address) for r in remotes)
    base = Path.cwd() if typed else project.folder
    return tuple(
        Named(file, project.shown_path(file), Path(os.path.relpath(file, base)).as_posix())
        for file in project.files(path, typed=typed)
    )


def _data(address: str, files: tuple[Remote, ...]) -> tuple[Remote, ...]:
    """Of a folder's files those that hold rows, not the texts that stand beside data."""
    if any(mark in address for mark in "*?[") or [f.address for f in files] == [address]:
        return files
    formats = {f: known_format(f.name) for f in files}
    data = tuple(f for f, kind in formats.items() if kind is not None and not kind.joins)
    return data or tuple(f for f, kind in formats.items() if kind is not None)


def confine(project: Project, address: str, *, typed: bool) -> None:
    """Let a recipe's address name no file of this machine: `file://`, or a chain that ends there.

    Raises:
        OutsideError: It could.
    """
    scheme = address.partition("://")[0]
    if not (typed or project.allow_outside) and (scheme not in ELSEWHERE or "::" in address):
        raise OutsideError(f"{address} may be outside the project")
