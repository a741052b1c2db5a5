"""Rare words that are nearly a common word of the same column."""

import polars as pl

from heptad.data.cleaning.suggesting.cells import encode
from heptad.data.cleaning.suggesting.words import misspelt_words

COLUMN = encode(pl.Series([f"study number {n} of the heart" for n in range(30)] + ["studdy of the heart", "H%eart"]))


def test_a_word_seen_once_is_nearly_one_seen_often() -> None:
    """The correction is told, and the value with the word has the evidence."""
    found, corrections = misspelt_words(COLUMN)
    assert corrections == {"studdy": "study"}
    assert found.argmax() == COLUMN.values.to_list().index("studdy of the heart")


def test_pieces_around_a_sign_are_no_words() -> None:
    """What stands before and behind a sign inside of a word is not corrected by itself."""
    assert misspelt_words(COLUMN)[0][COLUMN.values.to_list().index("H%eart")] == 0


def test_without_common_words_nothing_is_found() -> None:
    """All words are seen once."""
    assert misspelt_words(encode(pl.Series(["alpha", "beta"])))[1] == {}


def test_where_common_words_are_alike_nearly_one_of_them_says_nothing() -> None:
    """Names that differ by a letter: a rare one is likely another name."""
    names = [name for name in ("Johann", "Johana", "Marian", "Mariam") for _ in range(20)]
    assert misspelt_words(encode(pl.Series([*names, "Johane"])))[0].max() == 0
