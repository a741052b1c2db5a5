"""What is odd in a profile is said, and nothing else is."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from heptad.data.profiles.notes import notes_of, number
from heptad.data.profiles.profile import profile_frame
from heptad.data.records import Column
from heptad.data.settings import ColumnType

ROWS = 2_000


def said(values: list[object], kind: ColumnType) -> list[str]:
    frame = pl.DataFrame({"c": values}, strict=False)
    return [f"{one.weight}: {one.sentence}" for one in notes_of(profile_frame(frame, [Column(name="c", type=kind)]))]


@pytest.mark.parametrize(
    ("values", "kind", "wanted"),
    [
        ([None] * ROWS, "category", ["look: every value is missing"]),
        (
            ["a", None] * (ROWS // 2),
            "category",
            ["look: 50.0% of the values are missing", "look: the only value is 'a'"],
        ),
        (["a"] * ROWS, "category", ["look: the only value is 'a'"]),
        (["a"] * (ROWS - 1) + ["b"], "category", ["look: 100.0% of the values are 'a'", "know: 1 value is in fewer"]),
        ([f"id{row}" for row in range(ROWS)], "category", ["look: its values hardly ever come again"]),
        ([f"{row % 150}" for row in range(ROWS)], "category", ["know: more than 100 different values"]),
        (["a", "b"] * (ROWS // 2 - 1) + ["c", "d"], "category", ["know: 2 values are in fewer than one"]),
        ([7] * ROWS, "integer", ["look: the only value is 7"]),
        ([0.0] * (ROWS - 50) + [1.0] * 50, "number", ["look: 97.5% of the values are 0"]),
        ([float(row % 10) for row in range(ROWS)] + [1e6], "number", ["look: 1,000,000 is 45 standard deviations"]),
        (["abc"] * ROWS, "text", ["look: texts have 3 characters, all of them"]),
        ([f"A{row % 90 + 10}" for row in range(ROWS)], "category", ["know: all have the shape 'A99'"]),
        (
            [f"A{row % 90 + 10}" for row in range(ROWS - 2)] + ["17", "18"],
            "category",
            ["look: 99.9% have the shape 'A99', 2 do not, such as '99'", "know: 2 values are in fewer than one"],
        ),
        (
            [f"A{row % 900 + 100}" for row in range(ROWS - 70)] + ["A" + "." * row for row in range(1, 36)] * 2,
            "text",
            ["look: 96.5% have the shape 'A999', 70 do not, such as 'A.'", "look: 96.6% of the texts"],
        ),
        (
            [f"A{row % 900 + 100}" for row in range(ROWS - 70)]
            + [f"{'.' * (row % 35)}{'-/'[row // 35]}" for row in range(70)],
            "text",
            ["look: at least 96.", "look: 96.6% of the texts have 4 characters"],
        ),
    ],
)
def test_what_is_odd_is_said(values: list[object], kind: ColumnType, wanted: list[str]) -> None:
    """With its figure, and nothing beside it."""
    found = said(values, kind)
    assert len(found) == len(wanted)
    assert all(one.startswith(text) for one, text in zip(found, wanted, strict=True))


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["a", "b"] * (ROWS // 2), "category"),
        ([float(row) for row in range(ROWS)], "number"),
        ([row % 7 for row in range(ROWS)], "integer"),
        ([], "number"),
        ([], "category"),
    ],
)
def test_what_is_plain_is_not_talked_about(values: list[object], kind: ColumnType) -> None:
    """An ordinary column, or a table without rows, has no notes."""
    assert said(values, kind) == []


HOUR = timedelta(hours=1)
MONDAY = datetime(2024, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("times", "wanted"),
    [
        ([MONDAY + row * 24 * HOUR for row in range(400)], ["know: all times are at midnight (UTC)"]),
        (
            [MONDAY + row * 24 * HOUR - (1 + row // 200) * HOUR for row in range(400)],
            ["know: all times are at 22:00 or 23:00 (UTC): perhaps days of another time zone"],
        ),
        ([MONDAY + row * HOUR for row in range(400)], ["know: all times are on the hour"]),
        (
            [MONDAY + row * 24 * HOUR + (row % 5 > 0) * row * timedelta(seconds=7) for row in range(400)],
            ["look: 20.0% of the times are at midnight (UTC): perhaps the hour is not known"],
        ),
        (
            [MONDAY + (row // 5 * 7 + row % 5) * 24 * HOUR + row * timedelta(seconds=7) for row in range(400)],
            ["know: no time is on a Saturday or Sunday (UTC)"],
        ),
        ([MONDAY + row * 25.3 * HOUR for row in range(400)], []),
        ([None] * 400, ["look: every value is missing"]),
    ],
)
def test_what_is_odd_in_times_is_said(times: list[datetime | None], wanted: list[str]) -> None:
    """Days that look like moments, hours that are not known, and days of the week that are left out."""
    frame = pl.DataFrame({"c": pl.Series(times, dtype=pl.Datetime("us", "UTC"))})
    notes = notes_of(profile_frame(frame, [Column(name="c", type="datetime")]))
    assert [f"{one.weight}: {one.sentence}" for one in notes] == wanted


def test_numbers_are_written_for_people() -> None:
    """Without an exponent where it can be helped."""
    written = [number(value) for value in (0.12345, 1234.5678, 1490400.0, -20000.4)]
    assert written == ["0.1235", "1,235", "1,490,400", "-20,000"]
