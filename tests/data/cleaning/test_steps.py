"""A compiled rule."""

import polars as pl

from heptad.data.cleaning.steps import Step, differs


def test_a_step_counts_the_cells_that_become_others() -> None:
    """A missing value that stays missing is not one; rows are told by rule and column."""
    step = Step("fill", "c", lambda value: value.fill_null(0))
    frame = pl.DataFrame({"c": [1, None], "d": [1, None]})
    assert frame.select(step.changed(pl.col("c"), step.repair(pl.col("c")))).to_series().to_list() == [False, True]
    assert frame.select(differs(pl.col("c"), pl.col("d"))).to_series().to_list() == [False, False]
    assert step.name == "fill c"
