"""Which numbers are ordinary; the rules are tested in the table of test_kinds."""

import numpy as np
import polars as pl
from sklearn.ensemble import IsolationForest

from heptad.data import CleanRule
from heptad.data.cleaning.limits import SEED, fit_outliers, outliers
from heptad.data.cleaning.steps import Given
from heptad.data.columns.dialogues import converse
from heptad.data.records import Fitted


def test_the_intervals_say_what_the_forest_says() -> None:
    """Of numbers that it has seen, and of numbers that it has not."""
    rng = np.random.default_rng(3)
    seen = np.concatenate([rng.normal(0, 1, 900), rng.normal(20, 1, 90), [90.0, -60.0]])
    asked = np.concatenate([seen, rng.uniform(-100, 120, 2000)])
    rule = CleanRule(outliers="forest", outlying="null")
    (bounds,) = converse(pl.LazyFrame({"c": seen}), [fit_outliers("c", rule)])
    step = outliers(Given("c", pl.Float64(), rule, Fitted(bounds={"c": bounds})))
    kept = pl.DataFrame({"c": asked}).select(step.repair(pl.col("c")).is_not_null()).to_series().to_numpy()
    forest = IsolationForest(n_estimators=100, random_state=SEED).fit(seen.astype(np.float32).reshape(-1, 1))
    assert (kept == (forest.predict(asked.astype(np.float32).reshape(-1, 1)) == 1)).all()
    assert not kept[990:992].any()


def test_numbers_that_are_all_alike_have_no_outliers() -> None:
    """Nor have fewer than two."""
    for values in ([], [1.0], [2.0] * 9):
        for how in ("iqr", "mad", "forest"):
            rows = pl.LazyFrame({"c": pl.Series(values, dtype=pl.Float64)})
            (bounds,) = converse(rows, [fit_outliers("c", CleanRule(outliers=how))])
            assert bounds in ([], [(None, None)])
