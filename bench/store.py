"""The store: writes, reads, searches and lineage, on SQLite and PostgreSQL, each against its floor."""

import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from bench.figures import Figure
from bench.postgresql import schema
from heptad.core.query import All, Compare, Order, Query
from heptad.core.records import Change, Link, RawRecord, Record
from heptad.core.sql_store import SqlStore, open_store

NOW = datetime(2026, 1, 1, tzinfo=UTC)
RUNS, NODES, GROUP = 50_000, 500_000, 1_000
PROCESSES, SECONDS = 8, 10
BODY = {"name": "run", "experiment": "flights", "params": {"depth": 3}, "seed": 7}


def measure() -> list[Figure]:
    """All figures of the store; building what is searched takes most of the time."""
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(f"sqlite:///{folder}/heptad.db")
        figures = [_bulk(store, 50_000, 0, 20_000), _bulk(store, 10_000, 20, 4_000), _get(store)]
        figures += [_durable(store, Path(folder)), _lineage(Path(folder), 1_000), _lineage(Path(folder), NODES)]
        figures += _contention(Path(folder))
        figures += _searches("SQLite", f"sqlite:///{folder}/runs.db")
    with schema() as url:
        figures += _searches("PostgreSQL", url)
    return figures


def _bulk(store: SqlStore, count: int, attributes: int, limit: float) -> Figure:
    """Records a second, a thousand in each change."""
    records = [_record(f"bulk{attributes}-{n}", _attributes(attributes)) for n in range(count)]
    began = time.perf_counter()
    for start in range(0, count, 1000):
        store.write(Change(records=records[start : start + 1000]))
    rate = count / (time.perf_counter() - began)
    name = f"store, embedded: records in bulk, {attributes} attributes each"
    return _figure(name, rate, "1/s", limit, f"at least {limit:,.0f} a second", holds=rate >= limit)


def _get(store: SqlStore) -> Figure:
    value = 1000 * _median(lambda n: store.get([f"bulk0-{n}"]))
    return _figure("store, embedded: read by id", value, "ms", 0.2, "0.2 ms", holds=value <= 0.2)


def _durable(store: SqlStore, folder: Path) -> Figure:
    """Beside a transaction of SQLite itself that inserts one row and is fully synced; both in turns."""
    bare = sqlite3.connect(folder / "bare.db", isolation_level=None)
    bare.execute("PRAGMA journal_mode=WAL")
    bare.execute("PRAGMA synchronous=FULL")
    bare.execute("CREATE TABLE record (id INTEGER PRIMARY KEY, body TEXT)")

    def insert(_: int) -> None:
        bare.execute("BEGIN IMMEDIATE")
        bare.execute("INSERT INTO record (body) VALUES (?)", ("x" * 200,))
        bare.execute("COMMIT")

    pairs = [
        (
            _median(partial(_write_one, store, f"one{part}-"), 40),
            _median(insert, 40),
        )
        for part in range(10)
    ]
    value, limit = (1000 * sorted(part)[5] for part in zip(*pairs, strict=True))
    bare.close()
    floor = "within 2x of a bare fully synced transaction"
    return _figure("store, embedded: one durable write", value, "ms", limit, floor, holds=value <= 2 * limit)


def _lineage(folder: Path, nodes: int) -> Figure:
    """All ancestors of the last record of a group: each record was made from two earlier ones of its group."""
    store, choice = open_store(f"sqlite:///{folder}/graph{nodes}.db"), random.Random(7)
    for start in range(0, nodes, 10 * GROUP):
        places = range(start, min(start + 10 * GROUP, nodes))
        links = [
            Link(f"n{n}", f"role{role}", f"n{choice.randrange(max(n - 8, n - n % GROUP), n)}")
            for n in places
            for role in range(2)
            if n % GROUP
        ]
        store.write(Change(records=[_record(f"n{n}") for n in places], links=links))
    value = 1000 * _median(lambda _: store.trace([f"n{nodes - 1}"], "ancestors"), 50)
    found = len({link.target for link in store.trace([f"n{nodes - 1}"], "ancestors")})
    store.database.close()
    name = f"store, embedded: all {found} ancestors in a store of {2 * nodes:,} links"
    return _figure(name, value, "ms", 5, "5 ms", holds=value <= 5)


