"""A version is made whole or not at all, and making it again after a crash doubles nothing."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from heptad.core import faults
from heptad.core.clock import ManualClock
from heptad.core.errors import DataError
from heptad.core.workspace import Workspace
from heptad.data import CleanRule, CleanSettings, ColumnExpectation, Data, DataSettings, ExpectSettings, SimilarRows
from heptad.data.versions.tables import Table

START = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture(autouse=True, params=["small", "large"])
def _size(request: pytest.FixtureRequest, work_in_files: Callable[[], None]) -> None:
    """Everything holds for tables in memory and for those that are worked on in files, of a few rows each."""
    if request.param == "large":
        work_in_files()


def days(count: int, **columns: list) -> pl.DataFrame:
    frame = pl.DataFrame(
        {
            "k": [f"r{x:03}" for x in range(count)],
            "t": [START + timedelta(days=x) for x in range(count)],
            "a": [float(x % 9) for x in range(count)],
            "y": [x % 2 for x in range(count)],
        }
    )
    return frame.with_columns(**{name: pl.Series(values) for name, values in columns.items()})  # type: ignore[call-overload]


def quarantine(workspace: Workspace) -> pl.DataFrame:
    return pl.scan_delta(workspace.tables / "test-quarantine").collect()


BY_TIME = DataSettings(target="y", key=["k"], time="t", label_delay="36h")


def test_a_version_records_what_it_is_made_of(
    workspace: Workspace, clock: ManualClock, open_data: Callable[..., Data], write: Callable[..., Path]
) -> None:
    """Rows, labels known, times, schema, sources, repairs, the profile, and the event that tells others."""
    write(days(10, a=[float(x) for x in range(9)] + [float("inf")]))
    record = open_data(BY_TIME).collect(until=START + timedelta(days=5))
    body = record.body
    assert (body.name, body.version, body.rows, body.labelled) == ("test", 1, 5, 4)
    assert (body.first_time, body.last_time) == (START, START + timedelta(days=4))
    assert (body.until, body.everything) == (START + timedelta(days=5), False)
    assert body.schema.named("label_time") == ["_label_time"]
    assert [one.name for one in body.sources] == ["rows"]
    assert record.attributes["version"] == 1
    assert record.aliases == {"latest": 1}
    (event,) = workspace.store.follow(0, ["data.version_added"])
    assert (event.subject, event.body["rows"]) == (record.id, 5)
    assert record.at == clock.now()


def test_later_versions_add_rows_and_labels(
    workspace: Workspace, open_data: Callable[..., Data], write: Callable[..., Path]
) -> None:
    """Each moment gives its own version; the older ones stay as they were; nothing new gives no version."""
    write(days(30))
    data = open_data(BY_TIME)
    first, second = (data.collect(until=START + timedelta(days=day)) for day in (10, 20))
    assert [(one.body.version, one.body.rows, one.body.labelled) for one in (first, second)] == [
        (1, 10, 9),
        (2, 20, 19),
    ]
    assert data.scan(first).collect()["y"].null_count() == 1
    assert data.scan(second).collect().head(10)["y"].null_count() == 0
    assert [link.target for link in workspace.store.trace([second.id], "out")] == [first.id]
    third = data.collect(until=START + timedelta(days=300))
    assert data.collect(until=START + timedelta(days=400)).id == third.id
    assert data.collect(until=START + timedelta(days=10)).id == first.id
    assert data.digest(first) == first.body.digest


def test_equal_inputs_give_equal_digests(
    workspace: Workspace,
    open_data: Callable[..., Data],
    write: Callable[..., Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """The digest of a version is that of its rows: the same however it came about, another for another cell."""
    write(days(20))
    stepwise = open_data(BY_TIME)
    stepwise.collect(until=START + timedelta(days=7))
    at_last = stepwise.collect(until=START + timedelta(days=20))
    write(days(20).reverse())
    assert open_data(BY_TIME).collect(until=START + timedelta(days=20)).body.digest == at_last.body.digest
    write(days(20, a=[8.0, *(float(x % 9) for x in range(1, 20))]))
    assert open_data(BY_TIME).collect(until=START + timedelta(days=20)).body.digest != at_last.body.digest


def test_rows_that_were_changed_or_removed_are_so_in_the_next_version(
    open_data: Callable[..., Data], write: Callable[..., Path]
) -> None:
    """Where a source is corrected the new version holds what it holds now; the old one what it held then."""
    data = open_data(DataSettings(target="y", key=["k"]))
    write(days(20))
    first = data.collect()
    write(days(20, a=[99.0] + [float(x % 9) for x in range(1, 20)]).filter(pl.col("k") != "r010"))
    second = data.collect()
    assert (second.body.version, second.body.rows) == (2, 19)
    assert data.scan(second).collect()["a"][0] == 99.0
    assert data.scan(first).collect()["a"][0] == 0.0


def test_rows_set_aside_are_counted_and_kept(
    workspace: Workspace, open_data: Callable[..., Data], write: Callable[..., Path]
) -> None:
    """Copies, rows without a time, and rows whose label can never be known go to quarantine, each with its rule."""
    frame = days(20).with_columns(
        pl.when(pl.col("k") == "r003").then(None).otherwise("y").alias("y"),
        pl.when(pl.col("k") == "r005").then(None).otherwise("t").alias("t"),
    )
    write(pl.concat([frame, frame.head(2)]))
    body = open_data(BY_TIME).collect(until=START + timedelta(days=18)).body
    assert {one.rule: one.rows for one in body.repairs} == {"missing_time": 1, "duplicate": 2, "missing_target": 1}
    # 18 days before the moment, less one without time and one without label; the row without time may be of any day.
    assert (body.rows, body.labelled) == (16, 15)
    kept = quarantine(workspace)
    assert sorted(kept["rule"]) == ["duplicate", "duplicate", "missing_target", "missing_time"]
    assert {json.loads(row)["k"] for row in kept["row"]} == {"r000", "r001", "r003", "r005"}


def test_rows_whose_label_is_not_yet_known_stay(open_data: Callable[..., Data], write: Callable[..., Path]) -> None:
    """A label of the future is null, which is no reason to set its row aside; never known is, unless kept."""
    frame = days(20, y=[None if x == 2 else x % 2 for x in range(20)])
    write(frame)
    assert open_data(BY_TIME).collect(until=START + timedelta(days=10)).body.rows == 9
    keep = open_data(BY_TIME, clean=CleanSettings(missing_target="keep"))
    assert keep.collect(until=START + timedelta(days=10)).body.rows == 10


def test_a_broken_expectation_writes_nothing_but_the_quarantine(
    workspace: Workspace, open_data: Callable[..., Data], write: Callable[..., Path]
) -> None:
    """All that is broken is named at once; no version, no table; the rows that broke it can be looked at."""
    write(days(20))
    expect = ExpectSettings(
        columns={
            "a": ColumnExpectation(max=7),
            "y": ColumnExpectation(allowed=["0"]),
            "k": ColumnExpectation(unique=True),
        }
    )
    data = open_data(BY_TIME, expect=expect)
    with pytest.raises(DataError, match="a: 2 values above 7\n  y: 10 values other than 0"):
        data.collect()
    assert data.latest() is None
    assert not Table(workspace.tables / "test").exists()
    assert len(quarantine(workspace)) == 12


def test_the_first_version_binds_until_settings_change(
    open_data: Callable[..., Data], write: Callable[..., Path]
) -> None:
    """A column that changes its type or goes is refused, until a person changes how the table is made."""
    write(days(20))
    open_data(BY_TIME).collect(until=START + timedelta(days=10))
    write(days(20, a=[f"level {x % 3}" for x in range(20)]))
    with pytest.raises(DataError, match="a: was number, is text now"):
        open_data(BY_TIME).collect(until=START + timedelta(days=20))
    changed = DataSettings(target="y", key=["k"], time="t", label_delay="36h", types={"a": "category"})
    record = open_data(changed).collect(until=START + timedelta(days=20))
    assert (record.body.version, record.body.schema.features()[0].type) == (2, "category")


def test_what_is_collected_after_settings_were_changed_back_is_the_latest(
    open_data: Callable[..., Data], write: Callable[..., Path]
) -> None:
    """The same content under a number of its own: whoever asks for the latest gets what the settings say now."""
    write(days(20))
    plain, shorter = DataSettings(target="y", key=["k"]), DataSettings(target="y", key=["k"], ignore=["a"])
    first, second, third, again = (open_data(one).collect() for one in (plain, shorter, plain, plain))
    assert [one.body.version for one in (first, second, third, again)] == [1, 2, 3, 3]
    assert first.body.digest == third.body.digest
    assert first.body.schema == third.body.schema != second.body.schema
    assert open_data(plain).version("latest").id == third.id


def test_what_is_collected_after_a_source_was_changed_back_is_the_latest(
    open_data: Callable[..., Data], write: Callable[..., Path]
) -> None:
    """Else the latest would hold what the source no longer says."""
    data, was = open_data(DataSettings(target="y", key=["k"])), days(20)
    versions = []
    for rows in (was, was.with_columns(pl.col("a") + 1), was, was):
        write(rows)
        versions.append(data.collect())
    assert [one.body.version for one in versions] == [1, 2, 3, 3]
    assert versions[0].body.digest == versions[2].body.digest != versions[1].body.digest
    assert data.version("latest").id == versions[2].id


def test_useless_and_telling_columns_are_told(open_data: Callable[..., Data], write: Callable[..., Path]) -> None:
    """Ids and constants are left out with a warning, a column that knows the target is named as a suspect."""
    frame = days(40).with_columns(same=pl.lit("x"), user_id=pl.int_range(40) * 3, copy=pl.col("y") + 5)
    write(frame)
    body = open_data(DataSettings(target="y", key=["k"])).collect().body
    assert [column.name for column in body.schema.features()] == ["t", "a", "copy"]
    sentences = {one.column: one.sentence for one in body.findings if not one.passed}
    assert sentences == {
        "same": "same: left out, since it is 'x' in every row",
        "user_id": "user_id: left out, since it is an id: 40 different values in 40 rows",
        "copy": "copy: a suspect: it alone tells the target in 100.0% of the rows; guessing in 50.0%",
    }


def test_profiles_of_one_data_set_share_their_bins(open_data: Callable[..., Data], write: Callable[..., Path]) -> None:
    """Later versions are counted in the bins of the first, so that they compare."""
    write(days(30))
    data = open_data(BY_TIME)
    first, second = (data.profile(data.collect(until=START + timedelta(days=day))) for day in (10, 30))
    assert first.columns[0].edges == second.columns[0].edges
    assert (first.rows, second.rows) == (10, 30)


class Killed(BaseException):
    """Stands for the end of the process: nothing catches it."""


def test_stopped_anywhere_a_collection_is_completed_by_the_next(
    tmp_path: Path, open_at: Callable[[Path], Data], monkeypatch: pytest.MonkeyPatch
) -> None:
    """At every boundary between two durable acts: stopped there, the same calls give the same versions, none twice."""
    rows = days(30, y=[None if x == 4 else x % 2 for x in range(30)])

    def collected(folder: Path, stop: int = 0) -> tuple[object, list[str]]:
        passed: list[str] = []

        def at_boundary(name: str) -> None:
            passed.append(name)
            if len(passed) == stop:
                raise Killed

        folder.mkdir(exist_ok=True)
        rows.write_csv(folder / "rows.csv")
        data = open_at(folder)
        monkeypatch.setattr(faults, "_ACTIVE", True)
        monkeypatch.setattr(faults, "_pass", at_boundary)
        for day in (10, 20):
            data.collect(until=START + timedelta(days=day))
        log = [(one.id, one.body.version, one.body.rows, one.body.digest) for one in data.log()]
        return (log, [data.digest(one) for one in data.log()]), passed

    expected, boundaries = collected(tmp_path / "undisturbed")
    assert {"table.before_commit", "table.after_commit"} < set(boundaries)
    for place in range(1, len(boundaries) + 1):
        folder = tmp_path / f"stopped-{place}"
        with pytest.raises(Killed):
            collected(folder, stop=place)
        assert collected(folder)[0] == expected, boundaries[place - 1]


def test_rules_that_compare_rows_take_turns(open_data, write) -> None:
    """A row that an earlier rule takes is not the one that stays of its key; nearly the same rows go last."""
    rows = pl.DataFrame(
        {
            "id": list(range(8)),
            "order": ["a", "a", "b", "b", "c", "d", "e", "f"],
            "n": [99, 1, 2, 3, 4, 5, 6, 7],
            "name": ["p", "q", "r", "s", "Anna Berg", "Berg Anna", "t", "u"],
            "y": ["x", "z"] * 4,
        }
    )
    write(rows)
    clean = CleanSettings(
        columns={"n": CleanRule(max=50, outside="drop")},
        duplicate_by=["order"],
        similar=SimilarRows(columns=["name"], least=0.9),
    )
    data = open_data(DataSettings(target="y", key=["id"]), clean=clean)
    version = data.collect()
    assert data.scan(version).collect()["id"].to_list() == [1, 2, 4, 6, 7]
    gone = {rule: json.loads(row)["id"] for _, rule, row in data.quarantine.rows().collect().iter_rows()}
    assert gone == {"outside n": 0, "duplicate_by": 3, "similar": 5}


def test_a_value_that_a_rule_refuses_makes_no_version(open_data, write) -> None:
    """Its rows are in quarantine, and the error says which rule and how many."""
    write(pl.DataFrame({"id": [1, 2, 3, 4], "city": ["A", "B", "B", "A"], "y": ["x", "z"] * 2}))
    clean = CleanSettings(columns={"city": CleanRule(canonical={"A": []}, unlisted="refuse")})
    data = open_data(DataSettings(target="y", key=["id"]), clean=clean)
    with pytest.raises(DataError, match="city: 2 values that canonical refuses"):
        data.collect()
    assert data.latest() is None
    assert len(data.quarantine.rows("canonical city").collect()) == 2


def test_bounds_of_the_first_version_bind(open_data, write) -> None:
    """A row's fate does not depend on rows that come later, and a version says what was learnt."""

    def table(rows: int) -> pl.DataFrame:
        n = [*range(30), 500, *range(900, 870 + rows)][:rows]
        return pl.DataFrame({"id": range(rows), "n": n, "y": ["x", "z", "z"] * (rows // 3)})

    write(table(33))
    clean = CleanSettings(columns={"n": CleanRule(outliers="iqr", outlying="null")})
    data = open_data(DataSettings(target="y", key=["id"]), clean=clean)
    first = data.collect()
    write(table(90))
    second = data.collect()
    assert second.body.fitted == first.body.fitted
    assert data.scan(second).head(33).collect().equals(data.scan(first).collect())


def test_cells_that_were_missing_are_repaired_without_examples(open_data, write) -> None:
    """By their group or by a constant; the version is recorded with how many they were."""
    zips = ["53", "24"] * 10
    city = [None if n < 2 else {"53": "Bonn", "24": "Kiel"}[one] for n, one in enumerate(zips)]
    write(pl.DataFrame({"id": range(20), "zip": zips, "city": city, "n": [None, *range(19)], "y": ["x", "z"] * 10}))
    rules = {"city": CleanRule(told_by=["zip"]), "n": CleanRule(fill=7)}
    version = open_data(DataSettings(target="y", key=["id"]), clean=CleanSettings(columns=rules)).collect()
    assert {(one.rule, one.cells, tuple(one.examples)) for one in version.body.repairs} == {
        ("told_by", 2, ()),
        ("fill", 1, ()),
    }


def test_columns_whose_outliers_were_kept_are_marked_for_training(open_data, write) -> None:
    """As long as there are some."""
    numbers = pl.DataFrame({"id": range(60), "n": [*range(59), 9_000], "m": range(60), "y": ["x", "z", "z"] * 20})
    write(numbers)
    rules = {name: CleanRule(outliers="iqr", outlying="keep") for name in ("n", "m")}
    data = open_data(DataSettings(target="y", key=["id"], ignore=[]), clean=CleanSettings(columns=rules))
    assert [one.name for one in data.collect().body.schema.columns if one.robust] == ["n"]
    write(numbers.head(57))
    assert [one.name for one in data.collect().body.schema.columns if one.robust] == []


def test_a_column_cannot_be_cleaned_from_the_target(
    open_data: Callable[..., Data], write: Callable[..., Path], workspace: Workspace
) -> None:
    """It would be rewritten from the label, which no request has; nothing is written."""
    write(days(10))
    clean = CleanSettings(columns={"a": CleanRule(told_by=["y"], least=0.1)})
    with pytest.raises(DataError, match=r"\[clean.columns.a\] told_by names 'y', which is known only with the label"):
        open_data(BY_TIME, clean=clean).collect()
    assert not list(workspace.tables.glob("test*"))
