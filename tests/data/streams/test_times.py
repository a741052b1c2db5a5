"""How times are written is settled by what has landed; a message with another one is poison, and holds nobody up."""

import json
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from tests.data.streams.test_landing import KilledError, batch

from heptad.data.columns.column_types import Dates
from heptad.data.columns.dialogues import converse
from heptad.data.streams.decoding import JsonDecoder
from heptad.data.streams.landed import LandedTable
from heptad.data.streams.landed_rows import LandedRows
from heptad.data.streams.landing import Landing
from heptad.data.streams.records import Landed
from heptad.data.streams.times import ENOUGH, OwnTimes, times_of


def landing(folder: Path, given: str = "") -> Landing:
    return Landing(folder / "t", JsonDecoder, times=OwnTimes(folder / "t", "at", Dates(format=given)))


def sent(*times: object) -> list[bytes]:
    return [json.dumps({"at": one}).encode() for one in times]


def minutes(count: int, pattern: str = "2026-01-01T10:{:02}:00Z") -> list[str]:
    return [pattern.format(one % 60) for one in range(count)]


def poison_of(made: Landing) -> pl.DataFrame:
    return made.poison.scan().sort("stream_position").collect()


def test_what_cannot_be_read_goes_to_the_quarantine_and_the_rest_lands(tmp_path: Path) -> None:
    """Once enough has landed; a time that is missing, or is written in another unmistakable way, is fine."""
    made = landing(tmp_path)
    assert made.land(batch(sent("soon", *minutes(ENOUGH)))) == Landed(rows=ENOUGH + 1)
    later = sent("late", None, "2026-01-01", "2026-01-02T10:00:00.25+02:00", "01/02/2026", *minutes(1))
    assert made.land(batch(later, first=ENOUGH + 1)) == Landed(rows=4, poison=2)
    assert poison_of(made)["reason"].unique().to_list() == [
        "field at cannot be read as a time, as those before it are written: %Y-%m-%dT%H:%M:%SZ"
    ]
    assert poison_of(made)["payload"].to_list() == sent("late", "01/02/2026")
    # Whoever comes next holds to it, without looking at rows again.
    assert landing(tmp_path).land(batch(sent("never"), first=500)) == Landed(poison=1)
    rows = LandedRows(tmp_path / "t", "at", Dates())
    found = rows.rows({"at": "datetime"}, -1, rows.refresh()).collect()["at"]
    assert (len(found), found.null_count()) == (ENOUGH + 5, 2)
    assert found.max() == datetime(2026, 1, 2, 8, 0, 0, 250_000, tzinfo=UTC)


@pytest.mark.parametrize(
    "times",
    [
        minutes(ENOUGH - 1),
        [f"0{1 + one % 9}/02/2026" for one in range(200)],
        ["in the morning"] * 200,
        [1.5] * 200,
        [True] * 200,
    ],
    ids=["few", "day or month", "words", "numbers", "no times at all"],
)
def test_as_long_as_it_is_not_settled_nothing_is_poison(tmp_path: Path, times: list[object]) -> None:
    """Whatever is wrong then is no fault of a message."""
    made = landing(tmp_path)
    made.land(batch(sent(*times)))
    assert made.land(batch(sent(times[0], None), first=len(times))).poison == 0
    assert not list((tmp_path / "t").glob("_landing.times.json"))


SECONDS, MILLIS, MICROS, DAYS = 1_767_261_600, 1_767_261_600_000, 1_767_261_600_000_000, 20260101


