"""An entity is somebody's where nobody else has it, and where it is of a kind that tells people apart."""

from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heptad.data.erasing.entities import find_entities
from heptad.data.erasing.subjects import Subjects

WHO = Subjects(columns=["person"], keys=[["p3"]])


def table() -> pl.LazyFrame:
    """Two rows of each of thirty people."""
    number = pl.Series("number", [one // 2 for one in range(60)])
    return pl.LazyFrame([number]).with_columns(person=pl.format("p{}", "number"))


def test_what_only_they_have_is_theirs() -> None:
    """Named as in a request: whole numbers without a point, times in ISO 8601."""
    rows = table().with_columns(
        email=pl.format("mail{}@x.example", "number"),
        card=pl.col("number") + 0.5,
        account=pl.col("number").cast(pl.Float64),
        born=pl.lit(datetime(2000, 1, 1, tzinfo=UTC)) + pl.duration(days="number"),
        town=pl.when(pl.col("number") == 3).then(pl.lit("Zzyzx")).otherwise(pl.lit("Bonn")),
    )
    found = find_entities(WHO, {("email",), ("card",), ("account",), ("born",), ("town",), ("person",)}, [rows], [])
    assert {one.columns[0]: one.keys for one in found.own} == {
        "email": [["mail3@x.example"]],
        "card": [["3.5"]],
        "account": [["3"]],
        "born": [["2000-01-04T00:00:00.000000+00:00"]],
    }
    # One inhabitant of a town does not make it theirs, and by `person` they are found anyway.
    assert found.unsure == ["town"]


def test_what_others_have_as_well_stays() -> None:
    """In any table: a family shares an address, whichever version says so."""
    rows = table().with_columns(email=pl.format("mail{}@x.example", "number"))
    family = pl.LazyFrame({"person": ["p3", "p31", None], "email": ["mail3@x.example", "mail3@x.example", "other"]})
    nobody = pl.LazyFrame({"person": [None], "email": ["mail3@x.example"]}, schema_overrides={"person": pl.String})
    assert find_entities(WHO, {("email",)}, [], [rows]).unsure == []
    for other in (family, nobody):
        found = find_entities(WHO, {("email",)}, [rows], [other])
        assert (found.own, found.unsure) == ([], ["email"])
    # In a source that does not name people they are made features of; in a version they are rows that stay.
    unnamed = family.select("email")
    assert find_entities(WHO, {("email",)}, [rows], [unnamed]).own != []
    assert find_entities(WHO, {("email",)}, [rows, unnamed], []).own == []


def test_entities_of_several_columns() -> None:
    """All of an own e-mail are theirs; a pair is where neither of the two is."""
    rows = table().with_columns(
        email=pl.format("mail{}@x.example", "number"),
        shop=pl.col("number") % 5,
        place=pl.col("number") // 5,
    )
    found = find_entities(WHO, {("email", "shop"), ("shop", "place")}, [rows], [])
    assert [one.parts() for one in found.own] == [[{"email": "mail3@x.example"}], [{"shop": "3", "place": "0"}]]
    assert found.unsure == []


@pytest.mark.parametrize("view", [("device",), ("device", "town")])
def test_what_no_table_tells_is_said(view: tuple[str, ...]) -> None:
    """Columns of the source of features only."""
    found = find_entities(WHO, {view}, [table()], [])
    assert (found.own, found.unsure) == ([], [", ".join(view)])


@given(st.lists(st.tuples(st.integers(0, 5), st.none() | st.integers(0, 9), st.integers(0, 2)), max_size=40))
def test_nobody_elses_entity_is_ever_theirs(rows: list[tuple[int, int | None, int]]) -> None:
    """Whatever the tables hold, and however they are parted."""
    schema = {"person": pl.Int64, "account": pl.Int64, "shop": pl.Int64}
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    who = Subjects(columns=["person"], keys=[["1"]])
    found = find_entities(who, {("account",), ("account", "shop")}, [frame[:20].lazy()], [frame[20:].lazy()])
    mine, others = frame.filter(pl.col("person") == 1), frame.filter(pl.col("person") != 1)
    for one in found.own:
        keys = {tuple(map(int, key)) for key in one.keys}
        assert keys <= {*mine.select(one.columns).rows()}
        assert not keys & {*others.select(one.columns).rows()}
