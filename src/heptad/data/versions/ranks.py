"""What stands at a rank of a column that may be larger than memory: counted in bins, then looked at near the rank."""

from collections.abc import Callable, Sequence
from datetime import datetime

import numpy as np
import polars as pl

from heptad.data.columns.dialogues import every_nth

BINS = 4096
"""About as many bins are counted, so that in the second query as small a part of the rows is looked at."""


def runs(rows: pl.LazyFrame, bins: pl.Expr, ranks: Callable[[int], Sequence[float]]) -> list[tuple[str, pl.DataFrame]]:
    """Each `stratum` of the rows with its `value`s, in ascending order: `low`, `high` and count of `rows` of each run.

    Two queries, of which only counts are held. `bins` numbers the values in their order, as evenly as it can. Those in
    which a rank lies, as `ranks` says for the number of rows of a stratum, are told value by value; of the others
    nothing is in between.
    """
    found = (
        rows.group_by("stratum", bins.alias("bin"))
        .agg(low=pl.col("value").min(), high=pl.col("value").max(), rows=pl.len())
        .sort("stratum", "bin")
        .collect(engine="streaming")
    )
    near = pl.concat([found.clear(), *(_near(own, ranks) for own in found.partition_by("stratum"))])
    if len(near):
        chosen = rows.with_columns(bins.alias("bin")).join(near.lazy(), on=["stratum", "bin"], how="semi")
        told = chosen.group_by("stratum", "value").agg(rows=pl.len()).collect(engine="streaming")
        others = found.join(near, on=["stratum", "bin"], how="anti").drop("bin")
        found = pl.concat([others, told.select("stratum", low="value", high="value", rows="rows")])
    parted = found.sort("stratum", "low").partition_by("stratum", as_dict=True, maintain_order=True)
    return [(str(stratum), own) for (stratum,), own in parted.items()]


def _near(own: pl.DataFrame, ranks: Callable[[int], Sequence[float]]) -> pl.DataFrame:
    """The bins that a rank lies in, unless they hold one value."""
    ends = own["rows"].cum_sum().to_numpy()
    places = np.minimum(np.searchsorted(ends, ranks(int(ends[-1])), side="right"), len(own) - 1)
    return own[np.unique(places)].filter(pl.col("low") < pl.col("high"))


def moments(rows: pl.LazyFrame, time: str, ranks: Callable[[int], Sequence[int]]) -> list[datetime]:
    """The times at the ranks, from 0, that `ranks` answers for their number; rows without a time are not counted."""
    values = rows.select(value=pl.col(time).to_physical(), stratum=pl.lit("")).drop_nulls("value")
    count = values.select(pl.len()).collect(engine="streaming").item()
    if not count:
        return []
    sample = every_nth(values.select("value"), count // BINS).unique().sort("value").collect(engine="streaming")
    edges = sample["value"].to_numpy()

    def numbered(batch: pl.Series) -> pl.Series:
        return pl.Series(np.searchsorted(edges, batch.to_numpy(), side="right"), dtype=pl.Int64)

    bins = pl.col("value").map_batches(numbered, return_dtype=pl.Int64, is_elementwise=True)
    ((_, found),) = runs(values, bins, ranks)
    places = np.searchsorted(found["rows"].cum_sum().to_numpy(), ranks(count), side="right")
    return found["low"][places].cast(rows.collect_schema()[time]).to_list()
