"""Charts of an evaluation."""

from collections.abc import Mapping, Sequence

import altair as alt
import numpy as np
import polars as pl
from numpy.typing import NDArray

from heptad.core.markup import Markup
from heptad.experiments import ACCENT, INK, QUIET, SECOND, render_chart
from heptad.training.records import CalibrationBin, Metric, SliceMetric

_WIDTH, _HEIGHT = 380, 260
_CURVE_POINTS = 200
_SHOWN_ROWS = 1_500
_PLAIN_AXIS = alt.Axis(tickCount=10, grid=False)


def roc_curve(positive: NDArray[np.bool_], scores: NDArray[np.float64]) -> Markup:
    """True positive rate over false positive rate at each threshold; the grey line is guessing."""
    hits, false = _counts(positive, scores)
    curve = pl.DataFrame({"x": false / max(false[-1], 1), "y": hits / max(hits[-1], 1)})
    return _curve(curve, "False positive rate", "True positive rate", diagonal=True)


def precision_recall_curve(positive: NDArray[np.bool_], scores: NDArray[np.float64]) -> Markup:
    """Precision over recall at each threshold; the grey line is the share of positives."""
    hits, false = _counts(positive, scores)
    some = hits + false > 0
    curve = pl.DataFrame({"x": hits[some] / max(hits[-1], 1), "y": hits[some] / (hits + false)[some]})
    return _curve(curve, "Recall", "Precision", level=float(positive.mean()))


def calibration_plot(bins: Sequence[CalibrationBin]) -> Markup:
    """Observed rate over predicted probability; points on the grey line keep their word."""
    frame = pl.DataFrame({"x": [one.predicted for one in bins], "y": [one.observed for one in bins]})
    top = max(0.05, *frame["x"], *frame["y"])
    scale = alt.Scale(domain=[0, min(1.0, top * 1.05)])
    ideal = alt.Chart(pl.DataFrame({"x": [0.0, top], "y": [0.0, top]})).mark_line(color=QUIET, strokeDash=[4, 4])
    base = alt.Chart(frame).encode(
        x=alt.X("x:Q", title="Predicted probability", scale=scale), y=alt.Y("y:Q", title="Observed rate", scale=scale)
    )
    marks = base.mark_line(color=ACCENT) + base.mark_point(color=ACCENT, filled=True, size=45)
    return render_chart(_sized(ideal.encode(x=alt.X("x:Q", scale=scale), y=alt.Y("y:Q", scale=scale)) + marks))


def score_histogram(
    positive: NDArray[np.bool_], scores: NDArray[np.float64], threshold: float, classes: Sequence[str]
) -> Markup:
    """How the probabilities of the rows of each class are spread; the dark line is the decision threshold."""
    edges = np.linspace(0, 1, 41)
    parts = []
    for name, rows in zip(classes, (~positive, positive), strict=True):
        counts, _ = np.histogram(scores[rows], edges)
        share = counts / max(rows.sum(), 1)
        parts.append(pl.DataFrame({"x": edges[:-1], "x2": edges[1:], "share": share, "class": [name] * len(share)}))
    bars = (
        alt.Chart(pl.concat(parts))
        .mark_bar(opacity=0.5)
        .encode(
            x=alt.X("x:Q", bin="binned", title=f"Predicted probability of “{classes[1]}”", axis=_PLAIN_AXIS),
            x2="x2:Q",
            y=alt.Y("share:Q", title="Share of the class's rows", axis=alt.Axis(format="%"), stack=None),
            color=alt.Color("class:N", title="true class", scale=alt.Scale(range=[ACCENT, SECOND]), sort=None),
        )
    )
    rule = alt.Chart(pl.DataFrame({"x": [threshold]})).mark_rule(color=INK, strokeWidth=1.5).encode(x="x:Q")
    return render_chart(_sized(bars + rule))


