"""Runs side by side as one page that loads nothing: what differs, what came of it, and how it went."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import polars as pl

from heptad.core.errors import InputError, nearest
from heptad.core.markup import Markup, element, page, table
from heptad.core.records import Scalar
from heptad.experiments.charts import importance_bars, interval_plot, metric_curves, parallel_coordinates, scatter
from heptad.experiments.comparison import RunComparison, importance
from heptad.experiments.drawing import render_chart

CURVES = 6
"""Metrics whose curves are drawn."""
METRICS = 4
"""Metrics that stand beside the runs; more have a table of their own."""
BESIDE = 8
"""Runs that stand in columns; more stand in lines."""
LEAST = 0.01
"""The least share of a metric's differences that goes with a parameter which is drawn."""


def render_comparison(compared: RunComparison, metric: str, curves: Mapping[str, pl.DataFrame]) -> str:
    """The page. `metric` is the one that is explained; `curves` has the points of each metric that has several."""
    title = f"{len(compared.runs)} runs beside each other"
    return page(
        title,
        element(
            "main",
            element("h1", title),
            element("p", _span(compared), class_="quiet"),
            *comparison_sections(compared, metric, curves),
        ),
    )


def comparison_sections(
    compared: RunComparison, metric: str, curves: Mapping[str, pl.DataFrame] | None = None
) -> list[Markup]:
    """The parts of the page, those that have something to say."""
    shares = importance(compared.params, compared.metrics.get(metric, []))
    found = [
        _runs(compared, metric),
        None if _few(compared) else _beside("What came of it", compared.metrics, compared),
        _spread(compared, metric),
        _explained(compared, metric, shares),
        _curves(curves or {}),
        _beside("Parameters that differ", compared.params, compared),
        _beside("Code, data and machine, where they differ", compared.surroundings, compared),
    ]
    return [one for one in found if one is not None]


def metric_of(compared: RunComparison, wanted: str, usual: str = "") -> str:
    """The metric that is explained. Raises `InputError` where it is wanted and no run has it."""
    if wanted and wanted not in compared.metrics:
        raise InputError(f"No run has a metric {wanted!r}.", allowed=nearest(wanted, list(compared.metrics)))
    whole = [name for name, values in compared.metrics.items() if None not in values]
    return wanted or next((one for one in (usual, *whole, *compared.metrics) if one in compared.metrics), "")


def _span(compared: RunComparison) -> str:
    first, last = (datetime.fromisoformat(one(compared.started)) for one in (min, max))
    if first.date() == last.date():
        return f"Started on {first:%-d %B %Y} between {first:%H:%M:%S} and {last:%H:%M:%S} UTC."
    return f"Started between {first:%-d %B %Y} and {last:%-d %B %Y}."


def _runs(compared: RunComparison, metric: str) -> Markup:
    """What each is called, and its metrics where they are few; a table of their own has them where they are many."""
    beside = compared.metrics if _few(compared) else {metric: compared.metrics.get(metric, [])}
    rows = [
        [f"[{number}]", name, run, str(status or ""), "" if took is None else f"{took:,.1f} s"]
        for number, (name, run, status, took) in enumerate(
            zip(compared.names, compared.runs, compared.status, compared.seconds, strict=True), 1
        )
    ]
    for values in beside.values():
        for row, value in zip(rows, values, strict=False):
            row.append(_text(value))
    body = table(["", "name", "run", "status", "took", *beside], rows)
    return element("section", element("h2", "Runs"), element("div", body, class_="chart"))


def _few(compared: RunComparison) -> bool:
    return len(compared.metrics) <= METRICS


def _beside(title: str, values: Mapping[str, Sequence[Scalar]], compared: RunComparison) -> Markup | None:
    """A table with a column a run, or with a line a run where there are many; texts are left out of neither."""
    if not values:
        return None
    heads = [f"[{number}]" for number in range(1, len(compared.runs) + 1)]
    if len(heads) <= BESIDE:
        body = table(["", *heads], [[name, *map(_text, row)] for name, row in values.items()])
    else:
        lines = zip(heads, *values.values(), strict=True)
        body = table(["", *values], [[head, *map(_text, row)] for head, *row in lines])
    return element("section", element("h2", title), element("div", body, class_="chart"))


def _spread(compared: RunComparison, metric: str) -> Markup | None:
    if metric not in compared.intervals or metric not in compared.metrics:
        return None
    return element(
        "section",
        element("h2", f"{metric} with intervals"),
        element("p", "95% of the mean over folds. They share rows, so it is a rough one.", class_="quiet"),
        element("div", render_chart(interval_plot(compared, metric)), class_="chart"),
    )


def _explained(compared: RunComparison, metric: str, shares: Mapping[str, float]) -> Markup | None:
    """Which parameters go with the metric, and how runs went through them; only where enough runs tell it."""
    if not shares:
        return None
    telling = {name: share for name, share in shares.items() if share > LEAST}
    lines = parallel_coordinates(compared, metric, list(shares))
    points = element("div", render_chart(scatter(compared, next(iter(shares)), metric)), class_="chart")
    bars = element("div", render_chart(importance_bars(telling)), class_="chart") if telling else None
    said = (
        f"How much of the differences in {metric} between the {len(compared.runs)} runs goes with each parameter, by "
        "ranks and less what chance gives. Parameters that changed together share it; it is no proof of a cause."
        if telling
        else f"Between the {len(compared.runs)} runs {metric} goes with no parameter more than chance gives."
    )
    return element(
        "section",
        element("h2", f"What {metric} goes with"),
        element("p", said, class_="quiet"),
        element("div", bars, points, class_="grid"),
        element("div", render_chart(lines), class_="chart") if lines is not None else None,
    )


def _curves(curves: Mapping[str, pl.DataFrame]) -> Markup | None:
    drawn = [
        element("div", element("h3", name), render_chart(metric_curves(points, name)), class_="chart")
        for name, points in list(curves.items())[:CURVES]
    ]
    left = len(curves) - len(drawn)
    note = element("p", f"{left} more metrics have curves: heptad experiments plot", class_="quiet") if left else None
    return element("section", element("h2", "How it went"), *drawn, note) if drawn else None


def _text(value: Scalar) -> str:
    if isinstance(value, float):
        return f"{value:.5g}"
    return "" if value is None else str(value)
