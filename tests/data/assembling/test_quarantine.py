"""Rows that rules set aside are named by their content, and come back when a person says so."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from heptad.core.errors import DataError, InputError, NotFoundError
from heptad.data import CleanRule, CleanSettings, Data, DataSettings
from heptad.data.cleaning.settings import RowRule, SimilarRows

REASON = "measured twice, the value is right"
ROWS = pl.DataFrame(
    {
        "id": list(range(12)),
        "n": [1, 2, 3, 4, 5, 6, 7, 8, 9, 700, 800, 900],
        "kind": ["real"] * 8 + ["test", "test", "real", "real"],
        "y": ["a", "b"] * 6,
    }
)
CLEAN = CleanSettings(
    columns={"n": CleanRule(max=100, outside="drop")}, rows={"tests": RowRule(where="kind == 'test'")}
)


def opened(open_data, clean: CleanSettings = CLEAN) -> Data:
    return open_data(DataSettings(target="y", key=["id"]), clean=clean)


def ids(data: Data, rule: str = "") -> dict[int, str]:
    """Of the rows in quarantine, the key to the id."""
    rows = data.quarantine.rows(rule).collect()
    return dict(zip(rows["row"].str.json_path_match("$.id").cast(pl.Int64), rows["id"], strict=True))


def kept(data: Data) -> list[int]:
    return data.scan(data.collect()).collect()["id"].to_list()


def test_a_released_row_is_in_the_next_version(open_data, write) -> None:
    """With who and why; the others stay where they are, and collecting again finds that version."""
    write(ROWS)
    data = opened(open_data)
    assert kept(data) == list(range(8))
    record = data.quarantine.release([ids(data)[10]], REASON)
    assert record is not None
    assert (record.body.reason, [one.rule for one in record.body.rows], bool(record.actor)) == (
        REASON,
        ["outside n"],
        True,
    )
    assert kept(data) == [*range(8), 10]
    assert set(ids(data)) == {8, 9, 11}
    second = data.collect()
    assert (second.body.version, second.body.released, data.collect().id) == (2, 1, second.id)
    assert [one.body for one in data.quarantine.released()] == [record.body]


def test_a_row_is_released_until_its_content_changes(open_data, write) -> None:
    """Rows before it, and the order of the file, are none of its content."""
    write(ROWS)
    data = open_data(DataSettings(target="y"), clean=CLEAN)
    data.collect()
    assert data.quarantine.release([ids(data)[10]], REASON)
    write(pl.concat([ROWS[11], ROWS[10], ROWS[:10]]))
    assert kept(data) == [10, *range(8)]
    changed = ROWS.with_columns(n=pl.when(pl.col("id") == 10).then(801).otherwise("n"))
    write(changed)
    assert kept(data) == list(range(8))
    assert 10 in ids(data)


def test_a_row_that_two_rules_want_is_released_from_one(open_data, write) -> None:
    """The other takes it then, and says so."""
    write(ROWS)
    data = opened(open_data)
    data.collect()
    assert data.quarantine.release([ids(data, "outside n")[9]], REASON)
    assert kept(data) == list(range(8))
    assert data.quarantine.release([ids(data, "rows tests")[9]], REASON)
    assert kept(data) == [*range(8), 9]


def test_copies_come_back_too(open_data, write) -> None:
    """Of a whole row, of a key, and nearly the same ones."""
    rows = pl.DataFrame(
        {
            "order": ["a", "a", "b", "b", "c", "d"],
            "name": ["p q", "p q", "r s", "t u", "Anna Berg", "Berg Anna"],
            "y": ["k", "k", "k", "l", "l", "l"],
        }
    )
    write(rows)
    clean = CleanSettings(duplicate_by=["order"], similar=SimilarRows(columns=["name"], least=0.9))
    data = open_data(DataSettings(target="y"), clean=clean)
    first = data.collect()
    gone = data.quarantine.rows().collect()
    assert (first.body.rows, set(gone["rule"])) == (3, {"duplicate", "duplicate_by", "similar"})
    assert data.quarantine.release(gone["id"].to_list(), REASON)
    again = data.collect()
    # The copy of a whole row shares its key with another, and goes by that rule now.
    assert (again.body.rows, data.quarantine.rows().collect()["rule"].to_list()) == (5, ["duplicate_by"])


def test_a_row_stays_released_when_its_label_becomes_known(open_data, write) -> None:
    """It was released without one, and nothing else of it has changed."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    write(ROWS.with_columns(t=pl.Series([start + timedelta(days=n) for n in range(12)])))
    data = open_data(DataSettings(target="y", key=["id"], time="t", label_delay="5d"), clean=CLEAN)
    data.collect(until=start + timedelta(days=13))
    assert data.quarantine.release([ids(data, "outside n")[10]], REASON)
    for day in (14, 20):
        version = data.collect(until=start + timedelta(days=day))
        label = data.scan(version).filter(pl.col("id") == 10).collect()["y"].to_list()
        assert label == ["a" if day == 20 else None]


def test_what_cannot_be_released_is_refused(open_data, write) -> None:
    """Unknown ids, no reason, rows without a time, and rows that refuse the version, which have no id."""
    write(ROWS.with_columns(t=pl.Series(["2026-01-01T00:00:00Z"] * 11 + [None])).drop("n"))
    data = open_data(DataSettings(target="y", key=["id"], time="t"))
    data.collect()
    with pytest.raises(InputError, match="no place in the table"):
        data.quarantine.release([ids(data)[11]], REASON)
    with pytest.raises(NotFoundError, match="'0123'"):
        data.quarantine.release(["0123"], REASON)
    with pytest.raises(InputError, match="no reason"):
        data.quarantine.release([ids(data)[11]], " ")
    assert data.quarantine.released() == []
    write(ROWS)
    strict = CleanSettings(columns={"kind": CleanRule(canonical={"real": []}, unlisted="refuse")})
    refusing = opened(open_data, strict)
    with pytest.raises(DataError):
        refusing.collect()
    assert refusing.quarantine.rows().collect()["id"].null_count() == 2


def test_releasing_twice_is_one_act(open_data, write) -> None:
    """Also of a row that is released together with another."""
    write(ROWS)
    data = opened(open_data)
    data.collect()
    names = ids(data, "outside n")
    assert data.quarantine.release([names[10]], REASON)
    assert data.quarantine.release([names[10]], REASON) is None
    both = data.quarantine.release([names[10], names[11]], REASON)
    assert both is not None
    assert [one.row for one in both.body.rows] == [names[11]]
