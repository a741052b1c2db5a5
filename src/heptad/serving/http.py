"""HTTP on Granian's own interface (RSGI): translates requests and replies, and decides nothing."""

import asyncio
import logging
import resource
import secrets
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import Protocol, TypeAlias
from urllib.parse import unquote

import msgspec

from heptad.core.clock import Clock
from heptad.core.errors import HeptadError, NotFoundError, RequestError, UnavailableError
from heptad.serving.access import check_access
from heptad.serving.codecs import REPLY_TAIL, decode_request, encode, encode_error, in_order, reply_head
from heptad.serving.commits import Commits
from heptad.serving.dataplane import Asked, answer
from heptad.serving.journal import Journal
from heptad.serving.messages import Part, PredictRequest
from heptad.serving.runtime import Runtime, Snapshot

SMALL_BODY = 32_768
"""Bytes; a longer request is answered by a thread, so that it does not hold up short ones."""
BIG_THREADS = 2
PREFIX = "/api/v1/endpoints/"
CALLER = "x-heptad-caller"
LONGEST_CALLER = 200

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_log = logging.getLogger("heptad.serving")

Headers: TypeAlias = list[tuple[str, str]]
Handler: TypeAlias = Callable[["Scope", "Exchange"], Awaitable[bytes]]


class RequestHeaders(Protocol):
    """The headers of a request; names in lower case."""

    def get(self, key: str, default: str | None = None) -> str | None: ...


class Scope(Protocol):
    """What RSGI says of a request."""

    client: str
    method: str
    path: str
    authority: str | None

    @property
    def headers(self) -> RequestHeaders: ...


