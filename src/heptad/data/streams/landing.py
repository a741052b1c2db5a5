"""Lands batches of messages: rows in one table, poison with its reason in another, each message in one, and once.

The order of the commits is what makes it so. First the columns that a batch adds, then its poison, then its rows. What
is read is decided by the columns alone, so a batch that comes again after an accident, whole or cut otherwise, is
decided as before; and each table holds its own positions, so that it takes what it has not got, and nothing twice.
"""

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TypeAlias

import msgspec
import polars as pl

from heptad.core.errors import DataError, nearest
from heptad.data.streams.decoding import Decoder
from heptad.data.streams.fields import FieldPath, Kind, column_of
from heptad.data.streams.landed import MESSAGE, ORDER, LandedTable, overwrite, releases_of
from heptad.data.streams.records import Landed
from heptad.data.streams.sameness import marks_of
from heptad.data.streams.stream import RECENT_MARKS, Batch
from heptad.data.streams.times import OwnTimes

MakeDecoder: TypeAlias = Callable[[Mapping[FieldPath, Kind]], Decoder]
POISON = pl.Schema({**MESSAGE, "reason": pl.String(), "payload": pl.Binary()})
"""Columns of the quarantine."""


class Judged(msgspec.Struct):
    """What becomes of messages: new rows, and the reason for each place that is none; the rest had landed before."""

    told: pl.DataFrame
    rows: pl.DataFrame
    rejected: dict[int, str]
    repeated: int = 0


