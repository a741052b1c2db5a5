"""Ships to a server by HTTP: one connection, kept open; whatever was not answered is asked again, and counts once."""

import http.client
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TypeVar, cast
from urllib.parse import urlsplit

import msgspec
from blake3 import blake3

from heptad.core.errors import InputError, RequestError, UnavailableError
from heptad.core.records import Id
from heptad.core.sql_values import pack_points
from heptad.core.store import Segment
from heptad.experiments.journal.messages import Lacking, Points, RunBegin, RunState, RunUpdate
from heptad.experiments.journal.target import RunTarget

RUNS, FILES = "/api/v1/runs", "/api/v1/files"
CALL_SECONDS, FILE_SECONDS = 20.0, 120.0
"""How long a server may be silent: a call, and a file that it syncs."""
POINTS_AT_ONCE = 200_000
LONGEST_REPLY = 8 << 20
"""Bytes of a reply that are read."""
_PASSING = frozenset({408, 409, 425, 429})
_PIECE = 1 << 20
_LONGEST_ADDRESS = 80
_encode = msgspec.msgpack.Encoder().encode

T = TypeVar("T")


class Problem(msgspec.Struct, frozen=True):
    """Why a call was refused, as the server says it."""

    problem: str
    allowed: str = ""
    remedy: str = ""


class Refusal(msgspec.Struct, frozen=True):
    """The body of every reply that is not 200. With `message` instead nobody has looked at the call."""

    error: Problem | None = None
    message: str = ""


class Address(NamedTuple):
    """Where a server is."""

    scheme: str
    host: str
    port: int

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


def server_address(text: str) -> Address:
    """The address of a server; raises `InputError` for none, and for one that holds a name or a password."""
    allowed = "http://HOST:PORT or https://HOST:PORT"
    try:
        parts = urlsplit(text.strip())
        port = parts.port
    except ValueError:
        raise InputError(f"{text[:200]!r} is not the address of a server.", allowed=allowed) from None
    if parts.username is not None or parts.password is not None:
        raise InputError("The address of a server may hold no user name and no password.", allowed=allowed)
    plain = parts.path in {"", "/"} and not parts.query and not parts.fragment
    host = parts.hostname or ""
    if parts.scheme not in {"http", "https"} or not host or not plain or len(host) > _LONGEST_ADDRESS:
        raise InputError(f"{text[:200]!r} is not the address of a server.", allowed=allowed)
    return Address(parts.scheme, host, port or (443 if parts.scheme == "https" else 80))


