"""How far off numbers usually are is told by their neighbours, and not by the wrong ones among them."""

import numpy as np
import pytest

from heptad.training.number_errors import rounded, usual_errors


def test_errors_that_grow_are_told_where_they_are() -> None:
    """Within a third of the deviation that was put in, though one value in ten is far off."""
    random = np.random.default_rng(1)
    predicted = random.uniform(1, 100, 5_000)
    values = predicted + random.normal(size=5_000) * predicted / 10
    values[::10] *= 100
    found = usual_errors(values, predicted)
    inner = (predicted > 10) & (predicted < 90)
    assert np.abs(found[inner] / (predicted[inner] / 10) - 1).max() < 1 / 3


@pytest.mark.parametrize("count", [1, 2, 99, 250])
def test_few_rows_and_no_errors_at_all(count: int) -> None:
    """Never zero, so that it can be divided by."""
    values = np.arange(count, dtype=float)
    assert (usual_errors(values, values) > 0).all()
    assert (usual_errors(np.ones(count), np.ones(count)) > 0).all()


def test_a_number_has_two_digits_of_its_error() -> None:
    """Whatever its size."""
    told = [rounded(1234.567, error) for error in (120.0, 9.0, 0.5, 0.0)]
    assert told == ["1235", "1234.6", "1234.57", "1234.57"]
