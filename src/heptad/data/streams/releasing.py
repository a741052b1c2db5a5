"""Messages in quarantine that can be read by now become rows; the others stay, with the reason of now."""

import re
from collections.abc import Collection
from typing import TypeAlias

import polars as pl

from heptad.core.errors import InputError, NotFoundError
from heptad.data.streams.landed import ORDER, overwrite, releases_of
from heptad.data.streams.landing import Landing
from heptad.data.streams.records import Landed
from heptad.data.streams.stream import Batch
from heptad.data.streams.times import UNREADABLE
from heptad.data.versions.tables import in_files

Place: TypeAlias = tuple[int, int]
"""The partition and the position of a message."""
_PLACE = ["stream_partition", "stream_position"]
_VERDICTS = pl.Schema({"stream_partition": pl.Int64(), "stream_position": pl.Int64(), "why": pl.String()})


def places_of(positions: Collection[str]) -> list[Place]:
    """Those that are written `PARTITION:POSITION`; raises `InputError` for others."""
    found = [re.fullmatch(r"([0-9]{1,18}):([0-9]{1,18})", one, re.ASCII) for one in positions]
    for one, match in zip(positions, found, strict=True):
        if match is None:
            raise InputError(
                f"{one!r} is no position of a message.", allowed="PARTITION:POSITION, as in 0:17, one for each message"
            )
    return [(int(match[1]), int(match[2])) for match in found if match]


def release(landing: Landing, wanted: Collection[Place] = ()) -> Landed:
    """Land what can be read by now of the quarantine, or of the messages `wanted`; `poison` are those that stay.

    Each is in one table when this returns. Killed in between, what has landed is taken out of the quarantine by whoever
    opens the tables next. Raises `NotFoundError` for a message that is not there; then nothing is changed.
    """
    chosen = pl.DataFrame(list(wanted), schema={name: pl.Int64() for name in _PLACE}, orient="row")
    _find(landing, chosen)
    number, landed = releases_of(landing.poison) + 1, Landed()
    times_settled = landing.settles_times()
    verdicts = [pl.DataFrame(schema=_VERDICTS)]
    for held in in_files(landing.poison.scan()):
        asked = held.join(chosen, on=_PLACE, how="semi") if wanted else held
        asked = asked.filter(_settled(landing))
        if not times_settled:
            # Nothing is poison for its time before that is settled: it would land, and nobody could read it.
            asked = asked.filter(~pl.col("reason").str.contains(UNREADABLE, literal=True))
        asked = asked.sort(ORDER)
        if asked.is_empty():
            continue
        some, rejected = landing.land_again(_batch(asked), number)
        landed += some
        why = pl.Series("why", [rejected.get(place) for place in range(len(asked))], pl.String)
        verdicts.append(
            asked.select(_PLACE, old="reason").with_columns(why).filter(pl.col("old").ne_missing("why")).drop("old")
        )
    changed = pl.concat(verdicts)
    if len(changed):
        overwrite(landing.poison, _judged(landing.poison.scan(), changed), number)
    return landed + Landed(poison=landing.poison.height())


def _find(landing: Landing, chosen: pl.DataFrame) -> None:
    missing = chosen.lazy().join(landing.poison.scan().select(_PLACE), on=_PLACE, how="anti").head(1)
    for partition, position in missing.collect(engine="streaming").iter_rows():
        raise NotFoundError(
            "message in quarantine", f"{partition}:{position}", remedy="list them: heptad data stream poison"
        )


def _settled(landing: Landing) -> pl.Expr:
    """Not those of a batch whose rows have not landed yet, since somebody was killed: it comes again."""
    reached = landing.rows.positions()
    partitions = (
        (pl.col("stream_partition") == one) & (pl.col("stream_position") <= last) for one, last in reached.items()
    )
    return pl.any_horizontal(pl.lit(value=False), *partitions)


def _judged(poison: pl.LazyFrame, verdicts: pl.DataFrame) -> pl.LazyFrame:
    """Without those that are rows now or have landed before, and with the reasons of the others."""
    told = poison.join(verdicts.lazy().with_columns(judged=True), on=_PLACE, how="left")
    left = told.filter(pl.col("judged").is_null() | pl.col("why").is_not_null())
    return left.with_columns(pl.coalesce("why", "reason").alias("reason")).drop("why", "judged")


def _batch(held: pl.DataFrame) -> Batch:
    marks = held["stream_mark"]
    return Batch(
        payloads=held["payload"].to_list(),
        keys=held["stream_key"].to_list(),
        times=held["stream_time"].dt.epoch("ms").to_list(),
        partitions=held["stream_partition"].to_list(),
        positions=held["stream_position"].to_list(),
        marks=[] if marks.null_count() else marks.to_list(),
    )
