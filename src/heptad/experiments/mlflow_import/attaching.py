"""Files of MLflow kept as files of a record here: those that are not here, or have another length here."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from heptad.core.errors import InputError
from heptad.core.records import Attribute, Change, Record, Scalar
from heptad.core.workspace import Workspace
from heptad.experiments.files import ATTACHED, checked_name
from heptad.experiments.mlflow_import.source import SourceFile

_BYTES, _FILES = 64 << 20, 200
"""Bytes and number of files that are stored before the record names them."""


class Attached(NamedTuple):
    """How many files there are, how many of them are new, and the attributes that still have to be written."""

    files: int
    new_files: int
    attributes: dict[str, Scalar]


def attach(
    workspace: Workspace, record: Record[Any] | None, files: Iterator[SourceFile], left: Counter[str]
) -> Attached:
    """Store what is new; without a record only count. What has no usable name is counted in `left`."""
    count = new = held = 0
    found: dict[str, Scalar] = {}
    for file in files:
        count += 1
        try:
            key = ATTACHED + checked_name(file.path)
        except InputError:
            left["file without a usable name"] += 1
            continue
        digest = record.attributes.get(key) if record else None
        if record is not None and not (digest and workspace.blobs.size(str(digest)) == file.size):
            new += 1
            found[key] = _kept(workspace, file)
            held += file.size
        if record is not None and (held >= _BYTES or len(found) >= _FILES):
            # Named before the rest comes: what is interrupted has not to be fetched again.
            attributes = [Attribute(record.id, name, value) for name, value in found.items()]
            workspace.store.write(Change(attributes=attributes, at=workspace.clock.now()))
            found, held = {}, 0
    return Attached(count, new, found)


def found_files(files: Iterator[SourceFile] | None, address: str, left: Counter[str]) -> Iterator[SourceFile]:
    """The files, or none where their address is of a kind that is not read: that is counted in `left`."""
    if files is not None:
        return files
    scheme = urlsplit(address).scheme
    if scheme not in {"", "file", "mlflow-artifacts"}:
        left[f"files at {scheme}://"] += 1
    return iter(())


def kept_files(workspace: Workspace, files: Iterator[SourceFile]) -> dict[str, str]:
    """Store files as they come; answers path and digest of each."""
    return {file.path: _kept(workspace, file) for file in files}


def _kept(workspace: Workspace, file: SourceFile) -> str:
    content = file.open()
    try:
        return workspace.blobs.put(content)
    finally:
        content.close()
