"""One row a flight, asked at its scheduled departure, with nothing that was not known then."""

import polars as pl

TAXI_MINUTES = 30
"""From landing gear to gate and the other way round; the file has only the minutes in the air."""


def departures(flights: pl.LazyFrame) -> pl.LazyFrame:
    """The table to learn from: key, time, target, the time the target became known, and the columns known before.

    `dep_time`, `dep_delay`, `air_time` and the arrival are used for the label and for when it was known, never as
    features. Cancelled and diverted flights have no label.
    """
    scheduled = pl.col("time_hour") + pl.duration(minutes=pl.col("minute"))
    landed = scheduled + pl.duration(minutes=pl.col("dep_delay") + pl.col("air_time") + TAXI_MINUTES)
    key = pl.concat_str("year", "month", "day", "carrier", "flight", "origin", separator="-")
    return flights.select(
        flight_id=key,
        departs=scheduled,
        landed=pl.when(pl.col("arr_delay").is_not_null()).then(landed),
        late=pl.col("arr_delay") > 15,
        carrier="carrier",
        origin="origin",
        dest="dest",
        tailnum="tailnum",
        departs_minute=pl.col("hour") * 60 + pl.col("minute"),
        arrives_minute=pl.col("sched_arr_time") // 100 * 60 + pl.col("sched_arr_time") % 100,
        weekday=pl.date("year", "month", "day").dt.weekday(),
        distance="distance",
    )
