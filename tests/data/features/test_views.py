"""A view, compiled: what it needs of its source, and what comes of it."""

from datetime import timedelta
from typing import Any

import polars as pl
import pytest
from tests.data.features.conftest import MOMENT, at

from heptad.core.errors import DataError, SettingsError
from heptad.data import FeatureSettings, MadeSettings
from heptad.data.features.functions import EVENT, KNOWN, Reach
from heptad.data.features.views import View

SOURCE = pl.DataFrame(
    {
        "g": ["a", "a", None, "b"],
        "t": [at(2), at(1), at(1), None],
        "k": [at(5), at(0), at(1), at(1)],
        "v": [1, 2, 3, 4],
    },
    schema={"g": pl.String, "t": MOMENT, "k": MOMENT, "v": pl.Int64},
)


def view_of(*, time: str = "t", **more: Any) -> View:
    return View("shop", FeatureSettings(source="s", on=["g"], **more), time=time)


def test_prepared_rows_can_be_known() -> None:
    """Rows without key, time or knowledge are left out; nothing is known before it happens; `lag` comes on top."""
    rows = view_of(columns=["v"], known="k", lag="1h").prepared(SOURCE.lazy()).collect()
    assert rows.columns == ["\0key0", EVENT, KNOWN, "v"]
    assert rows.rows() == [("a", at(2), at(6), 1), ("a", at(1), at(2), 2)]


def test_only_columns_that_are_needed_are_read() -> None:
    """Keys, times, columns, and what functions are given; what is made is no column of the source."""
    make = {
        "a": MadeSettings(call="add", of=["v", "w"]),
        "b": MadeSettings(call="mean", of="a", window="1h"),
        "c": MadeSettings(call="target_mean", of="kind", target="y", known="seen"),
    }
    assert view_of(columns=["x"], make=make).inputs() == ["x", "kind", "y", "seen", "v", "w"]


def test_features_are_made_one_of_another_in_order_of_time() -> None:
    """A feature sees those before it, and rows as they happened, in whatever order they come."""
    make = {"double": MadeSettings(call="multiply", of="v", value=2.0), "before": MadeSettings(call="lag", of="double")}
    view = view_of(make=make)
    found = view.computed(view.prepared(SOURCE.lazy()).collect())
    assert found.select(EVENT, "double", "before").rows() == [(at(1), 4.0, None), (at(2), 2.0, 4.0)]


def test_how_far_back_a_view_looks() -> None:
    """Through what its features are made of."""
    make = {
        "week": MadeSettings(call="mean", of="v", window="7d"),
        "before": MadeSettings(call="lag", of="week", rows=2),
        "other": MadeSettings(call="sum", of="v", window="8d"),
    }
    view = view_of(make=make)
    assert view.reach == Reach(timedelta(days=8), 2)
    assert view.looks_back
    assert not view_of(columns=["v"]).looks_back
    assert not view_of(make={"all": MadeSettings(call="sum", of="v")}).reach.bounded


def test_types_are_told_without_reading() -> None:
    """Numbers of other sizes are widened, so that a feature has one type wherever it is kept."""
    make = {
        "count": MadeSettings(call="count", window="1h"),
        "hour": MadeSettings(call="hour", of="t"),
        "share": MadeSettings(call="divide", of="v", value=3.0),
        "rare": MadeSettings(call="frequency", of="g"),
    }
    view = view_of(columns=["v", "g"], make=make)
    assert view.schema(view.prepared(SOURCE.lazy()).collect_schema()) == {
        "v": pl.Int64(),
        "g": pl.String(),
        "count": pl.Int64(),
        "hour": pl.Int64(),
        "share": pl.Float64(),
        "rare": pl.Float64(),
    }


def test_a_function_that_does_not_fit_its_column_is_refused() -> None:
    """The type of the column is named, before anything is read."""
    view = view_of(make={"x": MadeSettings(call="hour", of="g")})
    with pytest.raises(DataError, match=r"\[features.shop\] cannot be computed"):
        view.schema(view.prepared(SOURCE.lazy()).collect_schema())
    view = view_of(columns=["parts"])
    with pytest.raises(DataError, match="'parts' would hold List"):
        view.schema(view.prepared(SOURCE.with_columns(parts=[[1]]).lazy()).collect_schema())


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"columns": ["v"], "stream": True, "time": ""}, "stream = true, but its source has no time"),
        ({"make": {"x": MadeSettings(call="lag", of="v")}, "time": ""}, "x looks at other rows"),
        ({"make": {"x": MadeSettings(call="sum", of="v")}, "stream": True}, "x looks back without an end"),
        ({"columns": ["v"], "known": "k", "time": ""}, "its source has no time"),
        ({}, "has no features"),
    ],
)
def test_views_that_cannot_work_are_refused(given: dict[str, Any], problem: str) -> None:
    """What can be said without the source is said at once."""
    with pytest.raises(SettingsError, match=problem):
        view_of(**given)


def test_settings_made_in_python_are_held_to_their_types() -> None:
    """As those of heptad.toml are."""
    with pytest.raises(SettingsError, match="cannot be computed"):
        view_of(columns=["v"], ttl="soon")
