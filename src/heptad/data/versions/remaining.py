"""What an erasure left of a version: its record stays as it was born, and this stands beside it."""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from heptad.core import graph
from heptad.core.records import Record, Scalar
from heptad.core.workspace import Workspace
from heptad.data.records import DatasetVersion
from heptad.data.versions.pruned import refuse_pruned

REMAINING, ERASED_ROWS, ERASED_AT = "remaining", "erased_rows", "erased_at"
"""Attributes of a version: the artifact with its `Remaining`, how many rows are gone in all, and since when."""

GENERATION = "~"
"""Stands between the name of a table and the number of erasures that it has been through."""


class Remaining(msgspec.Struct, frozen=True, kw_only=True):
    """Where the rows are that are left, and what is true of them; the fields are those of `DatasetVersion`."""

    table: str
    delta_version: int
    rows: int
    labelled: int
    digest: str
    blocks: list[str]
    profile: str


def as_it_is(workspace: Workspace, version: Record[DatasetVersion]) -> DatasetVersion:
    """What the record says, with what an erasure changed: whoever reads rows goes by this.

    The recorded body stays what reproducing a model is held to. Raises `DataError` where its rows were given up.
    """
    refuse_pruned(version)
    body = _with_attributes(workspace, version)
    if not (workspace.tables / body.table).is_dir():
        # The record was read before an erasure, and is asked about after it.
        body = _with_attributes(workspace, graph.load(workspace, version.id, DatasetVersion))
    return body


def _with_attributes(workspace: Workspace, version: Record[DatasetVersion]) -> DatasetVersion:
    artifact = version.attributes.get(REMAINING)
    if not artifact:
        return version.body
    left = msgspec.json.decode(workspace.blobs.get(str(artifact)), type=Remaining)
    return msgspec.structs.replace(version.body, **msgspec.structs.asdict(left))


def erased(attributes: Mapping[str, Scalar]) -> tuple[int, datetime] | None:
    """How many rows of a version were erased and when last, by its attributes; `None` where none was."""
    rows, at = attributes.get(ERASED_ROWS), attributes.get(ERASED_AT)
    return (int(rows), datetime.fromisoformat(str(at))) if rows and at else None


def erased_in_words(attributes: Mapping[str, Scalar]) -> str:
    """The same for a person; empty where nothing was erased."""
    found = erased(attributes)
    if found is None:
        return ""
    counted = "1 row was" if found[0] == 1 else f"{found[0]:,} rows were"
    return f"{counted} erased, the last on {found[1]:%Y-%m-%d}"
