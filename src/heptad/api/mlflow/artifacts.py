"""The artifacts proxy: files of runs and models come and go through the server, as streams of any length."""

import mimetypes
import posixpath
import re
from collections.abc import Generator
from typing import Any, BinaryIO, cast
from urllib.parse import parse_qs, quote

from heptad.api.messages import Reader, Reply, Request
from heptad.api.mlflow.codec import encode_reply
from heptad.api.mlflow.errors import ProtocolError, invalid
from heptad.api.mlflow.owners import Place, all_files, digest_at, owner_named, place_of
from heptad.api.mlflow.protocol import Call, Context, Route
from heptad.api.mlflow.run_records import run_named
from heptad.core.errors import InputError
from heptad.core.records import Record
from heptad.experiments import Entry, LoggedModel, Run, checked_name, in_folder, keep_file, remove_files
from heptad.release import ModelVersion

PIECE = 1 << 20
"""Bytes that are read from an artifact and sent at a time."""
_TEXT_ENDS = frozenset(["cf", "cfg", "cnf", "conf", "csv", "err", "hocon", "ini", "js", "json", "jsonnet", "log"])
_MORE_ENDS = frozenset(["md", "prop", "properties", "py", "rst", "toml", "tsv", "txt", "xml", "yaml", "yml"])
_TEXT_NAMES = frozenset({"MLmodel", "MLproject"})
_RANGE = re.compile(r"bytes=(\d{0,19})-(\d{0,19})")


class ListArtifacts(Call, frozen=True, kw_only=True):
    run_id: str = ""
    run_uuid: str = ""
    path: str = ""
    page_token: str = ""


class Counted:
    """A body as the store reads it: a connection that ends early is an error, not the end of the file.

    Where no length is announced the server cannot tell one from the other, so that only an empty file is taken then,
    which some clients send like that.
    """

    def __init__(self, body: Reader, length: int | None) -> None:
        self._body = body
        self._missing = length

    def read(self, size: int = -1, /) -> bytes:
        data = self._body.read(size)
        if self._missing is None:
            if data:
                raise ProtocolError("BAD_REQUEST", "The length of a file must be announced: Content-Length.", 411)
        else:
            self._missing -= len(data)
            if not data and self._missing > 0:
                raise ProtocolError("BAD_REQUEST", "The connection was closed before the whole file was there.")
        return data


def stream_of(request: Request) -> BinaryIO:
    """The body of a request as a file."""
    return cast("BinaryIO", Counted(request.body, request.length))


def writable(context: Context, path: str) -> Place:
    """The place of a file that may be written; raises `ProtocolError`."""
    place = place_of(context, path)
    if not place.is_writable:
        raise ProtocolError("PERMISSION_DENIED", "The files of a model version stay as they were registered.")
    if not place.name or path.endswith("/"):
        raise invalid(
            f"{path[:200]!r} names no file: its name has to stand behind `artifacts/` and the last slash. Of a name "
            "that begins with `#` nothing comes here."
        )
    return place


def _upload(context: Context, request: Request) -> Reply:
    place = writable(context, request.captured["path"])
    keep_file(context.workspace, place.owner, place.name, stream_of(request))
    return Reply()


def _download(context: Context, request: Request) -> Reply:
    return send_file(context, request, place_of(context, _read_path(request.captured["path"])))


def _read_path(path: str) -> str:
    """A path as it is read: clients write `.` for the folder itself, alone or within, and go on with what they get."""
    return "/".join(part for part in path.split("/") if part != ".")


def send_file(context: Context, request: Request, place: Place) -> Reply:
    """A file as a download, or the part of it that the request asks for; of `HEAD` what would be sent, without it.

    The entity tag is the digest of the content: a client that goes on with a download sends it as `If-Range`, and gets
    the whole where the file has changed meanwhile.
    """
    digest = digest_at(context, place)
    blobs, tag = context.workspace.blobs, f'"{digest}"'
    size = blobs.size(digest)
    headers = [
        ("accept-ranges", "bytes"),
        ("etag", tag),
        ("x-content-type-options", "nosniff"),
    ]
    if tag in _tags(request, "HTTP_IF_NONE_MATCH"):
        return Reply(304, headers, b"")
    is_whole = request.method == "HEAD" or _tags(request, "HTTP_IF_RANGE") not in ([], [tag])
    start, end = (0, size) if is_whole else _asked(request.environ.get("HTTP_RANGE", ""), size)
    if start >= end and size:
        return Reply(416, [("content-type", "text/plain"), ("content-range", f"bytes */{size}")], b"")
    name = posixpath.basename(place.name)
    headers += [
        ("content-type", _type_of(name)),
        ("content-disposition", f"attachment; filename*=UTF-8''{quote(name, safe='')}"),
        ("content-length", str(end - start)),
    ]
    is_part = (start, end) != (0, size)
    if is_part:
        headers.append(("content-range", f"bytes {start}-{end - 1}/{size}"))
    if request.method == "HEAD" or not size:
        return Reply(200, headers, b"")
    return Reply(206 if is_part else 200, headers, _pieces(blobs.open(digest, start), end - start))


