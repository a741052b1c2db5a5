"""A learning problem says which of its classes the rows at hand show."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heptad.training.baseline import Baseline
from heptad.training.learners import Problem, Rescaled, spread, without_units


def problem(target: list[float], classes: int) -> Problem:
    return Problem(np.zeros((len(target), 1)), np.array(target), classes, [], 0)


def test_classes_that_no_row_shows_are_known() -> None:
    """The classes present are named in order; a regression has its one number."""
    assert problem([2, 0, 2], 4).present.tolist() == [0, 2]
    assert problem([2.5, 0.1], 0).present.tolist() == [0]


def test_a_class_that_no_row_showed_is_impossible() -> None:
    """Probabilities of the classes present are spread over all classes."""
    wide = spread(np.array([[0.25, 0.75]]), np.array([0, 2]), 4)
    assert wide.tolist() == [[0.25, 0, 0.75, 0]]


@given(st.lists(st.floats(-1e300, 1e300) | st.integers(-3, 3).map(float), min_size=1, max_size=20))
def test_a_target_gets_its_units_back(values: list[float]) -> None:
    """Whatever the size of the numbers: what is learnt from is finite, and gives the numbers again."""
    target = np.array(values)
    plain, middle, size = without_units(target)
    assert np.isfinite([*plain, middle, size]).all()
    np.testing.assert_allclose(plain * size + middle, target, rtol=1e-9, atol=1e-9 * np.abs(target).max())


def test_an_outlier_does_not_make_the_rest_small() -> None:
    """The middle half of the rows decides what is large; where it is all alike, the standard deviation does."""
    plain, middle, size = without_units(np.array([1.0, 2.0, 3.0, 4.0, 1e15]))
    np.testing.assert_allclose(plain[:4], [-1.0, -0.5, 0.0, 0.5], atol=1e-12)
    assert (middle, size) == (3.0, pytest.approx(2.0))
    mostly_zero = np.array([0.0] * 9 + [1.0])
    assert without_units(mostly_zero)[1:] == (0.0, pytest.approx(0.3))


def test_a_target_that_does_not_vary_stays_where_it_is() -> None:
    """What is learnt from is 0, and the answer is the target."""
    plain, middle, size = without_units(np.full(5, 1.6e9))
    assert (plain.tolist(), middle, size) == ([0.0] * 5, 1.6e9, 1.0)


def test_a_rescaled_model_answers_and_explains_in_the_units_of_its_target() -> None:
    """Twice the size above the middle, and contributions as large as what they add."""
    model = Rescaled(Baseline(np.array([2.0])), middle=100.0, size=5.0)
    assert model.predict(np.zeros((2, 1))).tolist() == [[110.0], [110.0]]
    assert model.contributions(np.zeros((2, 1)))[0].tolist() == [[0.0], [0.0]]
