"""Whose file an artifact path names: a run's, a logged model's, or a model version's; never another's."""

from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from heptad.api.mlflow.errors import ProtocolError, invalid, missing
from heptad.api.mlflow.protocol import Context
from heptad.core.errors import InputError, NotFoundError
from heptad.core.graph import typed
from heptad.core.records import Record
from heptad.experiments import LoggedModel, Run, checked_name, file_digest, files_of
from heptad.release import ModelVersion, files_of_version

SCHEME = "mlflow-artifacts"
_FOLDER = "artifacts"
_KINDS = (Run.kind, LoggedModel.kind, ModelVersion.kind)


class Place(NamedTuple):
    """A file or folder of a record; `name` is empty for the top."""

    owner: Record[Any]
    name: str

    @property
    def is_writable(self) -> bool:
        """Files of model versions are what they were when they were registered."""
        return self.owner.kind != ModelVersion.kind


def place_of(context: Context, path: str) -> Place:
    """The place that a path of the proxy names, `.../OWNER/artifacts/NAME`; raises `ProtocolError` for none.

    What stands before the owner's id is what clients were told to put there, and decides nothing.
    """
    trimmed = path.removesuffix("/")
    try:
        parts = checked_name(trimmed).split("/") if trimmed else []
    except InputError as error:
        raise invalid(f"Invalid path: {error}") from None
    for position in range(1, len(parts)):
        if parts[position] == _FOLDER:
            owner = owner_named(context, parts[position - 1])
            if owner is not None:
                return Place(owner, "/".join(parts[position + 1 :]))
    raise ProtocolError(
        "RESOURCE_DOES_NOT_EXIST",
        f"No run, logged model or model version has artifacts at {path[:200]!r}: the path must be that of an "
        "artifact_uri that this server gave.",
    )


def owner_named(context: Context, identity: str) -> Record[Any] | None:
    """The record that may have files, without its attributes but the few that matter; `None` where there is none."""
    if not identity:
        return None
    try:
        (found,) = context.workspace.store.get([identity], ("deleted",))
    except (NotFoundError, InputError):
        return None
    if found.kind not in _KINDS:
        return None
    return typed(found, ModelVersion) if found.kind == ModelVersion.kind else found


def all_files(context: Context, owner: Record[Any]) -> Mapping[str, str]:
    """Name and digest of every file of an owner."""
    if owner.kind == ModelVersion.kind:
        return files_of_version(context.workspace, owner)
    return files_of(context.workspace.store.get([owner.id])[0])


def digest_at(context: Context, place: Place) -> str:
    """The digest of a file; raises `ProtocolError` where there is none."""
    try:
        if place.owner.kind == ModelVersion.kind:
            return all_files(context, place.owner)[place.name]
        return file_digest(context.workspace, place.owner, place.name)
    except (KeyError, NotFoundError, InputError):
        raise missing("artifact", f"path {place.name!r} of {place.owner.id}") from None


def place_in(context: Context, uri: str) -> Place | None:
    """The place that an address names, where it is one of this server's: `mlflow-artifacts:/...`, or by HTTP."""
    address = urlsplit(uri)
    path = address.path
    if address.scheme in {"http", "https"}:
        _, found, path = path.partition(f"/api/2.0/{SCHEME}/{_FOLDER}/")
        if not found:
            return None
    elif address.scheme != SCHEME:
        return None
    return place_of(context, path.lstrip("/"))
