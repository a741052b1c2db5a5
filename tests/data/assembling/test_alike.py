"""What was promised binds until a person changes how a column comes about; other settings switch no guard off."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from heptad.core.errors import DataError
from heptad.core.settings import ProjectSettings
from heptad.data import (
    CleanRule,
    CleanSettings,
    ColumnExpectation,
    Data,
    DataSettings,
    ExpectSettings,
    FeatureSettings,
    SourceSettings,
)
from heptad.data.assembling.alike import binds, made_alike, touched

Open = Callable[..., Data]
Write = Callable[..., Path]
BEFORE = pl.DataFrame(
    {"k": range(20), "a": [x / 4 for x in range(20)], "c": ["x", "y"] * 10, "d": [f"{x % 3}" for x in range(20)]}
).with_columns(y=pl.col("k") % 2)
CHANGED = BEFORE.drop("c").with_columns(a=pl.lit("v") + pl.col("a").cast(pl.String))
SETTINGS = DataSettings(target="y", key=["k"])
REFUSING = {"rows": SourceSettings(uri="rows.csv", on_change="refuse")}


def with_data(**changed: Any) -> dict[str, Any]:
    return {"data": DataSettings(target="y", key=["k"], **changed)}


@pytest.fixture
def reopen(open_data: Open) -> Callable[..., Data]:
    """Opens the project with some of its settings changed."""

    def opened(**changed: Any) -> Data:
        given = {"data": SETTINGS, "sources": REFUSING} | changed
        return open_data(given.pop("data"), **given)

    return opened


@pytest.mark.parametrize(
    "changed",
    [
        {"expect": ExpectSettings(columns={"y": ColumnExpectation(missing=0.5)})},
        {"project": ProjectSettings(name="test", seed=99)},
        {"clean": CleanSettings(duplicates="keep")},
        {"clean": CleanSettings(columns={"d": CleanRule(strip=True)})},
        {"features": {"f": FeatureSettings(source="more", on=["k"], columns=["z"])}},
        {"sources": REFUSING | {"more": SourceSettings(uri="more.csv")}, **with_data(source="rows")},
        {"sources": {"rows": SourceSettings(uri="rows.csv", on_change="refuse", unpacked_gb=5)}},
        with_data(every="1d"),
        with_data(types={"d": "category"}),
        with_data(ignore=["d"]),
    ],
)
def test_settings_about_something_else_leave_the_guard_on(
    changed: dict[str, Any], reopen: Callable[..., Data], write: Write
) -> None:
    """Under `refuse`, a column that is gone and one of another type are refused, and nothing is written."""
    write(BEFORE)
    write(BEFORE.select("k", z="a"), "more.csv")
    if "features" in changed:
        changed = changed | {"sources": REFUSING | {"more": SourceSettings(uri="more.csv")}}
    reopen().collect()
    write(CHANGED)
    with pytest.raises(DataError, match=r"(?s)c: was text, is gone.*a: was number, is text now"):
        reopen(**changed).collect()
    assert [one.body.version for one in reopen().log()] == [1]


def test_a_changed_expectation_keeps_what_the_first_version_promised(reopen: Callable[..., Data], write: Write) -> None:
    """Roles, types and limits hold on, and the version is another, since other things are expected of it."""
    write(BEFORE)
    reopen(sources=None).collect()
    expect = ExpectSettings(columns={"a": ColumnExpectation(max=100)})
    assert reopen(sources=None, expect=expect).collect().body.version == 2
    write(BEFORE.with_columns(a=pl.col("a") + 1, e=pl.col("k") * 2))
    body = reopen(sources=None, expect=expect).collect().body
    assert {one.name: one.role for one in body.schema.columns}["e"] == "ignored"
    assert "a" in [one.column for one in body.findings if one.expectation == "range" and not one.passed]


def test_a_closed_set_that_is_widened_takes_the_new_value(reopen: Callable[..., Data], write: Write) -> None:
    """The version before was closed to it, which its settings said and no longer say."""

    def closed(*values: str) -> ExpectSettings:
        return ExpectSettings(columns={"c": ColumnExpectation(allowed=list(values))})

    write(BEFORE)
    reopen(expect=closed("x", "y")).collect()
    write(BEFORE.with_columns(c=pl.Series(["x", "z"] * 10)))
    with pytest.raises(DataError, match="values other than x, y"):
        reopen(expect=closed("x", "y")).collect()
    assert reopen(expect=closed("x", "y", "z")).collect().body.version == 2


def test_a_source_that_is_read_in_another_way_begins_anew(reopen: Callable[..., Data], write: Write) -> None:
    """Another file has the columns that it has."""
    write(BEFORE)
    reopen().collect()
    write(CHANGED, "others.csv")
    body = reopen(sources={"rows": SourceSettings(uri="others.csv", on_change="refuse")}).collect().body
    assert {one.name: one.type for one in body.schema.columns}["a"] == "category"
    assert not [one for one in body.findings if one.expectation == "on_change"]


@pytest.mark.parametrize(
    ("changed", "later"),
    [
        (with_data(types={"d": "text"}), BEFORE),
        ({"clean": CleanSettings(columns={"a": CleanRule(strip=True)})}, BEFORE.with_columns(a=pl.lit("v"))),
        ({"data": DataSettings(target="y", key=["n"])}, BEFORE.rename({"k": "n"})),
    ],
)
def test_a_column_that_a_person_speaks_of_is_taken_as_it_comes(
    changed: dict[str, Any], later: pl.DataFrame, reopen: Callable[..., Data], write: Write
) -> None:
    """It was changed for a reason; what is not spoken of is refused beside it."""
    write(BEFORE)
    reopen().collect()
    write(later.drop("c"))
    with pytest.raises(DataError) as raised:
        reopen(**changed).collect()
    assert raised.value.problem.splitlines()[1:] == ["  c: was text, is gone"]
    write(later)
    body = reopen(**changed).collect().body
    assert body.version == 2
    assert not [one for one in body.findings if one.expectation == "on_change"]


def test_with_another_target_everything_begins_anew(reopen: Callable[..., Data], write: Write) -> None:
    """It is another table, of which nothing was promised."""
    write(BEFORE)
    reopen().collect()
    write(CHANGED.rename({"y": "z"}))
    body = reopen(data=DataSettings(target="z", key=["k"])).collect().body
    assert (body.version, {one.name for one in body.schema.columns}) == (2, {"k", "a", "d", "z"})


def test_inference_that_is_switched_off_binds_nothing(reopen: Callable[..., Data], write: Write) -> None:
    """It is what is said now that counts, not at the version before."""
    write(BEFORE)
    reopen(sources=None).collect()
    write(BEFORE.drop("c"))
    with pytest.raises(DataError, match="c: was text, is gone"):
        reopen(sources=None).collect()
    assert reopen(sources=None, expect=ExpectSettings(infer=False)).collect().body.version == 2


EFFECTIVE: dict[str, Any] = {
    "sources": {"a": {"uri": "x", "on_change": None}},
    "data": {
        "target": "y",
        "source": "",
        "function": "",
        "types": {},
        "every": "",
        "key": [],
        "time": "",
        "label_time": "",
    },
    "clean": {"columns": {}, "duplicates": "drop"},
    "features": {},
    "function": "",
    "timezone": "UTC",
    "seed": 7,
}


def test_settings_that_differ_in_the_policy_make_the_same_version() -> None:
    """Any other difference makes another, though what binds is the same."""
    assert made_alike(EFFECTIVE, EFFECTIVE | {"sources": {"a": {"uri": "x", "on_change": "accept"}}, "expect": {}})
    assert not made_alike(EFFECTIVE, EFFECTIVE | {"sources": {"a": {"uri": "z", "on_change": None}}})
    assert not made_alike(EFFECTIVE, EFFECTIVE | {"seed": 8})
    assert binds(EFFECTIVE, EFFECTIVE | {"seed": 8, "expect": {"infer": True}})


def test_what_makes_columns_otherwise_binds_nothing() -> None:
    """Section by section."""
    data: dict[str, Any] = EFFECTIVE["data"]
    for changed in (
        {"sources": {"a": {"uri": "z", "on_change": None}}},
        {"data": data | {"types": {"d": "text"}}},
        {"clean": {"columns": {"d": {"strip": True}}, "duplicates": "drop"}},
        {"features": {"f": {"source": "a", "owner": ""}}},
        {"function": "digest"},
        {"timezone": "Europe/Berlin"},
        {"labelling": {"least": 0.5}},
    ):
        assert not binds(EFFECTIVE, EFFECTIVE | changed), changed
    assert touched(EFFECTIVE, EFFECTIVE | {"data": data | {"types": {"d": "text"}}}) == {"d"}
    assert touched(EFFECTIVE, EFFECTIVE | {"data": data | {"types": {"d": "text"}, "function": "p:table"}}) == set()
