"""Values are joined as they were known at each row's time, never from its future."""

from datetime import datetime

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.data.features.conftest import MOMENT, at

from heptad.core.errors import DataError, SettingsError
from heptad.data import FeatureSettings, MadeSettings
from heptad.data.features.joins import Values, added_names, join_features

GROUPS = st.sampled_from(["a", "b", None])
EVENTS = st.lists(st.tuples(st.integers(0, 30), GROUPS), max_size=25)
KNOWN = st.lists(st.tuples(st.integers(0, 30), st.integers(-3, 30) | st.none(), GROUPS), max_size=25)
TYPES = {"t": MOMENT, "g": pl.String}


def rows_of(events: list[tuple[int, str | None]]) -> pl.DataFrame:
    return pl.DataFrame([(at(hour), group) for hour, group in events], schema=TYPES, orient="row")


def values_of(events: list[tuple[int, str | None]]) -> pl.DataFrame:
    return rows_of(events).with_columns(v=pl.int_range(pl.len(), dtype=pl.Int64))


def known_values_of(events: list[tuple[int, int | None, str | None]]) -> pl.DataFrame:
    """Each value becomes known so many hours after it happened, at once where that is below zero, never for `None`."""
    rows = [
        (at(hour), None if late is None else at(hour + late), group, number)
        for number, (hour, late, group) in enumerate(events)
    ]
    return pl.DataFrame(rows, schema={"t": MOMENT, "k": MOMENT, "g": pl.String, "v": pl.Int64}, orient="row")


def joined(rows: pl.DataFrame, values: pl.DataFrame, feature: FeatureSettings, *, memory: int = 0) -> pl.DataFrame:
    time = "t" if "t" in values.columns else ""
    one = Values(name="w", settings=feature, rows=values.lazy(), time=time)
    return join_features(rows.lazy(), [one], time="t" if "t" in rows.columns else "", memory=memory).collect()


def naive(rows: list, values: list, ttl: int | None, lag: int) -> list[int | None]:
    """The definition, row by row: of the events known by then the latest, of equal ones the one known or read last."""
    found: list[int | None] = []
    for hour, group in rows:
        known = [
            (when, max(0, late) + when, number)
            for number, (when, late, other) in enumerate(values)
            if late is not None and other == group and group is not None and when + max(0, late) + lag <= hour
        ]
        newest = max(known, default=None)
        fresh = newest is not None and (ttl is None or hour - newest[0] <= ttl)
        found.append(newest[2] if newest is not None and fresh else None)
    return found


@given(EVENTS, EVENTS, st.none() | st.integers(0, 10), st.integers(0, 5))
def test_joins_agree_with_their_definition(rows: list, values: list, ttl: int | None, lag: int) -> None:
    """In whatever order both sides are, each row keeps its place and gets what was known, and nothing later."""
    feature = FeatureSettings(source="w", on=["g"], columns=["v"], ttl="" if ttl is None else f"{ttl}h", lag=f"{lag}h")
    found = joined(rows_of(rows), values_of(values), feature)
    assert found.select("t", "g").equals(rows_of(rows))
    assert found["v"].to_list() == naive(rows, [(when, 0, group) for when, group in values], ttl, lag)


@given(EVENTS, KNOWN, st.none() | st.integers(0, 10), st.integers(0, 5))
def test_a_back_fill_is_not_taken_for_knowledge_of_the_past(
    rows: list, values: list, ttl: int | None, lag: int
) -> None:
    """With a column of known times, a value counts from then on, and a late one does not hide a later event."""
    feature = FeatureSettings(
        source="w", on=["g"], columns=["v"], known="k", ttl="" if ttl is None else f"{ttl}h", lag=f"{lag}h"
    )
    assert joined(rows_of(rows), known_values_of(values), feature)["v"].to_list() == naive(rows, values, ttl, lag)


def naive_history(rows: list, values: list, hours: int) -> list[tuple[float | None, int | None, int | None]]:
    """Sum and count over a window, and the value before, of the rows known at each moment and of no others."""
    found: list[tuple[float | None, int | None, int | None]] = []
    for hour, group in rows:
        known = sorted(
            (when, when + max(0, late), number)
            for number, (when, late, other) in enumerate(values)
            if late is not None and other == group and group is not None and when + max(0, late) <= hour
        )
        if not known:
            found.append((None, None, None))
            continue
        latest = known[-1][0]
        window = [number for when, _, number in known if latest - hours < when <= latest]
        found.append((float(sum(window)), len(window), known[-2][2] if len(known) > 1 else None))
    return found


LATE = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6), st.sampled_from(["a", "b"])), max_size=25)
"""Few moments and two entities, so that much comes late, and much at once."""


@given(EVENTS, KNOWN | LATE, st.integers(1, 12))
def test_windows_hold_what_was_known_then(rows: list, values: list, hours: int) -> None:
    """A row that comes late is in no window before it came, and in all that reach it from then on."""
    make = {
        "total": MadeSettings(call="sum", of="v", window=f"{hours}h"),
        "count": MadeSettings(call="count", window=f"{hours}h"),
        "before": MadeSettings(call="lag", of="v"),
    }
    feature = FeatureSettings(source="w", on=["g"], make=make, known="k")
    found = joined(rows_of(rows), known_values_of(values), feature).select("total", "count", "before").rows()
    assert found == naive_history(rows, values, hours)


