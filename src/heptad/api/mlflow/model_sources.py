"""What a version is registered from: which run or model the source belongs to, and the files that it has now."""

import posixpath
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote, unquote_plus, urlsplit

from heptad.api.mlflow.artifacts import root_uri
from heptad.api.mlflow.errors import ProtocolError, invalid
from heptad.api.mlflow.owners import Place, all_files, owner_named, place_in
from heptad.api.mlflow.protocol import Context
from heptad.core.errors import HeptadError, NotFoundError
from heptad.core.records import Id, Record
from heptad.experiments import LoggedModel, LoggedModels, Run
from heptad.release import STAGES, Models, ModelVersion, Versions, files_of_version

_LONGEST = 500
_BY_HOST = frozenset({"file", "ftp", "sftp", "hdfs", "viewfs", "mlflow-artifacts+file"})
"""Schemes of places on the machine of whoever reads them, or that a server would have to log in to."""


class Source(NamedTuple):
    """Where a version comes from, checked. `files` are its content by now; empty for a place that is not ours."""

    uri: str
    run: Id = ""
    model: Id = ""
    version: Id = ""
    files: Mapping[str, str] = {}


def checked_source(context: Context, source: str, run: str, model: str) -> Source:
    """The source that a client names, with the run and the model that it says it belongs to; raises `ProtocolError`."""
    _check_path(source)
    address = urlsplit(source)
    if "@" in address.netloc:
        raise invalid("The source of a version may hold no user name and no password: it would be kept, and shown.")
    if address.scheme in {"", *_BY_HOST}:
        raise invalid(
            f"Invalid model version source: '{source}'. To use a local path as a model version source, the run_id "
            "request parameter has to be specified and the local path has to be contained within the artifact "
            "directory of the run specified by the run_id. Artifacts of runs are never in a local path here: log the "
            "model to a run, and register it from there."
        )
    _check_known(context, run, model)
    if address.scheme == "models":
        if address.netloc:
            raise _wrong(source, "model_id")
        return _from_models(context, source, run, model)
    if address.scheme == "runs":
        return _from_run(context, source, run, model)
    place = _ours(context, source)
    return Source(source, run, model) if place is None else _from_place(context, source, place, run, model)


def _check_known(context: Context, run: str, model: str) -> None:
    """Refuse a run and a logged model that are not there, whatever the source: a version is linked to both."""
    for field, kind, identity in (("run_id", Run.kind, run), ("model_id", LoggedModel.kind, model)):
        if identity and _owner(context, identity, kind) is None:
            what = field.removesuffix("_id")
            raise ProtocolError(
                "RESOURCE_DOES_NOT_EXIST",
                f"There is no {what} {identity[:200]!r}, which {field} names. Leave {field} out where the version was "
                "made elsewhere: run_link may say where.",
            )


def _check_path(source: str) -> None:
    """Refuse what could be read as another place than the one it says."""
    unquoted = source
    while (further := unquote_plus(unquoted)) != unquoted:
        unquoted = further
    try:
        path = urlsplit(unquoted).path if ":/" in unquoted else unquoted
        urlsplit(source)
    except ValueError:
        raise invalid(f"Invalid model version source: '{source[:_LONGEST]}'. It is no address.") from None
    if len(source) > _LONGEST:
        raise invalid(f"The source has {len(source):,} characters; at most {_LONGEST} are kept.")
    if "\0" in unquoted or "\\" in unquoted or ".." in unquoted.split("/") or "." in path.split("/"):
        raise invalid(
            f"Invalid model version source: '{source}'. If supplying a source as an http, https, local file path, ftp, "
            "objectstore, or mlflow-artifacts uri, an absolute path must be provided without relative path references "
            "present. Please provide an absolute path."
        )