def _searches(database: str, url: str) -> list[Figure]:
    """First hundred of 50,000 runs: a parameter of 50 or of 2 values and a metric, ordered by another metric."""
    store = open_store(url)
    for start in range(0, RUNS, 2000):
        store.write(Change(records=[_record(f"run{n}", _attributes(20)) for n in range(start, start + 2000)]))
    figures = []
    for values, parameter in ((50, "params.p10"), (2, "params.p11")):
        where = All((Compare(parameter, "=", "value1"), Compare("metrics.m0", ">", 0.5)))
        query = Query(kind="run", where=where, order=[Order("metrics.m1", descending=True)])
        found = store.find(query)
        assert len(found.items) == 100
        value = 1000 * _median(partial(_find, store, query), 30)
        name = f"store, {database}: search over {RUNS:,} runs, a parameter of {values} values"
        figures.append(_figure(name, value, "ms", 50, "50 ms", holds=value <= 50))
    store.database.close()
    return figures


def _contention(folder: Path) -> list[Figure]:
    """Eight processes that write one record after the other, each durable when it returns."""
    url = f"sqlite:///{folder}/shared.db"
    open_store(url).database.close()
    command = [sys.executable, "-m", "bench.store", url]
    processes = [
        subprocess.Popen([*command, str(number)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for number in range(PROCESSES)
    ]
    for process in processes:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin
        process.stdin.write("\n")
        process.stdin.flush()
    counts, waits = zip(*(process.communicate()[0].split() for process in processes), strict=True)
    rate, longest = sum(map(int, counts)) / SECONDS, max(map(float, waits))
    limit = 10 * 7144 / 30
    return [
        _figure(
            f"store, embedded: durable writes of {PROCESSES} processes at once",
            rate,
            "1/s",
            limit,
            "ten times mlflow's 7,144 in 30 s",
            holds=rate >= limit,
        ),
        _figure("store, embedded: the longest wait among them", longest, "s", 0.5, "0.5 s", holds=longest <= 0.5),
    ]


def write_for_a_while(url: str, name: str) -> None:
    """What each of the processes does; prints how many writes there were and the longest."""
    store, count, longest = open_store(url), 0, 0.0
    print("ready", flush=True)
    sys.stdin.readline()
    end = time.perf_counter() + SECONDS
    while (began := time.perf_counter()) < end:
        store.write(Change(records=[_record(f"p{name}-{count}")]))
        longest = max(longest, time.perf_counter() - began)
        count += 1
    print(count, longest)


def _record(identity: str, attributes: dict[str, float | str] | None = None) -> RawRecord:
    return Record(id=identity, kind="run", scope="bench", at=NOW, actor="bench", body=BODY, attributes=attributes or {})


_choice = random.Random(7)


def _attributes(count: int) -> dict[str, float | str]:
    """Half metrics, half parameters; the second parameter has two values, the others fifty."""
    metrics = {f"metrics.m{n}": _choice.random() for n in range(count // 2)}
    params = {f"params.p{n}": f"value{_choice.randrange(2 if n == 11 else 50)}" for n in range(count // 2, count)}
    return metrics | params


def _write_one(store: SqlStore, start: str, number: int) -> None:
    store.write(Change(records=[_record(f"{start}{number}")]))


def _find(store: SqlStore, query: Query, _: int) -> None:
    store.find(query)


def _median(act: Callable[[int], object], times: int = 400) -> float:
    """Seconds of the median of several runs."""
    taken = []
    for number in range(times):
        began = time.perf_counter()
        act(number)
        taken.append(time.perf_counter() - began)
    return sorted(taken)[times // 2]


def _figure(name: str, value: float, unit: str, limit: float, floor: str, *, holds: bool) -> Figure:
    return Figure(name=name, value=value, unit=unit, limit=limit, ratio=value / limit, floor=floor, holds=holds)


if __name__ == "__main__":
    write_for_a_while(sys.argv[1], sys.argv[2])
