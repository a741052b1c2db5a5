"""Replays entities offline and online and compares: what a model is trained on is what it is served."""

import math
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, TypeAlias

import msgspec
import polars as pl

from heptad.core import catalogue
from heptad.core.clock import ManualClock
from heptad.core.memory import budget
from heptad.core.records import Record
from heptad.data.columns.dialogues import held
from heptad.data.features.functions import KNOWN, hashed
from heptad.data.features.joins import Values, join_features
from heptad.data.features.materialising import materialise, progress_of
from heptad.data.features.online import OnlineStore
from heptad.data.features.packing import NEVER, entity_key, micros, moment_of, namespace, tail_space, times_of
from heptad.data.features.pushing import FeatureWriter
from heptad.data.features.reading import FeatureReader, OnlineRow
from heptad.data.features.records import FeatureView
from heptad.data.features.tails import unpacked_tails
from heptad.data.features.views import View

Where: TypeAlias = Literal["replayed", "pushed", "stored"]
"""Materialised step by step into an empty store; pushed into one; what is in the online store now."""

TOLERANCE = 1e-9
"""Floats are equal that differ by less than this share: sums over a window that began elsewhere round otherwise."""
FIRST = 20
"""The most differences that are listed."""
_AT = "\0at"
_ALL = "\0all"
"""The one entity of a view without keys."""
_LARGE = 2**62
_EARLIEST = datetime(1, 1, 1, tzinfo=UTC)


class ParityDifference(msgspec.Struct, frozen=True, kw_only=True):
    """One value that is not the same on both sides."""

    where: Where
    entity: dict[str, Any]
    at: datetime
    feature: str
    offline: Any
    online: Any


class Parity(msgspec.Struct, frozen=True, kw_only=True):
    """What a comparison of one view came to."""

    view: str
    entities: int
    moments: list[datetime]
    compared: int
    """Values that were held against each other."""
    different: int
    first: list[ParityDifference]
    stored_until: datetime | None = None
    """How far the online store is; `None`: nothing of this definition was materialised, so of what it holds only rows
    are compared that are not known yet."""


