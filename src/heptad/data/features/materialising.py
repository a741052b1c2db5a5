"""Brings the newest features of each entity into the online store: only what became known since the last time."""

from collections.abc import Iterator
from datetime import datetime

import msgspec
import polars as pl

from heptad.core.memory import budget
from heptad.data.features.encodings import Encodings
from heptad.data.features.functions import EVENT, KNOWN
from heptad.data.features.online import OnlineStore, Pair
from heptad.data.features.packing import NEVER, entity_key, micros, moment_of, namespace, pack, tail_space, times_of
from heptad.data.features.records import FeatureView
from heptad.data.features.tails import packed_tails, tail_rows
from heptad.data.features.views import View
from heptad.data.parts import BATCH, PARTS, Parts, Scratch, gather

ROWS_A_COMMIT = 5_000
_WHOLE = -1
"""The part of rows that are not parted."""


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a view is materialised; kept in the store, and moved in one act with the rows that it speaks of."""

    until: int | None = None
    """All that was known by then is in the store; microseconds since 1970."""
    target: int | None = None
    """Rows known by then are being brought in now, part by part in order of keys; `None` when that is finished."""
    part: int = _WHOLE
    after: bytes = b""
    """The last part, and the last key of it, that is in."""
    digest: str = ""
    """Of the source of a lookup, which has no times."""


class Materialised(msgspec.Struct, frozen=True, kw_only=True):
    """What one materialisation did."""

    view: str
    entities: int = 0
    """Entities whose row was written."""
    removed: int = 0
    """Entities that a lookup's source no longer has, or whose row was online before it was known."""
    since: datetime | None = None
    until: datetime


def progress_of(store: OnlineStore, body: FeatureView) -> Progress:
    """How far a view is materialised; nothing at all where it never was."""
    kept = store.mark(_mark(body))
    return msgspec.msgpack.decode(kept, type=Progress) if kept else Progress()


def progress_mark(body: FeatureView, progress: Progress) -> dict[bytes, bytes]:
    """The mark that says how far a view is, to be set with the rows that it speaks of."""
    return {_mark(body): msgspec.msgpack.encode(progress)}


def materialise(
    store: OnlineStore,
    view: View,
    body: FeatureView,
    source: pl.LazyFrame,
    until: datetime,
    *,
    digest: str = "",
    afresh: bool = False,
) -> Materialised:
    """Write the newest features known by `until` of every entity of which something became known since the last time.

    Killed at any point and done again, it goes on behind the last commit and ends with the same rows. What is in the
    store and newer stays. A row that is added to the source with a known time before the last `until` is missed,
    unless everything is done `afresh`. `digest` is that of the source: a lookup of the same one is left alone.
    One writer a view at a time.
    """
    begun = Progress() if afresh else progress_of(store, body)
    if not view.time and digest and begun.digest == digest and begun.target is None:
        return Materialised(view=body.name, until=moment_of(begun.until or 0))
    # A lookup's rows are as new as their storing, so each time has to be later than the one before.
    least = (begun.until or 0) + 1 if not view.time else 0
    target = max(least, micros(until)) if begun.target is None else begun.target
    done = Materialised(
        view=body.name,
        since=None if begun.until is None else moment_of(begun.until),
        until=moment_of(max(target, begun.until or target)),
    )
    if begun.until is not None and target <= begun.until:
        return done
    writing = _Writing(store, view, body, msgspec.structs.replace(begun, target=target))
    with Scratch() as scratch:
        portions = _newest(view, source, done, scratch) if view.time else _looked_up(view, source, target, scratch)
        entities = sum(writing.write(part, rows, tails) for part, rows, tails in portions)
    removed = 0 if view.time else store.delete(_vanished(store, body, target))
    store.put([], progress_mark(body, Progress(until=target, digest=digest)))
    return msgspec.structs.replace(done, entities=entities, removed=removed)


def withdraw_early(store: OnlineStore, body: FeatureView, now: datetime) -> int:
    """Remove the rows, and those kept for windows, that are not known by now, nor materialised; answers how many.

    They were pushed before they were known, and hide what is. The next materialisation then makes the view afresh.
    """
    kept = progress_of(store, body)
    known_by = max(micros(now), kept.until or 0, kept.target or 0)
    early = [
        [key for key, row in store.scan(space(body.name, body.behaviour)) if times_of(row)[1] > known_by]
        for space in (namespace, tail_space)
    ]
    if any(early):
        # First, so that whoever dies half-way leaves a view that is made afresh, not one with entities missing.
        store.put([], progress_mark(body, Progress()))
        for keys in early:
            store.delete(keys)
    return len(early[0])


Portion = tuple[int, pl.DataFrame, pl.DataFrame | None]
"""A part's number, the newest row of each of its entities, and the rows that later ones look back to."""