def predicted_plot(truth: NDArray[np.float64], predicted: NDArray[np.float64]) -> Markup:
    """Predicted over true value, at most 1,500 rows of them; on the grey line they are equal."""
    step = max(1, len(truth) // _SHOWN_ROWS)
    frame = pl.DataFrame({"x": truth[::step], "y": predicted[::step]})
    low, high = float(min(truth.min(), predicted.min())), float(max(truth.max(), predicted.max()))
    scale = alt.Scale(domain=[low, high], nice=True, zero=False)
    points = alt.Chart(frame).mark_circle(color=ACCENT, opacity=0.35, size=18)
    ideal = alt.Chart(pl.DataFrame({"x": [low, high], "y": [low, high]})).mark_line(color=QUIET, strokeDash=[4, 4])
    axes = {"x": alt.X("x:Q", title="True value", scale=scale), "y": alt.Y("y:Q", title="Predicted value", scale=scale)}
    return render_chart(_sized(points.encode(**axes) + ideal.encode(**axes)))


def residual_histogram(truth: NDArray[np.float64], predicted: NDArray[np.float64]) -> Markup:
    """How far predictions are off, without the most extreme half percent at either end."""
    errors = predicted - truth
    inner = errors[(errors >= np.quantile(errors, 0.005)) & (errors <= np.quantile(errors, 0.995))]
    counts, edges = np.histogram(inner, 40)
    frame = pl.DataFrame({"x": edges[:-1], "x2": edges[1:], "rows": counts})
    bars = (
        alt.Chart(frame)
        .mark_bar(color=ACCENT, opacity=0.7)
        .encode(
            x=alt.X("x:Q", bin="binned", title="Predicted minus true value", axis=_PLAIN_AXIS),
            x2="x2:Q",
            y=alt.Y("rows:Q", title="Rows"),
        )
    )
    zero = alt.Chart(pl.DataFrame({"x": [0.0]})).mark_rule(color=INK).encode(x="x:Q")
    return render_chart(_sized(bars + zero))


def slice_plot(slices: Sequence[SliceMetric], overall: Metric, title: str) -> Markup:
    """The main metric with its interval for each value of one column; the dashed line is that of all rows."""
    frame = pl.DataFrame(
        {
            "value": [f"{one.value}  ({one.metric.rows:,} rows)" for one in slices],
            "metric": [one.metric.value for one in slices],
            "low": [one.metric.low for one in slices],
            "high": [one.metric.high for one in slices],
        }
    )
    # A slice of few rows may have an interval of everything, which must not squeeze all others together.
    values = [overall.value, *frame["metric"]]
    margin = max(max(values) - min(values), overall.high - overall.low)
    y = alt.Y("value:N", title=None, sort=None)
    scale = alt.Scale(domain=[min(values) - margin, max(values) + margin], nice=True, zero=False)
    x = alt.X("metric:Q", title=title, scale=scale)
    whole = alt.Chart(pl.DataFrame({"metric": [overall.value]})).mark_rule(color=INK, strokeDash=[4, 4], opacity=0.6)
    span = alt.Chart(frame).mark_rule(color=ACCENT, strokeWidth=2, opacity=0.5, clip=True)
    point = alt.Chart(frame).mark_point(color=ACCENT, filled=True, size=50).encode(x=x, y=y)
    layers = span.encode(x=alt.X("low:Q", scale=scale, title=title), x2="high:Q", y=y) + point + whole.encode(x=x)
    return render_chart(layers.properties(width=_WIDTH, height=alt.Step(20)))


def attribution_plot(attributions: Mapping[str, float], most: int = 15) -> Markup:
    """The features that move the score most, as shares of all movement."""
    whole = sum(attributions.values()) or 1.0
    largest = sorted(attributions.items(), key=lambda item: -item[1])[:most]
    frame = pl.DataFrame({"feature": [name for name, _ in largest], "share": [value / whole for _, value in largest]})
    bars = (
        alt.Chart(frame)
        .mark_bar(color=ACCENT, opacity=0.8)
        .encode(
            x=alt.X("share:Q", title="Share of the score's movement", axis=alt.Axis(format="%")),
            y=alt.Y("feature:N", title=None, sort=None),
        )
    )
    return render_chart(bars.properties(width=_WIDTH, height=alt.Step(20)))


def _curve(curve: pl.DataFrame, x: str, y: str, *, diagonal: bool = False, level: float | None = None) -> Markup:
    keep = np.unique(np.linspace(0, len(curve) - 1, _CURVE_POINTS).astype(int))
    scale = alt.Scale(domain=[0, 1])
    axes = {"x": alt.X("x:Q", title=x, scale=scale), "y": alt.Y("y:Q", title=y, scale=scale)}
    ends = pl.DataFrame({"x": [0.0, 1.0], "y": [0.0, 1.0] if diagonal else [level, level]})
    guess = alt.Chart(ends).mark_line(color=QUIET, strokeDash=[4, 4]).encode(**axes)
    # In the order of the rows: by default a line is drawn in the order of x, which folds steep parts over.
    line = alt.Chart(curve[keep].with_row_index("at")).mark_line(color=ACCENT).encode(**axes, order="at:Q")
    return render_chart(_sized(guess + line))


def _counts(positive: NDArray[np.bool_], scores: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """True and false positives from the highest threshold down, from none on."""
    order = np.argsort(-scores, kind="stable")
    ordered = scores[order]
    last = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))
    hits = np.append(0, positive[order].cumsum()[last])
    return hits, np.append(0, last + 1) - hits


def _sized(chart: "alt.LayerChart") -> "alt.LayerChart":
    return chart.properties(width=_WIDTH, height=_HEIGHT)
