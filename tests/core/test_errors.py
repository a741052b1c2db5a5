"""Errors say what is wrong, what is allowed, and what to do; and whether trying again can help."""

import pickle
from typing import Any

import pytest

from heptad.core import errors
from heptad.core.errors import (
    ConflictError,
    HeptadError,
    InputError,
    NotFoundError,
    RequestError,
    Retryable,
    SettingsError,
    TaskError,
    UnavailableError,
    nearest,
)

TREE = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, HeptadError)]


def test_an_error_says_three_things() -> None:
    """Problem, what is allowed, and the remedy are told on lines of their own; what is empty is left out."""
    error = HeptadError("x is 3.", allowed="1 or 2", remedy="Set x = 1.")
    assert str(error) == "x is 3.\nAllowed: 1 or 2\nRemedy: Set x = 1."
    assert str(HeptadError("x is 3.")) == "x is 3."


@pytest.mark.parametrize("kind", TREE, ids=lambda kind: kind.__name__)
def test_exit_codes_tell_bad_input_from_the_rest(kind: Any) -> None:
    """What somebody gave wrongly exits with 2, everything else with 1."""
    assert kind.exit_code == (2 if issubclass(kind, InputError) else 1)


def test_a_task_error_exits_as_its_cause_would() -> None:
    """A bad input that is found inside a task is still a bad input."""
    assert TaskError("failed").exit_code == 1
    assert TaskError("failed", exit_code=2).exit_code == 2


@pytest.mark.parametrize(
    "error",
    [
        HeptadError("a", allowed="b", remedy="c"),
        SettingsError("a", problems=["one", "two"]),
        RequestError("a", status=422, field="age"),
        NotFoundError("model", "flight", ["flights"]),
        ConflictError("a", current="r-1", version=3),
        TaskError("a", task="t", exit_code=2),
        UnavailableError("a"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_errors_survive_the_way_to_another_process(error: HeptadError) -> None:
    """Whatever its constructor, a pickled error comes back with everything it says."""
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert vars(again) == vars(error)


def test_retryable_is_a_matter_of_the_type() -> None:
    """Only an error that may pass is retryable."""
    assert [kind.__name__ for kind in TREE if issubclass(kind, Retryable)] == ["UnavailableError"]


def test_all_mistakes_are_listed() -> None:
    """A settings error lists its problems, one a line."""
    assert str(SettingsError("heptad.toml has 2 mistakes:", problems=["line 1", "line 2"])) == (
        "heptad.toml has 2 mistakes:\n  line 1\n  line 2"
    )


def test_not_found_names_the_nearest() -> None:
    """The closest name comes first, then those that exist."""
    error = NotFoundError("model", "flihgts", ["flights", "weather"])
    assert str(error) == "There is no model 'flihgts'.\nAllowed: did you mean 'flights'? flights, weather"
    assert NotFoundError("model", "flights").allowed == ""


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ([], ""),
        (["zzz"], "zzz"),
        ([f"name{n:02}" for n in range(14)], ", ".join(f"name{n:02}" for n in range(12)) + ", and 2 more"),
    ],
)
def test_long_lists_are_cut(known: list[str], expected: str) -> None:
    """A dozen names are shown, and how many more there are; none is guessed where none is close."""
    assert nearest("q", known) == expected
