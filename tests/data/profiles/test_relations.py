"""Correlations of all pairs, in one pass."""

import numpy as np
import polars as pl
import pytest

from heptad.data.passes import ask
from heptad.data.profiles.relations import MOST, Relations


def test_pairs_are_those_of_numpy_and_the_strongest_comes_first() -> None:
    """Rows where one of the two is missing do not count; a constant column goes with nothing."""
    rng = np.random.default_rng(3)
    a, noise, c = rng.normal(size=(3, 500))
    frame = pl.DataFrame({"a": a, "b": -2 * a + 0.1 * noise, "c": c, "same": [1.0] * 500})
    frame = frame.with_columns(pl.when(pl.int_range(500) >= 10).then("b").alias("b"))
    found = ask(frame.lazy(), Relations(frame.columns))[0]
    assert (found[0].first, found[0].second) == ("a", "b")
    assert {name for one in found for name in (one.first, one.second)} == {"a", "b", "c"}
    present = frame.drop_nulls("b")
    assert found[0].correlation == pytest.approx(np.corrcoef(present["a"], present["b"])[0, 1])


def test_the_number_of_pairs_is_bounded() -> None:
    """A very wide table does not become thousands of expressions."""
    assert len(Relations([f"c{place}" for place in range(500)]).expressions()) == MOST * (MOST - 1) // 2
    assert ask(pl.LazyFrame({"c": [1.0]}), Relations(["c"]))[0] == []