class Exchange(Protocol):
    """RSGI's way to a request's body and to its reply."""

    async def __call__(self) -> bytes: ...

    def __aiter__(self) -> AsyncIterator[bytes]: ...

    def response_bytes(self, status: int, headers: Headers, body: bytes) -> None: ...


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What one request may ask for, and what is kept of it."""

    max_body: int
    """Bytes."""
    max_rows: int
    log_inputs: bool


class App:
    """One worker's answers to HTTP. `begin` and `end` belong to the event loop that it runs on."""

    def __init__(self, endpoint: str, runtime: Runtime, journal: Journal, clock: Clock, limits: Limits) -> None:
        self._endpoint = endpoint
        self._runtime = runtime
        self._journal = journal
        self._clock = clock
        self._limits = limits
        self._predict_path = f"{PREFIX}{endpoint}/predict"
        self._handlers: dict[str, tuple[str, Handler]] = {
            self._predict_path: ("POST", self._predict),
            f"{PREFIX}{endpoint}": ("GET", self._describe),
            "/healthz": ("GET", self._health),
            "/readyz": ("GET", self._ready),
        }

    def begin(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._commits = Commits(self._journal, loop)
        self._threads = ThreadPoolExecutor(BIG_THREADS, thread_name_prefix="big-request")

    def end(self) -> None:
        self._threads.shutdown(cancel_futures=True)

    async def __rsgi__(self, scope: Scope, exchange: Exchange) -> None:
        headers = _JSON
        try:
            check_access(scope.authority or scope.headers.get("host") or "", scope.headers.get("origin"))
            body = await self._handler(scope)(scope, exchange)
            status = 200
        except HeptadError as error:
            status, headers, body = _refusal(error)
        except Exception as error:  # noqa: BLE001 - whatever goes wrong, the client gets a reply
            # The message of an error may quote the row; where it was raised cannot.
            _log.error("%s\n%s", type(error).__name__, "".join(traceback.format_tb(error.__traceback__)))
            status, body = 500, encode_error(_OUR_FAULT)
        exchange.response_bytes(status, headers, body)

    def _handler(self, scope: Scope) -> Handler:
        path = unquote(scope.path)
        found = self._handlers.get(path)
        if found is None:
            raise self._unknown(path)
        method, handler = found
        if scope.method != method:
            raise RequestError(f"{path} does not take {scope.method}.", status=405, allowed=method)
        return handler

    def _unknown(self, path: str) -> RequestError:
        name = path.removeprefix(PREFIX).removesuffix("/predict")
        if path.startswith(PREFIX) and "/" not in name and name != self._endpoint:
            missing = NotFoundError("endpoint", name, [self._endpoint])
            return RequestError(missing.problem, status=404, field="endpoint", allowed=missing.allowed)
        return RequestError(f"There is nothing at {path}.", status=404, allowed=", ".join(self._handlers))

    async def _predict(self, scope: Scope, exchange: Exchange) -> bytes:
        headers = scope.headers
        if headers.get("content-type") != "application/json":
            _check_content_type(headers.get("content-type") or "")
        body = await self._read(headers, exchange)
        began = perf_counter()
        snapshot = self._runtime.snapshot()
        caller = headers.get(CALLER) or scope.client.rsplit(":", 1)[0]
        if len(body) > SMALL_BODY:
            return await self._loop.run_in_executor(self._threads, self._answer_big, snapshot, body, caller, began)
        parts = self._answer(snapshot, body, caller, began)
        return _reply(snapshot, parts, await self._commits.add(parts))

    def _answer(self, snapshot: Snapshot, body: bytes, caller: str, began: float) -> list[Part]:
        request = decode_request(body, self._limits.max_rows)
        at = (self._clock.now() - _EPOCH) // _MICROSECOND
        asked = Asked(
            rows=request.rows,
            ids=request.ids or _new_ids(request, at),
            caller=caller[:LONGEST_CALLER],
            at=at,
            began=began,
        )
        return answer(snapshot, asked, log_inputs=self._limits.log_inputs)

    def _answer_big(self, snapshot: Snapshot, body: bytes, caller: str, began: float) -> bytes:
        parts = self._answer(snapshot, body, caller, began)
        # One commit a part, so that short requests find their turn between them.
        return _reply(snapshot, parts, [self._journal.add([part])[0] for part in parts])

    async def _read(self, headers: RequestHeaders, exchange: Exchange) -> bytes:
        """The body, read no further than the limit."""
        limit = self._limits.max_body
        length = headers.get("content-length")
        if length is not None and int(length) > limit:
            raise _too_big(limit)
        try:
            if length is not None:
                return await exchange()
            chunks = bytearray()
            async for chunk in exchange:
                chunks += chunk
                if len(chunks) > limit:
                    raise _too_big(limit)
            return bytes(chunks)
        except RuntimeError as error:  # of which Granian's own errors are kinds
            raise RequestError("The connection was closed before the whole body was there.") from error

    async def _describe(self, _scope: Scope, _exchange: Exchange) -> bytes:
        snapshot = self._runtime.snapshot()
        return encode(
            {
                "endpoint": snapshot.endpoint,
                "generation": snapshot.generation,
                "routes": snapshot.describe(),
                "signature": snapshot.live().signature,
            }
        )

    async def _health(self, _scope: Scope, _exchange: Exchange) -> bytes:
        state = self._runtime.state
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        return encode({"status": "alive", "pid": state.pid, "peak_resident_mb": round(peak, 1)})

    async def _ready(self, _scope: Scope, _exchange: Exchange) -> bytes:
        """Ready, and beside it why a newer generation is not served, where one was refused."""
        generation, state = self._runtime.snapshot().generation, self._runtime.state
        refused = {"generation": state.refused_generation, "problem": state.refused} if state.refused else None
        return encode({"status": "ready", "generation": generation, "refused": refused})


_JSON: Headers = [("content-type", "application/json")]
_OUR_FAULT = HeptadError("The server failed; nothing is known to be wrong with the request.", remedy="see its log")


def _reply(snapshot: Snapshot, parts: list[Part], replies: list[bytes]) -> bytes:
    ordered = replies[0] if len(parts) == 1 else in_order([part.positions for part in parts], replies)
    return reply_head(snapshot.endpoint, snapshot.generation) + ordered + REPLY_TAIL


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


def _check_content_type(given: str) -> None:
    kind, _, parameters = given.partition(";")
    charset = parameters.strip().lower()
    if kind.strip().lower() != "application/json" or charset not in {"", "charset=utf-8", 'charset="utf-8"'}:
        raise RequestError(
            f"The content type is {ascii(given) if given else 'not given'}.",
            status=415,
            field="content-type",
            allowed="application/json",
        )


def _too_big(limit: int) -> RequestError:
    return RequestError(
        f"The body is longer than {limit:,} bytes.",
        status=413,
        allowed=f"at most {limit:,} bytes",
        remedy="split the rows into several requests, or raise [deploy] max_body_mb",
    )
