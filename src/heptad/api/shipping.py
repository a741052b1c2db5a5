"""Runs that other processes ship, `/api/v1/runs` and `/api/v1/files`: narrow messages in MessagePack, replies in JSON.

Every call may be repeated. 400, 403, 404: the call is wrong, and stays so. 503: it may succeed later; nothing of it
was taken, or all of it and the next call finds it so.
"""

import re
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import msgspec

from heptad.api.messages import JSON, Reply, Request
from heptad.api.mlflow.artifacts import stream_of
from heptad.api.mlflow.codec import read_body
from heptad.api.mlflow.errors import ProtocolError
from heptad.core.errors import (
    ConflictError,
    HeptadError,
    InputError,
    NotFoundError,
    RefusedError,
    RequestError,
    Retryable,
    WorkspaceError,
)
from heptad.core.records import Id
from heptad.core.workspace import Workspace
from heptad.experiments import Lacking, Points, Receiver, RunBegin, RunUpdate

PREFIXES = ("/api/v1/runs", "/api/v1/files")
MOST_BYTES = 32 << 20
"""Of a message; files are streams of any length."""
PAUSE = "1"
"""Seconds after which a call may be repeated."""

T = TypeVar("T")


class _Route(NamedTuple):
    method: str
    path: re.Pattern[str]
    answer: Callable[..., Any]
    """Takes a `Receiver`, the request, and what is captured of the path; answers what becomes JSON."""


class Shipping:
    """Answers of one workspace; called by many threads at once."""

    def __init__(self, workspace: Workspace) -> None:
        self._receiver = Receiver(workspace)

    def answer(self, request: Request) -> Reply:
        """The reply to a call below `PREFIXES`."""
        try:
            return Reply(body=msgspec.json.encode(self._answer(request)))
        except ProtocolError as error:
            return refusal(error.status, error.message)
        except HeptadError as error:
            return refusal(_status(error), error.problem, error.allowed, error.remedy)

    def _answer(self, request: Request) -> Any:
        others = []
        for route in _ROUTES:
            if found := route.path.fullmatch(request.path):
                if route.method == request.method:
                    return route.answer(self._receiver, request, *found.groups("")) or {}
                others.append(route.method)
        if others:
            raise RequestError(f"{request.path} takes {', '.join(others)}, not {request.method}.", status=405)
        raise RequestError(f"There is nothing at {request.path[:200]}.", status=404)


def refusal(status: int, problem: str, allowed: str = "", remedy: str = "") -> Reply:
    """What is answered to a call that is refused."""
    # A client may send half of a surrogate pair, which has no UTF-8.
    parts = {"problem": problem, "allowed": allowed, "remedy": remedy}
    said = {name: text.encode("utf-8", "backslashreplace").decode() for name, text in parts.items()}
    headers = [*JSON, ("retry-after", PAUSE)] if status == 503 else JSON
    return Reply(status, headers, msgspec.json.encode({"error": said}))


def _status(error: HeptadError) -> int:
    if isinstance(error, RequestError):
        return error.status
    if isinstance(error, Retryable | WorkspaceError | ConflictError):
        return 503
    return next((status for kind, status in _STATUS.items() if isinstance(error, kind)), 500)


_STATUS: dict[type[HeptadError], int] = {NotFoundError: 404, RefusedError: 403, InputError: 400}


def _message(request: Request, kind: type[T]) -> T:
    body = read_body(request, MOST_BYTES)
    try:
        return msgspec.msgpack.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, OverflowError, ValueError) as error:
        raise RequestError(
            f"The message is no {kind.__name__}: {str(error)[:200]}.", allowed="MessagePack, as Heptad sends it"
        ) from None


def _begin(receiver: Receiver, request: Request) -> None:
    receiver.begin(_message(request, RunBegin))


def _state(receiver: Receiver, _: Request, run: Id) -> Any:
    return receiver.state(run)


def _append(receiver: Receiver, request: Request, run: Id) -> None:
    receiver.append(run, _message(request, Points))


def _update(receiver: Receiver, request: Request, run: Id) -> None:
    update = _message(request, RunUpdate)
    if update.run != run:
        raise RequestError("The message is about another run than the address.", allowed="the same run in both")
    receiver.update(update)


def _lacking(receiver: Receiver, request: Request) -> Any:
    return Lacking(digests=receiver.lacking(_message(request, Lacking).digests))


def _keep(receiver: Receiver, request: Request, digest: str) -> None:
    receiver.keep(digest, stream_of(request))


_ROUTES = (
    _Route("POST", re.compile(r"/api/v1/runs"), _begin),
    _Route("GET", re.compile(r"/api/v1/runs/([^/]+)"), _state),
    _Route("POST", re.compile(r"/api/v1/runs/([^/]+)/points"), _append),
    _Route("POST", re.compile(r"/api/v1/runs/([^/]+)/updates"), _update),
    _Route("POST", re.compile(r"/api/v1/files/lacking"), _lacking),
    _Route("PUT", re.compile(r"/api/v1/files/([^/]+)"), _keep),
)
