"""A flow is checked as a whole, and everything that is wrong is said at once."""

import functools
from datetime import timedelta
from typing import Any

import pytest

from heptad.core.errors import InputError, SettingsError
from heptad.core.flow_plan import Plan, TaskOptions, drafts, plan, task


def wired(functions: Any, inputs: Any = (), **options: Any) -> Plan:
    return plan("test", drafts(functions), inputs, **options)


def problems(functions: Any, inputs: Any = (), **options: Any) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        wired(functions, inputs, **options)
    return list(caught.value.problems)


def first(raw):
    return raw


def second(first, depth=3):
    return first, depth


def third(second, first):
    return second, first


def test_parameters_are_wired_by_name() -> None:
    """Each parameter takes the task or input of its name; the order is one in which everything is there in time."""
    found = wired([third, second, first], ["raw"])
    assert list(found.tasks) == ["first", "second", "third"]
    assert found.tasks["second"].needs == ["first"]
    assert found.tasks["second"].defaults == {"depth": 3}
    assert found.consumers == {"raw": ["first"], "first": ["second", "third"], "second": ["third"], "third": []}


def test_an_input_takes_the_place_of_a_default() -> None:
    """A parameter with a default is wired where an input has its name."""
    found = wired([first, second], ["raw", "depth"])
    assert found.tasks["second"].needs == ["first", "depth"]
    assert found.tasks["second"].defaults == {}


def test_functions_may_be_given_names() -> None:
    """As a dict, functions without a name of their own become tasks."""
    found = wired({"one": lambda raw: raw, "two": functools.partial(second, depth=4), "first": first}, ["raw"])
    assert found.tasks["two"].defaults == {"depth": 4}
    assert found.tasks["one"].needs == ["raw"]


def test_options_stay_with_the_function() -> None:
    """`task` marks a function and leaves it a function."""

    @task(retries=2, backoff="500ms", timeout="1m", cache=False)
    def one():
        return 1

    assert one() == 1
    found = wired([one]).tasks["one"]
    assert found.options == TaskOptions(retries=2, backoff="500ms", timeout="1m", cache=False)
    assert (found.backoff, found.timeout) == (timedelta(milliseconds=500), timedelta(minutes=1))
    assert wired([first], ["raw"]).tasks["first"].options == TaskOptions()


def test_an_unknown_parameter_names_the_nearest() -> None:
    """A parameter that is no task or input is named with file, line and what was probably meant."""

    def total(frist):
        return frist

    (found,) = problems([first, total], ["raw"])
    line = total.__code__.co_firstlineno
    assert found.startswith(f"test_flow_plan.py:{line}: the task 'total' takes 'frist'")
    assert "did you mean 'first'?" in found


def test_everything_wrong_is_said_at_once() -> None:
    """Unknown parameters, duplicates, circles, bad options, odd signatures and unused inputs come in one error."""

    def again():
        return 1

    earlier = again

    def again():
        return 2

    def left(right):
        return right

    def right(left):
        return left

    def me(me):
        return me

    @task(retries=-1, timeout="soon", backoff="0s", cache="yes")
    def odd(*rest, nothing):
        return rest

    async def later():
        return 1

    found = "\n".join(problems([earlier, again, left, right, me, odd, later], ["unused", "me"]))
    for expected in (
        "there is a task 'again' already, at test_flow_plan.py:",
        "the tasks left -> right -> left wait for each other",
        "the task 'me' has the name of an input",
        "the task 'odd' takes *rest",
        "the task 'odd' takes 'nothing', which is no task or input",
        "retries is -1",
        "timeout is 'soon'",
        "backoff is '0s'",
        "cache is 'yes'",
        "the task 'later' is asynchronous",
        "The input 'unused' is taken by no task",
    ):
        assert expected in found


def test_each_circle_is_named() -> None:
    """Two circles are two problems, also a task that waits for itself."""
    found = problems({"a": lambda b: b, "b": lambda a: a, "c": lambda c: c})
    assert len(found) == 2
    assert any("c -> c" in one for one in found)
    assert any("a -> b -> a" in one or "b -> a -> b" in one for one in found)


def test_a_nameless_function_is_refused() -> None:
    """A lambda in a list has no name to be wired by."""
    assert "'<lambda>' is no name for a task" in problems([lambda: 1])[0]


def test_no_functions_are_no_flow() -> None:
    """A flow without functions says so."""
    assert problems([]) == ["It has no functions."]


def test_what_is_no_function_is_refused() -> None:
    """Something whose parameters cannot be read is named."""
    with pytest.raises(InputError, match="cannot be a task"):
        drafts([42])  # type: ignore[list-item]


def test_processes_need_importable_functions() -> None:
    """Where functions are sent to other processes, those that cannot be are named before anything starts."""

    def inside():
        return 1

    assert "cannot be sent to another process" in problems([inside], portable=True)[0]
    assert list(wired([inside]).tasks) == ["inside"]