@settings(max_examples=25)
@given(EVENTS, KNOWN, EVENTS)
def test_parted_on_disk_it_is_the_same(rows: list, values: list, more: list) -> None:
    """What does not fit into memory is joined part by part, with the same result in the same order."""
    make = {"before": MadeSettings(call="lag", of="v"), "total": MadeSettings(call="sum", of="v", window="6h")}
    views = [
        Values(
            name="w",
            settings=FeatureSettings(source="w", on=["g"], columns=["v"], make=make, known="k", ttl="20h"),
            rows=known_values_of(values).lazy(),
            time="t",
        ),
        Values(
            name="x",
            settings=FeatureSettings(source="x", on=["g"], columns=["v"]),
            rows=values_of(more).lazy(),
            time="t",
        ),
        Values(
            name="all",
            settings=FeatureSettings(source="x", on=[], columns=["v"]),
            rows=values_of(more).lazy(),
            time="t",
        ),
    ]
    numbered = rows_of(rows).with_row_index("n")
    held, parted = (join_features(numbered.lazy(), views, time="t", memory=memory).collect() for memory in (1 << 30, 1))
    assert parted.equals(held)
    assert held.columns == ["n", "t", "g", "v", "before", "total", "x_v", "all_v"]


def test_without_groups_the_newest_value_counts() -> None:
    """A source without `on` is one series for all rows."""
    feature = FeatureSettings(source="w", on=[], columns=["v"])
    found = joined(rows_of([(5, "a")]), values_of([(1, "x"), (4, "y"), (6, "z")]), feature)
    assert found["v"].to_list() == [1]


def test_a_source_without_time_is_looked_up() -> None:
    """Rows keep their order; nulls and unknown groups find nothing; keys of other types are compared as text."""
    rows = pl.DataFrame({"g": [2, None, 1, 9]})
    values = pl.DataFrame({"g": ["1", "2", None], "v": [10, 20, 30]})
    found = joined(rows, values, FeatureSettings(source="p", on=["g"], columns=["v"]))
    assert found.to_dict(as_series=False) == {"g": [2, None, 1, 9], "v": [20, None, 10, None]}


WHOLE = st.integers(-9, 9) | st.sampled_from([2**53, -(2**53), 2**63 - 1])
FLOATS = WHOLE.map(float) | st.sampled_from([0.5, -1.5, 1e300, float("nan"), float("inf"), float("-inf")])


@given(
    st.lists(WHOLE, unique=True, max_size=9),
    st.lists(FLOATS | st.none(), max_size=9, unique=True),
    st.sampled_from([pl.Int8, pl.Int32, pl.Int64]),
    st.booleans(),
    st.sampled_from([0, 1]),
)
def test_whole_numbers_match_floats_of_the_same_value(
    whole: list[int], floats: list[float | None], kind: type[pl.DataType], swapped: bool, memory: int
) -> None:
    """As a column of ids that has a gap is written; what is not whole, or no number, matches nothing."""
    integers = pl.DataFrame({"g": whole}, schema={"g": pl.Int64}).filter(
        pl.col("g").cast(kind, strict=False).is_not_null()
    )
    sides = [integers.cast(kind), pl.DataFrame({"g": floats}, schema={"g": pl.Float64})]
    rows, values = reversed(sides) if swapped else sides
    values = values.with_columns(v=pl.int_range(pl.len(), dtype=pl.Int64))
    found = joined(rows, values, FeatureSettings(source="p", on=["g"], columns=["v"]), memory=memory)
    place = {key: number for number, key in enumerate(values["g"]) if key is not None}
    assert found["v"].to_list() == [place.get(key) for key in rows["g"]]


def test_an_id_with_a_gap_finds_its_history() -> None:
    """With times, several keys and text beside it."""
    values = pl.DataFrame(
        {"t": [at(1), at(2), at(3), at(4)], "g": [1.0, 2.0, None, 2.5], "h": ["7"] * 4, "v": [10, 20, 30, 40]},
        schema_overrides={"t": MOMENT},
    )
    rows = pl.DataFrame({"t": [at(5)] * 4, "g": [1, 2, 3, None], "h": [7] * 4}, schema_overrides={"t": MOMENT})
    feature = FeatureSettings(source="w", on=["g", "h"], columns=["v"])
    for memory in (0, 1):
        assert joined(rows, values, feature, memory=memory)["v"].to_list() == [10, 20, None, None]