class Landing:
    """The two tables of one stream, and the next batch into them. One at a time: the caller holds a lock."""

    def __init__(
        self,
        folder: Path,
        decoder: MakeDecoder,
        id_column: str = "",
        id_window: int = 0,
        times: OwnTimes | None = None,
    ) -> None:
        """`folder` is that of the rows; `decoder` makes one for the columns that are there.

        `times`: those of the source's own column, where it names one. Whoever lands says by `topic_id` which topic.
        """
        self.rows = LandedTable(folder, MESSAGE)
        self.poison = LandedTable(poison_folder(folder), POISON)
        self.rows.open()
        self.poison.open()
        if releases_of(self.poison) < releases_of(self.rows):
            self._end_release()
        self._decoder = decoder(self.rows.fields())
        self._id, self._window = id_column, id_window
        self._times = times
        self.topic_id = ""
        self._ids = self._landed_ids()

    def land(self, batch: Batch) -> Landed:
        """Everything in the batch is settled when this returns, on the disk."""
        fresh = self._fresh(batch)
        repeated = Landed(repeated=len(batch) - len(fresh))
        if not len(fresh):
            return repeated
        ahead = self._half_done(fresh)
        if self._times and not ahead:
            self._times.settle(self.rows)
        if not ahead:
            return repeated + self._land(fresh, fresh)
        # What was decided before an accident is decided again by itself: later messages may add columns. What is in
        # quarantine stays there, also where it could be read by now.
        begun, rest = fresh.at(ahead), fresh.at(sorted(set(range(len(fresh))) - set(ahead)))
        landed = repeated + self._land(begun.at(self._outside_quarantine(begun)), begun)
        return landed + self._land(rest, rest) if len(rest) else landed

    def land_again(self, batch: Batch, release: int) -> tuple[Landed, dict[int, str]]:
        """Messages of the quarantine: those that can be read by now are rows when this returns; why the others cannot.

        The caller then takes them out of the quarantine, with the same number `release`; where it dies before, whoever
        opens the tables next does.
        """
        judged = self._judge(batch)
        if len(judged.rows):
            self._land_rows(judged.rows, {}, release)
        return Landed(rows=len(judged.rows), repeated=judged.repeated), judged.rejected

    def settles_times(self) -> bool:
        """Whether it is settled how the source's own times are written, or nobody asks."""
        return not self._times or self._times.settle(self.rows)

    def _end_release(self) -> None:
        """Takes out of the quarantine what a release has landed that was killed."""
        place = ["stream_partition", "stream_position"]
        left = self.poison.scan().join(self.rows.scan().select(place), on=place, how="anti")
        overwrite(self.poison, left, releases_of(self.rows))

    def _half_done(self, batch: Batch) -> list[int]:
        """The places of messages whose batch is settled in the quarantine, and not among the rows."""
        reached = {} if batch.marks else self.poison.positions()
        placed = enumerate(zip(batch.partitions, batch.positions, strict=True))
        return [place for place, (partition, position) in placed if position <= reached.get(partition, -1)]

    def _outside_quarantine(self, batch: Batch) -> list[int]:
        """The places of messages that the quarantine has not got."""
        since = pl.col("stream_position") >= min(batch.positions)
        held = self.poison.scan().filter(since).select("stream_partition", "stream_position").collect()
        there = set(held.iter_rows())
        at = zip(batch.partitions, batch.positions, strict=True)
        return [place for place, one in enumerate(at) if one not in there]

    def _land(self, fresh: Batch, whole: Batch) -> Landed:
        """Settles messages of which none is; afterwards the whole batch that they are of is."""
        judged, reached = self._judge(fresh), _reached(whole)
        poison = self._land_poison(fresh, judged, reached)
        self._land_rows(judged.rows, reached, marks=marks_of(whole, self.topic_id))
        return Landed(rows=len(judged.rows), poison=poison, repeated=judged.repeated)

    def _land_rows(
        self, rows: pl.DataFrame, reached: Mapping[int, int], release: int = 0, marks: Mapping[str, int] | None = None
    ) -> None:
        self.rows.commit(rows, reached, release, marks)
        if self._id and len(rows):
            self._ids = pl.concat([self._ids, self._column_of_ids(rows)]).tail(self._window)

    def _judge(self, fresh: Batch) -> Judged:
        decoded = self._decoder.decode(fresh.payloads)
        if self._decoder.fields != self.rows.fields():
            self.rows.alter(self._decoder.fields)
            self._ids = self._landed_ids()  # an id that became a number is spelt otherwise
        told = _told_of(fresh, self.rows.version + 1)
        rows = pl.DataFrame([*told[decoded.places], *decoded.rows])
        rejected, places = dict(decoded.rejected), decoded.places
        repeated = 0
        if self._times and len(rows):
            unread = self._times.unread(rows)
            rejected |= {places[row]: self._times.reason for row in unread.arg_true().to_list()}
            rows, places = rows.filter(~unread), [places[row] for row in (~unread).arg_true().to_list()]
        if self._id and len(rows):
            nameless = self._column_of_ids(rows).is_null()
            missing = [places[row] for row in nameless.arg_true().to_list()]
            rejected |= dict.fromkeys(missing, f"field {self._id}, which names a message, is missing")
            named = rows.filter(~nameless)
            rows = named.filter(self._are_new(named))
            repeated += len(named) - len(rows)
        return Judged(told, rows, rejected, repeated)

    def _fresh(self, batch: Batch) -> Batch:
        """The messages whose rows are not settled yet, all with positions: where they have none, the next ones."""
        reached = self.rows.positions()
        if batch.positions or not len(batch):
            places: list[int] = []
            for place, (partition, position) in enumerate(zip(batch.partitions, batch.positions, strict=True)):
                if position > reached.get(partition, -1):
                    places.append(place)
                    reached[partition] = position
            return batch if len(places) == len(batch) else batch.at(places)
        if any(batch.again):
            settled = self._settled_marks()
            come_again = zip(batch.again, batch.marks, strict=True)
            batch = batch.at(
                [place for place, (again, mark) in enumerate(come_again) if not (again and mark in settled)]
            )
        if any(batch.retained):
            last = self._last_contents({key for key, kept in zip(batch.keys, batch.retained, strict=True) if kept})
            told = enumerate(zip(batch.retained, batch.keys, batch.marks, strict=True))
            batch = batch.at(
                [place for place, (kept, key, mark) in told if not (kept and last.get(key) == _content(mark))]
            )
        # The quarantine may be ahead of the rows by a batch.
        start = max(reached.get(0, -1), self.poison.positions().get(0, -1)) + 1
        return msgspec.structs.replace(batch, positions=list(range(start, start + len(batch))))

    def _land_poison(self, batch: Batch, judged: Judged, reached: Mapping[int, int]) -> int:
        places = sorted(judged.rejected)
        if places:
            before = self.poison.positions()  # it may have come further, before an accident
            reasons = pl.Series("reason", [judged.rejected[place] for place in places])
            payloads = pl.Series("payload", [batch.payloads[place] for place in places], dtype=pl.Binary)
            furthest = {one: max(position, before.get(one, -1)) for one, position in reached.items()}
            self.poison.commit(judged.told[places].with_columns(reasons, payloads), furthest)
        return len(places)

    def _settled_marks(self) -> set[str]:
        """Of messages that may come again although they are settled: their acknowledgement was lost.

        An id tells that better, where a row has one.
        """
        tables = [self.poison] if self._id else [self.poison, self.rows]
        last = [
            one.scan().select("stream_mark", "stream_position").top_k(RECENT_MARKS, by="stream_position")
            for one in tables
        ]
        return set(pl.concat(last).collect(engine="streaming")["stream_mark"])

    def _last_contents(self, keys: Collection[str | None]) -> dict[str | None, str]:
        """Key to a digest of what landed last of it: the broker still retains it, and sends it to a new session."""
        found = [
            one.scan().filter(pl.col("stream_key").is_in(keys)).select("stream_key", "stream_mark", "stream_position")
            for one in (self.poison, self.rows)
        ]
        newest = pl.col("stream_mark").sort_by("stream_position").last()
        last = pl.concat(found).drop_nulls().group_by("stream_key").agg(newest).collect(engine="streaming")
        return {key: _content(mark) for key, mark in last.iter_rows()}

    def _are_new(self, rows: pl.DataFrame) -> pl.Series:
        ids = self._column_of_ids(rows)
        return ids.is_first_distinct() & ~ids.is_in(self._ids.implode())

    def _column_of_ids(self, rows: pl.DataFrame) -> pl.Series:
        if self._id not in rows.columns:
            names = [column_of(path) for path in self._decoder.fields]
            raise DataError(
                f"The messages have no field {self._id!r}, which [sources.NAME] id names.",
                allowed=nearest(self._id, names),
            )
        return rows[self._id].cast(pl.String).rename("id")

    def _landed_ids(self) -> pl.Series:
        """Those of the newest rows, as many as the window holds."""
        names = [column_of(path) for path in self.rows.fields()]
        if not self._id or self._id not in names:
            return pl.Series("id", [], dtype=pl.String)
        rows = self.rows.scan().select(*ORDER, pl.col(self._id).cast(pl.String).alias("id"))
        return rows.top_k(self._window, by=ORDER).sort(ORDER).collect(engine="streaming")["id"]


def poison_folder(folder: Path) -> Path:
    """Where the quarantine of a landed table is."""
    return folder.with_name(f"{folder.name}-quarantine")


def _content(mark: str) -> str:
    return mark.rpartition("-")[2]


def _told_of(batch: Batch, commit: int) -> pl.DataFrame:
    """What the broker says of each message."""
    return pl.DataFrame(
        {
            "stream_commit": pl.repeat(commit, len(batch), dtype=pl.Int64, eager=True),
            "stream_partition": batch.partitions,
            "stream_position": batch.positions,
            "stream_time": pl.Series(batch.times, dtype=pl.Datetime("ms", "UTC")).dt.cast_time_unit("us"),
            "stream_key": batch.keys,
            "stream_mark": batch.marks or [None] * len(batch),
        },
        schema=MESSAGE,
    )


def _reached(batch: Batch) -> dict[int, int]:
    """The last position of each partition in the batch."""
    return dict(zip(batch.partitions, batch.positions, strict=True))
