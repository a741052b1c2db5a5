"""Keeps rows that were erased from coming back with the next collection, while the sources still hold them.

What is kept is no name: for each key a digest under a secret of the workspace (BLAKE3 in its keyed mode), so that only
whoever has the file can try guesses. It is still about people, so it is private, and no backup takes it along.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import polars as pl
from blake3 import blake3

from heptad.core.files import make_folder, write_atomically
from heptad.data.erasing.subjects import Subjects

_FILE = ("keys", "erased.json")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class _Erased(msgspec.Struct, frozen=True, kw_only=True):
    secret: str
    keys: list[tuple[list[str], list[str]]]
    """Columns, and the digests of what they held together."""
    entities: list[tuple[list[str], list[str]]] = []
    """The same of entities that were theirs alone: only features leave these out, as rows may be somebody else's."""


class Suppression:
    """The list of one workspace, in its folder for keys."""

    def __init__(self, folder: Path) -> None:
        self._path = folder.joinpath(*_FILE)

    def add(self, subjects: Subjects, entities: Sequence[Subjects] = ()) -> None:
        """Keep these people, and features of their entities, out from now on; done again it changes nothing."""
        erased = self._read() or _Erased(secret=os.urandom(32).hex(), keys=[])
        secret = bytes.fromhex(erased.secret)
        keys, of_features = _with(erased.keys, [subjects], secret), _with(erased.entities, entities, secret)
        make_folder(self._path.parent.parent)
        self._path.parent.mkdir(mode=0o700, exist_ok=True)
        kept = _Erased(secret=erased.secret, keys=keys, entities=of_features)
        write_atomically(self._path, msgspec.json.encode(kept), mode=0o600)

    def without(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        """The rows of everybody else, in their order; all of them where nobody was ever erased."""
        erased = self._read()
        return rows if erased is None else _unlisted(rows, erased.secret, erased.keys)

    def for_features(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        """The same, without those of entities that were only theirs as well."""
        erased = self._read()
        return rows if erased is None else _unlisted(rows, erased.secret, [*erased.keys, *erased.entities])

    def _read(self) -> _Erased | None:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=_Erased)
        except FileNotFoundError:
            return None


def _with(
    known: Sequence[tuple[list[str], list[str]]], added: Sequence[Subjects], secret: bytes
) -> list[tuple[list[str], list[str]]]:
    found = {tuple(columns): set(digests) for columns, digests in known}
    for subjects in added:
        digests = found.setdefault(tuple(subjects.columns), set())
        for key in subjects.keys:
            digests |= {_digest(secret, spelled) for spelled in _spellings(key)}
    return [(list(columns), sorted(digests)) for columns, digests in sorted(found.items())]


def _unlisted(rows: pl.LazyFrame, secret: str, listed: Sequence[tuple[list[str], list[str]]]) -> pl.LazyFrame:
    types = rows.collect_schema()
    theirs = [
        _listed(columns, types, bytes.fromhex(secret), frozenset(digests))
        for columns, digests in listed
        if all(column in types for column in columns)
    ]
    if not theirs:
        return rows

    def others(batch: pl.DataFrame) -> pl.DataFrame:
        return batch.filter(~pl.any_horizontal(theirs))

    # As a filter, Polars would ask it of the limits that Parquet tells of a file, which may be cut short.
    return rows.map_batches(others, predicate_pushdown=False, projection_pushdown=False, streamable=True)


def _listed(columns: Sequence[str], types: pl.Schema, secret: bytes, digests: frozenset[str]) -> pl.Expr:
    """Whether a row's values in these columns are on the list; never null."""

    def looked_up(texts: pl.Series) -> pl.Series:
        found = [text is not None and _digest(secret, text) in digests for text in texts.to_list()]
        return pl.Series(texts.name, found, dtype=pl.Boolean)

    together = pl.concat_str([as_text(column, types[column]) for column in columns], separator="\0")
    return together.map_batches(looked_up, return_dtype=pl.Boolean, is_elementwise=True)


def _digest(secret: bytes, text: str) -> str:
    return blake3(text.encode(), key=secret).hexdigest(16)


def as_text(column: str, kind: pl.DataType) -> pl.Expr:
    """The one text of a value, whichever type it came as, whole numbers without a point; null for none."""
    value = pl.col(column)
    if kind.is_float():
        whole = value.cast(pl.Int64, strict=False)
        return pl.when(whole == value).then(whole.cast(pl.String)).otherwise(value.cast(pl.String))
    if isinstance(kind, pl.Datetime):
        return value.dt.epoch("us").cast(pl.String)
    return value.cast(pl.String)


def _spellings(key: Sequence[str]) -> Iterator[str]:
    """How the values may be spelled in one type of column or another; all columns in the same way, or as given."""
    ways: list[list[str]] = []
    for text in key:
        spelled = [text]
        with suppress(ValueError, OverflowError):
            number = float(text)
            spelled.append(str(int(number)) if number.is_integer() else repr(number))
        with suppress(ValueError):
            moment = datetime.fromisoformat(text)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            spelled.append(str((moment - _EPOCH) // (moment.resolution)))
        if text.lower() in {"true", "false"}:
            spelled.append(text.lower())
        ways.append(list(dict.fromkeys(spelled)))
    done = [""]
    for place, spelled in enumerate(ways):
        done = [f"{head}\0{text}" if place else text for head in done for text in spelled]
    yield from done
