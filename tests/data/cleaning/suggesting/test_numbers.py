"""Numbers: which values are some, and how far out they lie."""

import numpy as np
import polars as pl

from heptad.data.cleaning.suggesting.cells import encode
from heptad.data.cleaning.suggesting.numbers import of_one_length, outlying, parsed, share_of_numbers, strangeness


def test_only_plain_numbers_are_numbers() -> None:
    """A unit, a comma or a word makes it none; a sign, a point and an exponent do not."""
    found = parsed(pl.Series(["1", "-2.5", ".5", "1e3", "1 kg", "1,5", "", "x"]))
    assert found[:4].tolist() == [1, -2.5, 0.5, 1000]
    assert np.isnan(found[4:]).all()


def test_the_share_of_numbers_leaves_empty_cells_out() -> None:
    """Three numbers and a word, and as many empty cells as you like."""
    column = encode(pl.Series(["1", "2", "3", "x", "", "", ""]))
    assert share_of_numbers(parsed(column.values), column) == 0.75


def test_a_number_ten_times_too_large_lies_out() -> None:
    """And those of the usual spread do not, on neither side."""
    numbers = np.r_[np.linspace(10, 20, 99), 150.0, -120.0]
    found = outlying(numbers, np.ones(101, dtype=np.int64))
    assert (found[-2:] > 2).all()
    assert found[:99].max() < 1


def test_zeros_that_fill_a_column_make_no_outliers_of_the_others() -> None:
    """Where one number is most of the column, the rest is compared among itself."""
    numbers = np.r_[0.0, np.linspace(1000, 2000, 50)]
    counts = np.r_[900, np.ones(50)].astype(np.int64)
    assert outlying(numbers, counts).max() < 1.5


def test_a_long_tail_holds_no_outliers() -> None:
    """Populations, prices and counts spread over many powers of ten, and one far beyond them all lies out still."""
    numbers = np.exp(np.random.default_rng(0).normal(8, 1.5, 1000))
    counts = np.ones(1000, dtype=np.int64)
    assert outlying(numbers, counts).max() < 2
    assert outlying(np.r_[numbers, 1e12], np.r_[counts, 1])[-1] > 2


def test_digits_of_one_length_are_codes() -> None:
    """Such as postal ones; what is measured has numbers of any length."""
    for texts, codes in ((["10115"] * 9 + ["115"], True), (["5.5", "12", "7.25", "100"], False), (["1", "2"], False)):
        column = encode(pl.Series(texts))
        assert of_one_length(column.values, ~np.isnan(parsed(column.values)), column.counts) is codes


def test_words_that_recur_among_numbers_are_codes() -> None:
    """Ten regions named by letters; not one mark for nothing, nor what slipped in here and there."""
    numbers, regions = [str(n) for n in range(70)], [f"{letter}X" for letter in "ABCDEFGHIJ"] * 3
    for words, expected in ((regions, 0.3), (["unknown"] * 30, 1.0), (regions[:7], 1.0), (["7x"] * 30, 1.0)):
        column = encode(pl.Series([*numbers, *words]))
        none = np.isnan(parsed(column.values))
        found = strangeness(column.values, ~none, column.counts)
        assert np.allclose(found[none], expected)
        assert (found[~none] == 1).all()
