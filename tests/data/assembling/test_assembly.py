"""Sources, function and features become one table in one order."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import polars as pl
import pytest

from heptad.core.errors import DataError, SettingsError
from heptad.core.settings import ProjectSettings
from heptad.data import CleanRule, CleanSettings, DataSettings, FeatureSettings, Place, SourceSettings
from heptad.data.assembling.assembly import Assembly
from heptad.data.cleaning.aside import without_marks
from heptad.data.passes import ask
from heptad.data.records import Repair, SourceRead

TRIPS = "id,when,place,late\nc,2020-01-03T10:00,x,1\na,2020-01-01T10:00,x,0\nb,2020-01-02T10:00,y,1\n"
WEATHER = "when,place,wind\n2020-01-01T09:00,x,5\n2020-01-02T09:00,x,999\n2020-01-03T09:30,x,7\n2020-01-03T10:30,x,8\n"
SOURCES = {
    "trips": SourceSettings(uri="trips.csv", time="when"),
    "weather": SourceSettings(uri="weather.csv", time="when"),
}
WIND = FeatureSettings(source="weather", on=["place"], columns=["wind"], ttl="2h")
DATA = DataSettings(target="late", key=["id"], time="when")


@pytest.fixture(params=["small", "large"])
def folder(tmp_path: Path, request: pytest.FixtureRequest, work_in_files: Callable[[], None]) -> Path:
    """Tables are made alike in memory and out of it."""
    if request.param == "large":
        work_in_files()
    (tmp_path / "trips.csv").write_text(TRIPS)
    (tmp_path / "weather.csv").write_text(WEATHER)
    return tmp_path


def assembly(
    folder: Path,
    data: DataSettings = DATA,
    sources: Mapping[str, SourceSettings] = SOURCES,
    features: Mapping[str, FeatureSettings] | None = None,
    clean: CleanSettings | None = None,
) -> Assembly:
    given = {"weather": WIND} if features is None else features
    return Assembly(Place(root=folder), ProjectSettings(), sources, data, clean or CleanSettings(), given)


class Made(msgspec.Struct):
    """The whole table and what is told of it."""

    frame: pl.DataFrame
    sources: list[SourceRead]
    repairs: list[Repair]


def build(assembly: Assembly, until: datetime | None = None) -> Made:
    made = assembly.build(until)
    with made.staged:
        (cells,) = ask(made.rows, made.repairing)
        repairs = [*made.repairs, *made.repairing.repairs(made.typed, cells)]
        return Made(without_marks(made.rows).collect(), made.sources, repairs)


def test_rows_come_in_order_of_time_with_what_was_known_then(folder: Path) -> None:
    """The table is sorted, features are joined as of each row, and nothing of its future."""
    frame = build(assembly(folder)).frame
    assert frame["id"].to_list() == ["a", "b", "c"]
    assert frame["wind"].to_list() == [5, None, 7]
    assert frame["late"].to_list() == ["0", "1", "1"]


def test_until_hides_what_came_later_in_every_source(folder: Path) -> None:
    """Rows at or after the moment are not there, nor are values of other sources."""
    (folder / "pipeline.py").write_text(
        "def table(trips, weather):\n    return trips.join(weather.select(readings='wind').count(), how='cross')\n"
    )
    data = DataSettings(target="late", key=["id"], time="when", function="pipeline:table")
    made = assembly(folder, data, features={})
    moment = datetime(2020, 1, 3, 10, tzinfo=UTC)
    assert build(made, moment).frame.select("id", "readings").rows() == [("a", 3), ("b", 3)]
    assert build(made).frame["readings"].to_list() == [4, 4, 4]
    with pytest.raises(DataError, match="no rows"):
        build(made, datetime(2019, 1, 1, tzinfo=UTC))


def test_a_wrong_value_of_a_feature_is_repaired_where_it_stands(folder: Path) -> None:
    """The rule of the table's column is applied to the source, and its cells are counted there, joined or not."""
    made = build(assembly(folder, clean=CleanSettings(columns={"wind": CleanRule(max=150)})))
    (repair,) = made.repairs
    assert (repair.rule, repair.column, repair.cells, repair.examples) == ("outside", "wind", 1, ["999"])