class HttpTarget:
    """See `RunTarget`. Every error of the network, and every answer that is not one of Heptad's, may pass."""

    def __init__(self, server: str) -> None:
        self.server = server_address(server)
        self._connection: http.client.HTTPConnection | None = None

    def put(self, files: Sequence[bytes | Path | BinaryIO]) -> list[str]:
        with ExitStack() as stack:
            opened = [_opened(one, stack) for one in files]
            digests = [_digest_of(one) for one in opened]
            lacking = self._call("POST", f"{FILES}/lacking", Lacking, _encode(Lacking(digests=digests))).digests
            for digest, file in zip(digests, opened, strict=True):
                if digest in lacking:
                    lacking.remove(digest)
                    self._call("PUT", f"{FILES}/{digest}", dict[str, Any], file)
        return digests

    def begin(self, begin: RunBegin) -> None:
        self._call("POST", RUNS, dict[str, Any], _encode(begin))

    def append(self, segments: Sequence[Segment]) -> None:
        for run, points in _batches(segments):
            self._call("POST", f"{RUNS}/{run}/points", dict[str, Any], _encode(points))

    def update(self, update: RunUpdate) -> None:
        self._call("POST", f"{RUNS}/{update.run}/updates", dict[str, Any], _encode(update))

    def state(self, run: Id) -> RunState:
        """How a run stands, for whoever goes on with it; raises `RequestError` (404) where there is none."""
        return self._call("GET", f"{RUNS}/{run}", RunState)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _call(self, method: str, path: str, kind: type[T], body: bytes | BinaryIO | None = None) -> T:
        """What the server answers. A connection that it had closed meanwhile is opened anew, once."""
        kept = self._connection is not None
        try:
            status, said = self._exchange(method, path, body)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            # A kept connection may have been closed by the server while nothing was asked; a silence was not that.
            if kept and not isinstance(error, TimeoutError):
                return self._call(method, path, kind, body)
            raise UnavailableError(f"{self.server.url} cannot be reached: {_words(error)}.", remedy=_REMEDY) from error
        except BaseException:
            self.close()
            raise
        return self._understood(status, said, kind)

    def _exchange(self, method: str, path: str, body: bytes | BinaryIO | None) -> tuple[int, bytes]:
        if self._connection is None:
            kind = http.client.HTTPSConnection if self.server.scheme == "https" else http.client.HTTPConnection
            self._connection = kind(self.server.host, self.server.port, timeout=CALL_SECONDS, blocksize=_PIECE)
        connection = self._connection
        headers = {"Content-Type": "application/msgpack"}
        seconds = CALL_SECONDS
        if body is not None and not isinstance(body, bytes):
            headers = {"Content-Type": "application/octet-stream", "Content-Length": str(body.seek(0, os.SEEK_END))}
            body.seek(0)
            seconds = FILE_SECONDS
        if connection.sock is None:
            connection.connect()
        connection.sock.settimeout(seconds)
        try:
            connection.request(method, path, body, headers)
        except (BrokenPipeError, ConnectionResetError):
            # A server that refuses a long file answers before it has read it, and the answer says why.
            if isinstance(body, bytes | None):
                raise
        reply = connection.getresponse()
        said = reply.read(LONGEST_REPLY)
        if reply.length:
            raise http.client.IncompleteRead(said, reply.length)
        if reply.will_close or not reply.isclosed():
            self.close()
        return reply.status, said

    def _understood(self, status: int, said: bytes, kind: type[T]) -> T:
        if status == http.client.OK:
            try:
                return msgspec.json.decode(said, type=kind)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                self.close()
                raise self._odd("what is no reply of Heptad") from None
        try:
            refusal = msgspec.json.decode(said, type=Refusal)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            self.close()
            raise self._odd(f"{status}") from None
        refused = refusal.error
        if refused is None:
            raise self._odd(f"{status}: {refusal.message[:500]}")
        if status in _PASSING or status >= http.client.INTERNAL_SERVER_ERROR:
            raise UnavailableError(f"{self.server.url}: {refused.problem}", remedy=refused.remedy or _REMEDY)
        raise RequestError(
            f"{self.server.url}: {refused.problem}", status=status, allowed=refused.allowed, remedy=refused.remedy
        )

    def _odd(self, answer: str) -> UnavailableError:
        """A proxy, another program, or a server that is not well: none of them has judged the call."""
        return UnavailableError(f"{self.server.url} answers {answer}.", remedy=_REMEDY)


_REMEDY = "heptad up on the server's side; then heptad experiments ship here, if the run has ended"


def _batches(segments: Sequence[Segment]) -> Iterator[tuple[Id, Points]]:
    """Points in messages of bounded length, each with the whole of some series or a part of one."""
    batch: dict[str, tuple[int, bytes]] = {}
    run, count = "", 0
    for segment in segments:
        for start in range(0, len(segment.steps), POINTS_AT_ONCE):
            part = slice(start, start + POINTS_AT_ONCE)
            steps = segment.steps[part]
            if batch and (segment.record != run or segment.key in batch or count + len(steps) > POINTS_AT_ONCE):
                yield run, Points(series=batch)
                batch, count = {}, 0
            run, count = segment.record, count + len(steps)
            packed = pack_points(steps, segment.values[part], segment.times[part])
            batch[segment.key] = (segment.first + start, packed)
    if batch:
        yield run, Points(series=batch)


def _opened(source: bytes | Path | BinaryIO, stack: ExitStack) -> BinaryIO:
    """A file that can be read twice: once for its digest."""
    if isinstance(source, Path):
        return stack.enter_context(source.open("rb"))
    spooled = stack.enter_context(tempfile.SpooledTemporaryFile(_PIECE))  # noqa: SIM115 - the stack closes it
    copy = cast("BinaryIO", spooled)
    for piece in [source] if isinstance(source, bytes) else iter(lambda: source.read(_PIECE), b""):
        copy.write(piece)
    copy.seek(0)
    return copy


def _digest_of(file: BinaryIO) -> str:
    hasher = blake3()
    while piece := file.read(_PIECE):
        hasher.update(piece)
    file.seek(0)
    return hasher.hexdigest()


def _words(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "it does not answer in time"
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(text).rstrip(".").replace("\n", " ")[:200]


_: type[RunTarget] = HttpTarget
