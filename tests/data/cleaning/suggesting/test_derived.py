"""Columns that are a part of another."""

import polars as pl

from heptad.data.cleaning.suggesting.cells import encode
from heptad.data.cleaning.suggesting.derived import derived

DATES = [f"{1 + n % 28} May {1950 + n % 40}" for n in range(200)]
YEARS = [date.split()[2] for date in DATES]


def test_the_year_of_a_date_is_told_by_it() -> None:
    """Also in a row that has another year."""
    years = [*YEARS]
    years[7] = "1990"
    years[8] = YEARS[9]
    columns = [encode(pl.Series("date", DATES)), encode(pl.Series("year", years))]
    (found,) = derived(columns, 1)
    assert found.columns == (0,)
    assert columns[1].values[int(found.vote.most[8])] == YEARS[8]
    assert found.vote.own[8] == 0


def test_a_column_that_is_no_part_is_not_told() -> None:
    """Numbers of their own."""
    other = [str(n * 37 % 91) for n in range(200)]
    assert derived([encode(pl.Series("date", DATES)), encode(pl.Series("other", other))], 1) == []
