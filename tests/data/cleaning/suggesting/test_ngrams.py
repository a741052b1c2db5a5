"""The rarest pair of neighbouring characters, and the rarest word, of each value."""

import polars as pl

from heptad.data.cleaning.suggesting import ngrams
from heptad.data.cleaning.suggesting.cells import encode

COLUMN = encode(pl.Series(["birmingham"] * 60 + ["boston"] * 39 + ["birminghxm"]))
ODD = COLUMN.values.to_list().index("birminghxm")


def test_a_character_that_no_other_value_has_is_the_rarest() -> None:
    """One wrong letter among a hundred cells stands out, alone and with its neighbour."""
    for rarest in (ngrams.rarest_character(COLUMN), ngrams.rarest_pair(COLUMN)):
        assert rarest.argmax() == ODD
        assert rarest[ODD] > 1


def test_digits_are_alike() -> None:
    """Which digit it is says nothing about a number."""
    column = encode(pl.Series([str(number) for number in range(100, 200)]))
    assert (ngrams.rarest_pair(column) == 0).all()


def test_a_word_that_is_seen_once_is_rare() -> None:
    """Among values that share their words."""
    column = encode(pl.Series(["north road"] * 50 + ["south road"] * 49 + ["sputh road"]))
    found = ngrams.rarest_word(column)
    assert found.argmax() == column.values.to_list().index("sputh road")
