"""OpenDP's noise: as large as epsilon asks, no dearer than it says, and right on average."""

import statistics

import numpy as np
import pytest

from heptad.adapters.opendp import OpenDpNoise
from heptad.core.errors import InputError

AGES = np.array([20 + one % 60 for one in range(2000)], dtype=np.float64)


def test_figures_are_right_but_for_the_noise_they_name() -> None:
    """In 19 of 20 cases; a hundred tries leave far more room than that."""
    make = OpenDpNoise(1)
    counts = [make.count(AGES, 0.5) for _ in range(100)]
    assert all(0 < one.epsilon <= 0.5 for one in counts)
    within = counts[0].within
    assert within is not None
    assert sum(abs(one.value - 2000) <= within for one in counts) >= 80
    assert len({one.value for one in counts}) > 5
    totals = [make.total(AGES, 0, 50, 1.0).value for _ in range(50)]
    assert statistics.mean(totals) == pytest.approx(sum(min(one, 50.0) for one in AGES), rel=0.01)
    assert make.quantile(AGES, [float(one) for one in range(101)], 0.5, 1.0).value == pytest.approx(50, abs=5)


def test_counts_of_parts_cost_as_much_as_one() -> None:
    """A person is in one of them."""
    make = OpenDpNoise(1)
    bins = make.histogram(AGES, [30.0, 40.0], 1.0)
    assert [one.value for one in bins] == pytest.approx([340, 340, 1320], abs=40)
    towns = make.categories(np.repeat([0, 1, 2], [500, 300, 100]).astype(np.int32), 2, 1.0)
    assert [one.value for one in towns] == pytest.approx([500, 300, 100], abs=40)
    assert all(one.epsilon <= 1.0 for one in [*bins, *towns])


def test_people_with_more_rows_take_more_noise() -> None:
    """Ten rows each: ten times as much."""
    one, ten = OpenDpNoise(1).count(AGES, 0.5), OpenDpNoise(10).count(AGES, 0.5)
    assert one.within is not None
    assert ten.within == pytest.approx(10 * one.within, rel=0.01)
    assert ten.epsilon <= 0.5


def test_no_values_and_no_price() -> None:
    """Nobody is a figure too; nothing cannot be told for nothing."""
    make = OpenDpNoise(1)
    nobody = np.empty(0)
    assert abs(make.count(nobody, 1.0).value) < 100
    assert make.quantile(nobody, [0.0, 1.0], 0.5, 1.0).value in {0.0, 1.0}
    with pytest.raises(InputError, match="larger"):
        make.count(AGES, 1e-320)
