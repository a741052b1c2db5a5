"""A source that is stale, or has far fewer rows than it used to, is refused before anything of it is stored."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from heptad.core.clock import ManualClock, SystemClock
from heptad.core.errors import DataError, SettingsError
from heptad.core.settings import ProjectSettings
from heptad.core.workspace import Workspace
from heptad.data import CleanSettings, ColumnExpectation, Data, DataSettings, ExpectSettings, SourceSettings
from heptad.data.assembling.inputs import Input
from heptad.data.assembling.judging import Judging
from heptad.data.expectations.settings import Coverage, Range
from heptad.data.records import SourceRead

Open = Callable[..., Data]
Write = Callable[..., Path]
START = datetime(2026, 1, 1, tzinfo=UTC)
SETTINGS = DataSettings(target="y", key=["k"], time="t")


def rows(count: int, start: int = 0) -> pl.DataFrame:
    numbers = range(start, start + count)
    return pl.DataFrame(
        {
            "k": numbers,
            "t": [START + timedelta(hours=x) for x in numbers],
            "g": ["u" if x % 3 else "v" for x in numbers],
            "y": [x % 2 for x in numbers],
        }
    )


def source(**settings: object) -> dict[str, SourceSettings]:
    return {"rows": SourceSettings(uri="rows.csv", time="t", **settings)}  # type: ignore[arg-type]


def versions(workspace: Workspace) -> int:
    return len(workspace.store.follow(0, ["data.version_added"]))


def test_a_stale_source_is_refused_though_every_cell_is_valid(
    workspace: Workspace, open_data: Open, write: Write, clock: ManualClock
) -> None:
    """By its newest row, against the moment of the version."""
    write(rows(100))
    data = open_data(SETTINGS, sources=source(fresh="2d"))
    assert data.collect(until=START + timedelta(hours=100)).body.rows == 100
    with pytest.raises(DataError, match=r"rows is stale: the newest row is of 2026-01-05 03:00 UTC, and 2026-01-09"):
        data.collect(until=START + timedelta(days=8))
    assert versions(workspace) == 1


def test_a_source_of_before_a_moment_is_judged_as_it_was(open_data: Open, write: Write) -> None:
    """Rows that came later do not make it fresh."""
    write(pl.concat([rows(10), rows(10, start=500)]))
    data = open_data(SETTINGS, sources=source(fresh="2d"))
    with pytest.raises(DataError, match="the newest row is of 2026-01-01 09:00"):
        data.collect(until=START + timedelta(days=10))


def test_freshness_needs_a_time(open_data: Open, write: Write) -> None:
    """The error says which setting."""
    write(rows(10))
    sources = {"rows": SourceSettings(uri="rows.csv", fresh="1d")}
    with pytest.raises(SettingsError, match=r"\[sources.rows\] fresh"):
        open_data(DataSettings(target="y", key=["k"]), sources=sources).collect()


def test_volume_is_judged_against_the_versions_before(workspace: Workspace, open_data: Open, write: Write) -> None:
    """By their median; the first version has none before it."""
    data = open_data(SETTINGS, sources=source(volume=Range(min=0.8, max=2)))
    for count in (100, 104, 110):
        write(rows(count))
        assert data.collect().body.rows == count
    write(rows(60))
    with pytest.raises(DataError, match=r"rows has 60 rows, 0\.577 times the usual 104 and not 0\.8 to 2 times"):
        data.collect()
    write(rows(300))
    with pytest.raises(DataError, match=r"2\.88 times the usual 104"):
        data.collect()
    assert versions(workspace) == 3


def opened_now(workspace: Workspace, **settings: object) -> Data:
    """By the clock of the machine."""
    given = (SETTINGS, CleanSettings(), ExpectSettings(), {})
    return Data(replace(workspace, clock=SystemClock()), ProjectSettings(name="test"), source(**settings), *given)


@pytest.mark.parametrize("until", [None, START + timedelta(days=60)])
def test_rows_of_the_future_fill_up_no_volume(until: datetime | None, workspace: Workspace, write: Write) -> None:
    """Neither those that `until` leaves out nor, without it, those that the machine's clock says cannot be."""
    data = opened_now(workspace, volume=Range(min=0.5, max=2))
    ahead = 1_000_000
    write(rows(600).with_columns(pl.col("t") - timedelta(days=60)))
    first = data.collect(until and until - timedelta(days=30))
    write(pl.concat([rows(240).with_columns(pl.col("t") - timedelta(days=60)), rows(300, start=ahead)]))
    with pytest.raises(DataError, match=r"240 rows up to 2026.* of 540 in all, 0\.4 times the usual 600 and not 0\.5"):
        data.collect(until)
    assert (first.body.sources[0].rows, first.body.sources[0].happened) == (600, 600)


def test_a_collection_of_an_earlier_moment_has_no_later_ones_before_it(workspace: Workspace, write: Write) -> None:
    """A source that grows had fewer rows then, which says nothing; from moment to moment it is compared."""
    data = opened_now(workspace, volume=Range(min=0.5, max=2))
    write(rows(240))
    moments = [START + timedelta(hours=hours) for hours in (240, 24, 30)]
    collected = [data.collect(moment).body for moment in moments]
    assert [one.sources[0].happened for one in collected] == [240, 24, 30]
    with pytest.raises(
        DataError, match=r"rows has 100 rows up to .* of 240 in all, 3\.7 times the usual 27 and not"
    ) as told:
        data.collect(START + timedelta(hours=100))
    assert "raise max until the versions before have them" in told.value.problem


