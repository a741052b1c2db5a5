"""Charts of a rehearsal and of what notebooks show, drawn by Altair and rendered to SVG like those of an evaluation."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import altair as alt
import polars as pl

from heptad.core.markup import Markup
from heptad.experiments import ACCENT, INK, QUIET, SECOND, render_chart
from heptad.training import CalibrationBin

_WIDE = 830
_PROMOTED, _REFUSED, _FAILED = "#15803d", "#b45309", "#b91c1c"


def bars(values: Mapping[str, float]) -> Markup:
    """Values by name, in the order given."""
    rows = pl.DataFrame(list(values.items()), schema={"name": pl.String, "value": pl.Float64}, orient="row")
    chart: alt.Chart = (
        alt.Chart(rows)
        .mark_bar(color=ACCENT)
        .encode(x=alt.X("value:Q", title=None, axis=alt.Axis(tickCount=4)), y=alt.Y("name:N", title=None, sort=None))
        .properties(width=260, height=alt.Step(18))
    )
    return render_chart(chart)


def score_by_week(weeks: pl.DataFrame, promotions: Sequence[tuple[datetime, str]], title: str) -> Markup:
    """The score of the loop and of the first model (`week`, `loop`, `frozen`); promotions are upright lines."""
    long = weeks.unpivot(on=["loop", "frozen"], index="week", variable_name="model", value_name="score").drop_nulls()
    scale = alt.Scale(zero=False)
    lines = (
        alt.Chart(long)
        .mark_line(point=alt.OverlayMarkDef(size=22))
        .encode(
            x=alt.X("week:T", title=None),
            y=alt.Y("score:Q", title=title, scale=scale),
            color=alt.Color(
                "model:N",
                title=None,
                scale=alt.Scale(domain=["loop", "frozen"], range=[ACCENT, QUIET]),
                legend=alt.Legend(orient="top"),
            ),
        )
    )
    marks = pl.DataFrame({"at": [at for at, _ in promotions], "label": [label for _, label in promotions]})
    rules = alt.Chart(marks).mark_rule(color=_PROMOTED, strokeDash=[3, 3]).encode(x="at:T")
    names = (
        alt.Chart(marks)
        .mark_text(align="left", dx=3, fontSize=10, color=_PROMOTED)
        .encode(x="at:T", y=alt.value(8), text="label:N")
    )
    return render_chart((rules + names + lines if promotions else lines).properties(width=_WIDE, height=260))


def timeline(reigns: pl.DataFrame, marks: pl.DataFrame) -> Markup:
    """Who was champion when (`version`, `start`, `end`), and what happened meanwhile (`at`, `what`, `row`)."""
    bars = (
        alt.Chart(reigns)
        .mark_bar(height=16, opacity=0.85, color=ACCENT, cornerRadius=3)
        .encode(x=alt.X("start:T", title=None), x2="end:T", y=alt.Y("row:N", title=None, sort=_ROWS))
    )
    names = (
        alt.Chart(reigns)
        .mark_text(align="left", dx=4, color="white", fontSize=10)
        .encode(x="start:T", y=alt.Y("row:N", sort=_ROWS), text="version:N")
    )
    dots = (
        alt.Chart(marks)
        .mark_point(filled=True, size=60)
        .encode(
            x="at:T",
            y=alt.Y("row:N", sort=_ROWS),
            color=alt.Color(
                "what:N",
                title=None,
                scale=alt.Scale(
                    domain=["promoted", "refused", "failed", "alert"], range=[_PROMOTED, _REFUSED, _FAILED, SECOND]
                ),
                legend=alt.Legend(orient="top"),
            ),
        )
    )
    return render_chart((bars + names + dots).properties(width=_WIDE, height=alt.Step(28)))


_ROWS = ["champion", "plans", "alerts"]


def drift_map(distances: pl.DataFrame, limit: float) -> Markup:
    """Distance of each feature from the champion's training rows by week (`week`, `column`, `distance`)."""
    cells = (
        alt.Chart(distances)
        .mark_rect()
        .encode(
            x=alt.X(
                "yearmonthdate(week):O", title=None, axis=alt.Axis(format="%d %b", labelAngle=-60, labelOverlap=True)
            ),
            y=alt.Y("column:N", title=None, sort=alt.EncodingSortField("distance", op="max", order="descending")),
            color=alt.Color(
                "distance:Q",
                title=f"population stability index (drift from {limit:g})",
                scale=alt.Scale(scheme="blues", domain=[0, 2.5 * limit], clamp=True),
                legend=alt.Legend(orient="top", gradientLength=220, titleLimit=500),
            ),
        )
    )
    return render_chart(cells.properties(width=_WIDE, height=alt.Step(16)))


def calibration(of: Mapping[str, Sequence[CalibrationBin]]) -> Markup:
    """Observed rate over predicted probability, a line for each model; points on the grey line keep their word."""
    frame = pl.DataFrame(
        [{"model": name, "x": one.predicted, "y": one.observed} for name, bins in of.items() for one in bins]
    )
    top = max(0.05, *frame["x"], *frame["y"])
    scale = alt.Scale(domain=[0, min(1.0, top * 1.05)])
    axes = {
        "x": alt.X("x:Q", title="Predicted probability", scale=scale),
        "y": alt.Y("y:Q", title="Observed rate", scale=scale),
    }
    ideal = alt.Chart(pl.DataFrame({"x": [0.0, top], "y": [0.0, top]})).mark_line(color=QUIET, strokeDash=[4, 4])
    lines = (
        alt.Chart(frame)
        .mark_line(point=True)
        .encode(
            **axes,
            color=alt.Color("model:N", title=None, scale=alt.Scale(domain=list(of), range=[ACCENT, QUIET])),
        )
    )
    return render_chart((ideal.encode(**axes) + lines).properties(width=380, height=260))


def costs(seconds: Mapping[str, float]) -> Markup:
    """Seconds by step, in the order given."""
    frame = pl.DataFrame({"step": list(seconds), "seconds": list(seconds.values())})
    base = alt.Chart(frame).encode(x=alt.X("seconds:Q", title="Seconds"), y=alt.Y("step:N", title=None, sort=None))
    text = base.mark_text(align="left", dx=4, color=INK).encode(text=alt.Text("seconds:Q", format=".1f"))
    return render_chart((base.mark_bar(color=ACCENT, opacity=0.8) + text).properties(width=380, height=alt.Step(24)))


def lineage(nodes: pl.DataFrame, edges: pl.DataFrame) -> Markup:
    """What a version was made from: `x`, `y`, `title`, `text` of each record, `x`, `y`, `x2`, `y2` of each link."""
    x = alt.X("x:Q", axis=None, scale=alt.Scale(nice=False, padding=70))
    y = alt.Y("y:Q", axis=None, scale=alt.Scale(padding=24))
    links = alt.Chart(edges).mark_rule(color=QUIET).encode(x=x, y=y, x2="x2:Q", y2="y2:Q")
    base = alt.Chart(nodes).encode(x=x, y=y)
    boxes = base.mark_square(size=130, color=ACCENT, opacity=1)
    titles = base.mark_text(dy=-14, fontWeight="bold", color=INK).encode(text="title:N")
    texts = base.mark_text(dy=16, fontSize=10, color=INK).encode(text="text:N")
    height = 70 * max(1, nodes["y"].n_unique())
    return render_chart((links + boxes + titles + texts).properties(width=_WIDE, height=height))
