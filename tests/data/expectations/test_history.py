"""What rows are compared with: versions before, one that is named, sources, other versions."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from heptad.core.errors import DataError, NotFoundError, SettingsError
from heptad.data import ColumnExpectation, Data, DataSettings, ExpectSettings, SourceSettings, TableExpectation
from heptad.data.expectations.settings import Range, Reference, RowsOf

SETTINGS = DataSettings(target="y", key=["k"], source="rows")
SOURCES = {"rows": SourceSettings(uri="rows.csv"), "places": SourceSettings(uri="places.csv")}


def rows(count: int, high: int = 7) -> pl.DataFrame:
    return pl.DataFrame(
        {"k": range(count), "x": [n % high for n in range(count)], "y": [["u", "v"][n % 3 == 0] for n in range(count)]}
    )


def test_volume_and_drift_look_at_versions_before(open_data: Callable[..., Data], write: Callable[..., Path]) -> None:
    """At the first version there is nothing to compare with; later ones are held to it before anything is written."""
    expect = ExpectSettings(
        infer=False,
        columns={"x": ColumnExpectation(drift=0.2)},
        table=[TableExpectation(volume=Range(min=0.5, max=2))],
    )
    write(rows(100))
    data = open_data(SETTINGS, expect=expect, sources={"rows": SOURCES["rows"]})
    first = data.collect()
    assert all(one.passed for one in first.body.findings)
    write(rows(300, 20))
    with pytest.raises(DataError) as error:
        data.collect()
    assert "x: the distribution is " in error.value.problem
    assert "rows as a multiple of the usual 100 is 3, not 0.5 to 2" in error.value.problem
    assert len(data.log()) == 1
    write(rows(120))
    second = data.collect()
    assert data.expectations.version(second).passed
    named = open_data(SETTINGS, expect=ExpectSettings(reference=7), sources={"rows": SOURCES["rows"]})
    with pytest.raises(NotFoundError, match="no data version 'test@7'"):
        named.expectations.version(second)


def test_the_late_rows_of_a_version_are_those_before_its_moment(
    open_data: Callable[..., Data], write: Callable[..., Path]
) -> None:
    """By `[data] time`; a day without rows refuses it, and checked again it says the same."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    frame = rows(10).with_columns(t=pl.Series([start + timedelta(days=day) for day in range(10)]))
    expect = ExpectSettings(infer=False, table=[TableExpectation(rows=Range(min=1), within="36h")])
    data = open_data(DataSettings(target="y", key=["k"], time="t"), expect=expect)
    write(frame)
    version = data.collect(until=start + timedelta(days=10))
    assert [one.where for one in version.body.findings if one.expectation == "rows"] == ["t within 36h"]
    assert data.expectations.version(version).passed
    with pytest.raises(DataError, match="the number of rows is 0, not at least 1"):
        data.collect(until=start + timedelta(days=11, hours=1))


def test_values_refer_to_sources_and_versions(open_data: Callable[..., Data], write: Callable[..., Path]) -> None:
    """Of the project; one that is not there is a mistake of the settings, with those that are."""
    write(rows(10))
    write(pl.DataFrame({"id": [0, 1, 2, 3, 4, 5]}), "places.csv")

    def opened(reference: Reference, severity: str = "error") -> Data:
        columns = {"x": ColumnExpectation(references=reference, severity=severity)}
        table = [TableExpectation(rows_of=RowsOf(source="places", max=2))]
        return open_data(SETTINGS, expect=ExpectSettings(columns=columns, table=table), sources=SOURCES)

    with pytest.raises(DataError, match=r"x: 1 value that places\.id does not have"):
        opened(Reference(source="places", column="id")).collect()
    version = opened(Reference(source="places", column="id"), "warning").collect()
    assert [one.expectation for one in version.body.findings if not one.passed] == ["references"]
    assert opened(Reference(version=1, column="x")).expectations.version(version).passed
    for wrong, why in (
        (Reference(source="place", column="id"), "did you mean 'places'"),
        (Reference(version=9, column="id"), "There is no data version 'test@9'"),
        (Reference(column="id"), "one of the two"),
    ):
        with pytest.raises(SettingsError, match=why):
            opened(wrong).expectations.version(version)
