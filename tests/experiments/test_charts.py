"""What the charts of a comparison are made from."""

from collections.abc import Sequence
from typing import Any

import polars as pl
import pytest

from heptad.core.records import Scalar
from heptad.experiments.charts import draw_curves, parallel_coordinates, scatter
from heptad.experiments.comparison import RunComparison


def compared(params: dict[str, list[Scalar]], metric: Sequence[Scalar]) -> RunComparison:
    count = len(metric)
    return RunComparison(
        runs=[f"run-{number}" for number in range(count)],
        names=["a"] * count,
        params=params,
        metrics={"auc": list(metric)},
        status=["finished"] * count,
    )


def rows_of(chart: Any) -> list[dict[str, Any]]:
    return next(iter(chart.to_dict()["datasets"].values()))  # type: ignore[no-any-return]


def test_each_axis_reaches_from_its_least_value_to_its_largest() -> None:
    """Names stand in their order; a run without the value, and one without the metric, is not on the axis."""
    runs = compared({"depth": [2, 4, 6, None], "kind": ["b", "a", "c", "a"]}, [0.5, 0.6, 0.7, None])
    chart = parallel_coordinates(runs, "auc", ["depth", "kind"])
    assert chart is not None
    every = [row for rows in chart.to_dict()["datasets"].values() for row in rows]
    places = {(row["axis"], row["run"]): row["at"] for row in every if "run" in row}
    assert places["depth", "[2] a"] == pytest.approx(0.5)
    assert [places["kind", f"[{number}] a"] for number in (1, 2, 3)] == [0.5, 0.0, 1.0]
    assert ("depth", "[4] a") not in places


def test_where_nothing_differs_there_are_no_axes() -> None:
    assert parallel_coordinates(compared({"depth": [2, 2]}, [0.5, 0.6]), "auc", ["depth"]) is None
    assert parallel_coordinates(compared({"depth": [2, 3]}, [0.5, 0.5]), "auc", ["depth"]) is None


def test_a_wide_range_has_a_logarithmic_axis() -> None:
    """Learning rates from 0.0001 to 0.1 would all lie on the left."""
    wide = scatter(compared({"rate": [0.0001, 0.01, 0.1]}, [1, 2, 3]), "rate", "auc").to_dict()
    assert wide["encoding"]["x"]["scale"]["type"] == "log"
    near = scatter(compared({"rate": [1, 2, 3]}, [1, 2, 3]), "rate", "auc").to_dict()
    assert near["encoding"]["x"]["scale"]["type"] == "linear"
    lines = parallel_coordinates(compared({"rate": [0.0001, 0.001, 0.1]}, [1, 2, 3]), "auc", ["rate"])
    assert lines is not None
    every = [row for rows in lines.to_dict()["datasets"].values() for row in rows]
    assert [row["at"] for row in every if row["axis"] == "rate" and "run" in row] == pytest.approx([0, 1 / 3, 1])
    names = scatter(compared({"rate": ["a", 2, True]}, [1, 2, 3]), "rate", "auc")
    assert [row["param"] for row in rows_of(names)] == ["a", "2", "True"]


def test_a_curve_is_drawn_whatever_its_values() -> None:
    """NaN and infinity leave a gap."""
    points = pl.DataFrame({"run": "a", "step": [0, 1, 2, 3], "value": [1.0, float("nan"), float("inf"), 2.0]})
    assert draw_curves(points, "loss", "svg").startswith(b"<svg")
    assert draw_curves(points, "loss", "png").startswith(b"\x89PNG")


def test_numbers_that_have_no_place_are_left_out_of_axes() -> None:
    """NaN and infinities, of parameters and of the metric."""
    nan, inf = float("nan"), float("inf")
    runs = compared({"a": [1.0, 2.0, inf, nan, 3.0], "b": [4, 2, 1, 3, 5]}, [0.5, 0.6, 0.7, 0.8, nan])
    assert [row["param"] for row in rows_of(scatter(runs, "a", "auc"))] == [1.0, 2.0]
    chart = parallel_coordinates(runs, "auc", ["a", "b"])
    assert chart is not None
    every = [row for rows in chart.to_dict()["datasets"].values() for row in rows if "run" in row]
    assert {row["run"] for row in every if row["axis"] == "a"} == {"[1] a", "[2] a"}
    nowhere = compared({"a": [nan, inf], "b": [1, 2]}, [0.5, 0.6])
    assert rows_of(scatter(nowhere, "a", "auc")) == []
