"""A process for trials is sent its objective, or says why it cannot be."""

import time

import pytest
from tests.experiments.searching.functions import once_killed, square, stepwise

from heptad.core.errors import InputError
from heptad.experiments import Trial
from heptad.experiments.searching.seats import Seat, packed


def test_a_function_that_another_process_cannot_find_is_refused() -> None:
    """A lambda has no name to be found by."""
    with pytest.raises(InputError, match="no lambda"):
        packed(lambda trial: trial["x"])


def test_an_objective_that_cannot_be_loaded_there_is_refused_with_what_is_allowed() -> None:
    """What stands in the way comes back from the process."""
    seat = Seat(packed(once_killed).replace(b"once_killed", b"never_known"), ["value"], [], 7, 0)
    try:
        seat.begin(Trial(0, {"x": 0.5, "kind": "b"}))
        with pytest.raises(InputError, match="never_known"):
            heard(seat)
    finally:
        seat.close()


def test_trials_run_one_after_the_other_in_the_same_process() -> None:
    """Its outcome and its reports arrive; a restart makes a new process."""
    seat = Seat(packed(square), ["value"], [], 7, 0)
    try:
        pids = set()
        for number in range(2):
            seat.begin(Trial(number, {"x": 0.5, "kind": "b"}))
            said = heard(seat)
            assert (said[0], said[1].values) == ("ended", (0.25,))
            pids.add(seat.process.pid)
        assert len(pids) == 1
        seat.restart()
        assert seat.process.pid not in pids
    finally:
        seat.close()


def test_a_report_is_answered_by_whether_the_trial_ends() -> None:
    """Ended at the second one, the trial is pruned."""
    seat = Seat(packed(stepwise), ["value"], [], 7, 0)
    try:
        seat.begin(Trial(0, {"x": 0.5}))
        for step in (0, 1):
            assert heard(seat) == ("report", step, 0.5 + 1 / (step + 1))
            seat.answer(step == 1)
        assert heard(seat)[1].pruned
    finally:
        seat.close()


def heard(seat: Seat) -> tuple[object, ...]:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if (said := seat.message()) is not None:
            return said
        time.sleep(0.01)
    raise AssertionError
