"""Values of one column that slipped into another one."""

import polars as pl

from heptad.data.cleaning.suggesting.cells import encode
from heptad.data.cleaning.suggesting.slips import slips


def test_a_state_that_slipped_into_the_city_is_found() -> None:
    """The rows, what is left of the city, and the state."""
    cities = ["Portland", "Austin"] * 20 + ["Portland OR", "Austin TX", "San Jose CA"]
    states = ["OR", "TX"] * 20 + ["", "", ""]
    states[:2] = ["CA", "CA"]
    found = slips([encode(pl.Series("city", cities)), encode(pl.Series("state", states))])
    assert list(found) == [(0, 1)]
    slip = found[0, 1]
    assert slip.rows.tolist() == [40, 41, 42]
    assert slip.rest.to_list() == ["Portland", "Austin", "San Jose"]
    assert slip.word.to_list() == ["OR", "TX", "CA"]


def test_a_word_that_is_usual_there_did_not_slip() -> None:
    """Values that end so where nothing is missing are right."""
    names = ["Bar TX", "Pub OR"] * 20 + ["Inn TX"] * 5
    states = ["TX", "OR"] * 20 + [""] * 5
    assert slips([encode(pl.Series("name", names)), encode(pl.Series("state", states))]) == {}
