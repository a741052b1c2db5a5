"""What flows ask of an executor as tests: subclass `ExecutorContract` and give it a fixture `executor`."""

import math
import operator
from concurrent.futures import Executor, wait

import pytest

from heptad.core.errors import NotFoundError, RequestError, UnavailableError

PATIENCE = 60
"""Seconds that a cluster may take to answer."""


def refuse(kind: str) -> None:
    """Raise one of Heptad's errors, whose constructors differ."""
    errors = {
        "not found": NotFoundError("task", "x", ["y"]),
        "request": RequestError("No.", status=422, field="age", allowed="a number"),
        "unavailable": UnavailableError("Not now.", remedy="Later."),
    }
    raise errors[kind]


class ExecutorContract:
    """Subclasses define the fixture `executor`; functions that are sent are importable, arguments can be pickled."""

    @pytest.fixture
    def executor(self) -> Executor:
        raise NotImplementedError

    def test_a_call_answers_its_result(self, executor: Executor) -> None:
        """`submit` passes positional and named arguments, and the future has the result."""
        assert executor.submit(math.hypot, 3, 4).result(PATIENCE) == 5.0
        assert executor.submit(sorted, [1, 3, 2], reverse=True).result(PATIENCE) == [3, 2, 1]

    def test_many_calls_each_have_their_own_result(self, executor: Executor) -> None:
        """Results belong to their futures, whatever the order in which they end."""
        futures = [executor.submit(operator.mul, number, number) for number in range(50)]
        assert not wait(futures, PATIENCE).not_done
        assert [future.result() for future in futures] == [number * number for number in range(50)]

    def test_an_error_is_the_futures(self, executor: Executor) -> None:
        """What a call raises comes out of its future; later calls are not disturbed."""
        assert isinstance(executor.submit(operator.truediv, 1, 0).exception(PATIENCE), ZeroDivisionError)
        assert executor.submit(operator.truediv, 1, 2).result(PATIENCE) == 0.5

    @pytest.mark.parametrize("kind", ["not found", "request", "unavailable"])
    def test_errors_come_back_whole(self, executor: Executor, kind: str) -> None:
        """Heptad's errors keep their type and everything they say."""
        with pytest.raises(Exception) as expected:  # noqa: PT011 - compared with its twin below
            refuse(kind)
        error = executor.submit(refuse, kind).exception(PATIENCE)
        assert type(error) is type(expected.value)
        assert str(error) == str(expected.value)
        shown = {name: value for name, value in vars(error).items() if not name.startswith("__")}
        assert shown == {name: value for name, value in vars(expected.value).items() if not name.startswith("__")}
