"""Every function of `make` does what it says, on a few rows worked out by hand."""

import math
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tests.data.features.conftest import MOMENT, at

from heptad.data import FeatureSettings, MadeSettings
from heptad.data.features.functions import FUNCTIONS, Reach, hashed, reach_of
from heptad.data.features.views import View

NOON = datetime(2024, 2, 29, 23, 30, tzinfo=UTC)  # a Thursday, in Berlin already the first of March
ROWS = pl.DataFrame(
    {
        "g": ["a"] * 4,
        "t": [at(0), at(1), at(2), at(10)],
        "v": [2.0, None, -3.0, 8.0],
        "w": [4, 5, 0, 2],
        "when": [NOON, None, NOON + timedelta(hours=12), NOON + timedelta(days=2)],
        "text": ["Hello, World 42", None, "", "grüße an ÄÖ"],
        "kind": ["x", "y", None, "x"],
        "flag": [True, False, None, True],
    },
    schema={
        "g": pl.String,
        "t": MOMENT,
        "v": pl.Float64,
        "w": pl.Int64,
        "when": MOMENT,
        "text": pl.String,
        "kind": pl.String,
        "flag": pl.Boolean,
    },
)


def made(call: str, of: str | list[str] = (), **more: Any) -> list[Any]:
    """The feature that one function makes of the rows above."""
    given = list(of) if not isinstance(of, str) else of
    settings = FeatureSettings(source="s", on=["g"], make={"x": MadeSettings(call=call, of=given, **more)})
    view = View("test", settings, time="t")
    return view.computed(view.prepared(ROWS.lazy()).collect())["x"].to_list()


ROOT2 = math.sqrt(2)
CASES: list[tuple[str, Any, dict[str, Any], list[Any]]] = [
    ("add", ["v", "w"], {}, [6.0, None, -3.0, 10.0]),
    ("add", "w", {"value": 0.5}, [4.5, 5.5, 0.5, 2.5]),
    ("subtract", ["v", "w"], {}, [-2.0, None, -3.0, 6.0]),
    ("multiply", ["v", "w"], {}, [8.0, None, 0.0, 16.0]),
    ("divide", ["v", "w"], {}, [0.5, None, None, 4.0]),
    ("divide", "w", {"value": 2.0}, [2.0, 2.5, 0.0, 1.0]),
    ("above", "w", {"value": 2.0}, [True, True, False, False]),
    ("below", ["w", "v"], {}, [False, None, False, True]),
    ("least", ["v", "w"], {}, [2.0, 5.0, -3.0, 2.0]),
    ("greatest", ["v", "w"], {}, [4.0, 5.0, 0.0, 8.0]),
    ("absolute", "v", {}, [2.0, None, 3.0, 8.0]),
    ("log", "v", {}, [math.log(2), None, None, math.log(8)]),
    ("sqrt", "v", {}, [ROOT2, None, None, math.sqrt(8)]),
    ("round", "v", {"digits": 1}, [2.0, None, -3.0, 8.0]),
    ("clip", "v", {"low": -1.0, "high": 4.0}, [2.0, None, -1.0, 4.0]),
    ("clip", "v", {"low": 2.5}, [2.5, None, 2.5, 8.0]),
    ("bin", "v", {"edges": [0.0, 2.0, 5.0]}, [2, None, 0, 3]),
    ("missing", "kind", {}, [False, False, True, False]),
    ("fill", "kind", {"value": "?"}, ["x", "y", "?", "x"]),
    ("fill", "v", {"value": 0.0}, [2.0, 0.0, -3.0, 8.0]),
    ("first_of", ["v", "w"], {}, [2.0, 5.0, -3.0, 8.0]),
    ("equals", "kind", {"value": "x"}, [True, False, None, True]),
    ("hour", "when", {}, [23, None, 11, 23]),
    ("hour", "when", {"zone": "Europe/Berlin"}, [0, None, 12, 0]),
    ("minute_of_day", "when", {}, [23 * 60 + 30, None, 11 * 60 + 30, 23 * 60 + 30]),
    ("weekday", "when", {}, [4, None, 5, 6]),
    ("weekend", "when", {"zone": "Europe/Berlin"}, [False, None, False, True]),
    ("day", "when", {}, [29, None, 1, 2]),
    ("day_of_year", "when", {}, [60, None, 61, 62]),
    ("week", "when", {}, [9, None, 9, 9]),
    ("month", "when", {}, [2, None, 3, 3]),
    ("quarter", "when", {}, [1, None, 1, 1]),
    ("year", "when", {"zone": "Europe/Berlin"}, [2024, None, 2024, 2024]),
    ("sine", "when", {"part": "hour", "zone": "Europe/Berlin"}, [0.0, None, math.sin(math.pi), 0.0]),
    ("cosine", "when", {"part": "weekday"}, [math.cos(2 * math.pi * day / 7) if day else None for day in (3, 0, 4, 5)]),
    ("elapsed", ["t", "when"], {"unit": "d"}, None),
    ("length", "text", {}, [15, None, 0, 11]),
    ("words", "text", {}, [3, None, 0, 3]),
    ("letters", "text", {}, [10, None, 0, 9]),
    ("capitals", "text", {}, [2, None, 0, 2]),
    ("figures", "text", {}, [2, None, 0, 0]),
    ("lower", "text", {}, ["hello, world 42", None, "", "grüße an äö"]),
    ("contains", "text", {"pattern": "[0-9]+"}, [True, None, False, False]),
    ("extract", "text", {"pattern": "([0-9])[0-9]"}, ["4", None, None, None]),
    ("cross", ["kind", "w"], {}, ["x|4", "y|5", None, "x|2"]),
    ("mean", "v", {"rows": 2}, [2.0, 2.0, -3.0, 2.5]),
    ("mean", "flag", {"window": "2h"}, [1.0, 0.5, 0.0, 1.0]),
    ("sum", "v", {"window": "2h"}, [2.0, 2.0, -3.0, 8.0]),
    ("sum", "v", {}, [2.0, 2.0, -1.0, 7.0]),
    ("min", "v", {"window": "3h"}, [2.0, 2.0, -3.0, 8.0]),
    ("max", "v", {"window": "3h"}, [2.0, 2.0, 2.0, 8.0]),
    ("std", "w", {"rows": 2}, [None, ROOT2 / 2, 5 * ROOT2 / 2, ROOT2]),
    ("median", "w", {"window": "1d"}, [4.0, 4.5, 4.0, 3.0]),
    ("quantile", "w", {"window": "1d", "quantile": 1.0}, [4.0, 5.0, 5.0, 5.0]),
    ("count", [], {"window": "2h"}, [1, 2, 2, 1]),
    ("count", "v", {}, [1, 1, 2, 3]),
    ("decayed", "w", {"window": "1h"}, [4.0, 4.5, 2.25, 2.0 * (1 - 2**-8) + 2.25 * 2**-8]),
    ("lag", "kind", {}, [None, "x", "y", None]),
    ("lag", "w", {"rows": 3}, [None, None, None, 4]),
    ("difference", "w", {}, [None, 1.0, -5.0, 2.0]),
    ("change", "w", {}, [None, 0.25, -1.0, None]),
    ("since", [], {"unit": "h"}, [None, 1.0, 1.0, 8.0]),
]