def _from_models(context: Context, source: str, run: str, model: str) -> Source:
    name, slash, which = unquote(urlsplit(source).path).lstrip("/").partition("/")
    if not name or "/" in which:
        raise _wrong(source, "model_id")
    if not slash and "@" not in name:
        if name != model:
            raise _wrong(source, "model_id")
        return _from_logged(context, source, run, model)
    version = _version(context, source, name, which)
    run_of, model_of = version.body.run, version.body.logged_model
    if (run and run != run_of) or (model and model != model_of):
        raise invalid(
            f"Invalid model version source: '{source}'. The run_id and model_id request parameters must match the "
            "referenced model version."
        )
    uri = f"models:/{version.attributes.get('name', version.body.name)}/{version.body.version}"
    return Source(uri, run_of, model_of, version.id, files_of_version(context.workspace, version))


def _version(context: Context, source: str, name: str, which: str) -> Record[ModelVersion]:
    versions = Versions(context.workspace)
    if not which:
        name, _, alias = name.rpartition("@")
        return versions.named(name, alias)
    if which.isascii() and which.isdigit() and len(which) < 9:
        return versions.get(name, int(which))
    stages = () if which.lower() == "latest" else [which]
    found = versions.latest(Models(context.workspace).get(name), stages or STAGES)
    if not found:
        raise _wrong(source, "model_id")
    return max(found, key=lambda one: one.body.version)


def _from_logged(context: Context, source: str, run: str, model: str) -> Source:
    try:
        found = LoggedModels(context.workspace).get(model)
    except NotFoundError:
        raise _wrong(source, "model_id") from None
    return Source(source, run or found.body.run, model, files=all_files(context, found))


def _from_run(context: Context, source: str, run: str, model: str) -> Source:
    address = urlsplit(source)
    named, _, folder = unquote(address.path).lstrip("/").partition("/")
    owner = _owner(context, run, Run.kind) if run == named and not address.netloc and not model else None
    if owner is None:
        raise _wrong(source, "model_id" if model else "run_id")
    return Source(source, run, files=_below(context, owner, folder))


def _from_place(context: Context, source: str, place: Place, run: str, model: str) -> Source:
    owner, needed = place.owner, model or run
    if owner.id != needed or owner.kind != (LoggedModel.kind if model else Run.kind):
        raise _wrong(source, "model_id" if model else "run_id")
    run_of = run or (owner.body.get("run", "") if owner.kind == LoggedModel.kind else "")
    return Source(source, run_of, model, files=_below(context, owner, place.name))


def _below(context: Context, owner: Record[Any], folder: str) -> dict[str, str]:
    """The files in a folder, named from there."""
    files = all_files(context, owner)
    start = f"{posixpath.normpath(folder)}/" if folder.strip("/") else ""
    return {name.removeprefix(start): digest for name, digest in files.items() if name.startswith(start)}


def _ours(context: Context, source: str) -> Place | None:
    try:
        return place_in(context, source)
    except (ProtocolError, HeptadError):
        raise _wrong(source, "run_id") from None


def _owner(context: Context, identity: str, kind: str) -> Record[Any] | None:
    found = owner_named(context, identity) if identity else None
    return found if found is not None and found.kind == kind else None


def _wrong(source: str, parameter: str) -> ProtocolError:
    return invalid(
        f"Invalid model version source: '{source}'. The {parameter} request parameter must identify the resource that "
        "contains the source."
    )


def download_uri(context: Context, version: Record[ModelVersion]) -> str:
    """Where a client gets the files of a version: as they were when it was registered, where there were any."""
    body = version.body
    if body.origin == "heptad" or body.files:
        return root_uri(context, version)
    address = urlsplit(body.source)
    if address.scheme == "models":
        return root_uri(context, LoggedModels(context.workspace).get(body.logged_model, deleted=True))
    if address.scheme == "runs":
        owner = _owner(context, body.run, Run.kind)
        folder = unquote(address.path).lstrip("/").partition("/")[2]
        return f"{root_uri(context, owner)}/{folder}" if owner is not None else body.source
    return body.source
