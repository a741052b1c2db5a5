"""Rows that repeat others are found, wherever they are."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heptad.core.errors import DataError
from heptad.data.cleaning.copies import PLACE, at_places, duplicates, look_alikes, repeats, repeats_by_chance
from heptad.data.cleaning.settings import SimilarRows

ROWS = st.lists(
    st.tuples(st.none() | st.floats(), st.none() | st.integers(-9, 9), st.none() | st.sampled_from([" A", "a", "b"])),
    max_size=30,
)


def frame_of(rows: list) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={"f": pl.Float64, "i": pl.Int64, "s": pl.String}, orient="row")


def placed(frame: pl.DataFrame) -> pl.LazyFrame:
    return frame.lazy().with_row_index(PLACE)


@given(ROWS)
def test_duplicates_are_the_later_copies(rows: list) -> None:
    """A row is a copy where an earlier row is the same; with a key that copies share, the answer is the same."""
    frame = frame_of(rows)
    places = duplicates(frame.lazy(), frame.columns, []).to_list()
    seen: list[pl.DataFrame] = []
    for place in range(len(frame)):
        row = frame.slice(place, 1)
        assert (place in places) == any(row.equals(other) for other in seen)
        seen.append(row)
    assert duplicates(frame.lazy(), frame.columns, ["i"]).to_list() == places
    assert duplicates(frame.lazy(), frame.columns, ["i", "s"]).to_list() == places


@given(st.sets(st.integers(0, 30), min_size=1))
def test_rows_are_found_at_their_places(places: set[int]) -> None:
    """Whatever the places, exactly the rows there are found."""
    rows = pl.LazyFrame({"n": range(40)}).with_row_index(PLACE)
    found = rows.filter(at_places(pl.Series(sorted(places), dtype=pl.Int64))).collect(engine="streaming")
    assert found["n"].to_list() == sorted(places)


@given(ROWS, st.sampled_from(["first", "last"]))
def test_one_row_stays_of_those_that_share_a_key(rows: list, kept: str) -> None:
    """The first or the last; a key with a missing part is shared with none."""
    places = repeats(placed(frame_of(rows)), ["i", "s"], kept).to_list()
    order = list(enumerate(rows)) if kept == "first" else list(enumerate(rows))[::-1]
    seen, expected = set(), []
    for place, (_, i, s) in order:
        if i is not None and s is not None:
            expected += [place] if (i, s) in seen else []
            seen.add((i, s))
    assert places == sorted(expected)


def test_rows_that_are_alike_go_but_for_the_first() -> None:
    """Typing errors and the order of words do not make another row; another block does."""
    frame = pl.DataFrame(
        {
            "name": ["Anna Berg", "Berg Anna", "Anna  Bergg", "Otto Klein", "Anna Berg", None],
            "city": ["Bonn", "Bonn", "Bonn", "Bonn", "Kiel", "Bonn"],
        }
    )
    found = look_alikes(placed(frame), SimilarRows(columns=["name"], block=["city"], least=0.85))
    assert found.to_list() == [1, 2]


def test_a_block_that_is_too_large_says_so() -> None:
    """Comparing every row with every other would never end."""
    frame = pl.DataFrame({"name": ["a", "b", "c"]})
    with pytest.raises(DataError, match="compare 3 rows"):
        look_alikes(placed(frame), SimilarRows(columns=["name"], most=2))


def test_few_values_repeat_by_chance() -> None:
    """As many pairs as drawing each column anew would make; none where a column is different in every row."""
    few = pl.DataFrame({"a": [0, 0, 1, 1], "b": ["x", "x", "x", None]})
    assert repeats_by_chance(few) == pytest.approx(6 * (2 / 6) * (3 / 6))
    assert repeats_by_chance(few.with_row_index("id")) == 0
    assert repeats_by_chance(few.clear()) == repeats_by_chance(few.head(1)) == 0
