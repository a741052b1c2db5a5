"""What passes between the server and whoever answers: a request, and a reply."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, TypeAlias

Headers: TypeAlias = Sequence[tuple[str, str]]
JSON: Headers = (("content-type", "application/json"),)
TEXT: Headers = (("content-type", "text/plain; charset=utf-8"),)


class Reader(Protocol):
    """The body of a request, as it comes in."""

    def read(self, size: int = -1, /) -> bytes: ...


class Request(NamedTuple):
    """One HTTP request. `path` is decoded, `environ` is what PEP 3333 says, `body` has not been read yet."""

    method: str
    path: str
    query: str
    environ: Mapping[str, Any]
    body: Reader
    length: int | None
    """Bytes of the body; `None` where they are not announced."""
    captured: Mapping[str, str] = {}
    """What stands in the path where the route has `{name}`, not to be trusted."""


class Reply(NamedTuple):
    """What is sent back; a `body` of several parts is sent as it is made."""

    status: int = 200
    headers: Headers = JSON
    body: bytes | Iterable[bytes] = b"{}"