def test_half_of_the_rows_gone_is_told_without_being_asked(open_data: Open, write: Write) -> None:
    """As a warning."""
    data = open_data(SETTINGS, sources=source())
    write(rows(100))
    data.collect()
    write(rows(40))
    (found,) = [one for one in data.collect().body.findings if one.expectation == "source_volume"]
    assert (found.severity, found.passed) == ("warning", False)
    assert found.sentence == "rows has 40 rows, 0.4 times the usual 100 and not at least 0.5 times"


def test_all_that_is_wrong_is_told_at_once(open_data: Open, write: Write) -> None:
    """With the setting to change."""
    write(rows(100))
    data = open_data(SETTINGS, sources=source(fresh="1d", volume=Range(min=0.9)))
    data.collect(until=START + timedelta(hours=100))
    write(rows(20))
    with pytest.raises(DataError, match=r"(?s)rows is stale.*rows has 20 rows") as raised:
        data.collect(until=START + timedelta(hours=101))
    assert "[sources.NAME] fresh or volume" in raised.value.remedy


def test_a_one_sided_source_is_refused(workspace: Workspace, open_data: Open, write: Write) -> None:
    """Coverage of the table, as any expectation."""
    wanted = ColumnExpectation(coverage=Coverage(shares={"u": 2 / 3, "v": 1 / 3}))
    data = open_data(SETTINGS, sources=source(), expect=ExpectSettings(columns={"g": wanted}))
    write(rows(300))
    data.collect()
    write(rows(400).filter((pl.col("g") == "u") | (pl.col("k") < 30)))
    with pytest.raises(DataError, match=r"g: groups are not covered .* v 3\.\d% \(stated 33\.3%\)"):
        data.collect()
    assert versions(workspace) == 1


def test_rows_of_the_future_make_nothing_fresh(open_data: Open, write: Write, clock: ManualClock) -> None:
    """One device whose clock is ahead would hide that all others are silent."""
    write(pl.concat([rows(10), rows(1, start=10_000)]))
    clock.advance(timedelta(days=10))
    with pytest.raises(DataError, match="rows is stale: the newest row is of 2026-01-01 09:00"):
        open_data(SETTINGS, sources=source(fresh="2d")).collect()


def test_rows_of_the_future_are_told(workspace: Workspace, write: Write) -> None:
    """By the clock of the machine; where time is played, sources hold what is to come."""
    write(pl.concat([rows(10), rows(2, start=1_000_000)]))

    def opened(workspace: Workspace) -> Data:
        settings = (SETTINGS, CleanSettings(), ExpectSettings(), {})
        return Data(workspace, ProjectSettings(name="test"), source(), *settings)

    version = opened(replace(workspace, clock=SystemClock())).collect(START + timedelta(days=300))
    assert version.body.rows == 10
    (told,) = [one for one in version.body.findings if one.expectation == "source_ahead"]
    assert told.sentence == (
        "rows has 2 rows of the future, up to 2140-01-30 17:00 UTC: a clock may be ahead, or a time zone missing; "
        "until then they are left out"
    )
    played = opened(workspace).collect(START + timedelta(hours=5))
    assert not [one for one in played.body.findings if one.expectation == "source_ahead"]


def test_rows_that_may_not_be_all_are_a_warning() -> None:
    """Of what a source says about itself."""
    read = SourceRead(name="orders", uri="rest:https://h/x", rows=1, digest="d")
    held = Input(rows=rows(1).lazy(), size=1, repairs=[], read=read, doubts=["one page."])
    (told,) = Judging(START, None, {})({"orders": held}, source() | {"orders": SourceSettings(uri="rest:https://h/x")})
    assert (told.expectation, told.severity, told.passed) == ("source_whole", "warning", False)
    assert told.sentence == "orders may lack rows: one page."


@pytest.mark.parametrize("function", ["", "p:table"])
@pytest.mark.parametrize("until", [None, START + timedelta(hours=100)])
def test_rows_of_the_future_are_told_by_the_time_of_the_table(
    function: str, until: datetime | None, workspace: Workspace, write: Write
) -> None:
    """Where the source has no time of its own, and so also of a table that a function makes; not where time is played.

    Rows between `until` and the clock have happened, and are left out without a word.
    """
    (workspace.root / "p.py").write_text("def table(rows):\n    return rows\n")
    write(pl.concat([rows(10), rows(3, start=200), rows(2, start=1_000_000)]))

    def opened(workspace: Workspace) -> Data:
        settings = DataSettings(target="y", key=["k"], time="t", function=function)
        sources = {"rows": SourceSettings(uri="rows.csv")}
        return Data(workspace, ProjectSettings(name="test"), sources, settings, CleanSettings(), ExpectSettings(), {})

    body = opened(replace(workspace, clock=SystemClock())).collect(until).body
    (told,) = [one for one in body.findings if one.expectation == "source_ahead"]
    assert told.sentence.startswith("the table has 2 rows of the future, up to 2140-01-30 17:00 UTC: a clock may")
    assert (told.observed, body.rows) == (2, 15 if until is None else 10)
    played = opened(workspace).collect(START + timedelta(hours=5)).body
    assert not [one for one in played.findings if one.expectation == "source_ahead"]
