"""A profile of many rows beside reading them once with the least, greatest and missing of each column."""

import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl

from bench.figures import Figure
from heptad.data.columns.schema import infer_types
from heptad.data.profiles.profile import profile_frame
from heptad.data.records import Column
from heptad.data.settings import DataSettings

ROWS = (1_000_000, 10_000_000)
PIECE = 1_000_000
TIMES = 5
FLOOR = 2.5


def measure() -> list[Figure]:
    """The best of a few runs of each, in turn."""
    figures = []
    with tempfile.TemporaryDirectory() as folder:
        for rows in ROWS:
            files = _write(Path(folder) / f"{rows}", rows)
            table = pl.scan_parquet(files)
            kinds = infer_types(table, DataSettings(target=""))
            columns = [Column(name=name, type=kind) for name, kind in kinds.items()]
            value, limit = _best(partial(profile_frame, table, columns), partial(_scan, table))
            figures.append(
                Figure(
                    name=f"profile of {rows:,} rows x {len(columns)}",
                    value=value,
                    unit="s",
                    limit=limit,
                    ratio=value / limit,
                    floor=f"{FLOOR:g} x reading it once",
                    holds=value <= FLOOR * limit,
                )
            )
    return figures


def _scan(table: pl.LazyFrame) -> pl.DataFrame:
    wanted = [pl.all().min().name.suffix(" min"), pl.all().max().name.suffix(" max")]
    return table.select(*wanted, pl.all().null_count().name.suffix(" missing")).collect(engine="streaming")


def _best(act: Callable[[], object], limit: Callable[[], object]) -> tuple[float, float]:
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(TIMES):
        for call, found in zip((act, limit), taken, strict=True):
            began = time.perf_counter()
            call()
            found.append(time.perf_counter() - began)
    return min(taken[0]), min(taken[1])


def _write(folder: Path, rows: int) -> list[Path]:
    """14 numbers, 2 whole numbers, 2 categories, a moment and a truth."""
    folder.mkdir()
    files = []
    for place, start in enumerate(range(0, rows, PIECE)):
        rng = np.random.default_rng(place)
        count = min(PIECE, rows - start)
        numbers = {f"n{column}": rng.normal(size=count) for column in range(14)}
        whole = {f"i{column}": rng.integers(0, 1000, count) for column in range(2)}
        kinds = {f"c{column}": pl.Series(rng.integers(0, 30, count)).cast(pl.String) for column in range(2)}
        moments = pl.Series(rng.integers(0, 10**15, count)).cast(pl.Datetime("us", "UTC"))
        files.append(folder / f"{place:04}.parquet")
        pl.DataFrame({**numbers, **whole, **kinds, "t": moments, "b": rng.random(count) < 0.5}).write_parquet(files[-1])
    return files