class _Writing:
    """Writes rows in order of part and key, each commit with how far it is."""

    def __init__(self, store: OnlineStore, view: View, body: FeatureView, progress: Progress) -> None:
        self._store, self._view, self._body, self._progress = store, view, body, progress

    def write(self, part: int, rows: pl.DataFrame, tails: pl.DataFrame | None) -> int:
        """How many entities were written; those that are in already are passed over."""
        # Parts of one process mean nothing to another that could hold all rows at once.
        resumed = self._progress.after if (self._progress.part == _WHOLE) == (part == _WHOLE) else b""
        if resumed and part < self._progress.part:
            return 0
        after = resumed if part == self._progress.part else b""
        keys = entity_keys(self._view, self._body, rows)
        order = sorted((key, place) for place, key in enumerate(keys) if key > after)
        for start in range(0, len(order), ROWS_A_COMMIT):
            page = order[start : start + ROWS_A_COMMIT]
            taken = rows[[place for _, place in page]]
            pairs = list(packed_rows(self._view, [key for key, _ in page], taken))
            if tails is not None:
                own = (
                    tails.join(taken.select(self._view.keys), on=self._view.keys, how="semi")
                    if self._view.keys
                    else tails
                )
                pairs += packed_tails(self._view, self._body, own)
            progress = msgspec.structs.replace(self._progress, part=part, after=page[-1][0])
            self._store.put(pairs, progress_mark(self._body, progress))
        return len(order)


def entity_keys(view: View, body: FeatureView, rows: pl.DataFrame) -> list[bytes]:
    """The key in the store of each row's entity."""
    space = namespace(body.name, body.behaviour)
    if not view.keys:
        return [entity_key(space, ())] * len(rows)
    return [entity_key(space, key) for key in rows.select(view.keys).iter_rows()]


def packed_rows(view: View, keys: list[bytes], rows: pl.DataFrame) -> Iterator[Pair]:
    """Keys with rows packed for the store; rows have times and features."""
    times = rows.select(pl.col(EVENT, KNOWN).to_physical()).iter_rows()
    values = rows.select(view.outputs).iter_rows()
    for key, (event, known), features in zip(keys, times, values, strict=True):
        yield key, pack(event, known, features)


def _newest(view: View, source: pl.LazyFrame, span: Materialised, scratch: Scratch) -> Iterator[Portion]:
    """The newest row, known by then, of each entity of which something became known in the span."""
    prepared = view.prepared(source).filter(pl.col(KNOWN) <= span.until)
    changed = prepared if span.since is None else prepared.filter(pl.col(KNOWN) > span.since)
    encodings = Encodings(view, prepared) if view.scope == "all" else None
    if not view.looks_back:
        rows = newest_prepared(view, changed)
        yield _WHOLE, view.computed(encodings.applied(rows) if encodings else rows), None
        return
    if span.since is not None and view.keys:
        prepared = prepared.join(changed.select(view.keys).unique(), on=view.keys, how="semi", maintain_order="left")
    held = gather(prepared, view.keys, budget() // 2, scratch)
    parts = ((part, held.part(part)) for part in range(PARTS)) if isinstance(held, Parts) else [(_WHOLE, held)]
    for part, history in parts:
        if history is not None and len(history):
            rows = encodings.applied(history) if encodings else history
            yield part, newest_computed(view, rows), tail_rows(view, rows) if view.settings.stream else None


def newest_prepared(view: View, rows: pl.LazyFrame) -> pl.DataFrame:
    """The newest prepared row of each entity, however many rows there are."""
    newest = pl.DataFrame(schema=rows.collect_schema())
    for batch in rows.collect_batches(chunk_size=BATCH, maintain_order=True, engine="streaming"):
        newest = last_of_each(view, pl.concat([newest, batch]).sort(view.times, maintain_order=True))
    return newest


def newest_computed(view: View, rows: pl.DataFrame) -> pl.DataFrame:
    """The newest row of each entity with its features, known since the last of its rows became known."""
    latest = pl.col(KNOWN).max()
    computed = view.computed(rows).with_columns(latest.over(view.keys) if view.keys else latest)
    return last_of_each(view, computed)


def last_of_each(view: View, rows: pl.DataFrame) -> pl.DataFrame:
    return rows.unique(view.keys, keep="last", maintain_order=True) if view.keys else rows.tail(1)


def _looked_up(view: View, source: pl.LazyFrame, at: int, scratch: Scratch) -> Iterator[Portion]:
    """All rows of a lookup, as new as this moment."""
    held = gather(view.prepared(source), view.keys, budget() // 2, scratch)
    parts = ((part, held.part(part)) for part in range(PARTS)) if isinstance(held, Parts) else [(_WHOLE, held)]
    for part, rows in parts:
        if rows is not None:
            view.check_unique(rows)
            yield part, view.computed(rows).with_columns(pl.lit(NEVER).alias(EVENT), pl.lit(at).alias(KNOWN)), None


def _vanished(store: OnlineStore, body: FeatureView, at: int) -> Iterator[bytes]:
    """Keys of a lookup that were not written at this moment or later."""
    return (key for key, row in store.scan(namespace(body.name, body.behaviour)) if times_of(row)[1] < at)


def _mark(body: FeatureView) -> bytes:
    return namespace(body.name, body.behaviour) + b"progress"
