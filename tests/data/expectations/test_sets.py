"""Expectations of the set of values: what never comes, what comes most, what comes twice."""

import polars as pl
from tests.data.expectations.conftest import asked, one_of

FRAME = pl.DataFrame({"x": ["a", "a", "b", "b", "c", None]})


def test_what_never_comes_is_named() -> None:
    """Of a set that should come as a whole."""
    assert one_of(FRAME, includes=["a", "y", "z"]).sentence == "x: y, z never comes"
    assert one_of(FRAME, values=["a", "b", "d"]).sentence == "x: 1 value other than a, b, d; d never comes"


def test_of_values_that_come_as_often_one_is_enough() -> None:
    """Ties are told whole."""
    assert one_of(FRAME, most_common=["b"]).passed
    found = one_of(FRAME, most_common=["c"])
    assert found.sentence == "x: the most common value is a, b, not one of c"


def test_a_value_that_comes_as_often_as_another_is_not_the_most_common_alone() -> None:
    """Neither where both are wanted, nor where there is none at all."""
    found = one_of(FRAME, most_common_alone=["a", "b"])
    assert found.sentence == "x: the most common value is a, b, not a single one of a, b"
    assert one_of(FRAME.slice(1), most_common_alone=["a", "b"]).passed
    assert not one_of(FRAME.slice(1), most_common_alone=["a"]).passed
    found = one_of(FRAME.clear(), most_common_alone=["a"])
    assert found.sentence == "x: the most common value is none, not a single one of a"


def test_rows_that_share_their_value_are_found() -> None:
    """All of them, since no one knows which is wrong; missing ones share nothing."""
    (found,), rows = asked(FRAME, columns={"x": {"unique": True}})
    assert (found.failing_rows, found.looked_at, rows()) == (4, 5, [4])


def test_numbers_have_sets_too() -> None:
    """Compared as numbers."""
    frame = pl.DataFrame({"x": [1.0, 2.0, 2.0]})
    assert one_of(frame, includes=[1, 2]).passed
    assert one_of(frame, most_common=[2]).passed
    assert one_of(frame, distinct={"min": 2, "max": 2}).passed
