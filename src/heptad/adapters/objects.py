"""Rows out of objects in a bucket: `s3://BUCKET/KEY`, `gs://BUCKET/KEY`, `az://CONTAINER/KEY`; a key may be a glob."""

import re
from collections.abc import Collection, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import obstore
from blake3 import blake3

from heptad.adapters.buckets import Bucket
from heptad.core.errors import DataError, nearest
from heptad.core.files import writing
from heptad.data import (
    Estimate,
    Place,
    Source,
    SourceSettings,
    SourceTable,
    cache_of,
    note_done,
    read_local,
    refuse_secrets_in,
    split_member,
)

PIECE = 8 << 20
"""So many bytes are asked for at a time; a piece that fails is asked for again, not the whole object."""


class Entry(msgspec.Struct, frozen=True, order=True):
    """One object as the store lists it; `tag` changes with its content."""

    key: str
    tag: str
    size: int

    @property
    def version(self) -> str:
        """Changes with the content."""
        return f"{self.tag} {self.size}"


class ObjectSource:
    """Objects of one bucket, downloaded once into the cache for each ETag.

    The digest is made of keys, ETags and sizes, so that nothing is downloaded where nothing has changed.
    """

    def __init__(self, scheme: str, address: str, settings: SourceSettings, place: Place) -> None:
        refuse_secrets_in(settings.uri)
        bucket, _, key = address.removeprefix("//").partition("/")
        if not bucket or not key:
            raise DataError(f"{settings.uri} names no object.", allowed=f"{scheme}://BUCKET/KEY, or a glob of keys")
        self._scheme = scheme
        self._settings = settings
        self._place = place
        self._bucket = bucket
        self._key, self._member = split_member(key)
        opened = Bucket(scheme, bucket, settings, "sources.NAME", DataError)
        self._store, self._told = opened.store, opened.told

    def digest(self) -> str:
        return blake3(msgspec.json.encode(self._entries())).hexdigest()

    def read(self, keep_text: Collection[str] = ()) -> SourceTable:
        cache = cache_of(self._place)
        files = [
            (one.key.rpartition("/")[2], cache.keep(self._origin(one), one.version, partial(self._download, one)))
            for one in self._entries()
        ]
        return read_local(files, self._member, self._settings, self._place, keep_text)

    def estimate(self) -> Estimate:
        """What has to be downloaded."""
        cache = cache_of(self._place)
        new = (one for one in self._entries() if not cache.holds(self._origin(one), one.version))
        return Estimate(sum(one.size for one in new), "bytes")

    def _origin(self, entry: Entry) -> str:
        # Two accounts may see different objects under one address, and one endpoint is not the other.
        where = f"{self._scheme}://{self._bucket}\n{self._settings.endpoint}\n{sorted(self._settings.options.items())}"
        return f"{where}\n{entry.key}"

    def _entries(self) -> Sequence[Entry]:
        """The objects that the address names, in the order of their keys."""
        fixed = re.split(r"[*?\[]", self._key, maxsplit=1)[0]
        if fixed == self._key:
            with self._told(self._key):
                return [_entry(obstore.head(self._store, self._key))]
        pattern, folder = _pattern(self._key), fixed.rpartition("/")[0]
        with self._told(folder or "*"):
            listed = [_entry(one) for batch in obstore.list(self._store, prefix=folder or None) for one in batch]
        found = sorted(one for one in listed if pattern.fullmatch(one.key))
        if not found:
            raise DataError(
                f"No object is called like {self._settings.uri}.",
                allowed=nearest(self._key, sorted(one.key for one in listed)),
                remedy="look at the names in the bucket; * stays within a folder, ** does not",
            )
        return found

    def _download(self, entry: Entry, target: Path) -> None:
        with writing(target.parent), target.open("wb") as file:
            for start in range(0, entry.size, PIECE):
                options: Any = {"range": (start, min(start + PIECE, entry.size))}
                if entry.tag.startswith(('"', "0x")):
                    options["if_match"] = entry.tag
                with self._told(entry.key):
                    piece = obstore.get(self._store, entry.key, options=options).bytes()
                file.write(piece)
                note_done(len(piece), "bytes")


def _entry(meta: Any) -> Entry:
    return Entry(str(meta["path"]), meta.get("e_tag") or str(meta["last_modified"]), int(meta["size"]))


def _pattern(glob: str) -> re.Pattern[str]:
    """A glob over keys: `*` and `?` stay within a folder, `**/` stands for any folders."""
    parts = re.split(r"(\*\*/|\*|\?|\[[^\]]+\])", glob)
    meaning = {"**/": "(?:.*/)?", "*": "[^/]*", "?": "[^/]"}
    return re.compile("".join(meaning.get(one) or (one if one.startswith("[") else re.escape(one)) for one in parts))


s3 = partial(ObjectSource, "s3")
gs = partial(ObjectSource, "gs")
az = partial(ObjectSource, "az")

if TYPE_CHECKING:
    _: Source = s3("", SourceSettings(uri=""), Place(root=Path()))
