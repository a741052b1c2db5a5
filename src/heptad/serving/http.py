"""HTTP by way of WSGI: translates requests and replies, and decides nothing.

Granian calls the application in a thread of its own, so a request changes threads twice. In an event loop it would do
so four times, which takes longer than everything that is done here.
"""

import logging
import resource
import secrets
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from time import perf_counter
from typing import Any, TypeAlias
from urllib.parse import unquote

import msgspec

from heptad.core.clock import Clock
from heptad.core.errors import HeptadError, NotFoundError, RequestError, UnavailableError
from heptad.serving.access import check_access
from heptad.serving.codecs import REPLY_TAIL, decode_request, encode, encode_error, in_order
from heptad.serving.commits import Commits
from heptad.serving.dataplane import Asked, answer
from heptad.serving.lookup import FeatureLookup, Features, Filled
from heptad.serving.messages import Part, PredictRequest
from heptad.serving.runtime import Runtime, Snapshot

SMALL_BODY = 32_768
"""Bytes. Of longer requests few are in memory at once, and fewer are answered at once, so that short ones pass."""
LONG_WAITING, LONG_ANSWERED = 16, 2
PREFIX = "/api/v1/endpoints/"
FEATURES = "/api/v1/features"
CALLER = "HTTP_X_HEPTAD_CALLER"
LONGEST_CALLER = 200

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_log = logging.getLogger("heptad.serving")

Headers: TypeAlias = list[tuple[str, str]]
Environ: TypeAlias = Mapping[str, Any]
"""A request as PEP 3333 has it."""
Handler: TypeAlias = Callable[[Environ], bytes]


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What one request may ask for, and what is kept of it."""

    max_body: int
    """Bytes."""
    max_rows: int
    log_inputs: bool
    features: tuple[str, ...] = ()
    """Views whose features are looked up for rows that give only their keys."""
    cleaned: bool = False
    """Whether rows come as a version has them, so that its rules of `[clean]` are not applied a second time."""


class App:
    """One worker's answers to HTTP; called by many threads at once."""

    def __init__(
        self, endpoint: str, runtime: Runtime, commits: Commits, clock: Clock, limits: Limits, features: Features
    ) -> None:
        self._endpoint = endpoint
        self._features = features
        self._lookup = FeatureLookup(limits.features, features) if limits.features else None
        self._runtime = runtime
        self._commits = commits
        self._clock = clock
        self._limits = limits
        self._long_waiting = threading.Semaphore(LONG_WAITING)
        self._long_answered = threading.Semaphore(LONG_ANSWERED)
        self._reading: dict[int, float] = {}
        self._handlers: dict[str, tuple[str, Handler]] = {
            f"{PREFIX}{endpoint}/predict": ("POST", self._predict),
            f"{PREFIX}{endpoint}": ("GET", self._describe),
            FEATURES: ("POST", self._read_features),
            "/healthz": ("GET", self._health),
            "/readyz": ("GET", self._ready),
        }

    def __call__(self, environ: Environ, start: Callable[[str, Headers], object]) -> list[bytes]:
        status, headers = 200, _JSON
        try:
            check_access(environ.get("HTTP_HOST", ""), environ.get("HTTP_ORIGIN"))
            body = self._handler(environ)(environ)
        except HeptadError as error:
            status, headers, body = _refusal(error)
        except Exception as error:  # noqa: BLE001 - whatever goes wrong, the client gets a reply
            # The message of an error may quote the row; where it was raised cannot.
            _log.error("%s\n%s", type(error).__name__, "".join(traceback.format_tb(error.__traceback__)))
            status, body = 500, encode_error(_OUR_FAULT)
        start(_STATUS[status], headers)
        return [body]

    def read_for(self, seconds: float) -> int:
        """How many requests have been waiting for their body for so long."""
        until = time.monotonic() - seconds
        return sum(began < until for began in list(self._reading.values()))

    def _handler(self, environ: Environ) -> Handler:
        path = environ["PATH_INFO"]
        found = self._handlers.get(path)
        if found is None:
            raise self._unknown(path)
        method, handler = found
        if environ["REQUEST_METHOD"] != method:
            raise RequestError(f"{path} does not take {environ['REQUEST_METHOD']}.", status=405, allowed=method)
        return handler

    def _unknown(self, path: str) -> RequestError:
        name = path.removeprefix(PREFIX).removesuffix("/predict")
        if path.startswith(PREFIX) and "/" not in name and name != self._endpoint:
            missing = NotFoundError("endpoint", name, [self._endpoint])
            return RequestError(missing.problem, status=404, field="endpoint", allowed=missing.allowed)
        return RequestError(f"There is nothing at {path}.", status=404, allowed=", ".join(self._handlers))

    def _read_features(self, environ: Environ) -> bytes:
        length = self._length(environ)
        if length <= SMALL_BODY:
            return self._features().answer(self._read(environ, length))
        with self._room_for_long():
            return self._features().answer(self._read(environ, length))

    def _predict(self, environ: Environ) -> bytes:
        length = self._length(environ)
        if length <= SMALL_BODY:
            body = self._read(environ, length)
            snapshot = self._runtime.snapshot()
            parts = self._answer(snapshot, body, environ)
            return _reply(snapshot, parts, self._commits.add(parts))
        with self._room_for_long():
            body = self._read(environ, length)
            with self._long_answered:
                snapshot = self._runtime.snapshot()
                parts = self._answer(snapshot, body, environ)
                # One commit a part, so that short requests find their turn between them.
                return _reply(snapshot, parts, [self._commits.add([part])[0] for part in parts])

    def _answer(self, snapshot: Snapshot, body: bytes, environ: Environ) -> list[Part]:
        began = perf_counter()
        request = decode_request(body, self._limits.max_rows)
        at = (self._clock.now() - _EPOCH) // _MICROSECOND
        filled = self._lookup.fill(snapshot, request.rows) if self._lookup else Filled(request.rows)
        asked = Asked(
            rows=filled.rows,
            sent=request.rows,
            notes=filled.notes,
            ids=request.ids or _new_ids(request, at),
            caller=_caller(environ),
            at=at,
            began=began,
        )
        return answer(snapshot, asked, log_inputs=self._limits.log_inputs, cleaned=self._limits.cleaned)

    def _length(self, environ: Environ) -> int:
        """Bytes of a body of JSON; where they are not announced, as many as there may be."""
        kind = environ.get("CONTENT_TYPE", "")
        if kind != "application/json" or "HTTP_CONTENT_ENCODING" in environ:
            _check_content(kind, environ.get("HTTP_CONTENT_ENCODING", "identity"))
        given = environ.get("CONTENT_LENGTH")
        length = self._limits.max_body if given is None else int(given)
        if length > self._limits.max_body:
            raise _too_big(self._limits.max_body)
        return length

    def _read(self, environ: Environ, length: int) -> bytes:
        """The body, read no further than its length."""
        reader = threading.get_ident()
        self._reading[reader] = time.monotonic()
        try:
            body: bytes = environ["wsgi.input"].read(length + 1)
        finally:
            del self._reading[reader]
        if len(body) > length:
            raise _too_big(length)
        if len(body) < length and "CONTENT_LENGTH" in environ:
            raise RequestError("The connection was closed before the whole body was there.")
        return body

    @contextmanager
    def _room_for_long(self) -> Iterator[None]:
        if not self._long_waiting.acquire(blocking=False):
            raise UnavailableError(
                f"{LONG_WAITING} long requests are being answered already.",
                allowed=f"any number of requests of up to {SMALL_BODY:,} bytes",
                remedy="send this one again in a moment",
            )
        try:
            yield
        finally:
            self._long_waiting.release()

    def _describe(self, _environ: Environ) -> bytes:
        snapshot = self._runtime.snapshot()
        return encode(
            {
                "endpoint": snapshot.endpoint,
                "generation": snapshot.generation,
                "routes": snapshot.describe(),
                "signature": snapshot.live().signature,
                "looked_up": self._lookup.describe(snapshot) if self._lookup else [],
            }
        )

    def _health(self, _environ: Environ) -> bytes:
        state = self._runtime.state
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        return encode({"status": "alive", "pid": state.pid, "peak_resident_mb": round(peak, 1)})

    def _ready(self, _environ: Environ) -> bytes:
        """Ready, and beside it why a newer generation is not served, where one was refused."""
        generation, state = self._runtime.snapshot().generation, self._runtime.state
        refused = {"generation": state.refused_generation, "problem": state.refused} if state.refused else None
        return encode({"status": "ready", "generation": generation, "refused": refused})


