"""Features over HTTP: a request's bytes in, a reply's bytes out; whoever mounts it adds the transport."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import msgspec

from heptad.core.errors import InputError, NotFoundError, RequestError
from heptad.data.features.reading import FeatureReader, OnlineRow

Open: TypeAlias = Callable[[Sequence[str]], FeatureReader]

MOST_ENTITIES = 1_000
MOST_READERS = 100
"""Different lists of features that readers are kept for."""

SHAPE = '{"features": ["VIEW" or "VIEW:FEATURE", ...], "entities": [{key: value, ...}, ...]}'

Scalar: TypeAlias = str | int | float | bool | None


class ReadRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to read, and of whom."""

    features: list[str]
    entities: list[dict[str, Scalar]]


class FeatureRequests:
    """Answers requests for features; safe to use from many threads."""

    def __init__(self, open_reader: Open) -> None:
        """`open_reader` makes a reader of the views and features named; it is asked once for each list of them."""
        self._open = open_reader
        self._readers: dict[tuple[str, ...], FeatureReader] = {}
        self._decode = msgspec.json.Decoder(ReadRequest).decode
        self._encode = msgspec.json.Encoder().encode

    def answer(self, body: bytes) -> bytes:
        """`{"names": [...], "rows": [{"values": [...], "freshness": [...]}]}`, a row for each entity in order.

        Raises `RequestError`: 400 for what is no JSON, 404 for features that are not in force, 422 for another shape.
        """
        try:
            request = self._decode(body)
        except msgspec.ValidationError as error:
            raise RequestError(f"The request has another shape: {error}.", status=422, allowed=SHAPE) from error
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise RequestError("The body is not JSON.", allowed=SHAPE) from error
        if not request.features or not 0 < len(request.entities) <= MOST_ENTITIES:
            raise RequestError(
                f"The request asks {len(request.features)} features of {len(request.entities):,} entities.",
                status=422,
                field="features" if not request.features else "entities",
                allowed=f"at least one feature; 1 to {MOST_ENTITIES:,} entities",
            )
        reader = self.reader(tuple(request.features))
        try:
            rows = reader.read_many(request.entities)
        except InputError as error:
            raise RequestError(error.problem, status=422, field="entities", allowed=error.allowed) from error
        return self._encode({"names": reader.names, "rows": [_plain(row) for row in rows]})

    def forget(self) -> None:
        """Open readers anew, since other definitions are in force."""
        self._readers.clear()

    def reader(self, features: tuple[str, ...]) -> FeatureReader:
        """A reader of views and features, the same one as long as the same definitions are in force."""
        reader = self._readers.get(features)
        if reader is None:
            try:
                reader = self._open(features)
            except NotFoundError as error:
                raise RequestError(error.problem, status=404, field="features", allowed=error.allowed) from error
            if len(self._readers) >= MOST_READERS:
                self._readers.clear()
            self._readers[features] = reader
        return reader


def _plain(row: OnlineRow) -> dict[str, object]:
    return {"values": row.values, "freshness": row.freshness}