def _tags(request: Request, header: str) -> list[str]:
    """The entity tags of a header."""
    return [one.strip().removeprefix("W/") for one in request.environ.get(header, "").split(",") if one.strip()]


def _pieces(file: BinaryIO, size: int) -> Generator[bytes]:
    """The next `size` bytes of a file."""
    with file:
        while size and (piece := file.read(min(size, PIECE))):
            size -= len(piece)
            yield piece


def _asked(header: str, size: int) -> tuple[int, int]:
    """First byte and the one behind the last of a `Range`; all, where there is none or several."""
    found = _RANGE.fullmatch(header.strip())
    if not found or found.groups() == ("", ""):
        return 0, size
    first, last = found.groups()
    if not first:
        return max(size - int(last), 0), size
    end = min(int(last) + 1, size) if last else size
    if last and int(last) < int(first):
        return 0, size
    return int(first), end


def _type_of(name: str) -> str:
    """What MLflow says a file is, by its name."""
    if name in _TEXT_NAMES or name.rpartition(".")[2] in _TEXT_ENDS | _MORE_ENDS:
        return "text/plain"
    return mimetypes.guess_type(name)[0] or "application/octet-stream"


def _list(context: Context, request: Request) -> Reply:
    path = _read_path(query_field(request, "path"))
    try:
        place = place_of(context, path)
    except ProtocolError as error:
        if error.code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return Reply(body=b'{"files":[]}')
    return Reply(body=encode_reply({"files": listed(context, place, relative=True)}))


def listed(context: Context, place: Place, *, relative: bool = False) -> list[dict[str, Any]]:
    """What is in a folder; paths count from the owner's top, or from the folder where they are `relative`."""
    start = f"{place.name}/" if relative and place.name else ""
    entries = in_folder(all_files(context, place.owner), place.name)
    return [_info(context, entry, entry.name.removeprefix(start)) for entry in entries]


def _info(context: Context, entry: Entry, path: str) -> dict[str, Any]:
    if entry.is_folder:
        return {"path": path, "is_dir": True}
    return {"path": path, "is_dir": False, "file_size": context.workspace.blobs.size(entry.digest)}


def _delete(context: Context, request: Request) -> Reply:
    place = place_of(context, request.captured["path"])
    if not place.is_writable:
        raise ProtocolError("PERMISSION_DENIED", "The files of a model version stay as they were registered.")
    owner = context.workspace.store.get([place.owner.id])[0]
    remove_files(context.workspace, owner, place.name)
    return Reply()


def _get_artifact(context: Context, request: Request) -> Reply:
    owner = owner_named(context, query_field(request, "run_id") or query_field(request, "run_uuid"))
    return send_file(context, request, Place(_a_run(owner), file_name(request)))


def file_name(request: Request) -> str:
    """The file that a query names; raises `ProtocolError`."""
    name = folder_name(query_field(request, "path"))
    if not name:
        raise invalid("Missing value for required parameter 'path'.")
    return name


def _a_run(owner: Record[Any] | None) -> Record[Any]:
    if owner is None or owner.kind != Run.kind:
        raise ProtocolError("RESOURCE_DOES_NOT_EXIST", "There is no such run.")
    return owner


def _list_of_run(context: Context, call: ListArtifacts) -> dict[str, Any]:
    owner = run_named(context, call.run_id or call.run_uuid, ("deleted",))
    return {"root_uri": root_uri(context, owner), "files": listed(context, Place(owner, folder_name(call.path)))}


def folder_name(path: str) -> str:
    """The name of a folder, or of the top; raises `ProtocolError`."""
    path = _read_path(path)
    try:
        return checked_name(path.removesuffix("/")) if path else ""
    except InputError as error:
        raise invalid(f"Invalid path: {error}") from None


def root_uri(context: Context, owner: Record[Any]) -> str:
    """Where the files of a record are, for a client."""
    if owner.kind == ModelVersion.kind:
        return f"mlflow-artifacts:/versions/{owner.id}/artifacts"
    folder = "models/" if owner.kind == LoggedModel.kind else ""
    return f"mlflow-artifacts:/{context.number_of(owner.scope)}/{folder}{owner.id}/artifacts"


def query_field(request: Request, name: str) -> str:
    """A field of the query, empty where it is not given; raises `ProtocolError`."""
    try:
        return parse_qs(request.query, keep_blank_values=True, errors="strict").get(name, [""])[-1]
    except ValueError:
        raise invalid("The query cannot be read: it must be UTF-8, percent-encoded.") from None


_PROXY = "mlflow-artifacts/artifacts"
ROUTES = (
    Route("GET", _PROXY, None, _list),
    Route("GET", f"{_PROXY}/{{path...}}", None, _download),
    Route("PUT", f"{_PROXY}/{{path...}}", None, _upload),
    Route("DELETE", f"{_PROXY}/{{path...}}", None, _delete),
    Route("GET", "mlflow/artifacts/list", ListArtifacts, _list_of_run),
    Route("GET", "/get-artifact", None, _get_artifact),
)