def test_only_what_is_asked_for_is_computed() -> None:
    """Polars asks for some columns, some rows, or those that meet a condition, and gets just these."""
    values = values_of([(1, "a"), (2, "b")])
    broken = values.lazy().with_columns(pl.col("v").map_batches(_fail, return_dtype=pl.Int64))
    views = [
        Values(name="w", settings=FeatureSettings(source="w", on=["g"], columns=["v"]), rows=values.lazy(), time="t"),
        Values(name="x", settings=FeatureSettings(source="x", on=["g"], columns=["v"]), rows=broken, time="t"),
    ]
    rows = rows_of([(0, "a"), (3, "b"), (4, "a"), (5, None)])
    plan = join_features(rows.lazy(), views, time="t")
    assert plan.collect_schema() == pl.Schema(TYPES | {"v": pl.Int64(), "x_v": pl.Int64()})
    assert plan.select("v").collect()["v"].to_list() == [None, 1, 0, None]
    assert plan.select("v").head(2).collect()["v"].to_list() == [None, 1]
    assert plan.filter(pl.col("v") == 0).select("t").collect(engine="streaming")["t"].to_list() == [at(4)]
    assert plan.select(pl.len()).collect().item() == 4
    with pytest.raises(ValueError, match="not to be computed"):
        plan.collect()


def _fail(_: pl.Series) -> pl.Series:
    raise ValueError("it was not to be computed")


def test_a_name_that_is_taken_gets_the_view_s_name_before_it() -> None:
    """The rows' own column stays what it was, and a key may be a feature too."""
    feature = FeatureSettings(
        source="p", on=["g"], columns=["year", "g"], make={"even": MadeSettings(call="add", of="year", value=1.0)}
    )
    rows = pl.DataFrame({"g": ["a"], "year": [2013]})
    found = joined(rows, pl.DataFrame({"g": ["a"], "year": [1999]}), feature)
    assert found.row(0, named=True) == {"g": "a", "year": 2013, "w_year": 1999, "w_g": "a", "even": 2000.0}
    assert added_names(["year"], "planes", feature) == {"year": "planes_year", "g": "g", "even": "even"}


def test_several_keys_and_times_far_apart() -> None:
    """Groups of several columns, and times that leave no room beside the number of the group, are found too."""
    moments = [datetime(1200, 1, 1, tzinfo=at(0).tzinfo), at(0.0000001), at(5)]
    values = pl.DataFrame(
        {"t": [when for when in moments for _ in range(2_000)], "g": list(range(2_000)) * 3, "h": ["x", "y"] * 3_000},
        schema={"t": MOMENT, "g": pl.Int64, "h": pl.String},
    ).with_columns(v=pl.int_range(pl.len()))
    rows = pl.DataFrame(
        {"t": [at(1), at(1), at(9), moments[0]], "g": [7, 7, 8, 8], "h": ["y", "x", "x", "x"]},
        schema={"t": MOMENT, "g": pl.Int64, "h": pl.String},
    )
    found = joined(rows, values, FeatureSettings(source="w", on=["g", "h"], columns=["v"]))
    assert found["v"].to_list() == [2_007, None, 4_008, 8]


def test_a_lookup_that_is_not_unique_is_refused() -> None:
    """Two rows for one group would double rows in silence."""
    feature = FeatureSettings(source="p", on=["g"], columns=["v"])
    with pytest.raises(DataError, match="not unique in its source: g 'a'"):
        joined(pl.DataFrame({"g": ["a"]}), pl.DataFrame({"g": ["a", "a"], "v": [1, 2]}), feature)


@pytest.mark.parametrize(
    ("given_settings", "time", "value_time", "kind", "problem"),
    [
        ({"on": ["h"], "columns": ["v"]}, "t", "t", DataError, "no column 'h' in the table"),
        ({"on": ["g"], "columns": ["w"]}, "t", "t", DataError, "no column 'w' in the source 'w'"),
        ({"on": ["g"], "columns": ["v"], "known": "k"}, "t", "t", DataError, "no column 'k' in the source 'w'"),
        ({"on": ["g"], "columns": ["v"]}, "t", "v", DataError, "by which .* joins, holds Int64"),
        ({"on": ["g"], "columns": ["v"]}, "", "t", SettingsError, "but the table has none"),
        ({"on": ["g"], "columns": ["v"]}, "when", "t", DataError, "no column 'when' in the table"),
        ({"on": ["g"], "columns": ["v"], "ttl": "1h"}, "t", "", SettingsError, "its source has no time"),
        ({"on": [], "columns": ["v"]}, "t", "", SettingsError, "by which columns nowhere"),
        ({"on": ["g"]}, "t", "t", SettingsError, "has no features"),
    ],
)
def test_settings_that_do_not_fit_are_refused(
    given_settings: dict, time: str, value_time: str, kind: type[Exception], problem: str
) -> None:
    """Columns that are not there, and times that only one side has; found before anything is read."""
    one = Values(
        name="f",
        settings=FeatureSettings(source="w", **given_settings),
        rows=values_of([(1, "a")]).lazy(),
        time=value_time,
    )
    with pytest.raises(kind, match=problem):
        join_features(rows_of([(1, "a")]).lazy(), [one], time=time)


def test_without_views_the_rows_are_as_they_were() -> None:
    """Nothing is added where there is nothing to add."""
    rows = rows_of([(1, "a")])
    assert join_features(rows.lazy(), [], time="t").collect().equals(rows)
