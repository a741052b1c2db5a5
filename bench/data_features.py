"""Features against their limits: point-in-time joins, and reading an entity's newest features."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import lmdb
import msgspec
import numpy as np
import polars as pl

from bench.figures import Figure
from heptad.adapters.lmdb import LmdbStore
from heptad.core.clock import SystemClock
from heptad.core.memory import peak_rss_mb
from heptad.core.records import Record
from heptad.data import FeatureReader, FeatureSettings, FeatureView, Values, join_features
from heptad.data.features.packing import entity_key, micros, namespace, pack
from heptad.data.features.records import TypedName

ROWS, ENTITIES, VIEWS, FEATURES = 1_000_000, 100_000, 3, 10
JOIN_RATIO = 1.5
MEMORY_MB, OVERHEAD_MB = 1_000, 400
ONE_P50_US, ONE_P99_US, HUNDRED_MS = 6.0, 20.0, 0.4
ONLINE_FEATURES = 30
START = datetime(2020, 1, 1, tzinfo=UTC)


def measure() -> list[Figure]:
    """Every figure of features."""
    return [*joins(), joined_in_little_memory(), *online_reads()]


def joins() -> list[Figure]:
    """Three views of as many rows, by event and by known time, against bare as-of joins of polars."""
    rows = _frame(1, features=0)
    views = [_frame(seed, FEATURES) for seed in range(2, 2 + VIEWS)]
    known = [view.with_columns(known=pl.col("t") + pl.duration(minutes=5)) for view in views]

    def bare() -> pl.DataFrame:
        joined = rows.sort("t")
        for view in views:
            joined = joined.join_asof(view.sort("t"), on="t", by="k", check_sortedness=False)
        return joined

    plain, by_known = partial(_joined, rows, views, ""), partial(_joined, rows, known, "known")
    if not plain().sort("t", "k").equals(bare().sort("t", "k")):
        raise AssertionError("both joins give the same rows")
    # In turn, so that what else the machine does falls on all alike.
    taken = [[_seconds(act) for act in (bare, plain, by_known)] for _ in range(5)]
    limit, value, with_known = (float(np.median(one)) for one in zip(*taken, strict=True))
    return [
        _figure(
            f"point-in-time join, {ROWS:,} rows, {VIEWS} views of {ROWS:,} x {FEATURES}", "s", value, limit, JOIN_RATIO
        ),
        _figure("the same, by a column of known times", "s", with_known, limit, JOIN_RATIO),
    ]


def joined_in_little_memory() -> Figure:
    """Four times the rows in 1 GB, in a process of its own; the limit is what its inputs and result take as Parquet."""
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(VIEWS):
            _frame(seed, FEATURES, 4 * ROWS, 4 * ENTITIES).write_parquet(f"{folder}/view-{seed}.parquet")
        _frame(9, 0, 4 * ROWS, 4 * ENTITIES).write_parquet(f"{folder}/rows.parquet")
        script = f"import bench.data_features as b; print(b.little_memory({folder!r}))"
        done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
        value = float(done.stdout.splitlines()[-1])
        limit = sum(file.stat().st_size for file in Path(folder).iterdir()) / 2**20
    return Figure(
        name=f"peak memory of a join of {4 * ROWS:,} rows, told to hold {MEMORY_MB - OVERHEAD_MB} MB",
        value=value, unit="MB", limit=limit, ratio=value / limit,
        floor=f"{MEMORY_MB:,} MB", holds=value <= MEMORY_MB,
    )  # fmt: skip


def little_memory(folder: str) -> float:
    """Megabytes at the peak of a join that holds little at once."""
    views = [pl.scan_parquet(f"{folder}/view-{seed}.parquet") for seed in range(VIEWS)]
    values = [
        Values(name=f"v{place}", settings=_settings(view.collect_schema().names()), rows=view, time="t")
        for place, view in enumerate(views)
    ]
    rows = pl.scan_parquet(f"{folder}/rows.parquet")
    joined = join_features(rows, values, time="t", memory=(MEMORY_MB - OVERHEAD_MB) << 20)
    joined.sink_parquet(f"{folder}/joined.parquet")
    return peak_rss_mb()


def online_reads() -> list[Figure]:
    """One entity and a hundred, as dicts with ttl and times looked at, against a bare packed row in LMDB."""
    with tempfile.TemporaryDirectory() as folder:
        record = _view()
        store = _filled(LmdbStore(f"lmdb://{folder}", "bench"), record.body)
        reader = FeatureReader(store, SystemClock(), [(record, [])])
        bare = _Bare(Path(folder) / "bare")
        rng = np.random.default_rng(5)
        asked = [{"k": f"e{one}"} for one in rng.integers(0, ENTITIES, 40_000)]
        hundreds = [asked[start : start + 100] for start in range(0, len(asked), 100)]
        one, limit = _latencies(
            lambda entity: reader.read(entity).as_dict(), lambda entity: bare.read(entity["k"]), asked
        )
        many, many_limit = _latencies(
            lambda some: [row.as_dict() for row in reader.read_many(some)],
            lambda some: [bare.read(entity["k"]) for entity in some],
            hundreds,
        )
    what = f"{ONLINE_FEATURES} features as a dict"
    p50, p99, hundred = (float(np.quantile(taken, share)) for taken, share in ((one, 0.5), (one, 0.99), (many, 0.5)))
    limits = [float(np.quantile(taken, share)) for taken, share in ((limit, 0.5), (limit, 0.99), (many_limit, 0.5))]
    return [
        _most(f"online read, 1 entity x {what}, p50", "us", p50 * 1e6, limits[0] * 1e6, ONE_P50_US),
        _most(f"online read, 1 entity x {what}, p99", "us", p99 * 1e6, limits[1] * 1e6, ONE_P99_US),
        _most(f"online read, 100 entities x {what}, p50", "ms", hundred * 1e3, limits[2] * 1e3, HUNDRED_MS),
    ]


class _Bare:
    """The least that a read can be: one look-up in LMDB, one list decoded, one dict."""

    def __init__(self, folder: Path) -> None:
        self._environment = lmdb.open(str(folder), map_size=1 << 30, max_spare_txns=4)
        self._decode = msgspec.msgpack.Decoder(list).decode
        self._names = [f"f{place}" for place in range(ONLINE_FEATURES)]
        encode = msgspec.msgpack.Encoder().encode
        with self._environment.begin(write=True) as transaction:
            for number in range(ENTITIES):
                transaction.put(f"e{number}".encode(), encode(_values(number)))

    def read(self, key: str) -> dict[str, Any]:
        with self._environment.begin(buffers=True) as transaction:
            return dict(zip(self._names, self._decode(transaction.get(key.encode(), b"")), strict=True))


def _values(number: int) -> list[float]:
    return [number / (place + 1) for place in range(ONLINE_FEATURES)]


def _view() -> Record[FeatureView]:
    body = FeatureView(
        name="bench", version=1, entities=[TypedName("k", "text")], time="t", inputs=[],
        features=[TypedName(f"f{place}", "number") for place in range(ONLINE_FEATURES)],
        settings={"ttl": "1d"}, behaviour="0" * 64,
    )  # fmt: skip
    return Record(id="view-bench", kind=body.kind, scope="bench", at=START, actor="bench", body=body)


def _filled(store: LmdbStore, body: FeatureView) -> LmdbStore:
    now, space = micros(datetime.now(UTC)), namespace(body.name, body.behaviour)
    for start in range(0, ENTITIES, 10_000):
        store.put(
            (entity_key(space, [f"e{number}"]), pack(now, now, _values(number)))
            for number in range(start, start + 10_000)
        )
    return store


def _frame(seed: int, features: int, rows: int = ROWS, entities: int = ENTITIES) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    seconds = rng.integers(0, 365 * 86_400, rows)
    values = {f"f{seed}_{place}": rng.normal(size=rows) for place in range(features)}
    frame = pl.DataFrame({"k": rng.integers(0, entities, rows), "t": seconds * 1_000_000, **values})
    moment = pl.col("t").cast(pl.Duration("us")) + pl.lit(START, pl.Datetime("us", "UTC"))
    return frame.with_columns(moment.alias("t"))


def _settings(columns: list[str], known: str = "") -> FeatureSettings:
    features = [name for name in columns if name.startswith("f")]
    return FeatureSettings(source="s", on=["k"], columns=features, known=known)


def _joined(rows: pl.DataFrame, views: list[pl.DataFrame], known: str) -> pl.DataFrame:
    values = [
        Values(name=f"v{place}", settings=_settings(view.columns, known), rows=view.lazy(), time="t")
        for place, view in enumerate(views)
    ]
    return join_features(rows.lazy(), values, time="t").collect()


def _seconds(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def _latencies(act: Callable[[Any], object], limit: Callable[[Any], object], asked: list[Any]) -> list[np.ndarray]:
    """Seconds of each call of both, in turn by blocks, so that what else the machine does falls on both."""
    taken: list[list[float]] = [[], []]
    for start in range(0, len(asked), 200):
        for call, found in zip((act, limit), taken, strict=True):
            for one in asked[start : start + 200]:
                began = time.perf_counter()
                call(one)
                found.append(time.perf_counter() - began)
    return [np.array(found) for found in taken]


def _figure(name: str, unit: str, value: float, limit: float, most: float) -> Figure:
    ratio = value / limit
    return Figure(
        name=name, value=value, unit=unit, limit=limit, ratio=ratio, floor=f"{most:g} x the limit", holds=ratio <= most
    )


def _most(name: str, unit: str, value: float, limit: float, most: float) -> Figure:
    return Figure(
        name=name,
        value=value,
        unit=unit,
        limit=limit,
        ratio=value / limit,
        floor=f"{most:g} {unit}",
        holds=value <= most,
    )
