"""Step 6 against its limits: a weekly report, drift of many rows, and an estimate without labels."""

import io
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl

from bench.figures import Figure
from heptad.core import graph
from heptad.core.clock import ManualClock
from heptad.core.settings import ProjectSettings, StoreSettings
from heptad.core.workspace import Workspace, open_workspace
from heptad.data import Column, profile_frame
from heptad.monitoring import Monitoring, MonitorSettings
from heptad.monitoring.drift import drift
from heptad.monitoring.estimation import Period, calibrate, estimate
from heptad.release import ModelVersion
from heptad.release.registry import Registry
from heptad.serving.delta_log import DeltaLog
from heptad.serving.labels import Labels
from heptad.serving.log import PredictionLog
from heptad.serving.log_rows import INPUT, LAYOUT
from heptad.training import Candidate, Evaluation, Input, Metric, Parity, Signature, Split

START = datetime(2013, 4, 1, tzinfo=UTC)
WEEK = timedelta(days=7)
WEEKS, ROWS, NUMBERS, CATEGORIES = 39, 6_500, 16, 4
REPORT_RATIO = 4.0
COLUMNS = [
    *(Column(name=f"number_{place}", type="number") for place in range(NUMBERS)),
    *(Column(name=f"category_{place}", type="category") for place in range(CATEGORIES)),
]


def measure() -> list[Figure]:
    """Every figure of this step."""
    return [weekly_report(), drift_of_many_rows(), estimate_of_many_rows()]


def weekly_report() -> Figure:
    """The newest week of 39 in real tables, against reading its rows and the labels."""
    with tempfile.TemporaryDirectory() as folder:
        clock = ManualClock(START + WEEKS * WEEK)
        workspace = replace(open_workspace(Path(folder), "flights", StoreSettings()), clock=clock)
        # What monitoring asks serving and release for is behind these; nothing else of the two is needed here.
        log: Any = _Log(workspace)
        registry: Any = _registered(workspace)
        for week in range(WEEKS):
            log.add(week)
        start, end = START + (WEEKS - 1) * WEEK, START + WEEKS * WEEK
        limit = _best(
            lambda: (
                log.predictions(start, end).collect(),
                log.labels(known_at=end, among=log.predictions(start, end)).collect(),
            )
        )
        taken = []
        for week in range(WEEKS - 5, WEEKS):
            monitoring = Monitoring(workspace, ProjectSettings(name="flights"), MonitorSettings(), registry, log)
            began = time.perf_counter()
            monitoring.report(START + week * WEEK, START + (week + 1) * WEEK, START + (week + 1) * WEEK)
            taken.append(time.perf_counter() - began)
    value = float(np.median(taken))
    ratio = value / limit
    return Figure(
        name=f"a weekly report, {ROWS:,} rows x {NUMBERS + CATEGORIES} inputs, live and shadow",
        value=value, unit="s", limit=limit, ratio=ratio,
        floor=f"{REPORT_RATIO:g} x reading its rows and a year of labels", holds=ratio <= REPORT_RATIO,
    )  # fmt: skip


def drift_of_many_rows(rows: int = 200_000) -> Figure:
    """Drift of 20 columns against a stored profile, against one pass that only adds them up and counts values."""
    frame, reference = _inputs(rows, seed=1), profile_frame(_inputs(20_000, seed=2), COLUMNS)
    value = _best(lambda: drift(reference, profile_frame(frame, COLUMNS, reference), 0.2, 200, "training"))
    numbers = [pl.col(column.name).mean() for column in COLUMNS if column.type == "number"]
    counts = [pl.col(column.name).value_counts().implode() for column in COLUMNS if column.type == "category"]
    limit = _best(lambda: frame.lazy().select(*numbers, *counts).collect())
    ratio = value / limit
    return Figure(
        name=f"drift of 20 columns, {rows:,} rows", value=value, unit="s", limit=limit, ratio=ratio,
        floor="10 x the limit", holds=ratio <= 10,
    )  # fmt: skip


def estimate_of_many_rows(rows: int = 1_500_000) -> Figure:
    """ROC AUC estimated without labels, against sorting its scores once."""
    rng = np.random.default_rng(3)
    scores = rng.beta(1.2, 2.5, rows)
    drawn = (rng.random(rows) < scores).astype(np.float64)
    calibration = calibrate([Period(scores[at : at + ROWS], drawn[at : at + ROWS]) for at in range(0, 4 * ROWS, ROWS)])
    if calibration is None:
        raise AssertionError("four weeks of labels have both outcomes")
    value = _best(lambda: estimate("roc_auc", scores, calibration))
    limit = _best(lambda: np.argsort(scores))
    ratio = value / limit
    return Figure(
        name=f"ROC AUC estimated without labels, {rows:,} rows", value=value, unit="s", limit=limit, ratio=ratio,
        floor="10 x the limit", holds=ratio <= 10,
    )  # fmt: skip


