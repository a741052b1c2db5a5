"""A table of PostgreSQL brought into the workspace, against a bare read to Parquet through ADBC."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from bench.figures import Figure
from bench.postgresql import schema

ROWS, MORE_ROWS = 1_000_000, 4_000_000
RATIO, MEMORY_RATIO = 1.5, 1.5
REPEATS = 3
MAKE = """CREATE UNLOGGED TABLE {table} AS
    SELECT i::bigint AS id, random() AS a, random() AS b, (random() * 1000)::int AS c,
    (random() * 10)::int AS d, 'word' || (i % 1000) AS e, 'w' || (i % 7) AS f,
    timestamptz '2026-01-01' + i * interval '1 s' AS happened, i % 2 = 0 AS g, random() * 100 AS h
    FROM generate_series(1, {rows}) i"""
READ = """
import importlib.util, json, sys, tempfile, time
from pathlib import Path
kind, url, table = sys.argv[1:]
import adbc_driver_postgresql.dbapi, polars as pl, psycopg, sqlalchemy
from arro3.core import RecordBatchReader
from heptad.adapters.databases.source import DatabaseSource
from heptad.core.memory import peak_rss_mb
from heptad.data import Place, SourceSettings, conform, open_source
if kind == "rows":
    importlib.util.find_spec = lambda name: None
with tempfile.TemporaryDirectory() as folder:
    before, began = peak_rss_mb(), time.perf_counter()
    if kind == "bare":
        with adbc_driver_postgresql.dbapi.connect(url) as connection, connection.cursor() as cursor:
            cursor.execute(f"SELECT * FROM {table} ORDER BY id")
            pl.DataFrame(RecordBatchReader.from_stream(cursor.fetch_arrow())).write_parquet(Path(folder, "t.parquet"))
        rows = pl.scan_parquet(Path(folder, "t.parquet"))
    else:
        source = open_source(SourceSettings(uri=url, table=table), Place(root=Path(folder)))
        source.digest()
        rows = source.read().rows
    seconds = time.perf_counter() - began
    count = rows.select(pl.len()).collect().item()
    print(json.dumps({"seconds": seconds, "mb": peak_rss_mb() - before, "rows": count}))
"""


def measure() -> list[Figure]:
    """Time and memory of reading it all."""
    with schema() as url:
        with _table(url, ROWS) as table:
            taken = [
                {kind: _read(kind, url, table, ROWS) for kind in ("bare", "arrow", "rows")} for _ in range(REPEATS)
            ]
        with _table(url, MORE_ROWS) as table:
            more = _read("arrow", url, table, MORE_ROWS)
    best = {kind: min((one[kind] for one in taken), key=lambda one: one["seconds"]) for kind in taken[0]}
    limit, memory = best["bare"]["seconds"], best["arrow"]["mb"]
    what = f"{ROWS:,} rows x 10 of PostgreSQL"
    return [
        _figure(f"{what}, by ADBC", best["arrow"]["seconds"], "s", limit, RATIO, "a bare read to Parquet"),
        _figure(f"{what}, row by row", best["rows"]["seconds"], "s", limit, 0, ""),
        _figure(
            f"memory of {MORE_ROWS:,} rows, by ADBC, beyond imports",
            more["mb"],
            "MB",
            memory,
            MEMORY_RATIO,
            f"that of {ROWS:,}",
        ),
    ]


@contextmanager
def _table(url: str, rows: int) -> Iterator[str]:
    table = f"heptad_bench_{os.getpid()}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(MAKE.format(table=table, rows=rows))
        try:
            connection.execute(f"ALTER TABLE {table} ADD PRIMARY KEY (id)")
            connection.execute(f"ANALYZE {table}")
            yield table
        finally:
            connection.execute(f"DROP TABLE {table}")


def _figure(name: str, value: float, unit: str, limit: float, most: float, than: str) -> Figure:
    floor = f"within {most}x of {than}" if most else "none; the price of not installing ADBC"
    ratio = value / limit
    return Figure(
        name=name, value=value, unit=unit, limit=limit, ratio=ratio, floor=floor, holds=not most or ratio <= most
    )


def _read(kind: str, url: str, table: str, rows: int) -> dict[str, float]:
    command = [sys.executable, "-c", READ, kind, url, table]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    if found["rows"] != rows:
        raise AssertionError(f"{kind} read {found['rows']} rows")
    return found
