"""One try of one task."""

import threading
import time

import pytest

from heptad.core.errors import HeptadError, InputError, UnavailableError
from heptad.core.flow_attempt import Call, attempt
from heptad.core.identity import current_actor


def call(function, timeout=None, portable=False, **arguments):
    return Call("step", function, arguments, "user:test", timeout, portable)


def test_the_result_is_taken_apart_and_timed() -> None:
    """What comes back is plain data, its digest and the seconds it took."""
    outcome = attempt(call(lambda x: [x, b"y" * 1000], x=1))
    assert outcome.packed.tree[0] == 1
    assert list(outcome.packed.blobs.values()) == [b"y" * 1000]
    assert outcome.seconds >= 0


def test_it_acts_in_the_name_of_whoever_ran_the_flow() -> None:
    """The actor travels with the call, also into the thread of a timed one."""
    for timeout in (None, 10.0):
        assert attempt(call(current_actor, timeout)).packed.tree == "user:test"


def test_a_result_that_cannot_be_stored_is_an_error_of_the_task() -> None:
    """The error names the task and the place."""
    with pytest.raises(InputError, match="the result of step is a"):
        attempt(call(object))


def test_an_overrun_is_retryable() -> None:
    """After its time a call is given up, without waiting for it."""
    release = threading.Event()
    began = time.monotonic()
    with pytest.raises(UnavailableError, match="did not finish within"):
        attempt(call(lambda: release.wait(30), 0.05))
    assert time.monotonic() - began < 10
    release.set()


@pytest.mark.parametrize("timeout", [None, 10.0])
def test_errors_come_out_as_they_are(timeout) -> None:
    """What the function raises is raised, in time or not."""

    def fails():
        raise KeyError("x")

    with pytest.raises(KeyError):
        attempt(call(fails, timeout))


class OddError(Exception):
    def __init__(self, one, two):
        super().__init__(one)


def test_an_error_that_cannot_travel_is_told_in_words() -> None:
    """For another process it becomes one that can, with its name, its text and where it was raised."""

    def fails():
        raise OddError("first", "second")

    with pytest.raises(OddError):
        attempt(call(fails))
    with pytest.raises(HeptadError, match=r"OddError: first\n(.|\n)*test_flow_attempt"):
        attempt(call(fails, portable=True))