class _Log:
    """The tables that serving keeps, filled in bulk, behind the two methods that monitoring asks."""

    def __init__(self, workspace: Workspace) -> None:
        self.endpoint = "flights"
        self._answers = DeltaLog(workspace.tables / "predictions")
        self._log = PredictionLog(self.endpoint, workspace.folder / "no_journal.db", workspace.tables / "predictions")
        self._labels = Labels(workspace.tables / "labels", workspace.folder / "labels.lock")

    def add(self, week: int) -> None:
        rng = np.random.default_rng(100 + week)
        score = 1 / (1 + np.exp(1.3 - rng.normal(0, 1, ROWS)))
        at = pl.Series([START + (week + place / ROWS) * WEEK for place in range(ROWS)], dtype=pl.Datetime("us", "UTC"))
        ids = [f"{week}-{place}" for place in range(ROWS)]
        shadows = [[{"version": "flights@2", "score": one}] for one in score]
        inputs = _inputs(ROWS, seed=200 + week)
        self._answers.append(
            pl.DataFrame({"id": ids, "at": at, "score": score, "latency_ms": rng.random(ROWS)}).with_columns(
                *(inputs[name].alias(INPUT + name) for name in inputs.columns),
                caller=pl.lit("bench"),
                endpoint=pl.lit("flights"),
                generation=pl.lit(1),
                version=pl.lit("flights@1"),
                role=pl.lit("live"),
                label=pl.when(pl.col("score") >= 0.5).then(pl.lit("late")).otherwise(pl.lit("in time")),
                probabilities=pl.concat_list(1 - pl.col("score"), "score"),
                shadows=pl.Series(shadows, dtype=pl.List(pl.Struct({"version": pl.String, "score": pl.Float64}))),
                warnings=pl.Series([[]] * ROWS, dtype=pl.List(pl.String)),
                **{LAYOUT: pl.lit("[]")},
            )
        )
        value = np.where(rng.random(ROWS) < score, "late", "in time")
        self._labels.add(pl.DataFrame({"id": ids, "value": value, "at": at, "known_at": at + timedelta(hours=4)}))

    def predictions(self, start: datetime, end: datetime) -> pl.LazyFrame:
        return self._log.scan(start, end)

    def labels(self, *, known_at: datetime, among: pl.LazyFrame) -> pl.LazyFrame:
        return self._labels.scan("classification", known_at=known_at, among=among)


def _registered(workspace: Workspace) -> Registry:
    """A registry with two versions, whose candidates carry the artifacts that monitoring reads."""
    registry = Registry(workspace, "flights")
    rng = np.random.default_rng(4)
    score = rng.beta(1.2, 2.5, 5_000)
    held_out = io.BytesIO()
    label = np.where(rng.random(5_000) < score, "late", "in time")
    pl.DataFrame({"label": label, "predicted": label, "score": score}).write_ipc(held_out)
    profile = msgspec.json.encode(profile_frame(_inputs(80_000, seed=5), COLUMNS))
    inputs = [
        Input(name=one.name, type=one.type, categories=_NAMES if one.type == "category" else None) for one in COLUMNS
    ]
    metric = Metric(name="roc_auc", value=0.74, low=0.73, high=0.75, rows=5_000, better="higher")
    for number in (1, 2):
        candidate = Candidate(
            name="flights", estimator="linear", params={}, seed=number, dataset="", run="", window="all",
            split=Split(by="time"), model="", model_digest="", background="", environment="",
            signature=Signature(inputs=inputs, task="classification", target="late", classes=["in time", "late"]),
            evaluation=Evaluation(
                metric="roc_auc", metrics=[metric], baseline=[], baseline_name="",
                parity=Parity(rows=1, largest_difference=0, tolerance=1, differing_labels=0),
                model_latency_p50_ms=1, model_latency_p99_ms=1,
            ),
            profile=workspace.blobs.put(profile), scores=workspace.blobs.put(held_out.getvalue()),
        )  # fmt: skip
        saved = graph.save(workspace, candidate, scope="flights", key=[number])
        version = ModelVersion(
            name="flights", version=0, package="", candidate=saved.id, decision="", estimator="linear",
            metric="roc_auc", value=0.74,
        )  # fmt: skip
        registry.add(version, [])
    return registry


_NAMES = [f"value {place}" for place in range(300)]


def _inputs(rows: int, seed: int) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    numbers = {column.name: rng.normal(0, 1, rows) for column in COLUMNS if column.type == "number"}
    names = np.array(_NAMES)
    return pl.DataFrame(
        numbers | {column.name: rng.choice(names, rows) for column in COLUMNS if column.type == "category"}
    )


def _best(act: Callable[[], object], times: int = 5) -> float:
    """Seconds of the quickest of several runs."""
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        act()
        taken.append(time.perf_counter() - began)
    return min(taken)
