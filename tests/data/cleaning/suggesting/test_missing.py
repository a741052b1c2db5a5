"""Words that stand for a missing value."""

import polars as pl

from heptad.data.cleaning.suggesting.missing import strong, weak


def test_marks_that_readers_know_are_strong() -> None:
    """In any case and with blanks around; a value is none."""
    assert (
        strong(pl.Series(["N/A", " null ", "-", "?", "NaN", "0", "none such", ""])).to_list()
        == [True] * 5 + [False] * 3
    )


def test_words_that_may_be_values_are_weak() -> None:
    """They are evidence, not more."""
    assert weak(pl.Series(["unknown", "-1", "Empty", "known"])).to_list() == [True, True, True, False]
    assert not strong(pl.Series(["unknown", "-1", "Empty"])).any()
