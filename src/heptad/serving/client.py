"""A client that keeps asking: kept-alive connection, retries with back-off, and ids that make a retry harmless."""

import http.client
import secrets
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urlsplit

import msgspec

from heptad.core.errors import InputError, RequestError, UnavailableError
from heptad.serving.messages import Problem, Refusal

TIMEOUT_SECONDS = 30.0
_HEADER = "".join(map(chr, range(0x20, 0x7F))).replace("%", "")
"""What a header carries as it is; other letters of a caller's name, and the percent sign, are percent-encoded."""
FIRST_PAUSE, LONGEST_PAUSE = 0.02, 1.0
"""Seconds between two attempts: doubled each time."""


class _Answered(msgspec.Struct):
    predictions: list[dict[str, Any]]


class PredictionClient:
    """Asks one endpoint. For one thread at a time; it keeps one connection.

    An attempt that was cut off may have been answered and logged: the next one carries the same ids, so the server
    gives the same answers and logs nothing twice.
    """

    def __init__(self, url: str, endpoint: str, caller: str = "", retry_seconds: float = 30.0) -> None:
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname:
            raise InputError(f"{url!r} is no address of a server.", allowed="http://HOST:PORT")
        self._path = f"/api/v1/endpoints/{quote(endpoint, safe='')}/predict"
        self._headers = {"Content-Type": "application/json"}
        if caller:
            self._headers["X-Heptad-Caller"] = quote(caller, safe=_HEADER)
        self._retry_seconds = retry_seconds
        self._connection = http.client.HTTPConnection(parts.hostname, parts.port or 80, timeout=TIMEOUT_SECONDS)
        self._address = f"{parts.hostname}:{self._connection.port}"
        self.retries = 0
        """Attempts so far that had to be repeated."""

    def predict(self, rows: Sequence[Mapping[str, Any]], ids: Sequence[str] | None = None) -> list[dict[str, Any]]:
        """One answer a row, in order; rows without ids get new ones.

        Raises `RequestError` where the server refuses the request, `UnavailableError` where it does not answer within
        `retry_seconds`.
        """
        if ids is None:
            stem = secrets.token_hex(10)
            ids = [f"{stem}-{row}" for row in range(len(rows))]
        body = msgspec.json.encode({"rows": rows, "ids": ids}, enc_hook=_plain)
        reply = self._ask(body)
        try:
            return msgspec.json.decode(reply, type=_Answered).predictions
        except msgspec.DecodeError as error:
            raise UnavailableError(
                f"{self._address} is no server of ours: it answers {reply[:80]!a}.", remedy="see [deploy] port"
            ) from error

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _ask(self, body: bytes) -> bytes:
        deadline = time.monotonic() + self._retry_seconds
        pause = 0.0  # a kept connection may have been closed since: the first repetition need not wait
        while True:
            try:
                status, reply = self._attempt(body)
                if status == 200:
                    return reply
                if status != 503:
                    raise _refused(status, reply)
                said = _problem(reply)
                reason, remedy = said.problem.rstrip("."), said.remedy
            except (OSError, http.client.HTTPException) as error:
                reason = getattr(error, "strerror", "") or str(error) or type(error).__name__
                remedy = "start it: heptad up"
                self._connection.close()
            if time.monotonic() + pause > deadline:
                raise UnavailableError(f"The server {self._address} did not answer: {reason}.", remedy=remedy)
            time.sleep(pause)
            pause = min(max(2 * pause, FIRST_PAUSE), LONGEST_PAUSE)
            self.retries += 1

    def _attempt(self, body: bytes) -> tuple[int, bytes]:
        # A body that is too long is refused before all of it was read: then the reply is there all the same.
        with suppress(BrokenPipeError, ConnectionResetError):
            self._connection.request("POST", self._path, body, self._headers)
        response = self._connection.getresponse()
        return response.status, response.read()


def _problem(reply: bytes) -> Problem:
    try:
        return msgspec.json.decode(reply, type=Refusal).error
    except msgspec.DecodeError:
        return Problem(problem=f"an answer that is not ours: {reply[:80]!a}")


def _refused(status: int, reply: bytes) -> RequestError | UnavailableError:
    said = _problem(reply)
    if status >= 500:
        return UnavailableError(f"The server failed ({status}): {said.problem}", remedy=said.remedy)
    return RequestError(said.problem, status=status, field=said.field, allowed=said.allowed, remedy=said.remedy)


def _plain(value: Any) -> Any:
    """Numbers of NumPy as plain ones; anything else that JSON does not know is the caller's mistake."""
    if hasattr(value, "item"):
        return value.item()
    raise InputError(f"A row holds a {type(value).__name__}, which JSON cannot carry.", allowed="plain values")
