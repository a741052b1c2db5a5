"""Labels and when they became known."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from heptad.core.errors import DataError
from heptad.serving.labels import Labels, read_labels

NOON = datetime(2013, 4, 1, 12, tzinfo=UTC)


@pytest.fixture
def labels(tmp_path: Path) -> Labels:
    return Labels(tmp_path / "labels", tmp_path / "labels.lock")


def frame(*rows: tuple[str, object, int, int]) -> pl.DataFrame:
    """Rows of id, value, and hours after noon of the event and of knowing it."""
    return pl.DataFrame(
        {
            "id": [one[0] for one in rows],
            "value": [one[1] for one in rows],
            "at": [NOON + timedelta(hours=one[2]) for one in rows],
            "known_at": [NOON + timedelta(hours=one[3]) for one in rows],
        }
    )


def values(labels: Labels, **window: datetime) -> dict[str, object]:
    return dict(labels.scan("classification", **window).select("id", "value").collect().iter_rows())


def test_labels_are_added_once(labels: Labels) -> None:
    """Adding the same labels again, alone or among new ones, adds only what is new."""
    assert values(labels) == {}
    assert labels.add(frame(("a", "late", 0, 2), ("b", "on time", 0, 3))) == 2
    assert labels.add(frame(("b", "on time", 0, 3), ("c", "late", 1, 4))) == 1
    assert labels.add(frame(("a", "late", 0, 2))) == 0
    assert values(labels) == {"a": "late", "b": "on time", "c": "late"}


def test_what_was_known_then_is_what_counts(labels: Labels) -> None:
    """A moment sees the labels known by then, and of a corrected label what was known by then."""
    labels.add(frame(("a", "late", 0, 2), ("b", "late", 0, 5)))
    labels.add(frame(("a", "on time", 0, 6)))
    assert values(labels, known_at=NOON + timedelta(hours=3)) == {"a": "late"}
    assert values(labels, known_at=NOON + timedelta(hours=5)) == {"a": "late", "b": "late"}
    assert values(labels) == {"a": "on time", "b": "late"}


def test_windows_are_of_the_event(labels: Labels) -> None:
    """`start` and `end` select by the time of the event, not by when it became known."""
    labels.add(frame(("a", "late", 0, 9), ("b", "late", 1, 9), ("c", "late", 2, 9)))
    assert set(values(labels, start=NOON + timedelta(hours=1), end=NOON + timedelta(hours=2))) == {"b"}


def test_numbers_stay_numbers_for_a_regression_and_classes_for_a_classification(labels: Labels) -> None:
    """Whole numbers as classes read `1`; as the target of a regression they are numbers, exactly."""
    labels.add(frame(("a", 1, 0, 2), ("b", 0, 0, 2)))
    assert values(labels) == {"a": "1", "b": "0"}
    labels.add(frame(("c", 0.1, 0, 2)))
    regression = labels.scan("regression").sort("id").collect()["value"]
    assert regression.to_list() == [1.0, 0.0, 0.1]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (frame(("z", "late", 0, 2)).drop("known_at"), "no column 'known_at'"),
        (frame(("z", "late", 0, 2), ("y", None, 0, 2)), "have no 'value'"),
        (frame(("z", "late", 0, 2), ("y", "late", 0, 2), ("y", "on time", 0, 2)), "two labels"),
        (frame(("z", "late", 0, 2)).with_columns(pl.col("at").cast(pl.String)), "times with a zone"),
        (frame(("z", "late", 0, 2), ("a", "on time", 0, 1)), "is 'late', and 'on time' is given"),
    ],
)
def test_labels_that_cannot_be_right_are_refused_whole(labels: Labels, given: pl.DataFrame, said: str) -> None:
    """Missing columns, nulls, contradictions and times without a zone: nothing is added, the error says which."""
    labels.add(frame(("a", "late", 0, 1)))
    with pytest.raises(DataError, match=said):
        labels.add(given)
    assert set(values(labels)) == {"a"}


def test_a_file_of_labels_is_read(tmp_path: Path, labels: Labels) -> None:
    """CSV with ISO times; a time without a zone is of the project's zone. Parquet likewise."""
    path = tmp_path / "labels.csv"
    path.write_text("id,value,at,known_at\n007,1,2013-04-01T12:00:00Z,2013-04-01 10:00\n")
    read = read_labels(path, "America/New_York")
    assert read["id"].to_list() == ["007"]
    assert read["known_at"].to_list() == [NOON + timedelta(hours=2)]
    assert labels.add(read) == 1
    frame(("x", "late", 0, 1)).write_parquet(tmp_path / "labels.parquet")
    assert read_labels(tmp_path / "labels.parquet", "UTC").height == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("id,value\na,1\n", "no column 'at'"),
        ("id,value,at,known_at\na,1,yesterday,today\n", "is no time"),
        ("", "read"),
    ],
)
def test_a_file_that_holds_no_labels_is_refused(tmp_path: Path, text: str, said: str) -> None:
    """What is wrong with the file is named."""
    path = tmp_path / "labels.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=said):
        read_labels(path, "UTC")
