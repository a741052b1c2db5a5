"""What servers read features by: the definitions in force, in a file, so that no request has to ask the store."""

import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from heptad.core.clock import Clock
from heptad.core.errors import IntegrityError, RequestError
from heptad.core.files import write_atomically
from heptad.core.records import Record
from heptad.data.features.online import OnlineStore, open_online
from heptad.data.features.reading import FeatureReader, open_reader
from heptad.data.features.records import FeatureView
from heptad.data.features.settings import OnlineSettings
from heptad.data.features.wire import FeatureRequests

FILE = "features.json"


class Published(msgspec.Struct, frozen=True, kw_only=True):
    """`online` names secrets and does not hold them."""

    project: str
    online: OnlineSettings
    views: list[Record[FeatureView]]


def publish(folder: Path, project: str, online: OnlineSettings, views: Sequence[Record[FeatureView]]) -> None:
    """Let servers of the workspace in `folder` read by these definitions, and no others, from now on."""
    data = msgspec.json.encode(Published(project=project, online=online, views=list(views)))
    path = folder / FILE
    if (path.read_bytes() if path.exists() else b"") != data:
        write_atomically(path, data)


class PublishedFeatures:
    """Answers requests by what is published at the moment; safe to use from many threads."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._path = folder / FILE
        self._clock = clock
        self._opened: tuple[tuple[int, int], FeatureRequests] | None = None

    def answer(self, body: bytes) -> bytes:
        """As `FeatureRequests.answer`; raises `RequestError` with status 404 where nothing was ever published."""
        return self._requests().answer(body)

    def reader(self, features: tuple[str, ...]) -> FeatureReader:
        """Reads views and features as they are in force now, the same object while they stay so.

        Raises `RequestError` with status 404 where one of them is not.
        """
        return self._requests().reader(features)

    def _requests(self) -> FeatureRequests:
        try:
            found = os.stat(self._path)  # noqa: PTH116 - asked by every request
        except FileNotFoundError:
            raise RequestError(
                "No features are in force.", status=404, field="features", remedy="heptad data features apply"
            ) from None
        # A file that replaces another is another one, also where both are of one moment.
        state = found.st_ino, found.st_mtime_ns
        opened = self._opened
        if opened is None or opened[0] != state:
            # Two threads may open it at once, and either may stay: both read the same definitions.
            opened = self._opened = state, FeatureRequests(self._reader_of(self._read()))
        return opened[1]

    def _read(self) -> Published:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=Published)
        except msgspec.DecodeError as error:
            raise IntegrityError(
                f"{self._path} cannot be read: {error}.", remedy="write it again: heptad data features materialise"
            ) from error

    def _reader_of(self, published: Published) -> "_Readers":
        store = open_online(published.online, self._path.parent, published.project)
        return _Readers(store, self._clock, published)


class _Readers:
    """Opens readers of one store."""

    def __init__(self, store: OnlineStore, clock: Clock, published: Published) -> None:
        self._store = store
        self._clock = clock
        self._views = {view.body.name: view for view in published.views}

    def __call__(self, references: Sequence[str]) -> FeatureReader:
        return open_reader(self._store, self._clock, self._views, references)