class Comparison:
    """Compares one view on a sample of its entities, the same sample however often it is asked."""

    def __init__(
        self, view: View, record: Record[FeatureView], source: pl.LazyFrame, root: Path | None, now: datetime
    ) -> None:
        self._view, self._record, self._root, self._now = view, record, root, now
        self._source = source

    def run(self, store: OnlineStore, entities: int, moments: int) -> Parity:
        """Replay up to so many entities at so many moments, then look into the store."""
        view = self._view
        sample = self._sample(entities)
        own = self._source if view.scope == "all" else held(self._of(sample), budget()).lazy()
        at = self._moments(sample, moments)
        found: list[tuple[Where, datetime, Sequence[OnlineRow | None]]] = []
        with tempfile.TemporaryDirectory(prefix="heptad-parity-") as folder:
            open_scratch = catalogue.find("online", "lmdb")
            found += self._replayed(open_scratch(f"lmdb://{folder}", "replayed"), own, sample, at)
            if view.settings.stream:
                found += self._pushed(open_scratch(f"lmdb://{folder}", "pushed"), sample, at)
        until = progress_of(store, self._record.body).until
        found += self._stored(store, until, sample)
        differences: list[ParityDifference] = []
        compared = 0
        for where, moment, rows in found:
            offline = self._offline(own, sample, moment)
            for entity, expected, row in zip(sample.iter_rows(named=True), offline, rows, strict=True):
                if row is None:
                    continue
                compared += len(expected)
                for name, value, online in zip(row.names, expected, row.values, strict=True):
                    if not _alike(value, online):
                        differences.append(
                            ParityDifference(
                                where=where, entity=entity, at=moment, feature=name, offline=value, online=online
                            )
                        )
        return Parity(
            view=view.name,
            entities=len(sample),
            moments=at,
            compared=compared,
            different=len(differences),
            first=differences[:FIRST],
            stored_until=None if until is None else moment_of(until),
        )

    def _sample(self, entities: int) -> pl.DataFrame:
        """Some entities, by the hash of their keys."""
        on = self._view.settings.on
        if not on:
            return pl.DataFrame({_ALL: [True]})
        distinct = self._source.select(on).drop_nulls().unique().collect(engine="streaming")
        text = distinct.select(pl.concat_str([pl.col(name).cast(pl.String) for name in on], separator="|")).to_series()
        return distinct.with_columns(hashed(text, _LARGE).alias(_AT)).sort(_AT, *on).drop(_AT).head(entities)

    def _of(self, sample: pl.DataFrame) -> pl.LazyFrame:
        on = self._view.settings.on
        return self._source.join(sample.lazy(), on=on, how="semi", maintain_order="left") if on else self._source

    def _moments(self, sample: pl.DataFrame, count: int) -> list[datetime]:
        """Moments at which something became known, spread over the sample's history; one after all of it is stale."""
        view = self._view
        if not view.time:
            return [self._now]
        told = view.prepared(self._of(sample)).select(pl.col(KNOWN).unique().sort())
        known = told.collect(engine="streaming").to_series()
        if known.is_empty():
            return [self._now]
        places = sorted({round(step * (len(known) - 1) / max(1, count - 1)) for step in range(count)})
        moments: list[datetime] = [known[place] for place in places]
        return [*moments, moments[-1] + view.ttl + timedelta(microseconds=1)] if view.ttl else moments

    def _offline(self, source: pl.LazyFrame, sample: pl.DataFrame, moment: datetime) -> list[tuple[Any, ...]]:
        view = self._view
        asked = sample.with_columns(pl.lit(moment, pl.Datetime("us", "UTC")).alias(_AT))
        values = Values(name=view.name, settings=view.settings, rows=source, time=view.time)
        joined = join_features(asked.lazy(), [values], time=_AT, root=self._root).collect()
        return joined.select(joined.columns[-len(view.outputs) :]).rows()

    def _replayed(
        self, scratch: OnlineStore, source: pl.LazyFrame, sample: pl.DataFrame, moments: Sequence[datetime]
    ) -> Iterator[tuple[Where, datetime, list[OnlineRow]]]:
        for moment in moments:
            materialise(scratch, self._view, self._record.body, source, moment)
            yield "replayed", moment, self._read(scratch, sample, moment)

    def _pushed(
        self, scratch: OnlineStore, sample: pl.DataFrame, moments: Sequence[datetime]
    ) -> Iterator[tuple[Where, datetime, list[OnlineRow]]]:
        """The same rows, pushed in the order in which they became known."""
        writer = FeatureWriter(scratch, self._view, self._record.body)
        known = self._view.known_time()
        rows = self._of(sample).drop_nulls(self._view.settings.on).filter(known.is_not_null()).collect()
        for before, moment in pairwise([_EARLIEST, *moments]):
            writer.push(rows.filter(known.is_between(before, moment, closed="right")))
            yield "pushed", moment, self._read(scratch, sample, moment)

    def _stored(
        self, store: OnlineStore, until: int | None, sample: pl.DataFrame
    ) -> Iterator[tuple[Where, datetime, list[OnlineRow | None]]]:
        """What is in the store, as far as it was materialised; and what it serves that is not known by now."""
        if not self._view.time:
            if until is not None:
                yield "stored", self._now, [*self._read(store, sample, self._now)]
            return
        if until is not None:
            at = moment_of(until)
            pushed = self._pushed_ahead(store, sample)
            read = zip(self._keys(sample), self._read(store, sample, at), strict=True)
            yield "stored", at, [None if _known(row) > until or key in pushed else row for key, row in read]
        now = max(micros(self._now), until or 0)
        early = [row if _known(row) > now else None for row in self._read(store, sample, self._now)]
        if any(row is not None for row in early):
            yield "stored", self._now, early

    def _pushed_ahead(self, store: OnlineStore, sample: pl.DataFrame) -> set[tuple[Any, ...]]:
        """Keys of entities with a row online that is not in the source, or not yet: it was pushed.

        When it was known does not tell: a row may be pushed long after.
        """
        view, body, keys = self._view, self._record.body, self._keys(sample)
        if not view.settings.stream:
            return set()
        rows = view.prepared(self._of(sample)).collect(engine="streaming")
        space = (tail_space if view.looks_back else namespace)(body.name, body.behaviour)
        found = store.get([entity_key(space, key) for key in keys])
        if view.looks_back:
            online = unpacked_tails(view, rows.schema, keys, found)
        else:
            rows = rows.select(*view.keys, *view.times)
            stored = [(*key, *times_of(row)) for key, row in zip(keys, found, strict=True) if row is not None]
            physical = {name: pl.Int64() if name in view.times else kind for name, kind in rows.schema.items()}
            online = pl.DataFrame(stored, physical, orient="row").cast(rows.schema)
        ahead = online.join(rows, on=rows.columns, how="anti", nulls_equal=True)
        return set(ahead.select(view.keys).rows() if view.keys else [()] * len(ahead))

    def _keys(self, sample: pl.DataFrame) -> list[tuple[Any, ...]]:
        return sample.rows() if self._view.keys else [()] * len(sample)

    def _read(self, store: OnlineStore, sample: pl.DataFrame, moment: datetime) -> list[OnlineRow]:
        reader = FeatureReader(store, ManualClock(moment), [(self._record, [])])
        return reader.read_many(list(sample.iter_rows(named=True)))


def _known(row: OnlineRow) -> int:
    """When what is online was known; where there is nothing, it always was."""
    known = row.freshness[0].known
    return NEVER if known is None else known


def _alike(offline: Any, online: Any) -> bool:
    if isinstance(offline, float) and isinstance(online, float):
        return (math.isnan(offline) and math.isnan(online)) or math.isclose(
            offline, online, rel_tol=TOLERANCE, abs_tol=TOLERANCE
        )
    return type(offline) is type(online) and offline == online
