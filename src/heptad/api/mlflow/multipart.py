"""Artifacts in parts: begun, each part sent to this server, joined or given up; a killed client or server goes on."""

from typing import Any

import msgspec

from heptad.api.messages import JSON, Reply, Request
from heptad.api.mlflow.artifacts import stream_of, writable
from heptad.api.mlflow.codec import decode_call, encode_reply
from heptad.api.mlflow.errors import invalid
from heptad.api.mlflow.owners import Place
from heptad.api.mlflow.protocol import Call, Context, Int64, Route, required
from heptad.experiments import Uploads


class Create(Call, frozen=True, kw_only=True):
    folder: str = ""
    path: str = ""
    num_parts: Int64 = 1


class Part(msgspec.Struct, frozen=True, kw_only=True):
    part_number: Int64
    etag: str = ""


class Complete(Call, frozen=True, kw_only=True):
    folder: str = ""
    path: str = ""
    upload_id: str = ""
    parts: list[Part] = []


class Abort(Call, frozen=True, kw_only=True):
    folder: str = ""
    path: str = ""
    upload_id: str = ""


def _place(context: Context, call: Create | Complete | Abort) -> Place:
    """The file: the folder is in the address, and the client's own path of the file says what it is called."""
    required(call, "path")
    name = call.path.replace("\\", "/").rpartition("/")[2]
    return writable(context, f"{call.folder.removesuffix('/')}/{name}")


def _create(context: Context, request: Request) -> Reply:
    call = decode_call(request, Create)
    place = _place(context, call)
    upload = Uploads(context.workspace).begin(place.owner, place.name, call.num_parts)
    server = f"{request.environ['wsgi.url_scheme']}://{request.environ['HTTP_HOST']}"
    credentials = [
        {"url": f"{server}/api/2.0/{_PROXY}/part/{upload.id}/{number}", "part_number": number, "headers": {}}
        for number in range(1, call.num_parts + 1)
    ]
    return Reply(body=encode_reply({"upload_id": upload.id, "credentials": credentials}))


def _receive(context: Context, request: Request) -> Reply:
    number = request.captured["number"]
    if not (number.isascii() and number.isdigit() and len(number) < 9):
        raise invalid(f"{number[:50]!r} is not the number of a part.")
    uploads = Uploads(context.workspace)
    digest = uploads.receive(uploads.get(request.captured["upload"]), int(number), stream_of(request))
    return Reply(200, [*JSON, ("etag", digest)])


def _complete(context: Context, call: Complete) -> dict[str, Any]:
    place, uploads = _place(context, call), Uploads(context.workspace)
    expected = [(part.part_number, part.etag.strip('"')) for part in call.parts]
    uploads.complete(uploads.find(call.upload_id, place.owner, place.name), place.owner, expected)
    return {}


def _abort(context: Context, call: Abort) -> dict[str, Any]:
    place, uploads = _place(context, call), Uploads(context.workspace)
    uploads.abort(uploads.find(call.upload_id, place.owner, place.name))
    return {}


_PROXY = "mlflow-artifacts/mpu"
ROUTES = (
    Route("POST", f"{_PROXY}/create/{{folder...}}", None, _create),
    Route("PUT", f"{_PROXY}/part/{{upload}}/{{number}}", None, _receive),
    Route("POST", f"{_PROXY}/complete/{{folder...}}", Complete, _complete),
    Route("POST", f"{_PROXY}/abort/{{folder...}}", Abort, _abort),
)
