"""Columns of text become what they hold; what does not fit is counted, never lost in silence."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import msgspec
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heptad.core.errors import DataError
from heptad.core.settings import Task
from heptad.data.columns import column_types
from heptad.data.columns.column_types import STORED, Dates, Reading, conform, stored_type
from heptad.data.columns.dialogues import Dialogue
from heptad.data.records import Repair


class Column(msgspec.Struct):
    """A column as it was read, its values made."""

    values: pl.Series
    understood: str
    repairs: list[Repair]


def made(values: pl.Series, reading: Callable[[], Dialogue[Reading]]) -> Column:
    """The same of a table in memory and of one that is read in parts."""
    frame = values.to_frame()
    rows, understood, repairs = column_types.read_columns(frame, {values.name: reading()})
    lazy = column_types.read_columns(frame.lazy(), {values.name: reading()})
    assert (lazy[0].collect().to_dict(as_series=False), *lazy[1:]) == (
        rows.to_dict(as_series=False),
        understood,
        repairs,
    )
    return Column(rows.to_series(), understood.get(values.name, ""), repairs)


def read_column(texts: pl.Series, decimal_comma: bool, style: Dates) -> Column:
    return made(texts, lambda: column_types.read_text(texts.name, decimal_comma, style))


def read_times(texts: pl.Series, style: Dates) -> Column:
    return made(texts, lambda: column_types.read_times(texts.name, style))


def as_moments(values: pl.Series, style: Dates) -> Column:
    return made(values, lambda: column_types.as_moments(values.name, values.dtype, style))


def as_target(values: pl.Series, task: Task) -> Column:
    return made(values, lambda: column_types.as_target(values.name, values.dtype, task))


def read(*texts: str | None, decimal_comma: bool = False) -> pl.Series:
    return read_column(pl.Series("x", texts, dtype=pl.String), decimal_comma, Dates()).values


@pytest.mark.parametrize(
    ("texts", "kind"),
    [
        (("1", None, "-3"), pl.Int64),
        (("1.5", "2", "1e3"), pl.Float64),
        (("true", "False", None), pl.Boolean),
        (("2020-01-13", "2020-01-14"), pl.Datetime("us", "UTC")),
        (("a", "1"), pl.String),
        (("yes", "no"), pl.String),
        ((None, None), pl.String),
        (("9" * 30, "1"), pl.String),
        (("9" * 30, "1.5"), pl.Float64),
    ],
)
def test_a_column_gets_the_narrowest_type_that_holds_it(texts: tuple[str | None, ...], kind: pl.DataType) -> None:
    """Integer, number, boolean, time or text, in this order."""
    assert read(*texts).dtype == kind


def test_leading_zeros_make_codes() -> None:
    """`01234` is a code: it stays text, and so does its neighbour."""
    column = read_column(pl.Series("zip", ["01234", "10115", "0"]), decimal_comma=False, style=Dates())
    assert column.values.to_list() == ["01234", "10115", "0"]
    assert column.understood == "codes with leading zeros"


@pytest.mark.parametrize("stray", [[], ["n.a."]])
def test_whole_numbers_beyond_64_bits_are_codes(stray: list[str]) -> None:
    """As numbers they lose their last digits, so that codes which differ would be the same."""
    codes = [f"{12345678901234567000 + x}" for x in range(40)]
    column = read_column(pl.Series("account", codes + stray), decimal_comma=False, style=Dates())
    assert column.values.to_list() == codes + stray
    assert (column.understood, column.repairs) == ("whole numbers beyond 64 bits, as text", [])


@given(st.lists(st.integers(-(10**40), 10**40) | st.integers(-(2**64), 2**64), min_size=1))
def test_no_digit_of_a_whole_number_is_lost(numbers: list[int]) -> None:
    """Integers where 64 bits hold them all, else text."""
    values = read(*map(str, numbers))
    assert [int(one) for one in values] == numbers
    assert values.dtype == (pl.Int64 if all(-(2**63) <= one < 2**63 for one in numbers) else pl.String)


def test_commas_are_understood_by_where_they_stand() -> None:
    """Between thousands, or for decimals where the separator of the file leaves commas free."""
    assert read("1,234.5", "12", "1,000").to_list() == [1234.5, 12.0, 1000.0]
    assert read("1,5", "1.234,5", "7", decimal_comma=True).to_list() == [1.5, 1234.5, 7.0]
    assert read("a, b", "c, d").dtype == pl.String


def test_cells_in_the_other_notation_are_missing_and_counted() -> None:
    """Without its comma or point such a cell would be a number 100 or 1000 times as large."""
    english = [f"{x}.40" for x in range(600, 698)] + ["760,14", "0,123"]
    german = [f"{x},40" for x in range(600, 698)] + ["805.07", "0.123"]
    for texts, decimal_comma, seen in (
        (english, False, "commas between thousands"),
        (german, True, "commas for decimals"),
    ):
        column = read_column(pl.Series("x", texts), decimal_comma, Dates())
        assert column.values.to_list() == [*(x + 0.4 for x in range(600, 698)), None, None]
        assert column.understood == seen
        assert [(one.rule, one.cells, one.examples) for one in column.repairs] == [("not_a_number", 2, texts[-2:])]


def test_three_digits_after_a_point_are_thousands_where_most_cells_say_so() -> None:
    """`1.234` is in both notations: what few cells have does not make the others 1000 times as large."""
    sensor = read_column(pl.Series("x", [f"{x}.250" for x in range(1, 99)] + ["7,5"]), True, Dates())
    assert sensor.values.to_list() == [*(x + 0.25 for x in range(1, 99)), None]
    assert [(one.rule, one.examples) for one in sensor.repairs] == [("not_a_number", ["7,5"])]
    assert read("1.234", "2.000", "1.234,5", decimal_comma=True).to_list() == [1234.0, 2000.0, 1234.5]


@given(
    st.lists(st.decimals(-(10**6), 10**6, places=2), min_size=40, max_size=60),
    st.lists(st.decimals(-(10**6), 10**6, places=2), max_size=2),
    st.booleans(),
    st.booleans(),
)
def test_every_cell_is_the_number_that_was_written_or_missing(
    most: list[Decimal], few: list[Decimal], grouped: bool, decimal_comma: bool
) -> None:
    """Whichever notation most cells have: with two decimals each can be read in one way only."""
    swapped = str.maketrans(",.", ".,")
    english, german = [f"{x:,}" if grouped else f"{x}" for x in most], [f"{x:,}".translate(swapped) for x in few]
    texts = [*english, *german]
    if decimal_comma:
        texts = [one.translate(swapped) for one in texts]
    values = read(*texts, decimal_comma=decimal_comma)
    if values.dtype == pl.Float64:
        assert all(got in {None, float(meant)} for got, meant in zip(values, [*most, *few], strict=True))
        assert values[: len(most)].null_count() == 0


def test_a_few_words_among_numbers_are_nulled_and_counted() -> None:
    """Up to one value in twenty may not fit; each is null, counted, and shown."""
    column = read_column(pl.Series("x", [str(x / 2) for x in range(99)] + ["n.a."]), decimal_comma=False, style=Dates())
    assert column.values.null_count() == 1
    (repair,) = column.repairs
    assert (repair.rule, repair.column, repair.cells, repair.examples) == ("not_a_number", "x", 1, ["n.a."])


def test_a_column_of_both_stays_text_and_says_so() -> None:
    """Where words are too many to be mistakes, nothing is thrown away."""
    column = read_column(pl.Series("x", ["1.5", "2.5", "3.5", "abc"]), decimal_comma=False, style=Dates())
    assert column.values.dtype == pl.String
    assert column.understood == "text, though 75% of the values are numbers"


def test_ambiguous_days_are_not_guessed() -> None:
    """Times that can be read in two ways stay text, and the source says why."""
    column = read_column(pl.Series("t", ["01/02/2020", "03/04/2020"]), decimal_comma=False, style=Dates())
    assert column.values.dtype == pl.String
    assert "other way round" in column.understood
    settled = read_column(pl.Series("t", ["01/02/2020"]), decimal_comma=False, style=Dates(format="%d/%m/%Y"))
    assert settled.values.to_list() == [datetime(2020, 2, 1, tzinfo=UTC)]


def test_two_formats_and_a_stray_word_are_counted_each() -> None:
    """A second format is a repair, a value that is no time another."""
    texts = ["2020-01-13"] * 95 + ["01/14/2020"] * 4 + ["soon"]
    column = read_times(pl.Series("t", texts), Dates())
    assert {repair.rule: repair.cells for repair in column.repairs} == {"not_a_time": 1, "second_date_format": 4}


def test_large_whole_numbers_of_typed_files_are_text_where_they_have_to_be() -> None:
    """A column of a wide type that needs less stays a number."""
    small, wide = pl.Series("x", [2**62, None], dtype=pl.Int128), pl.Series("x", [2**63, None, 1], dtype=pl.UInt64)
    assert made(small, lambda: column_types.read_large("x")).values.to_list() == [2**62, None]
    column = made(wide, lambda: column_types.read_large("x"))
    assert column.values.to_list() == [f"{2**63}", None, "1"]
    assert column.understood == "whole numbers beyond 64 bits, as text"


def test_frames_are_brought_to_stored_types() -> None:
    """Every dtype that a function may return ends as one that tables hold, or as an error that names it."""
    frame = pl.DataFrame(
        {
            "small": pl.Series([1, None], dtype=pl.UInt8),
            "large": pl.Series([2**63, 1], dtype=pl.UInt64),
            "id": pl.Series([10**17 + 1, None], dtype=pl.Decimal(38, 0)),
            "single": pl.Series([0.5, 1], dtype=pl.Float32),
            "money": [Decimal("1.25"), None],
            "day": [date(2020, 1, 13), None],
            "span": [timedelta(minutes=1), None],
            "clock": [time(1), None],
            "level": pl.Series(["a", "b"], dtype=pl.Enum(["a", "b"])),
            "nothing": [None, None],
        }
    )
    stored, repairs = conform(frame, {}, Dates())
    assert all(kind in STORED.values() for kind in stored.dtypes)
    assert stored.row(0)[:8] == (1, str(2**63), 10**17 + 1, 0.5, 1.25, datetime(2020, 1, 13, tzinfo=UTC), 60.0, 3600.0)
    assert repairs == []
    with pytest.raises(DataError, match="'lists' holds List"):
        conform(pl.DataFrame({"lists": [[1], [2]]}), {}, Dates())


def test_types_of_the_settings_win() -> None:
    """A type that the settings name is applied; what does not fit is null and counted."""
    frame = pl.DataFrame({"code": [1.0, None, 3.0], "dirty": ["1", "x", None], "flag": ["yes", "no", "perhaps"]})
    stored, repairs = conform(frame, {"code": "category", "dirty": "integer", "flag": "boolean"}, Dates())
    assert stored.to_dict(as_series=False) == {
        "code": ["1", None, "3"],
        "dirty": [1, None, None],
        "flag": [True, False, None],
    }
    assert [(one.rule, one.column, one.cells) for one in repairs] == [
        ("not_a_number", "dirty", 1),
        ("not_a_boolean", "flag", 1),
    ]


def test_a_time_column_must_hold_times() -> None:
    """As a time, a column of words, of stray values, or of ambiguous days is refused; Unix seconds are told."""
    with pytest.raises(DataError, match="does not hold times: it has 'soon', 'later'"):
        as_moments(pl.Series("t", ["soon", "later"]), Dates())
    with pytest.raises(DataError, match="it has 'soon'\\."):
        as_moments(pl.Series("t", ["2020-01-13"] * 9 + ["soon"]), Dates())
    with pytest.raises(DataError, match="day before month"):
        as_moments(pl.Series("t", ["01/02/2020"]), Dates())
    with pytest.raises(DataError, match="does not hold times"):
        as_moments(pl.Series("t", [1, 2]), Dates())
    moments = as_moments(pl.Series("t", [1578873600]), Dates())
    (repair,) = moments.repairs
    assert moments.values.to_list() == [datetime(2020, 1, 13, tzinfo=UTC)]
    assert repair.examples == ["Unix time in seconds"]


def test_targets_are_kept_as_classes_or_numbers() -> None:
    """1 and 1.0 are the same class; a number that is none is counted."""
    assert as_target(pl.Series("y", [1.0, 2.0, None]), "classification").values.to_list() == ["1", "2", None]
    assert as_target(pl.Series("y", [True, False]), "classification").values.to_list() == ["true", "false"]
    assert as_target(pl.Series("y", [1, 2]), "regression").values.dtype == pl.Float64


def test_text_alone_has_no_single_type() -> None:
    """Every stored dtype but text says which type it is."""
    assert [stored_type(kind) for kind in (pl.Int64(), pl.String())] == ["integer", None]
