"""Charts of runs beside each other."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import altair as alt
import polars as pl

from heptad.core.records import Scalar
from heptad.experiments.comparison import RunComparison
from heptad.experiments.drawing import ACCENT, INK, QUIET, picture_of, render_chart
from heptad.experiments.reading import thinned

WIDTH = 860
AXES = 8
"""Parameters that stand side by side in parallel coordinates."""
WIDE = 100
"""How many times the least number the largest is on an axis that is logarithmic."""


def metric_curves(points: pl.DataFrame, metric: str) -> "alt.Chart":
    """A metric over its steps, a line a run; `points` has the columns run, step and value, and is thinned here."""
    points = thinned(points)
    steps = points["step"].n_unique() if points.height else 0
    base = alt.Chart(points.drop_nans("value")).encode(
        x=alt.X("step:Q", title="step", axis=alt.Axis(tickMinStep=1), scale=alt.Scale(zero=False)),
        y=alt.Y("value:Q", title=metric, scale=alt.Scale(zero=False)),
        color=alt.Color("run:N", title=None, sort=None, scale=alt.Scale(scheme="tableau10")),
    )
    chart: alt.Chart = base.mark_line(strokeWidth=1.6, point=steps < 2).properties(width=WIDTH, height=300)
    return chart


def draw_curves(points: pl.DataFrame, metric: str, kind: Literal["png", "svg"]) -> bytes:
    """The picture of `metric_curves`."""
    chart = metric_curves(points, metric)
    return picture_of(chart) if kind == "png" else render_chart(chart).encode()


def parallel_coordinates(compared: RunComparison, metric: str, important: Sequence[str]) -> "alt.LayerChart | None":
    """A line a run through its parameters to the metric, each axis from its least value to its largest.

    The axis of numbers that are far apart is logarithmic; values that are no numbers stand in the order of their names.
    Nothing where fewer than two axes differ.
    """
    axes = {name: compared.params[name] for name in important[:AXES]} | {metric: compared.metrics[metric]}
    placed = {name: places for name, values in axes.items() if (places := _places(values)) is not None}
    if len(placed) < 2 or metric not in placed:
        return None
    rows = [
        {"axis": axis, "at": places[run], "run": label, "metric": placed[metric][run]}
        for axis, places in placed.items()
        for run, label in enumerate(compared.labels())
        if places[run] is not None and placed[metric][run] is not None
    ]
    ends = [
        {"axis": axis, "at": at, "text": text}
        for axis in placed
        for at, text in zip((0.0, 1.0), _ends(axes[axis]), strict=True)
    ]
    order = alt.X("axis:N", title=None, sort=list(placed), axis=alt.Axis(labelAngle=0, grid=True, labelPadding=18))
    height = alt.Y("at:Q", axis=None, scale=alt.Scale(domain=[-0.08, 1.08]))
    lines = (
        alt.Chart(pl.DataFrame(rows))
        .mark_line(opacity=0.65, strokeWidth=1.4)
        .encode(
            x=order,
            y=height,
            detail="run:N",
            color=alt.Color("metric:Q", title=metric, legend=None, scale=alt.Scale(scheme="viridis", reverse=True)),
        )
    )
    texts = (
        alt.Chart(pl.DataFrame(ends))
        .mark_text(fontSize=10, color=INK, opacity=0.7, dy=alt.expr("datum.at > 0.5 ? -9 : 9"))
        .encode(x=order, y=height, text="text:N")
    )
    chart: alt.LayerChart = (lines + texts).properties(width=WIDTH, height=300)
    return chart


def importance_bars(shares: Mapping[str, float], most: int = 12) -> "alt.Chart":
    """How much of the differences goes with each parameter."""
    rows = [{"parameter": name, "share": share} for name, share in list(shares.items())[:most]]
    chart: alt.Chart = (
        alt.Chart(pl.DataFrame(rows))
        .mark_bar(color=ACCENT, opacity=0.8)
        .encode(
            x=alt.X(
                "share:Q", title="share of the differences", axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 1])
            ),
            y=alt.Y("parameter:N", title=None, sort=None),
        )
        .properties(width=380, height=alt.Step(22))
    )
    return chart


def scatter(compared: RunComparison, param: str, metric: str) -> "alt.Chart":
    """A run a point: a parameter and what came of it."""
    rows = [
        {"param": value, "metric": result}
        for value, result in zip(compared.params[param], compared.metrics[metric], strict=True)
        if _is_placed(value) and isinstance(result, int | float) and _is_placed(result)
    ]
    values = [row["param"] for row in rows]
    numbers = bool(rows) and all(isinstance(one, int | float) and not isinstance(one, bool) for one in values)
    if numbers:
        figures = [float(one) for one in values if isinstance(one, int | float)]
        wide = _is_wide(min(figures), max(figures))
        x = alt.X("param:Q", title=param, scale=alt.Scale(type="log" if wide else "linear", zero=False))
    else:
        rows = [row | {"param": str(row["param"])} for row in rows]
        x = alt.X("param:N", title=param, axis=alt.Axis(labelAngle=0))
    chart: alt.Chart = (
        alt.Chart(pl.DataFrame(rows, infer_schema_length=None))
        .mark_circle(color=ACCENT, opacity=0.6, size=46)
        .encode(x=x, y=alt.Y("metric:Q", title=metric, scale=alt.Scale(zero=False)))
        .properties(width=380, height=240)
    )
    return chart


def interval_plot(compared: RunComparison, metric: str) -> "alt.LayerChart":
    """A metric of each run, and the interval of its mean over folds."""
    spans = compared.intervals[metric]
    rows = [
        {"run": label, "value": value, "low": span[0], "high": span[1]}
        for label, value, span in zip(compared.labels(), compared.metrics[metric], spans, strict=True)
        if span is not None and isinstance(value, int | float)
    ]
    base = alt.Chart(pl.DataFrame(rows))
    y = alt.Y("run:N", title=None, sort=None)
    span = base.mark_rule(color=QUIET, strokeWidth=2).encode(
        x=alt.X("low:Q", title=metric, scale=alt.Scale(zero=False), axis=alt.Axis(tickCount=7)), x2="high:Q", y=y
    )
    point = base.mark_point(color=ACCENT, filled=True, size=50).encode(x="value:Q", y=y)
    chart: alt.LayerChart = (span + point).properties(width=600, height=alt.Step(20))
    return chart


def _places(values: Sequence[Scalar]) -> list[float | None] | None:
    """Each value's place between the least, 0, and the largest, 1; none where they are all the same."""
    order = _order(values)
    if len(order) < 2:
        return None
    if all(isinstance(value, int | float) for value in order):
        scale = math.log10 if _is_wide(order[0], order[-1]) else float
        low, high = scale(order[0]), scale(order[-1])
        placed = [scale(one) if isinstance(one, int | float) and _is_placed(one) else None for one in values]
        return [None if one is None else (one - low) / (high - low) for one in placed]
    steps = {value: place / (len(order) - 1) for place, value in enumerate(order)}
    return [steps[value] if _is_placed(value) else None for value in values]


def _is_wide(low: float, high: float) -> bool:
    """Whether numbers between them are told apart by their logarithms only, as learning rates are."""
    return low > 0 and high / low > WIDE


def _ends(values: Sequence[Scalar]) -> tuple[str, str]:
    order = _order(values)
    return _short(order[0]), _short(order[-1])


def _order(values: Sequence[Scalar]) -> list[Any]:
    """The values that have a place, each once, sorted as numbers where all are, else as texts."""
    there = {value for value in values if _is_placed(value)}
    if all(isinstance(value, int | float) for value in there):
        return sorted(there, key=float)
    return sorted(there, key=str)


def _is_placed(value: Any) -> bool:
    """NaN and infinities have no place on an axis."""
    return value is not None and (not isinstance(value, float) or math.isfinite(value))


def _short(value: Any) -> str:
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 18 else text[:17] + "…"