_STATUS = {one.value: f"{one.value} {one.phrase}" for one in HTTPStatus}
_JSON: Headers = [("content-type", "application/json")]
_OUR_FAULT = HeptadError("The server failed; nothing is known to be wrong with the request.", remedy="see its log")


def _reply(snapshot: Snapshot, parts: list[Part], replies: list[bytes]) -> bytes:
    ordered = replies[0] if len(parts) == 1 else in_order([part.positions for part in parts], replies)
    return snapshot.reply_head + ordered + REPLY_TAIL


def _caller(environ: Environ) -> str:
    """Who asks: by his own word, percent-encoded where it needs more than ASCII, else the address."""
    said: str = environ.get(CALLER) or environ["REMOTE_ADDR"]
    if "%" in said and (name := unquote(said)).isprintable():
        said = name
    return said[:LONGEST_CALLER]


def _new_ids(request: PredictRequest, at: int) -> list[str]:
    """Ids for rows that came without: they begin with the time, so that new ones lie side by side in the journal."""
    stem = f"{at:013x}-{secrets.token_hex(8)}"
    return [f"{stem}-{row}" for row in range(len(request.rows))]


def _refusal(error: HeptadError) -> tuple[int, Headers, bytes]:
    body = encode_error(error)
    if isinstance(error, RequestError):
        headers = [*_JSON, ("allow", error.allowed)] if error.status == 405 else _JSON
        return error.status, headers, body
    if isinstance(error, UnavailableError):
        return 503, [*_JSON, ("retry-after", "1")], body
    _log.error("%s", error.problem)
    return 500, _JSON, body


def _check_content(kind: str, encoding: str) -> None:
    name, _, parameters = kind.partition(";")
    charset = parameters.strip().lower()
    if name.strip().lower() != "application/json" or charset not in {"", "charset=utf-8", 'charset="utf-8"'}:
        raise RequestError(
            f"The content type is {ascii(kind) if kind else 'not given'}.",
            status=415,
            field="content-type",
            allowed="application/json",
        )
    if encoding.lower() != "identity":
        raise RequestError(
            f"The body is encoded as {encoding!a}.", status=415, field="content-encoding", allowed="the JSON as it is"
        )


def _too_big(limit: int) -> RequestError:
    return RequestError(
        f"The body is longer than {limit:,} bytes.",
        status=413,
        allowed=f"at most {limit:,} bytes",
        remedy="split the rows into several requests, or raise [deploy] max_body_mb",
    )
