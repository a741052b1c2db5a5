"""The application of the api process: HTTP by way of WSGI, as in serving; it translates, and decides nothing."""

import logging
import traceback
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any, TypeAlias

from heptad.api.messages import JSON, TEXT, Reply, Request
from heptad.api.mlflow.errors import ProtocolError, encode_error, translated
from heptad.api.mlflow.routes import PAGES, PREFIX, Router
from heptad.api.mlflow.server_info import VERSION
from heptad.api.shipping import PREFIXES, Shipping
from heptad.core.errors import HeptadError
from heptad.serving import check_access

_log = logging.getLogger("heptad.api")
_STATUS = {one.value: f"{one.value} {one.phrase}" for one in HTTPStatus}
_OUR_FAULT = ProtocolError("INTERNAL_ERROR", "The server failed; nothing is known to be wrong with the request.")
_FIXED = {
    "/health": Reply(200, TEXT, b"OK"),
    "/healthz": Reply(200, TEXT, b"OK"),
    "/readyz": Reply(200, TEXT, b"OK"),
    "/version": Reply(200, TEXT, VERSION.encode()),
}

Start: TypeAlias = Callable[[str, list[tuple[str, str]]], object]


class App:
    """Answers of one worker; called by many threads at once."""

    def __init__(self, router: Router, shipping: Shipping) -> None:
        self._router, self._shipping = router, shipping

    def __call__(self, environ: Mapping[str, Any], start: Start) -> Iterable[bytes]:
        try:
            check_access(environ.get("HTTP_HOST", ""), environ.get("HTTP_ORIGIN"))
            reply = self._answer(environ)
        except ProtocolError as error:
            reply = _refusal(error)
        except HeptadError as error:
            refused = translated(error)
            if refused.status >= 500:
                _log.error("%s", error.problem)
            reply = _refusal(refused)
        except Exception as error:  # noqa: BLE001 - whatever goes wrong, the client gets a reply
            # The message of an error may quote what was sent; where it was raised cannot.
            _log.error("%s\n%s", type(error).__name__, "".join(traceback.format_tb(error.__traceback__)))
            reply = _refusal(_OUR_FAULT)
        start(_STATUS[reply.status], list(reply.headers))
        return [reply.body] if isinstance(reply.body, bytes) else reply.body

    def _answer(self, environ: Mapping[str, Any]) -> Reply:
        request = _request(environ)
        if found := PREFIX.match(request.path):
            return self._router.answer(request, request.path[found.end() :])
        if request.path.startswith(PREFIXES):
            return self._shipping.answer(request)
        if request.path in PAGES:
            return self._router.answer(request, request.path)
        fixed = _FIXED.get(request.path)
        if fixed is None:
            raise ProtocolError("ENDPOINT_NOT_FOUND", f"There is nothing at {request.path}.")
        if request.method not in {"GET", "HEAD"}:
            raise ProtocolError("BAD_REQUEST", f"{request.path} takes GET, not {request.method}.", 405)
        return fixed


def _request(environ: Mapping[str, Any]) -> Request:
    length = environ.get("CONTENT_LENGTH") or None
    if length is not None and not (length.isascii() and length.isdigit()):
        raise ProtocolError("BAD_REQUEST", f"The length of the request is {length!a}.")
    if length is None and "HTTP_TRANSFER_ENCODING" not in environ:
        length = 0
    return Request(
        method=environ["REQUEST_METHOD"],
        path=_path(environ["PATH_INFO"]),
        query=environ.get("QUERY_STRING", ""),
        environ=environ,
        body=environ["wsgi.input"],
        length=None if length is None else int(length),
    )


def _path(given: str) -> str:
    """The path, which PEP 3333 hands over with each byte as a character."""
    try:
        return given.encode("latin-1").decode()
    except UnicodeError:
        raise ProtocolError("BAD_REQUEST", "The path is not UTF-8, percent-encoded.") from None


def _refusal(error: ProtocolError) -> Reply:
    headers = [*JSON, ("retry-after", "1")] if error.status == 503 else JSON
    return Reply(error.status, headers, encode_error(error))