@pytest.mark.parametrize(
    ("usual", "others", "unit"),
    [
        (SECONDS, [MILLIS, -5, 0, 7e22], "Unix time in seconds"),
        (SECONDS + 0.5, [MILLIS, 1e400], "Unix time in seconds"),
        (MILLIS, [SECONDS, MICROS, 10**18], "Unix time in milliseconds"),
        (MICROS, [MILLIS, 2**63 - 1, -(2**63)], "Unix time in microseconds"),
        (DAYS, [20261301, SECONDS, 2026], "days as YYYYMMDD"),
        (2026, [999, 3000, DAYS], "years"),
    ],
)
def test_a_number_of_another_unit_or_of_none_is_poison(
    tmp_path: Path, usual: float, others: list[float], unit: str
) -> None:
    """It is told by its size; all that lands is then read alike, whatever comes with it."""
    made = landing(tmp_path)
    assert made.land(batch(sent(7, *[usual] * 200))) == Landed(rows=201)
    others = [one for one in others if one < float("inf")]
    assert made.land(batch(sent(usual, *others, None), first=201)) == Landed(rows=2, poison=len(others))
    assert poison_of(made)["reason"].unique().to_list() == [
        f"field at cannot be read as a time, as those before it are written: {unit}"
    ]
    rows = LandedRows(tmp_path / "t", "at", Dates())
    online = rows.rows({"at": "datetime"}, -1, rows.refresh()).collect()["at"]
    (reading,) = converse(made.rows.scan(), [OwnTimes(tmp_path / "t", "at", Dates()).reading()])
    collected = made.rows.scan().select(reading.values).collect()["at"]
    assert online.sort().to_list() == collected.sort().to_list()
    assert (online.null_count(), {one.year for one in online.drop_nulls()}) == (2, {2026})
    assert [(one.rule, one.cells) for one in reading.repairs] == [("not_a_time", 1)]


def test_numbers_that_become_text_are_settled_anew(tmp_path: Path) -> None:
    """A unit says nothing of texts."""
    made = landing(tmp_path)
    made.land(batch(sent(*[SECONDS] * 200)))
    assert made.land(batch(sent(SECONDS), first=200)) == Landed(rows=1)
    assert OwnTimes(tmp_path / "t", "at", Dates()).formats_of(pl.String()) == []
    assert OwnTimes(tmp_path / "t", "at", Dates()).formats_of(pl.Float64()) == ["Unix time in seconds"]


def test_other_settings_settle_it_anew(tmp_path: Path) -> None:
    """A format that is given, and reads what has landed, is the one that counts; a wrong one makes nothing poison."""
    made = landing(tmp_path, "%d/%m/%Y")
    made.land(batch(sent(*(f"0{1 + one % 9}/02/2026" for one in range(200)))))
    assert made.land(batch(sent("13/02/2026", "02/13/2026"), first=200)) == Landed(rows=1, poison=1)
    wrong = landing(tmp_path, "%Y")
    assert wrong.land(batch(sent("02/13/2026"), first=300)) == Landed(rows=1)


@pytest.mark.parametrize("dies", ["rows", "poison"])
def test_a_batch_that_comes_again_is_decided_as_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dies: str
) -> None:
    """Here it was settled with the batch before; killed between the two commits, each message is in one table, once."""
    made = landing(tmp_path)
    made.land(batch(sent("before", *minutes(ENOUGH))))
    payloads, commit = sent("late", *minutes(5), "later"), LandedTable.commit

    def killed(table: LandedTable, *given: object) -> None:
        if table is getattr(made, dies):
            raise KilledError
        commit(table, *given)  # type: ignore[arg-type]  # what it was called with

    with monkeypatch.context() as patched:
        patched.setattr(LandedTable, "commit", killed)
        with pytest.raises(KilledError):
            made.land(batch(payloads, first=ENOUGH + 1))
    for first, some in ((0, payloads[:3]), (3, payloads[3:])):
        again = landing(tmp_path)
        again.land(batch(some, first=ENOUGH + 1 + first))
    assert poison_of(again)["payload"].to_list() == [payloads[0], payloads[-1]]
    assert again.rows.height() == ENOUGH + 6


def test_what_landed_before_it_was_settled_is_told_where_it_cannot_be_read(tmp_path: Path) -> None:
    """A table that is collected reads times as features online do."""
    made = landing(tmp_path)
    made.land(batch(sent("soon", *minutes(ENOUGH), "2.1.2026")))
    made.land(batch(sent(*minutes(1)), first=500))
    (reading,) = converse(made.rows.scan(), [OwnTimes(tmp_path / "t", "at", Dates()).reading()])
    assert [(one.rule, one.cells) for one in reading.repairs] == [("not_a_time", 1)]
    times = made.rows.scan().select(reading.values).collect()["at"]
    assert times.null_count() == 1
    assert times.max() == datetime(2026, 1, 2, tzinfo=UTC)


def test_times_are_read_by_the_settled_ways_first() -> None:
    """And what none reads is null."""
    texts = pl.Series("at", ["03/02/2026", "2026-02-03", "x", None])
    third = datetime(2026, 2, 3, tzinfo=UTC)
    assert times_of(texts, ["%d/%m/%Y"], "UTC").to_list() == [third, third, None, None]
