"""Charts of a rehearsal: drawn without a network, also from little."""

from datetime import UTC, datetime

import polars as pl
import pytest

from heptad.lifecycle import charts
from heptad.training import CalibrationBin

DAY = datetime(2026, 1, 1, tzinfo=UTC)
WEEKS = pl.DataFrame({"week": [DAY], "loop": [0.7], "frozen": [0.6]})
BIN = CalibrationBin(predicted=0.2, observed=0.3, rows=10)


@pytest.mark.parametrize(
    "drawn",
    [
        lambda: charts.score_by_week(WEEKS, [(DAY, "rides@2")], "ROC AUC"),
        lambda: charts.score_by_week(WEEKS, [], "ROC AUC"),
        lambda: charts.timeline(
            pl.DataFrame([{"version": "rides@1", "start": DAY, "end": DAY, "row": "champion"}]),
            pl.DataFrame([{"at": DAY, "what": "refused", "row": "plans"}]),
        ),
        lambda: charts.drift_map(pl.DataFrame([{"week": DAY, "column": "x", "distance": 0.3}]), 0.2),
        lambda: charts.calibration({"loop": [BIN], "frozen": [BIN]}),
        lambda: charts.costs({"data": 1.5}),
        lambda: charts.lineage(
            pl.DataFrame([{"x": 0, "y": 0, "title": "run", "text": "run-1"}]),
            pl.DataFrame(schema={"x": pl.Int64, "y": pl.Int64, "x2": pl.Int64, "y2": pl.Int64}),
        ),
    ],
)
def test_a_chart_is_drawn_as_svg(drawn: object) -> None:
    """Each chart comes out as an inline SVG that names no other file."""
    svg = drawn()  # type: ignore[operator]  # one of the lambdas above
    assert svg.startswith("<svg")
    assert "xlink:href" not in svg
