"""Whether the robots.txt of a server lets its pages be read (RFC 9309)."""

from urllib.robotparser import RobotFileParser

import httpx

from heptad.adapters.http_attempts import refuse_passing, repeated
from heptad.core.errors import DataError
from heptad.core.settings import duration
from heptad.data import SourceSettings

AGENT = "heptad"
"""What we call ourselves to servers, and what lines of robots.txt may name."""
MOST_BYTES = 512 << 10
"""So much of a robots.txt is read, as RFC 9309 has it at least."""


def refuse_by_robots(url: httpx.URL, settings: SourceSettings, headers: dict[str, str]) -> None:
    """Raises `DataError` where the server's robots.txt forbids the address, `UnavailableError` where it cannot be had.

    A server without one (4xx) forbids nothing. Redirects of it are followed without our headers.
    """
    place = url.copy_with(path="/robots.txt", query=None, fragment=None)
    timeout = httpx.Timeout(duration(settings.timeout).total_seconds())

    def attempt() -> str:
        try:
            return content()
        except httpx.TooManyRedirects:
            return ""  # as if there were none

    def content() -> str:
        with (
            httpx.Client(timeout=timeout, follow_redirects=True, max_redirects=5) as client,
            client.stream("GET", place, headers={"User-Agent": AGENT}) as response,
        ):
            refuse_passing(response)
            if not response.is_success:
                return ""
            found = b""
            for chunk in response.iter_bytes():
                found += chunk
                if len(found) > MOST_BYTES:
                    break
            return found[:MOST_BYTES].decode(errors="replace")

    rules = RobotFileParser()
    rules.parse(repeated(attempt, settings, headers.values()).splitlines())
    if not rules.can_fetch(AGENT, str(url.copy_with(userinfo=b""))):
        raise DataError(
            f"The robots.txt of {url.host} forbids programs to read {settings.uri}.",
            allowed="pages that it does not forbid",
            remedy="ask whoever runs the server for the data, or look for an API or a file of it",
        )
