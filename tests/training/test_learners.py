"""A learning problem says which of its classes the rows at hand show."""

import numpy as np

from heptad.training.learners import Problem, spread


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
