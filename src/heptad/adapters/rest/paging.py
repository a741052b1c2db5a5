"""How pages of an answer follow each other, and where in an answer its rows are; logic without a connection."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx

from heptad.core.errors import DataError, nearest
from heptad.data import RestSettings

Parameters = Mapping[str, str]


def rows_in(answer: Any, path: str, uri: str) -> list[dict[str, Any]]:
    """The rows of an answer; raises `DataError` where there are none to be found at the path, with what is there.

    >>> rows_in({"data": {"items": [{"a": 1}]}, "next": 2}, "data.items", "")
    [{'a': 1}]
    >>> rows_in({"orders": [{"a": 1}], "page": 1}, "", "")
    [{'a': 1}]
    """
    found = value_at(answer, path) if path else _only_array(answer, uri)
    if path and found is None:
        raise DataError(
            f"An answer of {uri} has nothing at {path!r}.",
            allowed=nearest(path, paths_of(answer)),
            remedy="[sources.NAME.rest] records names the path to the rows",
        )
    rows = [found] if isinstance(found, dict) else found
    if not isinstance(rows, list) or not all(isinstance(one, dict) for one in rows):
        raise DataError(
            f"{path or 'An answer'} of {uri} is no array of objects.",
            allowed="an array of objects, one a row",
            remedy="[sources.NAME.rest] records names the path to the rows",
        )
    return rows


def value_at(answer: Any, path: str) -> Any:
    """What stands at a path of names with points between; `None` where nothing does."""
    for name in path.split("."):
        answer = answer.get(name) if isinstance(answer, dict) else None
    return answer


def is_there(answer: Any, path: str) -> bool:
    """Whether an answer has the last name of a path, or one before it with nothing in it."""
    for name in path.split("."):
        if answer is None:
            return True
        if not isinstance(answer, dict) or name not in answer:
            return False
        answer = answer[name]
    return True


def paths_of(answer: Any, most: int = 30) -> list[str]:
    """The paths of an answer that hold something, from the outside in."""
    if not isinstance(answer, dict):
        return []
    inner = [f"{name}.{path}" for name, value in answer.items() for path in paths_of(value, most)]
    return [*answer, *inner][:most]


def _only_array(answer: Any, uri: str) -> Any:
    if not isinstance(answer, dict):
        return answer
    arrays = [name for name, value in answer.items() if isinstance(value, list)]
    if len(arrays) != 1:
        raise DataError(
            f"An answer of {uri} is an object with {len(arrays) or 'no'} array{'' if len(arrays) == 1 else 's'}"
            f"{': ' + ', '.join(arrays) if arrays else ''}.",
            allowed=f"an array of objects, or one of {', '.join(paths_of(answer)) or 'nothing'}",
            remedy='name the path to the rows: [sources.NAME.rest] records = "data.items"',
        )
    return answer[arrays[0]]


class Paging:
    """Which request follows which answer. `first` is the first one's address; every other is of the same server.

    Raises `DataError` for pages that do not end: an address or a page that comes again.
    """

    doubt = ""
    """Why the first answer, which was taken for the only page, may not be one."""
    beyond = False
    """The next request is made to be sure: it may be for a page that there is none of."""

    def __init__(self, settings: RestSettings, uri: str) -> None:
        self._settings = settings
        self._uri = uri
        self._name = settings.parameter or settings.paging
        first = settings.first
        self._place = (1 if settings.paging == "page" else 0) if first is None else first
        self._seen: set[str] = set()
        self._last: Sequence[Any] = ()
        self._full = settings.size
        """Rows of a page that another may follow: a server may give fewer than it is asked for."""
        self._answers = 0

    def start(self, url: httpx.URL) -> httpx.URL:
        """The first request."""
        if self._settings.size:
            url = url.copy_set_param(self._settings.size_parameter, str(self._settings.size))
        return url.copy_set_param(self._name, str(self._place)) if self._counts else url

    def after(self, url: httpx.URL, answer: Any, rows: Sequence[Any], headers: httpx.Headers) -> httpx.URL | None:
        """The request after an answer to `url`; `None` where that was the last one."""
        if self._counts:
            return self._counted(url, rows)
        if self._settings.paging in {"", "link"}:
            found = httpx.Response(200, headers=headers).links.get("next", {}).get("url")
            return self._new(url, found) if found else None
        self._answers += 1
        if self._answers == 1:
            self._doubt_first(answer)
        found = value_at(answer, self._settings.next)
        if found is None or found == "" or found is False:
            return None
        if self._settings.paging == "next":
            return self._new(url, str(found))
        self._once(str(found))
        return url.copy_set_param(self._name, str(found))

    @property
    def _counts(self) -> bool:
        return self._settings.paging in {"page", "offset"}

    def _doubt_first(self, answer: Any) -> None:
        """Some servers leave the path out in the last answer, others never have it: one answer does not tell."""
        path = self._settings.next
        if is_there(answer, path):
            return
        if not isinstance(answer, dict):
            raise DataError(
                f"{self._uri} answers with an array, which has nothing at {path!r}.",
                allowed=f"an object with the {self._settings.paging} of the next page",
                remedy="[sources.NAME.rest] paging says how pages follow each other",
            )
        self.doubt = (
            f"the first answer has no {path!r}, and was taken for the only page. If it is not, "
            f"[sources.NAME.rest] next is another path: {nearest(path, paths_of(answer))}"
        )

    def _counted(self, url: httpx.URL, rows: Sequence[Any]) -> httpx.URL | None:
        if not self._last:
            self._full = min(self._full, len(rows))
        if not rows or len(rows) < self._full:
            return None
        self.beyond = len(rows) < self._settings.size
        if rows == self._last:
            raise DataError(
                f"{self._uri} answers {self._settings.paging} {self._place} with the rows of the one before.",
                allowed="a server that knows the parameter of its pages",
                remedy=f"[sources.NAME.rest] parameter says what it is called; it was asked with {self._name!r}",
            )
        self._last = rows
        self._place += 1 if self._settings.paging == "page" else len(rows)
        return url.copy_set_param(self._name, str(self._place))

    def _new(self, url: httpx.URL, address: str) -> httpx.URL:
        target = urljoin(str(url), address)
        if urlsplit(target)[:2] != urlsplit(str(url))[:2]:
            # What lets us in here is not for another server.
            raise DataError(
                f"{self._uri} names a next page at another server, {urlsplit(target).hostname or 'without a name'}.",
                allowed="pages of one server",
                remedy="look at the API's documentation; another uri may be the right one",
            )
        self._once(target)
        return httpx.URL(target)

    def _once(self, mark: str) -> None:
        if mark in self._seen:
            raise DataError(
                f"{self._uri} names a next page that has been read already.", allowed="pages that come to an end"
            )
        self._seen.add(mark)
