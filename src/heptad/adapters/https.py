"""Rows out of a file at `https://` or `http://`, downloaded again only where the server says that it has changed."""

import time
from collections.abc import Collection, Generator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import httpx
import msgspec

from heptad.adapters.http_attempts import REDIRECTS, refuse_passing, repeated
from heptad.adapters.robots import AGENT, refuse_by_robots
from heptad.core.errors import DataError, HeptadError, UnavailableError
from heptad.core.files import writing
from heptad.core.settings import duration
from heptad.data import (
    Estimate,
    Place,
    Source,
    SourceSettings,
    SourceTable,
    cache_of,
    content_digest,
    is_page,
    note_done,
    read_local,
    refuse_secrets_in,
    reveal_all,
    split_member,
)

MOST_REDIRECTS = 5


class Known(msgspec.Struct, frozen=True):
    """What is in the cache: the digest of the content, and what the server called it."""

    digest: str
    etag: str = ""
    modified: str = ""


class HttpSource:
    """One file of a web server, kept in the workspace's cache.

    The digest is that of the content. What the server calls ETag or Last-Modified is asked with, so that a file that
    has not changed is not sent again; a server with neither sends it each time. A download that breaks off goes on
    where it was, if the server has an ETag and ranges.
    """

    def __init__(self, scheme: str, address: str, settings: SourceSettings, place: Place) -> None:
        refuse_secrets_in(settings.uri)
        url, self._member = split_member(f"{scheme}:{address}")
        if not urlsplit(url).hostname:
            raise DataError(f"{settings.uri} names no server.", allowed=f"{scheme}://HOST/PATH")
        self._url = httpx.URL(url)
        self._settings = settings
        self._place = place
        self._cache = cache_of(place)
        self._headers = {"Accept-Encoding": "identity", "User-Agent": AGENT} | reveal_all(settings.headers, "headers")
        self._allowed = False
        # Another account may be given other content under the same address; the settings hold no secret.
        self._origin = f"{settings.uri}\n{sorted(settings.headers.items())}"

    def digest(self) -> str:
        return self._fetch().digest

    def read(self, keep_text: Collection[str] = ()) -> SourceTable:
        known = self._fetch()
        path = self._cache.keep(self._origin, known.digest, _is_there)
        self._refuse_undeclared_page(path)
        name = unquote(self._url.path.rpartition("/")[2]) or str(self._url.host)
        return read_local([(name, path)], self._member, self._settings, self._place, keep_text)

    def estimate(self) -> Estimate | None:
        """What the server says how long its answer is, which is not taken; 0 where the cache has got it.

        Not of pages, which robots.txt may be asked about first. Asked once: `digest` tries again.
        """
        if self._settings.format == "html":
            return None

        def attempt() -> Estimate | None:
            with httpx.Client(timeout=self._timeout()) as client, self._answer(client, self._known(), 0, "") as answer:
                length = "0" if answer.status_code == httpx.codes.NOT_MODIFIED else answer.headers.get("Content-Length")
                return Estimate(int(length), "bytes") if length and length.isdecimal() else None

        once = msgspec.structs.replace(self._settings, retries=0)
        return repeated(attempt, once, [*self._headers.values(), self._url.password])

    def _refuse_undeclared_page(self, path: Path) -> None:
        """A page that nobody asked for is a login or an error; and whether pages may be read, robots.txt says."""
        with path.open("rb") as file:
            if not self._settings.format and is_page(file.read(4096)):
                raise DataError(
                    f"{self._settings.uri} answers with a web page, not with a file.",
                    allowed="an address that answers with a file",
                    remedy=f'look at it in a browser; a table of a page is uri = "{self._settings.uri}#table=1"',
                )

    def _fetch(self) -> Known:
        """What the server holds now, downloaded where the cache has not got it."""
        if self._settings.format == "html" and not self._allowed:
            refuse_by_robots(self._url, self._settings, self._headers)
            self._allowed = True
        known = self._known()
        found: list[Known] = []
        fresh = self._cache.keep(
            self._origin, f"arriving {time.time_ns()}", lambda to: found.append(self._load(to, known))
        )
        try:
            if found[0] != known:
                self._cache.keep(self._origin, found[0].digest, lambda target: _moved(fresh, target))
                self._cache.remember(self._origin, msgspec.json.encode(found[0]))
        finally:
            fresh.unlink(missing_ok=True)
        return found[0]

    def _known(self) -> Known | None:
        note = self._cache.recall(self._origin)
        known = msgspec.json.decode(note, type=Known) if note else None
        return known if known is not None and self._cache.holds(self._origin, known.digest) else None

    def _timeout(self) -> httpx.Timeout:
        return httpx.Timeout(duration(self._settings.timeout).total_seconds())

    def _load(self, target: Path, known: Known | None) -> Known:
        """The content written to `target`, or `known` where it is still that; tried as often as the settings say."""
        begun = ""
        with httpx.Client(timeout=self._timeout()) as client, writing(target.parent), target.open("r+b") as file:

            def attempt() -> Known:
                nonlocal begun
                with self._answer(client, known, file.tell() if begun else 0, begun) as response:
                    if response.status_code == httpx.codes.NOT_MODIFIED and known is not None:
                        return known
                    if response.status_code != httpx.codes.PARTIAL_CONTENT:
                        file.seek(0)
                        file.truncate()
                    begun = _strong(response.headers)
                    self._receive(response, file)
                    file.flush()
                    return _known(target, response.headers)

            return repeated(attempt, self._settings, [*self._headers.values(), self._url.password])

    @contextmanager
    def _answer(self, client: httpx.Client, known: Known | None, have: int, begun: str) -> Generator[httpx.Response]:
        """The answer to one request, after its redirects."""
        url, headers = self._url, dict(self._headers)
        asked = {"Range": f"bytes={have}-", "If-Range": begun} if have else _conditions(known)
        for _ in range(MOST_REDIRECTS):
            request = client.build_request("GET", url, headers=headers | asked)
            response = client.send(request, stream=True)
            try:
                if response.status_code not in REDIRECTS:
                    self._judge(response)
                    yield response
                    return
                url, headers = self._redirected(url, response, headers)
            finally:
                response.close()
        raise self._refused(f"was redirected more than {MOST_REDIRECTS} times", "name the address where the file is")

    def _redirected(
        self, url: httpx.URL, response: httpx.Response, headers: dict[str, str]
    ) -> tuple[httpx.URL, dict[str, str]]:
        target = url.join(response.headers.get("Location", ""))
        if target.scheme not in {url.scheme, "https"}:
            raise self._refused(
                f"was redirected from {url.scheme}:// to {target.scheme}://", "name the address where the file is"
            )
        same = (target.scheme, target.host, target.port) == (url.scheme, url.host, url.port)
        # What lets us in here is not for another server.
        return target, headers if same else {"Accept-Encoding": "identity", "User-Agent": AGENT}

    def _judge(self, response: httpx.Response) -> None:
        status = response.status_code
        refuse_passing(response)
        if status in {401, 403}:
            raise self._refused(
                f"may not be read with the credentials at hand ({status}); they may have expired",
                'renew them: [sources.NAME] headers.Authorization = "Bearer ${TOKEN}"',
            )
        if status in {404, 410}:
            raise self._refused(f"is not there ({status})", "look at the address in a browser")
        if status not in {200, 206, 304}:
            raise self._refused(f"was answered with {status} {response.reason_phrase}", "look at the address")

    def _receive(self, response: httpx.Response, file: IO[bytes]) -> None:
        limit = self._settings.unpacked_gb * 1e9
        for chunk in response.iter_raw():
            file.write(chunk)
            note_done(len(chunk), "bytes")
            if file.tell() > limit:
                raise self._refused(
                    f"holds more than {limit / 1e9:g} GB", "raise [sources.NAME] unpacked_gb if the disk has the room"
                )

    def _refused(self, problem: str, remedy: str) -> HeptadError:
        return DataError(
            f"{self._settings.uri} {problem}.", allowed="an address that answers with a file", remedy=remedy
        )


def _conditions(known: Known | None) -> dict[str, str]:
    if known is None:
        return {}
    given = {"If-None-Match": known.etag, "If-Modified-Since": known.modified}
    return {name: value for name, value in given.items() if value}


def _strong(headers: httpx.Headers) -> str:
    """The ETag with which a download may go on; a weak one does not promise equal bytes."""
    etag = str(headers.get("ETag", ""))
    return "" if etag.startswith("W/") or headers.get("Accept-Ranges") != "bytes" else etag


def _known(path: Path, headers: httpx.Headers) -> Known:
    return Known(content_digest(path).hex(), str(headers.get("ETag", "")), str(headers.get("Last-Modified", "")))


def _moved(source: Path, target: Path) -> None:
    source.replace(target)


def _is_there(_: Path) -> None:
    raise UnavailableError("The cache was emptied while a file of it was read.", remedy="do the same again")


https = partial(HttpSource, "https")
http = partial(HttpSource, "http")

if TYPE_CHECKING:
    _: Source = https("", SourceSettings(uri=""), Place(root=Path()))
