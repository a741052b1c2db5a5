"""A folder of files as a source: `format = "manifest"`, a row for each file."""

import os
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import msgspec
import polars as pl
from blake3 import blake3

from heptad.core.errors import DataError, nearest
from heptad.data.manifests.entries import Entry, find_files, read_entry
from heptad.data.manifests.fingerprints import near_sounds
from heptad.data.manifests.near import near_images, near_texts
from heptad.data.progress import Estimate, note_done
from heptad.data.records import Repair
from heptad.data.sources.cache import stamp
from heptad.data.sources.files import cache_of
from heptad.data.sources.settings import SourceSettings
from heptad.data.sources.source import Place, Source, SourceTable, open_source

SCHEMA = pl.Schema(
    {
        "path": pl.String(),
        "label": pl.String(),
        "media": pl.String(),
        "bytes": pl.Int64(),
        "width": pl.Int64(),
        "height": pl.Int64(),
        "seconds": pl.Float64(),
        "characters": pl.Int64(),
        "digest": pl.String(),
        "duplicate_of": pl.String(),
        "near_duplicate_of": pl.String(),
        "problem": pl.String(),
    }
)
_EXAMPLES = 5


class ManifestSource:
    """The files below a folder, read over all cores; one that was not written since is not read again.

    Columns: `SCHEMA`. `duplicate_of` is the first file with the same content, `near_duplicate_of` the first one, of
    other content, that looks, reads or sounds nearly the same. Files that are broken are rows with a `problem`.
    """

    def __init__(self, address: str, settings: SourceSettings, place: Place) -> None:
        self._folder = place.root / address
        self._settings, self._place = settings, place
        self._cache = cache_of(place)
        self._origin = f"manifest 3\n{self._folder.absolute()}\n{settings.manifest.pixels_millions}"
        self._entries: dict[str, Entry] = {}
        self._labels = self._open_labels()

    def digest(self) -> str:
        total = blake3(self._labels.digest().encode() if self._labels else b"")
        for path, entry in self._current().items():
            total.update(f"{path}\0{entry.digest}\n".encode())
        return total.hexdigest()

    def read(self, keep_text: Collection[str] = ()) -> SourceTable:
        del keep_text  # every text is one
        entries = list(self._current().values())
        if not entries:
            raise DataError(f"The folder {self._settings.uri} has no files.", allowed="at least one file")
        labels = self._read_labels()
        same, near = self._alike(entries)
        rows = [
            {
                **msgspec.structs.asdict(entry),
                "bytes": entry.size,
                "label": labels.get(entry.path) if self._labels else self._folder_of(entry.path),
                "duplicate_of": same[place],
                "near_duplicate_of": near[place],
            }
            for place, entry in enumerate(entries)
        ]
        table = pl.DataFrame({name: [row[name] for row in rows] for name in SCHEMA}, schema=SCHEMA)
        broken = [f"{one.path}: {one.problem}" for one in entries if one.problem]
        understood = {"format": "manifest", "files": f"{len(entries):,}"}
        told = {
            "broken": len(broken),
            "duplicates": sum(one is not None for one in same),
            "near duplicates": sum(one is not None for one in near),
            "labels without a file": len(labels.keys() - {one.path for one in entries}),
        }
        understood |= {what: f"{count:,}" for what, count in told.items() if count}
        repairs = [Repair(rule="broken_file", rows=len(broken), examples=broken[:_EXAMPLES])] if broken else []
        return SourceTable(rows=table.lazy(), understood=understood, repairs=repairs)

    def estimate(self) -> Estimate:
        return Estimate(len(self._new(list(find_files(self._folder)), self._entries or self._remembered())), "files")

    def _current(self) -> dict[str, Entry]:
        """What is told of every file now, by path in order."""
        paths = list(find_files(self._folder))
        known = self._entries or self._remembered()
        new, made = self._new(paths, known), dict[str, Entry]()
        most = int(self._settings.manifest.pixels_millions * 1e6)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for entry in pool.map(lambda path: read_entry(self._folder, path, most), new):
                made[entry.path] = entry
                note_done(1, "files")
        current = {path: made.get(path) or known[path] for path in paths}
        if made or len(known) != len(current):
            self._cache.remember(self._origin, msgspec.msgpack.encode(list(current.values())))
        self._entries = current
        return current

    def _new(self, paths: list[str], known: Mapping[str, Entry]) -> list[str]:
        """The files that have to be read: those that were written since, or never read."""
        return [path for path in paths if path not in known or known[path].stamp != stamp(self._folder / path)]

    def _remembered(self) -> dict[str, Entry]:
        note = self._cache.recall(self._origin)
        return {one.path: one for one in msgspec.msgpack.decode(note, type=list[Entry])} if note else {}

    def _alike(self, entries: list[Entry]) -> tuple[list[str | None], list[str | None]]:
        """For each file the first one with the same content, and the first one with nearly the same."""
        first: dict[str, str] = {}
        same = [None if first.setdefault(one.digest, one.path) == one.path else first[one.digest] for one in entries]
        wanted = self._settings.manifest
        alone = [one for one, copied in zip(entries, same, strict=True) if copied is None]
        images = near_images([one.image_hash for one in alone], wanted.bits)
        texts = near_texts([one.text_hash for one in alone], wanted.alike)
        sounds = near_sounds([one.instants for one in alone], wanted.alike)
        near: dict[str, str] = {}
        for one, *places in zip(alone, images, texts, sounds, strict=True):
            place = next((place for place in places if place is not None), None)
            if place is not None:
                near[one.path] = alone[place].path
        return same, [near.get(one.path) for one in entries]

    def _folder_of(self, path: str) -> str | None:
        inside, _, rest = path.partition("/")
        return inside if rest and self._settings.manifest.label == "folder" else None

    def _open_labels(self) -> Source | None:
        labels = self._settings.manifest.labels
        return open_source(SourceSettings(uri=labels), self._place) if labels else None

    def _read_labels(self) -> Mapping[str, str]:
        if self._labels is None:
            return {}
        rows = self._labels.read(keep_text=["path", "label"]).rows
        names = rows.collect_schema().names()
        for name in ("path", "label"):
            if name not in names:
                raise DataError(
                    f"{self._settings.manifest.labels} has no column {name!r}.",
                    allowed=f"the columns path and label; there are: {nearest(name, names)}",
                )
        table = rows.select(pl.col("path", "label").cast(pl.String)).drop_nulls().collect()
        twice = table.group_by("path").agg(pl.col("label").n_unique()).filter(pl.col("label") > 1)["path"].sort()
        if len(twice):
            raise DataError(
                f"{self._settings.manifest.labels} gives {len(twice)} files several labels, such as {twice[0]!r}.",
                allowed="one label a file",
            )
        return dict(table.iter_rows())


if TYPE_CHECKING:
    _: type[Source] = ManifestSource