def test_rows_without_a_key_are_numbered_in_order(folder: Path) -> None:
    """The number is a row's place in time, so it stays while later rows come."""
    made = assembly(folder, DataSettings(target="late", time="when", source="trips"), features={})
    assert build(made).frame.select("_row", "id").rows() == [(0, "a"), (1, "b"), (2, "c")]
    earlier = build(made, datetime(2020, 1, 3, tzinfo=UTC)).frame
    assert earlier.select("_row", "id").rows() == [(0, "a"), (1, "b")]
    (folder / "trips.csv").write_text("_row,late\n1,0\n2,1\n")
    with pytest.raises(DataError, match="'_row' has the name"):
        assembly(folder, DataSettings(target="late"), {"trips": SourceSettings(uri="trips.csv")}, {}).build()


def test_labels_have_the_time_they_became_known(folder: Path) -> None:
    """From the column that says it, or some delay after the row's time; a label that nobody could know is removed."""
    delayed = build(assembly(folder, DataSettings(target="late", key=["id"], time="when", label_delay="2h"))).frame
    assert delayed["_label_time"].to_list()[0] == datetime(2020, 1, 1, 12, tzinfo=UTC)
    (folder / "trips.csv").write_text(
        "id,when,landed,late\na,2020-01-01,2020-01-02,0\nb,2020-01-02,,1\nc,2020-01-03,2020-01-04,1\n"
    )
    data = DataSettings(target="late", key=["id"], time="when", label_time="landed", source="trips")
    made = assembly(folder, data, features={})
    result = build(made)
    assert result.frame["late"].to_list() == ["0", None, "1"]
    assert ("label_without_time", 1) in [(one.rule, one.cells) for one in result.repairs]


def test_what_was_read_is_told(folder: Path) -> None:
    """Each source with its rows, its digest and how it was understood, under the address as written."""
    made = assembly(folder)
    result = build(made)
    assert [(one.name, one.uri, one.rows) for one in result.sources] == [
        ("trips", "trips.csv", 3),
        ("weather", "weather.csv", 4),
    ]
    assert {one.name: one.digest for one in result.sources} == made.watermark()
    assert result.sources[0].understood["column when"] == "times as %Y-%m-%dT%H:%M"


def test_settings_and_function_are_part_of_the_fingerprint(folder: Path) -> None:
    """Another rule or another line of code is another table."""
    (folder / "pipeline.py").write_text("def table(trips):\n    return trips\n")
    data = DataSettings(target="late", function="pipeline:table")
    first = assembly(folder, data).fingerprint()
    assert assembly(folder, data).fingerprint() == first
    assert assembly(folder, data, features={}).fingerprint() != first
    (folder / "pipeline.py").write_text("def table(trips):\n    return trips.head(2)\n")
    assert assembly(folder, data).fingerprint() != first


def test_the_source_of_the_rows_must_be_clear(folder: Path) -> None:
    """The one named, the only one, or the only one that no feature uses."""
    assert len(build(assembly(folder)).frame) == 3
    with pytest.raises(SettingsError, match="Which source holds the rows"):
        assembly(folder, features={})
    named = DataSettings(target="wind", source="weather", time="when")
    assert len(build(assembly(folder, named, features={})).frame) == 4
    with pytest.raises(SettingsError, match="source = 'wether' names no source"):
        assembly(folder, DataSettings(target="late", source="wether"))
    with pytest.raises(SettingsError, match=r"\[features.wind\] source = 'sky'"):
        assembly(folder, features={"wind": FeatureSettings(source="sky", on=[], columns=[])})


def test_columns_that_tables_cannot_hold_are_refused(folder: Path) -> None:
    """Names that differ only in case, and a time of a source that is not there."""
    (folder / "trips.csv").write_text("Id,id,late\n1,2,0\n3,4,1\n")
    with pytest.raises(DataError, match="'Id' and 'id' differ only in upper and lower case"):
        assembly(folder, DataSettings(target="late"), {"trips": SourceSettings(uri="trips.csv")}, {}).build()
    with pytest.raises(DataError, match=r"no column 'wen', which \[sources.trips\] time names"):
        assembly(folder, DATA, {"trips": SourceSettings(uri="trips.csv", time="wen")}, {}).build()


def test_types_of_the_settings_keep_codes_as_written(folder: Path) -> None:
    """A column that is to be text is not read as a number first."""
    (folder / "trips.csv").write_text("code,late\n1e3,0\n2e3,1\n")
    data = DataSettings(target="late", types={"code": "category"})
    frame = build(assembly(folder, data, {"trips": SourceSettings(uri="trips.csv")}, {})).frame
    assert frame["code"].to_list() == ["1e3", "2e3"]
