"""Which numbers are ordinary; the rules are tested in the table of test_kinds."""

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import IsolationForest

from heptad.data import CleanRule
from heptad.data.cleaning.limits import SEED, fit_outliers, outliers
from heptad.data.cleaning.steps import Given
from heptad.data.columns.dialogues import converse
from heptad.data.records import Fitted

RNG = np.random.default_rng(3)
CLEAN = {
    "uniform": RNG.random(2000),
    "normal": RNG.normal(0, 1, 2000),
    "whole": RNG.integers(0, 100, 2000),
    "counts": RNG.poisson(2, 2000),
    "two groups": np.concatenate([RNG.normal(0, 1, 1000), RNG.normal(20, 1, 1000)]),
    "a group of a tenth": np.concatenate([RNG.normal(0, 1, 900), RNG.normal(20, 1, 90)]),
    "many zeros": np.concatenate([np.zeros(600), RNG.normal(50, 5, 1400)]),
    "five values": RNG.choice([1, 2, 3, 4, 5], 2000, p=[0.5, 0.3, 0.1, 0.07, 0.03]),
    "ten numbers": RNG.normal(0, 1, 10),
    "skewed": RNG.lognormal(0, 1, 2000),
}
Numbers = npt.NDArray[np.float64]


def kept(seen: Numbers, asked: Numbers, rule: CleanRule) -> npt.NDArray[np.bool_]:
    """Which of the numbers asked about are ordinary by what was seen."""
    (bounds,) = converse(pl.LazyFrame({"c": seen}), [fit_outliers("c", rule)])
    step = outliers(Given("c", pl.Float64(), rule, Fitted(bounds={"c": bounds})))
    return pl.DataFrame({"c": asked}).select(step.repair(pl.col("c")).is_not_null()).to_series().to_numpy()


@pytest.mark.parametrize("name", CLEAN)
def test_a_forest_finds_hardly_an_outlier_where_there_is_none(name: str) -> None:
    """Whatever the shape; of a skewed column what quartiles find, or fewer."""
    seen = CLEAN[name].astype(np.float64)
    share = 0.03 if name == "skewed" else 0
    assert (~kept(seen, seen, CleanRule(outliers="forest", outlying="null"))).mean() <= share


@pytest.mark.parametrize(
    ("name", "far"),
    [("uniform", [5, -3]), ("normal", [12, -15, 40]), ("two groups", [10, -12, 40]), ("many zeros", [500, -90])],
)
def test_a_forest_finds_what_is_far_from_every_group(name: str, far: list[float]) -> None:
    """Between groups, too; a wider fence finds less."""
    seen = np.concatenate([CLEAN[name].astype(np.float64), far])
    rule = CleanRule(outliers="forest", outlying="null")
    assert (~kept(seen, seen, rule)).sum() == len(far)
    assert not kept(seen, np.array(far, dtype=np.float64), rule).any()
    assert kept(seen, seen, CleanRule(outliers="forest", outlying="null", fence=1000)).all()


@given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=2, max_size=40))
@settings(deadline=None, max_examples=25)
def test_at_most_a_tenth_is_far(values: list[float]) -> None:
    """And nothing that the forest itself finds ordinary."""
    seen = np.array(values, dtype=np.float64)
    ordinary = kept(seen, seen, CleanRule(outliers="forest", outlying="null"))
    forest = IsolationForest(n_estimators=100, random_state=SEED).fit(seen.astype(np.float32).reshape(-1, 1))
    assert (~ordinary).sum() <= len(seen) / 10
    assert ordinary[forest.predict(seen.astype(np.float32).reshape(-1, 1)) == 1].all()


def test_numbers_that_are_all_alike_have_no_outliers() -> None:
    """Nor have fewer than two."""
    for values in ([], [1.0], [2.0] * 9):
        for how in ("iqr", "mad", "forest"):
            rows = pl.LazyFrame({"c": pl.Series(values, dtype=pl.Float64)})
            (bounds,) = converse(rows, [fit_outliers("c", CleanRule(outliers=how))])
            assert bounds in ([], [(None, None)])