@pytest.mark.parametrize(
    ("call", "of", "more", "expected"), CASES, ids=[f"{one[0]}-{i}" for i, one in enumerate(CASES)]
)
def test_functions(call: str, of: Any, more: dict[str, Any], expected: list[Any] | None) -> None:
    """What comes out is what the table says, missing values included."""
    if expected is None:
        expected = [
            None if when is None else (when - start).total_seconds() / 86400
            for when, start in zip(ROWS["when"], ROWS["t"], strict=True)
        ]
    found = made(call, of, **more)
    assert [type(one) for one in found] == [type(one) for one in expected]
    for one, other in zip(found, expected, strict=True):
        assert one == pytest.approx(other, abs=1e-12) if isinstance(other, float) else one == other


def test_every_function_is_tried_here_and_told_of_in_the_docs() -> None:
    """No function is without an example, or unknown to whoever reads the page about features."""
    page = (Path(__file__).parents[3] / "docs" / "steps" / "data" / "features.md").read_text(encoding="utf-8")
    elsewhere = {"hash", "target_mean", "frequency"}
    assert {call for call, *_ in CASES} | elsewhere == FUNCTIONS.keys()
    assert [name for name in FUNCTIONS if f"`{name}`" not in page] == []


def test_a_hash_is_the_same_on_every_machine() -> None:
    """Known texts have known numbers below the number of buckets; equal texts equal ones, null none."""
    assert hashed(pl.Series(["a", "b", None, "a"]), 1_000).to_list() == [43, 199, None, 43]
    numbers = made("hash", ["kind", "w"], buckets=10)
    assert numbers[2] is None
    assert all(0 <= one < 10 for one in numbers if one is not None)
    spread = hashed(pl.Series([str(number) for number in range(10_000)]), 10).value_counts()["count"]
    assert spread.min() > 850


def test_how_far_back_a_function_looks() -> None:
    """A window in time, so many rows, or without an end."""
    assert reach_of(MadeSettings(call="mean", window="2h"), "history") == Reach(window=timedelta(hours=2))
    assert reach_of(MadeSettings(call="mean", rows=5), "history") == Reach(rows=4)
    assert reach_of(MadeSettings(call="lag"), "history") == Reach(rows=1)
    assert reach_of(MadeSettings(call="since", rows=3), "history") == Reach(rows=3)
    assert not reach_of(MadeSettings(call="mean"), "history").bounded
    assert not reach_of(MadeSettings(call="decayed", window="1h"), "history").bounded
    assert not reach_of(MadeSettings(call="m:f", history=True), "history").bounded
    assert reach_of(MadeSettings(call="hour", of="t"), "row") == Reach()
    both = Reach(window=timedelta(hours=1)) + Reach(rows=2, bounded=False)
    assert both == Reach(timedelta(hours=1), 2, bounded=False)
