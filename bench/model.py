"""Step 3's models against their limits: one row, many rows, an explanation, parity, and the time of a training."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl

from bench.figures import Figure
from heptad.data import Column, Schema
from heptad.training import Fitted, OnnxModel, check_rows, columns_of, explain, fit
from heptad.training.estimators import complete_params, estimator_named
from heptad.training.learners import Problem

ROW_MICROSECONDS = 150.0
EXPLANATION_SECONDS = 0.3
PARITY = 1e-12
TRAINING_RATIO = 3.0
BATCH_RATIO = 3.0
ESTIMATORS = ("linear", "random_forest", "lightgbm")
LATE = Column(name="late", type="category", role="target")


def measure() -> list[Figure]:
    """Every figure of this part."""
    table = _Table(numbers=24, categories=6, rows=20_000)
    fitted = {name: fit(table.frame, table.schema, name, {}, 7) for name in ESTIMATORS}
    boosted = fitted["lightgbm"]
    return [
        one_row(boosted, table),
        many_rows(boosted, table),
        explanation(boosted, table),
        *(parity(name, one, table) for name, one in fitted.items()),
        *(training(name) for name in ESTIMATORS),
    ]


def one_row(fitted: Fitted, table: "_Table") -> Figure:
    """From a dict to the answer, against LightGBM's own prediction of the row when it is a ready matrix."""
    model, row = OnnxModel(fitted.onnx, fitted.signature), table.rows[:1]
    matrix = fitted.preprocessing.transform(columns_of(table.frame[:1], fitted.signature))
    value = _best(lambda: model.predict(check_rows(row, fitted.signature)[0]), times=2_000)
    limit = _best(lambda: fitted.native.predict(matrix), times=2_000)
    return _figure(
        f"one row of {len(table.names)} inputs: checked, transformed, answered",
        value * 1e6,
        "us",
        limit * 1e6,
        floor=f"{ROW_MICROSECONDS:.0f} us",
        holds=value * 1e6 <= ROW_MICROSECONDS,
    )


def many_rows(fitted: Fitted, table: "_Table", rows: int = 10_000) -> Figure:
    """The same with 10,000 rows at once."""
    model, asked = OnnxModel(fitted.onnx, fitted.signature), table.rows[:rows]
    matrix = fitted.preprocessing.transform(columns_of(table.frame[:rows], fitted.signature))
    value = _best(lambda: model.predict(check_rows(asked, fitted.signature)[0]))
    limit = _best(lambda: fitted.native.predict(matrix))
    floor = f"{BATCH_RATIO} x LightGBM on a ready matrix"
    return _figure(f"{rows:,} such rows", value, "s", limit, floor=floor, holds=value <= BATCH_RATIO * limit)


def explanation(fitted: Fitted, table: "_Table") -> Figure:
    """Shapley values of one row against 100 others; the limit is the session alone on as many rows."""
    model, background = OnnxModel(fitted.onnx, fitted.signature), table.rows[1:101]
    asked = 2 * len(background) * (len(table.names) + 1)
    columns = columns_of(table.frame[:asked], fitted.signature)
    value = _best(lambda: explain(model, table.rows[0], background, seed=7))
    limit = _best(lambda: model.predict(columns))
    return _figure(
        f"an explanation, {len(table.names)} inputs, {len(background)} background rows",
        value,
        "s",
        limit,
        floor=f"{EXPLANATION_SECONDS} s",
        holds=value <= EXPLANATION_SECONDS,
    )


def parity(name: str, fitted: Fitted, table: "_Table") -> Figure:
    """The largest difference between the graph and the library that trained the model, over all rows."""
    served = OnnxModel(fitted.onnx, fitted.signature).predict(columns_of(table.frame, fitted.signature))
    value = float(np.abs(served.scores - fitted.predict_native(table.frame).scores).max())
    holds = value <= PARITY
    return _figure(f"{name}: graph and library differ at most", value, "", PARITY, floor=str(PARITY), holds=holds)


def training(name: str, rows: int = 250_000) -> Figure:
    """A whole training on 250,000 rows of 20 inputs, against the library's own part of it."""
    table = _Table(numbers=16, categories=4, rows=rows)
    fitted, value = _timed(lambda: fit(table.frame, table.schema, name, {}, 7))
    matrix = fitted.preprocessing.transform(columns_of(table.frame, fitted.signature))
    problem = Problem(matrix, table.labels, 2, fitted.preprocessing.code_columns, 7)
    estimator = estimator_named(name)
    _, limit = _timed(lambda: estimator.fit(problem, complete_params(estimator, {})))
    floor = f"{TRAINING_RATIO} x the library alone"
    holds = value <= TRAINING_RATIO * limit
    return _figure(f"{name}: trained on {rows:,} rows x 20", value, "s", limit, floor=floor, holds=holds)


class _Table:
    """Numbers, and categories of 10 to 4,000 values, with a target made of some of them."""

    def __init__(self, *, numbers: int, categories: int, rows: int) -> None:
        random = np.random.default_rng(7)
        columns: dict[str, Any] = {f"number_{place}": random.normal(size=rows) for place in range(numbers)}
        for place, values in enumerate(np.geomspace(10, 4_000, categories).astype(int)):
            columns[f"category_{place}"] = np.array([f"value {n}" for n in range(values)])[
                random.integers(0, values, rows)
            ]
        raw = columns["number_0"] + columns["number_1"] * columns["number_2"] + (columns["category_0"] == "value 3")
        self.names = list(columns)
        self.labels = (raw + random.normal(size=rows) > 1).astype(int)
        self.frame = pl.DataFrame(columns).with_columns(late=pl.Series(np.array(["late", "on time"])[self.labels]))
        features = [Column(name=name, type="number" if name[0] == "n" else "category") for name in columns]
        self.schema = Schema(columns=[*features, LATE], task="classification", classes=["late", "on time"])
        self.rows = self.frame.head(20_000).drop("late").to_dicts()


def _figure(name: str, value: float, unit: str, limit: float, *, floor: str, holds: bool) -> Figure:
    return Figure(name=name, value=value, unit=unit, limit=limit, ratio=value / limit, floor=floor, holds=holds)


def _timed(act: Callable[[], Any]) -> tuple[Any, float]:
    began = time.perf_counter()
    answer = act()
    return answer, time.perf_counter() - began


def _best(act: Callable[[], object], times: int = 5) -> float:
    """Seconds of the fastest call: what else the machine does only adds to it."""
    return min(_timed(act)[1] for _ in range(times))
