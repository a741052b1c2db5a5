"""Requests over HTTP that are tried again: after which answers, with which pauses, and what is told in the end."""

import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

import httpx

from heptad.core.errors import UnavailableError
from heptad.data import SourceSettings, without_secrets

T = TypeVar("T")
PAUSE = 0.2
"""Seconds before the second attempt; each further pause is twice as long, up to `LONGEST_PAUSE`."""
LONGEST_PAUSE = 60.0
AGAIN = {408, 425, 429, 500, 502, 503, 504}
"""Answers after which the same request may succeed."""
REDIRECTS = {301, 302, 303, 307, 308}


class AgainError(Exception):
    """An attempt failed in a way that may pass, and not before `pause` seconds."""

    def __init__(self, reason: str, pause: float = 0.0) -> None:
        super().__init__(reason)
        self.pause = pause


def repeated(attempt: Callable[[], T], settings: SourceSettings, secrets: Iterable[str]) -> T:
    """What the first attempt that succeeds comes to; raises `UnavailableError` after as many as the settings say."""
    reasons: list[str] = []
    for number in range(settings.retries + 1):
        try:
            return attempt()
        except httpx.TransportError as error:
            reasons.append(_words(error, settings, secrets))
            pause = 0.0
        except AgainError as error:
            reasons.append(str(error))
            pause = error.pause
        if number < settings.retries:
            time.sleep(min(max(pause, PAUSE * 2**number), LONGEST_PAUSE))
    raise UnavailableError(
        f"{settings.uri} could not be read, attempts: {len(reasons)}; {reasons[-1]}.",
        remedy="try again later; [sources.NAME] timeout and retries say how long to wait",
    )


def refuse_passing(response: httpx.Response) -> None:
    """Raises `AgainError` for an answer after which the same request may succeed, no sooner than the server says."""
    if response.status_code in AGAIN:
        raise AgainError(
            f"the server answered {response.status_code} {response.reason_phrase}",
            seconds_of(response.headers.get("Retry-After", "")),
        )


def seconds_of(retry_after: str) -> float:
    """The pause that a server asks for, in seconds or until a date; 0 where that says nothing.

    >>> seconds_of("7")
    7.0
    """
    if retry_after.isdigit():
        return float(retry_after)
    try:
        moment = parsedate_to_datetime(retry_after)
    except ValueError:
        return 0.0
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def _words(error: httpx.TransportError, settings: SourceSettings, secrets: Iterable[str]) -> str:
    if isinstance(error, httpx.ConnectTimeout):
        return f"no connection within {settings.timeout}"
    if isinstance(error, httpx.TimeoutException):
        return f"no bytes came for {settings.timeout}"
    return without_secrets(str(error) or type(error).__name__, secrets).rstrip(".")
