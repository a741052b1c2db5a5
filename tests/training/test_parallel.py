"""Several trainings at once: the same results, in order, in the name of whoever asked."""

import threading

import numpy as np
import pytest

from heptad.core.identity import acting_as, current_actor
from heptad.training.parallel import on_all_cores


def test_results_come_in_the_order_of_the_items() -> None:
    """Whoever is done first, the answers stand where their questions stood."""
    gate = threading.Event()

    def work(number: int) -> int:
        if number == 0:
            gate.wait(5)
        else:
            gate.set()
        return number * number

    assert on_all_cores(work, [0, 1, 2, 3]) == [0, 1, 4, 9]
    assert on_all_cores(work, []) == []


def test_everything_acts_in_the_name_of_whoever_asked() -> None:
    """The actor goes along into the threads."""
    with acting_as("plan:x"):
        assert on_all_cores(lambda _: current_actor(), [1, 2]) == ["plan:x", "plan:x"]


def test_sums_are_those_of_one_thread() -> None:
    """Linear algebra adds up in the same order at once as one after the other."""
    matrices = [np.random.default_rng(seed).normal(size=(3000, 60)) for seed in range(4)]
    at_once = on_all_cores(lambda matrix: matrix.T @ matrix, matrices)
    alone = [on_all_cores(lambda matrix: matrix.T @ matrix, [matrix, matrix])[0] for matrix in matrices]
    assert all(np.array_equal(one, other) for one, other in zip(at_once, alone, strict=True))


def test_an_error_of_one_is_the_error_of_all() -> None:
    """What an item raised is raised."""
    with pytest.raises(ZeroDivisionError):
        on_all_cores(lambda number: 1 // number, [1, 0])
