"""Rows of an HTTP API at `rest:https://HOST/PATH`: all pages of an answer, or what is new since the last time."""

import time
from collections.abc import Collection, Iterator
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeAlias

import httpx
import msgspec

from heptad.adapters.http_attempts import REDIRECTS, refuse_passing, repeated
from heptad.adapters.rest.authorising import Authorising
from heptad.adapters.rest.paging import Paging, rows_in
from heptad.core.errors import DataError, SettingsError, UnavailableError
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
    note_done,
    read_local,
    refuse_secrets_in,
    reveal_all,
)

NEW_SECONDS = 60.0
"""How long what one process has read counts as new, unless the settings say so."""
PAGE_BYTES = 256 << 20
"""The largest answer, which is held in memory."""
Position: TypeAlias = int | float | str


class Known(msgspec.Struct, frozen=True):
    """What is in the cache: the digest of the rows, when they were read (Unix), the greatest value of the cursor."""

    digest: str
    read_at: float
    position: Position | None = None
    doubt: str = ""
    """Why these may not be all rows."""


class RestSource:
    """All rows that an API answers with, kept as JSON lines in the workspace's cache.

    With `since` only rows from the greatest value of `cursor` on are asked for, and replace those of their `key`;
    what is kept is written whole or not at all, so that a server which breaks off in the middle changes nothing.
    """

    def __init__(self, address: str, settings: SourceSettings, place: Place) -> None:
        refuse_secrets_in(settings.uri.partition(":")[2])
        self._settings, self._rest, self._place = settings, settings.rest, place
        url = httpx.URL(address)
        if url.scheme not in {"https", "http"} or not url.host:
            raise DataError(f"{settings.uri} names no API.", allowed="rest:https://HOST/PATH")
        if self._rest.since and not (settings.cursor and settings.key):
            raise SettingsError(
                "[sources.NAME.rest] since asks for what is new, and nothing says what that is.",
                allowed='[sources.NAME] cursor = "COLUMN that only grows" and key = ["COLUMN that names a row"]',
            )
        self._url = url.copy_merge_params(reveal_all(self._rest.parameters, "rest.parameters"))
        self._headers = {"Accept": "application/json"} | reveal_all(settings.headers, "headers")
        self._authorising = Authorising(settings)
        self._cache = cache_of(place)
        asked = msgspec.structs.replace(settings, retries=0, timeout="1s", refresh="")
        self._origin = msgspec.json.encode(asked).decode()
        self._known: Known | None = None
        self._looked = self._asked = 0.0

    def digest(self) -> str:
        return self._current().digest

    def read(self, keep_text: Collection[str] = ()) -> SourceTable:
        known = self._known or self._current()
        path = self._cache.keep(self._origin, known.digest, _is_there)
        if not path.stat().st_size:
            raise DataError(f"{self._settings.uri} has no rows.", allowed="at least one row")
        lines = msgspec.structs.replace(self._settings, format="jsonl", encoding="utf-8")
        table = read_local([("its rows", path)], "", lines, self._place, keep_text)
        understood = table.understood | {"format": "rest"}
        return msgspec.structs.replace(table, understood=understood, doubts=[known.doubt] if known.doubt else [])

    def estimate(self) -> Estimate | None:
        """An API does not say how many rows its pages have."""
        return None

    def _current(self) -> Known:
        """What is kept, brought up to date unless it was just now."""
        lasting = duration(self._settings.refresh).total_seconds() if self._settings.refresh else 0.0
        if self._known and time.monotonic() - self._looked < (lasting or NEW_SECONDS):
            return self._known
        note = self._cache.recall(self._origin)
        known = msgspec.json.decode(note, type=Known) if note else None
        if known is not None and not self._cache.holds(self._origin, known.digest):
            known = None
        if known is None or time.time() - known.read_at >= lasting:
            known = self._brought(known)
        self._known, self._looked = known, time.monotonic()
        return known

    def _brought(self, old: Known | None) -> Known:
        """What the server holds now, written beside what is kept, which is left if anything fails."""
        found: list[Known] = []
        arriving = f"arriving {time.time_ns()}"
        fresh = self._cache.keep(self._origin, arriving, lambda to: found.append(self._write(to, old)))
        try:
            self._cache.keep(self._origin, found[0].digest, lambda target: _moved(fresh, target))
            self._cache.remember(self._origin, msgspec.json.encode(found[0]))
        finally:
            fresh.unlink(missing_ok=True)
        return found[0]

    def _write(self, target: Path, old: Known | None) -> Known:
        began, position = time.time(), old.position if old and self._rest.since else None
        paging = Paging(self._rest, self._settings.uri)
        with writing(target.parent), target.open("wb") as file:
            if old is None or position is None:
                position = self._store(self._pages(paging, None), file, None)
                doubt = paging.doubt
            else:
                new = [row for page in self._pages(paging, position) for row in page]
                # What is new may be one page, of which a whole reading has shown how others follow.
                doubt = paging.doubt and old.doubt
                self._copy_others(old, new, file)
                position = self._store(iter([new]), file, position)
        return Known(content_digest(target).hex(), began, position, doubt)

    def _store(self, pages: Iterator[list[dict[str, Any]]], file: IO[bytes], position: Position | None) -> Any:
        """Write rows as lines; answers the greatest value of the cursor."""
        cursor, limit = self._settings.cursor, self._settings.unpacked_gb * 1e9
        for row in (row for page in pages for row in page):
            file.write(msgspec.json.encode(row) + b"\n")
            if cursor:
                position = _later(position, row.get(cursor), cursor, self._settings.uri)
            if file.tell() > limit:
                raise DataError(
                    f"{self._settings.uri} holds more than {limit / 1e9:g} GB.",
                    remedy="raise [sources.NAME] unpacked_gb if the disk has the room",
                )
        return position

    def _copy_others(self, old: Known, new: list[dict[str, Any]], file: IO[bytes]) -> None:
        """The lines that are kept, without earlier states of new rows."""
        replaced = {self._key_of(row) for row in new}
        with self._cache.keep(self._origin, old.digest, _is_there).open("rb") as kept:
            file.writelines(line for line in kept if self._key_of(msgspec.json.decode(line)) not in replaced)

    def _key_of(self, row: dict[str, Any]) -> bytes:
        lacking = [name for name in self._settings.key if name not in row]
        if lacking:
            raise DataError(
                f"A row of {self._settings.uri} has no {lacking[0]!r}, which [sources.NAME] key names.",
                allowed=", ".join(row),
            )
        return msgspec.json.encode([row[name] for name in self._settings.key])

    def _pages(self, paging: Paging, since: Position | None) -> Iterator[list[dict[str, Any]]]:
        url = self._url if since is None else self._url.copy_set_param(self._rest.since, str(since))
        following: httpx.URL | None = paging.start(url)
        timeout = httpx.Timeout(duration(self._settings.timeout).total_seconds())
        with httpx.Client(timeout=timeout) as client:
            while following is not None:
                secrets = [*self._headers.values(), *self._authorising.secrets, self._url.password]
                ask = partial(self._answer, client, following, beyond=paging.beyond)
                response = repeated(ask, self._settings, secrets)
                if response.status_code == httpx.codes.NOT_FOUND:
                    return
                answer = self._decoded(response)
                rows = rows_in(answer, self._rest.records, self._settings.uri)
                note_done(len(rows), "rows")
                yield rows
                following = paging.after(following, answer, rows, response.headers)

    def _answer(
        self, client: httpx.Client, url: httpx.URL, *, beyond: bool = False, renewed: bool = False
    ) -> httpx.Response:
        """One page, no sooner than the rate allows; a token that has ended is renewed once.

        `beyond`: that there is no such page is an answer too, of status 404.
        """
        if self._rest.per_second:
            time.sleep(max(0.0, self._asked + 1 / self._rest.per_second - time.monotonic()))
        self._asked = time.monotonic()
        request = client.build_request("GET", url, headers=self._headers)
        self._authorising.authorise(client, request)
        response = client.send(request, stream=True)
        try:
            if response.status_code == httpx.codes.UNAUTHORIZED and not renewed and self._authorising.forget():
                response.close()
                return self._answer(client, url, beyond=beyond, renewed=True)
            refuse_passing(response)
            if not (beyond and response.status_code == httpx.codes.NOT_FOUND):
                self._judge(response)
            content = bytearray()
            for chunk in response.iter_bytes():
                content += chunk
                if len(content) > PAGE_BYTES:
                    raise self._refused(f"answers with more than {PAGE_BYTES >> 20} MiB at once", "ask for pages")
        finally:
            response.close()
        return httpx.Response(response.status_code, headers=_plain_headers(response), content=bytes(content))

    def _judge(self, response: httpx.Response) -> None:
        status = response.status_code
        if status in {401, 403}:
            raise self._refused(
                f"may not be read with the credentials at hand ({status}); they may have expired",
                "renew them, and look at [sources.NAME.rest] auth",
            )
        if status in REDIRECTS:
            host = response.headers.get("Location", "").partition("?")[0]
            raise self._refused(f"was moved to {host or 'another address'} ({status})", "name that address in uri")
        if status != httpx.codes.OK:
            raise self._refused(
                f"was answered with {status} {response.reason_phrase}", "look at the address and at [sources.NAME.rest]"
            )

    def _decoded(self, response: httpx.Response) -> Any:
        try:
            return msgspec.json.decode(response.content)
        except msgspec.DecodeError as error:
            kind = response.headers.get("Content-Type", "nothing that it names").partition(";")[0]
            if "json" not in kind:
                raise self._refused(
                    f"answers with {kind}, not with JSON", "look at the address in a browser"
                ) from error
            raise self._refused(
                f"answers with JSON that cannot be read, on a page of {len(response.content):,} bytes: {error}",
                "read it again; if it stays so, whoever runs the API has to mend it",
            ) from error

    def _refused(self, problem: str, remedy: str) -> DataError:
        return DataError(f"{self._settings.uri} {problem}.", allowed="an API that answers with JSON", remedy=remedy)


def _plain_headers(response: httpx.Response) -> dict[str, str]:
    """Headers of an answer whose content has been unpacked."""
    packed = {"content-encoding", "content-length", "transfer-encoding"}
    return {name: value for name, value in response.headers.items() if name.lower() not in packed}


def _later(first: Position | None, second: Any, cursor: str, uri: str) -> Position:
    """The greater of two values of a cursor; both numbers, or both texts."""
    numbers = isinstance(second, int | float) and not isinstance(second, bool)
    if not numbers and not isinstance(second, str):
        raise DataError(
            f"The cursor {cursor!r} is {second!r} in a row of {uri}.", allowed="a number or a text in every row"
        )
    if first is not None and isinstance(first, str) == numbers:
        raise DataError(f"The cursor {cursor!r} of {uri} is sometimes a number.", allowed="numbers, or texts")
    return second if first is None or second > first else first


def _moved(source: Path, target: Path) -> None:
    source.replace(target)


def _is_there(_: Path) -> None:
    raise UnavailableError("The cache was emptied while a file of it was read.", remedy="do the same again")


if TYPE_CHECKING:
    _: type[Source] = RestSource
